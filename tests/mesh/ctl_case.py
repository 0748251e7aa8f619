"""ctl_case.py - a mesh, a tenant in it, and the operator's command."""
from case import MeshCase
from common import SERVICES


class CtlCase(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)
        cls.slug = cls.ada.get(f"/api/v1/tenants/{cls.tenant}")["slug"]

    def ctl(self, *words, code=0, **more):
        done = self.stack.trellis(*words, **more)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        if code == 0:
            self.assertEqual(done.stderr, "", words)
        return done

    def items(self, *words):
        """Of a question to all services, by service."""
        found = self.ctl(*words, "--json").json()
        self.assertEqual(found["errors"], [])
        self.assertEqual(sorted(item["service"] for item in found["items"]), sorted(SERVICES))
        return {item["service"]: item for item in found["items"]}
