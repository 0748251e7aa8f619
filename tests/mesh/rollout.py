"""rollout.py - processes that are stopped as a supervisor does it: what was begun is
answered, and where there are two of a service nobody notices (case 57)."""
import json
import socket
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

from case import MeshCase
from common import SERVICES, wait_for


class Stopping(MeshCase):
    def test_57_what_the_edge_has_begun_is_answered(self):
        """Requests whose bodies come after the listener has closed."""
        ada = self.stack.sign_up()
        body = json.dumps({"email": ada.email, "password": ada.password}).encode()
        head = (b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        begun = []
        for _ in range(10):
            raw = socket.create_connection(("127.0.0.1", self.stack.port), timeout=20)
            raw.sendall(head)
            self.assertEqual(raw.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
            begun.append(raw)
        idle = socket.create_connection(("127.0.0.1", self.stack.port), timeout=20)
        name = "all" if self.transport == "inproc" else "edge"
        self.stack.processes[name].terminate()
        wait_for("nobody listens", self.is_closed)
        for raw in begun:
            raw.sendall(body)
        for raw in begun:
            received = b""
            while chunk := raw.recv(65536):
                received += chunk
            head, _, rest = received.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200 "), received)
            self.assertIn(b"connection: close", head.lower())
            self.assertTrue(json.loads(rest)["session"]["token"])
        self.assertEqual(idle.recv(1), b"")
        self.assertEqual(self.stack.processes[name].wait(30), 0)
        self.stack.start_service(name)
        wait_for("it is back", self.stack.is_ready)
        self.assertEqual(ada.get("/api/v1/me").status, 200)

    def test_what_was_opened_is_closed_the_last_first(self):
        """In one process, too, where a service may use those that were opened before it."""
        self.stack.sign_up()
        for name in reversed(self.stack.names()):
            self.assertEqual(self.stack.stop_service(name), 0)
        for name in self.stack.names():
            said = [json.loads(line) for line in self.stack.log(name).splitlines()
                    if line.startswith("{")]
            closed = [line["name"] for line in said if line["body"] == "closed"]
            own = [*reversed(SERVICES)] if name == "all" else [name]
            self.assertEqual(closed[-len(own):], own)
        for name in self.stack.names():
            self.stack.start_service(name)
        wait_for("it is back", self.stack.is_ready)

    def restart(self, name, **settings):
        self.assertEqual(self.stack.stop_service(name), 0)
        self.stack.settings.update(settings)
        self.stack.start_service(name)
        wait_for("it is back", self.stack.is_ready)

    def ops_ready(self, name):
        """Status and text of a process's own /readyz."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.stack.ops[name]}/readyz", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read()

    def test_whoever_has_not_heard_of_the_signal_is_served(self):
        """TRELLIS_DRAIN_SECONDS: not ready at once, and everything taken until then."""
        ada = self.stack.sign_up()
        name = "all" if self.transport == "inproc" else "edge"
        self.restart(name, TRELLIS_DRAIN_SECONDS="600")
        self.assertEqual(ada.get("/api/v1/me").status, 200)
        self.assertIsNotNone(ada.connection)  # kept
        process = self.stack.processes[name]
        process.terminate()
        own = "edge" if name == "edge" else "auth"  # the first address that the one process has
        wait_for("it is not ready", lambda: self.ops_ready(own)[0] == 503)
        self.assertIn(b"it is stopping", self.ops_ready(own)[1])
        answer = self.stack.client().get("/readyz")
        self.assertEqual((answer.status, answer.headers["connection"]), (503, "close"))
        self.assertIn("it is stopping", answer["detail"])
        for _ in range(3):  # the first on the connection that was kept, the others on new ones
            answer = ada.get("/api/v1/me")
            self.assertEqual((answer.status, answer.headers["connection"]), (200, "close"))
            self.assertIsNone(ada.connection)
        answer = ada.post("/api/v1/auth/login", {"email": ada.email, "password": ada.password})
        self.assertEqual((answer.status, answer.headers["connection"]), (200, "close"))
        self.assertEqual(self.stack.client().get("/livez").status, 200)
        self.assertIsNone(process.poll())
        process.terminate()  # a second signal ends the wait
        self.assertEqual(process.wait(30), 0)

        self.stack.settings["TRELLIS_DRAIN_SECONDS"] = "1"
        self.stack.start_service(name)
        wait_for("it is back", self.stack.is_ready)
        began = time.monotonic()
        self.assertEqual(self.stack.stop_service(name), 0)
        self.assertGreaterEqual(time.monotonic() - began, 1)
        del self.stack.settings["TRELLIS_DRAIN_SECONDS"]
        self.stack.start_service(name)
        wait_for("it is back", self.stack.is_ready)
        self.assertEqual(ada.get("/api/v1/me").status, 200)

    @unittest.skipIf(MeshCase.transport == "inproc", "its services are one process")
    def test_a_service_goes_on_answering_its_callers_until_they_may_know(self):
        """The only one of its kind: no call fails before it drains."""
        ada = self.stack.sign_up()
        self.restart("auth", TRELLIS_DRAIN_SECONDS="600")
        process = self.stack.processes["auth"]
        process.terminate()
        wait_for("it is not ready", lambda: self.ops_ready("auth")[0] == 503)
        for _ in range(20):
            answer = self.stack.client().post("/api/v1/auth/login", {"email": ada.email, "password": ada.password})
            self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.stack.client().get("/readyz").status, 200)
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        del self.stack.settings["TRELLIS_DRAIN_SECONDS"]
        self.stack.start_service("auth")
        wait_for("it is back", self.stack.is_ready)

    def is_closed(self):
        try:
            socket.create_connection(("127.0.0.1", self.stack.port), timeout=5).close()
            return False
        except ConnectionRefusedError:
            return True


class Rollout(MeshCase):
    replicas = 2

    def setUp(self):
        self.seen = []
        self.stop = threading.Event()
        self.wrong = []

    def ask(self, person, at):
        """Reads and writes at both services, one after the other, until told to stop."""
        while not self.stop.is_set():
            name = f"Name {uuid.uuid4().hex}"
            for answer in (person.get(at), person.get("/api/v1/me"),
                           person.patch(at, {"display_name": name}),
                           person.patch("/api/v1/me", {"display_name": name})):
                self.seen.append(answer.status)
                if answer.status != 200:
                    self.wrong.append(answer)
            if person.get(at)["display_name"] != name:
                self.wrong.append("a write that was answered is not there")
            self.stop.wait(0.03)  # the others' processes start meanwhile

    def test_57_replicas_come_and_go_and_no_request_fails(self):
        people = [self.stack.sign_up() for _ in range(6)]
        threads = [threading.Thread(target=self.ask, args=(one, f"/api/v1/tenants/{self.stack.found(one)}"))
                   for one in people]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                for name in ("tenants", "auth", "tenants.2", "auth.2"):
                    before = self.seen.count(200)
                    wait_for("requests go on", lambda: self.seen.count(200) > before + 20 or self.wrong)
                    self.assertEqual(self.stack.stop_service(name), 0)
                    before = self.seen.count(200)
                    wait_for("requests go on without it", lambda: self.seen.count(200) > before + 20 or self.wrong)
                    self.stack.start_service(name)
                    wait_for(f"{name} is ready", lambda: self.stack.says_ready(name))
                    self.stack.await_replicas(name.partition(".")[0])
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        print(f"({self.seen.count(200)} requests)", end=" ", flush=True)
        self.assertEqual(self.wrong, [])
        self.assertEqual(set(self.seen), {200})


if __name__ == "__main__":
    unittest.main()
