"""notices.py - the mesh where no notice is ever heard: none is sent between processes,
and all that a notice hastens happens without it."""
import unittest

from case import MeshCase


class WithoutNotices(MeshCase):
    settings = {**MeshCase.settings, "TRELLIS_NOTICE_LISTEN_AUTH": "",
                "TRELLIS_NOTICE_LISTEN_TENANTS": "", "TRELLIS_NOTICE_LISTEN_EDGE": ""}
    replicas = 2

    def test_what_was_taken_away_is_refused_with_the_next_request(self):
        ada, bob = self.stack.sign_up("ada"), self.stack.sign_up("bob")
        at = f"/api/v1/tenants/{self.stack.found(ada)}"
        member = f"{at}/members/{bob.account['id']}"
        for _ in range(5):
            self.assertEqual(ada.post(at + "/members", {"email": bob.email, "role": "admin"}).status, 201)
            for _ in range(3):  # so that copies are there to be believed
                self.assertEqual(bob.get(at).status, 200)
            self.assertEqual(ada.patch(member, {"role": "viewer"}).status, 200)
            self.check_problem(bob.patch(at, {"display_name": "B"}), 403, "DENIED")
            self.assertEqual(ada.delete(member).status, 204)
            self.check_problem(bob.get(at), 404, "NOT_FOUND")
        made = ada.post(at + "/api-keys", {"name": "k", "permissions": ["tenants.tenant.read"]})
        key = self.stack.client(made["key"])
        for _ in range(3):
            self.assertEqual(key.get(at).status, 200)
        self.assertEqual(ada.delete(f"{at}/api-keys/{made['id']}").status, 204)
        self.check_problem(key.get(at), 401)
        for _ in range(3):
            self.assertEqual(bob.get("/api/v1/me").status, 200)
        self.assertEqual(bob.post("/api/v1/auth/logout").status, 204)
        self.check_problem(bob.get("/api/v1/me"), 401)


if __name__ == "__main__":
    unittest.main()
