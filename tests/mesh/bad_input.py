"""bad_input.py - the bad inputs of docs/reliability (HTTP 1-12, JSON 13-18, SQL 26-31,
Auth 43-49, Tenancy 50-53) at the door: the right problem, and nothing of the inside.
(Over 400 lines: the cases of one list, in its order.)"""
import json
import resource
import selectors
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from case import MeshCase
from common import wait_for

HOST = b"Host: localhost\r\n"


def status_of(received):
    return int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else None


class Http:
    def refused(self, request, *statuses):
        """One answer of that status, a problem document, and the connection closed."""
        received = self.stack.send(request)
        self.assertIn(status_of(received), statuses, received[:400])
        self.assertEqual(received.count(b"HTTP/1.1 "), 1, received[:800])
        head, _, body = received.partition(b"\r\n\r\n")
        self.assertIn(b"application/problem+json", head)
        self.assertIn(b"connection: close", head.lower())
        problem = json.loads(body)
        self.assertEqual(problem["status"], status_of(received))
        self.assertRegex(problem["trace_id"], "^[0-9a-f]{32}$")

    def get(self, *lines, path=b"/livez"):
        return b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n"

    def post(self, *lines, body=b""):
        return b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n" + body

    # case 1
    def test_01_both_length_and_chunks(self):
        self.refused(self.post(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
                               body=b"0\r\n\r\nGET /livez HTTP/1.1\r\n" + HOST + b"\r\n"), 400)

    # case 2
    def test_02_two_lengths(self):
        self.refused(self.post(b"Content-Length: 2\r\n", b"Content-Length: 3\r\n", body=b"{}x"), 400)
        self.refused(self.post(b"Content-Length: 2, 3\r\n", body=b"{}x"), 400)
        for length in (b"-1", b"+2", b"2 2", b"0x2", b"99999999999999999999", b""):
            self.refused(self.post(b"Content-Length: " + length + b"\r\n", body=b"{}"), 400, 413)

    # case 3
    def test_03_codings_that_are_not_ours(self):
        for coding, status in ((b"xchunked", 400), (b"gzip, chunked", 501), (b"chunked, identity", 400),
                               (b"identity", 400), (b"\x0bchunked", 400), (b"chunked, gzip", 400),
                               (b"gzip", 400), (b"chunked, chunked", 400), (b"", 400)):
            self.refused(self.post(b"Transfer-Encoding: " + coding + b"\r\n", body=b"0\r\n\r\n"), status)

    # case 4
    def test_04_names_of_headers(self):
        for line in (b"X-A : 1\r\n", b": 1\r\n", b"X A: 1\r\n", b"X-\x00A: 1\r\n"):
            self.refused(self.get(line), 400)

    # case 5
    def test_05_values_of_headers(self):
        for line in (b"X-A: 1\r\n folded\r\n", b"X-A: a\rb\r\n", b"X-A: a\x00b\r\n"):
            self.refused(self.get(line), 400)

    # case 6
    def test_06_host(self):
        self.refused(b"GET /livez HTTP/1.1\r\n\r\n", 400)
        self.refused(b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)

    def test_a_field_that_may_stand_once_is_not_taken_from_its_first_line(self):
        ada = self.stack.sign_up()
        one, other = (self.stack.found(ada, name).encode() for name in ("One", "Other"))
        said = b"Authorization: Bearer " + ada.token.encode() + b"\r\n"
        for lines in ((said, b"X-Tenant-Id: " + one + b"\r\n", b"X-Tenant-Id: " + other + b"\r\n"),
                      (said, said), (said, b"Origin: https://a.example\r\n", b"Origin: https://b.example\r\n"),
                      (said, b"Idempotency-Key: a\r\n", b"Idempotency-Key: b\r\n"),
                      (said, b"X-CSRF-Token: a\r\n", b"X-CSRF-Token: b\r\n")):
            self.refused(self.get(*lines, path=b"/api/v1/templates/member_updated/en"), 400)

    # case 7
    def test_07_bare_line_feeds(self):
        self.refused(b"GET /livez HTTP/1.1\nHost: a\n\n", 400)
        self.refused(self.post(b"Transfer-Encoding: chunked\r\n",
                               b"Content-Type: application/json\r\n", body=b"2\n{}\n0\n\n"), 400)

    # case 8
    def test_08_paths(self):
        anybody = self.stack.client()
        for path in ("/api/v1/%00", "/api/v1/%2e%2e/me", "/api/v1/%252e%252e/me", "/api/v1/../me",
                     "/api/v1/./me", "/api/v1/%ff%fe", "/api/v1/%c0%ae", "/api/v1/%zz", "/api/v1/me%",
                     "/api/v1/a%2fb", "/api/v1/a%5cb", "/api/v1/me%0d%0aX"):
            self.check_problem(anybody.get(path), 400, "MALFORMED")
        for path in ("/api//v1/me", "/api/v1/me/", "/api/v1/ME", "/API/v1/me", "/", "/api/v1"):
            self.check_problem(anybody.get(path), 404, "NOT_FOUND")
        for query in ("a", "page_size=%zz", "page_size=%00", "page_token=%ff", "&&=&"):
            ada = self.stack.sign_up() if query == "a" else ada  # noqa: F821
            self.assertIn(ada.get("/api/v1/me/sessions?" + query).status, (400, 422))

    # case 9
    def test_09_sizes(self):
        self.refused(self.get(b"X-A: " + b"a" * 17000 + b"\r\n"), 431)
        self.refused(self.get(*[b"X-%d: 1\r\n" % i for i in range(101)]), 431)
        self.refused(self.get(path=b"/" + b"a" * 9000), 414)
        # refused before it is read: the declared body never comes
        self.refused(self.post(b"Content-Type: application/json\r\n",
                               b"Content-Length: 10000000\r\n"), 413)
        chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
        received = self.stack.send(self.post(b"Content-Type: application/json\r\n",
                                             b"Transfer-Encoding: chunked\r\n", body=chunk * 8))
        self.assertEqual(status_of(received), 413, received[:300])

    # case 10
    def test_ten_seconds_are_for_a_head_that_drips(self):
        received, seconds = self.dripped.result()
        self.assertEqual(status_of(received), 408, received)
        self.assertLess(seconds, 40)  # ten are promised

    # case 11
    def test_11_methods(self):
        for method in ("TRACE", "CONNECT", "get", "BREW"):
            received = self.stack.send(method.encode() + b" /api/v1/me HTTP/1.1\r\n" + HOST +
                                       b"Connection: close\r\n\r\n")
            self.assertIn(status_of(received), (400, 405, 501), method)
        self.refused(b"GE(T / HTTP/1.1\r\n" + HOST + b"\r\n", 400)
        answer = self.stack.client().delete("/api/v1/auth/login")
        self.check_problem(answer, 405, "METHOD_NOT_ALLOWED")
        self.assertEqual(answer.headers["allow"], "POST, OPTIONS")
        self.check_problem(self.stack.client().post("/livez", {}), 405)
        for version in (b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/11"):
            self.refused(b"GET /livez " + version + b"\r\n" + HOST + b"\r\n", 400, 505)

    # case 12
    def test_12_a_thousand_pipelined(self):
        last = b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
        received = self.stack.send(self.get() * 999 + last)
        self.assertEqual(received.count(b"HTTP/1.1 200 OK"), 1000)

    def test_types_of_bodies_and_answers(self):
        anybody = self.stack.client()
        body = b'{"email": "a@example.com", "password": "x"}'
        for type_ in ("text/plain", "application/xml", "application/json; charset=latin-1",
                      "application/x-www-form-urlencoded"):
            answer = anybody.call("POST", "/api/v1/auth/login", raw=body, headers={"Content-Type": type_})
            self.assertEqual(self.check_problem(answer, 415)["detail"],
                             f"A body of the type {type_} is not accepted here; send application/json in UTF-8.")
        answer = anybody.call("POST", "/api/v1/auth/login", raw=body, headers={"Content-Encoding": "gzip"})
        self.check_problem(answer, 415)
        self.check_problem(anybody.get("/api/v1/me", Accept="text/html"), 406)
        self.check_problem(anybody.get("/api/v1/me", Accept="text/html, */*;q=0.1"), 401)

    def test_log_lines_stay_lines(self):
        self.stack.client().get("/api/v1/me", X_Request_Id="a\x1b[31mred", User_Agent="x\x1b[0m")
        for line in self.stack.logs().splitlines():
            if line.startswith("{"):
                json.loads(line)
            self.assertNotIn("\x1b", line)


class Json:
    def send(self, text):
        raw = text if isinstance(text, bytes) else text.encode()
        return self.ada.call("POST", "/api/v1/tenants", raw=raw)

    # case 13
    def test_13_a_doubled_name(self):
        answer = self.send('{"slug": "aaaa", "slug": "bbbb", "display_name": "A"}')
        self.check_problem(answer, 400, "MALFORMED")
        self.check_problem(self.send('{"slug": "aaaa", "sl\\u0075g": "bbbb", "display_name": "A"}'), 400)

    # case 14
    def test_14_depth(self):
        for depth in (33, 1000, 10000):
            self.check_problem(self.send("[" * depth), 400)
            self.check_problem(self.send('{"a":' * depth), 400)
            self.check_problem(self.send("[" * depth + "]" * depth), 400)

    # case 15
    def test_15_numbers(self):
        for number in ("1e400", "9007199254740993", "1.5", "-1", "18446744073709551616"):
            answer = self.ada.get(f"/api/v1/me/sessions?page_size={number}")
            self.assertIn(answer.status, (400, 422), number)
        for number in ("NaN", "Infinity", "1e400"):
            self.check_problem(self.send('{"slug": %s, "display_name": "A"}' % number), 422)
        for number in ("01", "1.", ".5", "0x1", "+1"):
            self.check_problem(self.send('{"slug": %s, "display_name": "A"}' % number), 400)

    # case 16
    def test_16_text_that_is_none(self):
        for text in (b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000\\ud800"', b'"\xff"', b'"\xc0\xaf"',
                     b'"\xed\xa0\x80"', b'"a\nb"', b'"\\x41"'):
            self.check_problem(self.send(b'{"slug": "aaaa", "display_name": ' + text + b"}"), 400)
        self.check_problem(self.send(b'\xef\xbb\xbf{"slug": "aaaa", "display_name": "A"}'), 400)
        # That is JSON (RFC 8259, 7), and a value that is not taken; as a name it is none of ours.
        for text in (r'"\u0000"', r'"a\u0000b"', r'"\u0000\u0000"'):
            answer = self.send('{"slug": "aaaa", "display_name": ' + text + "}")
            self.check_problem(answer, 422, "INVALID")
            self.assertEqual(self.pointers(answer), ["/display_name"])
        self.check_problem(self.send(r'{"sl\u0000ug": "aaaa"}'), 400, "MALFORMED")

    # Whoever names it has named something: it is not "not given", and nobody's id.
    def test_the_nil_uuid_names_nothing(self):
        tenant, nil = self.stack.found(self.ada), str(uuid.UUID(int=0))
        at = f"/api/v1/tenants/{tenant}"
        for path in ("/api/v1/notifications", "/api/v1/notifications/unread-count", "/api/v1/events/stream"):
            answer = self.ada.get(f"{path}?tenant_id={nil}")
            self.check_problem(answer, 422, "INVALID")
            self.assertEqual(answer["errors"], [
                {"pointer": "/tenant_id", "detail": "should be an id of 36 characters"}])
        answer = self.ada.post("/api/v1/notifications/read-all", {"tenant_id": nil})
        self.check_problem(answer, 422, "INVALID")
        self.assertEqual(self.pointers(answer), ["/tenant_id"])
        for answer in (self.ada.get("/api/v1/webhook-endpoints", X_Tenant_Id=nil),
                       self.ada.patch("/api/v1/notification-settings", {"time_zone": "UTC"}, X_Tenant_Id=nil),
                       self.ada.get(at, X_Tenant_Id=nil)):
            self.check_problem(answer, 400, "MALFORMED")
        for path in ("/members/", "/invitations/", "/api-keys/"):
            self.check_problem(self.ada.delete(f"{at}{path}{nil}"), 404)
        self.check_problem(self.ada.get(f"/api/v1/webhook-endpoints/{nil}", X_Tenant_Id=tenant), 404)
        self.check_problem(self.ada.delete(f"/api/v1/me/sessions/{nil}"), 404)

    def test_what_is_not_known_is_told_alike_of_query_and_body(self):
        at = f"/api/v1/tenants/{self.stack.found(self.ada)}"
        body = self.ada.post("/api/v1/tenants", {"a/b": "1", "~": "2"})
        for answer in (body, self.ada.get(at + "/members?a/b=1&~=2"), self.ada.delete(at + "?a%2Fb=1&%7E=2"),
                       self.ada.post("/api/v1/tenants?a/b=1&~=2", {"slug": "aaaa-b", "display_name": "A"})):
            self.check_problem(answer, 400, "MALFORMED")
            self.assertEqual(self.pointers(answer), ["/a~1b", "/~0"])
            self.assertEqual(answer["detail"], body["detail"])

    # case 17
    def test_17_fields_that_are_not_the_clients(self):
        for more in ({"role": "owner"}, {"tenant_id": str(uuid.uuid4())}, {"id": str(uuid.uuid4())},
                     {"version": 7}, {"status": "active"}, {"__proto__": {}}, {"": 1}):
            answer = self.ada.post("/api/v1/tenants", {"slug": "aaaa-bbbb", "display_name": "A", **more})
            self.check_problem(answer, 400, "MALFORMED")
            self.assertTrue(answer.json.get("errors"), answer)
        self.check_problem(self.ada.patch("/api/v1/me", {"clear": ["locale"]}), 400)
        self.check_problem(self.ada.patch("/api/v1/me", {"email_verified": True}), 400)

    # case 18
    def test_18_trailing_empty_and_wrong(self):
        good = '{"slug": "aaaa", "display_name": "A"}'
        for text in (good + " x", good + good, "", " ", "null", "[]", '"x"', "1", "{", '{"slug"}',
                     "{'slug': 1}", "{} //", '{"slug": {}, "display_name": "A"}',
                     '{"slug": ["aaaa"], "display_name": "A"}', '{"slug": null, "display_name": "A"}'):
            self.assertIn(self.send(text).status, (400, 422), text)
            self.check_problem(self.send(text), self.send(text).status)
        self.check_problem(self.send("[" + "1," * 500000 + "1]"), 413)

    def test_values_name_their_places(self):
        answer = self.ada.post("/api/v1/tenants", {"slug": "Not A Slug", "display_name": ""})
        self.check_problem(answer, 422, "INVALID")
        self.assertEqual(sorted(self.pointers(answer)), ["/display_name", "/slug"])
        answer = self.ada.post("/api/v1/tenants", {})
        self.check_problem(answer, 422, "INVALID")


class Sql:
    # case 26
    def test_26_quotes_are_text(self):
        for text in ("'; drop table tenants.tenant; --", "\"'\\", "$1 $tag$ x $tag$", "%_%_", "\\x00",
                     "ünï çødé 🦊", "a' or '1'='1"):
            answer = self.ada.patch(self.at, {"display_name": text})
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(self.ada.get(self.at)["display_name"], text)

    # case 27
    def test_27_unknown_columns(self):
        for query in ("sort=email", "filter=1", "order=;", "page_size=1;drop", "tenant_id=" + str(uuid.uuid4())):
            answer = self.ada.get(f"{self.at}/members?{query}")
            self.assertIn(answer.status, (400, 422), query)

    # case 28: no statement in services/*/sql matches with LIKE or a regular
    # expression; such text is stored as it is (case 26).

    # case 31
    def test_31_numbers_do_not_wrap(self):
        for value in ("9223372036854775808", "4294967296", "4294967297", "-1", "0.001", "1e3"):
            answer = self.ada.get(f"{self.at}/members?page_size={value}")
            self.assertIn(answer.status, (400, 422), value)
        for etag in ('"9223372036854775808"', '"-1"', '"1e3"', '"0x1"', '""', '"1', "1"):
            self.check_problem(self.ada.patch(self.at, {"display_name": "X"}, If_Match=etag), 412)


class Auth:
    # case 45
    def test_45_a_token_after_a_new_password(self):
        bob = self.stack.sign_up("bob")
        for _ in range(3):
            self.assertEqual(bob.get("/api/v1/me").status, 200)
        old = bob.token
        answer = bob.post("/api/v1/auth/password/change", {
            "current_password": bob.password, "password": "quite another password"})
        self.assertEqual(answer.status, 200)
        self.check_problem(self.stack.client(old).get("/api/v1/me"), 401)

    # case 49
    def test_49_a_token_with_one_bit_changed_is_nobodys(self):
        token = self.ada.token
        for at in range(0, len(token), 5):
            for bit in (1, 2, 4, 0x20):
                changed = chr(ord(token[at]) ^ bit)
                if changed.isascii() and changed.isprintable() and changed not in " \t":
                    answer = self.stack.client(token[:at] + changed + token[at + 1:]).get("/api/v1/me")
                    self.check_problem(answer, 401, "UNAUTHENTICATED")
        for other in (token[:-1], token + "A", token.upper(), token[4:], "trl_" + token[4:]):
            self.check_problem(self.stack.client(other).get("/api/v1/me"), 401)
        self.assertEqual(self.ada.get("/api/v1/me").status, 200)

    # case 49; that it ends by itself is services/auth/test_session.c's
    def test_49_an_expired_session_is_nobodys_once_its_copy_is_gone(self):
        bob = self.stack.sign_up("bob")
        self.assertEqual(bob.get("/api/v1/me").status, 200)
        self.stack.sql("update auth.session set expires_at = now() - interval '1 second' "
                       f"where account_id = '{bob.account['id']}'")
        self.stack.redis_cli("flushall")
        self.check_problem(bob.get("/api/v1/me"), 401, "UNAUTHENTICATED")

    # Its bytes go along in each frame, and a service gives up who sends what is no text.
    def test_a_program_may_call_itself_anything(self):
        bob = self.stack.sign_up("bob")
        long = ("x" + "\u00e4" * 120).encode()
        for agent, shown in ((b"caf\xe9", "caf?"), (b"\xff\xfe\xed\xa0\x80", "?????"), (long, "x" + "\u00e4" * 99),
                             (b"a\tb \xe2\x82\xac", "a\tb \u20ac")):
            answer = self.stack.client().call("POST", "/api/v1/auth/login", {
                "email": bob.email, "password": bob.password}, {"User-Agent": agent})
            self.assertEqual(answer.status, 200, answer)
            listed = bob.call("GET", "/api/v1/me/sessions", headers={"User-Agent": agent})
            self.assertIn(shown, [item.get("user_agent") for item in listed["items"]])

    # case 46
    def test_46_links_come_from_the_settings(self):
        raw = (b'POST /api/v1/auth/password/forgot HTTP/1.1\r\nHost: evil.example\r\n'
               b'X-Forwarded-Host: evil.example\r\nContent-Type: application/json\r\n'
               b'Connection: close\r\nContent-Length: %d\r\n\r\n%s')
        bob = self.stack.sign_up("bob")
        body = json.dumps({"email": bob.email}).encode()
        self.assertEqual(status_of(self.stack.send(raw % (len(body), body))), 204)
        wait_for("the mail that was asked for", lambda: any(
            "/auth/password/reset#" in text for text in self.stack.mails(bob.email)))
        for text in self.stack.mails(""):
            self.assertNotIn("evil", text)

    # case 47
    def test_47_a_thousand_log_ins_at_once_leave_the_rest_alone(self):
        body = json.dumps({"email": self.ada.email, "password": "not the password"}).encode()
        request = (b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
                   b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
        storm, received, slowest = [], {}, 0
        with selectors.DefaultSelector() as waiting:
            for _ in range(1000):
                raw = socket.create_connection(("127.0.0.1", self.stack.port), timeout=20)
                storm.append(raw)
                received[raw] = b""
                waiting.register(raw, selectors.EVENT_READ)
            for raw in storm:
                raw.sendall(request)
            deadline = time.monotonic() + 120
            while waiting.get_map():
                self.assertLess(time.monotonic(), deadline)
                started = time.monotonic()
                self.assertEqual(self.ada.get("/api/v1/me").status, 200)
                slowest = max(slowest, time.monotonic() - started)
                for key, _ in waiting.select(0.05):
                    data = key.fileobj.recv(65536)
                    received[key.fileobj] += data
                    if not data:
                        waiting.unregister(key.fileobj)
                        key.fileobj.close()
        statuses = {status_of(answer) for answer in received.values()}
        # 504: under a sanitizer, on a busy machine, a place in the queue is worth more than 5 s.
        self.assertLessEqual(statuses, {401, 429, 503, 504})
        self.assertIn(401, statuses)
        for answer in received.values():
            if status_of(answer) != 401:
                self.assertIn(b"retry-after: ", answer.lower())
        print(f"slowest other request {slowest * 1000:.0f} ms ...", end=" ")
        self.assertLess(slowest, 15)  # its 200 says that the method's five seconds were kept

    # case 48
    def test_48_passwords_are_exact(self):
        anybody = self.stack.client()
        for password in ("  spaces  around  ", "🦊🐻🐼🐨" * 5, "xyz." * 18 + "y" * 30, "pass\twörd\u200b12345"):
            email = self.stack.new_email()
            made = anybody.post("/api/v1/auth/signup", {
                "email": email, "password": password, "display_name": "P"})
            self.assertEqual(made.status, 201, made)
            login = {"email": email, "password": password}
            self.assertEqual(anybody.post("/api/v1/auth/login", login).status, 200)
            self.assertEqual(anybody.post("/api/v1/auth/login", {
                "email": email, "password": password[:-1] + "?"}).status, 401)
            self.assertEqual(anybody.post("/api/v1/auth/login", {
                "email": email, "password": password.strip() + "!"}).status, 401)
        for password in ("short", "x" * 1025, "x" * 40000, ""):
            answer = anybody.post("/api/v1/auth/signup", {
                "email": self.stack.new_email(), "password": password, "display_name": "P"})
            self.check_problem(answer, 422, "INVALID")
        answer = anybody.post("/api/v1/auth/signup", {
            "email": self.stack.new_email(), "password": "x" * (1 << 20), "display_name": "P"})
        self.check_problem(answer, 413)

    def test_addresses_that_are_none(self):
        for email in ("", "a", "a@", "@b", "a b@c.example", "a@b@c.example", "a@b..example",
                      "a@example.com\r\nBcc: x@y.example", "a" * 300 + "@example.com"):
            answer = self.stack.client().post("/api/v1/auth/signup", {
                "email": email, "password": "correct horse battery", "display_name": "P"})
            self.check_problem(answer, 422, "INVALID")
            self.assertIn("/email", self.pointers(answer))


def drip(port):
    """Sends a head byte by byte, until it is answered; gives the answer and how long it took."""
    started, received = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.settimeout(0.5)
        for byte in b"GET /livez HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 100:
            try:
                raw.sendall(bytes([byte]))
                received = raw.recv(4096)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    return received, time.monotonic() - started


class BadInput(Http, Json, Sql, Auth, MeshCase):
    # Password hashes cost what they cost by default.
    settings = {**MeshCase.settings, "TRELLIS_HTTP_MAX_PER_ADDRESS": "2000",
                "TRELLIS_ARGON2_MEMORY_KIB": "65536"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pool = ThreadPoolExecutor(1)  # beside all else
        cls.addClassCleanup(pool.shutdown)
        cls.dripped = pool.submit(drip, cls.stack.port)
        cls.ada = cls.stack.sign_up("ada")
        cls.at = f"/api/v1/tenants/{cls.stack.found(cls.ada)}"
