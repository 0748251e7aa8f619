"""cards.py - paying over HTTP: a bank that asks, a try that fails and another, a card that is
refused at the renewal, and money that goes back."""
import json

from case import MeshCase


class Cards(MeshCase):
    settings = {"TRELLIS_BILLING_PROVIDER": "test"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.sells(trial=None)
        cls.person = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.person)
        cls.person.headers["X-Tenant-Id"] = cls.tenant

    def call(self, method, **fields):
        done = self.stack.trellis("call", method, json.dumps({"tenant_id": self.tenant, **fields}), "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def card(self, number, status=201):
        answer = self.person.post("/api/v1/payment-methods", {
            "card_number": number, "expiry_month": 12, "expiry_year": 2099, "cvc": "123"})
        self.assertEqual(answer.status, status, answer)
        return answer

    def answer(self, url, passes):
        answer = self.person.post(url, {"pass": passes})
        self.assertIn(answer.status, (200, 204), answer)

    def pay(self, invoice):
        answer = self.person.post(f"/api/v1/invoices/{invoice['id']}/pay", {})
        self.assertEqual(answer.status, 200, answer)
        return answer

    def newest(self):
        return self.person.get("/api/v1/invoices")["items"][0]

    def status(self):
        return self.person.get("/api/v1/subscription")["status"]

    def test_a_bank_that_asks_a_card_that_is_refused_and_money_back(self):
        refused = self.card("4000000000009995", 422)
        self.assertIn("insufficient_funds", refused["errors"][0]["detail"])
        made = self.card("4000002760003184")
        self.assertEqual(made["status"], "pending")
        self.answer(made["next_action_url"], True)
        self.call("AdvanceClock")
        answer = self.person.post("/api/v1/subscription", {"plan": "team", "interval": "month", "seats": 2})
        self.assertEqual((answer.status, answer["status"]), (200, "incomplete"), answer)
        invoice = self.person.get(f"/api/v1/invoices/{self.newest()['id']}")
        self.answer(invoice["next_action"]["url"], False)
        again = self.pay(invoice)
        self.assertEqual((again["status"], again["decline_code"]), ("open", "authentication_failed"))
        self.answer(again["next_action"]["url"], True)
        self.assertEqual((self.status(), self.newest()["status"]), ("active", "paid"))

        bad = self.card("4000000000000341")
        self.assertEqual(self.person.post(f"/api/v1/payment-methods/{bad['id']}/default", {}).status, 200)
        self.call("AdvanceClock", to=self.person.get("/api/v1/subscription")["current_period_end"])
        self.assertEqual((self.status(), self.newest()["status"]), ("past_due", "open"))
        good = self.card("4242424242424242")
        kept = self.person.call("DELETE", f"/api/v1/payment-methods/{bad['id']}")
        self.assertEqual(kept.status, 409, kept)
        self.assertEqual(self.person.post(f"/api/v1/payment-methods/{good['id']}/default", {}).status, 200)
        self.assertEqual((self.status(), self.newest()["status"]), ("active", "paid"))

        payments = self.person.get("/api/v1/payments")["items"]
        self.assertEqual([payment["status"] for payment in payments],
                         ["succeeded", "failed", "succeeded", "failed"])
        back = self.call("RefundPayment", payment_id=payments[0]["id"], amount=100)
        self.assertEqual((back["kind"], back["status"], back["amount"]), ("refund", "succeeded", 100))
        more = self.stack.trellis("call", "RefundPayment", json.dumps({
            "tenant_id": self.tenant, "payment_id": payments[0]["id"], "amount": payments[0]["amount"]}), "--json")
        self.assertNotEqual(more.returncode, 0)
        ledger = self.stack.trellis("ledger", "check")
        self.assertIn("the ledger balances", ledger.stdout)
