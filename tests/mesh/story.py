"""story.py - what people do, from signing up to the audit log, over HTTP. (Over 400
lines: one story after the other.)"""
import gzip
import json
import re
import unittest
import uuid

from case import MeshCase
from stack import wait_for

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
        token = self.stack.letter_token(email)
        self.assertEqual(person.post("/api/v1/auth/email/verify", {"token": token}).status, 204)
        me = person.get(ME)
        self.assertEqual((me.status, me["email_verified"]), (200, True), me)
        self.assertEqual(me.headers["etag"], f'"{me["version"]}"')
        # the token of the letter works once
        self.check_problem(self.stack.client().post("/api/v1/auth/email/verify", {"token": token}), 400)

    def test_nobody_waits_in_an_account_that_its_owner_confirms(self):
        waiting = self.stack.sign_up("boss", verified=False)
        other = self.stack.sign_up("eve")
        token, boss = self.stack.letter_token(waiting.email), self.stack.client()
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
        self.assertGreaterEqual(len(self.stack.letters(ada.email)), 1)

    # case 46
    def test_resets_a_forgotten_password_once(self):
        ada = self.stack.sign_up()
        before = self.stack.letter_token(ada.email)
        anybody = self.stack.client()
        anybody.post("/api/v1/auth/password/forgot", {"email": ada.email})
        token = wait_for("a second letter",
                         lambda: (t := self.stack.letter_token(ada.email)) != before and t)
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

    def test_invites_by_letter_and_the_token_works_once_for_the_invited(self):
        carl, eve = self.stack.sign_up("carl"), self.stack.sign_up("eve")
        before = self.stack.letter_token(carl.email)
        answer = self.ada.post(self.at + "/invitations", {"email": carl.email, "role": "member"})
        self.assertEqual(answer.status, 201, answer)
        token = wait_for("the invitation",
                         lambda: (t := self.stack.letter_token(carl.email)) != before and t)
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
            (found for text in self.stack.letters(cy.email)
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
            ("email/verify", {"token": self.stack.letter_token(dora.email), "password": password + " 3"}, ({"token": "none"},)),
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


class Limits(MeshCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Before the limit of proving an address is used up by trying it.
        cls.host, cls.writer = cls.stack.sign_up("host"), cls.stack.sign_up("writer")

    def test_refuses_past_the_limit_and_says_when(self):
        anybody = self.stack.client()
        body = {"email": "nobody@example.com", "password": "wrong wrong wrong"}
        answers = [anybody.post("/api/v1/auth/login", body) for _ in range(6)]
        self.assertEqual({a.status for a in answers[:5]}, {401})
        last = self.check_problem(answers[5], 429, "RATE")
        self.assertGreater(int(last.headers["retry-after"]), 0)
        self.assertIn('"login-address";q=20;w=60', last.headers["ratelimit-policy"])
        # the limit that was reached is the address's of the letter, which auth counts
        self.assertIn('"login-name";q=5;w=60', last.headers["ratelimit-policy"])
        # t is when there is one more: what Retry-After says, and never beyond the window
        self.assertIn(f'"login-name";r=0;t={last.headers["retry-after"]}', last.headers["ratelimit"])
        self.assertLessEqual(int(last.headers["retry-after"]), 12)  # 60 s for 5
        for answer in answers:
            windows = dict(re.findall(r'"([\w-]+)";q=\d+;w=(\d+)', answer.headers["ratelimit-policy"]))
            for name, t in re.findall(r'"([\w-]+)";r=\d+;t=(\d+)', answer.headers["ratelimit"]):
                self.assertIn(int(t), range(1, int(windows[name]) + 1), answer.headers["ratelimit"])
        # another account from the same address is still let in, until the address is full
        # (every 3 s makes room for one more, and hashes may take their time)
        statuses = []
        while statuses[-1:] != [429] and len(statuses) < 100:
            email = f"n{len(statuses)}@example.com"
            statuses.append(anybody.post("/api/v1/auth/login", {**body, "email": email}).status)
        self.assertEqual(statuses[:10], [401] * 10)
        self.assertEqual(statuses[-1], 429)
        asks = [anybody.post("/api/v1/auth/password/forgot", {"email": "nobody@example.com"})
                for _ in range(4)]
        self.assertEqual({a.status for a in asks[:3]}, {204})
        last = self.check_problem(asks[3], 429, "RATE")
        self.assertIn('"reset-name";q=3;w=3600', last.headers["ratelimit-policy"])
        self.assertIn(f'"reset-name";r=0;t={last.headers["retry-after"]}', last.headers["ratelimit"])
        self.assertIn(int(last.headers["retry-after"]), range(1140, 1202))
        self.assertIn("RateLimit", [h.title().replace("Ratelimit", "RateLimit") for h in last.headers])

    def test_who_is_no_member_takes_nothing_of_a_tenants_limits(self):
        ada, eve = self.host, self.stack.sign_up("eve", verified=False)
        at = f"/api/v1/tenants/{self.stack.found(ada)}"
        body = {"email": "ned@example.com", "role": "member"}
        there, nowhere = [eve.post(f"{path}/invitations", body)
                          for path in (at, f"/api/v1/tenants/{uuid.uuid4()}")]
        for answer in (there, nowhere):
            self.check_problem(answer, 404, "NOT_FOUND")
            self.assertNotIn("tenant-", answer.headers["ratelimit-policy"])
        # Each id is one she has not tried, and all count as hers.
        statuses = []
        while statuses[-1:] != [429] and len(statuses) < 80:
            statuses.append(eve.post(f"/api/v1/tenants/{uuid.uuid4()}/invitations", body).status)
        self.assertEqual((statuses[0], statuses[-1]), (404, 429))
        invited = ada.post(f"{at}/invitations", body)
        self.assertEqual(invited.status, 201, invited)
        self.assertRegex(invited.headers["ratelimit"], r'"tenant-invite";r=599\b')

    def test_letters_to_strangers_and_questions_after_them_are_few(self):
        ada = self.writer
        at, other = [f"/api/v1/tenants/{self.stack.found(ada)}" for _ in range(2)]
        invited = ada.post(f"{at}/invitations", {"email": "bob@example.com", "role": "member"})
        self.assertEqual(invited.status, 201, invited)
        # To one address a few a day, whoever asks.
        statuses = []
        while statuses[-1:] != [429] and len(statuses) < 20:
            last = ada.post(f"{at}/invitations/{invited['id']}/resend")
            statuses.append(last.status)
        self.check_problem(last, 429, "RATE")
        self.assertEqual(statuses, [200] * 9 + [429])
        self.assertIn('"recipient-invite";q=10;w=86400', last.headers["ratelimit-policy"])
        # To all together some an hour, whichever organisation they go through.
        for i in range(70):
            where = (at, other)[i % 2]
            last = ada.post(f"{where}/invitations", {"email": f"c{i}@example.com", "role": "member"})
            statuses.append(last.status)
            if last.status == 429:
                break
        self.check_problem(last, 429, "RATE")
        self.assertIn(statuses.count(200) + statuses.count(201), range(58, 64))  # one comes back a minute
        self.assertIn('"account-invite";q=60;w=3600', last.headers["ratelimit-policy"])
        self.assertIn('"tenant-invite";q=600;w=3600', last.headers["ratelimit-policy"])
        for where, email in ("invitations", "eve@example.com"), ("members", "bob@example.com"):
            for tenant in (at, other):
                self.check_problem(ada.post(f"{tenant}/{where}", {"email": email, "role": "member"}), 429, "RATE")
        self.assertEqual(ada.get(f"{at}/invitations").status, 200)  # the rest goes on

    def test_whoever_has_not_proven_an_address_writes_to_nobody(self):
        eve = self.stack.sign_up("eve", verified=False)
        at = f"/api/v1/tenants/{self.stack.found(eve)}"
        made = eve.post(f"{at}/api-keys", {"name": "k", "permissions": [
            "tenants.invitation.create", "tenants.member.add"]})
        self.assertEqual(made.status, 201, made)
        for caller in (eve, self.stack.client(made["key"])):
            for where in ("invitations", "members"):
                self.check_problem(caller.post(f"{at}/{where}", {
                    "email": "bob@example.com", "role": "member"}), 403, "DENIED")


if __name__ == "__main__":
    unittest.main()
