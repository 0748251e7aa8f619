"""analytics.py - product events, from what happens in an organisation that consents to what
PostHog is told of it: nothing else, and each once, whatever PostHog does."""
import os
import shutil
import tempfile
import unittest
import uuid

from case import MeshCase
from posthog import KEY, PostHog
from common import wait_for

AT = "/api/v1/notification-settings"


class Told(MeshCase):
    @classmethod
    def setUpClass(cls):
        cls.hog = PostHog()
        cls.addClassCleanup(cls.hog.close)
        folder = tempfile.mkdtemp(prefix="trl-hog.", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.key = os.path.join(folder, "key")
        cls.give_key(KEY)
        cls.settings = {**cls.settings, "TRELLIS_POSTHOG_URL": cls.hog.url + "/",
                        "TRELLIS_POSTHOG_KEY_FILE": cls.key}
        super().setUpClass()

    @classmethod
    def give_key(cls, key):
        with open(cls.key + ".new", "w", encoding="ascii") as file:
            file.write(key + "\n")
        os.rename(cls.key + ".new", cls.key)

    def setUp(self):
        self.hog.answer = lambda events: 200
        del self.hog.sizes[:]
        self.notify = "all" if self.transport == "inproc" else "notify"
        self.ada = self.stack.sign_up("ada")
        self.tenant = self.founded()
        self.addCleanup(lambda: self.assertEqual(self.hog.wrong, []))

    def founded(self, consents=True):
        tenant = self.stack.found(self.ada, "Acme of Secrecy")
        self.ada.headers["X-Tenant-Id"] = tenant
        self.heard(tenant)
        if consents:
            self.consent()
        return tenant

    def value(self, query):
        return self.stack.sql_text(query)

    def consent(self, yes=True):
        answer = self.ada.patch(AT, {"product_events": yes})
        self.assertEqual((answer.status, answer["product_events"]), (200, yes), answer)

    def rename(self, name="Another name"):
        answer = self.ada.patch(f"/api/v1/tenants/{self.tenant}", {"display_name": name})
        self.assertEqual(answer.status, 200, answer)

    def heard(self, tenant=None):
        """All that was told of it has come as far as notify's inbox."""
        tenant = tenant or self.tenant
        wait_for("all is heard of", lambda: self.value(
            "select count(*) > 0 and count(i.event_id) = count(*) and not exists (select 1 from tenants.outbox "
            f"where tenant_id = '{tenant}') from tenants.event_log l left join notify.inbox i on "
            f"i.event_id = l.event_id and i.subscription = 'tenants' where l.tenant_id = '{tenant}' "
            "and l.type not like '%.audit.written'") == "t")

    def told(self, n):
        return wait_for(f"{n} events arrive", lambda: len(self.hog.of(self.tenant)) >= n and
                        self.hog.of(self.tenant))

    def many(self, n):
        """So many further events, as if the organisation had been renamed; the ids of all
        that were told so far."""
        told = f"tenant_id = '{self.tenant}' and type = 'tenants.tenant.updated'"
        self.rename()
        wait_for("the change is told", lambda: self.value(
            f"select count(*) >= 1 from tenants.event_log where {told}") == "t")
        self.stack.sql(
            "insert into tenants.outbox (lane, tenant_id, event_id, subject_id, type, at, trace, "
            "payload) select lane, tenant_id, gen_random_uuid(), subject_id, type, now(), trace, "
            f"payload from (select * from tenants.event_log where {told} limit 1) one, "
            f"generate_series(1, {n})")
        wait_for("all are in the log", lambda: int(self.value(
            f"select count(*) from tenants.event_log where {told}")) > n)
        return {row[0] for row in self.stack.sql(f"select event_id from tenants.event_log where {told}")}

    def counted(self, outcome, what="events"):
        line = f'\ntrellis_product_{what}_total{{outcome="{outcome}"}} '
        text = self.stack.metrics("notify")
        self.assertIn(line, text)
        return float(text.partition(line)[2].split("\n")[0])

    def uuids(self):
        return [e["uuid"] for e in self.hog.of(self.tenant)]


class Stories(Told):
    def test_who_did_what_is_told_by_ids_and_nothing_else(self):
        bob = self.stack.sign_up("bob")
        added = self.ada.post(f"/api/v1/tenants/{self.tenant}/members", {"email": bob.email, "role": "viewer"})
        self.assertEqual(added.status, 201, added)
        invited = self.ada.post(f"/api/v1/tenants/{self.tenant}/invitations",
                                {"email": self.stack.new_email("eve"), "role": "member"})
        self.assertEqual(invited.status, 201, invited)
        wait_for("both arrive", lambda: {"tenants.member.added", "tenants.invitation.created"} <= {
            e["event"] for e in self.hog.of(self.tenant)})
        told = {e["event"]: e for e in self.hog.of(self.tenant)}["tenants.member.added"]
        self.assertEqual(told["distinct_id"], self.ada.account["id"])
        self.assertEqual(told["properties"], {"$groups": {"organization": self.tenant}, "$lib": "trellis",
                                              "$geoip_disable": True, "member_role": "viewer"})
        self.assertEqual(told["uuid"], self.value(
            f"select event_id from tenants.event_log where tenant_id = '{self.tenant}' "
            "and type = 'tenants.member.added' order by seq desc limit 1"))
        posted = b"".join(self.hog.posts)
        for word in (b"@", b"Acme", b"Secrecy", b"Bob", b"bob", b"Ada"):
            self.assertNotIn(word, posted)

    def test_what_an_api_key_does_is_nobodys(self):
        made = self.ada.post(f"/api/v1/tenants/{self.tenant}/api-keys",
                             {"name": "reporting", "permissions": ["tenants.tenant.update"]})
        self.assertEqual(made.status, 201, made)
        key = self.stack.client(made["key"])
        answer = key.patch(f"/api/v1/tenants/{self.tenant}", {"display_name": "By a key"})
        self.assertEqual(answer.status, 200, answer)
        told = wait_for("it arrives", lambda: [e for e in self.hog.of(self.tenant)
                                               if e["event"] == "tenants.tenant.updated"])[0]
        self.assertEqual(told["distinct_id"], f"organization_{self.tenant}")
        self.assertIs(told["properties"]["$process_person_profile"], False)

    def test_nothing_is_told_before_consent_nor_after_it(self):
        self.tenant = self.founded(consents=False)
        self.assertIs(self.ada.get(AT)["product_events"], False)
        self.rename("Before")
        self.heard()
        self.consent()
        self.rename("While")
        self.told(1)
        self.consent(False)
        self.rename("After")
        self.heard()
        # What waits is thrown away when consent ends.
        self.consent()
        self.hog.answer = lambda events: 500
        self.rename("Waits")
        wait_for("it was posted in vain", lambda: self.value(
            f"select count(*) from notify.product_event where tenant_id = '{self.tenant}'") == "1" and
            len(self.hog.sizes) >= 2)
        self.consent(False)
        self.hog.answer = lambda events: 200
        wait_for("it is gone", lambda: self.value(
            f"select count(*) from notify.product_event where tenant_id = '{self.tenant}'") == "0")
        self.assertEqual(len(self.uuids()), 1)
        self.assertEqual(self.value(f"select count(*) from notify.job where tenant_id = '{self.tenant}' "
                                    "and kind = 'product_events' and state <> 'running'"), "0")

    def test_too_many_at_once_are_posted_by_halves(self):
        self.hog.answer = lambda events: 413 if len(events) > 10 else 200
        ids = self.many(130)
        self.told(len(ids))
        self.assertEqual(sorted(self.uuids()), sorted(ids))
        self.assertLessEqual({size for size in self.hog.sizes if size > 10}, {100, 50, 25, 12})
        self.assertEqual(self.counted("too_large"), 0)
        self.assertGreater(self.counted("too_large", "posts"), 0)

    def test_one_that_is_unfit_is_dropped_and_all_others_arrive(self):
        before = self.counted("unfit")
        ids = sorted(self.many(60))
        unfit = ids[37]
        self.hog.answer = lambda events: 400 if any(e["uuid"] == unfit for e in events) else 200
        self.told(60)
        wait_for("nothing waits", lambda: self.value(
            f"select count(*) from notify.product_event where tenant_id = '{self.tenant}'") == "0")
        self.assertEqual(set(ids) - set(self.uuids()), {unfit})
        self.assertEqual(self.counted("unfit") - before, 1)
        self.assertIn("a product event was refused and is dropped", self.stack.log(self.notify))

    def test_what_fails_comes_again(self):
        answers = [500, "lies", (429, "1")]
        self.hog.answer = lambda events: answers.pop(0) if answers else 200
        failed = self.counted("failed", "posts")
        self.rename()
        self.told(1)
        self.assertEqual(answers, [])
        self.assertEqual(self.counted("failed", "posts") - failed, 3)
        self.assertEqual(len(set(self.uuids())), len(self.uuids()))

    def test_one_that_stalls_holds_up_nothing_else(self):
        answers = ["stalls"]
        self.hog.answer = lambda events: answers.pop(0) if answers else 200
        self.rename()
        wait_for("it stalls", lambda: not answers)
        bob = self.stack.sign_up("bob")
        added = self.ada.post(f"/api/v1/tenants/{self.tenant}/members", {"email": bob.email, "role": "member"})
        self.assertEqual(added.status, 201, added)
        wait_for("Bob is told meanwhile", lambda: bob.get("/api/v1/notifications")["items"])
        self.assertEqual(self.hog.of(self.tenant), [])
        self.told(2)

    def test_what_is_over_a_quota_is_not_posted_again(self):
        before = self.counted("over_quota")
        self.hog.answer = lambda events: "quota"
        self.rename()
        self.told(1)
        wait_for("nothing waits", lambda: self.value(
            f"select count(*) from notify.product_event where tenant_id = '{self.tenant}'") == "0")
        self.assertEqual(self.counted("over_quota") - before, 1)

    def read_again(self, times):
        def count():
            with open(self.stack.log_path(self.notify), encoding="utf-8") as log:
                return sum("a file was read again" in line and "TRELLIS_POSTHOG_KEY" in line for line in log)
        wait_for("the key is read again", lambda: count() >= times)

    def test_a_key_that_is_refused_loses_nothing(self):
        """Events wait until its file has the right one."""
        self.give_key("phc_another")
        self.read_again(1)
        self.rename()
        wait_for("it is refused", lambda: self.counted("refused", "posts") >= 1)
        self.assertIn("PostHog answers 401", self.stack.log(self.notify))
        posts = len(self.hog.posts)
        tenant, self.tenant = self.tenant, self.founded()
        self.rename()  # another organisation's: it is not even tried
        wait_for("it waits", lambda: self.value(
            f"select count(*) from notify.product_event where tenant_id = '{self.tenant}'") == "1")
        self.assertEqual(len(self.hog.posts), posts)
        self.give_key(KEY)
        self.read_again(2)
        # As if the minutes were over for which jobs are put off.
        self.stack.sql("update notify.job set run_at = now() where kind = 'product_events'")
        self.told(1)
        self.tenant = tenant
        self.told(1)


@unittest.skipIf(os.environ.get("MESH_TRANSPORT") == "inproc", "one process cannot lose one service")
class Killed(Told):
    def test_each_uuid_arrives_whenever_notify_is_killed(self):
        """Before PostHog has answered, and after it, before that is written."""
        kills = [lambda events: self.stack.kill_service("notify") or 200] * 3

        def answer(events):
            return kills.pop()(events) if kills else 200
        self.hog.answer = answer
        ids = self.many(350)
        for left in (2, 1, 0):
            wait_for("it is killed", lambda n=left: len(kills) <= n and
                     self.stack.processes["notify"].poll() is not None)
            # As if the half minute were over for which a dead process keeps its job.
            self.stack.sql("update notify.job set lease_until = now() where state = 'running'")
            self.stack.start_service("notify")
        wait_for("each has arrived", lambda: set(self.uuids()) >= ids)
        self.assertEqual(set(self.uuids()), ids)
        self.assertGreater(len(self.uuids()), len(ids))  # some came twice
        same = {}
        for event in self.hog.of(self.tenant):  # by which PostHog knows a repeat
            uuid.UUID(event["uuid"])
            known = (event["event"], event["timestamp"], event["distinct_id"])
            self.assertEqual(same.setdefault(event["uuid"], known), known)
        wait_for("nothing waits", lambda: self.value("select count(*) from notify.product_event") == "0")
        wait_for("the mesh is ready", self.stack.is_ready)


if __name__ == "__main__":
    unittest.main()
