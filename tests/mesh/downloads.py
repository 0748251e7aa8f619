"""downloads.py - a file's bytes by the door: parts of them, conditions, names, and links that open without a
session. Requests are written as they go over the wire, where a client's library would mend them."""
import base64
import hashlib
import hmac
import os
import socket
import time
import urllib.parse
import uuid

from case import MeshCase
from files_of import SMALL_PNG
from common import wait_for

TEN = b"0123456789"
KEY = "0123456789abcdef" * 4
EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"


class Downloads(MeshCase):
    settings = {**MeshCase.settings, "TRELLIS_MEDIA_LINK_KEYS": f"k:{KEY}"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)
        cls.bob = cls.stack.sign_up("bob")
        cls.other = cls.stack.found(cls.bob)
        cls.anybody = cls.stack.client()
        cls.ten = cls.keep(TEN, "ten.txt", "text/plain")

    # ---- asking

    @classmethod
    def keep(cls, data, name, kind, collection="files"):
        """A file of Ada's; its id."""
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in (
            ("filename", name), ("collection", collection)))
        answer = cls.ada.call("POST", "/api/v1/files", raw=data, headers={
            "X-Tenant-Id": cls.tenant, "Content-Type": kind, "Upload-Metadata": metadata})
        assert answer.status == 201, answer
        wait_for(f"{name} is ready", lambda: cls.ada.get(
            f"/api/v1/files/{answer['id']}", X_Tenant_Id=cls.tenant)["state"] == "ready")
        return answer["id"]

    def content(self, file, verb="GET", who=None, tenant=None, **headers):
        return (who or self.ada).call(verb, f"/api/v1/files/{file}/content", headers={
            "X-Tenant-Id": tenant or self.tenant, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def link(self, file, who=None, **body):
        return (who or self.ada).post(f"/api/v1/files/{file}/links", body, X_Tenant_Id=self.tenant)

    def url(self, file, **body):
        answer = self.link(file, **body)
        self.assertEqual(answer.status, 201, answer)
        return answer["url"]

    def raw(self, target, *lines, verb="GET"):
        """Status line and header fields, and body, of a request as it stands here."""
        head = "\r\n".join([f"{verb} {target} HTTP/1.1", "Host: trellis", "Connection: close", *lines, "", ""])
        head, _, body = self.stack.send(head.encode()).partition(b"\r\n\r\n")
        return head.decode(), body

    def status(self, target, *lines, **more):
        return int(self.raw(target, *lines, **more)[0].split()[1])

    # ---- parts

    def test_a_part_is_206(self):
        for asked, wanted, said in (("bytes=0-0", b"0", "0-0"), ("bytes=-3", b"789", "7-9"),
                                    ("bytes=5-", b"56789", "5-9"), ("bytes=5-99", b"56789", "5-9")):
            answer = self.content(self.ten, Range=asked)
            self.assertEqual((answer.status, answer.body), (206, wanted))
            self.assertEqual(answer.headers["content-range"], f"bytes {said}/10")
            self.assertEqual(answer.headers["content-length"], str(len(wanted)))

    def test_several_parts_come_with_a_head_each(self):
        answer = self.content(self.ten, Range="bytes=0-0,9-9")
        self.assertEqual(answer.status, 206)
        self.assertNotIn("content-range", answer.headers)
        kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
        self.assertEqual(kind, "multipart/byteranges")
        parts = answer.body.split(b"--" + boundary.encode())
        self.assertEqual([parts[0], parts[3]], [b"", b"--\r\n"])
        for part, said, byte in ((parts[1], b"0-0", b"0"), (parts[2], b"9-9", b"9")):
            head, _, body = part.partition(b"\r\n\r\n")
            self.assertIn(b"Content-Range: bytes " + said + b"/10", head)
            self.assertIn(b"Content-Type: text/plain", head)
            self.assertEqual(body, byte + b"\r\n")

    def test_what_is_no_range_counts_for_nothing(self):
        for asked in ("bytes=9-5", "bytes=x", "items=0-0", "bytes=0-4,4-9", "bytes=" + "0-," * 1000 + "0-"):
            answer = self.content(self.ten, Range=asked)
            self.assertEqual((answer.status, answer.body), (200, TEN), asked)
        answer = self.check_problem(self.content(self.ten, Range="bytes=10-"), 416, "RANGE")
        self.assertEqual(answer.headers["content-range"], "bytes */10")

    def test_head_has_no_parts(self):
        answer = self.content(self.ten, "HEAD", Range="bytes=0-0")
        self.assertEqual((answer.status, answer.headers["content-length"]), (200, "10"))
        self.assertEqual(self.content(self.ten, "HEAD", Range="bytes=10-").status, 200)

    def test_a_post_that_is_meant_as_head_has_the_head_and_no_body(self):
        answer = self.content(self.ten, "POST", X_HTTP_Method_Override="HEAD")
        self.assertEqual((answer.status, answer.body, answer.headers["content-length"]), (200, b"", "0"))
        self.assertEqual(answer.headers["etag"], self.content(self.ten).headers["etag"])
        self.assertEqual(self.anybody.call("POST", self.url(self.ten), headers={
            "X-HTTP-Method-Override": "HEAD"}).status, 200)
        self.assertEqual(self.content(self.ten, "POST", X_HTTP_Method_Override="GET").status, 400)

    # ---- conditions and caches

    def test_who_has_it_gets_304(self):
        whole = self.content(self.ten)
        digest = hashlib.sha256(TEN)
        self.assertEqual(whole.headers["etag"], f'"{digest.hexdigest()}"')
        self.assertEqual(whole.headers["repr-digest"], f"sha-256=:{base64.b64encode(digest.digest()).decode()}:")
        etag = whole.headers["etag"]
        for tags in (etag, "*", f'"a", {etag}', "W/" + etag):
            answer = self.content(self.ten, If_None_Match=tags, Range="bytes=0-0")
            self.assertEqual((answer.status, answer.body), (304, b""), tags)
            for name in ("etag", "cache-control", "vary"):
                self.assertEqual(answer.headers[name], whole.headers[name])
        self.assertEqual(self.content(self.ten, If_Modified_Since=whole.headers["last-modified"]).status, 304)
        self.assertEqual(self.content(self.ten, If_Modified_Since=EPOCH).status, 200)
        self.check_problem(self.content(self.ten, If_Match='"a"'), 412, "PRECONDITION")
        self.check_problem(self.content(self.ten, If_Unmodified_Since=EPOCH), 412, "PRECONDITION")
        self.assertEqual(self.content(self.ten, If_Range=etag, Range="bytes=0-0").status, 206)
        self.assertEqual(self.content(self.ten, If_Range="W/" + etag, Range="bytes=0-0").status, 200)
        self.assertEqual(whole.headers["cache-control"], "private, no-cache")
        self.assertEqual(whole.headers["vary"], "Origin")

    def test_lines_of_tags_are_one_list(self):
        etag = self.content(self.ten).headers["etag"]
        head, _ = self.raw(f"/api/v1/files/{self.ten}/content", f"Authorization: Bearer {self.ada.token}",
                           f"X-Tenant-Id: {self.tenant}", 'If-None-Match: "a"', f"If-None-Match: {etag}")
        self.assertEqual(head.split()[1], "304", head)

    def test_conditions_that_are_none_count_for_nothing(self):
        """Neither one that came twice, nor one that has other bytes than text (RFC 9110, 13.1, 14.2)."""
        etag = self.content(self.ten).headers["etag"]
        future = "Fri, 31 Dec 9999 23:59:59 GMT"
        for status, *lines in (
            (200, "Range: bytes=0-0", "Range: bytes=1-1"), (200, "Range: bytes=\xe9"), (206, "Range: bytes=0-0"),
            (200, f"If-Modified-Since: {future}", f"If-Modified-Since: {future}"), (304, f"If-Modified-Since: {future}"),
            (200, f"If-Unmodified-Since: {EPOCH}", f"If-Unmodified-Since: {EPOCH}"),
            (412, f"If-Unmodified-Since: {EPOCH}"), (200, "If-Unmodified-Since: \xe9"),
            (304, f'If-None-Match: "\xe9", {etag}'), (200, 'If-None-Match: "\xe9"'),
            (412, 'If-Match: "\xe9"'), (200, f'If-Match: "\xe9", {etag}'),
            (200, f"If-Range: {etag}", f"If-Range: {etag}", "Range: bytes=0-0"),
        ):
            head = "\r\n".join([f"GET /api/v1/files/{self.ten}/content HTTP/1.1", "Host: trellis", "Connection: close",
                                f"Authorization: Bearer {self.ada.token}", f"X-Tenant-Id: {self.tenant}", *lines, "", ""])
            answer = self.stack.send(head.encode("latin1"))
            self.assertEqual(int(answer.split()[1]), status, (lines, answer))

    # ---- names and types

    def test_any_name_comes_back(self):
        name = "Отчёт 東京 🎉 é.pdf"
        said = self.content(self.keep(TEN, name, "text/plain")).headers["content-disposition"]
        self.assertTrue(said.startswith('attachment; filename="'), said)
        self.assertTrue(said.isascii())
        self.assertEqual(urllib.parse.unquote(said.partition("filename*=UTF-8''")[2]), name)

    def test_a_name_ends_no_line_and_leads_nowhere(self):
        for name in ('a"; filename="b.exe', "../../etc/passwd", "..\\x", "\u202egpj.exe", "%0d%0aX-Evil: 1"):
            answer = self.content(self.keep(TEN, name, "text/plain"))
            said = answer.headers["content-disposition"]
            self.assertNotIn("x-evil", answer.headers)
            self.assertEqual(said.count('"'), 2, said)
            plain = said.split('"')[1]
            self.assertFalse(set(plain) & set('/\\"%'), said)
            whole = urllib.parse.unquote(said.partition("filename*=UTF-8''")[2])
            self.assertFalse(set(whole) & {"/", "\\", "\u202e", "\r", "\n"}, said)

    def test_what_could_act_in_a_browser_is_kept_as_a_file(self):
        for data, kind, wanted in (
                (b"<html><script>alert(1)</script></html>", "text/html", "attachment"),
                (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/svg+xml",
                 "attachment"),
                (SMALL_PNG, "image/png", "inline")):
            answer = self.content(self.keep(data, "a", kind))
            self.assertEqual(answer.headers["content-disposition"], f'{wanted}; filename="a"')
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertIn("sandbox", answer.headers["content-security-policy"])

    # ---- links

    def test_a_link_opens_without_a_session_until_it_is_taken_back(self):
        one, two = self.link(self.ten, expires_in=3600).json, self.link(self.ten, download=True).json
        answer = self.anybody.get(one["url"])
        self.assertEqual((answer.status, answer.body), (200, TEN))
        self.assertEqual(answer.headers["cross-origin-resource-policy"], "cross-origin")
        self.assertEqual(answer.headers["content-security-policy"].split("; ")[-1], "sandbox")
        self.assertEqual(self.anybody.call("HEAD", one["url"]).headers["content-length"], "10")
        self.assertEqual(self.anybody.get(one["url"], Range="bytes=1-2").body, b"12")
        self.assertEqual(self.anybody.get(one["url"], If_None_Match=answer.headers["etag"]).status, 304)
        listed = self.ada.get(f"/api/v1/files/{self.ten}/links", X_Tenant_Id=self.tenant)["items"]
        self.assertLessEqual({one["id"], two["id"]}, {link["id"] for link in listed})
        ended = self.ada.delete(f"/api/v1/files/{self.ten}/links/{one['id']}", X_Tenant_Id=self.tenant)
        self.assertEqual(ended.status, 204, ended)
        self.check_problem(self.anybody.get(one["url"]), 410, "GONE")
        self.assertEqual(self.anybody.get(two["url"]).status, 200)

    def signed(self, expires, file, options="-", link="-", tenant=None, key=KEY):
        """As the service's README says that it is signed."""
        tenant = tenant or self.tenant
        own = hashlib.blake2b(uuid.UUID(tenant).bytes, key=bytes.fromhex(key), digest_size=32).digest()
        text = f"k/{expires}/{tenant}/{file}/{options}/{link}"
        mac = hmac.digest(own, text.encode(), "sha256")
        return f"/m/{base64.urlsafe_b64encode(mac).decode().rstrip('=')}/{text}"

    def test_what_is_signed_is_what_the_documentation_says(self):
        now, public = int(time.time()), self.keep(SMALL_PNG, "dot.png", "image/png", "pictures")
        answer = self.anybody.get(self.signed(now + 100, self.ten))
        self.assertEqual(answer.status, 200, answer)
        self.assertRegex(answer.headers["cache-control"], "^private, max-age=(100|9[0-9])$")
        answer = self.anybody.get(self.signed(0, public))
        self.assertEqual(answer.headers["cache-control"], "public, max-age=31536000, immutable")
        for expires, file, more, wanted in (
                (now - 1, self.ten, {}, (410, "GONE")),
                (0, self.ten, {}, (404, "NOT_FOUND")),  # it is not public
                (now + 100, uuid.uuid4(), {}, (404, "NOT_FOUND")),
                (now + 100, self.ten, {"tenant": self.other}, (404, "NOT_FOUND")),
                (now + 100, self.ten, {"link": uuid.uuid4()}, (410, "GONE")),
                (now + 100, self.ten, {"key": KEY[::-1]}, (403, "DENIED"))):
            self.check_problem(self.anybody.get(self.signed(expires, file, **more)), *wanted)

    def test_an_altered_link_is_refused(self):
        url = self.url(self.ten)
        _, root, *segments = url.split("/")
        for at, segment in enumerate(segments):
            for other in (segment[:-1] or "x", segment + "0", segment[::-1] + "1", segment.upper() + "A"):
                changed = "/".join(["", root, *segments[:at], other, *segments[at + 1:]])
                self.assertEqual(self.status(changed), 403, changed)
        for truncated in range(1, len(segments)):
            self.assertEqual(self.status("/".join(["", root, *segments[:truncated]])), 404)
        self.assertEqual(self.status(url + "/more"), 404)

    def test_a_link_has_one_spelling(self):
        url = self.url(self.ten)
        self.assertEqual(self.status(url), 200)
        encoded = url.replace("/-/", "/%2d/")
        for target, wanted in ((url + "?", 404), (url + "?a=b", 404), (encoded, 404), (url + "/", 404),
                               ("/" + url, 404), (url.replace("/m/", "/M/"), 404)):
            self.assertEqual(self.status(target), wanted, target)
        self.assertEqual(self.status(url, verb="POST"), 405)
        self.assertEqual(self.status(url, verb="DELETE"), 405)

    def test_a_link_of_another_organisation_opens_nothing_here(self):
        url = self.url(self.ten)
        foreign = url.replace(self.tenant, self.other)
        self.assertEqual(self.status(foreign), 403)
        self.check_problem(self.link(self.ten, who=self.bob), 404, "NOT_FOUND")
        self.check_problem(self.content(self.ten, who=self.bob, tenant=self.other), 404, "NOT_FOUND")

    def test_a_page_with_many_pictures_meets_no_limit(self):
        """By another class than the rest: what is left of it counts apart."""
        url = self.url(self.keep(SMALL_PNG, "dot.png", "image/png"))
        answer = self.anybody.get(url)
        self.assertIn('"address-bytes"', answer.headers["ratelimit"])
        self.assertNotIn('"address";', answer.headers["ratelimit"])
        for _ in range(60):
            self.assertEqual(self.anybody.get(url).status, 200)

    def test_a_file_that_goes_takes_its_links_along(self):
        file = self.keep(TEN, "goes.txt", "text/plain")
        url = self.url(file)
        self.stack.sql(f"update media.file set state = 'deleted' where id = '{file}'")
        self.check_problem(self.anybody.get(url), 404, "NOT_FOUND")
        self.check_problem(self.content(file), 404, "NOT_FOUND")
        self.stack.sql(f"update media.file set state = 'processing' where id = '{file}'")
        answer = self.check_problem(self.content(file), 409, "CONFLICT")
        self.assertEqual(answer.headers["retry-after"], "2")


class Replicas(Downloads):
    """Two processes of media, of which any is asked."""
    replicas = 2

    def served(self, name):
        return sum(float(line.rpartition(" ")[2]) for line in self.stack.metrics(name).splitlines()
                   if line.startswith("trellis_bus_served_seconds_count{") and "GetSigned" in line)

    def test_an_admin_who_became_less_reads_no_more_of_anothers_private_file(self):
        """Members may read files, so what is asked for is what has opened this one."""
        carl = self.stack.sign_up("carl")
        members = f"/api/v1/tenants/{self.tenant}/members"
        self.assertEqual(self.ada.post(members, {"email": carl.email, "role": "admin"}).status, 201)
        size = 32 << 20
        file = self.keep(os.urandom(size), "mine.bin", "application/octet-stream", "private")
        raw = socket.socket()
        self.addCleanup(raw.close)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        raw.settimeout(20)
        raw.connect(("127.0.0.1", self.stack.port))
        raw.sendall(f"GET /api/v1/files/{file}/content HTTP/1.1\r\nHost: trellis\r\nX-Tenant-Id: {self.tenant}\r\n"
                    f"Authorization: Bearer {carl.token}\r\n\r\n".encode())
        self.assertIn(b" 200 ", raw.recv(4096)[:20])
        self.assertEqual(self.ada.patch(f"{members}/{carl.account['id']}", {"role": "member"}).status, 200)
        read = 0

        def is_over():
            nonlocal read
            try:
                came = len(raw.recv(16384))
            except ConnectionResetError:
                came = 0
            read += came
            return not came
        wait_for("it is broken off", is_over)
        self.assertLess(read, size)

    def test_a_link_that_is_taken_back_opens_nothing_at_any_of_them(self):
        one, two = self.link(self.ten).json, self.link(self.ten).json

        def asked_of_each(wanted):
            before = {name: self.served(name) for name in ("media", "media.2")}
            for _ in range(200):
                for url, status in wanted:
                    self.assertEqual(self.anybody.get(url).status, status)
                if all(self.served(name) > count for name, count in before.items()):
                    return
            self.fail("only one of them was asked")
        asked_of_each([(one["url"], 200), (two["url"], 200)])
        self.assertEqual(self.ada.delete(f"/api/v1/files/{self.ten}/links/{one['id']}", X_Tenant_Id=self.tenant).status, 204)
        asked_of_each([(one["url"], 410), (two["url"], 200)])
