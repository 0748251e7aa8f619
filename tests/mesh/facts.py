"""facts.py - what is kept, for how long and for whom: idempotency records, versions,
bursts at one tenant, and what a service says of itself."""
import collections
import http.client
import re
import subprocess
import threading
import unittest
import uuid

from case import MeshCase
from common import wait_for


class Facts(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)
        cls.at = f"/api/v1/tenants/{cls.tenant}"

    def sql(self, command):
        return self.stack.sql_text(command)

    # ---- records

    def test_no_secret_stands_in_a_record(self):
        person, key = self.stack.client(), uuid.uuid4().hex
        made = person.post("/api/v1/auth/signup", {
            "email": self.stack.new_email(), "password": "correct horse battery",
            "display_name": "Ada"}, Idempotency_Key=key)
        self.assertEqual(made.status, 201, made)
        made_key = self.ada.post(self.at + "/api-keys", {
            "name": "x", "permissions": ["tenants.tenant.read"]}, Idempotency_Key=key)
        self.assertEqual(made_key.status, 201, made_key)
        self.assertEqual(self.sql(
            f"select count(*) from auth.idempotency where key = '{key}' and sealed"), "2")
        for secret in (made["session"]["token"], made_key["key"], "correct horse battery"):
            self.assertEqual(self.sql(
                "select count(*) from auth.idempotency where "
                f"position(convert_to('{secret}', 'UTF8') in reply) > 0"), "0")
        dump = subprocess.run(["pg_dump", "--data-only", self.stack.direct], check=True,
                              capture_output=True).stdout
        for secret in (made["session"]["token"], made_key["key"]):
            self.assertNotIn(secret.encode(), dump)
            self.assertNotIn(secret.encode().hex().encode(), dump)

    def test_another_client_does_not_get_a_kept_session(self):
        """The scope of a PUBLIC method is address and name, and the request decides."""
        email, key = self.stack.new_email(), uuid.uuid4().hex
        body = {"email": email, "password": "correct horse battery", "display_name": "Ada"}
        first = self.stack.client().post("/api/v1/auth/signup", body, Idempotency_Key=key)
        again = self.stack.client().post("/api/v1/auth/signup", body, Idempotency_Key=key)
        self.assertEqual(again.json, first.json)
        self.assertEqual(again.headers["idempotency-replayed"], "true")
        guess = {**body, "password": "another long password"}
        self.check_problem(
            self.stack.client().post("/api/v1/auth/signup", guess, Idempotency_Key=key), 422)
        # Another address is another scope: the same key and body run anew there.
        elsewhere = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=20,
                                               source_address=("127.0.0.2", 0))
        import json
        elsewhere.request("POST", "/api/v1/auth/signup", json.dumps(body),
                          {"Content-Type": "application/json", "Idempotency-Key": key})
        answer = elsewhere.getresponse()
        self.assertEqual(answer.status, 409)
        self.assertNotIn(b"trs_", answer.read())
        elsewhere.close()

    def test_a_record_that_is_over_counts_as_none(self):
        key = uuid.uuid4().hex
        name = {"display_name": "Kept"}
        first = self.ada.patch("/api/v1/me", name, Idempotency_Key=key)
        self.assertEqual(first.status, 200, first)
        other = {"display_name": "Other"}
        self.check_problem(self.ada.patch("/api/v1/me", other, Idempotency_Key=key), 422)
        self.sql(f"update auth.idempotency set expires_at = now() where key = '{key}'")
        anew = self.ada.patch("/api/v1/me", other, Idempotency_Key=key)
        self.assertEqual((anew.status, anew["display_name"]), (200, "Other"), anew)
        self.assertNotIn("idempotency-replayed", anew.headers)

    def test_writes_take_a_key_but_for_those_at_an_offset(self):
        document = self.ada.get("/api/v1/openapi.json").json
        for path, methods in document["paths"].items():
            for method in set(methods) & {"post", "patch", "delete"}:
                names = [p.get("name", p.get("$ref", "")) for p in methods[method].get("parameters", [])]
                # What an offset guards takes none.
                self.assertEqual(any("dempotency" in name for name in names), "Upload-Offset" not in names,
                                 (path, method, names))

    def test_the_document_says_what_signs_a_request_and_what_a_body_may_not_be(self):
        made = self.ada.post(self.at + "/api-keys", {
            "name": "k", "permissions": ["tenants.tenant.read"]})
        key, nobody = self.stack.client(made["key"]), self.stack.client()
        seen = {"session": 0, "form": 0}
        for path, methods in self.ada.get("/api/v1/openapi.json")["paths"].items():
            real = re.sub(r"{\w+}", "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21", path)
            for method, operation in methods.items():
                ways = [way for one in operation["security"] for way in one]
                if {} in operation["security"]:
                    ways = []  # a session is seen, and none is asked for
                if ways:
                    answer = nobody.call(method.upper(), real)
                    if path.startswith("/api/v1/") and method != "head":  # others have errors of their own protocol
                        self.check_problem(answer, 401)
                    self.assertEqual(answer.status, 401, (method, path))
                    self.assertIn("www-authenticate", answer.headers)
                if "session" in ways:
                    seen["session"] += 1
                    self.check_problem(key.call(method.upper(), real), 403, "DENIED")
                if method == "post" and "bearer" not in ways:
                    self.assertIn("415", operation["responses"])
                    self.check_problem(self.ada.call("POST", real, raw=b"{}", headers={
                        "Content-Type": "text/plain"}), 415)
                form = "application/x-www-form-urlencoded"
                if form in operation.get("requestBody", {}).get("content", {}):
                    seen["form"] += 1
                    answer = nobody.call("POST", real, raw=b"List-Unsubscribe=One-Click",
                                         headers={"Content-Type": form})
                    self.check_problem(answer, 400, "MALFORMED")  # the token is none
        self.assertTrue(all(seen.values()), seen)

    # ---- versions

    def test_single_resources_have_etags_and_take_if_match(self):
        bob = self.stack.sign_up("bob")
        member = f"{self.at}/members/{bob.account['id']}"
        added = self.ada.post(self.at + "/members", {"email": bob.email, "role": "viewer"})
        self.assertEqual(added.headers.get("etag"), f'"{added["version"]}"', added)
        me = self.ada.get("/api/v1/me")
        tenant = self.ada.get(self.at)
        for path, read, body in (("/api/v1/me", me, {"display_name": "A"}),
                                 (self.at, tenant, {"display_name": "T"}),
                                 (member, added, {"role": "member"})):
            etag = read.headers["etag"]
            self.check_problem(self.ada.patch(path, body, If_Match='"999999"'), 412, "PRECONDITION")
            done = self.ada.patch(path, body, If_Match=etag)
            self.assertEqual(done.status, 200, done)
            self.assertNotEqual(done.headers["etag"], etag)
            self.check_problem(self.ada.patch(path, body, If_Match=etag), 412, "PRECONDITION")
            # without If-Match the last one wins: 428 is not asked of anybody
            self.assertEqual(self.ada.patch(path, body).status, 200)
        self.check_problem(self.ada.delete(member, If_Match='"999999"'), 412)
        self.check_problem(self.ada.delete(self.at, If_Match='"999999"'), 412)
        self.assertEqual(self.ada.delete(member, If_Match="*").status, 204)
        for path in ("/members", "/invitations", "/api-keys", "/audit", "/roles"):
            self.assertNotIn("etag", self.ada.get(self.at + path).headers)
        for path in ("/api/v1/tenants", "/api/v1/me/sessions"):
            self.assertNotIn("etag", self.ada.get(path).headers)

    def test_preferences_are_chosen_anew_by_version(self):
        path = "/api/v1/notification-preferences"
        bob = self.stack.sign_up("bob")
        self.assertEqual(bob.get(path)["version"], 0)
        for version in (1, 2):
            done = bob.call("PUT", path, {"digest": "daily", "time_zone": "Europe/Vienna"})
            self.assertEqual((done.status, done["version"]), (200, version), done)
            shown = bob.get(path)
            self.assertEqual((shown["version"], shown["digest"], shown["time_zone"]),
                             (version, "daily", "Europe/Vienna"), shown)
        self.check_problem(bob.call("PUT", path, {}, {"If-Match": '"1"'}), 412, "PRECONDITION")
        self.assertEqual(bob.call("PUT", path, {}, {"If-Match": '"2"'})["digest"], "immediate")

    # ---- many at once

    def test_a_burst_of_writes_to_one_tenant_is_written(self):
        many, seen = 64, []
        together = threading.Barrier(many)

        def invite(number):
            client = self.stack.client(self.ada.token)
            client.get(self.at)
            together.wait()
            answer = client.post(self.at + "/invitations", {
                "email": f"burst.{number}@example.com", "role": "viewer"})
            seen.append(answer.status)
            client.close()
        threads = [threading.Thread(target=invite, args=(n,)) for n in range(many)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(collections.Counter(seen), {201: many})

    # ---- what a service says of itself

    def test_readiness_names_who_is_not_ready_and_why(self):
        anybody = self.stack.client()
        self.assertEqual(anybody.get("/readyz").status, 200)
        self.stack.proxy.shut()
        try:
            answer = wait_for("it is not ready", lambda: (
                a := anybody.get("/readyz")).status == 503 and a)
            self.check_problem(answer, 503, "UNAVAILABLE")
            self.assertIn("PostgreSQL is not reachable", answer["detail"])
            self.assertIn("retry-after", answer.headers)
            if self.stack.transport != "inproc":
                self.assertRegex(answer["detail"], "auth|tenants|notify")
        finally:
            self.stack.proxy.reopen()
        wait_for("it is ready again", lambda: anybody.get("/readyz").status == 200)

    def test_nothing_that_keeps_secrets_starts_without_the_key(self):
        for name in ("auth", "tenants"):
            env = self.stack.environment(name)
            env.pop("TRELLIS_SEAL_KEY_FILE")
            for other in ("auth", "tenants", "edge"):
                env[f"TRELLIS_LISTEN_{other.upper()}"] = "tcp://127.0.0.1:1"
                env[f"TRELLIS_PEER_{other.upper()}"] = "tcp://127.0.0.1:1"
            done = subprocess.run([self.stack.binary(name)], env=env, capture_output=True,
                                  text=True, timeout=20)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("TRELLIS_SEAL_KEY is not set", done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)

    def test_maintain_runs_and_may_run_again(self):
        env = self.stack._env({"TRELLIS_PG_ADMIN_URL": self.stack.direct})
        for _ in range(2):
            for command in ("migrate", "maintain"):
                done = subprocess.run([self.stack.binary("all"), command], env=env,
                                      capture_output=True, text=True, timeout=30)
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ended sessions are gone", done.stdout)
        self.assertEqual(self.ada.get(self.at).status, 200)

    # ---- who may what

    def test_a_key_is_no_person_and_stays_in_its_tenant(self):
        made = self.ada.post(self.at + "/api-keys", {
            "name": "k", "permissions": ["tenants.tenant.read"]})
        key = self.stack.client(made["key"])
        answer = self.check_problem(key.get("/api/v1/me/sessions"), 403, "DENIED")
        self.assertIn("person", answer["detail"])
        self.check_problem(key.post("/api/v1/tenants", {"slug": "k-k-k", "display_name": "K"}), 403)
        more = self.ada.post(self.at + "/api-keys", {"name": "k", "permissions": ["no.such.thing"]})
        self.check_problem(more, 422)


if __name__ == "__main__":
    unittest.main()
