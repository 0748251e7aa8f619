"""resume.py - uploads by tus 1.0.0 over HTTP, as a client on a bad line has them: refused
before its body is asked for, broken off, stalled, and overtaken through another process."""
import base64
import hashlib
import http.client
import io
import json
import random
import selectors
import socket
import time
import uuid

from case import MeshCase
from common import wait_for

TUS = {"Tus-Resumable": "1.0.0"}
TYPE = "application/offset+octet-stream"
MIB = 1 << 20


class Uploader(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up()
        cls.tenant = cls.stack.found(cls.ada)
        cls.ada.headers["X-Tenant-Id"] = cls.tenant

    def bytes_of(self, size):
        return random.Random(size).randbytes(size)

    def ask(self, method, path, raw=None, door=None, **headers):
        client = self.stack.client(self.ada.token, **{"X-Tenant-Id": self.tenant})
        client.port = door or self.stack.port
        try:
            return client.call(method, path, None, {**TUS, **{
                name.replace("_", "-"): value for name, value in headers.items()}}, raw)
        finally:
            client.close()

    def begin(self, length, **headers):
        answer = self.ask("POST", "/api/v1/uploads", Upload_Length=length and str(length), **headers)
        self.assertEqual(answer.status, 201, answer)
        return answer.headers["location"]

    def patch(self, path, offset, data, door=None, **headers):
        return self.ask("PATCH", path, data, door, Upload_Offset=str(offset), Content_Type=TYPE, **headers)

    def offset(self, path, door=None):
        began = time.monotonic()
        answer = self.ask("HEAD", path, door=door)
        self.assertEqual(answer.status, 200, answer)
        self.assertLess(time.monotonic() - began, 10)  # 1 s is what is promised, on a machine that is free
        return int(answer.headers["upload-offset"])

    def head_of(self, method, path, length, **headers):
        fields = {"Host": "files", "Authorization": f"Bearer {self.ada.token}", "X-Tenant-Id": self.tenant, **TUS,
                  "Content-Type": TYPE, "Content-Length": length, "Idempotency-Key": str(time.time_ns()),
                  **{name.replace("_", "-"): value for name, value in headers.items()}}
        return (f"{method} {path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in fields.items() if value is not None) + "\r\n").encode()

    def line(self, path, length, offset, sent=b"", door=None, **headers):
        """A connection on which a PATCH has begun, and so much of its body was sent."""
        line = socket.create_connection(("127.0.0.1", door or self.stack.port), timeout=20)
        self.addCleanup(line.close)
        line.sendall(self.head_of("PATCH", path, length, Upload_Offset=offset, **headers) + sent)
        return line

    def received(self, path, size, door=None):
        wait_for(f"{size} bytes are there", lambda: self.offset(path, door) == size)

    def must_be_file(self, path, data):
        file = path.rpartition("/")[2]
        said = wait_for("the file is ready", lambda: (
            one := self.ask("GET", f"/api/v1/files/{file}")).status == 200 and one["state"] == "ready" and one)
        self.assertEqual((int(said["size"]), said["sha256"]), (len(data), hashlib.sha256(data).hexdigest()))
        content = self.ask("GET", f"/api/v1/files/{file}/content")
        self.assertEqual((content.status, hashlib.sha256(content.body).digest()),
                         (200, hashlib.sha256(data).digest()))


class Uploads(Uploader):
    def test_begins_goes_on_and_is_a_file(self):
        data = self.bytes_of(3 * MIB + 7)
        name = base64.b64encode("Отчёт 東京 🎉 é.bin".encode()).decode()
        path = self.begin(len(data), Upload_Metadata=f"filename {name},other")
        self.assertRegex(path, r"^/api/v1/uploads/[0-9a-f-]{36}$")
        at = 0
        for size in (1, MIB, len(data) - MIB - 1):
            self.assertEqual(self.offset(path), at)
            answer = self.patch(path, at, data[at:at + size])
            at += size
            self.assertEqual((answer.status, answer.headers["upload-offset"], answer.body), (204, str(at), b""))
            self.assertIn("upload-expires", answer.headers)
        head = self.ask("HEAD", path)
        self.assertEqual((head.headers["upload-length"], head.headers["upload-metadata"], head.headers["cache-control"]),
                         (str(len(data)), f"filename {name},other", "no-store"))
        self.must_be_file(path, data)
        file = self.ask("GET", "/api/v1/files/" + path.rpartition("/")[2])
        self.assertEqual(file["name"], "Отчёт 東京 🎉 é.bin")

    def test_a_browser_may_do_all_of_it(self):
        sends = {"tus-resumable", "upload-length", "upload-offset", "upload-metadata", "upload-concat",
                 "upload-defer-length", "upload-checksum", "x-http-method-override", "content-type", "authorization",
                 "x-tenant-id", "idempotency-key"}
        reads = {"location", "upload-offset", "upload-length", "upload-metadata", "upload-expires", "upload-concat",
                 "upload-defer-length", "tus-version", "tus-resumable", "tus-max-size", "tus-extension",
                 "tus-checksum-algorithm"}
        origin = f"http://127.0.0.1:{self.stack.port}"

        def listed(answer, name):
            return set(answer.headers["access-control-" + name].lower().replace(" ", "").split(","))
        path = self.begin(4)
        for at, verbs in (("/api/v1/uploads", {"post"}), (path, {"head", "patch", "delete"})):
            for verb in verbs:
                answer = self.stack.client().call("OPTIONS", at, None, {
                    "Origin": origin, "Access-Control-Request-Method": verb.upper(),
                    "Access-Control-Request-Headers": ",".join(sorted(sends))})
                self.assertIn(answer.status, (200, 204))
                self.assertEqual(answer.headers["access-control-allow-origin"], origin)
                self.assertLessEqual(verbs, listed(answer, "allow-methods"))
                self.assertLessEqual(sends, listed(answer, "allow-headers"))
        for answer in (self.ask("POST", "/api/v1/uploads", Upload_Length="4", Origin=origin),
                       self.ask("HEAD", path, Origin=origin), self.ask("PATCH", path, Origin=origin),
                       self.patch(path, 0, b"ab", Origin=origin), self.ask("DELETE", path, Origin=origin),
                       self.ask("HEAD", path, Origin=origin)):  # refusals, too
            self.assertEqual(answer.headers["access-control-allow-origin"], origin)
            self.assertLessEqual(reads, listed(answer, "expose-headers"), answer.status)
        answer = self.stack.client().call("OPTIONS", "/api/v1/uploads", None, {"Tus-Resumable": "0.0.1"})
        self.assertIn(answer.status, (200, 204))
        self.assertEqual(answer.headers["tus-version"], "1.0.0")
        self.assertEqual(answer.headers["tus-checksum-algorithm"], "sha1,sha256")
        self.assertEqual(answer.headers["tus-extension"],
                         "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation")
        self.assertTrue(int(answer.headers["tus-max-size"]))

    def test_another_version_is_412_whatever_is_asked(self):
        path = self.begin(4)
        for method, at, headers, body in (
                ("POST", "/api/v1/uploads", {"Upload-Length": "4"}, None), ("HEAD", path, {}, None),
                ("PATCH", path, {"Upload-Offset": "0", "Content-Type": TYPE}, b"abcd"),
                ("PATCH", path, {}, None), ("DELETE", path, {}, None)):
            for version in (None, "0.2.2"):
                answer = self.ada.call(method, at, None, {**headers, "Tus-Resumable": version}, body)
                self.assertEqual((answer.status, answer.headers["tus-version"]), (412, "1.0.0"), (method, version))
                if method != "HEAD":
                    self.check_problem(answer, 412, "PROTOCOL_VERSION")
                    self.assertEqual(answer["title"], "This version of the protocol is not supported")
        self.assertEqual(self.offset(path), 0)

    def test_refusals_that_reach_no_method_say_the_version_too(self):
        path = self.begin(4)
        for answer in (self.ask("PUT", path), self.ask("POST", path, X_HTTP_Method_Override="PUT"),
                       self.ask("PATCH", path, b"abcd", X="a" * 17000),
                       self.ask("PATCH", path, b"abcd", **{f"X_{i}": "1" for i in range(101)})):
            self.assertIn(answer.status, (400, 405, 431))
            self.assertEqual(answer.headers["tus-resumable"], "1.0.0", answer.status)

    def told(self, head):
        """The first answer to a head whose client waits for 100 Continue, as it came."""
        with socket.create_connection(("127.0.0.1", self.stack.port), timeout=20) as line:
            line.sendall(head)
            said = b""
            while b"\r\n\r\n" not in said:
                more = line.recv(65536)
                self.assertTrue(more, said)
                said += more
            status, rest = int(said.split()[1]), said.partition(b"\r\n\r\n")[2]
            fields = http.client.parse_headers(io.BytesIO(said.partition(b"\r\n")[2]))
            while len(rest) < int(fields.get("content-length", 0)):
                rest += line.recv(65536)
            if status == 100:
                return status, fields, b"", line.dup()
            return status, fields, rest, None

    def test_refusals_come_before_the_body_is_asked_for(self):
        path, nobodys = self.begin(8), "/api/v1/uploads/" + str(uuid.uuid4())
        reader = self.stack.sign_up("reader")
        self.ada.post(f"/api/v1/tenants/{self.tenant}/members", {"email": reader.email, "role": "viewer"})
        for at, length, headers, status, *said in (
                (path, 4, {"Authorization": "Bearer trs_" + "A" * 43}, 401), (path, 4, {"Authorization": None}, 401),
                (path, 4, {"Authorization": f"Bearer {reader.token}"}, 403), (nobodys, 4, {"Upload_Offset": 0}, 404),
                (path, 4, {"X_Tenant_Id": str(uuid.uuid4())}, 404),
                (path, 4, {"Upload_Offset": 1}, 409, "The upload's offset is 0."),
                (path, 9, {"Upload_Offset": 0}, 413, "The upload's length is 8, "), (path, 4, {}, 400),
                (path, 4, {"Upload_Offset": 0, "Tus_Resumable": "2"}, 412),
                (path, 4, {"Upload_Offset": 0, "Content_Type": "text/plain"}, 415),
                (path, 4, {"Upload_Offset": 0, "Upload_Checksum": "md5 AAAA"}, 400),
                (path, 4, {"Upload_Offset": -1}, 400), (path, 4, {"Upload_Offset": 0, "Expect": "a-miracle"}, 417)):
            got, fields, body, _ = self.told(self.head_of("PATCH", at, length, **{"Expect": "100-continue", **headers}))
            self.assertEqual(got, status, (headers, body))
            self.assertEqual(fields["tus-resumable"], "1.0.0")
            detail = json.loads(body)["detail"]
            self.assertTrue(detail.startswith("".join(said)), detail)
        self.assertEqual(self.offset(path), 0)
        got, _, _, line = self.told(self.head_of("PATCH", path, 8, Expect="100-continue", Upload_Offset=0))
        self.assertEqual(got, 100)
        with line:
            line.sendall(b"abcdefgh")
            answer = http.client.HTTPResponse(line)
            answer.begin()
            self.assertEqual(answer.status, 204)
        self.must_be_file(path, b"abcdefgh")

    def test_a_length_that_nobody_takes_is_too_much_and_one_that_is_none_is_refused(self):
        path = self.begin(None, Upload_Defer_Length="1")
        for length in ("5497558138881", "9007199254740993", "9223372036854775808", "18446744073709551616", "9" * 60):
            self.check_problem(self.ask("POST", "/api/v1/uploads", Upload_Length=length), 413, "TOO_LARGE")
            self.check_problem(self.patch(path, 0, b"ab", Upload_Length=length), 413, "TOO_LARGE")
            self.check_problem(self.patch(path, length, b"ab"), 409, "CONFLICT")
        for length in ("-1", "-9223372036854775809", "+4", "4.0", "1e3", "0x10", "4,4", "four", ""):
            self.check_problem(self.ask("POST", "/api/v1/uploads", Upload_Length=length), 400, "MALFORMED")
            self.check_problem(self.patch(path, length, b"ab"), 400, "MALFORMED")
        self.assertEqual(self.patch(path, 0, b"ab", Upload_Length="2").status, 204)

    def test_methods_may_be_named_by_a_header(self):
        path = self.begin(4)
        answer = self.ask("POST", path, b"abcd", X_HTTP_Method_Override="PATCH", Upload_Offset="0", Content_Type=TYPE)
        self.assertEqual((answer.status, answer.headers["upload-offset"]), (204, "4"))
        answer = self.ask("POST", path, X_HTTP_Method_Override="HEAD")
        self.assertEqual((answer.status, answer.headers["upload-offset"]), (200, "4"))
        answer = self.ask("POST", path, X_HTTP_Method_Override="DELETE")
        self.assertEqual(answer.status, 204)
        self.assertEqual(self.ask("HEAD", path).status, 404)

    def test_what_had_come_when_the_line_broke_stays(self):
        data = self.bytes_of(4 * MIB)
        for came in (1, 100_000, 3 * MIB + 1):
            path = self.begin(len(data))
            line = self.line(path, len(data), 0, data[:came])
            self.received(path, came)
            line.close()
            self.assertEqual(self.offset(path), came)
            self.assertEqual(self.patch(path, came, data[came:]).status, 204)
            self.must_be_file(path, data)

    def lines_of(self, marks=None):
        """How long each log is, or what was said since then that is no information."""
        found = []
        for name in self.stack.processes:
            with open(self.stack.log_path(name), encoding="utf-8", errors="replace") as log:
                if marks is None:
                    found.append((name, log.seek(0, 2)))
                    continue
                log.seek(dict(marks)[name])
                found += [line for line in log if '"INFO"' not in line and '"DEBUG"' not in line]
        return found

    def test_an_upload_that_ends_under_its_body_is_410_at_once(self):
        path, marks = self.begin(4 * MIB), self.lines_of()
        line = self.line(path, 4 * MIB, 0, bytes(MIB))
        self.received(path, MIB)
        began = time.monotonic()
        self.assertEqual(self.ask("DELETE", path).status, 204)
        answer = http.client.HTTPResponse(line)  # nothing more was sent
        answer.begin()
        self.assertEqual((answer.status, json.loads(answer.read())["detail"]), (410, "The upload has ended."))
        self.assertLess(time.monotonic() - began, 20)  # not when its idle limit has passed
        self.assertEqual(self.ask("HEAD", path).status, 404)
        self.assertEqual(self.lines_of(marks), [])

    def test_a_client_that_leaves_is_nobodys_error(self):
        path, marks = self.begin(4 * MIB), self.lines_of()
        at = 0
        for came in (1, 2 * MIB):
            line = self.line(path, 4 * MIB - at, at, bytes(came))
            at += came
            self.received(path, at)
            line.close()
        self.assertEqual(self.ask("DELETE", path).status, 204)
        self.assertEqual(self.lines_of(marks), [])

    def test_what_is_begun_is_listed_and_ended(self):
        ben = self.stack.sign_up("ben")
        member = self.ada.post(f"/api/v1/tenants/{self.tenant}/members", {"email": ben.email, "role": "member"})
        self.assertEqual(member.status, 201, member)
        ben.headers["X-Tenant-Id"] = self.tenant
        tus = {**TUS, "Upload-Length": "1000"}
        bens = [ben.call("POST", "/api/v1/uploads", None, tus).headers["location"].rpartition("/")[2] for _ in range(2)]
        mine = self.begin(7).rpartition("/")[2]

        def listed(client):
            answer = client.get("/api/v1/uploads")
            self.assertEqual((answer.status, answer.headers["tus-resumable"]), (200, "1.0.0"))
            return [one["id"] for one in answer["items"]]
        self.assertEqual(listed(ben), bens[::-1])
        self.assertEqual(listed(self.ada)[:3], [mine, *bens[::-1]])
        reserved = int(self.ada.get("/api/v1/storage")["reserved"])
        self.assertEqual(ben.call("DELETE", f"/api/v1/uploads/{mine}", None, TUS).status, 404)
        self.assertEqual(self.ask("DELETE", f"/api/v1/uploads/{bens[0]}").status, 204)
        self.assertEqual(self.ada.delete(f"/api/v1/tenants/{self.tenant}/members/{ben.account['id']}").status, 204)
        wait_for("what a former member had begun has ended",
                 lambda: int(self.ada.get("/api/v1/storage")["reserved"]) == reserved - 2000)
        self.assertNotIn(bens[1], listed(self.ada))
        self.assertEqual(self.ask("DELETE", f"/api/v1/uploads/{mine}").status, 204)

    def test_chunks_beyond_the_length_are_413_and_nothing_of_them_stays(self):
        path = self.begin(10)
        client = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=20)
        client.request("PATCH", path, iter([b"abcdef", b"ghijkl"]), {
            **TUS, "Authorization": f"Bearer {self.ada.token}", "X-Tenant-Id": self.tenant, "Upload-Offset": "0",
            "Content-Type": TYPE, "Transfer-Encoding": "chunked"}, encode_chunked=True)
        answer = client.getresponse()
        self.assertEqual(answer.status, 413, answer.read())
        client.close()
        wait_for("the writer has left", lambda: self.offset(path) in (0, 6))
        at = self.offset(path)
        self.assertEqual(self.patch(path, at, b"abcdefghij"[at:]).status, 204)
        self.must_be_file(path, b"abcdefghij")

    def test_parts_become_one_file(self):
        data = self.bytes_of(MIB + 5)
        parts = [self.begin(len(piece), Upload_Concat="partial") for piece in (data[:MIB // 2], data[MIB // 2:])]
        for path, piece in zip(parts, (data[:MIB // 2], data[MIB // 2:])):
            self.assertEqual(self.patch(path, 0, piece).status, 204)
        final = f"final;{parts[0]} https://any.example{parts[1]}"
        said = [self.ask("POST", "/api/v1/uploads", Upload_Concat=final) for _ in range(2)]
        self.assertEqual([one.status for one in said], [201, 201], said)
        self.assertEqual(said[0].headers["location"], said[1].headers["location"])
        self.must_be_file(said[0].headers["location"], data)
        head = self.ask("HEAD", said[0].headers["location"])
        self.assertEqual([head.headers[f"upload-{name}"] for name in ("concat", "offset", "length")],
                         [final, str(len(data)), str(len(data))])
        for wrong in (f"final;{parts[0]}/../x", "final;" + parts[0].replace("/uploads/", "/files/")):
            self.check_problem(self.ask("POST", "/api/v1/uploads", Upload_Concat=wrong), 400)


class Slow(Uploader):
    settings = {**MeshCase.settings, "TRELLIS_HTTP_BODY_IDLE_SECONDS": "2"}  # and 1 KiB a second over four

    def test_slow_bodies_end_with_408_and_hold_nobody_up(self):
        size, came, n = 100000, 300, 100
        lines = {}
        with selectors.DefaultSelector() as waiting:
            for i in range(2 * n):  # of each two one stops, the other sends a byte now and then
                path = self.begin(size)
                line = self.line(path, size, 0, b"x" * came)
                line.setblocking(False)
                lines[line] = path
                waiting.register(line, selectors.EVENT_READ, i % 2)
            data = self.bytes_of(MIB)
            path = self.begin(len(data))
            self.assertEqual(self.patch(path, 0, data).status, 204)
            self.must_be_file(path, data)
            sent, answers = dict.fromkeys(lines, came), {}
            until = time.monotonic() + 60
            while len(answers) < len(lines):
                self.assertLess(time.monotonic(), until)
                for key, _ in waiting.select(0.2):
                    answers[key.fileobj] = key.fileobj.recv(4096)
                    waiting.unregister(key.fileobj)
                for key in list(waiting.get_map().values()):
                    if key.data:
                        key.fileobj.send(b"x")
                        sent[key.fileobj] += 1
        self.assertEqual({answer[:12] for answer in answers.values()}, {b"HTTP/1.1 408"})
        for line, path in lines.items():
            # Of what drips the last bytes may have come too late.
            self.assertIn(self.offset(path), range(came, sent[line] + 1))


class Apart(Uploader):
    """Two doors and two processes of media, and nobody sticks to any."""
    more = {"edge": 2, "media": 2}

    def doors(self):
        return list(self.stack.doors.values())

    def test_a_stalled_request_is_overtaken_from_anywhere(self):
        data = self.bytes_of(6 * MIB)
        for turn in range(4):  # whichever process is asked
            path, came = self.begin(len(data)), 2 * MIB + turn
            line = self.line(path, len(data), 0, data[:came], self.doors()[turn % 2])
            for door in self.doors() * 2:
                self.received(path, came, door)
            self.assertEqual(self.patch(path, came - 1, data[came - 1:came], self.doors()[turn // 2]).status, 409)
            began = time.monotonic()
            answer = self.patch(path, came, data[came:], self.doors()[turn // 2])
            self.assertEqual(answer.status, 204, answer)
            self.assertLess(time.monotonic() - began, 10)
            try:
                line.sendall(data[came:])
            except OSError:
                pass  # it was told that it is no longer wanted
            self.must_be_file(path, data)
