"""part.py - some services share a process and the others do not: edge and tenants in one,
auth and notify each in its own."""
import subprocess

from case import MeshCase
from common import wait_for

SHARED = ("tenants", "edge")


class Parts(MeshCase):
    def shared_environment(self):
        """Of both services, without what one finds in its own process; a key says whose."""
        env = {}
        for name in SHARED:
            for key, value in self.stack.environment(name).items():
                if key.startswith("TRELLIS_BUS_KEY_"):
                    key = key.replace("TRELLIS_BUS_KEY_", f"TRELLIS_BUS_KEY_{name.upper()}_")
                env[key] = value
        for name in SHARED:
            env.pop(f"TRELLIS_PEER_{name.upper()}", None)
        return env

    def test_services_that_share_a_process_serve_beside_others(self):
        for name in SHARED:
            self.assertEqual(self.stack.stop_service(name), 0)
            del self.stack.processes[name]
        with open(self.stack.log_path("part"), "ab") as log:
            self.stack.processes["part"] = subprocess.Popen(
                [self.stack.binary("all"), "--services", ",".join(reversed(SHARED))],
                env=self.shared_environment(), stdout=log, stderr=log)
        wait_for("the mesh is ready", self.stack.is_ready)
        someone = self.stack.sign_up()
        tenant = self.stack.found(someone, "Part")
        self.assertEqual(someone.get(f"/api/v1/tenants/{tenant}")["display_name"], "Part")
        # notify reads tenants' events from the shared process, and is asked by its edge
        wait_for("notify has told of the organisation", lambda: someone.get(
            "/api/v1/webhook-endpoints", X_Tenant_Id=tenant).status == 200)

    def test_a_part_that_does_not_exist_is_refused(self):
        for words in ("edge,tenant", "edge,edge", "", "edge,"):
            done = subprocess.run([self.stack.binary("all"), "--services", words, "config"], text=True,
                                  env=self.stack.environment("all"), capture_output=True)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("each once, of:", done.stderr)
