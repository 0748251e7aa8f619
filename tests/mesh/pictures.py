"""pictures.py - pictures by the door: what comes of one that is uploaded, its sizes for whoever may see it and for
anybody, and what is no picture, a bomb, a crowd."""
import base64
import collections
import socket
import struct
import threading
import zlib

from case import MeshCase
from common import wait_for

OFFSETS = "application/offset+octet-stream"


def png(width, height, rows=None, depth=8):
    """A grey PNG; rows: as many as there are, else all that its header says."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    line = (width * depth + 7) // 8
    count = height if rows is None else rows
    data = b"".join(b"\0" + bytes((x * 3 + y) & 255 for x in range(min(line, 64))) + bytes(max(line - 64, 0))
                    for y in range(count))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(data, 1)) + chunk(b"IEND", b""))


class Pictures(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)
        cls.ada.headers["X-Tenant-Id"] = cls.tenant
        cls.anybody = cls.stack.client()

    def upload(self, data, name="cat.png", kind="image/png", **metadata):
        words = {"filename": name, "filetype": kind, **metadata}
        return self.ada.call("POST", "/api/v1/uploads", raw=data, headers={
            "Tus-Resumable": "1.0.0", "Content-Type": OFFSETS, "Upload-Length": str(len(data)),
            "Upload-Metadata": ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())})

    def uploaded(self, *args, **metadata):
        answer = self.upload(*args, **metadata)
        self.assertEqual(answer.status, 201, answer)
        return answer.headers["location"].rpartition("/")[2]

    def file(self, file):
        answer = self.ada.get(f"/api/v1/files/{file}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def looked_at(self, *args, **metadata):
        """The file, once its picture was looked at and all is made that is named."""
        file = self.uploaded(*args, **metadata)

        def done():
            shown = self.file(file)
            over = shown.get("reason") or "width" in shown and all(v["made"] for v in shown["variants"])
            return over and shown
        return wait_for("the picture was looked at", done)

    def signed(self, file, options, who=None):
        answer = (who or self.ada).post(f"/api/v1/files/{file}/links", {"options": options})
        self.assertEqual(answer.status, 201, answer)
        return answer["url"]

    # ---- what comes of one

    def test_it_has_its_measures_and_its_sizes(self):
        file = self.looked_at(png(1200, 900))
        self.assertEqual((file["width"], file["height"], file["frames"], file["state"]), (1200, 900, 1, "ready"))
        self.assertIn(len(base64.b64decode(file["thumb_hash"])), range(5, 41))
        thumb = next(v for v in file["variants"] if v["name"] == "thumb")
        self.assertEqual((thumb["width"], thumb["height"], thumb["type"]), (320, 240, "image/png"))
        given = self.ada.get(thumb["url"])
        self.assertEqual((given.status, given.headers["content-type"]), (200, "image/png"))
        self.assertEqual(struct.unpack(">II", given.body[16:24]), (320, 240))
        self.assertEqual(len(given.body), thumb["size"])
        self.assertEqual(given.headers["x-content-type-options"], "nosniff")
        self.assertIn("sandbox", given.headers["content-security-policy"])
        self.assertIn("private", given.headers["cache-control"])
        head = self.ada.call("HEAD", thumb["url"])
        self.assertEqual((head.status, head.body, head.headers["content-length"]), (200, b"", str(thumb["size"])))
        same = self.ada.call("GET", thumb["url"], headers={"If-None-Match": given.headers["etag"]})
        self.assertEqual((same.status, same.body), (304, b""))
        part = self.ada.call("GET", thumb["url"], headers={"Range": "bytes=0-3"})
        self.assertEqual((part.status, part.body), (206, b"\x89PNG"))
        self.assertIn(self.anybody.get(thumb["url"]).status, (401, 404))

    def test_what_it_shows_is_not_called_unchanged_when_its_sizes_have_changed(self):
        """What was made is no part of the version, which is there for If-Match."""
        file = self.looked_at(png(800, 600))
        path = f"/api/v1/files/{file['id']}"
        etag = self.ada.get(path).headers["etag"]
        self.stack.sql(f"delete from media.rendition where file_id = '{file['id']}'")
        answer = self.ada.get(path, If_None_Match=etag)
        self.assertEqual((answer.status, answer.headers["etag"]), (200, etag))
        self.assertFalse(any(v["made"] for v in answer["variants"]))

    def test_of_a_public_collection_anybody_has_it_for_ever(self):
        file = self.looked_at(png(800, 600), collection="pictures")
        for url in (file["url"], file["variants"][0]["url"]):
            given = self.anybody.get(url)
            self.assertEqual(given.status, 200, url)
            self.assertEqual(given.headers["cache-control"], "public, max-age=31536000, immutable")

    def test_accept_decides_only_where_the_url_says_so(self):
        file = self.uploaded(png(300, 200))
        auto, plain = self.signed(file, "f_auto,w_50"), self.signed(file, "w_50")
        for url, accept, kind in ((auto, "image/avif,image/webp,*/*;q=0.8", "image/webp"), (auto, "*/*", "image/png"),
                                  (plain, "image/webp", "image/png")):
            given = wait_for("whoever came before has been served", lambda: [
                given for given in [self.anybody.call("GET", url, headers={"Accept": accept})]
                if given.status != 503])[0]
            self.assertEqual((given.status, given.headers["content-type"]), (200, kind))
            self.assertEqual("Accept" in given.headers.get("vary", ""), url == auto)

    # ---- what is refused

    def test_what_was_not_signed_is_not_made(self):
        file = self.uploaded(png(300, 200))
        url = self.signed(file, "w_60")
        made = f"select count(*) from media.rendition where file_id = '{file}' and key like 'w_6%'"
        self.assertEqual(self.anybody.get(url.replace("/w_60/", "/w_61/")).status, 403)
        self.assertEqual(self.anybody.get(url.replace("/w_60/", "/w_60,h_1/")).status, 403)
        self.assertEqual(self.anybody.get(url + "?w=70").status, 404)
        self.assertEqual(self.ada.get(f"/api/v1/files/{file}/variants/w_60").status, 404)
        self.assertEqual(self.stack.sql_value(made), "0")
        for options in ("w_0", "w_5000", "w_60,f_avif", "w_60,f_svg", "url_http://127.0.0.1/"):
            answer = self.ada.post(f"/api/v1/files/{file}/links", {"options": options})
            self.check_problem(answer, 422, "INVALID")

    def test_nothing_that_a_file_refers_to_is_fetched(self):
        """A canary that waits for whoever follows a reference in SVG."""
        with socket.create_server(("127.0.0.1", 0)) as canary:
            canary.settimeout(0.1)
            svg = (f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
                   f"<image href='http://127.0.0.1:{canary.getsockname()[1]}/x.png'/></svg>").encode()
            self.assertEqual(self.upload(svg, "cat.png", "image/png").status, 415)
            file = self.uploaded(svg, "cat.svg", "image/svg+xml")
            self.assertEqual(self.ada.get(f"/api/v1/files/{file}/variants/thumb").status, 404)
            self.check_problem(self.ada.post(f"/api/v1/files/{file}/links", {"options": "w_9"}), 422)
            self.assertNotIn("variants", {k for k, v in self.file(file).items() if v})
            with self.assertRaises(TimeoutError):
                canary.accept()

    def test_a_bomb_is_told_by_its_header(self):
        bomb, sentence = png(64250, 64250, rows=1), "The picture is 64250 x 64250 pixels; a side may have 16383."
        file = self.looked_at(bomb, collection="pictures")
        self.assertEqual((file["state"], file["reason"]), ("rejected", sentence))
        file = self.looked_at(bomb)
        self.assertEqual((file["state"], file["reason"]), ("ready", sentence))
        answer = self.check_problem(self.ada.get(f"/api/v1/files/{file['id']}/variants/thumb"), 422, "INVALID")
        self.assertEqual(answer["detail"], sentence)
        self.assertEqual(self.ada.get(f"/api/v1/files/{file['id']}/content").body, bomb)

    # ---- many at once

    def all_at_once(self, requests):
        """Each on a connection of its own: (status, fields) of all."""
        answers = []

        def ask(client, url):
            answer = client.get(url)
            answers.append((answer.status, answer.headers))
        threads = [threading.Thread(target=ask, args=request) for request in requests]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return answers

    def reader(self):
        return self.stack.client(self.ada.token, **self.ada.headers)

    def test_readers_do_not_wait_for_what_is_made(self):
        file = self.uploaded(png(3000, 2000))
        answers = self.all_at_once([(self.reader(), f"/api/v1/files/{file}/content") for _ in range(50)])
        self.assertEqual({status for status, _ in answers}, {200})

    def test_a_crowd_of_sizes_is_bounded_and_delays_nobody_else(self):
        """Links ask for 32 sizes of one, so it takes four."""
        files = [self.uploaded(png(7000, 7000)) for _ in range(4)]
        urls = [self.signed(file, f"w_{100 + i}") for i in range(25) for file in files]
        answers, others = [], []
        crowd = threading.Thread(target=lambda: answers.extend(
            self.all_at_once([(self.stack.client(), url) for url in urls * 2])))
        crowd.start()
        while crowd.is_alive():
            others.append(self.ada.get("/api/v1/storage").status)
        counted = collections.Counter(status for status, _ in answers)
        self.assertEqual(set(others), {200})
        self.assertLessEqual(set(counted), {200, 503}, counted)
        self.assertGreater(counted[200], 0)
        self.assertGreater(counted[503], 0)
        self.assertTrue(all("retry-after" in fields for status, fields in answers if status == 503))
        made = int(self.stack.sql_value("select count(*) from media.rendition where key ~ '^w_[0-9]+-f_png$' and "
                                        f"file_id in ({', '.join(repr(file) for file in files)})"))
        self.assertLessEqual(made, 64)
