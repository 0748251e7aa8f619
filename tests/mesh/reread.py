"""reread.py - secrets and certificates in files that change while the mesh runs, as a
kubelet changes what it has mounted: a link is swapped, and the file is another."""
import os
import secrets
import unittest

from case import MeshCase
from common import wait_for


class Files(MeshCase):
    # Nobody has cause to leave here, and whoever did would not be started again.
    settings = {**MeshCase.settings, "TRELLIS_RENEW_SECONDS": "1"}

    def write(self, name, text):
        """A new file in the place of the one before."""
        path = os.path.join(self.stack.folder, name)
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def text(self, name):
        with open(os.path.join(self.stack.folder, name), encoding="ascii") as file:
            return file.read()

    def stale(self, name, setting):
        line = f'\ntrellis_setting_stale{{setting="{setting}"}} '
        metrics = self.stack.metrics(name)
        self.assertIn(line, metrics)
        return metrics.partition(line)[2].split("\n")[0]

    def read_again(self, name, setting, times):
        def count():
            with open(self.stack.log_path(name), encoding="utf-8") as log:
                return sum("a file was read again" in line and setting in line for line in log)
        wait_for(f"{name} reads it again", lambda: count() >= times)

    def test_a_bus_key_changes_and_no_call_fails(self):
        ada = self.stack.sign_up()
        old, new = self.text("edge-auth").strip(), "2:" + secrets.token_hex(32)
        self.assertTrue(old.startswith("1:"))
        # Both are accepted; the first is used; then the old one is no more.
        for times, text in enumerate((f"{old}\n{new}\n", f"{new}\n{old}\n", f"{new}\n"), 1):
            self.write("edge-auth", text)
            self.read_again("edge", "TRELLIS_BUS_KEY_AUTH", times)
            self.read_again("auth", "TRELLIS_BUS_KEY_EDGE", times)
            self.assertEqual(ada.post("/api/v1/auth/login", {
                "email": ada.email, "password": ada.password}).status, 200)
        self.assertEqual(self.stale("edge", "TRELLIS_BUS_KEY_AUTH"), "0")
        # The edge, which has run all the time, meets an auth that never knew the old key.
        self.assertEqual(self.stack.stop_service("auth"), 0)
        self.stack.start_service("auth")
        wait_for("the mesh is ready", self.stack.is_ready)
        self.assertEqual(ada.post("/api/v1/auth/login", {
            "email": ada.email, "password": ada.password}).status, 200)
        for reason in ("unknown_kid", "bad_mac"):
            self.assertNotRegex(self.stack.metrics("auth"),
                                rf'trellis_bus_refused_total{{[^}}]*reason="{reason}"[^}}]*}} [1-9]')

    def test_a_key_that_is_none_is_not_taken(self):
        good = self.text("edge-tenants")
        self.write("edge-tenants", "7:nonsense\n")
        wait_for("it is said", lambda: self.stale("edge", "TRELLIS_BUS_KEY_TENANTS") == "1")
        self.assertIn("TRELLIS_BUS_KEY_TENANTS_FILE: has to hold", self.stack.log("edge"))
        self.assertEqual(self.stack.client().get("/readyz").status, 200)
        self.write("edge-tenants", good)
        wait_for("it is fine again", lambda: self.stale("edge", "TRELLIS_BUS_KEY_TENANTS") == "0")

    def test_what_is_not_read_again_is_said(self):
        good = self.text("seal")
        self.assertEqual(self.stale("tenants", "TRELLIS_SEAL_KEY"), "0")
        self.write("seal", secrets.token_hex(32) + "\n")
        wait_for("it is said", lambda: self.stale("tenants", "TRELLIS_SEAL_KEY") == "1")
        self.assertIn("a file has another value than is used; restart to take it", self.stack.log("tenants"))
        wait_for("it does not leave for it", lambda: "does not restart by itself" in self.stack.log("tenants"))
        self.write("seal", good)
        wait_for("it is as it was", lambda: self.stale("tenants", "TRELLIS_SEAL_KEY") == "0")


if __name__ == "__main__":
    unittest.main()
