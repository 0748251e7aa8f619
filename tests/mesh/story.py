"""story.py - what people do, from signing up to the audit log, over HTTP."""
import unittest
import uuid

from case import MeshCase
from common import wait_for

ME = "/api/v1/me"


class People(MeshCase):
    def test_signs_up_verifies_and_shows_me(self):
        person = self.stack.client()
        email = self.stack.new_email()
        answer = person.post("/api/v1/auth/signup", {
            "email": email.upper(), "password": "correct horse battery", "display_name": "Ada"})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer["account"]["email"], email)
        self.assertEqual(answer["account"]["email_verified"], False)
        self.assertRegex(answer["session"]["token"], r"^trs_[A-Za-z0-9_-]{43}$")
        person.token = answer["session"]["token"]
        token = self.stack.mail_token(email)
        self.assertEqual(person.post("/api/v1/auth/email/verify", {"token": token}).status, 204)
        me = person.get(ME)
        self.assertEqual((me.status, me["email_verified"]), (200, True), me)
        self.assertEqual(me.headers["etag"], f'"{me["version"]}"')
        # the token of the mail works once
        self.check_problem(self.stack.client().post("/api/v1/auth/email/verify", {"token": token}), 400)

    def test_nobody_waits_in_an_account_that_its_owner_confirms(self):
        waiting = self.stack.sign_up("boss", verified=False)
        other = self.stack.sign_up("eve")
        token, boss = self.stack.mail_token(waiting.email), self.stack.client()
        verify = "/api/v1/auth/email/verify"
        for who in (boss, other, self.stack.client("trs_" + "Q" * 43)):
            answer = who.post(verify, {"token": token})
            self.check_problem(answer, 422, "INVALID")
            self.assertEqual(answer["errors"][0]["pointer"], "/password", answer)
        self.assertEqual(waiting.get(ME)["email_verified"], False)
        chosen = {"token": token, "password": "what the boss chose"}
        self.assertEqual(boss.post(verify, chosen).status, 204)
        self.check_problem(waiting.get(ME), 401, "UNAUTHENTICATED")
        login = {"email": waiting.email, "password": waiting.password}
        self.check_problem(boss.post("/api/v1/auth/login", login), 401, "UNAUTHENTICATED")
        answer = boss.post("/api/v1/auth/login", {**login, "password": chosen["password"]})
        self.assertEqual((answer.status, answer["account"]["email_verified"]), (200, True), answer)

    def test_a_taken_address_is_told_at_sign_up_alone(self):
        ada = self.stack.sign_up()
        again = {"email": ada.email, "password": "another long password", "display_name": "Eve"}
        self.check_problem(self.stack.client().post("/api/v1/auth/signup", again), 409, "EXISTS")
        anybody = self.stack.client()
        known = anybody.post("/api/v1/auth/login", {"email": ada.email, "password": "wrong wrong"})
        unknown = anybody.post("/api/v1/auth/login",
                               {"email": self.stack.new_email(), "password": "wrong wrong"})
        self.check_problem(known, 401, "UNAUTHENTICATED")
        self.check_problem(unknown, 401, "UNAUTHENTICATED")
        for answer in (known, unknown):
            answer.json.pop("trace_id")
        self.assertEqual(known.json, unknown.json)
        for path in ("/api/v1/auth/password/forgot", "/api/v1/auth/email/resend"):
            for email in (ada.email, self.stack.new_email()):
                self.assertEqual(anybody.post(path, {"email": email}).status, 204)

    # case 45
    def test_log_out_ends_the_session_at_once(self):
        ada = self.stack.sign_up()
        self.assertEqual(ada.get(ME).status, 200)
        self.assertEqual(ada.get(ME).status, 200)
        self.assertEqual(ada.post("/api/v1/auth/logout").status, 204)
        self.check_problem(ada.get(ME), 401, "UNAUTHENTICATED")

    def test_lists_and_revokes_sessions(self):
        ada = self.stack.sign_up()
        other = self.stack.client()
        answer = other.post("/api/v1/auth/login", {"email": ada.email, "password": ada.password})
        self.assertEqual(answer.status, 200, answer)
        other.token = answer["session"]["token"]
        sessions = ada.get(ME + "/sessions")["items"]
        self.assertEqual(sorted(s.get("current", False) for s in sessions), [False, True])
        self.assertEqual(other.get(ME).status, 200)
        self.assertEqual(ada.delete(f"{ME}/sessions/{answer['session']['id']}").status, 204)
        self.check_problem(other.get(ME), 401)
        self.assertEqual(ada.delete(ME + "/sessions").status, 204)
        self.check_problem(ada.get(ME), 401)

    def test_a_new_password_ends_every_session(self):
        ada = self.stack.sign_up()
        changed = ada.post("/api/v1/auth/password/change", {
            "current_password": ada.password, "password": "a wholly new password"})
        self.assertEqual(changed.status, 200, changed)
        self.check_problem(ada.get(ME), 401)
        ada.token = changed["session"]["token"]
        self.assertEqual(ada.get(ME).status, 200)
        self.assertEqual(ada.post("/api/v1/auth/password/forgot", {"email": ada.email}).status, 204)
        self.assertGreaterEqual(len(self.stack.mails(ada.email)), 1)

    # case 46
    def test_resets_a_forgotten_password_once(self):
        ada = self.stack.sign_up()
        before = self.stack.mail_token(ada.email)
        anybody = self.stack.client()
        anybody.post("/api/v1/auth/password/forgot", {"email": ada.email})
        token = wait_for("a second mail",
                         lambda: (t := self.stack.mail_token(ada.email)) != before and t)
        new = {"token": token, "password": "staple trombone lantern"}
        self.assertEqual(anybody.post("/api/v1/auth/password/reset", new).status, 204)
        self.check_problem(ada.get(ME), 401)
        self.check_problem(anybody.post("/api/v1/auth/password/reset", new), 400)
        old = {"email": ada.email, "password": ada.password}
        self.check_problem(anybody.post("/api/v1/auth/login", old), 401)
        new = {"email": ada.email, "password": "staple trombone lantern"}
        self.assertEqual(anybody.post("/api/v1/auth/login", new).status, 200)

    def test_patch_changes_what_is_there_and_null_clears(self):
        ada = self.stack.sign_up()
        answer = ada.patch(ME, {"locale": "en-GB"})
        self.assertEqual((answer.status, answer["locale"]), (200, "en-GB"), answer)
        answer = ada.patch(ME, {"display_name": "Ada L."})
        self.assertEqual((answer["locale"], answer["display_name"]), ("en-GB", "Ada L."))
        answer = ada.patch(ME, {"locale": None})
        self.assertNotIn("locale", answer.json, answer)
        self.check_problem(ada.patch(ME, {"display_name": None}), 422, "INVALID")

    def test_a_cookie_only_where_asked_and_then_with_csrf(self):
        ada = self.stack.sign_up()
        login = {"email": ada.email, "password": ada.password}
        plain = self.stack.client().post("/api/v1/auth/login", login)
        self.assertNotIn("set-cookie", plain.headers)
        answer = self.stack.client().post("/api/v1/auth/login", {**login, "cookie": True})
        cookie = answer.headers["set-cookie"]
        for part in ("__Host-session=trs_", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            self.assertIn(part, cookie)
        self.assertNotIn("Domain", cookie)
        self.assertNotIn("token", answer["session"])
        browser = self.stack.client(Cookie=cookie.split(";")[0])
        me = browser.get(ME)
        self.assertEqual(me.status, 200, me)
        change = {"display_name": "Ada B."}
        origin = f"http://127.0.0.1:{self.stack.port}"
        csrf = me["csrf_token"]
        self.check_problem(browser.patch(ME, change), 403, "DENIED")
        self.check_problem(browser.patch(ME, change, Origin=origin), 403, "DENIED")
        self.check_problem(browser.patch(ME, change, Origin="https://evil.example", X_CSRF_Token=csrf),
                           403, "DENIED")
        self.check_problem(browser.patch(ME, change, Origin=origin, X_CSRF_Token=csrf[:-1] + "!"),
                           403, "DENIED")
        self.assertEqual(browser.patch(ME, change, Origin=origin, X_CSRF_Token=csrf).status, 200)
        out = browser.post("/api/v1/auth/logout", Origin=origin, X_CSRF_Token=csrf)
        self.assertEqual(out.status, 204)
        self.assertIn("Max-Age=0", out.headers["set-cookie"])
        self.check_problem(browser.get(ME), 401)

    def test_what_a_browser_kept_of_one_account_is_not_shown_to_the_next(self):
        """Accounts have the same path and soon the same version; so do two sessions of
        one, each with a CSRF token of its own."""
        ada, bob = self.stack.sign_up("ada"), self.stack.sign_up("bob")
        kept = ada.get(ME)
        self.assertEqual(kept.headers["etag"], bob.get(ME).headers["etag"])
        for path in (ME, "/api/v1/notification-preferences"):
            self.assertEqual(ada.get(path).headers["cache-control"], "no-store")
            other = bob.get(path, If_None_Match=ada.get(path).headers["etag"])
            self.assertEqual(other.status, 200, other)
        self.stack.found(ada)
        settings = ada.get("/api/v1/notification-settings", X_Tenant_Id=self.stack.found(ada))
        self.assertEqual(settings.headers["cache-control"], "no-store")
        self.assertEqual(ada.patch(ME, {"display_name": "A"}, If_Match=kept.headers["etag"]).status, 200)

    # case 44
    def test_a_session_of_the_clients_choice_is_not_taken(self):
        chosen = self.stack.client("trs_" + "A" * 43)
        self.check_problem(chosen.get(ME), 401)
        for token in ("", "x", "trs_short", "trl_" + "0" * 84, "trs_" + "A" * 5000):
            self.check_problem(self.stack.client().get(ME, Authorization=f"Bearer {token}"), 401)
        answer = self.stack.client().get(ME, Authorization="Basic YTpi")
        self.check_problem(answer, 401)
        self.assertIn("Bearer", answer.headers["www-authenticate"])


class Organisations(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)
        cls.at = f"/api/v1/tenants/{cls.tenant}"

    def add(self, person, role):
        answer = self.ada.post(self.at + "/members", {"email": person.email, "role": role})
        self.assertEqual(answer.status, 201, answer)

    def test_creates_reads_updates_deletes_and_restores(self):
        made = self.ada.post("/api/v1/tenants", {"slug": f"b-{uuid.uuid4().hex[:12]}",
                                                 "display_name": "Beta"})
        self.assertEqual(made.status, 201, made)
        path = f"/api/v1/tenants/{made['id']}"
        self.assertEqual(made.headers["location"], path)
        read = self.ada.get(path)
        self.assertEqual(read.json, made.json)
        etag = read.headers["etag"]
        self.assertEqual(self.ada.get(path, If_None_Match=etag).status, 304)
        self.assertEqual(self.ada.get(path, If_None_Match=f'"x", W/{etag}').status, 304)
        changed = self.ada.patch(path, {"display_name": "Beta Ltd"}, If_Match=etag)
        self.assertEqual((changed.status, changed["display_name"]), (200, "Beta Ltd"))
        self.assertNotEqual(changed.headers["etag"], etag)
        self.assertEqual(self.ada.get(path, If_None_Match=etag).status, 200)
        self.check_problem(self.ada.patch(path, {"display_name": "X"}, If_Match=etag), 412, "PRECONDITION")
        self.check_problem(self.ada.patch(path, {"display_name": "X"}, If_Match='W/"7"'), 412)
        self.assertEqual(self.ada.get(path)["display_name"], "Beta Ltd")
        gone = self.ada.delete(path)
        self.assertEqual((gone.status, gone["status"]), (200, "deleting"), gone)
        held = self.check_problem(self.ada.patch(path, {"display_name": "X"}), 409, "CONFLICT")
        self.assertIn("is being deleted", held["detail"])
        self.check_problem(self.ada.get(path + "/members"), 409, "CONFLICT")
        self.assertEqual(self.ada.get("/api/v1/invoices", X_Tenant_Id=path.rsplit("/", 1)[1])["items"], [])
        self.assertEqual(self.ada.get(path)["status"], "deleting")
        back = self.ada.post(path + "/restore")
        self.assertEqual((back.status, back["status"]), (200, "active"), back)
        self.assertEqual(self.ada.patch(path, {"display_name": "X"}).status, 200)

    def test_a_taken_slug_is_409_and_names_the_field(self):
        slug = self.ada.get(self.at)["slug"]
        answer = self.ada.post("/api/v1/tenants", {"slug": slug, "display_name": "Again"})
        self.check_problem(answer, 409, "EXISTS")
        self.assertEqual(self.pointers(answer), ["/slug"])

    # case 45
    def test_roles_decide_and_a_removed_member_is_refused_at_once(self):
        bob = self.stack.sign_up("bob")
        self.check_problem(bob.get(self.at), 404, "NOT_FOUND")
        self.add(bob, "viewer")
        self.assertEqual(bob.get(self.at).status, 200)
        self.assertEqual(bob.get(self.at).status, 200)
        self.check_problem(bob.patch(self.at, {"display_name": "Bob's"}), 403, "DENIED")
        member = f"{self.at}/members/{bob.account['id']}"
        self.assertEqual(self.ada.patch(member, {"role": "admin"}).status, 200)
        self.assertEqual(bob.patch(self.at, {"display_name": "Bob's"}).status, 200)
        self.assertEqual(self.ada.patch(member, {"role": "viewer"}).status, 200)
        self.check_problem(bob.patch(self.at, {"display_name": "Bob's"}), 403, "DENIED")
        for _ in range(3):
            self.assertEqual(bob.get(self.at).status, 200)
            self.assertEqual(self.ada.delete(member).status, 204)
            self.check_problem(bob.get(self.at), 404, "NOT_FOUND")
            self.add(bob, "viewer")
        self.assertEqual(bob.delete(member).status, 204)  # leaves
        self.check_problem(bob.get(self.at), 404)

    def test_one_owner_stays(self):
        answer = self.ada.delete(f"{self.at}/members/{self.ada.account['id']}")
        self.check_problem(answer, 409, "CONFLICT")
        answer = self.ada.patch(f"{self.at}/members/{self.ada.account['id']}", {"role": "viewer"})
        self.check_problem(answer, 409, "CONFLICT")

    def test_invites_by_mail_and_the_token_works_once_for_the_invited(self):
        carl, eve = self.stack.sign_up("carl"), self.stack.sign_up("eve")
        before = self.stack.mail_token(carl.email)
        answer = self.ada.post(self.at + "/invitations", {"email": carl.email, "role": "member"})
        self.assertEqual(answer.status, 201, answer)
        token = wait_for("the invitation",
                         lambda: (t := self.stack.mail_token(carl.email)) != before and t)
        accept = "/api/v1/invitations/accept"
        self.check_problem(eve.post(accept, {"token": token}), 422)
        accepted = carl.post(accept, {"token": token})
        self.assertEqual((accepted.status, accepted["role"]), (200, "member"), accepted)
        self.assertEqual(carl.get(self.at).status, 200)
        self.assertIn(carl.post(accept, {"token": token}).status, (409, 422))
        self.assertEqual(self.ada.delete(f"{self.at}/members/{carl.account['id']}").status, 204)

    def test_invitations_are_listed_resent_and_revoked(self):
        email = self.stack.new_email("dora")
        made = self.ada.post(self.at + "/invitations", {"email": email, "role": "viewer"})
        path = f"{self.at}/invitations/{made['id']}"
        self.assertIn(made["id"], [i["id"] for i in self.ada.get(self.at + "/invitations?page_size=100")["items"]])
        self.assertEqual(self.ada.post(path + "/resend").status, 200)
        self.assertEqual(self.ada.delete(path).status, 204)
        self.assertIn(self.ada.post(path + "/resend").status, (404, 409))

    def test_an_api_key_is_shown_once_works_and_is_revoked_at_once(self):
        made = self.ada.post(self.at + "/api-keys", {
            "name": "reporting", "permissions": ["tenants.tenant.read"]})
        self.assertEqual(made.status, 201, made)
        key = self.stack.client(made["key"])
        self.assertEqual(key.get(self.at).status, 200)
        self.assertEqual(key.get(self.at, X_Tenant_Id=self.tenant).status, 200)
        self.check_problem(key.get(self.at, X_Tenant_Id=str(uuid.uuid4())), 400)
        self.check_problem(key.patch(self.at, {"display_name": "No"}), 403, "DENIED")
        self.check_problem(key.get("/api/v1/me"), 403, "DENIED")
        other = self.stack.found(self.stack.sign_up("zoe"))
        self.check_problem(key.get(f"/api/v1/tenants/{other}"), 404, "NOT_FOUND")
        listed = self.ada.get(self.at + "/api-keys?page_size=100")
        self.assertNotIn(made["key"].encode(), listed.body)
        self.assertIn(made["id"], [k["id"] for k in listed["items"]])
        self.assertEqual(self.ada.delete(f"{self.at}/api-keys/{made['id']}").status, 204)
        self.check_problem(key.get(self.at), 401, "UNAUTHENTICATED")
        wrong = made["key"][:-1] + ("0" if made["key"][-1] != "0" else "1")
        self.check_problem(self.stack.client(wrong).get(self.at), 401)

    def test_lists_go_on_by_link_and_stay_in_place(self):
        for _ in range(3):
            self.add(self.stack.sign_up("mem"), "viewer")
        path, seen = f"{self.at}/members?page_size=2", []
        while path:
            answer = self.ada.get(path)
            self.assertEqual(answer.status, 200, answer)
            self.assertLessEqual(len(answer["items"]), 2)
            seen += [item["account_id"] for item in answer["items"]]
            link = answer.headers.get("link")
            self.assertEqual(bool(link), "next_page_token" in answer.json)
            path = link and link[1:link.index(">")]
            self.assertTrue(not link or link.endswith('; rel="next"'))
        self.assertEqual(len(seen), len(set(seen)))
        self.assertGreaterEqual(len(seen), 4)
        self.check_problem(self.ada.get(self.at + "/members?page_token=nonsense"), 422)
        self.check_problem(self.ada.get(self.at + "/members?page_size=101"), 422)
        self.check_problem(self.ada.get(self.at + "/members?sort=email"), 400)

    def test_the_audit_log_tells_what_was_done(self):
        bob = self.stack.sign_up("bob")
        self.add(bob, "viewer")
        self.ada.delete(f"{self.at}/members/{bob.account['id']}")
        actions = [entry["action"] for entry in self.ada.get(self.at + "/audit?page_size=100")["items"]]
        self.assertIn("tenants.member.add", actions)
        self.assertIn("tenants.member.remove", actions)
        roles = self.ada.get(self.at + "/roles")
        self.assertEqual([r["name"] for r in roles["items"]], ["viewer", "member", "admin", "owner"])

    # case 51
    def test_a_header_must_not_contradict_the_path(self):
        other = self.stack.found(self.ada, "Other")
        self.check_problem(self.ada.get(self.at, X_Tenant_Id=other), 400, "MALFORMED")
        self.check_problem(self.ada.get(self.at, X_Tenant_Id="x"), 400, "MALFORMED")
        self.assertEqual(self.ada.get(self.at, X_Tenant_Id=self.tenant).status, 200)
        answer = self.ada.post(self.at + "/members", {
            "tenant_id": other, "email": "x@example.com", "role": "viewer"})
        self.check_problem(answer, 400, "MALFORMED")

    # case 50
    def test_a_foreign_and_a_missing_tenant_look_alike(self):
        eve = self.stack.sign_up("eve")
        for method, tail, body in (("GET", "", None), ("PATCH", "", {"display_name": "E"}),
                                   ("DELETE", "", None), ("GET", "/members", None),
                                   ("POST", "/invitations", {"email": "a@b.example", "role": "owner"}),
                                   ("GET", "/api-keys", None), ("GET", "/audit", None)):
            answers = []
            for tenant in (self.tenant, str(uuid.uuid4()), "00000000-0000-0000-0000-000000000000"):
                answer = eve.call(method, f"/api/v1/tenants/{tenant}{tail}", body)
                self.check_problem(answer, 404, "NOT_FOUND")
                answers.append({k: v for k, v in answer.json.items() if k not in ("trace_id", "instance")})
            self.assertEqual(answers[0], answers[1])


if __name__ == "__main__":
    unittest.main()
