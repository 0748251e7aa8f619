"""ctl_work.py - the operator's command and what goes on behind requests: events and
jobs, listed, followed, set back, tried again, given up."""
import json
import threading
import uuid

from ctl_case import CtlCase
from common import wait_for


class CtlWork(CtlCase):
    # ---- events

    def tail(self, *words):
        return self.ctl("events", "tail", "--json", "--limit", "200", *words).json()["items"]

    def test_the_log_is_shown_with_type_and_place(self):
        tenant = self.stack.found(self.stack.sign_up("linus"))
        made = wait_for("the event of it", lambda: [
            item for item in self.tail("--service", "tenants", "--type", "tenants.tenant.created")
            if item["event"]["subject"] == tenant])[0]
        wait_for("auth's events have their numbers", lambda: self.stack.sql_value(
            "select count(*) from auth.outbox") == "0")
        self.assertEqual((made["service"], made["event"]["source"]), ("tenants", "/tenants"))
        self.assertEqual(int(made["event"]["sequence"]), made["seq"])
        self.assertEqual({item["event"]["type"] for item in self.tail(
            "--type", "auth.account.created")}, {"auth.account.created"})
        self.assertEqual(self.tail("--type", "no.such.type"), [])
        table = self.ctl("events", "tail", "--limit", "200").stdout
        self.assertRegex(table, rf"(?m)^20[^ ]+ [^ ]+Z +tenants +{made['lane']}/{made['seq']} +"
                                rf"tenants.tenant.created +{tenant} +{tenant}$")
        times = [line[:24] for line in table.splitlines()[1:]]
        self.assertEqual(times, sorted(times))
        # The newest are shown, and not more than are wanted.
        few = self.ctl("events", "tail", "--json", "--limit", "2", "--service", "auth").json()
        self.assertEqual(len(few["items"]), 2)
        self.assertEqual([i["event"]["id"] for i in few["items"]],
                         [i["event"]["id"] for i in self.tail("--service", "auth")][-2:])

    def test_a_secret_of_an_event_stays_inside(self):
        for item in self.tail("--type", "auth.letter.requested"):
            self.assertNotIn("sealed_token", json.dumps(item))
            self.assertIn("account", item["event"]["data"])

    def test_the_log_is_followed(self):
        with self.stack.trellis_open("events", "tail", "--follow", "--json", "--service",
                                     "tenants") as running:
            deadline = threading.Timer(20, running.kill)
            deadline.start()
            try:
                tenant = self.stack.found(self.stack.sign_up("margaret"))
                heard = next((item for item in map(json.loads, running.stdout)
                              if item["event"]["subject"] == tenant), None)
                self.assertIsNotNone(heard, "not within 20 s: the event of a new tenant")
                self.assertEqual(heard["event"]["type"], "tenants.tenant.created")
            finally:
                deadline.cancel()
                running.kill()

    def test_lag_says_how_far_each_subscription_is(self):
        def settled():
            found = {item["service"]: item for item in self.ctl("events", "lag", "--json").json()["items"]}
            lanes = [lane for lane in found["notify"]["lanes"] if lane["subscription"] == "feed_tenants"]
            return lanes if len(lanes) == 16 and all(
                lane["cursor"] == lane["head"] for lane in lanes) else None
        lanes = wait_for("the feed has caught up", settled)
        self.assertGreater(sum(lane["head"] for lane in lanes), 0)
        table = self.ctl("events", "lag").stdout
        self.assertRegex(table, r"(?m)^notify +feed_tenants +tenants +live +\d+ +0 +\d+")
        self.assertRegex(table, r"(?m)^tenants +notify +feed_tenants +\d+ +\d+$")

    def park(self):
        """An event of the tenants' log, as if notify's feed had failed with it."""
        event = str(uuid.uuid4())
        self.stack.sql(f"""insert into notify.parked (subscription, event_id, lane, seq, tenant_id,
            subject_id, type, at, trace, payload, error, parked_at) select 'feed_tenants',
            '{event}', lane, seq, tenant_id, '{uuid.uuid4()}', type, at, trace, payload,
            'it failed\x1b[2J', now() from tenants.event_log order by event_id limit 1""")
        return event

    def test_what_is_parked_is_listed_redriven_and_skipped(self):
        wait_for("the log has an event", lambda: self.tail("--service", "tenants"))
        one, two = self.park(), self.park()
        def parked():
            items = self.ctl("events", "parked", "--json", "--limit", "1000").json()["items"]
            return {item["event"]["id"]: item for item in items}
        self.assertEqual((parked()[one]["service"], parked()[one]["subscription"]),
                         ("notify", "feed_tenants"))
        table = self.ctl("events", "parked").stdout
        self.assertRegex(table, rf"(?m)^notify +feed_tenants +{one} +tenants\.")
        self.assertIn("it failed?[2J", table)
        self.assertIn("1 applied", self.ctl("events", "redrive", one).stdout)
        told = self.ctl("events", "skip", two, "--json", "--key", "skip-" + two).json()
        self.assertEqual(told["items"][0]["service"], "notify")
        self.assertEqual(self.ctl("events", "skip", two, "--json", "--key", "skip-" + two).json(), told)
        self.assertFalse({one, two} & parked().keys())
        for word in ("redrive", "skip"):
            self.assertIn("no service has parked",
                          self.ctl("events", word, str(uuid.uuid4()), code=1).stderr)
            self.assertIn("is not the id of an event", self.ctl("events", word, "seven", code=2).stderr)
        log = self.stack.log("all" if self.stack.transport == "inproc" else "notify")
        self.assertIn("a parked event was skipped", log)

    def move(self, *words):
        """Of rows that others lock now and then: as it says itself, it is tried again."""
        done = wait_for(f"{words} finds the rows free", lambda: (
            d := self.stack.trellis("events", *words)) and ": BUSY: " not in d.stderr and d)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def test_a_subscription_is_set_back(self):
        self.assertIn("the cursors are set", self.move("replay", "feed_tenants"))
        self.assertIn("the cursors are set", self.move(
            "replay", "feed_auth", "--from", "2020-01-01T00:00:00Z", "--again"))
        self.assertIn("INVALID", self.ctl("events", "replay", "feed_auth", "--from", "99999",
                                          code=1).stderr)
        self.assertIn("no service has the subscription", self.ctl("events", "replay", "x", code=1).stderr)
        self.assertIn("--from is a number, or a time",
                      self.ctl("events", "replay", "feed_auth", "--from", "soon", code=2).stderr)
        self.test_lag_says_how_far_each_subscription_is()

    def test_a_subscriber_that_is_no_more_is_forgotten(self):
        self.stack.sql("insert into tenants.event_progress (service, subscription, lane, seq, at) "
                       "values ('gone', 'people', 0, 0, now())")
        def readers():
            return [s["service"] for item in self.ctl("events", "lag", "--json").json()["items"]
                    for s in item.get("subscribers", [])]
        self.assertIn("gone", readers())
        done = self.ctl("events", "forget", "gone", "people")
        self.assertEqual(done.stdout, "tenants: it is forgotten\n")
        self.assertNotIn("gone", readers())
        self.assertIn("no service has the subscriber gone people",
                      self.ctl("events", "forget", "gone", "people", code=1).stderr)

    def test_after_a_restore_a_new_epoch_begins(self):
        def epochs():
            return {lane["epoch"] for item in self.ctl("events", "lag", "--json").json()["items"]
                    for lane in item.get("lanes", []) if lane["subscription"] == "feed_tenants"}
        before = max(epochs())
        self.assertIn("tenants: a new epoch begins", self.move("new-epoch", "tenants"))
        wait_for("the feed is in the new epoch", lambda: epochs() == {before + 1})
        self.assertIn("no service has a log", self.ctl("events", "new-epoch", "edge", code=1).stderr)

    # ---- jobs

    def make_job(self, state, kind="gone"):
        """A row as the worker leaves it; of a kind that no worker here knows it stays so."""
        job = str(uuid.uuid4())
        ended = "now()" if state in ("dead", "cancelled") else "null"
        self.stack.sql(f"""insert into notify.job (id, tenant_id, kind, state, priority, run_at,
            attempt, attempts, payload, trace, made_at, error, ended_at) values ('{job}',
            '{self.tenant}', '{kind}', '{state}', 0, now() + interval '1 day', 3, 5, '', '', now(),
            'it \x1b[31mfailed', {ended})""")
        return job

    def state(self, job):
        shown = self.ctl("jobs", "show", job, "--json").json()["items"]
        self.assertEqual([(item["service"], item["id"]) for item in shown], [("notify", job)])
        return shown[0]["state"]

    def test_jobs_are_listed_and_shown(self):
        dead, later = self.make_job("dead"), self.make_job("scheduled", "webhook")
        listed = self.ctl("jobs", "list", "--json", "--limit", "1000").json()
        mine = {item["id"]: item for item in listed["items"] if item["id"] in (dead, later)}
        self.assertEqual({item["state"] for item in mine.values()}, {"dead", "scheduled"})
        self.assertEqual(mine[dead]["tenant_id"], self.tenant)
        self.assertEqual(mine[dead]["service"], "notify")
        for words, wanted in ((("--state", "dead"), dead), (("--kind", "webhook"), later)):
            ids = [item["id"] for item in self.ctl("jobs", "list", "--json", "--limit", "1000",
                                                   *words).json()["items"]]
            self.assertEqual((wanted in ids, dead in ids and later in ids), (True, False))
        none = self.ctl("jobs", "list", "--tenant", str(uuid.uuid4()), "--json").json()
        self.assertEqual(none["items"], [])
        table = self.ctl("jobs", "list", "--limit", "1000").stdout
        self.assertRegex(table, rf"(?m)^notify +{dead} +gone +dead +3/5 ")
        self.assertNotIn("\x1b", table)
        shown = self.ctl("jobs", "show", later).stdout
        self.assertRegex(shown, r"(?m)^state +scheduled$")
        self.assertRegex(shown, r"(?m)^payload \{\}$")

    def test_more_jobs_than_a_page_holds_are_listed(self):
        for _ in range(3):
            self.make_job("dead")
        self.stack.sql(f"""insert into notify.job (id, tenant_id, kind, state, priority, run_at,
            attempt, attempts, payload, trace, made_at, ended_at) select gen_random_uuid(),
            '{self.tenant}', 'many', 'dead', 0, now(), 1, 1, '', '', now(), now()
            from generate_series(1, 450)""")
        for limit, n in ((1000, 450), (300, 300), (7, 7)):
            items = self.ctl("jobs", "list", "--kind", "many", "--limit", str(limit),
                             "--json").json()["items"]
            self.assertEqual((len(items), len({item["id"] for item in items})), (n, n))

    def test_a_dead_job_is_retried_and_one_that_waits_is_cancelled(self):
        dead, later = self.make_job("dead"), self.make_job("scheduled")
        self.assertIn(f"notify: job {dead} is ready once more",
                      self.ctl("jobs", "retry", dead).stdout)
        self.assertEqual(self.state(dead), "ready")
        told = self.ctl("jobs", "cancel", later, "--json").json()
        self.assertEqual(told, {"items": [{"service": "notify"}], "errors": []})
        self.assertEqual(self.state(later), "cancelled")
        self.assertIn("Only a dead or cancelled job", self.ctl("jobs", "retry", dead, code=1).stderr)
        for words in (("retry",), ("cancel",), ("show",)):
            self.assertIn("no service has a job",
                          self.ctl("jobs", *words, str(uuid.uuid4()), code=1).stderr)
            self.assertIn("is not the id of a job", self.ctl("jobs", *words, "seven", code=2).stderr)
        self.assertIn("--state is", self.ctl("jobs", "list", "--state", "sad", code=2).stderr)
