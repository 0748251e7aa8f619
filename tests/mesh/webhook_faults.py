"""webhook_faults.py - webhooks when much happens at once, or at the wrong moment."""
import threading

from stack import wait_for
from webhooks import HOOKS, Hooks


class Backlog(Hooks):
    def test_a_burst_of_events_makes_one_delivery_each_for_each_of_twenty_endpoints(self):
        for i in range(20):
            self.endpoint(f"/burst{i}", event_types=["*"])
        self.assertEqual(self.ada.patch(f"/api/v1/tenants/{self.tenant}",
                                        {"display_name": "Acme " + "x" * 90}).status, 200)
        told = f"tenant_id = '{self.tenant}' and type = 'tenants.tenant.updated'"
        wait_for("the change is told", lambda: self.value(
            f"select count(*) from tenants.event_log where {told}") == "1", 15)
        self.stack.sql(
            "insert into tenants.outbox (lane, tenant_id, event_id, subject_id, type, at, trace, "
            "payload) select lane, tenant_id, gen_random_uuid(), subject_id, type, now(), trace, "
            f"payload from tenants.event_log, generate_series(1, 1000) where {told}")
        self.addCleanup(self.stack.sql, f"delete from notify.job where tenant_id = '{self.tenant}'")
        of = (f"from notify.webhook_delivery where tenant_id = '{self.tenant}' "
              "and event_type = 'tenants.tenant.updated'")
        wait_for("each has its deliveries", lambda: self.value(
            f"select count(*) >= 20020 {of}") == "t", 60)
        self.assertEqual(self.value(f"select count(*), count(distinct (event_id, endpoint_id)) "
                                    f"{of}"), "20020|20020")
        self.assertEqual(self.value("select count(*) from notify.parked"), "0")


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
        wait_for("the first is on its way", lambda: len(self.receiver.at(path)) == 1, 15)
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
        wait_for("the first one's failure is known", lambda: self.attempts(first) == 1, 15)
        shown = self.ada.get(f"{HOOKS}/{endpoint['id']}")
        self.assertEqual(shown["status"], "enabled", shown)
        self.assertTrue(shown["failing_since"])

    def test_410_disables_an_endpoint_that_began_to_fail_meanwhile(self):
        endpoint, go_on = self.held("/goes", 410, 500)
        first = self.begin("/goes", endpoint)
        second = self.ask_test(endpoint)
        wait_for("the second fails", lambda: self.attempts(second) == 1, 15)
        go_on()
        wait_for("the first one's failure is known", lambda: self.attempts(first) == 1, 15)
        shown = self.ada.get(f"{HOOKS}/{endpoint['id']}")
        self.assertEqual((shown["status"], shown.json.get("disabled_reason")),
                         ("disabled", "answered 410"))

    def test_the_etag_changes_with_what_is_shown_of_failures(self):
        endpoint = self.endpoint("/tagged", 500, 500, 204)
        at = f"{HOOKS}/{endpoint['id']}"
        seen = {self.ada.get(at).headers["etag"]}

        def changed(what):
            answer = self.ada.get(at, If_None_Match=", ".join(seen))
            self.assertEqual(answer.status, 200, what)
            seen.add(answer.headers["etag"])
            return answer
        first = self.ask_test(endpoint)
        wait_for("it fails", lambda: self.attempts(first) == 1, 15)
        failing = changed("it began to fail")
        self.assertTrue(failing["failing_since"])
        self.check_problem(self.ada.patch(at, {"description": "x"}, If_Match='"1"'), 412)
        self.stack.sql("update notify.webhook_endpoint set failures = 9 "
                       f"where id = '{endpoint['id']}'")
        wait_for("it fails again", lambda: self.attempts(first) == 2, 15)
        self.assertTrue(changed("it rests")["rests_until"])
        self.stack.sql("update notify.webhook_endpoint set rests_until = null "
                       f"where id = '{endpoint['id']}'")
        self.ask_test(endpoint)
        self.delivery(endpoint)
        self.assertNotIn("failing_since", changed("it has recovered").json)
        self.assertEqual(self.ada.get(at, If_None_Match=", ".join(seen)).status, 304)
