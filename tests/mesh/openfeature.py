"""openfeature.py - plans' features as flags: by OpenFeature's own client for servers, from
npm, and by the letter of OFREP 0.3."""
import json
import os
import subprocess

from npm import modules
from plans import PlanCase
from common import wait_for

HERE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "openfeature")
FLAGS = "/ofrep/v1/evaluate/flags"
UNLIMITED = 9007199254740991


class OpenFeature(PlanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls.stack.sign_up("owner")
        cls.tenant = cls.stack.found(cls.person)

    def read(self, tenant):
        done = subprocess.run(
            ["node", os.path.join(HERE, "read.mjs"), f"http://127.0.0.1:{self.stack.port}", tenant,
             self.person.token], env={**os.environ, "NODE_MODULES": modules(HERE)}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def evaluate(self, path, body=None, person=None, **headers):
        return (person or self.person).post(path, {"context": {"targetingKey": "x"}} if body is None else body,
                                            X_Tenant_Id=self.tenant, **headers)

    def test_a_client_of_others_reads_flags_of_each_type(self):
        wait_for("the plan", lambda: self.evaluate(FLAGS).json.get("flags"))
        flags = self.read(self.tenant)
        self.assertEqual(flags["sso"], {"value": False, "reason": "STATIC", "variant": "off"})
        self.assertEqual((flags["seats"]["value"], flags["reads"]["value"]), (3, 60))
        self.assertEqual(flags["support"]["value"], "none")
        self.assertEqual((flags["none"]["value"], flags["none"]["errorCode"]), (True, "FLAG_NOT_FOUND"))
        self.assertEqual((flags["wrong"]["value"], flags["wrong"]["errorCode"]), ("?", "TYPE_MISMATCH"))

        person, tenant = self.person, self.stack.found(self.person)
        self.subscribe(person, tenant, "big")
        wait_for("the plan that was paid", lambda: person.post(
            FLAGS + "/sso", {}, X_Tenant_Id=tenant)["value"], 1)
        flags = self.read(tenant)
        self.assertEqual(flags["sso"], {"value": True, "reason": "STATIC", "variant": "on"})
        self.assertEqual((flags["seats"]["value"], flags["seats"]["variant"]), (UNLIMITED, "unlimited"))
        self.assertEqual(flags["support"]["value"], "phone")

    def test_all_flags_have_a_tag_of_what_they_are(self):
        first = wait_for("the plan", lambda: next(
            (a for a in [self.evaluate(FLAGS)] if a.json.get("flags")), None))
        self.assertEqual([flag["key"] for flag in first["flags"]],
                         ["seats", "sso", "api-reads-per-minute", "support"])
        self.assertEqual(first["flags"][0]["metadata"], {"plan": "free"})
        tag = first.headers["etag"]
        same = self.evaluate(FLAGS, If_None_Match=tag)
        self.assertEqual((same.status, same.body, same.headers["etag"]), (304, b"", tag))
        self.operate("OverrideEntitlement", {"tenant_id": self.tenant, "value": {
            "feature": "support", "text": "chat"}})
        other = wait_for("another value", lambda: next(
            (a for a in [self.evaluate(FLAGS, If_None_Match=tag)] if a.status == 200), None), 1)
        self.assertNotEqual(other.headers["etag"], tag)
        self.assertEqual((other["flags"][3]["value"], other["flags"][3]["reason"]),
                         ("chat", "TARGETING_MATCH"))

    def check_failure(self, answer, status, **said):
        self.assertEqual((answer.status, answer.headers["content-type"]), (status, "application/json"), answer)
        self.assertLessEqual(set(answer.json), {"key", "errorCode", "errorDetails"})
        self.assertTrue(answer["errorDetails"])
        self.assertEqual({key: answer.json.get(key) for key in said}, said, answer)

    def test_failures_are_the_protocols(self):
        self.check_failure(self.evaluate(FLAGS + "/no-such-flag"), 404, key="no-such-flag",
                           errorCode="FLAG_NOT_FOUND")
        self.check_failure(self.evaluate(FLAGS + "/sso", [1]), 400, key="sso", errorCode="PARSE_ERROR")
        self.check_failure(self.evaluate(FLAGS, "text"), 400, errorCode="PARSE_ERROR")
        stranger = self.stack.sign_up("eve")
        self.check_failure(self.evaluate(FLAGS, person=stranger), 403)
        nobody = self.evaluate(FLAGS, person=self.stack.client())
        self.check_failure(nobody, 401)
        self.assertIn("Bearer", nobody.headers["www-authenticate"])
        self.assertEqual(self.evaluate(FLAGS + "/sso", {"context": {"a": {"b": [None]}}, "more": 1}).status, 200)
