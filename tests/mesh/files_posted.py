"""files_posted.py - files in one request, through the door: raw and as a form, refused
before the body is asked for, sent again under their key, and broken off."""
import base64
import hashlib
import secrets
import socket

from case import MeshCase
from common import wait_for

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
PATH = "/api/v1/files"


def form(content, boundary=None, name="a.txt", kind="text/plain", **fields):
    """Its Content-Type and its bytes, as a browser sends it: each with another boundary."""
    boundary = boundary or "----WebKitFormBoundary" + secrets.token_hex(secrets.randbelow(6) + 4)
    parts = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items())
    head = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n").encode()
    return (f"multipart/form-data; boundary={boundary}",
            parts + head + content + f"\r\n--{boundary}--\r\n".encode())


class Posted(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")

    def setUp(self):
        self.tenant = self.stack.found(self.ada)

    def post(self, body, kind=None, key=None, **headers):
        return self.ada.call("POST", PATH, raw=body, headers={
            "Content-Type": kind, "X-Tenant-Id": self.tenant, "Idempotency-Key": key or secrets.token_hex(8),
            **{name.replace("_", "-"): value for name, value in headers.items()}})

    def stored(self):
        answer = self.ada.get("/api/v1/storage", X_Tenant_Id=self.tenant)
        return int(answer.json.get("used", 0)), int(answer.json.get("reserved", 0))

    def rows(self):
        return self.stack.sql_value(f"select (select count(*) from media.file where tenant_id = '{self.tenant}') "
                              f"|| ' ' || (select count(*) from media.upload where tenant_id = '{self.tenant}')")

    def begin(self, **headers):
        """A request whose head was sent, and no more."""
        there = socket.create_connection(("127.0.0.1", self.stack.port), timeout=20)
        self.addCleanup(there.close)
        lines = {"Host": f"127.0.0.1:{self.stack.port}", "Authorization": f"Bearer {self.ada.token}",
                 "X-Tenant-Id": self.tenant,
                 **{name.replace("_", "-"): value for name, value in headers.items()}}
        there.sendall((f"POST {PATH} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) +
                       "\r\n").encode())
        return there

    def test_raw_bytes_and_forms_are_files(self):
        raw = self.post(PNG, "image/png", Content_Disposition="attachment; filename=\"a.png\"")
        self.assertEqual((raw.status, raw["name"], raw["type"], int(raw["size"])),
                         (201, "a.png", "image/png", len(PNG)), raw)
        self.assertEqual(raw["sha256"], hashlib.sha256(PNG).hexdigest())
        kind, body = form("größer\r\n".encode(), name="Отчёт 東京.csv", kind="text/csv", collection="private")
        sent = self.post(body, kind)
        self.assertEqual((sent.status, sent["name"], sent["type"], sent["collection"], int(sent["size"])),
                         (201, "Отчёт 東京.csv", "text/csv", "private", 10), sent)
        empty = self.post(b"", "text/plain")
        self.assertEqual((empty.status, int(empty["size"])), (201, 0), empty)
        self.assertEqual(self.stored(), (len(PNG) + 10, 0))

    def test_a_form_that_is_sent_again_is_the_same_request(self):
        key = secrets.token_hex(8)
        answers = [self.post(body, kind, key) for kind, body in (form(b"hello"), form(b"hello"), form(b"hello"))]
        self.assertEqual({(a.status, a["id"]) for a in answers}, {(201, answers[0]["id"])}, answers)
        self.assertEqual([a.headers.get("idempotency-replayed") for a in answers], [None, "true", "true"])
        self.assertEqual(self.rows()[0], "1")
        # But a raw body is another.
        self.assertEqual(self.post(b"hello", "text/plain", key).status, 422)

    def test_a_known_key_is_answered_without_the_body(self):
        key = secrets.token_hex(8)
        first = self.post(b"hello", "text/plain", key)
        self.assertEqual(first.status, 201, first)
        there = self.begin(Content_Type="text/plain", Content_Length=5, Expect="100-continue", Idempotency_Key=key)
        answer = there.recv(65536)
        self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)
        self.assertIn(first["id"].encode(), answer)

    def test_what_cannot_be_is_refused_before_the_body_is_asked_for(self):
        pictures = base64.b64encode(b"pictures").decode()
        for status, headers in (
                (413, {"Content_Length": 27 << 20, "Upload_Metadata": f"collection {pictures}"}),
                (413, {"Content_Length": 6 << 40}),
                (415, {"Content_Length": 5, "Content_Type": "text/html",
                       "Upload_Metadata": f"collection {pictures}"}),
                (400, {"Content_Length": 5, "Content_Type": "multipart/form-data"}),
                (400, {"Content_Length": 5, "Content_Digest": "sha-256=:AAAA:"}),
                (422, {"Content_Length": 5, "Upload_Metadata": "collection bm9uZQ=="}),
                (404, {"Content_Length": 5, "X_Tenant_Id": "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21"}),
                (401, {"Content_Length": 5, "Authorization": "Bearer nobody"}),
                (417, {"Content_Length": 5, "Expect": "200-ok"})):
            headers.setdefault("Expect", "100-continue")
            there = self.begin(**headers)
            answer = there.recv(65536)
            self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()), (status, headers, answer))
        there = self.begin(Content_Length=5, Expect="100-continue")
        self.assertTrue(there.recv(65536).startswith(b"HTTP/1.1 100 "))
        there.sendall(b"hello")
        self.assertTrue(there.recv(65536).startswith(b"HTTP/1.1 201 "))

    def test_a_key_of_bytes_that_nobody_can_compare_is_refused(self):
        chunked = {"Content_Type": "text/plain", "Transfer_Encoding": "chunked", "Expect": "100-continue"}
        there = self.begin(**chunked, Idempotency_Key=secrets.token_hex(8))
        self.assertTrue(there.recv(65536).startswith(b"HTTP/1.1 400 "))
        there = self.begin(**chunked)
        self.assertTrue(there.recv(65536).startswith(b"HTTP/1.1 100 "))
        there.close()

    def test_a_lie_about_the_type_names_both_and_leaves_nothing(self):
        kind, body = form(b"<!DOCTYPE html><html>", name="a.png", kind="image/png")
        for answer in (self.post(b"<!DOCTYPE html><html>", "image/png"), self.post(body, kind)):
            self.assertEqual(answer.status, 415, answer)
            self.assertIn("image/png and looks like text/html", answer["detail"])
        self.assertEqual((self.rows(), self.stored()), ("0 0", (0, 0)))

    def test_a_body_that_breaks_off_leaves_nothing(self):
        kind, body = form(secrets.token_bytes(600000), kind="application/octet-stream")
        for headers, sent in (({"Content_Length": 12 << 20}, secrets.token_bytes(10 << 20)),
                              ({"Content_Length": 100}, b"x"),
                              ({"Content_Length": len(body), "Content_Type": kind}, body[:500000]),
                              ({"Transfer_Encoding": "chunked"}, b"8\r\n12345678\r\n8\r\n1234")):
            there = self.begin(**headers)
            there.sendall(sent)
            wait_for("the upload", lambda: self.rows() == "0 1")
            there.close()
            wait_for("that nothing is left of it", lambda: self.rows() == "0 0")
            self.assertEqual(self.stored(), (0, 0), headers)
