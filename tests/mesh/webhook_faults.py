"""webhook_faults.py - webhooks when much happens at once, or at the wrong moment."""
from stack import wait_for
from webhooks import Hooks


class Backlog(Hooks):
    def test_a_burst_of_events_makes_one_delivery_each_for_each_of_twenty_endpoints(self):
        for i in range(20):
            self.endpoint(f"/burst{i}", event_types=["*"])
        self.assertEqual(self.ada.patch(f"/api/v1/tenants/{self.tenant}",
                                        {"display_name": "Acme " + "x" * 90}).status, 200)
        told = f"tenant_id = '{self.tenant}' and type = 'tenants.tenant.updated'"
        wait_for("the change is told", lambda: self.value(
            f"select count(*) from tenants.event_log where {told}") == "1", 15)
        self.stack.sql(
            "insert into tenants.outbox (lane, tenant_id, event_id, subject_id, type, at, trace, "
            "payload) select lane, tenant_id, gen_random_uuid(), subject_id, type, now(), trace, "
            f"payload from tenants.event_log, generate_series(1, 1000) where {told}")
        self.addCleanup(self.stack.sql, f"delete from notify.job where tenant_id = '{self.tenant}'")
        of = (f"from notify.webhook_delivery where tenant_id = '{self.tenant}' "
              "and event_type = 'tenants.tenant.updated'")
        wait_for("each has its deliveries", lambda: self.value(
            f"select count(*) >= 20020 {of}") == "t", 60)
        self.assertEqual(self.value(f"select count(*), count(distinct (event_id, endpoint_id)) "
                                    f"{of}"), "20020|20020")
        self.assertEqual(self.value("select count(*) from notify.parked"), "0")
