"""audit.py - an organisation's audit log holds what every service wrote into its chain:
what is told as it happens, and what was written before anybody listened."""
import collections
import unittest

from case import MeshCase
from common import wait_for

HOOKS = "/api/v1/webhook-endpoints"


class Chains(MeshCase):
    settings = {**MeshCase.settings, "TRELLIS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8"}

    def setUp(self):
        self.ada = self.stack.sign_up("ada")
        self.tenant = self.stack.found(self.ada)
        self.at = f"/api/v1/tenants/{self.tenant}"
        self.ada.headers["X-Tenant-Id"] = self.tenant

    def log(self):
        """The whole log, the newest entry first."""
        entries, path = [], self.at + "/audit?page_size=100"
        while path:
            page = self.ada.get(path)
            self.assertEqual(page.status, 200, page)
            entries += page["items"]
            link = page.headers.get("link")
            path = link and link[1:link.index(">")]
        ids = [entry["id"] for entry in entries]
        self.assertEqual(ids, sorted(set(ids), reverse=True), "each once, the newest first")
        return entries

    def chains(self, entries):
        """By chain, the numbers in the order of the log."""
        found = collections.defaultdict(list)
        for entry in entries:
            found[entry["chain"]].append(entry["number"])
        return found

    def change_everywhere(self):
        """Entries in the chains of all services; their actions."""
        made = self.ada.post(HOOKS, {"url": "http://127.0.0.1:9/x", "event_types": ["auth.api_key.revoked"]})
        self.assertEqual(made.status, 201, made)
        hook = f"{HOOKS}/{made['id']}"
        key = self.ada.post(self.at + "/api-keys", {"name": "x", "permissions": ["tenants.tenant.read"]})
        for done, status in (
                (self.ada.patch(hook, {"description": "changed"}), 200),
                (self.ada.post(hook + "/rotate-secret"), 200),
                (self.ada.patch(self.at, {"display_name": "Acme 2"}), 200),
                (self.ada.delete(f"{self.at}/api-keys/{key['id']}"), 204),
                (self.ada.delete(hook), 204)):
            self.assertEqual(done.status, status, done)
        return {"notify.webhook_endpoint.create", "notify.webhook_endpoint.update",
                "notify.webhook_endpoint.rotate", "notify.webhook_endpoint.delete",
                "auth.key.create", "auth.key.revoke", "tenants.tenant.create", "tenants.tenant.update"}

    def await_log(self, actions):
        return wait_for(f"the log holds {sorted(actions)}", lambda: (
            lambda entries: actions <= {e["action"] for e in entries} and entries)(self.log()))

    def sql_lines(self, command):
        return self.stack.sql_text(command).split()

    def test_the_log_holds_the_chains_of_all_services(self):
        entries = self.await_log(self.change_everywhere())
        self.assertEqual(dict(self.chains(entries)),
                         {"notify": [4, 3, 2, 1], "auth": [2, 1], "tenants": [2, 1]})
        for entry in entries:
            self.assertEqual((entry["actor_kind"], entry["actor_id"]), ("person", self.ada.account["id"]), entry)
            self.assertTrue(entry["address"] and entry["subject_id"] and entry["subject_kind"], entry)
        # Word by word what stands in the chain.
        for schema in ("auth", "notify"):
            told = [f"{e['number']}|{e['id']}|{e['action']}" for e in entries if e["chain"] == schema]
            self.assertEqual(told, self.sql_lines(
                f"select seq, id, action from {schema}.audit where tenant_id = '{self.tenant}' order by seq desc"))
            self.assertEqual("0", self.stack.sql_value(
                f"select count(*) from {schema}.audit a left join tenants.audit_copy c on c.tenant_id = "
                "a.tenant_id and c.id = a.id and c.hash = a.hash and c.detail is not distinct from a.detail "
                f"and c.created_at = a.at where a.tenant_id = '{self.tenant}' and c.id is null"))

    def test_another_organisation_sees_none_of_it(self):
        actions = self.change_everywhere()
        self.await_log(actions)
        eve = self.stack.sign_up("eve")
        at = f"/api/v1/tenants/{self.stack.found(eve)}/audit"
        self.assertEqual([e["action"] for e in eve.get(at)["items"]], ["tenants.tenant.create"])
        self.check_problem(eve.get(self.at + "/audit"), 404)

    def test_customers_are_not_told_of_entries(self):
        """What is told of the audit stays inside: no endpoint may ask for it."""
        self.check_problem(self.ada.post(HOOKS, {
            "url": "http://127.0.0.1:9/x", "event_types": ["notify.audit.written"]}), 422)

    def test_who_takes_every_event_does_not_take_entries(self):
        self.await_log(self.change_everywhere())
        written = "select event_id from auth.event_log where type = 'auth.audit.written'"
        last = ("select event_id from auth.event_log where type = 'auth.api_key.revoked' and "
                f"tenant_id = '{self.tenant}'")
        self.assertNotEqual("0", self.stack.sql_value(f"select count(*) from ({written}) e"))
        for name in ("auth", "feed_auth", "webhooks_auth"):
            taken = f"select count(*) from notify.inbox where subscription = '{name}' and event_id in"
            wait_for(f"{name} has come so far", lambda: self.stack.sql_value(f"{taken} ({last})") == "1")
            self.assertEqual("0", self.stack.sql_value(f"{taken} ({written})"))

    def test_entries_from_before_come_with_a_new_subscription(self):
        """As in an installation that grew up before entries were told: chains are there, and no
        copy of them. Some are many, so that they take several pages."""
        before = self.await_log(self.change_everywhere())
        service = "all" if self.stack.transport == "inproc" else "tenants"
        self.stack.stop_service(service)
        self.stack.sql(
            "delete from tenants.audit_copy; delete from tenants.inbox where subscription like 'audit_%'; "
            "delete from tenants.event_cursor where subscription like 'audit_%'; "
            "delete from tenants.event_subscription where subscription like 'audit_%'; "
            "insert into notify.audit (tenant_id, seq, id, at, action, actor_kind, subject_kind, detail, "
            "address, trace_id, prev_hash, hash) "
            f"select '{self.tenant}', 1000 + n, gen_random_uuid(), now(), 'notify.past.do', 'nobody', '', "
            "repeat('x', case when n = 7 then 65537 when n < 30 then 65536 else 100 end), '', '\\x', '\\x', "
            "sha256('x') from generate_series(1, 450) n")
        self.stack.start_service(service)
        wait_for("the mesh is ready", self.stack.is_ready)
        after = wait_for("all entries are there", lambda: (
            lambda entries: len(entries) == len(before) + 450 and entries)(self.log()))
        past = [e for e in after if e["action"] == "notify.past.do"]
        self.assertEqual([e for e in after if e["action"] != "notify.past.do"], before)
        self.assertEqual(sorted(e["number"] for e in past), list(range(1001, 1451)))
        self.assertFalse(any("actor_kind" in e for e in past))
        self.assertEqual([e["number"] for e in past if not e.get("detail")], [1007])
        # What follows is told as ever, and people's own chains are nobody else's.
        made = self.ada.post(self.at + "/api-keys", {"name": "y", "permissions": ["tenants.tenant.read"]})
        self.assertEqual(made.status, 201, made)
        wait_for("the next entry is there", lambda: self.chains(self.log())["auth"] == [3, 2, 1])
        self.assertNotEqual("0", self.stack.sql_value(
            "select count(*) from auth.audit where tenant_id in (select account_id from auth.account)"))
        self.assertEqual("0", self.stack.sql_value(
            "select count(*) from tenants.audit_copy where tenant_id in (select account_id from auth.account)"))


class Parts(Chains):
    """With a process a service: who is away takes nothing of the log along."""

    def who_she_is_and_what_she_may_is_known(self):
        """The edge's copies of both are new: who keeps the originals may be away for a while."""
        def copies(kind):
            return self.stack.redis_cli("keys", f"trl:{kind}:*").split()
        self.stack.redis_cli("del", "none", *copies("[wg]"))
        wait_for("the edge has copies", lambda: self.ada.get(self.at + "/audit?page_size=1").status == 200
                 and copies("w") and copies("g"))

    def test_the_log_is_read_while_others_are_away_and_loses_nothing(self):
        actions = self.change_everywhere()
        before = self.await_log(actions)
        for name in ("notify", "auth"):
            self.who_she_is_and_what_she_may_is_known()
            self.stack.kill_service(name)
            self.assertEqual(self.log(), before)
            self.stack.start_service(name)
            wait_for("the mesh is ready", self.stack.is_ready)
        self.who_she_is_and_what_she_may_is_known()
        self.stack.kill_service("tenants")
        made = self.ada.post(HOOKS, {"url": "http://127.0.0.1:9/y", "event_types": ["auth.api_key.revoked"]})
        self.assertEqual(made.status, 201, made)
        self.stack.kill_service("notify")
        self.stack.start_service("tenants")
        wait_for("tenants is ready without notify", lambda: self.stack.says_ready("tenants"))
        self.stack.start_service("notify")
        wait_for("the mesh is ready", self.stack.is_ready)
        wait_for("what was written meanwhile is there",
                 lambda: self.chains(self.log())["notify"] == [5, 4, 3, 2, 1])


if __name__ == "__main__":
    unittest.main()
