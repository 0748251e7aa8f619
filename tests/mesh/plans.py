"""plans.py - what a plan allows, from the change that is paid to the door that obeys it;
and without billing, which nobody needs for it."""
import json
import re

from case import MeshCase
from common import wait_for

# A change is heard of at once; without that, the door's copy of the old one lives for five
# seconds.
SOON = 4

FEATURES = [{"key": "seats", "type": "number", "name": "Seats"},
            {"key": "sso", "type": "boolean", "name": "Single sign-on"},
            {"key": "api-reads-per-minute", "type": "number", "name": "Reads"},
            {"key": "support", "type": "text", "name": "Support"}]


def plan(key, rank, seats, sso, reads, support, **more):
    return {"key": key, "name": key.title(), "rank": rank, "features": [
        {"feature": "seats", **({"number": seats} if seats else {})},
        {"feature": "sso", "boolean": sso},
        {"feature": "api-reads-per-minute", **({"number": reads} if reads else {})},
        {"feature": "support", "text": support}], **more}


def price(key, amount, model="fixed"):
    return {"key": key, "currency": "EUR", "interval": "month", "model": model, "unit_amount": str(amount)}


def catalogue(reads=60):
    return {"features": FEATURES, "fallback_plan": "free", "plans": [
        plan("free", 0, 3, False, reads, "none"),
        plan("team", 10, 20, False, 9000, "mail", prices=[price("team-month", 900, "per_seat")]),
        plan("big", 20, None, True, None, "phone", prices=[price("big-month", 5000)])]}


class PlanCase(MeshCase):
    settings = {"TRELLIS_BILLING_PROVIDER": "test"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.apply(catalogue())

    @classmethod
    def apply(cls, document):
        cls.operate("ApplyCatalogue", {"catalogue": document, "apply": True})

    @classmethod
    def operate(cls, method, request, tenant=None):
        done = cls.stack.trellis("call", method, json.dumps(request), "--json",
                                 *(("--tenant", tenant) if tenant else ()))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.json()

    def owner(self):
        person = self.stack.sign_up(f"owner{self.stack.serial}")
        return person, self.stack.found(person)

    def subscribe(self, person, tenant, name, **more):
        """With a card that pays."""
        made = person.call("PUT", "/api/v1/billing-profile",
                           {"legal_name": "Ann", "country": "AT"}, {"X-Tenant-Id": tenant})
        self.assertEqual(made.status, 200, made)
        made = person.post("/api/v1/payment-methods", {
            "card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2099}, X_Tenant_Id=tenant)
        self.assertEqual(made.status, 201, made)
        return self.choose(person, tenant, name, **more)

    def choose(self, person, tenant, name, **more):
        made = person.post("/api/v1/subscription", {"plan": name, **more}, X_Tenant_Id=tenant)
        self.assertEqual((made.status, made.json.get("status")), (200, "active"), made)
        return made

    def quota(self, person, tenant):
        """The tenant's reads a minute, as the door says."""
        answer = person.get(f"/api/v1/tenants/{tenant}")
        self.assertIn(answer.status, (200, 429), answer)
        found = re.search(r'"tenant-read";q=(\d+)', answer.headers["ratelimit-policy"])
        return int(found.group(1)) if found else None


class Plans(PlanCase):
    def test_the_doors_limit_is_the_plans(self):
        person, tenant = self.owner()
        wait_for("the fallback plan's limit", lambda: self.quota(person, tenant) == 60)
        self.subscribe(person, tenant, "team", seats=5)
        wait_for("the plan's limit", lambda: self.quota(person, tenant) == 9000, SOON)
        self.choose(person, tenant, "big")  # which has no limit: the installation's holds
        wait_for("the installation's limit", lambda: self.quota(person, tenant) == 6000, SOON)

    def test_a_limit_that_was_reached_is_lifted_by_an_upgrade(self):
        person, tenant = self.owner()
        self.operate("OverrideEntitlement", {"tenant_id": tenant, "value": {
            "feature": "api-reads-per-minute", "number": 5}})
        wait_for("the limit", lambda: self.quota(person, tenant) == 5, SOON)
        refused = wait_for("it is reached", lambda: next(
            (a for a in [person.get(f"/api/v1/tenants/{tenant}")] if a.status == 429), None))
        self.check_problem(refused, 429, "RATE")
        self.assertIn("tenant-read", refused["detail"])
        self.operate("OverrideEntitlement", {"tenant_id": tenant, "value": {
            "feature": "api-reads-per-minute", "number": 50}})
        wait_for("reads go on", lambda: person.get(f"/api/v1/tenants/{tenant}").status == 200, SOON)
        self.operate("OverrideEntitlement", {
            "tenant_id": tenant, "value": {"feature": "api-reads-per-minute"}, "remove": True})
        wait_for("the plan's limit again", lambda: self.quota(person, tenant) == 60, SOON)

    def test_another_value_of_a_plan_reaches_whoever_has_it(self):
        person, tenant = self.owner()
        wait_for("the fallback plan's limit", lambda: self.quota(person, tenant) == 60)
        try:
            self.apply(catalogue(reads=61))
            wait_for("the new value", lambda: self.quota(person, tenant) == 61)
        finally:
            self.apply(catalogue())

    def entitlement(self, person, tenant, feature):
        shown = person.get("/api/v1/entitlements", X_Tenant_Id=tenant)
        self.assertEqual(shown.status, 200, shown)
        return next(item for item in shown["items"] if item["feature"] == feature)

    def test_seats_are_refused_by_name_and_nobody_is_removed(self):
        person, tenant = self.owner()
        invite = lambda: person.post(f"/api/v1/tenants/{tenant}/invitations", {
            "email": self.stack.new_email(), "role": "member"})
        wait_for("the plan", lambda: self.entitlement(person, tenant, "seats").get("number") == 3)
        self.assertEqual([invite().status for _ in range(2)], [201, 201])
        refused = self.check_problem(invite(), 403, "QUOTA")
        self.assertEqual({key: refused[key] for key in ("feature", "limit", "used", "plan")},
                         {"feature": "seats", "limit": 3, "used": 3, "plan": "free"})
        self.subscribe(person, tenant, "team", seats=5)
        wait_for("a seat more", lambda: self.entitlement(person, tenant, "seats")["number"] == 5)
        self.assertEqual(invite().status, 201)
        done = person.post("/api/v1/subscription/cancel", {"now": True}, X_Tenant_Id=tenant)
        self.assertEqual(done.status, 200, done)
        shown = wait_for("seats are too many", lambda: next(
            (s for s in [self.entitlement(person, tenant, "seats")] if s["over_limit"]), None))
        self.assertEqual((shown["number"], shown["used"], shown["source"]), (3, 4, "plan"))
        self.assertEqual(self.check_problem(invite(), 403, "QUOTA")["used"], 4)
        self.assertEqual(self.entitlement(person, tenant, "sso")["boolean"], False)

    def test_without_billing_everything_goes_on(self):
        if self.transport == "inproc":
            self.skipTest("billing cannot be killed alone")
        person, tenant = self.owner()
        self.subscribe(person, tenant, "team", seats=5)
        wait_for("the plan's limit", lambda: self.quota(person, tenant) == 9000, SOON)
        self.stack.kill_service("billing")
        try:
            self.assertEqual(self.quota(person, tenant), 9000)
            self.stack.redis_cli("flushall")  # no copy of a grant is left
            self.assertEqual(self.quota(person, tenant), 9000)
            made = person.post(f"/api/v1/tenants/{tenant}/invitations",
                               {"email": self.stack.new_email(), "role": "member"})
            self.assertEqual(made.status, 201, made)
        finally:
            self.stack.start_service("billing")
            wait_for("billing is ready", lambda: self.stack.says_ready("billing"))
