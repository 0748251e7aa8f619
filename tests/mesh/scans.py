"""scans.py - files are shown to the real clamd before anybody is given them, through the
door: the clean, the infected, those that it does not read, and while it is away."""
import base64
import json
import secrets

from case import MeshCase
from clamd import EICAR, Clamd
from stack import wait_for

FILES, UPLOADS = "/api/v1/files", "/api/v1/uploads"
SCANNED = 1 << 20  # more than clamd takes


class Scans(MeshCase):
    @classmethod
    def setUpClass(cls):
        cls.clamd = Clamd()
        cls.addClassCleanup(cls.clamd.close)
        cls.settings = {**MeshCase.settings, "TRELLIS_MEDIA_CLAMD": f"unix:{cls.clamd.path}",
                        "TRELLIS_MEDIA_SCAN_BYTES": str(SCANNED)}
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")

    def setUp(self):
        self.tenant = self.stack.found(self.ada)

    def post(self, body, name="a.txt"):
        answer = self.ada.call("POST", FILES, raw=body, headers={
            "Content-Type": "application/octet-stream", "X-Tenant-Id": self.tenant,
            "Content-Disposition": f'attachment; filename="{name}"', "Idempotency-Key": secrets.token_hex(8)})
        self.assertEqual(answer.status, 201, answer)
        return answer["id"]

    def create(self, **headers):
        return self.ada.call("POST", UPLOADS, headers={
            "Tus-Resumable": "1.0.0", "X-Tenant-Id": self.tenant,
            **{name.replace("_", "-"): value for name, value in headers.items()}})

    def file(self, id):
        answer = self.ada.get(f"{FILES}/{id}", X_Tenant_Id=self.tenant)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def content(self, id):
        return self.ada.get(f"{FILES}/{id}/content", X_Tenant_Id=self.tenant)

    def becomes(self, id, state):
        wait_for(f"it is {state}", lambda: self.file(id)["state"] != "processing")
        file = self.file(id)
        self.assertEqual(file["state"], state, file)
        return file

    def told(self, id, what):
        such = f"where type = 'media.file.{what}' and subject_id = '{id}'"
        return int(self.stack.sql_value(f"select (select count(*) from media.outbox {such}) "
                                        f"+ (select count(*) from media.event_log {such})"))

    def used(self):
        return int(self.ada.get("/api/v1/storage", X_Tenant_Id=self.tenant).json.get("used", 0))

    def release(self, id, *more):
        return self.stack.trellis("media", "release", id, "--tenant", self.tenant, *more)

    def test_the_clean_are_given_out(self):
        id = self.post(b"hello")
        self.assertEqual(self.becomes(id, "ready")["scan"], "clean")
        self.assertEqual(self.content(id).body, b"hello")

    def test_the_infected_are_in_quarantine_until_the_operator_lets_them_out(self):
        id = self.post(EICAR)
        file = self.becomes(id, "quarantined")
        self.assertEqual(file["scan"], "infected")
        self.assertIn("Test.Eicar", file["reason"])
        self.assertEqual((self.told(id, "rejected"), self.told(id, "ready")), (1, 0))
        self.check_problem(self.content(id), 404)
        self.assertEqual(self.used(), len(EICAR))
        # It is shown to clamd again, which has learned nothing.
        ended = self.release(id)
        self.assertEqual(ended.returncode, 0, ended)
        wait_for("it was seen again", lambda: self.told(id, "rejected") == 2)
        self.becomes(id, "quarantined")
        ended = self.release(id, "--force", "--json")
        self.assertEqual((ended.returncode, json.loads(ended.stdout)["state"]), (0, "ready"), ended)
        file = self.becomes(id, "ready")
        self.assertEqual((file["scan"], file.get("reason")), ("released", None))
        self.assertEqual((self.content(id).body, self.told(id, "ready")), (EICAR, 1))
        self.assertNotEqual(self.release(id).returncode, 0)
        self.assertEqual(self.used(), len(EICAR))

    def test_what_is_larger_than_is_scanned_is_refused_before_it_is_sent(self):
        answer = self.create(Upload_Length=str(SCANNED + 1))
        self.assertIn(str(SCANNED), self.check_problem(answer, 413)["detail"])
        answer = self.ada.call("POST", FILES, raw=bytes(SCANNED + 1), headers={
            "Content-Type": "text/plain", "X-Tenant-Id": self.tenant, "Idempotency-Key": secrets.token_hex(8)})
        self.assertIn(str(SCANNED), self.check_problem(answer, 413)["detail"])
        self.assertEqual(self.create(Upload_Length=str(SCANNED)).status, 201)

    def test_what_clamd_does_not_read_is_never_clean(self):
        id = self.post(b"a" * (Clamd.LIMIT + (100 << 10)))
        file = self.becomes(id, "rejected")
        self.assertEqual(file["scan"], "unscanned")
        self.check_problem(self.content(id), 404)
        wait_for("it counts no longer", lambda: self.used() == 0)

    def test_while_clamd_is_away_files_wait(self):
        self.clamd.kill()
        try:
            ids = [self.post(body) for body in (b"hello", EICAR)]
            wait_for("it is missed", lambda: self.counted("media", 'trellis_media_scans_total{result="away"}') >= 2)
            for id in ids:
                self.assertEqual((self.file(id)["state"], self.file(id)["scan"]), ("processing", "pending"))
                self.assertGreater(int(self.check_problem(self.content(id), 409).headers["retry-after"]), 0)
        finally:
            self.clamd.start()
        wait_for("all wait", lambda: self.stack.sql_value(
            "select count(*) from media.job where kind = 'scan' and state = 'scheduled'") == "2")
        self.stack.sql("update media.job set run_at = now() where kind = 'scan'")
        self.becomes(ids[0], "ready")
        self.becomes(ids[1], "quarantined")
