"""killed.py - billing is killed with -9 at a chosen place: what it wrote last is at its
PostgreSQL, which holds the statement in a trigger, and is then rolled back or let through
without anybody to hear of it. Whoever asks again under the same key has one answer, and
what there is then is what there is where nobody was killed."""
import json
import threading

from plans import PlanCase
from common import wait_for

# What PostgreSQL holds: (table, the operation, the condition of its new row).
CHARGE = "test_provider_request", "insert", "new.kind = 'charge'"
REFUND = "test_provider_request", "insert", "new.kind = 'refund'"
SETTLING = "payment", "update", "new.settled_at is not null"
RECORD = "idempotency", "insert", "octet_length(new.reply) > 0"
DECISION = "ledger_transaction", "insert", "new.cause = 'invoice'"

BAD = "4000000000000341"


class Killed(PlanCase):
    settings = {**PlanCase.settings, "TRELLIS_RATE_SCALE": "1000"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.sql("create table public.gate (closed boolean)")
        cls.stack.sql("create function public.hold() returns trigger language plpgsql security definer as $$ begin "
                      "while exists (select from public.gate) loop perform pg_sleep(0.01); end loop; "
                      "return new; end $$")

    def held(self):
        return [pid for pid, in self.stack.sql(
            "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'")]

    def killed_at(self, place, stands, request):
        """request() runs until billing dies at place; what it was about to write stands, or
        does not. Billing is back when this returns."""
        table, operation, condition = place
        self.stack.sql("insert into public.gate values (true)")
        self.stack.sql(f"create trigger hold before {operation} on billing.{table} for each row "
                       f"when ({condition}) execute function public.hold()")
        asked = threading.Thread(target=request)
        asked.start()
        pid, = wait_for(f"{table} is held", self.held)
        self.stack.kill_service("billing")
        if not stands:
            self.stack.sql(f"select pg_terminate_backend({pid}, 5000)")
        self.stack.sql("delete from public.gate")
        wait_for("it is over", lambda: not self.stack.sql(
            f"select from pg_stat_activity where pid = {pid} and state <> 'idle'"))
        self.stack.sql(f"drop trigger hold on billing.{table}")
        self.stack.start_service("billing")
        wait_for("billing is ready", lambda: self.stack.says_ready("billing"))
        asked.join(60)

    def insisted(self, place, stands, person, tenant, path, body, **more):
        """Asked until there is an answer, under one key; and once more, which says the same."""
        headers = {"X-Tenant-Id": tenant, "Idempotency-Key": f"{tenant}-killed", **more}
        said = []

        def ask():
            said.append(self.stack.client(person.token).call("POST", path, body, headers))

        def is_known():
            ask()
            return said[-1].status not in (503, 504)

        self.killed_at(place, stands, ask)
        self.assertIn(said[0].status, (200, 503, 504), said[0])
        wait_for("there is an answer", is_known)
        self.assertEqual(said[-1].status, 200, said[-1])
        ask()
        self.assertEqual(said[-1].json, said[-2].json)
        if said[0].status == 200:
            self.assertEqual(said[-1].json, said[0].json)
        return said[-1]

    def card(self, person, tenant, number):
        made = person.post("/api/v1/payment-methods", {
            "card_number": number, "expiry_month": 12, "expiry_year": 2099}, X_Tenant_Id=tenant)
        self.assertEqual(made.status, 201, made)
        return made["id"]

    def of(self, tenant, what, table, where="true"):
        return self.stack.sql_value(f"select {what} from billing.{table} where tenant_id = '{tenant}' and {where}")

    def in_order(self, tenant, taken, invoices, **audited):
        """What the provider took, in the order of time; and that nothing was done twice."""
        wait_for("nothing is under way", lambda: not self.stack.sql(
            f"select from billing.payment where tenant_id = '{tenant}' and settled_at is null"))
        self.assertEqual(self.of(tenant, "string_agg(amount::text, ' ' order by key)", "test_provider_request",
                                 "kind = 'charge' and status = 'succeeded'"), taken)
        self.assertEqual(self.of(tenant, "string_agg(status, ' ' order by place)", "invoice"), invoices)
        for what, times in audited.items():
            action = "billing." + what.replace("_", ".")
            self.assertEqual(self.of(tenant, "count(*)", "audit", f"action = '{action}'"), str(times))
        ledger = self.stack.trellis("ledger", "check")
        self.assertIn("the ledger balances", ledger.stdout, ledger.stderr)

    def test_a_change_is_made_and_paid_once(self):
        for place, stands in ((DECISION, False), (DECISION, True), (CHARGE, False), (CHARGE, True),
                              (SETTLING, True), (RECORD, False), (RECORD, True)):
            with self.subTest(place=place[0], stands=stands):
                person, tenant = self.owner()
                self.subscribe(person, tenant, "team", seats=2)
                version = person.get("/api/v1/subscription", X_Tenant_Id=tenant)["version"]
                done = self.insisted(place, stands, person, tenant, "/api/v1/subscription", {"plan": "big"},
                                     **{"If-Match": f'"{version}"'})
                self.assertEqual((done["status"], done["plan"]), ("active", "big"))
                self.in_order(tenant, self.of(tenant, "string_agg(total::text, ' ' order by place)", "invoice"),
                              "paid paid", subscription_change=2)
                wait_for("the plan holds", lambda: person.get("/api/v1/entitlements", X_Tenant_Id=tenant)["plan"] == "big")

    def test_a_refused_try_is_one_try(self):
        for place, stands in ((CHARGE, True), (RECORD, False)):
            with self.subTest(place=place[0], stands=stands):
                person, tenant = self.owner()
                bad = self.card(person, tenant, BAD)
                made = person.post("/api/v1/subscription", {"plan": "big"}, X_Tenant_Id=tenant)
                self.assertEqual(made["status"], "incomplete")
                invoice = person.get("/api/v1/invoices", X_Tenant_Id=tenant)["items"][0]["id"]
                done = self.insisted(place, stands, person, tenant, f"/api/v1/invoices/{invoice}/pay",
                                     {"method_id": bad})
                self.assertEqual((done["status"], done["decline_code"]), ("open", "generic_decline"))
                self.assertEqual(self.of(tenant, "attempts", "invoice"), "2")
                self.in_order(tenant, "", "open", invoice_pay=1)

    def test_a_renewal_is_paid_once_and_at_its_time(self):
        for place, stands in ((CHARGE, False), (CHARGE, True), (SETTLING, False)):
            with self.subTest(place=place[0], stands=stands):
                person, tenant = self.owner()
                self.operate("AdvanceClock", {"tenant_id": tenant})
                self.subscribe(person, tenant, "big")
                end = person.get("/api/v1/subscription", X_Tenant_Id=tenant)["current_period_end"]
                self.killed_at(place, stands, lambda: self.stack.trellis(
                    "call", "AdvanceClock", json.dumps({"tenant_id": tenant, "to": end}), "--json"))
                self.operate("AdvanceClock", {"tenant_id": tenant, "to": end})
                self.in_order(tenant, "5000 5000", "paid paid")
                self.assertEqual(self.of(tenant, "count(*)", "payment",
                                         f"created_at = '{end}' and settled_at = '{end}'"), "1")

    def test_a_refund_goes_back_once(self):
        for place, stands in ((REFUND, False), (REFUND, True)):
            with self.subTest(stands=stands):
                person, tenant = self.owner()
                self.operate("AdvanceClock", {"tenant_id": tenant})
                self.subscribe(person, tenant, "big")
                payment = self.of(tenant, "id", "payment")
                self.killed_at(place, stands, lambda: self.stack.trellis("call", "RefundPayment", json.dumps(
                    {"tenant_id": tenant, "payment_id": payment, "amount": 3000}), "--json"))
                # The operator asks under a new key: what is on its way counts.
                more = self.stack.trellis("call", "RefundPayment", json.dumps(
                    {"tenant_id": tenant, "payment_id": payment, "amount": 3000}), "--json")
                self.assertNotEqual(more.returncode, 0)
                self.operate("AdvanceClock", {"tenant_id": tenant, "to": self.of(
                    tenant, "to_char((clock_at + interval '1 s') at time zone 'UTC', "
                    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", "subscription")})
                self.in_order(tenant, "5000", "paid")
                self.assertEqual(self.of(tenant, "string_agg(kind || status, ' ')", "payment", "kind = 'refund'"),
                                 "refundsucceeded")
                self.assertEqual(self.of(tenant, "count(*)", "test_provider_request", "kind = 'refund'"), "1")
