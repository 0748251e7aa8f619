"""limits.py - how often is too often, and who may write to strangers."""
import re
import unittest
import uuid

from case import MeshCase


class Limits(MeshCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Before the limit of proving an address is used up by trying it.
        cls.host, cls.writer = cls.stack.sign_up("host"), cls.stack.sign_up("writer")

    def test_refuses_past_the_limit_and_says_when(self):
        anybody = self.stack.client()
        body = {"email": "nobody@example.com", "password": "wrong wrong wrong"}
        answers = [anybody.post("/api/v1/auth/login", body) for _ in range(6)]
        self.assertEqual({a.status for a in answers[:5]}, {401})
        last = self.check_problem(answers[5], 429, "RATE")
        self.assertGreater(int(last.headers["retry-after"]), 0)
        self.assertIn('"login-address";q=20;w=60', last.headers["ratelimit-policy"])
        # the limit that was reached is the address's of the mail, which auth counts
        self.assertIn('"login-name";q=5;w=60', last.headers["ratelimit-policy"])
        # t is when there is one more: what Retry-After says, and never beyond the window
        self.assertIn(f'"login-name";r=0;t={last.headers["retry-after"]}', last.headers["ratelimit"])
        self.assertLessEqual(int(last.headers["retry-after"]), 12)  # 60 s for 5
        for answer in answers:
            windows = dict(re.findall(r'"([\w-]+)";q=\d+;w=(\d+)', answer.headers["ratelimit-policy"]))
            for name, t in re.findall(r'"([\w-]+)";r=\d+;t=(\d+)', answer.headers["ratelimit"]):
                self.assertIn(int(t), range(1, int(windows[name]) + 1), answer.headers["ratelimit"])
        # another account from the same address is still let in, until the address is full
        # (every 3 s makes room for one more, and hashes may take their time)
        statuses = []
        while statuses[-1:] != [429] and len(statuses) < 100:
            email = f"n{len(statuses)}@example.com"
            statuses.append(anybody.post("/api/v1/auth/login", {**body, "email": email}).status)
        self.assertEqual(statuses[:10], [401] * 10)
        self.assertEqual(statuses[-1], 429)
        asks = [anybody.post("/api/v1/auth/password/forgot", {"email": "nobody@example.com"})
                for _ in range(4)]
        self.assertEqual({a.status for a in asks[:3]}, {204})
        last = self.check_problem(asks[3], 429, "RATE")
        self.assertIn('"reset-name";q=3;w=3600', last.headers["ratelimit-policy"])
        self.assertIn(f'"reset-name";r=0;t={last.headers["retry-after"]}', last.headers["ratelimit"])
        self.assertIn(int(last.headers["retry-after"]), range(1140, 1202))
        self.assertIn("RateLimit", [h.title().replace("Ratelimit", "RateLimit") for h in last.headers])

    def test_who_is_no_member_takes_nothing_of_a_tenants_limits(self):
        ada, eve = self.host, self.stack.sign_up("eve", verified=False)
        at = f"/api/v1/tenants/{self.stack.found(ada)}"
        body = {"email": "ned@example.com", "role": "member"}
        there, nowhere = [eve.post(f"{path}/invitations", body)
                          for path in (at, f"/api/v1/tenants/{uuid.uuid4()}")]
        for answer in (there, nowhere):
            self.check_problem(answer, 404, "NOT_FOUND")
            self.assertNotIn("tenant-", answer.headers["ratelimit-policy"])
        # Each id is one she has not tried, and all count as hers.
        statuses = []
        while statuses[-1:] != [429] and len(statuses) < 80:
            statuses.append(eve.post(f"/api/v1/tenants/{uuid.uuid4()}/invitations", body).status)
        self.assertEqual((statuses[0], statuses[-1]), (404, 429))
        invited = ada.post(f"{at}/invitations", body)
        self.assertEqual(invited.status, 201, invited)
        self.assertRegex(invited.headers["ratelimit"], r'"tenant-invite";r=599\b')

    def test_mails_to_strangers_and_questions_after_them_are_few(self):
        ada = self.writer
        at, other = [f"/api/v1/tenants/{self.stack.found(ada)}" for _ in range(2)]
        invited = ada.post(f"{at}/invitations", {"email": "bob@example.com", "role": "member"})
        self.assertEqual(invited.status, 201, invited)
        # To one address a few a day, whoever asks.
        statuses = []
        while statuses[-1:] != [429] and len(statuses) < 20:
            last = ada.post(f"{at}/invitations/{invited['id']}/resend")
            statuses.append(last.status)
        self.check_problem(last, 429, "RATE")
        self.assertEqual(statuses, [200] * 9 + [429])
        self.assertIn('"recipient-invite";q=10;w=86400', last.headers["ratelimit-policy"])
        # To all together some an hour, whichever organisation they go through.
        for i in range(70):
            where = (at, other)[i % 2]
            last = ada.post(f"{where}/invitations", {"email": f"c{i}@example.com", "role": "member"})
            statuses.append(last.status)
            if last.status == 429:
                break
        self.check_problem(last, 429, "RATE")
        self.assertIn(statuses.count(200) + statuses.count(201), range(58, 64))  # one comes back a minute
        self.assertIn('"account-invite";q=60;w=3600', last.headers["ratelimit-policy"])
        self.assertIn('"tenant-invite";q=600;w=3600', last.headers["ratelimit-policy"])
        for where, email in ("invitations", "eve@example.com"), ("members", "bob@example.com"):
            for tenant in (at, other):
                self.check_problem(ada.post(f"{tenant}/{where}", {"email": email, "role": "member"}), 429, "RATE")
        self.assertEqual(ada.get(f"{at}/invitations").status, 200)  # the rest goes on

    def test_whoever_has_not_proven_an_address_writes_to_nobody(self):
        eve = self.stack.sign_up("eve", verified=False)
        at = f"/api/v1/tenants/{self.stack.found(eve)}"
        made = eve.post(f"{at}/api-keys", {"name": "k", "permissions": [
            "tenants.invitation.create", "tenants.member.add"]})
        self.assertEqual(made.status, 201, made)
        for caller in (eve, self.stack.client(made["key"])):
            for where in ("invitations", "members"):
                self.check_problem(caller.post(f"{at}/{where}", {
                    "email": "bob@example.com", "role": "member"}), 403, "DENIED")


if __name__ == "__main__":
    unittest.main()
