"""clients.py - clients that take their time, that leave, and that lose their rights while
they are still sending: what they get, what they cost the others, and that none of it looks
like a failure of ours."""
import json
import re
import resource
import socket
import struct
import urllib.request

from case import MeshCase
from common import wait_for

HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", received)]


def all_of(raw):
    """What comes until the server closes."""
    received = b""
    while chunk := raw.recv(65536):
        received += chunk
    return received


class Client(MeshCase):
    def connect(self, source=None):
        raw = socket.create_connection(("127.0.0.1", self.stack.port), timeout=20,
                                       source_address=(source, 0) if source else None)
        self.addCleanup(raw.close)
        return raw

    def reset(self, raw):
        """As a program does that dies: by RST."""
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()

    def request(self, method, path, body=None, token=None, lines=b""):
        head = f"{method} {path} HTTP/1.1\r\n".encode() + HOST + lines
        if token:
            head += f"Authorization: Bearer {token}\r\n".encode()
        if body is None:
            return head + b"\r\n"
        data = json.dumps(body).encode()
        return head + JSON + b"Content-Length: %d\r\n\r\n" % len(data) + data

    def all_but_one_byte(self, *request, source=None, lines=b""):
        """A request whose head the server has and whose last byte is not sent yet, which is
        returned with its connection."""
        data = self.request(*request, lines=b"Expect: 100-continue\r\n" + lines)
        raw = self.connect(source)
        raw.sendall(data[:-1])
        self.assertEqual(raw.recv(4096), GO_ON)
        return raw, data[-1:]


class Waiting(Client):
    """With the limits as they are."""

    def test_bodies_that_do_not_come_cost_the_others_nothing(self):
        ada, waiting = self.stack.sign_up("ada"), []
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(6000, most), most))
        login = {"email": ada.email, "password": ada.password}
        for last in range(2, 9):
            for _ in range(620):
                waiting.append(self.all_but_one_byte("POST", "/api/v1/auth/login", login,
                                                     source=f"127.0.0.{last}"))
        for path in ("/livez", "/readyz"):
            self.assertEqual(self.stack.client().get(path).status, 200)
            at = f"http://127.0.0.1:{self.stack.ops['edge' if self.transport != 'inproc' else 'auth']}{path}"
            with urllib.request.urlopen(at, timeout=10) as answer:
                self.assertEqual(answer.status, 200)
        for _ in range(20):
            self.assertEqual(ada.get("/api/v1/me").status, 200)
        self.assertEqual(self.stack.sign_up("bob").get("/api/v1/me").status, 200)
        raw, rest = waiting[-1]
        raw.sendall(rest)
        self.assertEqual(statuses(raw.recv(4096)), [200])

    def test_what_is_unfinished_is_bounded_by_address(self):
        """64 KiB bodies of 200 connections: an address may leave 8 MiB unfinished."""
        body = {"email": "a@b.example", "password": "x" * 60000}
        data = self.request("POST", "/api/v1/auth/login", body)
        waiting, answers = [self.connect("127.0.0.9") for _ in range(200)], []
        for raw in waiting:
            raw.sendall(data[:-1])
        self.stack.sign_up("eve")
        for raw in waiting:
            try:
                raw.sendall(data[-1:])
            except ConnectionError:
                pass  # it was refused, which can still be read
            answers += statuses(raw.recv(4096))
        self.assertEqual(len(answers), 200)
        self.assertLessEqual(set(answers), {401, 422, 503})
        self.assertGreater(answers.count(503), 20)
        self.assertLess(answers.count(503), 150)

    def test_a_body_without_credentials_is_not_waited_for(self):
        for token in (None, "trs_short", "trl_" + "a" * 70):
            data = self.request("POST", "/api/v1/tenants", {"slug": "x" * 100}, token,
                                b"Expect: 100-continue\r\n")
            raw = self.connect()
            raw.sendall(data[:-1])
            self.assertEqual(statuses(raw.recv(4096)), [401])


class Leaving(Client):
    settings = {**Client.settings, "TRELLIS_LOG_LEVEL": "debug"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)

    def setUp(self):
        self.before = self.failures()
        self.logged = len(self.log())

    def log(self):
        with open(self.stack.log_path(self.stack.names()[-1]), errors="replace") as file:
            return file.read()

    def failures(self):
        return {line.rpartition(" ")[0]: float(line.split()[-1])
                for line in self.stack.metrics("edge").split("\n")
                if re.search(r'^trellis_http_requests_total{.*result="failed"|^trellis_access_degraded_total', line)}

    def tearDown(self):
        self.assertEqual(self.failures(), self.before)
        for line in self.log()[self.logged:].split("\n"):
            self.assertNotIn('"severity_text":"ERROR"', line)
            if '"body":"the loop was held"' not in line:  # it says how busy the machine is
                self.assertNotIn('"severity_text":"WARN"', line)

    def test_a_client_that_has_said_all_is_answered(self):
        token, tenants = self.ada.token, "/api/v1/tenants"
        for _ in range(15):
            for data, status in (
                (self.request("GET", "/api/v1/me", None, token), [200]),
                (self.request("GET", "/api/v1/me"), [401]),
                (self.request("GET", f"{tenants}/{self.tenant}", None, token), [200]),
                (self.request("PATCH", "/api/v1/me", {"display_name": "Ada"}, token), [200]),
                (self.request("GET", "/livez"), [200]),
                (self.request("GET", "/api/v1/me", None, token) * 2 +
                 self.request("PATCH", "/api/v1/me", {"display_name": "Ada"}, token), [200] * 3),
            ):
                raw = self.connect()
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)
                self.assertEqual(statuses(all_of(raw)), status, data)

    def test_a_client_that_ends_within_a_request_is_told_so(self):
        whole = self.request("POST", "/api/v1/tenants", {"slug": "a"}, self.ada.token)
        chunked = self.request("POST", "/api/v1/tenants", None, self.ada.token,
                               JSON + b"Transfer-Encoding: chunked\r\n") + b"3\r\n{}"
        of_file = JSON.replace(b"application/json", b"text/plain") + f"X-Tenant-Id: {self.tenant}\r\n".encode()
        file = self.request("POST", "/api/v1/files", None, self.ada.token, of_file + b"Content-Length: 50\r\n")
        file += b"hello"
        for data, status in ((whole[:-1], [400]), (whole[:-8], [400]), (chunked, [400]), (whole[:50], [400]), (file, [400]),
                             (self.request("GET", "/livez") + whole[:-1], [200, 400])):
            raw = self.connect()
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            received = all_of(raw)
            self.assertEqual(statuses(received), status, data)
            self.assertIn(b"application/problem+json", received)

    def test_a_client_that_breaks_off_is_nobodys_failure(self):
        token = self.ada.token
        change = self.request("PATCH", "/api/v1/me", {"display_name": "Ada"}, token)
        for _ in range(20):
            for data in (self.request("GET", "/api/v1/me", None, token), self.request("GET", "/api/v1/me"),
                         self.request("GET", "/api/v1/openapi.json") * 16,
                         self.request("GET", f"/api/v1/tenants/{self.tenant}", None, token), change):
                raw = self.connect()
                raw.sendall(data)
                self.reset(raw)
            raw, _ = self.all_but_one_byte("POST", "/api/v1/tenants", {"slug": "a"}, token)
            self.reset(raw)
        raw = self.connect()  # between two requests
        raw.sendall(self.request("GET", "/livez"))
        self.assertEqual(statuses(raw.recv(4096)), [200])
        self.reset(raw)
        wait_for("it is told as what it is", lambda: all(
            f'"during":"{what}"' in self.log()[self.logged:]
            for what in ("reading a body", "waiting for a request")))
        self.assertEqual(self.ada.get("/api/v1/me").status, 200)

    def test_a_stream_is_begun_for_a_client_that_has_said_all(self):
        for leave in (lambda raw: raw.shutdown(socket.SHUT_WR), self.reset, lambda raw: raw.close()):
            raw = self.connect()
            raw.sendall(self.request("GET", "/api/v1/events/stream", None, self.ada.token,
                                     f"Accept: text/event-stream\r\nX-Tenant-Id: {self.tenant}\r\n".encode()))
            leave(raw)
            if raw.fileno() >= 0:
                self.assertEqual(statuses(all_of(raw)), [200])
            raw = self.connect()
            raw.sendall(self.request("GET", "/api/v1/events/stream", None, self.ada.token,
                                     f"Accept: text/event-stream\r\nX-Tenant-Id: {self.tenant}\r\n".encode()))
            self.assertEqual(statuses(raw.recv(4096)), [200])
            leave(raw)
        wait_for("the streams are over", lambda: re.search(
            r"^trellis_edge_streams 0$", self.stack.metrics("edge"), re.M))


class Rights(Client):
    """A request acts under the rights that hold when it is complete."""

    def setUp(self):
        self.owner, self.admin = self.stack.sign_up("owner"), self.stack.sign_up("admin")
        self.tenant = self.stack.found(self.owner)
        self.at = f"/api/v1/tenants/{self.tenant}"
        added = self.owner.post(self.at + "/members", {"email": self.admin.email, "role": "admin"})
        self.assertEqual(added.status, 201, added)
        self.assertEqual(self.admin.get(self.at).status, 200)

    def begin(self, token):
        """Changes that an admin may make, each but for a byte."""
        tenant = b"X-Tenant-Id: %s\r\n" % self.tenant.encode()
        return [self.all_but_one_byte(*request, token, lines=tenant) for request in (
            ("POST", self.at + "/api-keys", {"name": "k", "permissions": ["tenants.tenant.read"]}),
            ("POST", "/api/v1/webhook-endpoints",
             {"url": "https://hooks.example.com/a", "event_types": ["tenants.tenant.updated"]}),
            ("POST", self.at + "/invitations", {"email": "x@example.com", "role": "admin"}),
            ("PATCH", self.at, {"display_name": "Mine"}))]

    def end(self, begun, status):
        for raw, rest in begun:
            raw.sendall(rest)
            self.assertEqual(statuses(raw.recv(65536)), [status])
        shown = self.owner.get(self.at)
        self.assertEqual((shown.status, shown["display_name"]), (200, "Acme"))

    def test_while_they_hold_it_is_done(self):
        for raw, rest in self.begin(self.admin.token):
            raw.sendall(rest)
            self.assertIn(statuses(raw.recv(65536)), ([201], [200]))

    def test_a_member_who_was_removed_meanwhile_changes_nothing(self):
        begun = self.begin(self.admin.token)
        self.assertEqual(self.owner.delete(f"{self.at}/members/{self.admin.account['id']}").status, 204)
        self.end(begun, 404)
        self.assertEqual(self.owner.get(self.at + "/api-keys")["items"], [])

    def test_a_member_who_became_less_changes_nothing(self):
        begun = self.begin(self.admin.token)
        self.assertEqual(self.owner.patch(f"{self.at}/members/{self.admin.account['id']}",
                                          {"role": "viewer"}).status, 200)
        self.end(begun, 403)

    def test_a_session_that_ended_meanwhile_changes_nothing(self):
        begun = self.begin(self.admin.token)
        changed = self.admin.post("/api/v1/auth/password/change", {
            "current_password": self.admin.password, "password": "quite another password"})
        self.assertEqual(changed.status, 200)
        self.end(begun, 401)

    def test_a_key_that_was_revoked_meanwhile_changes_nothing(self):
        made = self.owner.post(self.at + "/api-keys", {"name": "k", "permissions": ["tenants.tenant.update"]})
        self.assertEqual(made.status, 201, made)
        begun = [self.all_but_one_byte("PATCH", self.at, {"display_name": "Mine"}, made["key"])]
        self.assertEqual(self.owner.delete(f"{self.at}/api-keys/{made['id']}").status, 204)
        self.end(begun, 401)
