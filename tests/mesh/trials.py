"""trials.py - an organisation's first weeks: the trial that its founding begins, the mails
about it, what it may use meanwhile and afterwards, and its first receipt."""
import datetime
import email
import email.policy
import json

from case import MeshCase
from common import wait_for

DAY = datetime.timedelta(days=1)


class Trials(MeshCase):
    settings = {"TRELLIS_BILLING_PROVIDER": "test"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.sells()

    def setUp(self):
        self.person = self.stack.sign_up("ada")
        self.tenant = self.stack.found(self.person)

    def get(self, path):
        answer = self.person.get(path, X_Tenant_Id=self.tenant)
        self.assertEqual(answer.status, 200, answer)
        return answer

    def status(self):
        return self.get("/api/v1/subscription").json.get("status")

    def plan(self):
        """What tenants has heard of it, by which its grants are made."""
        return self.stack.sql_value(
            f"select plan from tenants.plan_copy where tenant_id = '{self.tenant}'")

    def advance(self, to):
        """The organisation's test clock; None: it begins."""
        request = {"tenant_id": self.tenant, **({"to": to.strftime("%Y-%m-%dT%H:%M:%SZ")} if to else {})}
        done = self.stack.trellis("call", "AdvanceClock", json.dumps(request), "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def mail(self, subject):
        """Waits for one to the owner whose subject begins so; its plain text."""
        def find():
            mails = (email.message_from_bytes(text.encode(), policy=email.policy.default)
                     for text in self.stack.mails(self.person.email))
            return next((m for m in mails if m["Subject"].startswith(subject)), None)
        return wait_for(f"a mail: {subject}", find).get_body(("plain",)).get_content().replace("\n", " ")

    def facts(self):
        done = self.stack.trellis("tenant", "show", self.tenant, "--json")
        return next({f["name"]: f["value"] for f in item.get("facts", [])}
                    for item in done.json()["items"] if item["service"] == "billing")

    def test_a_trial_from_its_founding_to_the_first_receipt(self):
        wait_for("the trial", lambda: self.status() == "trialing")
        trial = self.get("/api/v1/subscription")
        wait_for("the plan is there", lambda: self.plan() == "team")
        self.assertEqual(self.facts()["subscription"], "trialing")
        self.advance(None)
        end = datetime.datetime.fromisoformat(trial["trial_end"].replace("Z", "+00:00"))
        self.advance(end - 3 * DAY + datetime.timedelta(seconds=1))
        told = self.mail("Your trial in Acme ends soon")
        self.assertIn("Set up a way to pay", told)
        self.assertIn("9.00\u00a0EUR a period", told)
        self.assertIn(f"/tenants/{self.tenant}/billing", told)
        self.advance(end + datetime.timedelta(seconds=1))
        self.assertEqual(self.status(), "paused")
        wait_for("the fallback plan", lambda: self.plan() != "team")
        self.assertIn("It pauses, and costs nothing.", self.mail("The trial in Acme is over"))
        self.assertEqual(self.get("/api/v1/invoices")["items"], [])
        made = self.person.post("/api/v1/payment-methods", {
            "card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2099},
            X_Tenant_Id=self.tenant)
        self.assertEqual(made.status, 201, made)
        resumed = self.person.post("/api/v1/subscription/resume", {}, X_Tenant_Id=self.tenant)
        self.assertEqual((resumed.status, resumed.json.get("status")), (200, "active"), resumed)
        paid = self.get("/api/v1/invoices")["items"][0]
        told = self.mail("Your receipt: ")
        self.assertIn(paid["number"], told)
        self.assertIn(f"/invoices/{paid['id']}", told)
        facts = self.facts()
        self.assertEqual((facts["subscription"], facts["seats"]), ("active", "1"))
        self.assertIn("1 invoices, 1 payments", facts["kept_by_law"])
        self.assertIn("test_clock", facts)

    def test_a_founders_second_organisation_has_none(self):
        wait_for("the trial", lambda: self.status() == "trialing")
        self.tenant = self.stack.found(self.person)
        wait_for("it is heard of", lambda: self.stack.sql_value(
            f"select count(*) from billing.tenant_copy where tenant_id = '{self.tenant}'") == "1")
        wait_for("it is looked at", lambda: self.stack.sql_value(
            f"select count(*) from billing.job where tenant_id = '{self.tenant}'") == "0")
        self.assertIsNone(self.status())
        self.assertNotEqual(self.plan(), "team")

    def test_while_it_is_being_deleted_nothing_is_billed(self):
        wait_for("the trial", lambda: self.status() == "trialing")
        done = self.person.call("DELETE", f"/api/v1/tenants/{self.tenant}")
        self.assertEqual(done.status, 200, done)
        wait_for("billing waits", lambda: "billing_waits" in self.facts())
        done = self.person.post(f"/api/v1/tenants/{self.tenant}/restore", {})
        self.assertEqual(done.status, 200, done)
        wait_for("billing goes on", lambda: "billing_waits" not in self.facts())
        self.assertEqual(self.status(), "trialing")
