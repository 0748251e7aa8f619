"""happenings.py - the second half of the verdict: events, what their subscribers made of
them, and whom notify told. Mixed into Verdict.

Whom a person's event must be told to follows from the journal alone; audiences by role
(admins, owners) hang on which of two services was heard first, so of those only that
nobody was told twice, and nothing that did not happen, is asked."""
import json
import uuid

from receiver import is_signed

PRODUCERS = ("auth", "tenants", "notify", "billing")
# About one person, who is told unless he did it himself: event type to kind.
PERSONAL = {
    "auth.session.created": "session_created",
    "auth.password.changed": "password_changed",
    "tenants.member.added": "member_added",
    "tenants.tenant.created": "tenant_created",
    "tenants.member.updated": "member_updated",
    "tenants.member.removed": "member_removed",
}


def wanted(schema, sub):
    """Of a producer's log what a subscription takes: what erases the end of a tenant, tenants the
    audit entries and what plans give, billing the beginning and end of tenants, notify all but
    audit entries."""
    if (sub["subscription"], sub["producer"]) == ("plans", "billing"):
        return "type in ('billing.plan.changed', 'billing.entitlements.changed')"
    if (schema, sub["subscription"]) == ("billing", "tenants"):
        return "type in ('tenants.tenant.created', 'tenants.tenant.deleted', 'tenants.tenant.restored')"
    if sub["subscription"] == "erasing":
        return "type = 'tenants.tenant.erased'"
    return f"(type = '{sub['producer']}.audit.written') = {sub['subscription'].startswith('audit_')}"


class Happenings:
    def lanes(self):
        differences = []
        for schema in PRODUCERS:
            rows = self.fleet.rows(
                f"select h.lane, h.last_seq, h.first_seq, count(e.seq) as n, max(e.seq) as last, "
                f"min(e.seq) as first, count(distinct e.event_id) as ids, count(distinct e.seq) as seqs "
                f"from {schema}.event_head h left join {schema}.event_log e on e.lane = h.lane "
                "group by 1, 2, 3")
            differences += [f"{schema}: {r}" for r in rows if not (
                r["n"] == r["last_seq"] - r["first_seq"] + 1 == r["ids"] == r["seqs"]
                and (r["n"] == 0 or (r["first"], r["last"]) == (r["first_seq"], r["last_seq"])))]
            if len(rows) != 16:
                differences.append(f"{schema} has {len(rows)} heads")
            differences += [f"{schema} told {r} in several lanes or twice" for r in self.fleet.rows(
                f"select event_id, count(*) as n from {schema}.event_log group by 1 having count(*) > 1")]
            differences += [f"{schema}: {r} in two lanes" for r in self.fleet.rows(
                f"select tenant_id, subject_id, count(distinct lane) as n from {schema}.event_log "
                "group by 1, 2 having count(distinct lane) > 1")]
        self.check("lanes have no gap, and no event stands there twice", differences)

    def order(self):
        """Of each aggregate the versions rise as the numbers do. Each payload's first field is
        the resource, whose second field is its version."""
        differences = []
        for schema in ("auth", "tenants"):
            last = {}
            for r in self.fleet.rows(
                    f"select lane, seq, tenant_id, subject_id, type, encode(payload, 'hex') as payload "
                    f"from {schema}.event_log where (type not like 'auth.%' or type like 'auth.account.%') "
                    "and type not like '%.audit.written' and type <> 'tenants.tenant.erased' "
                    "order by lane, seq"):
                key = (r["tenant_id"], r["subject_id"], r["type"].split(".")[1])
                version = version_of(bytes.fromhex(r["payload"]))
                if r["type"] == "tenants.member.added":
                    last.pop(key, None)  # who comes back begins anew
                if r["type"] != "tenants.member.removed" and version <= last.get(key, 0):
                    differences.append(f"{r['type']} of {key}, version {version}, after {last[key]}")
                last[key] = version
        self.check("the events of each aggregate stand in their order", differences)

    def inboxes(self):
        differences = []
        for schema in PRODUCERS:
            for sub in self.fleet.rows(f"select subscription, producer, state from {schema}.event_subscription"):
                who = f"{schema}/{sub['subscription']}"
                if sub["state"] != "live":
                    differences.append(f"{who} is not live: {sub}")
                for one, other, what in (("log", "inbox", "not applied"), ("inbox", "log", "never told")):
                    sides = {
                        "log": f"select event_id, lane, seq from {sub['producer']}.event_log "
                               f"where {wanted(schema, sub)}",
                        "inbox": f"select event_id, lane, seq from {schema}.inbox "
                                 f"where subscription = '{sub['subscription']}'"}
                    differences += [f"{who}: {what}: {r}" for r in self.fleet.rows(
                        f"{sides[one]} except {sides[other]}")]
            differences += [f"{schema}: parked: {r}" for r in self.fleet.rows(
                f"select subscription, type, event_id, error from {schema}.parked")]
        self.check("every subscriber applied every event, none is parked", differences)

    def copies(self):
        differences = []
        for title, a, b in (
                ("people", "select account_id, email, display_name, verified from notify.account_copy",
                 "select account_id, email, display_name, email_verified from auth.account"),
                ("organisations", "select tenant_id, slug, display_name, version from notify.tenant_copy",
                 "select tenant_id, slug, display_name, version from tenants.tenant"),
                ("members", "select tenant_id, account_id, role from notify.membership_copy",
                 "select tenant_id, account_id, role from tenants.membership")):
            differences += [f"{title}: notify alone has {r}" for r in self.fleet.rows(f"{a} except {b}")]
            differences += [f"{title}: notify has not {r}" for r in self.fleet.rows(f"{b} except {a}")]
        self.check("notify knows people, organisations and members as they are", differences)
        entry = ("tenant_id, id, {chain} as chain, {number}, {at}, action, {kind}, actor_id, subject_kind, "
                 "subject_id, hash, detail, address")
        here = "select " + entry.format(chain="chain", number="number", at="created_at", kind="actor_kind")
        there = " union all ".join(
            "select " + entry.format(chain=f"'{schema}'", number="seq", at="at",
                                     kind="nullif(actor_kind, 'nobody')")
            + f" from {schema}.audit where tenant_id not in (select account_id from auth.account)"
            for schema in ("auth", "notify", "billing"))
        self.check("the audit log of each organisation holds every entry of the other services, as it is", (
            f"{what}: {r}" for what, one, other in (("missing", there, f"{here} from tenants.audit_copy"),
                                                    ("made up", f"{here} from tenants.audit_copy", there))
            for r in self.fleet.rows(f"({one}) except ({other})")))

    def jobs(self):
        self.check("no job died", (
            f"{schema}: {r}" for schema in PRODUCERS for r in self.fleet.rows(
                f"select kind, id, attempt, error from {schema}.job where state = 'dead'")))

    # ---- whom notify told

    def _personal(self):
        """{(account, event, kind)} that follow from the log. Of tenants' events the second
        field is who did it."""
        want = set()
        for r in self.fleet.rows("select event_id, subject_id, type, '' as payload from auth.event_log union all "
                                 "select event_id, subject_id, type, encode(payload, 'hex') from tenants.event_log"):
            kind, person = PERSONAL.get(r["type"]), r["subject_id"]
            by = uuid_of(field_of(bytes.fromhex(r["payload"]), 2))
            if r["type"] == "tenants.tenant.created":
                person = by
            elif by == person:
                continue
            if kind:
                want.add((person, r["event_id"], kind))
        return want

    def told_people(self):
        want = self._personal()
        rows = self.fleet.rows("select n.account_id, n.event_id, n.kind, n.about_tenant, e.tenant_id, e.type "
                               "from notify.notification n left join (select event_id, tenant_id, type from "
                               "auth.event_log union all select event_id, tenant_id, type from tenants.event_log "
                               "union all select event_id, tenant_id, type from notify.event_log union all "
                               "select event_id, tenant_id, type from billing.event_log) e using (event_id)")
        have = {(r["account_id"], r["event_id"], r["kind"]) for r in rows}
        kinds = set(PERSONAL.values())
        self.check("everybody was told in the inbox of what concerns him, once", (
            [f"not told: {one}" for one in want - have]
            + [f"told without reason: {one}" for one in have - want if one[2] in kinds]
            + [f"told of what did not happen, or of another's: {r}" for r in rows
               if r["about_tenant"] != r["tenant_id"]]
            + [f"told twice: {len(rows)} rows, {len(have)} facts"] * (len(rows) != len(have))))
        seen = {n for c in self.world.companies for n in c.read_notifications}
        self.check("what was marked as read is read", (
            r for r in self.fleet.rows("select id, read_at from notify.notification")
            if r["id"] in seen and r["read_at"] is None))

    def mails(self):
        """A mail is a file that bears its delivery's id."""
        rows = self.fleet.rows("select d.id, d.kind, d.address, d.event_id, d.status, d.attempts, d.detail from "
                               "notify.delivery d where channel = 'email'")
        files = set(self.world.mailbox.names())
        self.check("every mail went out, and each is one in the mailbox", (
            [r for r in rows if r["status"] != "sent" or f"{r['id']}.eml" not in files]
            + [f"a mail without its record: {name}" for name in files - {f"{r['id']}.eml" for r in rows}]))
        sent = {}
        for r in rows:
            key = (r["kind"], r["address"], r["event_id"])
            sent[key] = sent.get(key, 0) + 1
        self.check("nobody had a mail of one fact twice", (k for k, n in sent.items() if n > 1))
        people = {p.id: p.email for c in self.world.companies for p in c.people.all}
        invited = {i: v[0] for c in self.world.companies for i, v in c.invitations.items()}
        want = {}
        for r in self.fleet.rows("select event_id, subject_id, type from auth.event_log where type = "
                                 "'auth.letter.requested' union all select event_id, subject_id, type from "
                                 "tenants.event_log where type in ('tenants.invitation.created', "
                                 "'tenants.invitation.resent')"):
            kind, to = (("account_verify", people) if r["type"].startswith("auth.")
                        else ("invitation", invited))
            want[kind, to.get(r["subject_id"]), r["event_id"]] = 1
        self.same("each link that was promised went to its address", want, {
            k: n for k, n in sent.items() if k[0] in ("account_verify", "invitation")})

    # ---- streams

    def feed_of(self, company):
        """The ids that the owner's stream is to show, in their order."""
        return [r["id"] for r in self.fleet.rows(
            f"select id, number from notify.feed where tenant_id = '{company.id}' and "
            f"(account_id is null or account_id = '{company.owner.id}') or account_id = "
            f"'{company.owner.id}' and tenant_id = '00000000-0000-0000-0000-000000000000' order by number")]

    def streams(self):
        differences = []
        for company in self.world.companies:
            fed, seen = self.feed_of(company), company.watcher.ids
            begun = fed.index(seen[0]) if seen and seen[0] in fed else len(fed)
            if seen != fed[begun:]:
                where = next((n for n, (a, b) in enumerate(zip(seen, fed[begun:])) if a != b),
                             min(len(seen), len(fed) - begun))
                differences.append(f"{company.mark}: {len(seen)} came of {len(fed) - begun}, alike until "
                                   f"{where}: then {seen[where:where + 3]} for {fed[begun:][where:where + 3]}")
            told = {r["event_id"] for r in self.fleet.rows(
                f"select event_id from tenants.event_log where tenant_id = '{company.id}' and type not in "
                "('tenants.tenant.created', 'tenants.audit.written') and "
                f"subject_id <> '{company.owner.id}'")}
            # A stream that breaks before it showed anything begins anew from that moment.
            differences += [f"{company.mark}: {one} did not come"
                            for one in sorted(told - set(seen) - set(fed[:begun]))]
            differences += [f"{company.mark}: nothing came"] * (not seen)
        self.check("each open stream showed all of its feed, in order and once, across breaks", differences)

    # ---- webhooks

    def webhooks(self):
        """What the receiver got, and what notify says it sent."""
        differences, seen, heard = [], {}, set()
        by_name = {e.name: (c, e) for c in self.world.companies for e in c.hooks.all}
        for path, headers, body, answered in self.world.receiver.got:
            company, endpoint = by_name.get(path, (None, None))
            said, webhook = json.loads(body), headers.get("webhook-id")
            if endpoint is None:
                differences.append(f"{path} is no endpoint: {said}")
                continue
            if not any(is_signed(secret, headers, body) for secret in endpoint.secrets):
                differences.append(f"{path} got what no secret signs: {headers} {said}")
            if said.get("tenantid") != company.id:
                differences.append(f"{path} got another's event: {said}")
            if not endpoint.takes(said["type"]) and said["type"] != "notify.webhook_endpoint.tested":
                differences.append(f"{path} did not ask for this: {said}")
            first = seen.setdefault((endpoint.id, said["id"]), (webhook, body))
            if first != (webhook, body):
                differences.append(f"{path} got {said['id']} as {webhook} and before as {first}")
            if answered == 204:
                heard.add((endpoint.id, said["id"]))
        self.check("webhooks are signed, one's own, asked for, and the same each time", differences)
        rows = self.fleet.rows("select endpoint_id, event_id, event_type, status, count(*) as n "
                               "from notify.webhook_delivery group by 1, 2, 3, 4")
        live = {e.id for c in self.world.companies for e in c.hooks.live()}
        self.check("every delivery to an endpoint has come to its end", (
            r for r in rows if r["endpoint_id"] in live and r["status"] != "succeeded"))
        self.check("what was delivered was received", (
            r for r in rows if r["endpoint_id"] in live and r["status"] == "succeeded"
            and (r["endpoint_id"], r["event_id"]) not in heard))
        want = {k: n for c in self.world.companies for k, n in c.hooks.tested.items() if k[0] in live}
        self.same("each test and replay made its one delivery", want, {
            (r["endpoint_id"], r["event_id"]): r["n"] for r in rows
            if r["endpoint_id"] in live and r["event_type"] == "notify.webhook_endpoint.tested"})
        self.check("no event has two deliveries to one endpoint", (
            r for r in rows if r["n"] > 1 and r["event_type"] != "notify.webhook_endpoint.tested"))
        self._heard_all(heard)

    def _heard_all(self, heard):
        differences = []
        for company in self.world.companies:
            told = self.fleet.rows(
                "select event_id, type, subject_id from (select * from auth.event_log union all "
                f"select * from tenants.event_log) e where tenant_id = '{company.id}' "
                "and type not like '%.audit.written'")
            for r in told:
                if r["type"] == "tenants.tenant.created" or r["subject_id"] == company.owner.id:
                    continue  # before the endpoints were
                differences += [f"{e.name} did not hear of {r}" for e in company.hooks.all
                                if e.lasts and e.takes(r["type"]) and (e.id, r["event_id"]) not in heard]
        self.check("every webhook receiver heard of each event it asked for", differences)


def uuid_of(data):
    return str(uuid.UUID(bytes=bytes(data))) if len(data) == 16 else None


def version_of(payload):
    return number_in(field_of(payload, 1), 2)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """(number, value) of a protobuf message's varints and byte strings."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            length = 8 if tag & 7 == 1 else 4
            value, at = data[at:at + length], at + length
        yield tag >> 3, value


def field_of(data, number):
    return next((value for n, value in fields(data) if n == number), b"")


def number_in(data, number):
    return next((value for n, value in fields(data) if n == number), 0)
