"""stream.py - event streams: what a person and the members of an organisation see as it
happens, who sees it, for how long, and that nothing is missed and nothing comes twice.
Most entries are left in the feed as a fact's transaction leaves them. Over 400 lines: one
mesh, and one way to open a stream and to wait for it."""
import base64
import json
import threading
import time
import unittest
import uuid

from case import MeshCase
from sse import Stream
from common import wait_for

NIL = "00000000-0000-0000-0000-000000000000"
SEE = "tenants.member.list"


class StreamCase(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada, cls.bob = cls.stack.sign_up("ada"), cls.stack.sign_up("bob")
        cls.tenant, cls.other = cls.stack.found(cls.ada), cls.stack.found(cls.bob)

    def open(self, person=None, tenant=None, path="/api/v1/events/stream", wait=True, **more):
        if person is not False:
            more.setdefault("Authorization", f"Bearer {(person or self.ada).token}")
        more.setdefault("X_Tenant_Id", tenant or self.tenant)
        stream = Stream(self.stack.port, path, **{k: v for k, v in more.items() if v is not None})
        stream.kind = "test.thing.done"  # what the mesh tells by itself comes in between
        self.addCleanup(stream.close)
        if wait and stream.status == 200 and more.get("reads", True):
            stream.wait("the stream's first line", lambda s: s.retry)
        return stream

    def insert(self, ids, tenant, account, permission, data):
        def text(value):
            return f"'{value}'" if value else "null"
        values = ", ".join(
            f"('{tenant}', '{i}', {text(account)}, 'test.thing.done', {text(permission)}, '{data}')"
            for i in ids)
        return ("insert into notify.feed_fresh (tenant_id, id, account_id, type, permission, data) "
                f"values {values}")

    def feed(self, n=1, tenant=None, account=None, permission=SEE, data='{"a":1}'):
        """Leaves n entries in one transaction; gives their ids."""
        ids = [str(uuid.uuid4()) for _ in range(n)]
        self.leave(self.insert(ids, tenant or self.tenant, account, permission, data))
        return ids

    def leave(self, *inserts):
        """In one transaction, in this order."""
        self.stack.sql("; ".join(inserts))

    def metric(self, name):
        return sum(float(line.split()[-1]) for line in self.stack.metrics("edge").split("\n")
                   if line.startswith(name))


class Streams(StreamCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.idle = Stream(cls.stack.port, X_Tenant_Id=cls.tenant,
                          Authorization=f"Bearer {cls.ada.token}")
        cls.idle_since = time.monotonic()

    def test_zz_a_stream_where_nothing_happens_has_heartbeats(self):
        self.idle.wait("a heartbeat", lambda s: s.comments > 0)
        self.assertFalse(self.idle.ended.is_set())
        self.assertLessEqual(self.idle.comments, 1 + (time.monotonic() - self.idle_since) / 12)

    # ---- who sees it

    def post(self, person, name, collection):
        answer = person.call("POST", "/api/v1/files", raw=b"secret", headers={
            "X-Tenant-Id": self.tenant, "Idempotency-Key": name, "Content-Type": "text/plain",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Upload-Metadata": "collection " + base64.b64encode(collection.encode()).decode()})
        self.assertEqual(answer.status, 201, answer)
        return answer

    def test_a_private_file_is_told_to_its_maker_and_to_those_who_manage_files(self):
        eve, kim = self.stack.sign_up("eve"), self.stack.sign_up("kim")
        for person, role in ((eve, "viewer"), (kim, "member")):
            added = self.ada.post(f"/api/v1/tenants/{self.tenant}/members",
                                  {"email": person.email, "role": role})
            self.assertEqual(added.status, 201, added)
        streams = {person: self.open(person) for person in (self.ada, kim, eve)}
        hers = self.post(kim, "salary.txt", "private")
        self.assertEqual(hers["visibility"], "private")
        at = "/api/v1/files/" + hers["id"]
        self.assertEqual(eve.get(at, X_Tenant_Id=self.tenant).status, 404)
        self.assertEqual(kim.call("PATCH", at, body={"name": "wage.txt"}, headers={"X-Tenant-Id": self.tenant}).status,
                         200)
        self.assertEqual(kim.call("DELETE", at, headers={"X-Tenant-Id": self.tenant}).status, 200)
        self.post(kim, "after.txt", "files")
        for person, stream in streams.items():
            stream.wait("the file that all may read",
                        lambda s: any("after.txt" in e.get("data", "") for e in s.events))
            told = [e["event"] for e in stream.events if hers["id"] in e.get("data", "")]
            self.assertEqual(told, [] if person is eve else
                             ["media.file.ready", "media.file.updated", "media.file.deleted"])

    # ---- what comes

    def test_a_stream_begins_with_its_head_and_shows_what_happens(self):
        stream = self.open()
        self.assertEqual(stream.status, 200)
        self.assertEqual(stream.headers["content-type"], "text/event-stream")
        self.assertEqual(stream.headers["cache-control"], "no-store")
        self.assertNotIn("content-length", stream.headers)
        self.assertIn("x-request-id", stream.headers)
        self.assertTrue(2000 <= stream.retry <= 5000)
        started = time.monotonic()
        of_tenant, = self.feed(data='{"of":"tenant"}')
        own, = self.feed(account=self.ada.account["id"], permission=None)
        alone, = self.feed(tenant=NIL, account=self.ada.account["id"], permission=None)
        event = stream.wait_for(own, alone, of_tenant)
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(event["event"], "test.thing.done")
        self.assertEqual(event["data"], '{"of":"tenant"}')
        self.assertEqual(stream.ids(), [of_tenant, own, alone])

    def test_what_people_do_comes_by_itself(self):
        """End to end: the fact, its event, notify, the feed, the edge."""
        person, guest = self.stack.sign_up("flo"), self.stack.sign_up("gus")
        tenant = self.stack.found(person)
        at = f"/api/v1/tenants/{tenant}"
        stream = self.open(person, tenant)
        def come(kind, of=stream, holds=""):
            fits = lambda e: e["event"] == kind and holds in e["data"]
            of.wait(kind, lambda s: any(map(fits, s.events)))
            event = next(filter(fits, of.events))
            told = json.loads(event["data"])
            self.assertEqual((told["id"], told["type"], told["specversion"]), (event["id"], kind, "1.0"))
            return told
        started = time.monotonic()
        self.assertEqual(person.patch(at, {"display_name": "Renamed"}).status, 200)
        told = come("tenants.tenant.updated")
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(told["source"], "/tenants")
        self.assertEqual(told["tenantid"], tenant)
        self.assertEqual(told["data"]["tenant"]["display_name"], "Renamed")
        made = person.post(at + "/members", {"email": guest.email, "role": "viewer"})
        self.assertEqual(made.status, 201)
        told = come("tenants.member.added", holds=guest.email)
        self.assertEqual(told["data"]["member"]["account_id"], guest.account["id"])
        theirs = self.open(guest, tenant)
        made = person.post(at + "/api-keys", {"name": "k", "permissions": ["tenants.tenant.read"]})
        shown = come("auth.api_key.created")
        self.assertNotIn(made["key"], json.dumps(stream.events))
        self.assertEqual(shown["data"]["api_key"]["id"], made["id"])
        self.assertEqual(person.patch(f"{at}/members/{guest.account['id']}", {"role": "member"}).status, 200)
        row = come("notify.notification.created", theirs)["data"]
        listed = guest.get("/api/v1/notifications")
        self.assertIn(row["id"], [n["id"] for n in listed["items"]])
        self.stack.client().post("/api/v1/auth/login", {"email": guest.email, "password": guest.password})
        self.assertNotIn("tenantid", come("auth.session.created", theirs))
        for event in stream.events:
            self.assertNotEqual(event["event"], "auth.session.created")

    def test_many_at_once_come_in_order_and_once(self):
        streams = [self.open() for _ in range(3)]
        ids = self.feed(1000)
        for stream in streams:
            stream.wait_for(ids[-1])
            self.assertEqual(stream.ids(), ids)

    def test_events_of_others_do_not_come(self):
        stream, theirs = self.open(), self.open(self.bob, self.other)
        self.feed(tenant=self.other)
        self.feed(tenant=self.other, account=self.ada.account["id"], permission=None)
        self.feed(account=self.bob.account["id"], permission=None)
        self.feed(tenant=NIL, account=self.bob.account["id"], permission=None)
        self.feed(permission="tenants.no.such")
        self.feed(permission=None)
        last, = self.feed()
        stream.wait_for(last)
        self.assertEqual(stream.ids(), [last])
        # Bob, who is no member here, has what is of his tenant and what is his own there.
        theirs.wait("what is theirs", lambda s: len(s.ids()) == 2)

    def test_a_member_sees_what_his_role_may_and_a_key_what_its_permissions_say(self):
        viewer = self.stack.sign_up("vera")
        at = f"/api/v1/tenants/{self.tenant}"
        self.assertEqual(self.ada.post(at + "/members", {"email": viewer.email, "role": "viewer"}).status, 201)
        def key(*permissions):
            made = self.ada.post(at + "/api-keys", {"name": "k", "permissions": list(permissions)})
            self.assertEqual(made.status, 201, made)
            return self.stack.client(made["key"])
        streams = [self.open(viewer), self.open(key("notify.event.stream", SEE), X_Tenant_Id=None)]
        self.assertEqual(self.open(key(SEE)).status, 403)
        hidden = self.feed(permission="tenants.audit.list")
        own = self.feed(account=viewer.account["id"], permission=None)
        makers = self.feed(account=self.ada.account["id"], permission=None)
        last, = self.feed()
        for stream in streams:
            stream.wait_for(last)
            self.assertNotIn(hidden[0], stream.ids())
            self.assertNotIn(makers[0], stream.ids())
        self.assertEqual(own[0] in streams[0].ids(), True)
        self.assertEqual(own[0] in streams[1].ids(), False)

    # ---- going on

    def test_what_was_missed_comes_first_without_gap_or_double(self):
        stream = self.open()
        first, = self.feed()
        stream.wait_for(first)
        stream.close()
        own = self.feed(250, account=self.ada.account["id"], permission=None)
        missed = self.feed(250)
        alone = self.feed(250, tenant=NIL, account=self.ada.account["id"], permission=None)
        for how in ({"Last_Event_ID": first}, {"path": f"/api/v1/events/stream?last_event_id={first}"},
                    {"path": f"/api/v1/events/stream?last_event_id={uuid.uuid4()}", "Last_Event_ID": first}):
            again = self.open(**how)
            last, = self.feed()
            again.wait_for(last)
            ids = again.ids()
            self.assertEqual(len(ids), len(set(ids)))
            self.assertEqual([i for i in ids if i in {*own, *missed, *alone}], own + missed + alone)
            again.close()

    def test_late_commits_are_not_missed_by_streams_that_come_and_go(self):
        stop, left, lock = threading.Event(), [], threading.Lock()
        def write(account):
            while not stop.is_set():
                ids = [str(uuid.uuid4()) for _ in range(3)]
                self.stack.sql("begin; " + self.insert(
                    ids, self.tenant, account, None if account else SEE, "{}") +
                    "; select pg_sleep(random() * 0.2); commit")
                with lock:
                    left.extend(ids)
        stream = self.open()
        begin, = self.feed()
        stream.wait_for(begin)
        writers = [threading.Thread(target=write, args=(a,))
                   for a in (None, self.ada.account["id"], None)]
        for writer in writers:
            writer.start()
        got, last = [], begin
        for _ in range(8):
            stream = self.open(Last_Event_ID=last)
            stream.wait("some", lambda s: len(s.ids()) >= 10)
            stream.close()
            stream.wait_end()
            got += stream.ids()
            last = got[-1]
        stop.set()
        for writer in writers:
            writer.join()
        stream = self.open(Last_Event_ID=last)
        end, = self.feed()
        stream.wait_for(end)
        got += stream.ids()
        self.assertEqual(len(got), len(set(got)))
        self.assertEqual(set(got), {*left, end})

    def test_what_is_kept_no_more_is_told_by_a_reset(self):
        for last in (str(uuid.uuid4()), "not an id"):
            stream = self.open(Last_Event_ID=last)
            stream.wait("the reset", lambda s: s.events)
            self.assertEqual(stream.events[0]["event"], "reset")
            new, = self.feed()
            stream.wait_for(new)
            self.assertEqual(stream.ids(), [new])
        foreign, = self.feed(tenant=self.other)
        stream = self.open(Last_Event_ID=foreign)
        stream.wait("the reset", lambda s: s.events)
        self.assertEqual(stream.events[0]["event"], "reset")

    def test_who_missed_too_much_is_reset(self):
        first, = self.feed()
        wait_for("its number", lambda: self.open(Last_Event_ID=first, wait=False).status == 200)
        self.feed(1500)
        last, = self.feed()
        seen = self.open()
        marker, = self.feed()
        seen.wait_for(marker)
        stream = self.open(Last_Event_ID=first)
        stream.wait("the reset", lambda s: any(e["event"] == "reset" for e in s.events))
        new, = self.feed()
        stream.wait_for(new)
        self.assertEqual(len(stream.ids()), len(set(stream.ids())))
        self.assertLess(len(stream.ids()), 1500)

    def test_a_restored_backup_is_told_by_a_reset(self):
        stream = self.open()
        stream.wait_for(*self.feed())
        self.stack.sql("delete from notify.feed; delete from notify.feed_change_directory; "
                       "update notify.feed_head_directory set number = 0")
        stream.wait("the reset", lambda s: any(e["event"] == "reset" for e in s.events))
        new = self.feed(3)
        stream.wait_for(*new)
        self.assertEqual(stream.ids()[-3:], new)

    # ---- who, and until when

    def test_whom_the_door_lets_in(self):
        at = "/api/v1/events/stream"
        cookie = f"__Host-session={self.ada.token}"
        by_cookie = self.open(False, Cookie=cookie, path=f"{at}?tenant_id={self.tenant}", X_Tenant_Id=None)
        self.assertEqual(by_cookie.status, 200)
        new, = self.feed()
        by_cookie.wait_for(new)
        for status, how in (
                (401, {"Authorization": None}), (401, {"Authorization": "Bearer trs_" + "a" * 43}),
                (404, {"X_Tenant_Id": self.other}), (404, {"X_Tenant_Id": str(uuid.uuid4())}),
                (400, {"X_Tenant_Id": "x"}), (422, {"path": f"{at}?tenant_id=x"}),
                (400, {"path": f"{at}?tenant_id={self.other}"}), (400, {"path": f"{at}?x=1"}),
                (404, {"path": f"{at}?tenant_id={self.other}", "X_Tenant_Id": None}),
                (422, {"path": f"{at}?last_event_id=x"}), (405, {"method": "POST"})):
            stream = self.open(**how)
            self.assertEqual(stream.status, status, (how, stream.headers))
            self.assertEqual(stream.body()["status"], status)
        head = self.open(method="HEAD", wait=False)
        self.assertEqual((head.status, head.headers["content-type"]), (200, "text/event-stream"))
        self.assertEqual(head.file.read(), b"")

    def test_a_session_that_ends_ends_its_stream(self):
        person = self.stack.sign_up("eve")
        tenant = self.stack.found(person)
        login = self.stack.client().post("/api/v1/auth/login", {
            "email": person.email, "password": person.password})
        second = self.stack.client(login["session"]["token"])
        streams = [self.open(second, tenant), self.open(person, tenant)]
        for stream in streams:
            stream.wait_for(*self.feed(tenant=tenant))
        self.assertEqual(second.post("/api/v1/auth/logout").status, 204)
        secret, = self.feed(tenant=tenant)
        streams[1].wait_for(secret)
        streams[0].wait_end()
        self.assertNotIn(secret, streams[0].ids())
        self.assertEqual(self.open(second, tenant).status, 401)

    def test_a_member_who_is_removed_gets_nothing_more(self):
        member = self.stack.sign_up("mallory")
        at = f"/api/v1/tenants/{self.tenant}/members"
        for _ in range(3):
            self.assertEqual(self.ada.post(at, {"email": member.email, "role": "member"}).status, 201)
            stream, stays = self.open(member), self.open()
            self.assertEqual(stream.status, 200)
            stream.wait_for(*self.feed())
            self.assertEqual(self.ada.delete(f"{at}/{member.account['id']}").status, 204)
            secret, = self.feed()
            stays.wait_for(secret)
            stream.wait_end()
            self.assertNotIn(secret, stream.ids())
            self.assertEqual(self.open(member).status, 404)
            stays.close()

    def test_an_idle_stream_of_a_removed_member_ends_soon(self):
        member = self.stack.sign_up("mo")
        at = f"/api/v1/tenants/{self.tenant}/members"
        self.assertEqual(self.ada.post(at, {"email": member.email, "role": "member"}).status, 201)
        stream = self.open(member)
        self.assertEqual(self.ada.delete(f"{at}/{member.account['id']}").status, 204)
        stream.wait_end()

    def test_an_idle_stream_of_a_revoked_session_ends_too(self):
        person = self.stack.sign_up("ida")
        tenant = self.stack.found(person)
        stream = self.open(person, tenant)
        self.assertEqual(person.post("/api/v1/auth/logout").status, 204)
        stream.wait_end()

    def test_an_idle_stream_of_a_revoked_key_ends_too(self):
        at = f"/api/v1/tenants/{self.tenant}/api-keys"
        made = self.ada.post(at, {"name": "k", "permissions": ["notify.event.stream"]})
        self.assertEqual(made.status, 201, made)
        stream = self.open(self.stack.client(made["key"]))
        self.assertEqual(stream.status, 200)
        self.assertEqual(self.ada.delete(f"{at}/{made['id']}").status, 204)
        stream.wait_end()

    def test_an_idle_stream_ends_with_its_organisation(self):
        owner, member = self.stack.sign_up("olga"), self.stack.sign_up("mia")
        tenant = self.stack.found(owner)
        at = f"/api/v1/tenants/{tenant}"
        self.assertEqual(owner.post(at + "/members", {"email": member.email, "role": "member"}).status, 201)
        stream = self.open(member, tenant)
        self.assertEqual(stream.status, 200)
        self.assertEqual(owner.delete(at).status // 100, 2)
        stream.wait_end()

    # ---- bounds

    def test_a_client_that_does_not_read_is_dropped(self):
        slow, quick = self.open(reads=False), self.open()
        before = self.metric("trellis_edge_streams_dropped_total")
        self.assertEqual(slow.status, 200)
        ids = []
        for _ in range(10):  # no more at once than who does read takes in time
            ids += self.feed(50, data='{"a":"' + "x" * 30000 + '"}')
            quick.wait_for(ids[-1])
        wait_for("one is dropped", lambda: self.metric(
            'trellis_edge_streams_dropped_total{reason="slow"}') > before)
        self.assertEqual(quick.ids(), ids)

    def test_one_caller_has_ten_streams(self):
        person = self.stack.sign_up("many")
        tenant = self.stack.found(person)
        streams = [self.open(person, tenant) for _ in range(10)]
        refused = self.open(person, tenant)
        self.assertEqual(refused.status, 429)
        self.assertIn("retry-after", refused.headers)
        self.assertEqual(refused.body()["code"], "RATE")
        streams[0].close()
        wait_for("the place is free", lambda: self.open(person, tenant).status == 200)


if __name__ == "__main__":
    unittest.main()
