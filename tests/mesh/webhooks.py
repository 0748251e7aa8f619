"""webhooks.py - an organisation's webhooks, from the endpoint to what its server receives
and verifies: signatures, retries, rotation, replay, what disables an endpoint, and the URLs
that nobody may have called (reliability.md, 38 to 41)."""
import json
import shutil
import tempfile
import unittest

from case import MeshCase
from receiver import Receiver, WebhookError, verify
from common import wait_for

HOOKS = "/api/v1/webhook-endpoints"


class Vector(unittest.TestCase):
    def test_the_receiver_verifies_by_the_specifications_vector(self):
        headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
                   "webhook-timestamp": "1614265330",
                   "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
        secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
        self.assertEqual(verify(secret, headers, body, 10**10), {"test": 2432232314})
        with self.assertRaises(WebhookError):
            verify(secret, headers, body + b" ", 10**10)
        with self.assertRaises(WebhookError):
            verify(secret, headers, body)


class Hooks(MeshCase):
    """Endpoints at a server of this machine, whose range is allowed."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="trl-hooks.", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.receiver = Receiver(cls.folder)
        cls.addClassCleanup(cls.receiver.close)
        cls.settings = {**cls.settings, "TRELLIS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
                        "TRELLIS_WEBHOOK_CA": f"{cls.folder}/hook-ca.pem"}
        super().setUpClass()

    def setUp(self):
        self.ada = self.stack.sign_up("ada")
        self.tenant = self.stack.found(self.ada)
        self.ada.headers["X-Tenant-Id"] = self.tenant

    def endpoint(self, path, *answers, event_types=("auth.api_key.revoked",), **more):
        """One that hears of nothing that happens in these stories, unless it is told to; of
        an organisation that was just founded there is news for a while."""
        self.receiver.answers[path] = list(answers) or [204]
        made = self.ada.post(HOOKS, {"url": self.receiver.url(path),
                                     "event_types": event_types, **more})
        self.assertEqual(made.status, 201, made)
        return made

    def ask_test(self, endpoint):
        sent = self.ada.post(f"{HOOKS}/{endpoint['id']}/test")
        self.assertEqual(sent.status, 202, sent)
        return sent

    def delivery(self, endpoint, wanted="succeeded", seconds=15):
        """The newest delivery once it is as wanted."""
        def find():
            items = self.ada.get(f"{HOOKS}/{endpoint['id']}/deliveries")["items"]
            return items and items[0]["status"] == wanted and items[0]
        return wait_for(f"a delivery is {wanted}", find, seconds)

    def value(self, query):
        return self.stack.sql_text(query)

    def attempted(self, endpoint):
        """The newest delivery once it has an attempt."""
        def find():
            items = self.ada.get(f"{HOOKS}/{endpoint['id']}/deliveries")["items"]
            return items and items[0].get("attempts") and items[0]
        return wait_for("a delivery was attempted", find)


class Deliveries(Hooks):
    def test_an_event_arrives_signed_and_its_delivery_is_shown(self):
        endpoint = self.endpoint("/signed", 200)
        self.assertRegex(endpoint["secret"], r"^whsec_[A-Za-z0-9+/]{43}=$")
        sent = self.ask_test(endpoint)
        delivery = self.delivery(endpoint)
        (headers, body), = self.receiver.at("/signed")
        event = verify(endpoint["secret"], headers, body)
        self.assertEqual(event["specversion"], "1.0")
        self.assertEqual(event["type"], "notify.webhook_endpoint.tested")
        self.assertEqual(event["tenantid"], self.tenant)
        self.assertEqual(event["data"]["endpoint"]["id"], endpoint["id"])
        self.assertNotIn(b"secret", body)
        self.assertEqual(headers["content-type"], "application/cloudevents+json; charset=utf-8")
        self.assertEqual(headers["webhook-id"], f"{event['id']}_{endpoint['id']}")
        self.assertEqual(delivery["id"], sent["id"])
        self.assertEqual(delivery["webhook_id"], headers["webhook-id"])
        self.assertEqual(delivery["request_body"].encode(), body)
        attempt, = delivery["attempts"]
        self.assertEqual((attempt["number"], attempt["response_status"]), (1, 200))
        self.assertEqual(attempt["response_body"], "that is a 200?[31m")
        self.assertNotIn("error", attempt)
        self.assertLess(attempt["took_ms"], 10000)

    def test_what_happens_goes_to_the_endpoints_that_asked_for_it(self):
        members = self.endpoint("/members", event_types=["tenants.member.added"])
        everything = self.endpoint("/everything", event_types=["tenants.*"])
        keys = self.endpoint("/keys", event_types=["auth.*"])
        bob = self.stack.sign_up("bob")
        answer = self.ada.post(f"/api/v1/tenants/{self.tenant}/members",
                               {"email": bob.email, "role": "member"})
        self.assertEqual(answer.status, 201, answer)
        answer = self.ada.post(f"/api/v1/tenants/{self.tenant}/api-keys",
                               {"name": "k", "permissions": ["tenants.member.list"]})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(self.ada.patch(f"/api/v1/tenants/{self.tenant}",
                                        {"display_name": "Acme Two"}).status, 200)
        for endpoint, path, types in (
                (members, "/members", {"tenants.member.added"}),
                (everything, "/everything", {"tenants.member.added", "tenants.tenant.updated"}),
                (keys, "/keys", {"auth.api_key.created"})):
            wait_for(f"{types} arrive", lambda path=path, types=types: types <= {
                json.loads(body)["type"] for _, body in self.receiver.at(path)})
            events = [verify(endpoint["secret"], *one) for one in self.receiver.at(path)]
            self.assertEqual({event["type"] for event in events} - {"tenants.tenant.created"},
                             types)
            self.assertEqual({event["tenantid"] for event in events}, {self.tenant})
        told = wait_for("the member's arrives", lambda: [
            event for event in (json.loads(body) for _, body in self.receiver.at("/members"))
            if event["data"]["member"]["account_id"] == bob.account["id"]])
        self.assertEqual(told[0]["data"]["by"], self.ada.account["id"])
        self.assertNotIn(b"key_hash", self.receiver.at("/keys")[0][1])
        self.assertNotIn(answer["key"].encode(), self.receiver.at("/keys")[0][1])

    def test_the_secret_is_shown_once_and_lies_sealed(self):
        endpoint = self.endpoint("/secret")
        at = f"{HOOKS}/{endpoint['id']}"
        self.assertNotIn("secret", self.ada.get(at).json)
        self.assertNotIn("secret", self.ada.get(HOOKS)["items"][0])
        self.assertNotIn("secret", self.ada.patch(at, {"description": "x"}).json)
        self.assertNotIn(endpoint["secret"], self.stack.logs())

    def test_a_secret_that_rotates_leaves_the_former_signing_beside_the_new(self):
        endpoint = self.endpoint("/rotated")
        rotated = self.ada.post(f"{HOOKS}/{endpoint['id']}/rotate-secret")
        self.assertEqual(rotated.status, 200, rotated)
        self.assertNotEqual(rotated["secret"], endpoint["secret"])
        self.assertTrue(rotated["former_secret_until"])
        self.ask_test(endpoint)
        self.delivery(endpoint)
        (headers, body), = self.receiver.at("/rotated")
        self.assertEqual(len(headers["webhook-signature"].split(" ")), 2)
        verify(rotated["secret"], headers, body)
        verify(endpoint["secret"], headers, body)
        self.stack.sql("update notify.webhook_endpoint set former_secret_until = now() "
                       f"where id = '{endpoint['id']}'")
        self.ask_test(endpoint)
        wait_for("the second event", lambda: len(self.receiver.at("/rotated")) == 2)
        headers, body = self.receiver.at("/rotated")[1]
        verify(rotated["secret"], headers, body)
        with self.assertRaises(WebhookError):
            verify(endpoint["secret"], headers, body)

    def test_a_failure_is_tried_again_under_the_same_id(self):
        before = self.counted("notify", failed := 'trellis_webhook_attempts_total{outcome="failed"}')
        endpoint = self.endpoint("/again", 500, 204)
        self.ask_test(endpoint)
        delivery = self.delivery(endpoint, seconds=20)
        first, second = self.receiver.at("/again")
        self.assertEqual(first[0]["webhook-id"], second[0]["webhook-id"])
        self.assertEqual(first[1], second[1])
        for headers, body in (first, second):
            verify(endpoint["secret"], headers, body)
        self.assertEqual([a.get("response_status") for a in delivery["attempts"]], [500, 204])
        self.assertGreater(self.counted("notify", failed), before)
        self.assertEqual(delivery["attempts"][0]["error"], "the endpoint answered 500")
        self.assertNotIn("failing_since", self.ada.get(f"{HOOKS}/{endpoint['id']}").json)

    def test_a_replay_is_a_delivery_of_its_own_under_the_same_id(self):
        endpoint = self.endpoint("/replayed")
        sent = self.ask_test(endpoint)
        self.delivery(endpoint)
        again = self.ada.post(f"/api/v1/webhook-deliveries/{sent['id']}/replay")
        self.assertEqual(again.status, 202, again)
        self.assertEqual(again["replay_of"], sent["id"])
        wait_for("it arrives twice", lambda: len(self.receiver.at("/replayed")) == 2)
        first, second = self.receiver.at("/replayed")
        self.assertEqual(first[0]["webhook-id"], second[0]["webhook-id"])
        self.assertEqual(first[1], second[1])

    def test_410_disables_the_endpoint_at_once(self):
        before = self.counted("notify", gone := 'trellis_webhook_endpoints_disabled_total{reason="gone"}')
        endpoint = self.endpoint("/gone", 410)
        other = self.endpoint("/other", event_types=["notify.*"])
        self.ask_test(endpoint)
        self.delivery(endpoint, "failed")
        shown = self.ada.get(f"{HOOKS}/{endpoint['id']}")
        self.assertEqual((shown["status"], shown["disabled_reason"]), ("disabled", "answered 410"))
        wait_for("it is counted", lambda: self.counted("notify", gone) == before + 1)
        self.check_problem(self.ada.post(f"{HOOKS}/{endpoint['id']}/test"), 409)
        wait_for("the other endpoint is told", lambda: self.receiver.at("/other"))
        told = verify(other["secret"], *self.receiver.at("/other")[0])
        self.assertEqual(told["type"], "notify.webhook_endpoint.disabled")
        self.assertEqual(told["data"]["endpoint"]["disabled_reason"], "answered 410")
        ids = wait_for("everybody is told", lambda: (got := self.value(
            "select event_id from notify.event_log where type = 'notify.webhook_endpoint.disabled' "
            f"and tenant_id = '{self.tenant}' union all "
            "select id from notify.feed where type = 'notify.webhook_endpoint.disabled' "
            f"and tenant_id = '{self.tenant}' union all "
            "select event_id from notify.delivery where kind = 'webhook_disabled' and channel = "
            f"'email' and tenant_id = '{self.tenant}'").split()) and len(got) == 3 and got)
        self.assertEqual(set(ids), {told["id"]})
        wait_for("the owner gets a mail", lambda: [
            text for text in self.stack.mails(self.ada.email) if "410" in text])
        entry = wait_for("the audit log says so", lambda: [
            e for e in self.ada.get(f"/api/v1/tenants/{self.tenant}/audit")["items"]
            if e["action"] == "notify.webhook_endpoint.disable"], 15)[0]
        self.assertEqual((entry["chain"], entry["actor_kind"], entry["subject_id"]),
                         ("notify", "service", endpoint["id"]))
        self.assertNotIn("actor_id", entry)
        self.receiver.answers["/gone"] = [204]
        enabled = self.ada.patch(f"{HOOKS}/{endpoint['id']}", {"status": "enabled"})
        self.assertEqual(enabled["status"], "enabled")
        self.assertNotIn("disabled_at", enabled.json)
        self.ask_test(endpoint)
        self.delivery(endpoint)

    def test_days_of_failure_disable_the_endpoint(self):
        endpoint = self.endpoint("/failing", 503)
        self.stack.sql("update notify.webhook_endpoint set failing_since = now() - interval "
                       f"'73 hours' where id = '{endpoint['id']}'")
        self.ask_test(endpoint)
        self.delivery(endpoint, "failed")
        shown = self.ada.get(f"{HOOKS}/{endpoint['id']}")
        self.assertEqual(shown["disabled_reason"], "failed for days")

    def test_ten_failures_in_a_row_give_an_endpoint_a_rest(self):
        endpoint = self.endpoint("/hangs", 500)
        at = f"{HOOKS}/{endpoint['id']}"
        self.stack.sql("update notify.webhook_endpoint set failing_since = now(), failures = 9 "
                       f"where id = '{endpoint['id']}'")
        self.ask_test(endpoint)
        self.attempted(endpoint)
        self.assertTrue(self.ada.get(at)["rests_until"])
        self.ask_test(endpoint)
        wait_for("both deliveries wait for the end of the rest", lambda: self.value(
            "select count(*) from notify.job where kind = 'webhook' and state = 'scheduled' and "
            f"tenant_id = '{self.tenant}' and run_at > now() + interval '200 seconds'") == "2")
        self.assertEqual(len(self.receiver.at("/hangs")), 1)
        self.ada.patch(at, {"status": "disabled"})
        enabled = self.ada.patch(at, {"status": "enabled"})
        self.assertNotIn("rests_until", enabled.json)

    def test_what_was_disabled_or_deleted_is_not_tried_again(self):
        off = self.endpoint("/off", 500)
        gone = self.endpoint("/deleted", 500)
        for endpoint in (off, gone):
            self.ask_test(endpoint)
            self.attempted(endpoint)
        self.ada.patch(f"{HOOKS}/{off['id']}", {"status": "disabled"})
        self.assertEqual(self.ada.delete(f"{HOOKS}/{gone['id']}").status, 204)
        self.delivery(off, "cancelled", 20)
        self.assertEqual(len(self.receiver.at("/off")), 1)
        self.check_problem(self.ada.get(f"{HOOKS}/{gone['id']}/deliveries"), 404)
        self.assertEqual(len(self.receiver.at("/deleted")), 1)

    def test_a_redirect_is_a_failure_and_not_followed(self):  # 40
        endpoint = self.endpoint("/redirects", "redirect")
        self.ask_test(endpoint)
        attempt, = self.attempted(endpoint)["attempts"]
        self.assertEqual(attempt["response_status"], 302)
        self.assertIn("redirects are not followed", attempt["error"])
        self.assertEqual(self.receiver.at("/elsewhere"), [])

    def test_an_answer_that_is_no_text_is_kept_harmless(self):
        endpoint = self.endpoint("/zeros", "zeros")
        self.ask_test(endpoint)
        attempt = self.attempted(endpoint)["attempts"][0]
        self.assertEqual(attempt["response_status"], 500)
        self.assertEqual(len(attempt["response_body"]), 2048)
        self.assertTrue(attempt["response_body"].startswith("?" * 12 + "\t\n??\r" + "?" * 18 + " !"),
                        attempt["response_body"][:40])

    def test_answers_that_trickle_or_never_end_are_cut(self):  # 41
        slow = self.endpoint("/trickle", "trickle")
        endless = self.endpoint("/endless", "endless")
        self.ask_test(slow)
        self.ask_test(endless)
        attempt, = self.delivery(endless)["attempts"]
        self.assertEqual(len(attempt["response_body"]), 2048)
        attempt, = self.attempted(slow)["attempts"]
        self.assertNotIn("response_status", attempt)
        self.assertIn(attempt["took_ms"] // 1000, range(9, 20))  # ten, and room for the machine


class Endpoints(Hooks):
    def test_an_endpoint_is_made_read_changed_and_deleted(self):
        endpoint = self.endpoint("/crud", event_types=["tenants.*", "auth.api_key.created"],
                                 description="To the warehouse")
        at = f"{HOOKS}/{endpoint['id']}"
        shown = self.ada.get(at)
        self.assertEqual(shown.headers["etag"], '"1"')
        self.assertEqual(shown["event_types"], ["tenants.*", "auth.api_key.created"])
        changed = self.ada.patch(at, {"event_types": ["*"], "description": None}, If_Match='"1"')
        self.assertEqual((changed.status, changed["version"]), (200, 2), changed)
        self.assertNotIn("description", changed.json)
        self.assertEqual(self.ada.patch(at, {"event_types": ["auth.*"]})["event_types"], ["auth.*"])
        changed = self.ada.patch(at, {"event_types": []})
        self.assertEqual((changed["version"], changed["event_types"]), (4, ["*"]))
        self.assertEqual(self.endpoint("/empty", event_types=[])["event_types"], ["*"])
        self.check_problem(self.ada.patch(at, {"description": "x"}, If_Match='"1"'), 412)
        self.check_problem(self.ada.delete(at, If_Match='"1"'), 412, "PRECONDITION")
        self.assertEqual(self.ada.delete(at, If_Match=changed.headers["etag"]).status, 204)
        self.check_problem(self.ada.get(at), 404)
        self.check_problem(self.ada.delete(at), 404)

    def test_an_organisation_has_twenty_endpoints_at_most_and_sees_them_in_pages(self):
        made = [self.endpoint(f"/n{i}")["id"] for i in range(20)]
        refused = self.ada.post(HOOKS, {"url": self.receiver.url("/more")})
        self.check_problem(refused, 403, "QUOTA")
        seen, token = [], ""
        while token is not None:
            page = self.ada.get(f"{HOOKS}?page_size=7" + (token and f"&page_token={token}"))
            seen += [item["id"] for item in page["items"]]
            token = page.json.get("next_page_token")
        self.assertEqual(seen, made)
        self.assertEqual(self.ada.delete(f"{HOOKS}/{made[3]}").status, 204)
        self.endpoint("/instead")

    def test_filters_that_take_in_nothing_are_refused(self):
        for wrong in ("tenants.member.aded", "tenant.*", "auth.letter.requested", "a*"):
            answer = self.ada.post(HOOKS, {"url": self.receiver.url("/x"),
                                           "event_types": ["tenants.*", wrong]})
            self.check_problem(answer, 422)
            self.assertEqual(self.pointers(answer), ["/event_types/1"])

    def test_another_organisation_sees_none_of_it(self):
        endpoint = self.endpoint("/mine")
        sent = self.ask_test(endpoint)
        eve = self.stack.sign_up("eve")
        eve.headers["X-Tenant-Id"] = self.stack.found(eve)
        at = f"{HOOKS}/{endpoint['id']}"
        for answer in (eve.get(at), eve.patch(at, {"description": "x"}), eve.delete(at),
                       eve.post(at + "/rotate-secret"), eve.post(at + "/test"),
                       eve.get(at + "/deliveries"),
                       eve.post(f"/api/v1/webhook-deliveries/{sent['id']}/replay")):
            self.check_problem(answer, 404)
        self.assertEqual(eve.get(HOOKS)["items"], [])
        eve.headers["X-Tenant-Id"] = self.tenant
        self.check_problem(eve.get(HOOKS), 404)

    def test_a_member_without_the_permission_is_denied(self):
        bob = self.stack.sign_up("bob")
        answer = self.ada.post(f"/api/v1/tenants/{self.tenant}/members",
                               {"email": bob.email, "role": "member"})
        self.assertEqual(answer.status, 201, answer)
        bob.headers["X-Tenant-Id"] = self.tenant
        self.check_problem(bob.get(HOOKS), 403)
        self.check_problem(bob.post(HOOKS, {"url": self.receiver.url("/bobs")}), 403)


class Refused(MeshCase):
    """As in production: no range is allowed."""

    def setUp(self):
        self.ada = self.stack.sign_up("ada")
        self.tenant = self.stack.found(self.ada)
        self.ada.headers["X-Tenant-Id"] = self.tenant

    def test_private_addresses_are_refused_in_every_form(self):  # 38
        for host in ("127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "10.0.0.1",
                     "169.254.169.254", "192.168.1.1", "100.64.0.1", "[::1]", "[fc00::1]",
                     "[fe80::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]",
                     "0.0.0.0", "localhost", "a.localhost"):
            answer = self.ada.post(HOOKS, {"url": f"https://{host}/hook"})
            self.check_problem(answer, 422)
            self.assertEqual(self.pointers(answer), ["/url"], answer)

    def test_urls_that_are_none_of_ours_are_refused(self):
        for url in ("http://example.com/", "https://example.com:22/", "https://a:b@example.com/",
                    "https://example.com/#x", "ftp://example.com/", "https://", "example.com",
                    "https://exam ple.com/", "https://example.com/\r\nX-A: b",
                    "https://example.com/" + "a" * 2100):
            self.check_problem(self.ada.post(HOOKS, {"url": url}), 422)
        made = self.ada.post(HOOKS, {"url": "https://example.com/hook"})
        self.assertEqual(made.status, 201, made)
        refused = self.ada.patch(f"{HOOKS}/{made['id']}", {"url": "https://10.0.0.1/"})
        self.check_problem(refused, 422)

    def test_a_name_of_a_private_address_is_refused_when_it_is_called(self):  # 38, 39
        made = self.ada.post(HOOKS, {"url": "https://example.com/hook"})
        # As if its name had come to mean this machine since.
        self.stack.sql("update notify.webhook_endpoint set url = 'https://localhost/hook' "
                       f"where id = '{made['id']}'")
        self.ada.post(f"{HOOKS}/{made['id']}/test")

        def find():
            items = self.ada.get(f"{HOOKS}/{made['id']}/deliveries")["items"]
            return items and items[0].get("attempts")
        attempt, = wait_for("an attempt", find)
        self.assertNotIn("response_status", attempt)
        self.assertIn("not a public one", attempt["error"])
