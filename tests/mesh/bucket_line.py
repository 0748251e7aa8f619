"""bucket_line.py - files in a bucket: what lies there, and an S3 server that is away for a
while."""
import hashlib
import urllib.parse

from bucket import Bucket
from line import Fate, Line, hang_up
from common import wait_for
from uploads import MIB, UploadCase


class BehindALine(UploadCase):
    @classmethod
    def setUpClass(cls):
        cls.bucket = Bucket()
        cls.addClassCleanup(cls.bucket.close)
        cls.away = False
        cls.line = Line([urllib.parse.urlsplit(cls.bucket.url).port], lambda n: Fate(0, "cut") if cls.away else None)
        cls.addClassCleanup(cls.line.close)
        cls.settings = {**UploadCase.settings, **cls.bucket.settings(),
                        "TRELLIS_S3_URL": f"http://127.0.0.1:{cls.line.port}"}
        super().setUpClass()

    def lying(self, tenant):
        return [key for key in self.bucket.objects() if key.startswith(f"{tenant}/")]

    def test_bytes_go_into_the_bucket_and_out_of_it_and_nothing_stays_behind(self):
        tenant = self.stack.found(self.person)
        for size in (0, 1, 70_000, 20 * MIB + 5):
            one = self.upload(size, f"bucket-{size}", tenant=tenant)
            one.run(3 * MIB, ports=self.ports)
            self.assertEqual(set(one.statuses) - {201, 204}, set())
            self.check_bytes(one.id, one.sha256(), size, tenant)
            self.assertEqual(self.lying(tenant), [f"{tenant}/{one.id}"])
            if size > MIB:
                part = self.client(tenant).get(f"/api/v1/files/{one.id}/content", Range="bytes=8388600-8388620")
                self.assertEqual((part.status, part.body), (206, one.data[8388600:8388621]))
            self.assertEqual(self.client(tenant).delete(f"/api/v1/files/{one.id}").status, 200)
            self.assertEqual(self.client(tenant).post(f"/api/v1/files/{one.id}/purge").status, 204)
            wait_for("nothing of it lies in the bucket", lambda: not self.lying(tenant))

    def test_parts_are_joined_in_the_bucket(self):
        ones = [self.upload(size, f"part-{size}") for size in (MIB, 9 * MIB)]
        for one in ones:
            self.assertEqual(one.create(Upload_Concat="partial")[0], 201)
            one.run(4 * MIB, ports=self.ports)
        status, head, body = ones[0].ask("POST", "/api/v1/uploads",
                                         Upload_Concat=f"final;{ones[0].path} {ones[1].path}")
        self.assertEqual(status, 201, body)
        whole = hashlib.sha256(ones[0].data + ones[1].data).hexdigest()
        self.check_bytes(head["Location"].rpartition("/")[2], whole, 10 * MIB)

    def test_while_the_server_is_away_an_upload_waits_where_it_was(self):
        one = self.upload(12 * MIB, "waits")
        one.create()
        self.assertEqual(one.patch(0, 5 * MIB)[0], 204)
        type(self).away = True
        for end in list(self.line.open):
            hang_up(end)
        try:
            status, head, body = one.patch(5 * MIB, MIB)
            self.assertEqual((status, int(head["Retry-After"]) > 0), (503, True), body)
            self.assertEqual(one.offset(), 5 * MIB)
        finally:
            type(self).away = False
        one.run(4 * MIB, ports=self.ports)
        self.check_bytes(one.id, one.sha256(), one.size)
