"""conform.py - each operation of the OpenAPI document as everybody would call it, well and
badly: what comes back is what the document says, in status, headers and body."""
import copy
import json
import os
import sys
import uuid

from case import MeshCase
from catalogue import Catalogue, Operation
from files_of import files_of
from common import wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "contract"))
from schema import follow, misfits  # noqa: E402

NIL = "00000000-0000-0000-0000-000000000000"
# What HTTP itself and a browser's safety need; the document is not about them.
PLAIN = {"content-type", "content-length", "content-encoding", "date", "connection", "vary", "cache-control",
         "x-content-type-options", "referrer-policy", "content-security-policy",
         "cross-origin-opener-policy", "cross-origin-resource-policy"}
# What ends what the others need comes last, after all else that deletes.
LAST = ["deleteFile", "deleteTemplate", "removeMember", "revokeApiKey", "revokeInvitation", "deleteWebhookEndpoint",
        "revokeMySession", "deleteTenant", "revokeMySessions", "changePassword", "logOut"]


def bad_values(schema):
    """Values that a field of this schema does not take, or that are at its edge."""
    kind = schema.get("type", schema.get("anyOf", [{}])[0].get("type"))
    wrong = [None, {}, [], True, 7, -1, 1.5, "", " ", "x" * 70000, "\0", "\u202e", NIL, "nobody-knows-this"]
    if kind == "array":
        wrong += [[None], [7], ["\0"], ["x"] * 1000, [{}]]
    return wrong


class Conform(MeshCase):
    settings = {**MeshCase.settings, "TRELLIS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
                "TRELLIS_BILLING_PROVIDER": "test"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.sells(trial=None, fallback_plan="business")
        cls.document = cls.stack.client().get("/api/v1/openapi.json").json
        cls.catalogue = Catalogue(cls.document)
        cls.checked = 0

    def operations(self):
        found = [(verb, path, operation) for path, item in self.document["paths"].items()
                 for verb, operation in item.items() if "text/event-stream" not in str(operation["responses"])]
        ends = {name: i for i, name in enumerate(LAST)}
        turns = {"options": 0, "get": 0, "delete": 2}
        return sorted(found, key=lambda one: (ends.get(one[2]["operationId"], -1), turns.get(one[0], 1)))

    def make_world(self):
        """One of everything that a path may name."""
        self.ada, self.bob, self.eve = [self.stack.sign_up(who) for who in ("ada", "bob", "eve")]
        tenant = self.stack.found(self.ada)
        at, hooks = f"/api/v1/tenants/{tenant}", "/api/v1/webhook-endpoints"
        self.ada.headers["X-Tenant-Id"] = tenant
        made = {"tenant_id": tenant, "account_id": self.bob.account["id"],
                "created_by": self.bob.account["id"], "kind": "member_updated",
                "locale": "en", "token": "none"}
        given = self.stack.trellis("call", "OverrideEntitlement", json.dumps(
            {"tenant_id": tenant, "value": {"feature": "seats"}}))  # more than the plan's
        self.assertEqual(given.returncode, 0, given.stderr)
        self.assertEqual(self.ada.post(at + "/members", {"email": self.bob.email, "role": "admin"}).status, 201)
        key = self.ada.post(at + "/api-keys", {"name": "k", "permissions": ["tenants.tenant.read"]})
        self.key, made["key_id"] = self.stack.client(key["key"]), key["id"]
        made["invitation_id"] = self.ada.post(at + "/invitations", {"email": self.eve.email, "role": "viewer"})["id"]
        made["endpoint_id"] = self.ada.post(hooks, {"url": "http://127.0.0.1:9/", "event_types": ["*"]})["id"]
        self.assertEqual(self.ada.post(f"{hooks}/{made['endpoint_id']}/test").status, 202)
        made["delivery_id"] = wait_for("a delivery", lambda: self.ada.get(
            f"{hooks}/{made['endpoint_id']}/deliveries")["items"])[0]["id"]
        self.bob.headers["X-Tenant-Id"] = tenant
        made["notification_id"] = wait_for("bob was told", lambda: self.bob.get(
            "/api/v1/notifications")["items"])[0]["id"]
        self.assertEqual(self.ada.call("PUT", "/api/v1/templates/member_updated/en", {
            "subject": "Hi", "text": "Hi", "html": "<p>Hi</p>"}).status, 200)
        other = self.stack.client().post("/api/v1/auth/login", {"email": self.ada.email, "password": self.ada.password})
        made["session_id"] = other["session"]["id"]
        self.assertEqual(self.ada.post("/api/v1/subscription", {
            "plan": "team", "interval": "month", "seats": 2}).status, 200)
        made["invoice_id"] = self.ada.get("/api/v1/invoices")["items"][0]["id"]
        made["credit_note_id"] = self.stack.trellis("call", "CreditInvoice", json.dumps({
            "tenant_id": tenant, "invoice_id": made["invoice_id"], "amount": 100, "reason": "order_change"}),
            "--json").json()["id"]
        asks = self.ada.post("/api/v1/payment-methods", {
            "card_number": "4000002500003155", "expiry_month": 12, "expiry_year": 2099})
        made["challenge_id"] = asks["next_action_url"].rpartition("/")[2]
        made.update(files_of(self.ada, tenant))
        for one in self.catalogue.operations:
            made = {**one.names, **made}
        for resource in self.catalogue.resources:
            if resource.parameter not in made:
                answer = resource.create.call(self.ada, tenant, made, self.fresh(resource.create))
                self.assertEqual(answer.status, 201, (resource, answer))
                made[resource.parameter] = resource.id_of(answer)
        return made

    def fresh(self, operation):
        return operation.body(lambda word: f"http://127.0.0.1:9/{word}", self.stack.new_email)

    def check(self, operation, answer, sent):
        """Its status and headers are listed, its body is valid; and it is no fault of ours."""
        type(self).checked += 1
        said = operation["responses"].get(str(answer.status))
        self.assertLess(answer.status, 500, (sent, answer))
        self.assertIsNotNone(said, f"{sent}: {answer} is not listed")
        said = follow(self.document, said)
        listed = {name.lower() for name in said["headers"]}
        self.assertLessEqual(set(answer.headers) - PLAIN, listed, (sent, answer.status))
        if answer.status == 401:
            self.assertIn("www-authenticate", answer.headers)
        kind = answer.headers.get("content-type")
        content = said.get("content", {})
        if "*/*" in content:  # bytes of whatever type they are
            return
        self.assertEqual([kind] if kind and sent[0] != "head" else [], list(content), (sent, answer))
        if kind and content and content[kind]:  # else it is a file
            schema = said["content"][kind]["schema"]
            self.assertEqual(list(misfits(self.document, schema, answer.json)), [], (sent, answer))
            if kind == "application/problem+json":
                self.check_problem(answer, answer.status)

    def good_body(self, operation):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if not content:
            return None, {}
        body = copy.deepcopy(content["example"])
        name = operation["operationId"]
        for one in self.catalogue.of_tenant:
            if one.id == name and one.refuses(409, "EXISTS"):
                body = self.fresh(one)
        email = self.bob.email if name == "logIn" else self.stack.sign_up("cy").email if name == "addMember" \
            else self.stack.new_email()
        if name == "logIn":
            body["password"] = self.bob.password
        for name, value in (("email", email), ("slug", f"c-{uuid.uuid4().hex[:12]}"),
                            ("url", "http://127.0.0.1:9/"), ("current_password", self.ada.password)):
            if name in body:
                body[name] = value
        return body, follow(self.document, content["schema"])["properties"]

    def requests(self, operation, made, path):
        """Path, body and headers of requests that differ from a good one in one thing each."""
        body, fields = self.good_body(operation)
        real = path.format(**made)
        parameters = [follow(self.document, p) for p in operation.get("parameters", [])]
        for query in ("?nobody=1", "?a/b=1&a/b=2", "?%", "?=&&=", "?page_size=1&page_size=1"):
            yield real + query, body, {}
        for parameter in parameters:
            name = parameter["name"]
            if parameter["in"] == "path":
                for value in (str(uuid.uuid4()), NIL, "x", "%20", "%F0%9F%A6%8A", "a" * 400):
                    yield path.format(**{**made, name: value}), body, {}
            elif parameter["in"] == "query":
                for value in ("", "0", "1", "100", "101", "-1", "true", "x", NIL, "9" * 30, "%00", "a" * 500):
                    yield f"{real}?{name}={value}", body, {}
            elif name in self.bound(operation):
                for value in (None, "", "0", "1", "-1", "x", NIL, "9" * 30, "a" * 500):
                    yield real, body, {name: value}
        for name, values in (("If-Match", ("*", '"0"', '"999"', "x")), ("If-None-Match", ("*", '"1"', "x")),
                             ("X-Tenant-Id", ("x", NIL, str(uuid.uuid4()))), ("Accept", ("text/html", "*/*")),
                             ("Idempotency-Key", ("", "a b", "x" * 256, '"quoted"')),
                             ("Content-Type", ("text/plain", "application/merge-patch+json")),
                             ("Content-Encoding", ("gzip",)), ("Authorization", ("Basic eDp5", "Bearer x"))):
            for value in values:
                yield real, body, {name: value}
        yield real, ["no", "object"], {}
        for name, schema in fields.items():
            yield real, {key: value for key, value in body.items() if key != name}, {}
            for value in bad_values(schema):
                yield real, {**body, name: value}, {}
        if body is not None:
            yield real, {**body, "a/b~": 1}, {}

    def ask_badly(self, operation, verb, path, made):
        for target, body, headers in self.requests(operation, made, path):
            if body is None and verb == "post" and "Content-Type" in headers:
                body = {}
            answer = self.ada.call(verb.upper(), target, body, {**self.bound(operation), **headers})
            sent = (verb, target, str(body)[:200], headers)
            self.check(operation, answer, sent)
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content and body is not None:
                wrong = list(misfits(self.document, content["schema"], body))
                if answer.status < 300:  # what is taken is what the schema allows
                    self.assertEqual(wrong, [], sent)

    def ask_well(self, operation, verb, path, made, who):
        body = self.good_body(operation)[0]
        target = path.format(**made) + "".join(
            f"?{one['name']}={made[one['name']]}" for one in operation.get("parameters", [])
            if one.get("in") == "query" and one.get("required"))
        taken = operation.get("requestBody", {}).get("content", {})
        kind = None if "application/json" in taken else next(iter(taken), None)
        if kind:
            answer = who.call(verb.upper(), target, None, {**self.bound(operation), "Content-Type": kind},
                              raw=Operation.some_bytes)
        else:
            answer = who.call(verb.upper(), target, body, self.bound(operation))
        self.check(operation, answer, (verb, target, body))
        return answer

    @staticmethod
    def bound(operation):
        """Header fields that hold a value of the request, as the document shows it."""
        return {one["name"]: str(one["schema"]["examples"][0]) for one in operation.get("parameters", ())
                if one.get("in") == "header" and "examples" in one["schema"]}

    def test_every_answer_is_one_that_the_document_lists(self):
        made, unlike = self.make_world(), []
        strangers = (self.stack.client(), self.stack.client("trs_" + "Q" * 43), self.key, self.eve)
        for verb, path, operation in self.operations():
            with self.subTest(operation["operationId"]):
                if operation["operationId"] not in LAST and (verb, path[-1]) != ("delete", "}") and verb != "options":
                    self.ask_badly(operation, verb, path, made)
                for who in strangers if operation["security"] else ():
                    self.ask_well(operation, verb, path, made, who)
                mine = self.bob if "notification_id" in path else self.ada
                if operation["operationId"] == "changePassword":  # all sessions are over
                    mine.token = self.stack.client().post("/api/v1/auth/login", {
                        "email": mine.email, "password": mine.password})["session"]["token"]
                answer = self.ask_well(operation, verb, path, made, mine)
                if operation["operationId"] == "changePassword":
                    mine.token = answer["session"]["token"]
                done = answer.status == 409 and verb == "post" and "{" in path  # badly, a moment ago
                if answer.status >= 300 and not done:
                    unlike.append((operation["operationId"], answer))
                if path.endswith("/restore"):  # it was not deleted
                    self.assertEqual(answer.status, 409)
        # Made well, they succeed, but for what needs a mail's token or a past.
        self.assertEqual({name for name, _ in unlike} - {
            "acceptInvitation", "verifyEmail", "resetPassword", "unsubscribe", "restoreTenant",
            "cancelSubscription", "dropPendingChange", "resumeSubscription", "evaluateFlag"}, set(), unlike)
        print(self.checked, "answers ...", end=" ")
        self.assertGreater(self.checked, 1500)

    def test_what_is_about_to_be_deleted_answers_by_the_document_too(self):
        made = self.make_world()
        self.assertEqual(self.ada.delete(f"/api/v1/tenants/{made['tenant_id']}").status, 200)
        for verb, path, operation in self.operations():
            if operation["security"] and operation["operationId"] not in LAST[-4:]:
                with self.subTest(operation["operationId"]):
                    for who in (self.ada, self.bob, self.key):
                        self.ask_well(operation, verb, path, made, who)
