"""uploads.py - uploads through two doors and two medias, of which none is to be stuck to:
by clients of others (tus-js-client, Uppy), over lines that are cut, slow, dead and capped,
while processes are killed. What was acknowledged is there, and nothing else is left.

TRELLIS_UPLOADS=N has N uploads live through the kills (tools/test --uploads=N), and asks
for the long form of the others, 5 GiB through the capped line among them."""
import glob
import hashlib
import json
import os
import random
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from bucket import Bucket
from case import MeshCase
from line import Fate, Line
from npm import modules
from client import Client
from common import wait_for
from tus import OFFSETS, Upload

HERE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "tus")
MIB = 1 << 20
UPLOADS = int(os.environ.get("TRELLIS_UPLOADS") or 0)
CAP = 100_000_000  # bytes of a request that a well-known proxy takes


class UploadCase(MeshCase):
    more = {"edge": 2, "media": 2}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.person)
        cls.head = cls.head_of(cls.tenant)
        cls.ports = list(cls.stack.doors.values())
        cls.chance = random.Random(11)

    @classmethod
    def head_of(cls, tenant):
        return {"Authorization": f"Bearer {cls.person.token}", "X-Tenant-Id": tenant}

    def client(self, tenant=None, port=None):
        return Client(self.stack, self.person.token, port or self.chance.choice(self.ports),
                      **{"X-Tenant-Id": tenant or self.tenant})

    def upload(self, size, seed, port=None, tenant=None):
        return Upload(port or self.stack.port, self.head_of(tenant or self.tenant), size, seed)

    def ready(self, file_id, tenant=None):
        """The file, once its bytes are given out."""
        def found():
            answer = self.client(tenant).get(f"/api/v1/files/{file_id}")
            return answer if answer.status == 200 and answer["state"] != "processing" else None
        file = wait_for(f"file {file_id} is ready", found)
        self.assertEqual(file["state"], "ready", file)
        return file

    def check_bytes(self, file_id, sha256, size, tenant=None):
        """What the file says of itself, and what comes out."""
        file = self.ready(file_id, tenant)
        self.assertEqual((int(file["size"]), file["sha256"]), (size, sha256))
        answer = self.client(tenant).get(f"/api/v1/files/{file_id}/content")
        self.assertEqual(answer.status, 200, answer.headers)
        self.assertEqual(hashlib.sha256(answer.body).hexdigest(), sha256)
        return file

    def processes(self, service):
        return [name for name in self.stack.processes if name.partition(".")[0] == service]

    def fds(self, name):
        return len(os.listdir(f"/proc/{self.stack.processes[name].pid}/fd"))

    def resident(self, name):
        with open(f"/proc/{self.stack.processes[name].pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Replicas:
    """Each request by other processes."""

    def test_each_patch_comes_by_another_door_and_none_is_refused(self):
        pieces = 1000 if UPLOADS else 100
        one = self.upload(pieces * 8192 + 5, "spread")
        self.assertEqual(one.create(self.ports[0])[0], 201)
        for i in range(pieces + 1):
            status, _, body = one.patch(i * 8192, 8192, self.chance.choice(self.ports))
            self.assertEqual(status, 204, f"{i}: {body}")
        self.check_bytes(one.id, one.sha256(), one.size)

    def test_a_head_at_any_door_tells_what_another_process_has(self):
        one = self.upload(4 * MIB, "told")
        one.create(self.ports[0])
        for i in range(4):
            self.assertEqual(one.patch(i * MIB, MIB, self.ports[i % 2])[0], 204)
            for port in self.ports:
                self.assertEqual(one.offset(port), (i + 1) * MIB)
        self.check_bytes(one.id, one.sha256(), one.size)

    def test_a_second_writer_at_a_stale_offset_is_refused_and_the_first_goes_on(self):
        one = self.upload(3 * MIB, "two")
        one.create()
        self.assertEqual(one.patch(0, MIB, self.ports[0])[0], 204)
        self.assertEqual(one.patch(0, MIB, self.ports[1])[0], 409)
        self.assertEqual(one.patch(2 * MIB, MIB, self.ports[1])[0], 409)
        self.assertEqual(one.patch(MIB, 2 * MIB, self.ports[0])[0], 204)
        self.check_bytes(one.id, one.sha256(), one.size)

    def test_of_many_uploads_none_fails(self):
        many = 1000 if UPLOADS else 60
        ones = [self.upload(self.chance.randrange(0, 40_000), f"small-{i}") for i in range(many)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: one.run(16384, ports=self.ports), ones))
        for one in ones:
            self.assertEqual(set(one.statuses) - {201, 204}, set(), one.failures)
        for one in ones[::10]:
            self.check_bytes(one.id, one.sha256(), one.size)


class Lines:
    """Lines as they are."""

    def begin(self, one, at, length, sent, port=None):
        """A PATCH that says a length and has sent so much of it; the connection stays open."""
        raw = socket.create_connection(("127.0.0.1", port or one.port), timeout=20)
        head = {**one.head, "Host": "a", "Tus-Resumable": "1.0.0", "Content-Type": OFFSETS,
                "Upload-Offset": at, "Content-Length": length}
        raw.sendall((f"PATCH {one.path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n").encode() + one.data[at:at + sent])
        return raw

    def by_client(self, name, data, port, **options):
        with tempfile.NamedTemporaryFile(dir=self.stack.folder) as file:
            file.write(data)
            file.flush()
            done = subprocess.run(
                ["node", os.path.join(HERE, "upload.mjs"), name, file.name, json.dumps({
                    "endpoint": f"http://127.0.0.1:{port}/api/v1/uploads", "headers": self.head,
                    "metadata": {"filename": "Отчёт 東京 🎉 é.bin", "filetype": "application/octet-stream"},
                    **options})],
                env={**os.environ, "NODE_MODULES": modules(HERE)}, capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def through_cuts(self, name):
        """Five connections are cut in mid-body; the client goes on from where it was."""
        data = random.Random(name).randbytes(11 * MIB + 3)
        at = random.Random(5)
        line = Line(self.ports, lambda n: Fate(at.randrange(MIB, 4 * MIB), "cut") if n < 5 else None)
        self.addCleanup(line.close)
        seen = self.by_client(name, data, line.port, chunkSize=6 * MIB)
        self.assertGreaterEqual(line.cuts, 1)
        self.assertGreaterEqual(seen["retried"], line.cuts)
        file = self.check_bytes(seen["url"].rpartition("/")[2], hashlib.sha256(data).hexdigest(), len(data))
        self.assertEqual(file["name"], "Отчёт 東京 🎉 é.bin")

    def test_tus_js_client_comes_through_a_line_that_is_cut(self):
        self.through_cuts("tus")

    def test_uppy_comes_through_a_line_that_is_cut(self):
        self.through_cuts("uppy")

    def test_uppy_may_pause_and_go_on(self):
        data = random.Random(3).randbytes(6 * MIB)
        line = Line(self.ports)
        self.addCleanup(line.close)
        seen = self.by_client("uppy", data, line.port, chunkSize=MIB, pauseAt=2 * MIB)
        self.assertGreaterEqual(seen["paused"], 2 * MIB)
        self.check_bytes(seen["url"].rpartition("/")[2], hashlib.sha256(data).hexdigest(), len(data))

    def test_tus_js_client_may_send_in_parallel_and_join(self):
        data = random.Random(4).randbytes(5 * MIB + 1)
        line = Line(self.ports)
        self.addCleanup(line.close)
        seen = self.by_client("tus", data, line.port, chunkSize=MIB, parallel=3)
        self.check_bytes(seen["url"].rpartition("/")[2], hashlib.sha256(data).hexdigest(), len(data))

    def test_a_line_that_goes_dead_holds_nobody_up(self):
        """Both ends stay open, so only the client knows that it has given up."""
        one = self.upload(4 * MIB, "dead")
        line = Line(self.ports, lambda n: Fate(MIB, "hold"))
        self.addCleanup(line.close)
        one.create(self.ports[0])
        raw = self.begin(one, 0, 3 * MIB, 2 * MIB, line.port)
        self.addCleanup(raw.close)
        wait_for("the line is dead", lambda: line.holds == 1)
        wait_for("what had come is told", lambda: one.offset(self.ports[1]) > MIB - 4096)
        at = one.offset(self.ports[1])
        self.assertLessEqual(at, MIB)
        status, _, body = one.patch(at, one.size, self.ports[1])
        self.assertEqual(status, 204, body)
        self.check_bytes(one.id, one.sha256(), one.size)

    def test_a_slow_line_costs_a_wait_and_no_more(self):
        one = self.upload(8 * MIB, "slow")
        line = Line(self.ports, delay=0.02)
        self.addCleanup(line.close)
        one.run(8 * MIB, ports=[line.port])
        self.assertEqual(one.patches, 1)
        self.check_bytes(one.id, one.sha256(), one.size)

    def test_what_a_proxy_takes_of_one_request_is_no_bound_of_a_file(self):
        line = Line(self.ports, cap=CAP)
        self.addCleanup(line.close)
        data = random.Random(6).randbytes(CAP + 1)
        seen = self.by_client("tus", data, line.port, chunkSize=8 * MIB)
        self.assertEqual((line.refused, seen["retried"]), (0, 0))
        self.check_bytes(seen["url"].rpartition("/")[2], hashlib.sha256(data).hexdigest(), len(data))
        one = Upload(line.port, self.head, 0, "whole")
        one.size, one.data = len(data), data
        one.create()
        try:
            self.assertEqual(one.patch(0, one.size)[0], 413)
        except OSError:  # the proxy has hung up while it was sent
            pass
        self.assertEqual((line.refused, one.offset(self.ports[0])), (1, 0))
        self.assertEqual(one.ask("DELETE", one.path)[0], 204)

    @unittest.skipUnless(UPLOADS, "TRELLIS_UPLOADS asks for it")
    def test_5_gib_go_through_it(self):
        line = Line(self.ports, cap=CAP)
        self.addCleanup(line.close)
        block = random.Random(8).randbytes(8 * MIB)
        one = Upload(line.port, self.head, 0, "large")
        one.size = 5 << 30
        one.create()
        total = hashlib.sha256()
        before = {name: self.resident(name) for name in (*self.processes("edge"), *self.processes("media"))}
        for at in range(0, one.size, len(block)):
            status, _, body = one.ask("PATCH", one.path, block, Content_Type=OFFSETS, Upload_Offset=at)
            self.assertEqual(status, 204, body)
            total.update(block)
        file = self.ready(one.id)
        self.assertEqual((int(file["size"]), file["sha256"]), (one.size, total.hexdigest()))
        self.assertEqual(one.given_hash(self.ports[0]), total.hexdigest())
        for name, was in before.items():
            self.assertLess(self.resident(name) - was, 16 * MIB, name)
        self.assertEqual(self.client().delete(f"/api/v1/files/{one.id}").status, 200)

    def test_bodies_that_are_broken_off_leave_no_socket_and_no_memory(self):
        many = 1000 if UPLOADS else 160
        ones = [self.upload(2 * MIB, f"broken-{i}") for i in range(8)]
        for one in ones:
            one.create(self.ports[0])
        names = (*self.processes("edge"), *self.processes("media"))

        def abort(times):
            def some(one):
                for i in range(times):
                    raw = self.begin(one, one.offset(self.ports[i % 2]), MIB, 3000, self.ports[i // 2 % 2])
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    raw.close()
            with ThreadPoolExecutor(len(ones)) as pool:
                list(pool.map(some, ones))
        abort(3)
        fds, memory = ({name: of(name) for name in names} for of in (self.fds, self.resident))
        abort(many // len(ones))
        for name in names:
            wait_for(f"{name} has as few descriptors as before", lambda: self.fds(name) <= fds[name] + 4)
            self.assertLess(self.resident(name) - memory[name], 4 * MIB, name)
        for one in ones:
            one.run(one.size, ports=self.ports)
            self.check_bytes(one.id, one.sha256(), one.size)


class Killer:
    """Kills a door or a media by and by, and starts it again."""

    def __init__(self, stack, seed):
        self.stack, self.chance = stack, random.Random(seed)
        self.over, self.kills = threading.Event(), 0
        self.victims = [name for name in stack.processes if name.partition(".")[0] in ("edge", "media")]
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(self.chance.uniform(0.05, 0.4)):
            name = self.chance.choice(self.victims)
            self.stack.kill_service(name)
            self.kills += 1
            self.over.wait(self.chance.uniform(0, 0.3))
            self.stack.start_service(name)
            wait_for(f"{name} is back", lambda: self.stack.says_ready(name))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Kills:
    SIZES = (0, 1, 70_000, MIB, 5 * MIB + 1, 12 * MIB)
    PIECES = (65536, MIB, 8 * MIB)
    MANY = 16
    SWEPT = True

    def lying(self):
        """What lies in the store: the bytes by file, without what is beside them."""
        found = {}
        for path in glob.glob(os.path.join(self.stack.media_folder(), "**"), recursive=True):
            if os.path.isfile(path):
                found[path] = os.path.getsize(path)
        return found

    def two_days_later(self):
        """For the sweep: what lies there is old, and what nobody finished has expired."""
        before = time.time() - 2 * 86400
        for path in self.lying():
            os.utime(path, (before, before))
        self.stack.sql("update media.upload set expires_at = now() - interval '1 hour' where finished_at is null")

    def check_books(self, tenant, ones):
        """What is used is the sum of the files, what is reserved that of uploads which nobody
        finished (whose first answer was lost), and nothing else lies in the store."""
        files = self.stack.sql(f"select id, size from media.file where tenant_id = '{tenant}'")
        self.assertEqual(sorted(id for id, _ in files), sorted(one.id for one in ones))
        answer = self.client(tenant).get("/api/v1/storage")
        self.assertEqual(int(answer["used"]), sum(one.size for one in ones))
        open_ones = dict(self.stack.sql("select id, length from media.upload where finished_at is null "
                                        f"and tenant_id = '{tenant}'"))
        self.assertEqual(int(answer["reserved"]), sum(map(int, open_ones.values())))
        lying = {path: size for path, size in self.lying().items() if tenant in path}
        self.assertEqual([path for path in lying if not any(
            one in path for one in (*open_ones, *(one.id for one in ones)))], [])
        self.check_files(lying, ones)

    def check_files(self, lying, ones):
        known = {one.id: one.size for one in ones}
        self.assertEqual({os.path.basename(path): size for path, size in lying.items()
                          if os.path.basename(path) in known}, known)

    def test_no_acknowledged_byte_is_lost_while_doors_and_medias_are_killed(self):
        tenant, ones = self.stack.found(self.person), []
        with Killer(self.stack, 11) as killer, ThreadPoolExecutor(4) as pool:
            while len(ones) < (UPLOADS or self.MANY) or killer.kills < 6:
                some = [self.upload(self.chance.choice(self.SIZES), f"killed-{len(ones) + i}", tenant=tenant)
                        for i in range(8)]
                ones += some
                list(pool.map(lambda one: one.run(random.Random(one.metadata["filename"]).choice(self.PIECES),
                                                  ports=self.ports), some))
        for one in ones:
            self.check_bytes(one.id, one.sha256(), one.size, tenant)
        self.check_books(tenant, ones)
        if self.SWEPT:
            self.two_days_later()
            done = self.stack.trellis("media", "sweep")
            self.assertEqual(done.returncode, 0, done.stderr)
            lying = {path: size for path, size in self.lying().items() if tenant in path}
            self.assertEqual(len(lying), len(ones), lying)
            self.check_files(lying, ones)
            self.assertEqual(int(self.client(tenant).get("/api/v1/storage")["reserved"]), 0)

    def test_an_upload_goes_on_when_postgresql_comes_back(self):
        one = self.upload(3 * MIB, "away")
        one.create()
        self.assertEqual(one.patch(0, MIB)[0], 204)
        self.stack.proxy.shut()
        try:
            status, head, _ = one.patch(MIB, MIB)
            self.assertGreaterEqual(status, 500)
        except OSError:
            pass
        finally:
            self.stack.proxy.reopen()
        one.run(MIB)
        for name in self.stack.processes:
            wait_for(f"{name} is ready again", lambda: self.stack.says_ready(name))
        self.check_bytes(one.id, one.sha256(), one.size)


class InABucket(Kills, UploadCase):
    """The kills once more, with parts of 8 MiB and their tails at an S3 server."""
    SIZES = (70_000, 6 * MIB, 21 * MIB + 9, 27 * MIB)
    PIECES = (2 * MIB, 8 * MIB, 32 * MIB)
    MANY = 8
    SWEPT = False  # nobody makes what is in a bucket older

    @classmethod
    def setUpClass(cls):
        cls.bucket = Bucket()
        cls.addClassCleanup(cls.bucket.close)
        cls.settings = {**UploadCase.settings, **cls.bucket.settings()}
        super().setUpClass()

    def lying(self):
        return self.bucket.objects()


class Uploads(Replicas, Lines, Kills, UploadCase):
    """All of it with one mesh."""
