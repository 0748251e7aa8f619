"""surfaces.py - what is the same of every method: requests that are sent again, the document,
headers, compression, figures."""
import gzip
import json
import re
import unittest
import uuid

from case import MeshCase
from common import wait_for

ME = "/api/v1/me"


class Idempotency(MeshCase):
    settings = {**MeshCase.settings, "TRELLIS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")

    def new(self):
        return {"slug": f"i-{uuid.uuid4().hex[:16]}", "display_name": "Idem"}

    def test_the_same_key_and_body_replays_the_answer(self):
        for form in ("{}", '"{}"'):
            body, key = self.new(), form.format(uuid.uuid4().hex)
            first = self.ada.post("/api/v1/tenants", body, Idempotency_Key=key)
            again = self.ada.call("POST", "/api/v1/tenants", headers={"Idempotency-Key": key},
                                  raw=json.dumps(body, indent=4).encode())
            self.assertEqual((first.status, again.status), (201, 201), again)
            self.assertEqual(first.json, again.json)
            self.assertNotIn("idempotency-replayed", first.headers)
            self.assertEqual(again.headers["idempotency-replayed"], "true")

    def test_bare_and_quoted_are_the_same_key(self):
        body, key = self.new(), uuid.uuid4().hex
        first = self.ada.post("/api/v1/tenants", body, Idempotency_Key=key)
        again = self.ada.post("/api/v1/tenants", body, Idempotency_Key=f'"{key}"')
        self.assertEqual(first.json, again.json)

    def test_the_same_key_for_another_body_is_422(self):
        key = uuid.uuid4().hex
        self.assertEqual(self.ada.post("/api/v1/tenants", self.new(), Idempotency_Key=key).status, 201)
        self.check_problem(self.ada.post("/api/v1/tenants", self.new(), Idempotency_Key=key), 422)

    # Whatever else would be wrong with the other request: no password, link or name is looked at.
    def test_the_same_key_for_another_body_is_422_where_nobody_has_signed_in(self):
        anybody, password = self.stack.client(), "correct horse battery"
        bob, cy, dora = [self.stack.sign_up(who, verified=False) for who in ("bob", "cy", "dora")]
        self.assertEqual(anybody.post("/api/v1/auth/password/forgot", {"email": cy.email}).status, 204)
        link = wait_for("a link to a new password", lambda: next(
            (found for text in self.stack.mails(cy.email)
             for found in re.findall(r"/auth/password/reset#token=([A-Za-z0-9_-]+)", text.replace("=\n", ""))),
            None))
        login = {"email": bob.email, "password": bob.password}
        account = {"email": self.stack.new_email(), "password": password, "display_name": "E"}
        reset = {"token": link, "password": password + " 2"}
        for path, body, others in (
            ("login", login, ({**login, "password": password}, {**login, "cookie": True},
                              {"email": cy.email, "password": cy.password},
                              {"email": "nobody@example.com", "password": password})),
            ("signup", account, ({**account, "password": "short wrong"}, {**account, "password": "password"},
                                 {**account, "email": self.stack.new_email()}, {**account, "email": bob.email})),
            ("email/verify", {"token": self.stack.mail_token(dora.email), "password": password + " 3"}, ({"token": "none"},)),
            ("email/resend", {"email": bob.email}, ({"email": "nobody@example.com"},)),
            ("password/forgot", {"email": "nobody@example.com"}, ({"email": bob.email},)),
            ("password/reset", reset, ({**reset, "password": "password"}, {**reset, "token": "none"})),
        ):
            key = uuid.uuid4().hex
            first = anybody.post(f"/api/v1/auth/{path}", body, Idempotency_Key=key)
            self.assertIn(first.status, (200, 201, 204), (path, first))
            for other in others:
                answer = anybody.post(f"/api/v1/auth/{path}", other, Idempotency_Key=key)
                self.check_problem(answer, 422, "INVALID")
                self.assertIn("Idempotency-Key", answer["detail"], (path, other))
            again = anybody.post(f"/api/v1/auth/{path}", body, Idempotency_Key=key)
            self.assertEqual((again.status, again.json), (first.status, first.json), path)
            self.assertEqual(again.headers["idempotency-replayed"], "true")

    def test_another_tenant_takes_the_same_key_anew(self):
        key, tenants = uuid.uuid4().hex, [self.ada.post("/api/v1/tenants", self.new())["id"] for _ in "ab"]
        wanted = {"url": f"http://127.0.0.1:9/{key}", "event_types": ["*"]}
        made = [self.ada.post("/api/v1/webhook-endpoints", wanted, Idempotency_Key=key, X_Tenant_Id=tenant)
                for tenant in tenants]
        self.assertEqual([answer.status for answer in made], [201, 201], made)
        self.assertNotIn("idempotency-replayed", made[1].headers)
        for tenant, answer in zip(tenants, made):
            listed = self.ada.get("/api/v1/webhook-endpoints", X_Tenant_Id=tenant)["items"]
            self.assertEqual([item["id"] for item in listed], [answer["id"]])
            again = self.ada.post("/api/v1/webhook-endpoints", wanted, Idempotency_Key=key, X_Tenant_Id=tenant)
            self.assertEqual((again.json, again.headers["idempotency-replayed"]), (answer.json, "true"))

    def test_a_secret_answer_replays_too(self):
        body = {"email": self.stack.new_email(), "password": "correct horse battery",
                "display_name": "Ada"}
        key, anybody = uuid.uuid4().hex, self.stack.client()
        first = anybody.post("/api/v1/auth/signup", body, Idempotency_Key=key)
        again = anybody.post("/api/v1/auth/signup", body, Idempotency_Key=key)
        self.assertEqual((first.status, again.status), (201, 201), again)
        self.assertEqual(first["session"], again["session"])

    def test_two_people_may_use_one_key(self):
        key, bob = uuid.uuid4().hex, self.stack.sign_up("bob")
        first = self.ada.post("/api/v1/tenants", self.new(), Idempotency_Key=key)
        other = bob.post("/api/v1/tenants", self.new(), Idempotency_Key=key)
        self.assertEqual((first.status, other.status), (201, 201))
        self.assertNotEqual(first["id"], other["id"])

    def test_a_bad_key_is_400(self):
        for key in ("", '""', "x" * 256, "a b", "käse"):
            answer = self.ada.post("/api/v1/tenants", self.new(), Idempotency_Key=key.encode())
            self.check_problem(answer, 400, "MALFORMED")

    def test_a_failure_is_not_kept(self):
        body, key = self.new(), uuid.uuid4().hex
        taken = self.ada.post("/api/v1/tenants", self.new())
        bad = {**body, "slug": taken["slug"]}
        self.check_problem(self.ada.post("/api/v1/tenants", bad, Idempotency_Key=key), 409)
        self.assertEqual(self.ada.post("/api/v1/tenants", body, Idempotency_Key=key).status, 201)


class Surfaces(MeshCase):
    settings = {"TRELLIS_RATE_SCALE": "1000", "TRELLIS_CORS_ORIGINS": "https://app.example"}

    def test_serves_the_document_compressed_and_cached(self):
        anybody = self.stack.client()
        plain = anybody.get("/api/v1/openapi.json")
        self.assertEqual((plain.status, plain["openapi"][:3]), (200, "3.1"))
        packed = anybody.get("/api/v1/openapi.json", Accept_Encoding="br, gzip;q=0.5")
        self.assertEqual(packed.headers["content-encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertNotEqual(packed.headers["etag"], plain.headers["etag"])
        self.assertNotIn("content-encoding",
                         anybody.get("/api/v1/openapi.json", Accept_Encoding="gzip;q=0").headers)
        known = anybody.get("/api/v1/openapi.json", If_None_Match=plain.headers["etag"])
        self.assertEqual((known.status, known.body), (304, b""))

    def test_every_route_of_the_document_is_there(self):
        anybody = self.stack.client()
        for path, item in anybody.get("/api/v1/openapi.json")["paths"].items():
            real = path
            while "{" in real:
                real = real[:real.index("{")] + str(uuid.uuid4()) + real[real.index("}") + 1:]
            for verb in ("get", "post", "put", "patch", "delete"):
                if verb in item:
                    status = anybody.call(verb.upper(), real, {} if verb in ("post", "patch") else None).status
                    self.assertNotIn(status, (404, 405, 500, 501), f"{verb} {path}")

    def test_big_answers_are_compressed_when_asked(self):
        ada = self.stack.sign_up()
        tenant = self.stack.found(ada)
        path = f"/api/v1/tenants/{tenant}/roles"
        plain = ada.get(path)
        packed = ada.get(path, Accept_Encoding="gzip")
        self.assertGreater(len(plain.body), 1024)
        self.assertEqual(packed.headers["content-encoding"], "gzip")
        self.assertEqual(json.loads(gzip.decompress(packed.body)), plain.json)
        self.assertIn("Accept-Encoding", packed.headers["vary"])

    def test_what_has_a_strong_tag_is_the_same_for_all(self):
        ada = self.stack.sign_up()
        ada.headers["X-Tenant-Id"] = self.stack.found(ada)
        path = "/api/v1/templates/member_updated/en"
        put = ada.call("PUT", path, {"subject": "Hi", "text": "welcome " * 300, "html": "<p>Hi</p>"})
        self.assertEqual(put.status, 200, put)
        plain, asked = ada.get(path), ada.get(path, Accept_Encoding="gzip")
        self.assertGreater(len(plain.body), 2000)
        self.assertEqual((asked.headers["etag"], asked.body), (plain.headers["etag"], plain.body))

    def test_cors_by_the_allow_list(self):
        anybody = self.stack.client()
        asked = anybody.call("OPTIONS", "/api/v1/me", headers={
            "Origin": "https://app.example", "Access-Control-Request-Method": "PATCH"})
        self.assertEqual(asked.status, 204)
        self.assertEqual(asked.headers["access-control-allow-origin"], "https://app.example")
        self.assertIn("PATCH", asked.headers["access-control-allow-methods"])
        self.assertIn("Idempotency-Key", asked.headers["access-control-allow-headers"])
        foreign = anybody.call("OPTIONS", "/api/v1/me", headers={
            "Origin": "https://evil.example", "Access-Control-Request-Method": "PATCH"})
        self.assertNotIn("access-control-allow-origin", foreign.headers)
        answer = anybody.get("/api/v1/me", Origin="https://app.example")
        self.check_problem(answer, 401)
        self.assertEqual(answer.headers["access-control-allow-origin"], "https://app.example")
        self.assertIn("ETag", answer.headers["access-control-expose-headers"])

    def test_what_every_answer_carries(self):
        ada = self.stack.sign_up()
        trace = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
        answer = ada.get("/api/v1/me", X_Request_Id="my-id", traceparent=trace)
        self.assertEqual(answer.headers["x-request-id"], "my-id")
        self.assertTrue(answer.headers["traceparent"].startswith("00-" + "ab" * 16))
        self.assertNotIn("cd" * 8, answer.headers["traceparent"])
        for name in ("x-content-type-options", "referrer-policy", "content-security-policy",
                     "cross-origin-opener-policy", "ratelimit", "ratelimit-policy"):
            self.assertIn(name, answer.headers)
        self.assertNotIn("server", answer.headers)
        other = ada.get("/api/v1/me", X_Request_Id="evil\tid", traceparent="junk")
        self.assertNotEqual(other.headers["x-request-id"], "evil\tid")

    def test_head_is_get_without_the_body(self):
        ada = self.stack.sign_up()
        answer = ada.call("HEAD", "/api/v1/me")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertIn("etag", answer.headers)

    def test_problems_have_pages(self):
        anybody = self.stack.client()
        problem = anybody.get("/nothing/here")
        self.check_problem(problem, 404, "NOT_FOUND")
        page = anybody.get(problem["type"])
        self.assertEqual(page.status, 200)
        self.assertIn(b"NOT_FOUND", page.body)
        self.check_problem(anybody.get("/problems/unheard-of"), 404)

    def test_counts_requests_on_the_operators_endpoint(self):
        ada = self.stack.sign_up()
        self.stack.found(ada)
        self.stack.client().get("/api/v1/me")
        self.stack.send(b"no request\r\n\r\n")
        text = self.stack.metrics("edge")
        for counted in ('requests_total{method="auth.v1.Auth.GetMe",result="refused"}', 'answers_total{service="auth",code="401"}',
                        'requests_total{method="none",result="refused"}', 'answers_total{service="none",code="400"}',
                        'request_seconds_bucket{service="auth",le="0.3"}'):
            self.assertRegex(text, rf"(?m)^trellis_http_{re.escape(counted)} [1-9]")
        self.check_problem(self.stack.client().get("/metrics"), 404)

    def test_every_process_shows_actors_pipelines_peers_and_queues(self):
        self.stack.found(self.stack.sign_up())
        for name in ("auth", "tenants", "edge"):
            if name != "edge":  # it has no actor that only waits, and metrics are told without one
                wait_for(f"an actor of {name}", lambda: re.search(
                    r"(?m)^trellis_actors_alive [1-9]", self.stack.metrics(name)))
            text = self.stack.metrics(name)
            self.assertRegex(text, "(?m)^trellis_actors_alive [0-9]")
            for line in ("trellis_actors_refused_total 0", "trellis_loop_turn_seconds_bucket"):
                self.assertIn("\n" + line, text)
            if name != "edge":
                for line in ("trellis_pg_connections{", "trellis_pg_pipelined{",
                             'trellis_pg_waiting{schema="%s",kind="read"}', "trellis_pg_writes_in_use{",
                             'trellis_pg_waiting{schema="%s",kind="write"}', "trellis_pg_pool_wait_seconds_count{"):
                    self.assertIn("\n" + (line % name if "%s" in line else line), text)
                self.assertRegex(text, rf'(?m)^trellis_pg_connections{{schema="{name}"}} [1-9]')
                self.assertRegex(text, r"(?m)^trellis_bus_served_seconds_bucket{method=")
        self.assertIn("\ntrellis_offload_waiting{", self.stack.metrics("auth"))
        wait_for("both peers are shown up", lambda: all(
            f'\ntrellis_bus_peers{{caller="edge",service="{name}",state="up"}} 1' in
            self.stack.metrics("edge") for name in ("auth", "tenants")))


if __name__ == "__main__":
    unittest.main()
