"""webhook_faults.py - webhooks when much happens at once, or at the wrong moment."""
import threading
import time
from email.utils import formatdate

from receiver import verify
from common import wait_for
from webhooks import HOOKS, Hooks


class Backlog(Hooks):
    def test_a_burst_of_events_makes_one_delivery_each_for_each_of_twenty_endpoints(self):
        for i in range(20):
            self.endpoint(f"/burst{i}", event_types=["*"])
        self.assertEqual(self.ada.patch(f"/api/v1/tenants/{self.tenant}",
                                        {"display_name": "Acme " + "x" * 90}).status, 200)
        told = f"tenant_id = '{self.tenant}' and type = 'tenants.tenant.updated'"
        wait_for("the change is told", lambda: self.value(
            f"select count(*) from tenants.event_log where {told}") == "1")
        self.stack.sql(
            "insert into tenants.outbox (lane, tenant_id, event_id, subject_id, type, at, trace, "
            "payload) select lane, tenant_id, gen_random_uuid(), subject_id, type, now(), trace, "
            f"payload from tenants.event_log, generate_series(1, 300) where {told}")
        self.addCleanup(self.stack.sql, f"delete from notify.job where tenant_id = '{self.tenant}'")
        of = (f"from notify.webhook_delivery where tenant_id = '{self.tenant}' "
              "and event_type = 'tenants.tenant.updated'")
        wait_for("each has its deliveries", lambda: self.value(
            f"select count(*) >= 6020 {of}") == "t")
        self.assertEqual(self.value(f"select count(*), count(distinct (event_id, endpoint_id)) "
                                    f"{of}"), "6020|6020")
        self.assertEqual(self.value("select count(*) from notify.parked"), "0")


class Neighbours(Hooks):
    """Receivers that take their time, and those beside them."""

    def setUp(self):
        super().setUp()
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)
        self.held, self.ended = [], []

    def hold(self):
        self.held.append(1)
        self.go_on.wait(30)
        self.ended.append(1)
        return 204

    def due(self, endpoint, n):
        """So many deliveries, with their jobs, as if events had made them."""
        self.stack.sql(
            "with made as (insert into notify.webhook_delivery (tenant_id, id, endpoint_id, "
            "event_id, event_type, webhook_id, body, bytes, status, created_at) select tenant_id, "
            "gen_random_uuid(), id, gen_random_uuid(), 'x.y', 'msg_1', '{}', 2, 'waiting', now() "
            f"from notify.webhook_endpoint, generate_series(1, {n}) where id = '{endpoint['id']}' "
            "returning tenant_id, id, endpoint_id) insert into notify.job (id, tenant_id, kind, "
            "state, priority, run_at, attempt, attempts, payload, trace, made_at, lane) select id, "
            "tenant_id, 'webhook', 'ready', 0, now(), 0, 10, decode('0a10' || replace(id::text, "
            "'-', ''), 'hex'), '', now(), endpoint_id from made")

    def check_not_held_up(self, path, endpoint):
        """Its delivery comes before any of those that are held has ended."""
        seen = []
        self.receiver.answers[path] = [lambda: seen.append(len(self.ended)) or 204]
        self.ask_test(endpoint)
        wait_for("the quick one arrives", lambda: seen)
        self.assertEqual(seen[0], 0)

    def test_eight_organisations_with_slow_receivers_hold_up_no_ninth(self):
        for i in range(8):
            self.ada.headers["X-Tenant-Id"] = self.tenant = self.stack.found(self.ada)
            self.due(self.endpoint(f"/slow{i}", self.hold), 60)
        wait_for("all hold what they may", lambda: len(self.held) >= 8 * 16)
        self.ada.headers["X-Tenant-Id"] = self.tenant = self.stack.found(self.ada)
        self.check_not_held_up("/ninth", self.endpoint("/ninth"))

    def test_a_slow_endpoint_holds_up_no_other_of_its_organisation(self):
        self.due(self.endpoint("/slow", self.hold), 60)
        wait_for("it holds what it may", lambda: len(self.held) >= 16)
        self.check_not_held_up("/quick", self.endpoint("/quick"))


class Away(Hooks):
    """Receivers that want to be left alone, or are not there for a while."""

    def waits_s(self, endpoint):
        """How long its one delivery waits for the next attempt, and for how long it rests."""
        return [int(n) for n in self.value(
            "select round(extract(epoch from j.run_at - now())) || ' ' || coalesce(round(extract("
            "epoch from e.rests_until - now())), 0) from notify.job j, notify.webhook_endpoint e "
            f"where j.kind = 'webhook' and j.state = 'scheduled' and j.tenant_id = '{self.tenant}' "
            f"and e.id = '{endpoint['id']}'").split()]

    def test_a_receiver_is_left_alone_for_as_long_as_it_asks(self):
        day = 86400
        for path, answer, low, high, rest in (
                ("/s", (503, "120"), 80, 120, 120), ("/date", (429, formatdate(
                    time.time() + 600, usegmt=True)), 560, 600, 600),
                ("/ages", (429, "9999999999"), day - 40, day, 3600),
                ("/soon", (503, "1"), 0, 6, 1), ("/none", (503, "soon"), 0, 6, 0),
                ("/other", (500, "120"), 0, 6, 0)):
            with self.subTest(path):
                self.tenant = self.stack.found(self.ada)
                self.ada.headers["X-Tenant-Id"] = self.tenant
                endpoint = self.endpoint(path, answer)
                self.ask_test(endpoint)
                wait, rests = wait_for("it waits", lambda e=endpoint: self.waits_s(e))
                self.assertTrue(low <= wait <= high, wait)
                self.assertTrue(rest - 40 <= rests <= rest, rests)

    def test_what_happened_while_an_endpoint_was_disabled_can_be_replayed(self):
        endpoint = self.endpoint("/away", event_types=["tenants.tenant.updated"])
        at = f"{HOOKS}/{endpoint['id']}"
        self.ada.patch(at, {"status": "disabled"})
        self.assertEqual(self.ada.patch(f"/api/v1/tenants/{self.tenant}",
                                        {"display_name": "Missed"}).status, 200)
        missed = self.delivery(endpoint, "cancelled")
        self.assertEqual(missed["attempts"], [])
        self.assertTrue(missed["finished_at"])
        replay = f"/api/v1/webhook-deliveries/{missed['id']}/replay"
        self.check_problem(self.ada.post(replay), 409)
        self.ada.patch(at, {"status": "enabled"})
        self.assertEqual(self.ada.post(replay).status, 202)
        self.delivery(endpoint)
        (headers, body), = self.receiver.at("/away")
        told = verify(endpoint["secret"], headers, body)
        self.assertEqual(told["data"]["tenant"]["display_name"], "Missed")
        self.assertEqual(headers["webhook-id"], missed["webhook_id"])


class Meanwhile(Hooks):
    """What becomes known of an endpoint while one attempt is on its way."""

    def held(self, path, status, *answers):
        """An endpoint with one delivery that is answered with status by the function given
        back, and before that whatever else is posted with answers."""
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        endpoint = self.endpoint(path, lambda: go_on.wait(9) and status, *answers)
        return endpoint, go_on.set

    def begin(self, path, endpoint):
        first = self.ask_test(endpoint)
        wait_for("the first is on its way", lambda: len(self.receiver.at(path)) == 1)
        return first

    def attempts(self, delivery):
        return int(self.value("select count(*) from notify.webhook_attempt where delivery_id = "
                              f"'{delivery['id']}'"))

    def test_an_endpoint_that_has_just_recovered_is_not_disabled(self):
        endpoint, go_on = self.held("/recovers", 503, 204)
        self.stack.sql("update notify.webhook_endpoint set failing_since = now() - interval "
                       f"'73 hours', failures = 9 where id = '{endpoint['id']}'")
        first = self.begin("/recovers", endpoint)
        self.ask_test(endpoint)
        self.delivery(endpoint)
        self.assertNotIn("failing_since", self.ada.get(f"{HOOKS}/{endpoint['id']}").json)
        go_on()
        wait_for("the first one's failure is known", lambda: self.attempts(first) == 1)
        shown = self.ada.get(f"{HOOKS}/{endpoint['id']}")
        self.assertEqual(shown["status"], "enabled", shown)
        self.assertTrue(shown["failing_since"])

    def test_410_disables_an_endpoint_that_began_to_fail_meanwhile(self):
        endpoint, go_on = self.held("/goes", 410, 500)
        first = self.begin("/goes", endpoint)
        second = self.ask_test(endpoint)
        wait_for("the second fails", lambda: self.attempts(second) == 1)
        go_on()
        wait_for("the first one's failure is known", lambda: self.attempts(first) == 1)
        shown = self.ada.get(f"{HOOKS}/{endpoint['id']}")
        self.assertEqual((shown["status"], shown.json.get("disabled_reason")),
                         ("disabled", "answered 410"))

    def test_how_an_endpoint_does_is_shown_at_once_and_makes_no_edit_stale(self):
        endpoint = self.endpoint("/tagged", 500, 500, 204)
        at = f"{HOOKS}/{endpoint['id']}"
        tag = self.ada.get(at).headers["etag"]

        def changed(what):
            answer = self.ada.get(at, If_None_Match=tag)
            self.assertEqual((answer.status, answer.headers["etag"]), (200, tag), what)
            return answer
        first = self.ask_test(endpoint)
        wait_for("it fails", lambda: self.attempts(first) == 1)
        failing = changed("it began to fail")
        self.assertTrue(failing["failing_since"])
        self.stack.sql("update notify.webhook_endpoint set failures = 9 "
                       f"where id = '{endpoint['id']}'")
        wait_for("it fails again", lambda: self.attempts(first) == 2)
        self.assertTrue(changed("it rests")["rests_until"])
        self.stack.sql("update notify.webhook_endpoint set rests_until = null "
                       f"where id = '{endpoint['id']}'")
        self.ask_test(endpoint)
        self.delivery(endpoint)
        self.assertNotIn("failing_since", changed("it has recovered").json)
        edited = self.ada.patch(at, {"description": "x"}, If_Match=tag)
        self.assertEqual((edited.status, edited["version"]), (200, 2), edited)
        self.check_problem(self.ada.patch(at, {"description": "y"}, If_Match=tag), 412)
