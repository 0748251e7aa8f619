"""verdict.py - how everything must be once it has come to rest: the database is held
against what the answers promised, every sentence on its own. It reads past row security,
so that what stands under another's name is seen."""
import os
import random
import time

from happenings import Happenings, wanted
from journal import Caller
from money import Money
from common import wait_for

SCHEMAS = ("auth", "tenants", "notify", "billing")


class Verdict(Happenings, Money):
    def __init__(self, fleet, world, journal):
        self.fleet, self.world, self.journal = fleet, world, journal
        self.wrong = []
        self.passed = []

    def check(self, sentence, differences):
        """differences: what speaks against it, a few of which are shown."""
        differences = list(differences)
        if not differences:
            self.passed.append(sentence)
            return
        shown = "".join(f"\n    {str(one)[:700]}" for one in differences[:6])
        more = f"\n    ... {len(differences)} in all" if len(differences) > 6 else ""
        self.wrong.append(f"NOT TRUE: {sentence}{shown}{more}")

    def same(self, sentence, want, have):
        """Two dictionaries."""
        self.check(sentence, (f"{key}: promised {want.get(key)}, there is {have.get(key)}"
                              for key in sorted(set(want) | set(have), key=str)
                              if want.get(key) != have.get(key)))

    # ---- the answers

    def answers(self):
        entries = self.journal.entries
        self.check("every write came to be known", (e for e in entries if e.status is None))
        self.check("no answer was wrong, whatever had failed", self.journal.breaches)

    # ---- auth and tenants

    def accounts(self):
        want = {p.email: (p.id, p.name, p.verified, p.version) for c in self.world.companies
                for p in c.people.all}
        rows = self.fleet.rows("select account_id, email, display_name, email_verified, version "
                               "from auth.account")
        self.same("accounts are as was acknowledged", want, {
            r["email"]: (r["account_id"], r["display_name"], r["email_verified"], r["version"])
            for r in rows})
        sessions = self.fleet.rows("select account_id, count(*) as n from auth.session group by 1")
        self.same("a session for each signing in", {
            p.id: p.sessions for c in self.world.companies for p in c.people.all},
            {r["account_id"]: r["n"] for r in sessions})

    def organisations(self):
        want = {c.id: (c.slug, c.name, c.version, "active") for c in self.world.companies}
        want.update({s.id: (s.slug, s.name, s.version, s.status)
                     for c in self.world.companies for s in (*c.sides.all, *c.customers)})
        rows = self.fleet.rows("select tenant_id, slug, display_name, version, status from tenants.tenant")
        self.same("organisations are as was acknowledged", want, {
            r["tenant_id"]: (r["slug"], r["display_name"], r["version"], r["status"]) for r in rows})
        want = {(c.id, account): role for c in self.world.companies
                for account, role in c.members.items()}
        want.update({(s.id, c.owner.id): "owner" for c in self.world.companies
                     for s in (*c.sides.all, *c.customers)})
        rows = self.fleet.rows("select tenant_id, account_id, role from tenants.membership")
        self.same("members and their roles are as was acknowledged", want,
                  {(r["tenant_id"], r["account_id"]): r["role"] for r in rows})
        want = {(c.id, which): (email, status) for c in self.world.companies
                for which, (email, status, _) in c.invitations.items()}
        rows = self.fleet.rows("select tenant_id, id, email, status from tenants.invitation")
        self.same("invitations are as was acknowledged", want,
                  {(r["tenant_id"], r["id"]): (r["email"], r["status"]) for r in rows})

    def keys(self):
        want = {(c.id, which): name for c in self.world.companies
                for which, (name, _, revoked) in c.keys.items() if not revoked}
        rows = self.fleet.rows("select tenant_id, id, name from auth.api_key")
        self.same("API keys are as was acknowledged", want,
                  {(r["tenant_id"], r["id"]): r["name"] for r in rows})

    def endpoints(self):
        want = {(c.id, e.id): (e.name, e.description, e.version) for c in self.world.companies
                for e in c.hooks.live()}
        rows = self.fleet.rows("select tenant_id, id, url, description, version "
                               "from notify.webhook_endpoint")
        self.same("webhook endpoints are as was acknowledged", want, {
            (r["tenant_id"], r["id"]): (r["url"].split("/")[-1], r["description"], r["version"])
            for r in rows})

    def preferences(self):
        want = {c.owner.id: c.preferences for c in self.world.companies if c.preferences}
        rows = self.fleet.rows("select account_id, version from notify.preference")
        self.same("preferences were changed as often as was acknowledged", want,
                  {r["account_id"]: r["version"] for r in rows})

    def refusals(self):
        names = {name for c in self.world.companies for name in c.refused}
        rows = self.fleet.rows(
            "select display_name as name from tenants.tenant union all "
            "select display_name from auth.account union all select name from auth.api_key")
        self.check("nothing that was refused is there",
                   (r["name"] for r in rows if r["name"] in names))

    def doors(self):
        """What the API shows agrees, to whoever may see it and nobody else."""
        caller = Caller(self.journal, random.Random(0))
        differences = []
        for company in self.world.companies:
            at = f"/api/v1/tenants/{company.id}"
            tokens = {p.id: p.token for p in company.people.all}
            for account in company.members:
                status, said = caller.ask("GET", at, token=tokens[account])
                if status != 200 or said["display_name"] != company.name:
                    differences.append(f"a member of {company.mark} got {status} {said}")
            for account in company.left:
                status, said = caller.ask("GET", at, token=tokens[account])
                if status != 404:
                    differences.append(f"a former member of {company.mark} got {status} {said}")
            for token in [t for p in company.people.all for t in p.gone][:20]:
                status, said = caller.ask("GET", "/api/v1/me", token=token)
                if status != 401:
                    differences.append(f"a session that has ended got {status} {said}")
            for _, key, revoked in company.keys.values():
                status, said = caller.ask("GET", at, token=key)
                if status != (401 if revoked else 200):
                    differences.append(f"a key ({revoked=}) got {status} {said}")
        self.check("members, sessions and keys may what they may, and those that have ended may nothing",
                   differences)

    def directories(self):
        """What leads to a row across all leads to one that is there, and the other way."""
        differences = []
        for title, directory, table in (
                ("accounts", "select account_id, email, display_name, verified from auth.account_directory",
                 "select account_id, email, display_name, email_verified as verified from auth.account"),
                ("sessions", "select account_id, session_id as id, token_hash from auth.session_directory",
                 "select account_id, id, token_hash from auth.session"),
                ("API keys", "select tenant_id, key_id as id from auth.api_key_directory",
                 "select tenant_id, id from auth.api_key"),
                ("organisations",
                 "select tenant_id, slug, display_name, status from tenants.tenant_directory",
                 "select tenant_id, slug, display_name, status from tenants.tenant")):
            for a, b, where in ((directory, table, "only in the directory"),
                                (table, directory, "not in the directory")):
                differences += [f"{title} {where}: {row}" for row in
                                self.fleet.rows(f"{a} except {b}")]
        self.check("directories and rows agree", differences)

    # ---- the chains

    def chains(self):
        with open(audit_query()) as file:
            walk = file.read().rstrip().rstrip(";")
        differences = []
        for schema in SCHEMAS:
            walks = []
            for row in self.fleet.rows(f"select tenant_id from {schema}.audit_head"):
                own = f"where tenant_id = '{row['tenant_id']}'"
                scoped = walk.replace("trl_audit_hash(", f"{schema}.trl_audit_hash(")
                scoped = scoped.replace("from audit_head", f"from {schema}.audit_head {own}")
                scoped = scoped.replace("from audit\n", f"from {schema}.audit {own}\n")
                walks.append(f"select '{row['tenant_id']}' as chain, w.* from ({scoped}\n) w")
            for n in range(0, len(walks), 500):
                found = self.fleet.rows(" union all ".join(walks[n:n + 500]))
                differences += [f"{schema}: {one}" for one in found
                                if one["wrong"] is not None or not one["entries"]]
            strays = self.fleet.rows(f"select tenant_id, count(*) as n from {schema}.audit where "
                                     f"tenant_id not in (select tenant_id from {schema}.audit_head) group by 1")
            differences += [f"{schema}: entries without a head: {one}" for one in strays]
        self.check("the audit chains hold", differences)

    def records(self):
        """A key has one record at most, and each acknowledged write has one. That a key had
        no second effect is told by the counts of all the others."""
        differences = []
        have = {}
        for schema in SCHEMAS:
            for row in self.fleet.rows(f"select key, count(*) as n from {schema}.idempotency group by 1"):
                have[row["key"]] = have.get(row["key"], 0) + row["n"]
        for entry in self.journal.entries:
            if have.get(entry.key, 0) != (1 if entry.happened else 0):
                differences.append(f"{have.get(entry.key, 0)} records of {entry!r}")
        self.check("each key whose write was done has its one record, a refused one none", differences)

    # ---- events

    def told(self):
        """Every acknowledged write has told its event, once; no other was told."""
        have = {}
        for schema in ("auth", "tenants"):
            for row in self.fleet.rows(
                    f"select type, subject_id, count(*) as n from (select type, subject_id from "
                    f"{schema}.outbox union all select type, subject_id from {schema}.event_log) e "
                    "where type not like '%.audit.written' group by 1, 2"):
                have[row["type"], row["subject_id"]] = row["n"]
        self.same("each acknowledged write told its event, once", self.journal.told, have)

    def all(self):
        self.answers()
        self.accounts()
        self.organisations()
        self.keys()
        self.endpoints()
        self.preferences()
        self.directories()
        self.refusals()
        self.doors()
        self.chains()
        self.records()
        self.told()
        self.lanes()
        self.order()
        self.inboxes()
        self.copies()
        self.jobs()
        self.told_people()
        self.mails()
        self.webhooks()
        self.streams()
        self.money()
        return self


def audit_query():
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(top, "shared/pg/sql/query/audit_verify.sql")


# The end of an organisation waits out its grace, and is not hastened: its rows are compared;
# nor is what comes of a subscription in an hour or a month.
SOON = "kind <> 'end_tenant' and not (kind = 'due' and run_at > now() + interval '1 minute')"


def unrest(fleet):
    """What still waits, by number: in outboxes, for subscribers, as jobs. It is one question,
    for what moves on between two would be in the answer to neither."""
    parts = ["select 'entries of the feed without a number' as what, count(*) as n from notify.feed_fresh"]
    for schema in SCHEMAS:
        parts.append(f"select 'events in {schema}.outbox', count(*) from {schema}.outbox")
        for sub in fleet.rows(f"select subscription, producer from {schema}.event_subscription"):
            name = f"subscription {sub['subscription']} of {schema}"
            parts.append(f"select '{name} is not live', count(*) from {schema}.event_subscription "
                         f"where subscription = '{sub['subscription']}' and state <> 'live'")
            parts.append(f"select 'events before {name}', count(*) from {sub['producer']}.event_log e "
                         f"left join {schema}.event_cursor c on c.lane = e.lane and "
                         f"c.subscription = '{sub['subscription']}' "
                         f"where e.seq > coalesce(c.seq, 0) and {wanted(schema, sub)}")
        parts.append(f"select 'jobs {schema}.' || kind || ' ' || state, count(*) from {schema}.job "
                     f"where state in ('ready', 'running', 'scheduled') and {SOON} group by kind, state")
    return {row["what"]: row["n"] for row in fleet.rows(" union all ".join(parts)) if row["n"]}


def what_waits(fleet):
    """What waits for a later hour is not waited for: once all else is done, its time is made
    to come."""
    waits = unrest(fleet)
    if waits and all(what.endswith(" scheduled") for what in waits):
        for schema in SCHEMAS:
            fleet.sql(f"update {schema}.job set run_at = now() where state = 'scheduled' and {SOON}")
    return waits


def settles(fleet, seconds):
    """After long troubles much is left to do: that may take its time, as long as it grows
    less."""
    least, since = None, time.monotonic()
    while waits := what_waits(fleet):
        if least is None or sum(waits.values()) < least:
            least, since = sum(waits.values()), time.monotonic()
        if time.monotonic() > since + seconds:
            raise AssertionError(f"nothing moved for {seconds} s: "
                                 + ", ".join(f"{n} {what}" for what, n in waits.items()))
        time.sleep(0.05)


def comes_to_rest(fleet, world, seconds):
    wait_for("every door is ready", fleet.is_ready, seconds)
    settles(fleet, seconds)
    verdict = Verdict(fleet, world, world.journal)
    for company in world.companies:
        last = verdict.feed_of(company)[-1:]
        wait_for(f"the stream of {company.mark} shows the last of its feed",
                 lambda: set(last) <= set(company.watcher.seen()), seconds)
        company.watcher.end()
