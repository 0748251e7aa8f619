"""ctl.py - the operator's command against real services: every command for people and
for programs, what it says when something is wrong, and who else is refused."""
import json
import os
import subprocess
import unittest
import uuid

from case import MeshCase
from stack import SERVICES, wait_for


class Ctl(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)
        cls.slug = cls.ada.get(f"/api/v1/tenants/{cls.tenant}")["slug"]

    def ctl(self, *words, code=0, **more):
        done = self.stack.trellis(*words, **more)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        if code == 0:
            self.assertEqual(done.stderr, "", words)
        return done

    def items(self, *words):
        """Of a question to all services, by service."""
        found = self.ctl(*words, "--json").json()
        self.assertEqual(found["errors"], [])
        self.assertEqual(sorted(item["service"] for item in found["items"]), sorted(SERVICES))
        return {item["service"]: item for item in found["items"]}

    # ---- looking

    def test_stats_are_a_table_and_json(self):
        table = self.ctl("stats").stdout.splitlines()
        self.assertEqual(table[0].split()[:4], ["SERVICE", "STATE", "VERSION", "PID"])
        self.assertEqual(sorted(line.split()[0] for line in table[1:]), sorted(SERVICES))
        for name, item in self.items("stats").items():
            self.assertGreater(item["memory_bytes"], 1 << 20, name)
            self.assertIn("trellis_log_dropped_total", [s["name"] for s in item["samples"]])
        metrics = self.ctl("stats", "bus_handled", "bus_served", "--service", "tenants").stdout
        self.assertIn("trellis_", metrics.split("\n\n")[1])

    def test_actors_say_what_they_are_doing(self):
        for name, item in self.items("actors").items():
            mine = [a for a in item["actors"] if a["name"] == "operator.v1.Operator.Actors"]
            self.assertEqual([a["state"] for a in mine], ["running"], name)
            self.assertGreaterEqual(item["total"], len(item["actors"]))
        self.assertIn("operator.v1.Operator.Actors", self.ctl("actors").stdout)

    def test_peers_show_who_calls_whom(self):
        edge = self.items("peers")["edge"]
        self.assertEqual({p["service"]: p["state"] for p in edge["peers"]},
                         {"auth": "up", "tenants": "up", "notify": "up"})
        tenants = self.items("peers")["tenants"]
        self.assertTrue({"ctl", "edge"} <= {c["service"] for c in tenants["callers"]})
        self.assertIn("CALLED BY", self.ctl("peers").stdout)

    def test_config_hides_secrets(self):
        for item in self.items("config").values():
            values = {s["name"]: s["value"] for s in item["settings"]}
            self.assertEqual(values["TRELLIS_SEAL_KEY"], "(set)")
            self.assertEqual(values["TRELLIS_BUS_KEY_CTL"], "(set)")
            self.assertEqual(values["TRELLIS_RUN_DIR"], self.stack.folder)
        everything = self.ctl("config", "--json").stdout + self.ctl("config").stdout
        for file in ("seal", "ctl-auth", "ctl-all", "edge-auth"):
            with open(os.path.join(self.stack.folder, file)) as secret:
                self.assertNotIn(secret.read().strip().partition(":")[2] or "seal=", everything)
        self.assertIn("TRELLIS_LISTEN_", everything)

    def test_config_lists_all_settings_without_a_mesh(self):
        self.assertIn("| `TRELLIS_HTTP_LISTEN` |", self.ctl("config", "--markdown").stdout)

    # ---- tenants

    def test_tenant_show_gathers_what_all_services_know(self):
        grace = self.stack.sign_up("grace")
        tenant = self.stack.found(grace)
        slug = grace.get(f"/api/v1/tenants/{tenant}")["slug"]
        made = grace.post(f"/api/v1/tenants/{tenant}/api-keys", {
            "name": "x", "permissions": ["tenants.tenant.read"]})
        self.assertEqual(made.status, 201, made)
        for name in (tenant, slug):
            shown = self.ctl("tenant", "show", name, "--json").json()
            self.assertEqual((shown["tenant_id"], shown["errors"]), (tenant, []))
            facts = {item["service"]: {f["name"]: f["value"] for f in item.get("facts", [])}
                     for item in shown["items"]}
            self.assertEqual(sorted(facts), sorted(SERVICES))
            self.assertEqual(facts["tenants"]["slug"], slug)
            self.assertEqual((facts["tenants"]["members"], facts["tenants"]["owners"]), ("1", "1"))
            self.assertEqual(facts["auth"]["api_keys"], "1")
            table = self.ctl("tenant", "show", name).stdout
            self.assertRegex(table, rf"(?m)^tenants +slug +{slug}$")
            self.assertRegex(table, r"(?m)^auth +api_keys +1$")

    def test_a_tenant_that_is_none_is_said_so(self):
        for name in ("no-such-tenant", str(uuid.uuid4())):
            done = self.ctl("tenant", "show", name, code=1)
            self.assertIn(f"no service knows a tenant '{name}'", done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertEqual(self.ctl("tenant", "show", "x'; drop table tenant--", code=1).stdout, "")

    # ---- events

    def tail(self, *words):
        return self.ctl("events", "tail", "--json", "--limit", "200", *words).json()["items"]

    def test_the_log_is_shown_with_type_and_place(self):
        tenant = self.stack.found(self.stack.sign_up("linus"))
        made = wait_for("the event of it", lambda: [
            item for item in self.tail("--service", "tenants", "--type", "tenants.tenant.created")
            if item["event"]["subject"] == tenant])[0]
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
            try:
                tenant = self.stack.found(self.stack.sign_up("margaret"))
                for line in running.stdout:
                    item = json.loads(line)
                    if item["event"]["subject"] == tenant:
                        break
                self.assertEqual(item["event"]["type"], "tenants.tenant.created")
            finally:
                running.terminate()

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
            self.assertIn("is no id of an event", self.ctl("events", word, "seven", code=2).stderr)
        log = self.stack.log("all" if self.stack.transport == "inproc" else "notify")
        self.assertIn("a parked event was skipped", log)

    def test_a_subscription_is_set_back(self):
        self.assertIn("the cursors are set", self.ctl("events", "replay", "feed_tenants").stdout)
        self.assertIn("the cursors are set", self.ctl(
            "events", "replay", "feed_auth", "--from", "2020-01-01T00:00:00Z", "--again").stdout)
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
        self.ctl("events", "forget", "gone", "people")
        self.assertNotIn("gone", readers())

    def test_after_a_restore_a_new_epoch_begins(self):
        def epochs():
            return {lane["epoch"] for item in self.ctl("events", "lag", "--json").json()["items"]
                    for lane in item.get("lanes", []) if lane["subscription"] == "feed_tenants"}
        before = max(epochs())
        self.assertIn("tenants: a new epoch begins", self.ctl("events", "new-epoch", "tenants").stdout)
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
            self.assertIn("is no id of a job", self.ctl("jobs", *words, "seven", code=2).stderr)
        self.assertIn("--state is", self.ctl("jobs", "list", "--state", "sad", code=2).stderr)

    # ---- calls

    def call(self, *words, code=0):
        return json.loads(self.ctl("call", *words, "--json", code=code).stdout)

    def test_a_method_is_called_by_the_end_of_its_name(self):
        for name in ("tenants.v1.Tenants.GetTenant", "Tenants.GetTenant", "gettenant"):
            self.assertEqual(self.call(name, "--tenant", self.tenant)["slug"], self.slug)
        asked = json.dumps({"tenant_id": self.tenant})
        self.assertEqual(self.call("GetTenant", asked)["slug"], self.slug)
        self.assertEqual(json.loads(self.ctl("call", "GetTenant", "-", given=asked).stdout)["slug"],
                         self.slug)
        self.assertEqual(self.call("GetMe", "--account", self.ada.account["id"])["email"],
                         self.ada.email)
        self.assertIn("pid", self.call("Stats", "--service", "auth"))

    def test_the_list_and_the_help_of_methods_need_no_mesh(self):
        nothing = {f"TRELLIS_PEER_{name.upper()}": "" for name in SERVICES}
        listed = self.ctl("call", **nothing).stdout
        self.assertRegex(listed, r"(?m)^tenants.v1.Tenants.GetTenant +tenant +read +GET /api/v1/tenants")
        methods = {m["method"] for m in self.ctl("call", "--json", **nothing).json()["items"]}
        self.assertIn("operator.v1.Operator.Stats", methods)
        told = self.ctl("call", "CreateApiKey", "--help", **nothing).stdout
        self.assertRegex(told, r"(?m)^  name +name +at most 100 characters +required$")
        self.assertRegex(told, r"(?m)^  key +.*secret$")

    def test_a_change_runs_once_under_its_key_and_the_audit_names_the_operator(self):
        name, key = "By the operator " + uuid.uuid4().hex[:6], uuid.uuid4().hex
        words = ("UpdateTenant", json.dumps({"display_name": name}), "--tenant", self.tenant,
                 "--key", key)
        first = self.call(*words)
        self.assertEqual((first["display_name"], self.call(*words)), (name, first))
        entry = self.call("ListAudit", "--tenant", self.tenant)["items"][0]
        self.assertEqual((entry["actor_kind"], entry["action"]), ("operator", "tenants.tenant.update"))
        other = self.call(words[0], '{"display_name": "Other"}', *words[2:], code=1)
        self.assertEqual(other["error"]["code"], "INVALID")
        log = self.stack.log("all" if self.stack.transport == "inproc" else "tenants")
        lines = [json.loads(line) for line in log.splitlines() if "called by the operator" in line]
        self.assertTrue(any(line["method"].endswith("UpdateTenant") and line["tenant"] == self.tenant
                            and line["actor_kind"] == "operator" for line in lines), lines[-3:])

    def test_a_secret_is_shown_and_not_logged(self):
        made = self.call("CreateApiKey", json.dumps({
            "name": "op", "permissions": ["tenants.tenant.read"]}), "--tenant", self.tenant)
        self.assertTrue(made["key"].startswith("trl_"), made)
        self.assertNotIn(made["key"], self.stack.logs())

    def test_what_is_wrong_with_a_call_is_said(self):
        for words, said in (
                (("GetTenant",), "Say in which tenant"),
                (("GetMe",), "Say for which account"),
                (("GetTenant", "--tenant", str(uuid.uuid4())), "NOT_FOUND"),
                (("CreateTenant", '{"slug": "Not A Slug"}', "--account", str(uuid.uuid4())),
                 "/display_name is required"),
        ):
            self.assertIn(said, self.ctl("call", *words, code=1).stderr)
        for words, said in (
                (("GetTenannt",), "did you mean 'GetTenant'?"),
                (("GetTenant", "{"), "MALFORMED"),
                (("GetTenant", '{"tenantid": 1}'), "tenantid"),
                (("GetTenant", "--tenant", "acme"), "is no id"),
                (("Stats",), "say which by --service"),
                (("GetTenant", "@/no/such/file"), "No such file"),
        ):
            self.assertIn(said, self.ctl("call", *words, code=2).stderr)

    # ---- being called wrongly

    def test_a_wrong_word_is_answered_with_the_nearest(self):
        for words, said in (
                (("stat",), "did you mean 'stats'?"),
                (("tenant", "shwo", "x"), "did you mean 'tenant show'?"),
                (("stats", "--jsn"), "did you mean --json?"),
                (("stats", "--service", "tenant"), "did you mean 'tenants'?"),
                (("stats", "--timeout", "soon"), "number of seconds"),
                (("tenant", "show"), "needs ID|SLUG"),
                (("tenant", "show", "a", "b"), "takes no 'b'"),
                (("completion", "fish"), "bash or zsh"),
                (("frobnicate",), "trellis --help lists them"),
        ):
            self.assertIn(said, self.ctl(*words, code=2).stderr)
        self.assertIn("usage: trellis", self.ctl("--help").stdout)
        for command in ("stats", "call", "tenant show", "config"):
            self.assertIn(f"usage: trellis {command}", self.ctl(*command.split(), "--help").stdout)

    def test_what_is_completed_by_a_shell(self):
        def offers(*words):
            return self.ctl("__complete", *words).stdout.split()
        self.assertEqual(offers("sta"), ["stats"])
        self.assertEqual(offers("tenant", ""), ["show"])
        self.assertEqual(offers("stats", "--service", "te"), ["tenants"])
        self.assertIn("GetTenant", offers("call", "Get"))
        self.assertIn("--account", offers("call", "GetTenant", "--a"))
        script = self.ctl("completion", "bash").stdout + """
            trellis() { "$BINARY" "$@"; }
            COMP_WORDS=(trellis tenant sh) COMP_CWORD=2 COMPREPLY=()
            _trellis && [ "${COMPREPLY[*]}" = show ]"""
        subprocess.run(["bash", "-euc", script], check=True, env={
            **os.environ, "BINARY": self.stack.binaries + "/../tools/ctl/trellis",
            "ASAN_OPTIONS": "detect_stack_use_after_return=0:detect_leaks=0"})

    # ---- when a service is away, and who else is refused

    def test_a_wrong_key_is_not_believed(self):
        wrong = os.path.join(self.stack.folder, "wrong")
        with open(wrong, "w") as file:
            file.write("1:" + "ab" * 32 + "\n")
        done = self.ctl("stats", "--service", "auth", code=1, TRELLIS_BUS_KEY_AUTH_FILE=wrong)
        self.assertIn("does not believe this command's key", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_an_operators_method_is_not_the_edges(self):
        for path in ("/api/v1/operator/stats", "/operator.v1.Operator/Stats"):
            self.check_problem(self.ada.get(path), 404)


@unittest.skipIf(os.environ.get("MESH_TRANSPORT") == "inproc", "in one process all fall together")
class Away(MeshCase):
    def test_one_service_less_is_said_and_the_others_answer(self):
        self.stack.kill_service("notify")
        done = self.stack.trellis("stats", "--timeout", "2")
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stdout, r"(?m)^tenants +")
        self.assertIn(f"tcp://127.0.0.1:{self.stack.bus['notify']}", done.stderr)
        self.assertIn("tools/logs notify tells why", done.stderr)
        told = self.stack.trellis("stats", "--json", "--timeout", "2").json()
        self.assertEqual([(e["service"], e["code"]) for e in told["errors"]],
                         [("notify", "UNAVAILABLE")])
        self.stack.start_service("notify")
        wait_for("notify is back", lambda: self.stack.trellis("stats").returncode == 0, 20)
