"""door.py - two tenants behind the real door: every operation of the OpenAPI document
that is a tenant's, by path or by header, which is every TENANT method of the contracts,
with tenant B's person, B's key and forged ids against tenant A. What is foreign is
answered as what does not exist, nothing of A is in any answer, and none of A's rows
changes, in whatever schema. A new service is attacked without a line here. (Over 400
lines: all attacks are on the same two tenants, which have one of everything.)

    door.py FOLDER-OF-BINARIES [inproc|tcp|tls+tcp]"""
import json
import os
import re
import secrets
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mesh"))
from catalogue import Catalogue, schemas_of  # noqa: E402
from files_of import files_of  # noqa: E402
from receiver import Receiver  # noqa: E402
from client import Client  # noqa: E402
from common import wait_for  # noqa: E402
from stack import Stack  # noqa: E402

MARK = "alpha-secret"
SAME_BUT_FOR = ("trace_id", "instance")
OF_CHANCE = ("date", "traceparent", "x-request-id", "ratelimit")  # and the limits that count have the same names


def without_chance(answer, *ids):
    """Status, header fields and body, without what differs between any two requests."""
    fields = {name: value for name, value in answer.headers.items() if name not in OF_CHANCE}
    limits = re.findall(r'"([^"]+)"', answer.headers.get("ratelimit", ""))
    body = {k: v for k, v in answer.json.items() if k not in SAME_BUT_FOR} if answer.json else answer.body.decode()
    text = json.dumps(body, sort_keys=True)
    for one in ids:
        text = text.replace(one, "ID")
    return answer.status, fields, limits, text


class Isolation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver(None, tls=False)
        cls.addClassCleanup(cls.receiver.close)
        cls.stack = Stack(BINARIES, TRANSPORT, TRELLIS_RATE_SCALE=10000,
                          TRELLIS_WEBHOOK_ALLOW_CIDRS="127.0.0.0/8", TRELLIS_BILLING_PROVIDER="test").start()
        try:
            cls.stack.sells(trial=None, fallback_plan="business")
            cls.fill()
        except BaseException:
            print(cls.stack.logs(), file=sys.stderr)
            cls.stack.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        bad = cls.stack.stop()
        assert not bad, "".join(bad)

    @classmethod
    def fill(cls):
        stack = cls.stack
        cls.schemas = schemas_of(BINARIES)
        cls.catalogue = Catalogue(stack.client().get("/api/v1/openapi.json").json)
        cls.operations = cls.catalogue.of_tenant
        cls.makers = {}  # by what a path may name: the operation that answered with it first
        cls.ada = stack.sign_up(MARK)
        cls.a = stack.found(cls.ada, MARK)
        cls.a_key = cls.key(cls.ada, cls.a)
        cls.objects = cls.one_of_each(cls.ada, cls.a, MARK)
        for schema in cls.schemas:  # those that look later whether a payment ended look now
            stack.sql(f"update {schema}.job set run_at = now() where tenant_id = '{cls.a}' and "
                      "state = 'scheduled' and run_at < now() + interval '1 hour'")
        wait_for("what was told of A is numbered, copied and delivered", cls.is_told)

    @classmethod
    def one_of_each(cls, person, tenant, text):
        """Makes one of everything that a path of the document may name, with the text in it;
        gives what paths call them. What is made stays as new: nothing is archived, say."""
        known, made = {**files_of(person, tenant, text), **cls.of_money(person, tenant)}, set()
        for verb in ("POST", "PUT", "GET") * 2:  # what one makes, another may name
            for operation in cls.operations:
                if operation.verb == verb and not operation.changes and operation not in made and \
                        set(operation.objects) <= set(known):
                    before = set(known)
                    answer = cls.ask(operation, person, tenant, known, text)
                    cls.catalogue.learn(known, operation, answer)
                    for name in set(known) - before:
                        cls.makers.setdefault(name, operation)
                    if answer.status < 300:
                        made.add(operation)
        wanted = {name for one in cls.operations for name in one.objects}
        assert wanted <= set(known), f"no answer has {wanted - set(known)}"
        return known

    @classmethod
    def objects_of(cls, operation, person, tenant):
        """Makes what its path names, and what that needs."""
        known = {}

        def make(name):
            if name in known:
                return
            if name not in cls.makers:
                known.update(files_of(person, tenant))
                return
            maker = cls.makers[name]
            for one in maker.objects:
                make(one)
            cls.catalogue.learn(known, maker, cls.ask(maker, person, tenant, known))
        if operation.service == "billing":
            known.update(cls.of_money(person, tenant))
        for name in (*operation.objects, *(name for name, one in operation.queries.items() if one.get("required"))):
            make(name)
        for one in cls.operations:  # under the name that its path has, rather than an id
            if (one.verb, one.path) == ("PUT", operation.path) and operation.verb != "PUT":
                cls.ask(one, person, tenant, known)
        return known

    @classmethod
    def of_money(cls, person, tenant):
        """What only the operator, or a card of the built-in provider, makes: a paid plan of
        which a change waits, its invoice with a credit note, a card that its bank asks about,
        and one that is not the default."""
        def post(path, **body):
            answer = person.post("/api/v1/" + path, body, **{"X-Tenant-Id": tenant})
            assert answer.status < 300, answer
            return answer

        def card(number):
            return post("payment-methods", card_number=number, expiry_month=12, expiry_year=2099)
        card("4242424242424242")
        for name in ("business", "team"):  # the lesser only from the next period
            plan = post("subscription", plan=name, interval="month", seats=10)
        assert "pending_change" in plan.json, plan
        invoice = person.get("/api/v1/invoices", **{"X-Tenant-Id": tenant})["items"][0]["id"]
        note = cls.stack.trellis("call", "CreditInvoice", json.dumps({
            "tenant_id": tenant, "invoice_id": invoice, "amount": 1, "reason": "duplicate"}), "--json")
        assert note.returncode == 0, note.stderr
        asked = card("4000002500003155")
        return {"invoice_id": invoice, "credit_note_id": note.json()["id"],
                "method_id": card("4000056655665556")["id"],
                "challenge_id": asked["next_action_url"].rpartition("/")[2]}

    @classmethod
    def ask(cls, operation, person, tenant, known, text=None):
        """As its owner would; with the text where one is taken."""
        def url(word):
            return cls.receiver.url("/" + word)

        def email():
            return cls.stack.sign_up("other").email
        body = operation.body(url, email, operation.example or ())
        for name, value in (body or {}).items() if text else ():
            if isinstance(value, str) and value == operation.example[name]:
                answer = operation.call(person, tenant, known, {**body, name: text})
                if answer.status < 300:
                    return answer
        answer = operation.call(person, tenant, known, body)
        if answer.status in (409, 422) and body:  # another has taken what the document shows
            answer = operation.call(person, tenant, known, operation.body(url, email))
        return answer

    @classmethod
    def is_told(cls):
        """Whether A's events have left the outboxes, its audit log has all entries, and its
        jobs are done but for those of a later day, as a renewal is."""
        waits = [f"select tenant_id from {schema}.outbox" for schema in cls.schemas]
        waits += [f"select tenant_id from {schema}.job where state not in ('dead', 'cancelled') "
                  "and run_at < now() + interval '1 hour'"
                  for schema in cls.schemas]
        waits += [f"select tenant_id from {schema}.audit a where not exists (select 1 from "
                  "tenants.audit_copy c where c.tenant_id = a.tenant_id and c.id = a.id)"
                  for schema in cls.schemas if schema != "tenants"]
        return cls.stack.sql_value(f"select count(*) from ({' union all '.join(waits)}) w "
                                   f"where tenant_id = '{cls.a}'") == "0"

    def setUp(self):
        self.eve = self.stack.sign_up("eve")
        self.b = self.fresh_b()

    @classmethod
    def key(cls, person, tenant):
        """An API key that may do all that its maker may."""
        roles = person.get(f"/api/v1/tenants/{tenant}/roles")
        permissions = [p for role in roles["items"] if role["name"] == "owner"
                       for p in role["permissions"]]
        answer = person.post(f"/api/v1/tenants/{tenant}/api-keys",
                             {"name": MARK if tenant == cls.a else "b", "permissions": permissions})
        assert answer.status == 201, answer
        return answer["key"]

    def rows_of_a(self):
        """One hash over all rows that carry A's id, in every schema."""
        query = f"""
            select md5(string_agg(query_to_xml(format(
                'select t::text from %I.%I t where tenant_id = %L order by 1',
                n.nspname, c.relname, '{self.a}'), true, false, '')::text,
                '' order by n.nspname, c.relname))
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ({', '.join(f"'{one}'" for one in self.schemas)}) and c.relkind = 'r' and exists (
                select 1 from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'tenant_id')"""
        return self.stack.sql_text(query)

    def each(self, attack):
        self.assertGreaterEqual(len(self.operations), 33)
        before = self.rows_of_a()
        for operation in self.operations:
            with self.subTest(operation=operation.id):
                for answer in attack(operation):
                    self.assertNotIn(MARK.encode(), answer.body)
                    self.assertLess(answer.status, 500, answer)
                self.assertEqual(before, self.rows_of_a(), "something of A was changed")

    def alike(self, foreign, missing, *ids):
        self.assertEqual(without_chance(foreign, *ids), without_chance(missing, *ids))

    def fresh_b(self):
        """A tenant of Eve's for one attack, since some attacks change their own."""
        return self.stack.found(self.eve, "Beta")

    def test_what_is_looked_for_is_there(self):
        """Else nothing of it could be found in an answer to others."""
        shown = {one.service for one in self.operations if not one.writes and
                 MARK.encode() in one.call(self.ada, self.a, self.objects).body}
        self.assertLessEqual({"auth", "tenants", "notify"}, shown)

    def test_the_attacks_would_work_in_ones_own_tenant(self):
        """Else every refusal below could be of a malformed request."""
        for operation in self.operations:
            with self.subTest(operation=operation.id):
                tenant = self.fresh_b()
                known = self.objects_of(operation, self.eve, tenant)
                answer = self.ask(operation, self.eve, tenant, known)
                wants = (200, 201, 202, 204)
                if operation.changes and operation.refuses(409, "CONFLICT"):
                    wants += (409,)  # restoring what is not being deleted, say
                self.assertIn(answer.status, wants, answer)

    # case 50
    def test_a_person_of_b_gets_what_a_missing_tenant_gives(self):
        def attack(operation):
            nowhere = str(uuid.uuid4())
            foreign = operation.call(self.eve, self.a, self.objects)
            missing = operation.call(self.eve, nowhere, {})
            # A 404 of OpenFeature's protocol is of a flag.
            hidden = 403 if operation.path.startswith("/ofrep/") else 404
            self.assertEqual(foreign.status, hidden, foreign)
            self.alike(foreign, missing, self.a, nowhere)
            return foreign, missing
        self.each(attack)

    # case 50
    def test_forged_ids_under_b_are_what_random_ids_are(self):
        def attack(operation):
            b = self.fresh_b()
            foreign = operation.call(self.eve, b, self.objects)
            if not operation.objects:
                return (foreign,)
            missing = operation.call(self.eve, b, {})
            self.assertEqual(foreign.status, 404, foreign)
            self.alike(foreign, missing, *self.objects.values())
            return foreign, missing
        self.each(attack)

    def test_a_list_by_a_forged_id_holds_nothing(self):
        """As of an invoice's payments."""
        n = 0
        for operation in self.operations:
            for name, one in operation.queries.items():
                if one["schema"].get("format") != "uuid" or name not in self.objects:
                    continue
                with self.subTest(operation=operation.id, query=name):
                    own = operation.call(self.ada, self.a, self.objects, query={name: self.objects[name]})
                    self.assertNotEqual(own["items"], [], "the attack would find nothing in one's own tenant")
                    foreign = operation.call(self.eve, self.b, self.objects, query={name: self.objects[name]})
                    self.assertEqual((foreign.status, foreign["items"]), (200, []), foreign)
                    n += 1
        self.assertGreaterEqual(n, 2)

    # case X11
    def test_a_foreign_upload_is_no_part_of_ones_own(self):
        """An id in a header field, which no path of the document has."""
        def ask(person, tenant, path, raw=None, **headers):
            return person.call("POST" if path.endswith("uploads") else "HEAD", path, None, {
                "Tus-Resumable": "1.0.0", "X-Tenant-Id": tenant,
                "Content-Type": "application/offset+octet-stream" if raw else None,
                **{name.replace("_", "-"): value for name, value in headers.items()}}, raw)

        c = self.stack.found(self.ada)
        part = ask(self.ada, c, "/api/v1/uploads", b"note", Upload_Length="4", Upload_Concat="partial")
        self.assertEqual((part.status, part.headers["upload-offset"]), (201, "4"), part)
        part, nobodys = part.headers["location"], "/api/v1/uploads/" + str(uuid.uuid4())
        for of in ("final;{0}", "final;{0} {0}"):
            foreign, missing = [ask(self.eve, self.b, "/api/v1/uploads", Upload_Concat=of.format(one))
                                for one in (part, nobodys)]
            self.assertEqual(foreign.status, 404, foreign)
            self.alike(foreign, missing)
        self.alike(ask(self.eve, self.b, part), ask(self.eve, self.b, nobodys))
        self.assertEqual(ask(self.ada, c, "/api/v1/uploads", Upload_Concat="final;" + part).status, 201)

    def owes(self, person):
        """A tenant with an open invoice, whose card is refused; and that invoice."""
        tenant = self.stack.found(person, MARK)
        person = Client(self.stack, person.token, **{"X-Tenant-Id": tenant})
        person.post("/api/v1/payment-methods",
                    {"card_number": "4000000000000341", "expiry_month": 12, "expiry_year": 2099})
        answer = person.post("/api/v1/subscription", {"plan": "business", "interval": "month"})
        self.assertEqual(answer["status"], "incomplete", answer)
        return tenant, answer["latest_invoice_id"]

    def of_money_in(self, tenant):
        return self.stack.sql_text(f"""
            select 'invoice', id::text, status, amount_due, version from billing.invoice where tenant_id = '{tenant}'
            union all select kind, id::text, status, amount, refunded from billing.payment where tenant_id = '{tenant}'
            union all select kind, key, status, amount, asked from billing.test_provider_request where tenant_id = '{tenant}'
            order by 1, 2""")

    def test_a_foreign_open_invoice_is_not_paid_nor_by_a_foreign_card(self):
        c, invoice = self.owes(self.ada)
        before = self.of_money_in(c), self.rows_of_a()
        good = self.eve.post("/api/v1/payment-methods", {"card_number": "4242424242424242", "expiry_month": 12,
                                                         "expiry_year": 2099}, **{"X-Tenant-Id": self.b})
        self.assertEqual(good.status, 201, good)
        nobodys = str(uuid.uuid4())

        def pay(tenant, invoice, **body):
            return self.eve.post(f"/api/v1/invoices/{invoice}/pay", body, **{"X-Tenant-Id": tenant})
        for body in ({}, {"method_id": good["id"]}):
            foreign = pay(self.b, invoice, **body)
            self.assertEqual((foreign.status, foreign["detail"]), (404, "There is no such invoice."), foreign)
            self.alike(foreign, pay(self.b, nobodys, **body), invoice, nobodys)
            self.alike(pay(c, invoice, **body), pay(nobodys, invoice, **body), c, nobodys)
            self.assertEqual(pay(c, invoice, **body).status, 404)
        d, own = self.owes(self.eve)
        foreign = pay(d, own, method_id=self.objects["method_id"])
        self.assertEqual(foreign.status, 404, foreign)
        self.alike(foreign, pay(d, own, method_id=nobodys), self.objects["method_id"], nobodys)
        self.assertEqual((self.of_money_in(c), self.rows_of_a()), before)

    def test_a_key_of_b_opens_nothing_of_a(self):
        key = Client(self.stack, self.key(self.eve, self.b))

        def attack(operation):
            nowhere = str(uuid.uuid4())
            foreign = operation.call(key, self.a, self.objects)
            missing = operation.call(key, nowhere, {})
            self.assertIn(foreign.status, (400, 404), foreign)
            self.alike(foreign, missing, self.a, nowhere)
            return foreign, missing
        self.each(attack)

    def test_a_forged_key_and_no_credential_are_refused(self):
        forged = self.a_key[:-20] + ("A" * 20 if self.a_key[-20:] != "A" * 20 else "B" * 20)
        clients = [Client(self.stack, forged), Client(self.stack, "trs_" + "A" * 43),
                   Client(self.stack)]

        def attack(operation):
            answers = [operation.call(c, self.a, self.objects) for c in clients]
            self.assertEqual([a.status for a in answers], [401] * 3, answers)
            return answers
        self.each(attack)

    # case 51
    def test_a_header_that_contradicts_the_path_is_refused(self):
        def attack(operation):
            if operation.in_header:
                return ()
            b = self.fresh_b()
            answers = [operation.call(self.eve, self.a, self.objects, **{"X-Tenant-Id": b}),
                       operation.call(self.eve, b, {}, **{"X-Tenant-Id": self.a})]
            for answer in answers:
                self.assertIn(answer.status, (400, 404), answer)
            return answers
        self.each(attack)

    # case 52
    def test_one_tenants_stored_answers_are_not_anothers(self):
        key = secrets.token_hex(12)
        first = self.ada.post("/api/v1/tenants",
                              {"slug": "s" + secrets.token_hex(4), "display_name": MARK},
                              Idempotency_Key=key)
        self.assertEqual(first.status, 201, first)
        answer = self.eve.post("/api/v1/tenants",
                               {"slug": "s" + secrets.token_hex(4), "display_name": "Eve's"},
                               Idempotency_Key=key)
        self.assertEqual(answer.status, 201, answer)
        self.assertNotIn(MARK.encode(), answer.body)

    def test_eves_lists_hold_nothing_of_ada(self):
        for path in ("/api/v1/tenants", "/api/v1/me", "/api/v1/me/sessions"):
            answer = self.eve.get(path)
            self.assertEqual(answer.status, 200, answer)
            self.assertNotIn(MARK.encode(), answer.body)

    def test_the_removed_are_refused_with_the_next_request(self):
        bob = self.stack.sign_up("bob")
        tenant = self.stack.found(self.ada)
        for _ in range(5):
            answer = self.ada.post(f"/api/v1/tenants/{tenant}/members",
                                   {"email": bob.email, "role": "member"})
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 200)
            answer = self.ada.delete(f"/api/v1/tenants/{tenant}/members/{bob.account['id']}")
            self.assertEqual(answer.status, 204, answer)
            self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 404)

    def test_without_redis_the_removed_are_refused_as_well(self):
        bob = self.stack.sign_up("bob")
        tenant = self.stack.found(self.ada)
        answer = self.ada.post(f"/api/v1/tenants/{tenant}/members",
                               {"email": bob.email, "role": "member"})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 200)
        self.stack.kill_redis()
        try:
            self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 200)
            answer = self.ada.delete(f"/api/v1/tenants/{tenant}/members/{bob.account['id']}")
            self.assertEqual(answer.status, 204, answer)
            self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 404)
        finally:
            self.stack.start_redis()
        self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 404)

    def test_a_deleted_tenant_is_gone_but_for_its_owner(self):
        bob = self.stack.sign_up("bob")
        tenant = self.stack.found(self.ada)
        key = Client(self.stack, self.key(self.ada, tenant))
        self.ada.post(f"/api/v1/tenants/{tenant}/members", {"email": bob.email, "role": "admin"})
        self.assertEqual(key.get(f"/api/v1/tenants/{tenant}").status, 200)
        self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 200)
        self.assertEqual(self.ada.delete(f"/api/v1/tenants/{tenant}").status, 200)
        self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 404)
        self.assertEqual(key.get(f"/api/v1/tenants/{tenant}").status, 404)
        self.assertEqual(self.ada.get(f"/api/v1/tenants/{tenant}")["status"], "deleting")
        self.assertEqual(self.ada.post(f"/api/v1/tenants/{tenant}/restore").status, 200)
        self.assertEqual(bob.get(f"/api/v1/tenants/{tenant}").status, 200)


if __name__ == "__main__":
    BINARIES = os.path.abspath(sys.argv[1])
    TRANSPORT = sys.argv[2] if len(sys.argv) > 2 else "inproc"
    unittest.main(argv=["isolation", "-v", *sys.argv[3:]], warnings="ignore")
