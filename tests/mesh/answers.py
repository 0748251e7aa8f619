"""answers.py - every status of HTTP's own through the real door, who the client is
behind proxies, and that no secret leaves by log, environment or /proc. (Over 400 lines:
many short talks, none of which needs another.)"""
import glob
import json
import os
import re
import socket
import time

from case import MeshCase

HOST = b"Host: localhost\r\n"
# What each answer carries, whoever makes it.
EVERYWHERE = ("x-request-id", "traceparent", "x-content-type-options", "referrer-policy",
              "content-security-policy", "cross-origin-opener-policy", "cross-origin-resource-policy")
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST
JSON = b"Content-Type: application/json\r\n"


class Statuses(MeshCase):
    settings = {"TRELLIS_RATE_SCALE": "1000", "TRELLIS_HTTP_MAX_PER_ADDRESS": "64",
                "TRELLIS_CORS_ORIGINS": "https://app.example"}

    def ask(self, request):
        """The one answer to bytes on a connection of their own: status, headers, body."""
        head, _, body = self.stack.send(request).partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines[1:])}
        return int(lines[0][9:12]), headers, body

    def test_each_refusal_is_a_problem(self):
        # 408 is bad_input.py's case 10, 429 limits.py's, 503 below. There is no
        # 421: no answer is made from Host (case 46), so any name may lead here.
        for status, code, closes, request in (
            (400, "MALFORMED", True, b"GET /livez HTTP/1.1\r\n"),
            (401, "UNAUTHENTICATED", False, b"GET /api/v1/me HTTP/1.1\r\n" + HOST),
            (404, "NOT_FOUND", False, b"GET /nothing HTTP/1.1\r\n" + HOST),
            (405, "METHOD_NOT_ALLOWED", False, b"DELETE /api/v1/auth/login HTTP/1.1\r\n" + HOST),
            (406, "NOT_ACCEPTABLE", False,
             b"GET /api/v1/me HTTP/1.1\r\nAccept: image/png\r\n" + HOST),
            (411, "LENGTH_REQUIRED", False, LOGIN + JSON),
            (413, None, True, LOGIN + JSON + b"Content-Length: 99999999\r\n"),
            (414, None, True, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST),
            (415, None, False, LOGIN + b"Content-Type: text/plain\r\nContent-Length: 2\r\n"),
            (417, None, True, LOGIN + JSON + b"Expect: tea\r\nContent-Length: 2\r\n"),
            (431, None, True, b"GET /livez HTTP/1.1\r\nX: " + b"a" * 17000 + b"\r\n" + HOST),
            (501, None, True, LOGIN + JSON + b"Transfer-Encoding: zip, chunked\r\n"),
            (505, None, True, b"GET /livez HTTP/2.0\r\n" + HOST),
        ):
            with self.subTest(status):
                if not closes:
                    request += b"Connection: close\r\n"
                got, headers, body = self.ask(request + b"\r\n" + (b"{}" if status == 415 else b""))
                self.assertEqual(got, status, body)
                self.assertEqual(headers["content-type"], "application/problem+json")
                self.assertEqual(int(headers["content-length"]), len(body))
                self.assertEqual(headers["connection"], "close")
                for name in EVERYWHERE:
                    self.assertTrue(headers.get(name), (name, headers))
                problem = json.loads(body)
                self.assertEqual(headers["traceparent"].split("-")[1], problem["trace_id"])
                self.assertEqual(problem["status"], status)
                self.assertTrue(problem["title"] and problem["code"])
                if code:
                    self.assertEqual(problem["code"], code)
                if status == 405:
                    self.assertEqual(headers["allow"], "POST, OPTIONS")
                if status == 401:
                    self.assertIn("Bearer", headers["www-authenticate"])

    def test_what_the_edge_itself_has_is_read_only(self):
        for path in (b"/livez", b"/readyz", b"/api/v1/openapi.json", b"/problems/not-found"):
            for method, status in ((b"GET", 200), (b"HEAD", 200), (b"POST", 405), (b"OPTIONS", 204)):
                got, headers, _ = self.ask(method + b" " + path + b" HTTP/1.1\r\n" + HOST +
                                           b"Connection: close\r\n\r\n")
                self.assertEqual(got, status, (method, path))
                self.assertEqual(headers.get("allow"), None if status == 200 else "GET, HEAD, OPTIONS")

    def test_a_server_may_be_asked_what_it_takes(self):
        got, headers, body = self.ask(b"OPTIONS * HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        self.assertEqual((got, body), (204, b""))
        self.assertEqual(headers["allow"], "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        for method in (b"GET", b"POST"):
            got, _, _ = self.ask(method + b" * HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
            self.assertEqual(got, 400)

    def test_the_instance_is_a_reference_whatever_was_asked_for(self):
        for target, status, instance in (
            (b"/a%20b", 404, "/a%20b"), (b"http://other.example:80/nothing?x=1", 404, "/nothing"),
            (b"http://other.example", 404, "/"), (b"/\"<>\\^`{|}", 400, "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
            (b"//evil.example/x", 404, "/%2Fevil.example/x"), (b"/%zz", 400, "/%25zz"), (b"*", 400, None),
            (b"nothing", 400, None)):
            with self.subTest(target):
                got, _, body = self.ask(b"GET " + target + b" HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
                self.assertEqual((got, json.loads(body).get("instance")), (status, instance), body)

    def test_cookies_may_stand_on_several_lines(self):
        ada = self.stack.sign_up()
        cookie = b"Cookie: __Host-session=" + ada.token.encode() + b"\r\n"
        for lines in (cookie, b"Cookie: a=b\r\n" + cookie, cookie + b"Cookie: a=b\r\n",
                      b"Cookie: a=b\r\nCookie: c=d\r\n" + cookie):
            got, _, _ = self.ask(b"GET /api/v1/me HTTP/1.1\r\nConnection: close\r\n" + HOST + lines + b"\r\n")
            self.assertEqual(got, 200, lines)

    def test_a_type_with_a_weight_of_0_is_not_sent(self):
        for accept, status in (("application/json;q=0", 406), ("application/json; q=0.000", 406),
                               ("application/json;q=0, */*", 406), ("*/*;q=0", 406),
                               ("*/*, application/json;charset=utf-8;Q=0", 406),
                               ("application/*;q=0, */*", 406), ("image/png, text/*", 406),
                               ("application/*;q=0, application/json", 401),
                               ("application/json;q=0.001", 401), ("text/html, */*;q=0.1", 401),
                               ("", 401)):
            with self.subTest(accept):
                got, _, _ = self.ask(b"GET /api/v1/me HTTP/1.1\r\nAccept: " + accept.encode() +
                                     b"\r\nConnection: close\r\n" + HOST + b"\r\n")
                self.assertEqual(got, status)

    def test_if_match_holds_where_one_of_its_tags_is_current(self):
        ada = self.stack.sign_up()
        for tags, status in (
            ('"7007", "{now}"', 200), ('"{now}","7007"', 200), ('"a, b" , W/"1","{now}"', 200),
            ('W/"{now}"', 412), ('"7007", W/"{now}", "7008"', 412), ('"0{now}", "+{now}", ""', 412),
            ("{now}", 412), ('"7007" "{now}"', 412), (", ".join('"9%d"' % i for i in range(8)), 412),
            (", ".join('"9%d"' % i for i in range(7)) + ', "{now}"', 200),
            (", ".join('"9%d"' % i for i in range(8)) + ', "{now}"', 400),
        ):
            now = ada.get("/api/v1/me")["version"]
            answer = ada.patch("/api/v1/me", {"display_name": f"Ada {now}"},
                               If_Match=tags.replace("{now}", str(now)))
            self.assertEqual(answer.status, status, (tags, answer))
            self.assertEqual(ada.get("/api/v1/me")["version"], now + (status == 200), tags)

    def test_if_none_match_is_not_ignored_where_something_is_changed(self):
        ada = self.stack.sign_up()
        at = f"/api/v1/tenants/{self.stack.found(ada)}"
        for verb, path, body in (("PATCH", at, {"display_name": "B"}), ("DELETE", at, None),
                                 ("POST", at + "/invitations", {"email": "a@b.example", "role": "viewer"}),
                                 ("PUT", "/api/v1/notification-preferences", {"choices": []})):
            for tags in ("*", '"1"', 'W/"7"'):
                answer = ada.call(verb, path, body, {"If-None-Match": tags})
                self.check_problem(answer, 400, "MALFORMED")
        self.assertEqual(ada.get(at)["display_name"], "Acme")
        self.assertEqual(ada.get(at, If_None_Match="*").status, 304)

    def test_who_sent_a_token_is_told_what_is_wrong_with_it(self):
        ada = self.stack.sign_up()
        at = f"/api/v1/tenants/{self.stack.found(ada)}"
        key = ada.post(at + "/api-keys", {"name": "k", "permissions": ["tenants.tenant.read"]})["key"]
        realm, bad = 'Bearer realm="trellis"', 'Bearer realm="trellis", error="invalid_token"'
        for sent, path, status, told in (
            (None, "/api/v1/me", 401, realm), ("Basic YTpi", "/api/v1/me", 401, realm),
            ("Bearer x", "/api/v1/me", 401, bad), ("Bearer ", "/api/v1/me", 401, realm),
            ("Bearer trs_" + "Q" * 43, at, 401, bad), (f"Bearer {key[:-1]}!", at, 401, bad),
            (f"Bearer {key}", at, 200, None), (f"Bearer {key}", "/api/v1/tenants/" + "1" * 36, 404, None),
            (f"Bearer {key}", "/api/v1/me", 403, realm + ', error="insufficient_scope"'),
            (f"Bearer {key}", at + "/members", 403,
             realm + ', error="insufficient_scope", scope="tenants.member.list"'),
        ):
            answer = self.stack.client().call("GET", path, headers={"Authorization": sent})
            self.assertEqual((answer.status, answer.headers.get("www-authenticate")), (status, told), sent)
        wrong = self.stack.client().post("/api/v1/auth/login", {"email": ada.email, "password": "not it at all"})
        self.assertEqual((wrong.status, wrong.headers["www-authenticate"]), (401, realm))

    def test_what_depends_on_the_origin_says_so(self):
        own = f"http://127.0.0.1:{self.stack.port}"
        upload = "/api/v1/uploads/01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21"
        for origin, allowed in ((None, None), ("https://app.example", "https://app.example"), (own, own),
                                ("https://evil.example", None)):
            for verb, path, status in (("GET", "/livez", 200), ("GET", "/api/v1/openapi.json", 200),
                                       ("GET", "/api/v1/me", 401), ("GET", "/nothing", 404), ("OPTIONS", "/livez", 204),
                                       ("OPTIONS", "/api/v1/me", 204), ("OPTIONS", upload, 204)):
                answer = self.stack.client().call(verb, path, headers={"Origin": origin})
                self.assertEqual((answer.status, answer.headers["vary"]), (status, "Origin, Accept-Encoding"))
                self.assertEqual(answer.headers.get("access-control-allow-origin"), allowed)
                self.assertEqual(answer.headers.get("accept-patch"), {
                    ("OPTIONS", "/api/v1/me"): "application/merge-patch+json, application/json",
                    ("OPTIONS", upload): "application/offset+octet-stream"}.get((verb, path)))

    def test_a_client_that_asks_first_is_told_to_go_on(self):
        with socket.create_connection(("127.0.0.1", self.stack.port), timeout=10) as raw:
            raw.sendall(LOGIN + JSON + b"Expect: 100-continue\r\nConnection: close\r\n"
                        b"Content-Length: 2\r\n\r\n")
            self.assertEqual(raw.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
            raw.sendall(b"{}")
            self.assertTrue(raw.recv(4096).startswith(b"HTTP/1.1 422 "))

    def test_connections_of_one_address_beyond_the_limit_get_503(self):
        held = []
        try:
            for _ in range(64):
                held.append(socket.create_connection(("127.0.0.1", self.stack.port), timeout=10))
            status, headers, body = self.ask(b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertEqual((status, json.loads(body)["status"]), (503, 503))
            self.assertEqual(headers["connection"], "close")
        finally:
            for one in held:
                one.close()
        deadline = time.monotonic() + 30
        while self.ask(b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")[0] != 200:
            self.assertLess(time.monotonic(), deadline)

    def test_a_preflight_is_answered_for_each_route_and_no_other_origin(self):
        anybody = self.stack.client()
        for path, verbs in anybody.get("/api/v1/openapi.json")["paths"].items():
            real = re.sub(r"{\w+}", "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21", path)
            for origin, allowed in (("https://app.example", True), ("https://app.example.evil", False),
                                    ("null", False), ("http://app.example", False)):
                answer = anybody.call("OPTIONS", real, headers={
                    "Origin": origin, "Access-Control-Request-Method": "POST"})
                self.assertEqual(answer.status, 204, path)
                self.assertEqual(answer.headers.get("access-control-allow-origin"),
                                 origin if allowed else None)
                self.assertNotEqual(answer.headers.get("access-control-allow-origin"), "*")
                if allowed:
                    for verb in verbs:
                        self.assertIn(verb.upper(), answer.headers["access-control-allow-methods"])
                    self.assertIn("Origin", answer.headers["vary"])
        # Of what the edge itself has, too: a page reads the document, and asks whether it changed.
        for path in ("/livez", "/readyz", "/api/v1/openapi.json", "/problems/not-found"):
            for origin, told in (("https://app.example", "GET, HEAD, OPTIONS"), ("https://evil.example", None)):
                answer = anybody.call("OPTIONS", path, headers={
                    "Origin": origin, "Access-Control-Request-Method": "GET",
                    "Access-Control-Request-Headers": "if-none-match"})
                self.assertEqual((answer.status, answer.body), (204, b""), path)
                self.assertEqual(answer.headers.get("access-control-allow-methods"), told)
                self.assertEqual(answer.headers.get("access-control-allow-origin"), told and origin)
                self.assertEqual("If-None-Match" in answer.headers.get("access-control-allow-headers", ""),
                                 bool(told))
        for path in ("/problems/no-such-thing", "/problems/"):
            self.check_problem(anybody.call("OPTIONS", path), 404)
        self.check_problem(anybody.call("OPTIONS", "/nothing", headers={
            "Origin": "https://app.example", "Access-Control-Request-Method": "GET"}), 404)


class Hops(MeshCase):
    settings = {"TRELLIS_RATE_SCALE": "1000", "TRELLIS_TRUSTED_HOPS": "2", "TRELLIS_LOG_LEVEL": "debug",
                "TRELLIS_PUBLIC_URL": "https://app.example/trellis"}

    def test_this_server_is_what_people_call_it_whatever_host_the_proxy_passes(self):
        ada = self.stack.sign_up()
        made = self.stack.client().post("/api/v1/auth/login", {
            "email": ada.email, "password": ada.password, "cookie": True})
        cookie = made.headers["set-cookie"].split(";")[0]
        csrf = self.stack.client(Cookie=cookie).get("/api/v1/me")["csrf_token"]
        for host in ("app.example", "app.example:443", f"127.0.0.1:{self.stack.port}"):
            browser = self.stack.client(Cookie=cookie, Host=host)
            for origin, ours in (("https://app.example", True), ("http://app.example", False),
                                 ("https://app.example:443", False), (f"http://{host}", False),
                                 ("https://app.example/trellis", False), ("null", False)):
                with self.subTest(host=host, origin=origin):
                    read = browser.get("/api/v1/me", Origin=origin)
                    self.assertEqual(read.headers.get("access-control-allow-origin"),
                                     origin if ours else None)
                    wrote = browser.patch("/api/v1/me", {"display_name": "A"}, Origin=origin,
                                          X_CSRF_Token=csrf)
                    self.assertEqual(wrote.status, 200 if ours else 403, wrote)

    def test_a_refusal_at_the_door_tells_what_was_read(self):
        trace, mine = b"ab" * 16, (b"X-Request-Id: my-id\r\ntraceparent: 00-" + b"ab" * 16 + b"-" + b"cd" * 8 +
                                   b"-01\r\nOrigin: https://app.example\r\n")
        for request, read in (
            (LOGIN + mine + b"Transfer-Encoding: foo\r\n", "/api/v1/auth/login"),  # whole, and no body is known
            (b"GET /livez HTTP/1.1\r\n" + mine, "/livez"),  # whole, without a host
            (b"GET /livez HTTP/1.1\r\n" + mine + HOST + b"Bad Header: 1\r\n", None),
        ):
            with self.subTest(request):
                head, _, body = self.stack.send(request + b"\r\n").partition(b"\r\n\r\n")
                headers = {name.lower(): value.strip() for name, _, value in
                           (line.partition(":") for line in head.decode("ascii").split("\r\n")[1:])}
                problem = json.loads(body)
                self.assertEqual(problem.get("instance"), read)
                self.assertEqual(headers["x-request-id"] == "my-id", bool(read))
                self.assertEqual(problem["trace_id"] == trace.decode(), bool(read))
                self.assertEqual(headers["traceparent"].split("-")[1], problem["trace_id"])
                self.assertEqual("access-control-allow-origin" in headers, bool(read))
                self.assertIn("max-age=", headers["strict-transport-security"])
                self.assertIn(problem["trace_id"], self.stack.logs())

    def test_the_client_is_what_the_outermost_trusted_proxy_saw(self):
        ada = self.stack.sign_up()
        body = json.dumps({"email": ada.email, "password": ada.password}).encode()
        for lines, seen in (
            ([], "127.0.0.1"),
            (["203.0.113.9, 10.0.0.1"], "203.0.113.9"),
            (["6.6.6.6, 203.0.113.10, 10.0.0.1"], "203.0.113.10"),
            # a proxy's own line after the client's
            (["6.6.6.6", "203.0.113.11", "10.0.0.1"], "203.0.113.11"),
            (["6.6.6.6, 203.0.113.12", "10.0.0.1"], "203.0.113.12"),
            (["2001:db8::7 ,10.0.0.1"], "2001:db8::7"),
            (["203.0.113.13"], "203.0.113.13"),
            (["not an address, 10.0.0.1"], "127.0.0.1"),
            (["'; drop table session --, 10.0.0.1"], "127.0.0.1"),
            ([","], "127.0.0.1"),
        ):
            forwarded = "".join(f"X-Forwarded-For: {line}\r\n" for line in lines).encode()
            received = self.stack.send(LOGIN + JSON + forwarded + b"Connection: close\r\n"
                                       b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            made = json.loads(received.partition(b"\r\n\r\n")[2])
            listed = self.stack.client(made["session"]["token"]).get("/api/v1/me/sessions?page_size=100")
            entry = [s for s in listed["items"] if s["current"]]
            self.assertEqual([s["address"] for s in entry], [seen], lines)


class Direct(MeshCase):
    def test_without_trusted_hops_nobody_names_his_address(self):
        ada = self.stack.sign_up()
        login = {"email": ada.email, "password": ada.password}
        made = self.stack.client(**{"X-Forwarded-For": "203.0.113.9"}).post("/api/v1/auth/login", login)
        listed = self.stack.client(made["session"]["token"]).get("/api/v1/me/sessions")
        self.assertEqual({s["address"] for s in listed["items"]}, {"127.0.0.1"})


class Secrets(MeshCase):
    """Case 59, and log injection."""

    settings = {"TRELLIS_RATE_SCALE": "1000", "TRELLIS_LOG_LEVEL": "debug"}

    def all_logs(self):
        text = ""
        for path in glob.glob(os.path.join(self.stack.folder, "*.log")):
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                text += file.read()
        return text

    def secrets_in_use(self):
        """Does what has to do with secrets, well and badly; gives all of them."""
        ada = self.stack.sign_up("ada")
        found = [ada.password, ada.token, self.stack.mail_token(ada.email)]
        login = {"email": ada.email, "password": ada.password}
        cookie = self.stack.client().post("/api/v1/auth/login", {**login, "cookie": True})
        found.append(cookie.headers["set-cookie"].split("=", 1)[1].split(";")[0])
        wrong = "wrong horse battery 12345"
        self.stack.client().post("/api/v1/auth/login", {**login, "password": wrong})
        self.stack.client().post("/api/v1/auth/login", {**login, "password": wrong, "more": wrong})
        self.stack.client().post("/api/v1/auth/login", {"email": wrong, "password": [wrong]})
        self.stack.client().call("POST", "/api/v1/auth/login", raw=b'{"password": "%s' % wrong.encode())
        found.append(wrong)
        self.stack.client().get(f"/api/v1/me?token={wrong.replace(' ', '+')}")
        self.stack.client().post("/api/v1/auth/password/forgot", {"email": ada.email})
        for kind in ("email/verify", "password/reset"):
            bad = "tok_" + os.urandom(16).hex()
            self.stack.client().post(f"/api/v1/auth/{kind}", {"token": bad, "password": wrong})
            found.append(bad)
        unknown = "trs_" + "Q" * 43
        self.stack.client(unknown).get("/api/v1/me")
        found.append(unknown)
        at = f"/api/v1/tenants/{self.stack.found(ada)}"
        key = ada.post(at + "/api-keys", {"name": "k", "permissions": ["tenants.tenant.read"]})["key"]
        self.stack.client(key).get(at)
        self.stack.client(key[:-1] + "!").get(at)
        found += [key, key[40:]]
        bob = self.stack.sign_up("bob")
        ada.post(at + "/invitations", {"email": bob.email, "role": "viewer"})
        found.append(self.stack.mail_token(bob.email))
        for name in os.listdir(self.stack.folder):
            path = os.path.join(self.stack.folder, name)
            if re.fullmatch(r"seal|pepper|\w+-\w+", name) and os.path.isfile(path):
                with open(path, encoding="ascii") as file:
                    found += [line.split(":")[-1].strip() for line in file if line.strip()]
        return [secret for secret in found if secret]

    def test_no_secret_in_logs_environments_or_command_lines(self):
        secrets = self.secrets_in_use()
        self.assertGreaterEqual(len(secrets), 12)
        seen = {"the logs": self.all_logs()}
        for name, process in self.stack.processes.items():
            for what in ("environ", "cmdline"):
                with open(f"/proc/{process.pid}/{what}", encoding="utf-8", errors="replace") as file:
                    seen[f"{what} of {name}"] = file.read()
            with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
                core = [line.split() for line in file if line.startswith("Max core")]
            self.assertEqual(core[0][4:6], ["0", "0"], "a core could be written")
        for where, text in seen.items():
            for secret in secrets:
                self.assertNotIn(secret, text, f"a secret in {where}")

    def test_what_clients_send_stays_inside_one_line(self):
        evil = "x\x1b[31m\r\n{\"body\":\"error\"}\u2028"
        anybody = self.stack.client()
        anybody.get("/api/v1/me", X_Request_Id="a\x1b[31mred", User_Agent="x\x1b[0m")
        anybody.get("/api/v1/me%0d%0a%1b")
        anybody.get("/api/v1/me?a=%0d%0a%1b[31m")
        anybody.get("/api/v1/me", traceparent="00-" + "g\x1b" * 30)
        anybody.post("/api/v1/auth/login", {"email": evil, "password": evil})
        anybody.post("/api/v1/auth/signup", {"email": self.stack.new_email(), "display_name": evil,
                                             "password": "correct horse battery"})
        anybody.post("/api/v1/auth/login", {evil: evil})
        self.stack.send(b"GET /\x1b[31m HTTP/1.1\r\n\r\n")
        self.stack.send(b"GET /livez HTTP/1.1\r\nX: " + b"\x1b" * (1 << 20) + b"\r\n\r\n", 5)
        ada = self.stack.sign_up()
        ada.post("/api/v1/tenants", {"slug": "x", "display_name": evil})
        lines = self.all_logs().rstrip("\n").split("\n")
        self.assertGreater(len(lines), 3)
        for line in lines:
            json.loads(line)
            self.assertNotRegex(line, r"[\x00-\x1f\x7f]")
            self.assertLessEqual(len(line.encode(errors="surrogateescape")), 8192)


class Probes(MeshCase):
    def test_case_60_a_probe_of_the_bus_ports_has_no_effect(self):
        ports = [*self.stack.bus.values(), *self.stack.notices.values()]
        if self.transport == "inproc":  # it listens for the operator's command alone
            for port in self.stack.notices.values():
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port), timeout=20)
        ada = self.stack.sign_up()
        said = (b"", b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\0" * 64,
                b"\0SP\0\0\x30\0\0", b"\0SP\0\0\x31\0\0" + b"\0\0\0\0\0\0\0\x10" + b"\xff" * 16,
                b"\0SP\0\0\x31\0\0" + b"\x7f" + b"\xff" * 7)
        open_ports = 0
        for port in ports:
            for data in said * 5:
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
                        raw.sendall(data)
                        open_ports += 1
                except ConnectionError:
                    pass
            self.assertEqual(ada.get("/api/v1/me").status, 200)
        self.assertGreater(open_ports, 0)
        self.stack.found(ada)
        for name, process in self.stack.processes.items():
            self.assertIsNone(process.poll(), name)
