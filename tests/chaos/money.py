"""money.py - the part of the verdict that is about money: the ledger, the numbers, what the
provider was asked for and what came of it, what customers were told, and what their plans
let them do. Mixed into Verdict."""
import collections
import re
import urllib.request

from bank import READS, SCALE
from customers import AT

FALLBACK = "free"
ENTITLES = ("trialing", "active", "past_due")
# Of payments that the provider answers later its own row says only that they wait.
COMES_LATER, FAILS_LATER = "test_1000", "test_1018"


# What leaves an audit entry, each time that it is done.
ACTIONS = {("POST", AT): "subscription.change", ("POST", AT + "/cancel"): "subscription.cancel",
           ("POST", AT + "/resume"): "subscription.resume",
           ("DELETE", AT + "/pending-change"): "subscription.drop_change"}


def action_of(entry):
    return "invoice.pay" if entry.path.endswith("/pay") else ACTIONS.get((entry.method, entry.path))


def plan_of(row):
    """What a subscription's row lets its organisation use."""
    return row["plan"] if row and row["status"] in ENTITLES else FALLBACK


class Money:
    @staticmethod
    def sums(fleet):
        return ", ".join(f"{r['n']} {r['what']}" for r in fleet.rows(
            "select status || ' invoices' as what, count(*) as n from billing.invoice group by 1 union all "
            "select status || ' payments', count(*) from billing.payment where kind = 'payment' group by 1 "
            "order by 1"))

    def books(self):
        done = self.fleet.trellis("ledger", "check")
        self.check("trellis ledger check says that the ledger balances",
                   [] if done.returncode == 0 else [done.stdout + done.stderr])
        self.check("the ledger's sum of each organisation and currency is 0", self.fleet.rows(
            "select tenant_id, currency, sum(amount) as left_over from billing.ledger_entry group by 1, 2 "
            "having sum(amount) <> 0"))

    def numbers(self):
        """1, 2, 3 in each series, and so their times, where they are of one clock."""
        series, differences = collections.defaultdict(list), []
        for kind in ("invoice", "credit_note"):
            for r in self.fleet.rows("select tenant_id, number, extract(epoch from issued_at)::bigint as at, "
                                     f"clock_at is not null as has_clock from billing.{kind} join "
                                     "billing.subscription using (tenant_id) where number is not null"):
                prefix, _, number = r["number"].rpartition("-")
                series[kind, prefix].append((int(number.lstrip("C")), r["at"], r["tenant_id"], r["has_clock"]))
        for name, found in series.items():
            found.sort()
            numbers = [number for number, _, _, _ in found]
            if numbers != list(range(1, len(found) + 1)):
                differences.append(f"{name} has {numbers}")
            tenants = {tenant for _, _, tenant, _ in found}
            if len(tenants) > 1 and not self.world.bank.one_series:
                differences.append(f"{name} is of several organisations")
            timed = [one for one in found if len(tenants) == 1 or not one[3]]
            differences += [f"{name}: {b} after {a}" for a, b in zip(timed, timed[1:]) if b[1] < a[1]]
        self.check("each series of numbers is 1, 2, 3 without a gap, in the order of time", differences)

    def charges(self):
        """What the provider did, and what is written of it."""
        differences = []
        for r in self.fleet.rows(
                "select r.tenant_id, r.key, r.card, r.status, r.code, r.amount, r.currency, p.id, p.status as noted, "
                "p.amount as noted_amount, p.currency as noted_currency, p.tenant_id as noted_tenant from "
                "billing.test_provider_request r left join billing.payment p on p.id::text = r.key "
                # What was canceled before it was asked for has no currency.
                "where r.kind = 'charge' and r.currency <> ''"):
            status = r["status"]
            if status == "pending":
                status = {COMES_LATER: "succeeded", FAILS_LATER: "failed"}.get(r["card"])
            if (r["noted"], r["noted_amount"], r["noted_currency"], r["noted_tenant"]) != (
                    status, r["amount"], r["currency"], r["tenant_id"]):
                differences.append(f"the provider has {r}")
        differences += [f"the provider has nothing of {r}" for r in self.fleet.rows(
            "select * from billing.payment p where kind = 'payment' and status not in ('canceled') and not exists "
            "(select from billing.test_provider_request r where r.key = p.id::text and r.kind = 'charge')")]
        self.check("every charge of the provider is a payment that is settled as it was, and no other is",
                   differences)

    def paid_once(self):
        """By the provider's charges: what came for an invoice is what it says it was paid."""
        rows = self.fleet.rows(
            "select i.tenant_id, i.number, i.status, i.total, i.amount_paid, i.amount_due, "
            "count(p.id) as times, coalesce(sum(p.amount), 0) as came, coalesce(sum(l.cash), 0) as cash, "
            "coalesce(sum(l.credit), 0) as credit, coalesce(sum(l.n) filter (where p.id is not null), 0) as booked from billing.invoice i "
            "left join billing.payment p on (p.tenant_id, p.invoice_id) = (i.tenant_id, i.id) and p.kind = 'payment' "
            "and p.status = 'succeeded' left join lateral (select count(distinct transaction_id) as n, "
            "sum(amount) filter (where account = 'cash') as cash, -sum(amount) filter (where account = 'credit') as "
            "credit from billing.ledger_entry e where e.tenant_id = p.tenant_id and e.cause = 'payment' and "
            "e.cause_id = p.id) l on true group by 1, 2, 3, 4, 5, 6")
        self.check("what came for an invoice is booked once, and is what was paid of it and what became credit", (
            r for r in rows if r["came"] != r["cash"] or r["booked"] != r["times"]
            or r["status"] != "void" and r["came"] != r["amount_paid"] + r["credit"]))
        self.check("no invoice was paid twice", (r for r in rows if r["times"] > 1))
        self.check("what is paid owes nothing, and what is open does", (
            r for r in rows if (r["amount_due"] > 0) != (r["status"] in ("open", "uncollectible"))
            and r["status"] != "draft"))

    def kept(self):
        """What customers were told."""
        differences = []
        rows = {(r["tenant_id"], r["id"]): r for r in self.fleet.rows(
            "select tenant_id, id, number, status, currency, net, tax, total from billing.invoice")}
        for one in self.world.customers:
            for invoice, seen in one.invoices.items():
                row = rows.get((one.id, invoice), {})
                if any(row.get(name) != seen["fixed"][name] for name in ("number", "currency", "net", "tax", "total")
                       if seen["fixed"][name] is not None):
                    differences.append(f"{one.mark} saw {seen}, there is {row}")
                if seen["end"] and row.get("status") != seen["end"]:
                    differences.append(f"{one.mark} saw {seen['end']}, there is {row}")
        self.check("final invoices are as they were shown, and what was paid or void still is", differences)
        want = {(one.id, way): is_usable for one in self.world.customers for way, is_usable in one.ways.items()}
        self.same("ways to pay are as was acknowledged", want, {
            (r["tenant_id"], r["id"]): r["status"] == "usable" for r in self.fleet.rows(
                "select tenant_id, id, status from billing.payment_method")})
        self.check("clocks have reached what was acknowledged", (
            f"{one.mark}: {one.clock}" for one in self.world.customers if one.clock and self.fleet.value(
                f"select clock_at < '{one.clock.isoformat()}' from billing.subscription where tenant_id = '{one.id}'")))
        self._calm_kept()

    def done_once(self):
        """However often it was asked for, and wherever who did it was killed."""
        entries = [entry for entry in self.journal.entries if action_of(entry)]
        done = collections.Counter((e.mark, action_of(e)) for e in entries if e.acknowledged)
        unknown = collections.Counter((e.mark, action_of(e)) for e in entries if e.status is None)
        differences = []
        for one in self.world.customers:
            there = {r["action"].removeprefix("billing."): r["n"] for r in self.fleet.rows(
                f"select action, count(*) as n from billing.audit where tenant_id = '{one.id}' group by 1")}
            differences += [
                f"{one.mark} was told of {done[one.mark, what]} times {what}, there are {there.get(what, 0)}"
                for what in ("invoice.pay", *ACTIONS.values())
                if not 0 <= there.get(what, 0) - done[one.mark, what] <= unknown[one.mark, what]]
        self.check("what customers were told is done was done once, and what was refused was not", differences)

    def _calm_kept(self):
        """Only what waits for its payment may have gone on by itself, and then to what was
        asked for."""
        differences = []
        for one in self.world.customers:
            if not one.calm or not one.shown:
                continue
            said, pending = one.shown, one.shown.get("pending_change") or {}
            row = self.fleet.rows("select version, status, plan, price, seats from billing.subscription "
                                  f"where tenant_id = '{one.id}'")[0]
            if said["version"] != row["version"] and pending.get("when") == "payment":
                said = {**said, **{name: pending[name] for name in ("plan", "price", "seats")}, "status": "active"}
            if any(said.get(name) != row[name] for name in ("status", "plan", "price", "seats")):
                differences.append(f"{one.mark} was told {one.shown}, there is {row}")
        self.check("subscriptions that nothing waits for are as the last answer said", differences)

    def plans(self):
        """tenants' copy, what is shown, and the limit of each door."""
        rows = {r["tenant_id"]: r for r in self.fleet.rows(
            "select tenant_id, plan, status, version from billing.subscription")}
        copies = {r["tenant_id"]: r["plan"] for r in self.fleet.rows("select tenant_id, plan from tenants.plan_copy")}
        want = {r["tenant_id"]: plan_of(rows.get(r["tenant_id"]))
                for r in self.fleet.rows("select tenant_id from tenants.tenant")}
        self.same("tenants knows the plan of each organisation", want,
                  {tenant: copies.get(tenant) or FALLBACK for tenant in {*want, *copies}})
        everybody = [*((one, one.company.owner) for one in self.world.customers),
                     *((one, one.owner) for one in self.world.companies)]
        differences = [f"{one.mark} at {port}: of the plan {want[one.id]}, shown {said}"
                       for port in self.fleet.ports for one, owner in everybody
                       if (said := door(port, one.id, owner.token)) != (
                           want[one.id], READS[want[one.id]] * SCALE)]
        self.check("every door gives each organisation what its plan does", differences)

    def trials(self):
        self.check("each founder had one trial, and the company has it", [
            *self.fleet.rows("select * from billing.trial_directory where taken <> 1"),
            *(f"{c.mark} has none" for c in self.world.companies if self.fleet.value(
                f"select status from billing.subscription where tenant_id = '{c.id}'") != "trialing")])

    def money(self):
        self.books()
        self.numbers()
        self.charges()
        self.paid_once()
        self.kept()
        self.done_once()
        self.plans()
        self.trials()


def door(port, tenant, token):
    """(plan, the limit of reads), as a door has it."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/entitlements", headers={
        "Authorization": f"Bearer {token}", "X-Tenant-Id": tenant})
    with urllib.request.urlopen(request, timeout=15) as answer:
        limit = re.search(r'"tenant-read";q=(\d+)', answer.headers.get("RateLimit-Policy", ""))
        plan = re.search(r'"plan": ?"([a-z]+)"', answer.read().decode())
    return (plan and plan[1], limit and int(limit[1]))
