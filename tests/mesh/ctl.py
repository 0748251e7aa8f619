"""ctl.py - the operator's command against real services: every command for people and
for programs, what it says when something is wrong, and who else is refused."""
import json
import os
import re
import subprocess
import unittest
import uuid

from case import MeshCase
from ctl_case import CtlCase
from common import SERVICES, wait_for


class Ctl(CtlCase):
    # ---- looking

    def test_stats_are_a_table_and_json(self):
        table = self.ctl("stats").stdout.splitlines()
        self.assertEqual(table[0].split()[:4], ["SERVICE", "STATE", "VERSION", "PID"])
        self.assertEqual(sorted(line.split()[0] for line in table[1:]), sorted(SERVICES))
        for name, item in self.items("stats").items():
            self.assertGreater(item["memory_bytes"], 1 << 20, name)
            self.assertIn("trellis_log_dropped_total", [s["name"] for s in item["samples"]])
        metrics = self.ctl("stats", "bus_calls", "bus_served", "--service", "tenants").stdout
        self.assertIn("trellis_", metrics.split("\n\n")[1])
        silent = self.ctl("stats", "trellis_mails_total", "--service", "notify").stdout
        self.assertRegex(silent, r"(?m)^notify +trellis_mails_total ")

    def test_a_metric_that_is_none_is_said_so(self):
        for words in (("nosuchmetric",), ("bus_calls", "nosuchmetric"), ("nosuchmetric", "--json")):
            done = self.ctl("stats", *words, code=2)
            self.assertEqual((done.stdout, done.stderr), (
                "", "trellis: there is no metric 'nosuchmetric'; 'trellis stats trellis_' shows all there are\n"))
        said = self.ctl("stats", "log_droped", code=2).stderr
        self.assertEqual(said, "trellis: there is no metric 'log_droped'; "
                               "did you mean 'trellis_log_dropped_total'?\n")

    def test_actors_say_what_they_are_doing(self):
        for name, item in self.items("actors").items():
            mine = [a for a in item["actors"] if a["name"] == "operator.v1.Operator.Actors"]
            self.assertEqual([a["state"] for a in mine], ["running"], name)
            self.assertGreaterEqual(item["total"], len(item["actors"]))
        self.assertIn("operator.v1.Operator.Actors", self.ctl("actors").stdout)

    def test_peers_show_who_calls_whom(self):
        edge = self.items("peers")["edge"]
        self.assertEqual({p["service"]: p["state"] for p in edge["peers"]},
                         {name: "up" for name in SERVICES if name != "edge"})
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

    def lost(self, size):
        """The path of old bytes that belong to no file."""
        file = str(uuid.uuid4())
        path = os.path.join(self.stack.media_folder(), self.tenant, file[-2:], file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as lost:
            lost.write(b"x" * size)
        os.utime(path, (1, 1))
        return path

    def test_bytes_of_no_file_are_swept(self):
        self.assertEqual(self.ctl("media", "sweep").stdout, "There is nothing to remove.\n")
        path = self.lost(2000)
        said = self.ctl("media", "sweep", "--dry-run").stdout.splitlines()
        self.assertEqual(said[0].split(), ["COUNT", "BYTES", "WHAT"])
        self.assertRegex(said[1], r"^1 +2000 +bytes of files that are gone$")
        self.assertEqual(said[2:], ["Nothing was removed: without --dry-run it is."])
        self.assertTrue(os.path.exists(path))
        found = {item["what"]: item for item in self.ctl("media", "sweep", "--json").json()["items"]}
        self.assertEqual((found["orphan"]["count"], found["orphan"]["bytes"]), (1, 2000))
        self.assertEqual(sum(item["count"] for item in found.values()), 1)
        self.assertFalse(os.path.exists(path))

    def test_what_a_sweep_leaves_is_said_and_a_fault_by_its_trace(self):
        many = [self.lost(1) for _ in range(25)]
        done = self.ctl("media", "sweep", code=1)
        self.assertIn("They were left\nalone", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "Nothing was removed.")
        self.assertEqual(self.ctl("media", "sweep", "--force").stdout.splitlines()[-1], "It is removed.")
        self.assertFalse(any(os.path.exists(path) for path in many))
        # A folder without its mark is a fault.
        mark = os.path.join(self.stack.media_folder(), "trellis-media")
        os.rename(mark, mark + ".away")
        self.addCleanup(os.rename, mark + ".away", mark)
        done = self.ctl("media", "sweep", code=1)
        trace = re.search(r"trace ([0-9a-f]{32})$", done.stderr.strip())[1]
        self.assertNotEqual(trace, "0" * 32)
        self.assertRegex(self.stack.logs_of(trace), rf'"message failed".*"{trace}".*trellis-media')

    def test_the_level_of_logs_is_changed_while_a_process_runs(self):
        inproc = self.stack.transport == "inproc"  # one process, one log

        def levels():
            return {name: (item["level"], item["configured"])
                    for name, item in self.items("log-level").items()}

        def noise():
            """A refusal, which is a line of level debug."""
            self.call("GetTenant", "--tenant", "01890000-0000-7000-8000-000000000000", code=1)
            log = self.stack.log("all" if inproc else "tenants")
            return sum("message failed" in line and "NOT_FOUND" in line for line in log.splitlines())

        self.assertEqual(set(levels().values()), {("info", "info")})
        quiet = noise()
        table = self.ctl("log-level", "tenants", "debug").stdout
        self.assertRegex(table, r"(?m)^tenants\s+debug\s+info$")
        self.assertEqual(len(table.splitlines()), 2)
        self.assertEqual(levels()["tenants"], ("debug", "info"))
        self.assertEqual(levels()["auth"], ("debug" if inproc else "info", "info"))
        self.assertGreater(noise(), quiet)
        self.ctl("log-level", "error")
        self.assertEqual(set(levels().values()), {("error", "info")})
        self.ctl("log-level", "info")
        for words in (("log-level", "nobody"), ("log-level", "tenants", "loud"), ("log-level", "debug", "tenants")):
            self.assertIn("is neither a service nor", self.ctl(*words, code=2).stderr)

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
        wait_for("notify has heard of it", lambda: any(
            item["service"] == "notify" and item.get("facts")
            for item in self.ctl("tenant", "show", tenant, "--json").json()["items"]))
        for name in (tenant, slug):
            shown = self.ctl("tenant", "show", name, "--json").json()
            self.assertEqual((shown["tenant_id"], shown["errors"]), (tenant, []))
            facts = {item["service"]: {f["name"]: f["value"] for f in item.get("facts", [])}
                     for item in shown["items"]}
            self.assertEqual(sorted(facts), sorted(SERVICES))
            self.assertEqual(facts["tenants"]["slug"], slug)
            self.assertEqual((facts["tenants"]["members"], facts["tenants"]["owners"]), ("1", "1"))
            self.assertEqual(facts["auth"]["api_keys"], "1")
            self.assertEqual(facts["notify"]["members_heard_of"], "1")
            table = self.ctl("tenant", "show", name).stdout
            self.assertRegex(table, rf"(?m)^tenants +slug +{slug}$")
            self.assertRegex(table, r"(?m)^auth +api_keys +1$")

    def test_a_tenant_that_is_none_is_said_so(self):
        for name in ("no-such-tenant", str(uuid.uuid4())):
            done = self.ctl("tenant", "show", name, code=1)
            self.assertIn(f"no service knows a tenant '{name}'", done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertEqual(self.ctl("tenant", "show", "x'; drop table tenant--", code=1).stdout, "")

    # ---- the end of a tenant

    def rows_of(self, tenant):
        """By table: how many rows of a tenant, in every schema."""
        tables = self.stack.sql_value(
            "select string_agg(format('select ''%s.%s'' as name, count(*) as n from %I.%I where tenant_id = ''"
            + tenant + "''', n.nspname, c.relname, n.nspname, c.relname), ' union all ') "
            "from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on "
            "a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped "
            "where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_'")
        rows = self.stack.sql_value(f"select string_agg(name || '=' || n, ' ') from ({tables}) t where n > 0")
        return {name: int(n) for name, _, n in (row.partition("=") for row in rows.split())}

    def furnish(self, person, tenant):
        """Something of every kind that an organisation may have."""
        at = f"/api/v1/tenants/{tenant}"
        for path, body in (
                (at + "/api-keys", {"name": "x", "permissions": ["tenants.tenant.read"]}),
                (at + "/invitations", {"email": self.stack.new_email("eve"), "role": "member"}),
                ("/api/v1/webhook-endpoints", {"url": "https://hooks.example/x", "event_types": ["tenants.*"]})):
            made = person.post(path, body, X_Tenant_Id=tenant)
            self.assertEqual(made.status, 201, made)
        self.assertEqual(person.patch(at, {"display_name": "Acme again"}).status, 200)

    def test_an_organisation_past_its_grace_is_erased_in_every_service(self):
        """And no other is; nor does it come back with events that are applied again."""
        bob = self.stack.sign_up("bob")
        gone, other = self.stack.found(bob), self.stack.found(bob)
        for tenant in (gone, other):
            self.furnish(bob, tenant)
        slug = bob.get(f"/api/v1/tenants/{gone}")["slug"]
        wants = {"auth.api_key", "auth.api_key_directory", "tenants.tenant", "tenants.tenant_directory",
                 "tenants.membership", "tenants.invitation", "tenants.audit_copy", "notify.tenant_copy",
                 "notify.membership_copy", "notify.webhook_endpoint", "notify.webhook_delivery",
                 "notify.delivery", "notify.feed"}
        wait_for("all have heard of it", lambda: wants <= set(self.rows_of(gone)))
        self.assertEqual(bob.delete(f"/api/v1/tenants/{gone}").status, 200)
        waiting = "select run_at > now() + interval '30 days' from tenants.job where kind = 'end_tenant' and "
        self.assertEqual(self.stack.sql_value(waiting + f"tenant_id = '{gone}'"), "t")
        self.stack.sql(f"update tenants.tenant set delete_at = now() where tenant_id = '{gone}'")
        self.stack.sql(f"update tenants.job set run_at = now() where tenant_id = '{gone}'")
        wait_for("every service is done", lambda: self.stack.sql_value(
            "select count(*) from (select finished_at, tenant_id from auth.erasure union all "
            "select finished_at, tenant_id from tenants.erasure union all "
            "select finished_at, tenant_id from notify.erasure) e "
            f"where tenant_id = '{gone}' and finished_at is not null") == "3")
        # What stays is what the tables say: proof for a year, and what goes by itself.
        wait_for("nothing else is left", lambda: {
            table.partition(".")[2] for table in self.rows_of(gone)} <= {
                "erasure", "audit", "audit_head", "audit_copy", "event_log", "outbox", "idempotency"})
        self.assertIn("tenants.audit", self.rows_of(gone))
        left = self.rows_of(other)
        self.assertLessEqual(wants, set(left))
        # Its address is free, and the operator is told who has finished.
        again = bob.post("/api/v1/tenants", {"slug": slug, "display_name": "Acme"})
        self.assertEqual(again.status, 201, again)
        self.check_problem(bob.get(f"/api/v1/tenants/{gone}"), 404)
        shown = self.ctl("tenant", "show", gone, "--json").json()
        states = {item["service"]: item.get("erasure", {}).get("state") for item in shown["items"]}
        self.assertEqual(states, {service: None if service == "edge" else "erased" for service in SERVICES})
        self.assertRegex(self.ctl("tenant", "show", gone).stdout, r"(?m)^notify +erasure +erased at 20[^,]+Z, \d+ rows$")
        self.assertNotIn("erasure", self.ctl("tenant", "show", other).stdout)
        # What was told of it comes again, and is left out.
        self.ctl("events", "replay", "tenants", "--service", "notify", "--from", "2020-01-01T00:00:00Z", "--again")
        wait_for("notify has applied it all again", lambda: self.stack.sql_value(
            "select bool_and(c.seq >= h.last_seq) from notify.event_cursor c join tenants.event_head h "
            "on h.lane = c.lane where c.subscription = 'tenants'") == "t")
        self.assertEqual(self.stack.sql_value(
            f"select string_agg(tenant_id::text, ' ') from notify.tenant_copy where tenant_id in ('{gone}', '{other}')"),
            other)

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
                (("GetTenant", "--tenant", "acme"), "is not an id"),
                (("Stats",), "say which by --service"),
                (("GetTenant", "@/no/such/file"), "No such file"),
        ):
            self.assertIn(said, self.ctl("call", *words, code=2).stderr)

    def test_an_address_that_no_mail_goes_to_is_shown_and_lifted(self):
        self.stack.sql("insert into notify.suppression (email, reason, created_at, until) values "
                       "('gone@example.com', '550 5.1.1', now(), now() + interval '30 days')")
        shown, = self.call("ListSuppressions", '{"email": "Gone@example.com"}')["items"]
        self.assertEqual((shown["email"], shown["reason"]), ("gone@example.com", "550 5.1.1"))
        key = uuid.uuid4().hex
        for _ in range(2): # the second is the answer to the first
            self.call("LiftSuppression", '{"email": "gone@example.com"}', "--key", key)
        self.assertEqual(self.call("ListSuppressions").get("items", []), [])
        self.assertIn("NOT_FOUND", self.ctl("call", "LiftSuppression", '{"email": "gone@example.com"}', code=1).stderr)
        self.assertEqual(self.call("LiftSuppression", "{}", code=1)["error"]["code"], "INVALID")

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
        self.assertIn("does not accept this command's key", done.stderr)
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
        wait_for("notify is back", lambda: self.stack.trellis("stats").returncode == 0)


@unittest.skipIf(os.environ.get("MESH_TRANSPORT") == "inproc", "one process has no replicas")
class Replicas(MeshCase):
    replicas = 2

    def test_each_process_of_a_service_is_asked(self):
        items = self.stack.trellis("stats", "--json").json()["items"]
        at = {f"{self.transport}://127.0.0.1:{self.stack.bus[one]}"
              for one in self.stack.each["tenants"]}
        mine = [item for item in items if item["service"] == "tenants"]
        self.assertEqual((len(mine), {item["address"] for item in mine}), (2, at))
        self.assertEqual(len({item["pid"] for item in mine}), 2)
        table = self.stack.trellis("stats").stdout
        for address in at:
            self.assertRegex(table, rf"(?m)^tenants {address.partition('://')[2]} +ready")
        self.stack.kill_service("tenants.2")
        away = self.stack.trellis("stats", "--json").json()
        self.assertEqual([e["service"] for e in away["errors"]], ["tenants"])
        self.assertEqual(len([i for i in away["items"] if i["service"] == "tenants"]), 1)
