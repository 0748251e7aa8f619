"""door.py - two tenants behind the real door: every operation of the OpenAPI document
that names a tenant, which is every TENANT method of the contracts, with tenant B's
person, B's key and forged ids against tenant A. What is foreign is answered as what
does not exist, nothing of A is in any answer, and none of A's rows changes.

    door.py FOLDER-OF-BINARIES [inproc|tcp|tls+tcp]"""
import json
import os
import secrets
import subprocess
import sys
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mesh"))
from stack import Client, Stack, wait_for  # noqa: E402

MARK = "alpha-secret"
SAME_BUT_FOR = ("trace_id", "instance")


def resolve(document, schema):
    while "$ref" in schema:
        found = document
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        schema = found
    return schema


def sample(document, schema):
    """The least value a schema accepts: required properties alone, examples first."""
    schema = resolve(document, schema)
    for word in ("example", "default", "const"):
        if word in schema:
            return schema[word]
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    for word in ("allOf", "oneOf", "anyOf"):
        if schema.get(word):
            return sample(document, schema[word][0])
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: sample(document, fields[name]) for name in schema.get("required", ())}
    if kind == "array":
        return [sample(document, schema["items"])]
    if kind == "string":
        if r"\.[a-z_]+\." in schema.get("pattern", ""):
            return "tenants.tenant.read"
        return str(uuid.uuid4()) if schema.get("format") == "uuid" else "attack"
    return {"integer": schema.get("minimum", 1), "number": 1, "boolean": True}[kind]


class Operation:
    def __init__(self, document, path, verb, entry):
        self.path, self.verb, self.id = path, verb.upper(), entry.get("operationId", path)
        self.body = None
        content = entry.get("requestBody", {}).get("content", {})
        if content:
            self.body = sample(document, next(iter(content.values()))["schema"])
            if isinstance(self.body, dict) and "email" in self.body:
                self.body["email"] = f"attack-{secrets.token_hex(4)}@example.com"
        parameters = [resolve(document, p) for p in entry.get("parameters", ())]
        self.query = {p["name"]: sample(document, p["schema"]) for p in parameters
                      if p["in"] == "query" and p.get("required")}
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        self.objects = [name for name in names if name != "tenant_id"]

    def call(self, client, tenant, objects, **headers):
        path = self.path.replace("{tenant_id}", tenant)
        for name in self.objects:
            path = path.replace("{%s}" % name, objects.get(name, str(uuid.uuid4())))
        if self.query:
            path += "?" + urllib.parse.urlencode(
                {name: objects.get("account_id", value) for name, value in self.query.items()})
        if self.verb != "GET":
            headers["Idempotency-Key"] = secrets.token_hex(12)
        return client.call(self.verb, path, self.body, headers)


def without_chance(answer, *ids):
    """Status and body, without what differs between any two requests."""
    if answer.json is None:
        return answer.status, answer.body
    body = {k: v for k, v in answer.json.items() if k not in SAME_BUT_FOR}
    text = json.dumps(body, sort_keys=True)
    for one in ids:
        text = text.replace(one, "ID")
    return answer.status, text


class Isolation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(BINARIES, TRANSPORT, TRELLIS_RATE_SCALE=10000).start()
        try:
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
        document = stack.client().get("/api/v1/openapi.json").json
        cls.operations = [Operation(document, path, verb, entry)
                          for path, verbs in document["paths"].items() if "{tenant_id}" in path
                          for verb, entry in verbs.items()
                          if verb in ("get", "post", "put", "patch", "delete")]
        cls.ada, cls.eve = stack.sign_up(MARK), stack.sign_up("eve")
        cls.a, cls.b = stack.found(cls.ada, MARK), stack.found(cls.eve, "Beta")
        cls.a_key, key_id = cls.key(cls.ada, cls.a)
        cls.b_key, _ = cls.key(cls.eve, cls.b)
        answer = cls.ada.post(f"/api/v1/tenants/{cls.a}/invitations",
                              {"email": f"{MARK}@example.com", "role": "viewer"})
        assert answer.status == 201, answer
        cls.objects = {"account_id": cls.ada.account["id"], "key_id": key_id,
                       "invitation_id": answer["id"]}
        wait_for("what was told of A is numbered and copied", cls.is_told, 30)

    @classmethod
    def is_told(cls):
        """Whether A's events have left the outboxes, and its audit log has all entries."""
        waits = [f"select tenant_id from {schema}.outbox" for schema in ("auth", "tenants", "notify")]
        waits += [f"select tenant_id from {schema}.audit a where not exists (select 1 from "
                  "tenants.audit_copy c where c.tenant_id = a.tenant_id and c.id = a.id)"
                  for schema in ("auth", "notify")]
        return cls.stack.sql_value(f"select count(*) from ({' union all '.join(waits)}) w "
                                   f"where tenant_id = '{cls.a}'") == "0"

    @classmethod
    def key(cls, person, tenant):
        """An API key that may do all that its maker may."""
        roles = person.get(f"/api/v1/tenants/{tenant}/roles")
        permissions = [p for role in roles["items"] if role["name"] == "owner"
                       for p in role["permissions"]]
        answer = person.post(f"/api/v1/tenants/{tenant}/api-keys",
                             {"name": MARK if tenant == cls.a else "b", "permissions": permissions})
        assert answer.status == 201, answer
        return answer["key"], answer["id"]

    def rows_of_a(self):
        """One hash over all rows that carry A's id, in every schema."""
        query = f"""
            select md5(string_agg(query_to_xml(format(
                'select t::text from %I.%I t where tenant_id = %L order by 1',
                n.nspname, c.relname, '{self.a}'), true, false, '')::text,
                '' order by n.nspname, c.relname))
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('tenants', 'auth') and c.relkind = 'r' and exists (
                select 1 from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'tenant_id')"""
        return subprocess.run(["psql", self.stack.direct, "-XAtqc", query], check=True,
                              capture_output=True, text=True).stdout

    def each(self, attack):
        self.assertGreaterEqual(len(self.operations), 16)
        for operation in self.operations:
            with self.subTest(operation=operation.id):
                before = self.rows_of_a()
                for answer in attack(operation):
                    self.assertNotIn(MARK.encode(), answer.body)
                    self.assertLess(answer.status, 500, answer)
                self.assertEqual(before, self.rows_of_a(), "something of A was changed")

    def alike(self, foreign, missing, *ids):
        self.assertEqual(without_chance(foreign, *ids), without_chance(missing, *ids))

    def fresh_b(self):
        """A tenant of Eve's for one attack, since some attacks change their own."""
        return self.stack.found(self.eve, "Beta")

    def test_the_attacks_would_work_in_ones_own_tenant(self):
        """Else every refusal below could be of a malformed request."""
        for operation in self.operations:
            with self.subTest(operation=operation.id):
                other = self.stack.sign_up("other")
                tenant = self.stack.found(self.eve, "Beta")
                invited = self.eve.post(f"/api/v1/tenants/{tenant}/invitations",
                                        {"email": "new@example.com", "role": "viewer"})
                member = other.account["id"]
                if "account_id" in operation.objects:
                    self.eve.post(f"/api/v1/tenants/{tenant}/members",
                                  {"email": other.email, "role": "viewer"})
                elif operation.body and "email" in operation.body:
                    operation.body["email"] = other.email
                answer = operation.call(self.eve, tenant, {
                    "account_id": member, "invitation_id": invited["id"],
                    "key_id": self.key(self.eve, tenant)[1]})
                # Restoring what is not being deleted is the one conflict.
                wants = (409,) if operation.path.endswith("/restore") else (200, 201, 204)
                self.assertIn(answer.status, wants, answer)

    # case 50
    def test_a_person_of_b_gets_what_a_missing_tenant_gives(self):
        def attack(operation):
            nowhere = str(uuid.uuid4())
            foreign = operation.call(self.eve, self.a, self.objects)
            missing = operation.call(self.eve, nowhere, {})
            self.assertEqual(foreign.status, 404, foreign)
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

    def test_a_key_of_b_opens_nothing_of_a(self):
        key = Client(self.stack, self.b_key)

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
        key = Client(self.stack, self.key(self.ada, tenant)[0])
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
