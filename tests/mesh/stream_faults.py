"""stream_faults.py - event streams while processes are killed or stopped, and where no
notice is heard: nothing is missed and nothing comes twice, it is only slower."""
import signal
import threading
import time
import unittest

from common import wait_for
from stream import StreamCase


class Killed(StreamCase):
    """Processes that are killed, over tcp."""

    def test_killed_services_cost_no_event(self):
        person = self.stack.sign_up("kim")
        tenant = self.stack.found(person)
        stop, left, pen = threading.Event(), [], threading.Lock()

        def write():
            while not stop.is_set():
                with pen:
                    left.extend(self.feed(2, tenant=tenant))
                time.sleep(0.02)  # a pace, not a wait
        begin, = self.feed(tenant=tenant)
        stream = self.open(person, tenant)
        stream.wait_for(*self.feed(tenant=tenant))
        got, last = [], stream.last_id()
        stream.close()
        writer = threading.Thread(target=write)
        writer.start()
        for name in ("notify", "edge", "notify", "edge"):
            def again():
                try:
                    return (s := self.open(person, tenant, Last_Event_ID=last)).status == 200 and s
                except OSError:
                    return None
            stream = wait_for("the stream goes on", again)
            stream.wait("some events", lambda s: len(s.ids()) >= 5)
            with pen:  # nothing follows: once this has come, the stream has caught up
                left.extend(self.feed(tenant=tenant))
                stream.wait_for(left[-1])
            self.stack.kill_service(name)
            self.stack.start_service(name)
            if name == "notify":  # the stream stands it
                n = len(stream.ids())
                stream.wait("events after notify came back", lambda s: len(s.ids()) > n + 5)
                stream.close()
            stream.wait_end()
            got += stream.ids()
            last = got[-1]
            wait_for("the mesh is ready", self.stack.is_ready)
        stop.set()
        writer.join()
        stream = wait_for("the stream goes on", again)
        end, = self.feed(tenant=tenant)
        stream.wait_for(end)
        got += stream.ids()
        self.assertEqual(len(got), len(set(got)))
        self.assertEqual(set(got), {*left, end})

    def test_one_that_comes_back_while_a_service_is_away_is_told_to_come_later(self):
        """As EventSource, which would end for good with a 503."""
        person = self.stack.sign_up("lea")
        tenant = self.stack.found(person)
        stream = self.open(person, tenant)
        first, = self.feed(tenant=tenant)
        stream.wait_for(first)
        stream.close()
        self.stack.kill_service("notify")
        for last in ({"Last_Event_ID": first}, {}):
            later = self.open(person, tenant, **last)
            self.assertEqual((later.status, later.headers["content-type"]), (200, "text/event-stream"))
            later.wait_end()
            self.assertTrue(2000 <= later.retry <= 6000)
            self.assertEqual((later.events, later.comments), ([], 1))
        self.check_problem(person.get("/api/v1/events/stream", X_Tenant_Id=tenant), 503)
        self.stack.start_service("notify")
        wait_for("the mesh is ready", self.stack.is_ready)
        second, = self.feed(tenant=tenant)
        stream = self.open(person, tenant, Last_Event_ID=first)
        stream.wait_for(second)

    def test_a_stream_of_a_new_session_gets_a_burst_that_came_while_it_was_opened(self):
        """Nothing of its opening is left to do once it goes on: auth, which is asked twice
        about a session that is new, is slow the second time."""
        person = self.stack.sign_up("new")
        tenant = self.stack.found(person)
        login = self.stack.client().post("/api/v1/auth/login", {
            "email": person.email, "password": person.password})
        session, opened = self.stack.client(login["session"]["token"]), []
        def asks(service):
            return self.metric(f'trellis_bus_calls_in_flight{{caller="edge",service="{service}"}}') == 1
        notify, auth = self.stack.processes["notify"], self.stack.processes["auth"]
        notify.send_signal(signal.SIGSTOP)
        try:
            opening = threading.Thread(target=lambda: opened.append(self.open(session, tenant)))
            opening.start()
            wait_for("its place is asked for", lambda: asks("notify"))
            auth.send_signal(signal.SIGSTOP)
            notify.send_signal(signal.SIGCONT)
            wait_for("auth is asked again", lambda: asks("auth"))
            ids = self.feed(100, tenant=tenant, data='{"a":"' + "x" * 4000 + '"}')
            wait_for("their numbers", lambda: int(self.stack.sql_value(
                f"select count(*) from notify.feed where tenant_id = '{tenant}'")) >= 100)
        finally:
            notify.send_signal(signal.SIGCONT)
            auth.send_signal(signal.SIGCONT)
        opening.join()
        opened[0].wait_for(ids[-1])
        self.assertEqual(opened[0].ids(), ids)
        self.assertIsNone(self.stack.processes["edge"].poll())

    def test_without_redis_streams_go_on_and_end_where_they_should(self):
        person, guest = self.stack.sign_up("rae"), self.stack.sign_up("ron")
        tenant = self.stack.found(person)
        at = f"/api/v1/tenants/{tenant}/members"
        self.assertEqual(person.post(at, {"email": guest.email, "role": "member"}).status, 201)
        stays, goes = self.open(person, tenant), self.open(guest, tenant)
        self.stack.kill_redis()
        try:
            for stream in (stays, goes):
                stream.wait_for(*self.feed(tenant=tenant))
            self.assertEqual(person.delete(f"{at}/{guest.account['id']}").status, 204)
            secret, = self.feed(tenant=tenant)
            stays.wait_for(secret)
            goes.wait_end()
            self.assertNotIn(secret, goes.ids())
        finally:
            self.stack.start_redis()
        stays.wait_for(*self.feed(tenant=tenant))

    def test_an_edge_that_stops_ends_its_streams_politely(self):
        person = self.stack.sign_up("pat")
        tenant = self.stack.found(person)
        stream = self.open(person, tenant)
        name = self.stack.names()[-1]
        self.stack.processes[name].terminate()
        stream.wait_end()
        self.assertTrue(stream.politely)
        self.assertEqual(self.stack.processes[name].wait(20), 0)
        self.stack.start_service(name)
        wait_for("the mesh is ready", self.stack.is_ready)


class WithoutNotices(StreamCase):
    """No notice is ever heard: everything comes a second later."""
    settings = {**StreamCase.settings, **{f"TRELLIS_NOTICE_LISTEN_{name}": ""
                                          for name in ("AUTH", "TENANTS", "NOTIFY", "EDGE")}}
    replicas = 2  # both give numbers

    def test_it_is_only_slower(self):
        stream = self.open()
        for _ in range(3):
            started = time.monotonic()
            stream.wait_for(*self.feed())
            self.assertLess(time.monotonic() - started, 12)

    def test_two_that_give_numbers_give_each_once(self):
        stream, left = self.open(), []
        writers = [threading.Thread(target=lambda: [left.extend(self.feed(3)) for _ in range(40)])
                   for _ in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        end, = self.feed()
        stream.wait_for(end)
        self.assertEqual(len(stream.ids()), len(set(stream.ids())))
        self.assertLessEqual({*left, end}, set(stream.ids()))


if __name__ == "__main__":
    unittest.main()
