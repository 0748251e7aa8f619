"""full_disk.py - the disk that files lie on is full, through the door: 507, what is durable
stays and is told, nothing else stays, and all goes on once there is room."""
import base64
import ctypes
import hashlib
import os
import resource
import secrets
import shutil
import subprocess
import tempfile

from case import MeshCase
from stack import wait_for

MIB = 1 << 20
FILES, UPLOADS = "/api/v1/files", "/api/v1/uploads"


class SmallDisk:
    """A tmpfs of its own, which only this process and those that it starts see. Mounted by
    root; anybody else bounds the size of the service's files, which is told as EFBIG."""
    SIZE = 6 * MIB

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="trl-disk.", dir="/var/tmp")
        self.mounted = os.geteuid() == 0
        self.pid = None
        if self.mounted:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(0x00020000) != 0:  # CLONE_NEWNS
                raise OSError(ctypes.get_errno(), "unshare")
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE},mode=700", "tmpfs", self.folder],
                           check=True)

    def fill(self, leave):
        """So many bytes are left, of the disk or of each file."""
        if self.mounted:
            fill = os.path.join(self.folder, "lost+found")
            self.room()
            free = os.statvfs(self.folder)
            with open(fill, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_bsize - leave)
        else:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (leave, resource.RLIM_INFINITY))

    def room(self):
        if self.mounted:
            fill = os.path.join(self.folder, "lost+found")
            os.path.exists(fill) and os.unlink(fill)
        else:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def files(self):
        """Names and sizes of what lies there of files and uploads."""
        return {name: os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(self.folder)
                for name in names if name not in ("trellis-media", "lost+found")}

    def close(self):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Full(MeshCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = SmallDisk()
        cls.addClassCleanup(cls.disk.close)
        cls.settings = {**MeshCase.settings, "TRELLIS_MEDIA_FOLDER": cls.disk.folder}
        super().setUpClass()
        cls.disk.pid = next(iter(cls.stack.processes.values())).pid
        cls.ada = cls.stack.sign_up("ada")

    def setUp(self):
        self.tenant = self.stack.found(self.ada)
        self.addCleanup(self.disk.room)

    def ask(self, method, path, body=None, **headers):
        return self.ada.call(method, path, raw=body, headers={
            "Tus-Resumable": "1.0.0", "X-Tenant-Id": self.tenant,
            **({"Content-Type": "application/offset+octet-stream"} if body is not None else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()}})

    def begin(self, length, **headers):
        answer = self.ask("POST", UPLOADS, Upload_Length=str(length), **headers)
        self.assertEqual(answer.status, 201, answer)
        return answer.headers["location"]

    def patch(self, path, offset, data):
        return self.ask("PATCH", path, data, Upload_Offset=str(offset))

    def offset(self, path):
        answer = self.ask("HEAD", path)
        self.assertEqual(answer.status, 200, answer)
        return int(answer.headers["upload-offset"])

    def stored(self):
        answer = self.ada.get("/api/v1/storage", X_Tenant_Id=self.tenant)
        return int(answer.json.get("used", 0)), int(answer.json.get("reserved", 0))

    def must_be_file(self, path, data):
        id = path.rpartition("/")[2]
        wait_for("it is ready", lambda: self.ada.get(f"{FILES}/{id}", X_Tenant_Id=self.tenant).json["state"] == "ready")
        answer = self.ada.get(f"{FILES}/{id}/content", X_Tenant_Id=self.tenant)
        self.assertEqual((answer.status, hashlib.sha256(answer.body).digest()), (200, hashlib.sha256(data).digest()))

    def remove(self, path):
        """The file of an upload, so that the disk has its room again."""
        id = path.rpartition("/")[2]
        self.assertEqual(self.ada.delete(f"{FILES}/{id}", X_Tenant_Id=self.tenant).status, 200)
        self.assertEqual(self.ada.post(f"{FILES}/{id}/purge", X_Tenant_Id=self.tenant).status, 204)
        wait_for("its bytes are gone", lambda: not self.disk.files())

    def test_an_upload_goes_on_once_there_is_room(self):
        data = secrets.token_bytes(3 * MIB)
        path = self.begin(len(data))
        self.disk.fill(MIB)
        for _ in range(3):  # whoever tries again is told the same
            at = self.offset(path)
            self.check_problem(self.patch(path, at, data[at:]), 507, "STORAGE")
            durable = self.offset(path)
            self.assertLessEqual(durable, MIB)
            self.assertGreaterEqual(next(iter(self.disk.files().values())), durable)
            self.assertEqual(self.stored(), (0, len(data)))
        # Who reads notices nothing.
        self.assertEqual(self.ada.get(FILES, X_Tenant_Id=self.tenant).status, 200)
        self.disk.room()
        self.assertEqual(self.patch(path, durable, data[durable:]).status, 204)
        self.must_be_file(path, data)
        self.assertEqual(self.stored(), (len(data), 0))
        self.remove(path)
        self.assertEqual(self.stored(), (0, 0))

    def test_with_a_checksum_nothing_of_the_request_stays(self):
        data = secrets.token_bytes(2 * MIB)
        path = self.begin(len(data))
        self.assertEqual(self.patch(path, 0, data[:1000]).status, 204)
        self.disk.fill(MIB)
        sum_of = "sha256 " + base64.b64encode(hashlib.sha256(data[1000:]).digest()).decode()
        answer = self.ask("PATCH", path, data[1000:], Upload_Offset="1000", Upload_Checksum=sum_of)
        self.check_problem(answer, 507, "STORAGE")
        self.assertEqual(self.offset(path), 1000)
        # What is given up makes room, also where there is none.
        self.assertEqual(self.ask("DELETE", path).status, 204)
        wait_for("its bytes are gone", lambda: not self.disk.files())
        self.assertEqual(self.stored(), (0, 0))

    def test_a_file_in_one_request_leaves_nothing(self):
        data = secrets.token_bytes(2 * MIB)
        self.disk.fill(MIB)
        for _ in range(2):
            answer = self.ada.call("POST", FILES, raw=data, headers={
                "Content-Type": "application/octet-stream", "X-Tenant-Id": self.tenant,
                "Idempotency-Key": "the-same"})
            self.check_problem(answer, 507, "STORAGE")
            wait_for("its bytes are gone", lambda: not self.disk.files())
            wait_for("its room is free", lambda: self.stored() == (0, 0))
        self.assertEqual(self.ada.get(FILES, X_Tenant_Id=self.tenant).json.get("items", []), [])
        self.disk.room()
        answer = self.ada.call("POST", FILES, raw=data, headers={
            "Content-Type": "application/octet-stream", "X-Tenant-Id": self.tenant, "Idempotency-Key": "the-same"})
        self.assertEqual(answer.status, 201, answer)
        self.must_be_file(answer["id"], data)
        self.remove(answer["id"])

    def test_parts_are_joined_once_there_is_room(self):
        data = secrets.token_bytes(2 * MIB)
        parts = [self.begin(MIB, Upload_Concat="partial") for _ in range(2)]
        for at, path in enumerate(parts):
            self.assertEqual(self.patch(path, 0, data[at * MIB:][:MIB]).status, 204)
        self.disk.fill(MIB)
        answer = self.ask("POST", UPLOADS, Upload_Concat=f"final;{parts[0]} {parts[1]}")
        self.assertEqual(answer.status, 201, answer)
        path = answer.headers["location"]
        waiting = "from media.job where kind = 'join_upload' and state = 'scheduled'"
        wait_for("it waits", lambda: self.stack.sql_value(f"select count(*) {waiting}") == "1")
        id = path.rpartition("/")[2]
        self.assertEqual(self.ada.get(f"{FILES}/{id}", X_Tenant_Id=self.tenant).json["state"], "processing")
        self.assertEqual(self.stored(), (len(data), 0))
        self.disk.room()
        self.stack.sql("update media.job set run_at = now() where kind = 'join_upload'")
        self.must_be_file(path, data)
        wait_for("parts are gone", lambda: len(self.disk.files()) == 1)
        self.remove(path)
