"""billing.py - what is sold, and the ledger, by the operator's command: a catalogue is
checked, compared and applied, what is wrong is told with its place, and hledger reads the
ledger and finds the same."""
import collections
import json
import os
import subprocess
import tempfile

from ctl_case import CtlCase
from common import TOP, wait_for

EXAMPLE = os.path.join(TOP, "services/billing/catalogue/example.json")


class Billing(CtlCase):
    settings = {**CtlCase.settings, "TRELLIS_BILLING_PROVIDER": "test"}

    def catalogue(self, action, catalogue, code=0):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(catalogue, file)
            file.flush()
            return self.ctl("billing", "catalogue", action, file.name, code=code)

    def call(self, method, **fields):
        return json.loads(self.ctl("call", method, json.dumps(fields), "--json").stdout)

    def test_1_a_catalogue_is_checked_compared_and_applied(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            example = json.load(file)
        self.assertEqual(self.stack.client().get("/api/v1/plans")["items"], [])
        self.assertRegex(self.catalogue("check", example).stdout, r"^Nothing is wrong; it would change \d+ things\.$")
        self.assertIn("Plan team is new.", self.catalogue("diff", example).stdout)
        self.assertEqual(self.stack.client().get("/api/v1/plans")["items"], [])
        self.assertIn("Version 1 is in force.", self.catalogue("apply", example).stdout)
        self.assertEqual(self.catalogue("apply", example).stdout, "It is in force as it is.\n")
        self.assertEqual([plan["key"] for plan in self.stack.client().get("/api/v1/plans")["items"]],
                         ["free", "team", "business"])
        example["plans"][1]["prices"][0]["unit_amount"] = "1"
        refused = self.catalogue("apply", example, code=1)
        self.assertIn("/catalogue/plans/1/prices/0", refused.stderr)
        example["plans"][1]["prices"][0]["unit_amount"] = "1,5"
        self.assertIn("/catalogue/plans/1/prices/0/unit_amount ", self.catalogue("check", example, code=1).stderr)
        wrong = self.ctl("billing", "catalogue", "use", EXAMPLE, code=2)
        self.assertEqual(wrong.stderr, "trellis: say check, diff or apply, and then the file\n")
        self.assertIn("No such file", self.ctl("billing", "catalogue", "check", "/nobody", code=2).stderr)

    def test_2_the_ledger_balances_and_hledger_finds_the_same(self):
        self.ada.headers["X-Tenant-Id"] = self.tenant
        answer = self.ada.post("/api/v1/subscription", {"plan": "team", "interval": "month", "seats": 5})
        self.assertEqual((answer.status, answer["status"]), (200, "incomplete"), answer)
        self.assertEqual(self.ctl("ledger", "check").stdout, "1 transactions, 3 entries: the ledger balances.\n")
        journal = self.ctl("ledger", "export").stdout
        told = subprocess.run(["hledger", "-f", "-", "balance", "--flat", "--no-total", "-O", "csv"], input=journal,
                              text=True, capture_output=True, check=True).stdout.splitlines()[1:]
        sums = collections.Counter()
        for line in told:
            account, amount = line.strip('"').split('","')
            sums[account.rpartition(":")[0]] += round(float(amount.split()[0]) * 100)
        self.assertEqual(sums, {"assets:receivable": 5400, "income:revenue": -4500, "liabilities:tax": -900})
        entries = [json.loads(line) for line in self.ctl("ledger", "export", "--json").stdout.splitlines()]
        self.assertEqual(sum(entry["amount"] for entry in entries), 0)
        self.assertEqual(self.ctl("ledger", "check", "--tenant", "nobody", code=2).stderr,
                         "trellis: --tenant 'nobody' is not an id of 36 characters\n")
        with self.assertRaisesRegex(Exception, "ledger_transaction_balances_check"):
            self.stack.sql("update billing.ledger_transaction set amounts[1] = amounts[1] - 1")
        self.stack.sql("update billing.invoice set amount_due = amount_due - 1")
        broken = self.ctl("ledger", "check", code=1)
        self.assertIn("account receivable of organisation " + self.tenant, broken.stderr)
        self.stack.sql("update billing.invoice set amount_due = amount_due + 1")

    def test_4_quantities_and_amounts_that_are_none_are_refused(self):
        self.ada.headers["X-Tenant-Id"] = self.tenant
        before = self.ctl("ledger", "export").stdout
        another_type, no_seats = 400, 422
        for seats, status in (("-1", no_seats), ("0", no_seats), ("1000001", no_seats), (str(2**32 + 1), no_seats),
                              ("1.5", no_seats), ('"5"', another_type), ('"1,5"', another_type), ("true", another_type),
                              ("[1]", another_type)):
            for path in ("", "/preview"):
                with self.subTest(seats=seats, path=path):
                    answer = self.ada.call("POST", "/api/v1/subscription" + path, raw=b'{"seats":%s}' % seats.encode())
                    self.assertEqual((answer.status, [one["pointer"] for one in answer["errors"]]), (status, ["/seats"]), answer)
        for seats, why in (("NaN", "are no numbers of JSON"), (str(2**63), "is out of range"), ("1e400", "is out of range")):
            answer = self.ada.call("POST", "/api/v1/subscription", raw=b'{"seats":%s}' % seats.encode())
            self.assertEqual(answer.status, 422, answer)
            self.assertIn(why, answer["detail"])
        invoice = self.ada.get("/api/v1/invoices")["items"][0]["id"]
        for amount, why in (("-1", "amount should be at least"), ("0", "amount should be at least"),
                            ("1.5", "amount should be a whole number"), (str(2**63), "is out of range"),
                            ("1e400", "is out of range"), (str(10**15 + 1), "at most|is left of the invoice")):
            for method, more in (("RecordPayment", ""), ("CreditInvoice", ',"reason":"duplicate"')):
                with self.subTest(amount=amount, method=method):
                    refused = self.stack.trellis("call", method, '{"tenant_id":"%s","invoice_id":"%s","amount":%s%s}' % (
                        self.tenant, invoice, amount, more))
                    self.assertNotEqual(refused.returncode, 0, refused)
                    self.assertRegex(refused.stderr, why)
        self.assertEqual(self.ctl("ledger", "export").stdout, before)

    def test_6_storage_is_limited_by_the_plan_and_for_one_organisation_by_the_operator(self):
        self.ada.headers["X-Tenant-Id"] = self.tenant
        limit = lambda: self.ada.get("/api/v1/storage").json.get("limit")
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000001"}
        plan = limit()
        self.assertIn(plan, (1 << 30, 100 << 30))  # the example's, of free or of team
        given = {"feature": "storage-bytes", "number": 1000000}
        self.ctl("call", "OverrideEntitlement", json.dumps({"tenant_id": self.tenant, "value": given}))
        wait_for("the operator's limit", lambda: limit() == 1000000)
        refused = self.ada.call("POST", "/api/v1/uploads", None, tus)
        self.assertEqual((refused.status, refused["feature"], refused["limit"]), (413, "storage-bytes", 1000000), refused)
        self.ctl("call", "OverrideEntitlement", json.dumps({
            "tenant_id": self.tenant, "value": {"feature": "storage-bytes"}, "remove": True}))
        wait_for("the plan's limit again", lambda: limit() == plan)
        self.assertEqual(self.ada.call("POST", "/api/v1/uploads", None, tus).status, 201)

    def test_5_ten_thousand_plans_are_refused_and_cost_nobody_anything(self):
        plans = [{"key": f"plan-{n}", "name": "Plan", "rank": n} for n in range(10_000)]
        catalogue = {"plans": plans, "fallback_plan": "plan-1"}
        for action in ("check", "apply"):
            self.assertIn("catalogue/plans should have at most 100 items", self.catalogue(action, catalogue, code=2).stderr)
            plans[0]["description"] = "x" * (1 << 20)
            self.assertRegex(self.catalogue(action, catalogue, code=2).stderr, "^trellis: .*: it is longer than 1 MiB\n$")
            del plans[0]["description"]
        self.assertEqual(self.ctl("billing", "catalogue", "check", "/", code=2).stderr, "trellis: /: Is a directory\n")
        self.assertEqual(len(self.stack.client().get("/api/v1/plans")["items"]), 3)

    def test_3_an_invoice_is_a_pdf(self):
        self.ada.headers["X-Tenant-Id"] = self.tenant
        invoice = self.ada.get("/api/v1/invoices")["items"][0]
        path = f"/api/v1/invoices/{invoice['id']}/pdf"
        first = self.ada.get(path, Accept_Encoding="gzip")
        number = invoice["number"]
        self.assertEqual(first.status, 200, first)
        self.assertEqual(first.headers["content-type"], "application/pdf")
        self.assertEqual(first.headers["content-disposition"], f'attachment; filename="{number}.pdf"')
        self.assertEqual(first.headers["x-content-type-options"], "nosniff")
        self.assertNotIn("content-encoding", first.headers)
        told = subprocess.run(["pdftotext", "-layout", "-", "-"], input=first.body, capture_output=True,
                              check=True).stdout.decode().replace("\u00a0", " ")
        for wanted in (number, "45.00", "EUR 54.00", "5 \u00d7 Team", "Page 1 of 1"):
            self.assertIn(wanted, told)
        again = self.ada.get(path)
        self.assertEqual((again.body, again.headers["etag"]), (first.body, first.headers["etag"]))
        same = self.ada.get(path, If_None_Match=first.headers["etag"])
        self.assertEqual((same.status, same.body), (304, b""))
        head = self.ada.call("HEAD", path)
        self.assertEqual((head.status, head.body, int(head.headers["content-length"])), (200, b"", len(first.body)))
        self.assertEqual(self.ada.get(path, Accept="application/json").status, 200)
        self.check_problem(self.ada.get(path, Accept="text/html"), 406)
        stranger = self.stack.sign_up("mallory")
        self.check_problem(stranger.get(path, X_Tenant_Id=self.stack.found(stranger)), 404)
        self.check_problem(self.stack.client().get(path), 401)
