"""strangers.py - whoever reaches a bus port without a key: may take nothing from those who
have one, and above all not the way in which a process connects to others."""
import os
import socket
import struct
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from case import MeshCase
from common import wait_for

GREETING = b"\0SP\0\0\x30\0\0"  # of the transport, as a caller's


def wrong():
    """A message of the transport's that is none of the bus's."""
    body = struct.pack(">I", 0x80000001) + os.urandom(40)
    return struct.pack(">Q", len(body)) + body


class Strangers(MeshCase):
    def setUp(self):
        self.ada = self.stack.sign_up()
        self.at = f"/api/v1/tenants/{self.stack.found(self.ada)}"
        self.answered_by = 0  # how often tenants had been started again

    def pid(self):
        return self.stack.processes["tenants"].pid

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid()}/fd"))

    def metric(self, line):
        url = f"http://127.0.0.1:{self.stack.ops['tenants']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return sum(float(one.split()[-1]) for one in answer.read().decode().split("\n")
                       if one.startswith(line))

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.stack.bus["tenants"]), timeout=10)

    def intrude(self, n, hold):
        """n connections, one after the other; the last ones stay open for a while."""
        held = []
        for i in range(n):
            try:
                held.append(self.connect())
                held[-1].sendall(GREETING + wrong() * (i % 7))
            except OSError:
                pass  # it was cut off while it spoke
            while len(held) > hold:
                held.pop(0).close()
        return held

    def ask(self, starts):
        """200; or 503 because tenants has ended itself (below), and once it is back 200."""
        begun = starts["tenants"]
        answer = self.ada.get(self.at)
        if answer.status == 503:
            wait_for("tenants has ended by itself", lambda: starts["tenants"] > self.answered_by)
            for name in ("tenants", "edge"):
                wait_for(f"{name} is ready", lambda: self.stack.says_ready(name))
            begun = starts["tenants"]
            answer = self.ada.get(self.at)
        self.assertEqual(answer.status, 200, answer)
        self.answered_by = begun

    def test_what_comes_and_goes_at_the_bus_port_stops_nobody(self):
        """The transport may stop connecting for good where connections are closed under load;
        it did within a few hundred of these. Should it all the same, at whatever moment, the
        process ends and says so, and is started anew. Afterwards a service it calls starts
        again."""
        before, done = self.descriptors(), threading.Event()

        def ask_on():
            while not done.is_set():
                self.ask(starts)
        with self.stack.supervised(code=1) as starts:
            with ThreadPoolExecutor() as pool:
                asking = pool.submit(ask_on)
                loops = [pool.submit(self.intrude, 1500, hold) for hold in (0, 10, 100, 300)]
                left = [one for loop in loops for one in loop.result()]
                done.set()
                asking.result()
            for one in left:
                one.close()
            self.ask(starts)
            if starts["tenants"] == 0:  # it counts from its start
                self.assertGreater(self.metric("trellis_bus_refused_total"), 100)
            wait_for("the descriptors are back", lambda: self.stack.says_ready("tenants")
                     and self.descriptors() <= before + 5)
            self.stack.kill_service("auth")
            self.stack.start_service("auth")
            wait_for("tenants has reached auth again", lambda: self.stack.says_ready("tenants"))
            self.ask(starts)
            self.assertEqual(self.ada.get("/api/v1/me").status, 200)
        with open(self.stack.log_path("tenants"), encoding="utf-8") as log:
            ends = sum("has not let go of a closed connection" in line for line in log)
        self.assertEqual(starts, {name: ends if name == "tenants" else 0 for name in starts})

    def test_who_does_not_greet_holds_little_and_not_for_long(self):
        before = self.descriptors()
        held = [self.connect() for _ in range(600)]
        for i, one in enumerate(held):  # nothing, half of the transport's greeting, all of it
            try:
                one.sendall(GREETING[:i % 3 * 4])
            except OSError:
                pass  # there was no more room for it
        wait_for("few are left", lambda: self.descriptors() <= before + 70)
        self.assertEqual(self.ada.get(self.at).status, 200)
        wait_for("none is left", lambda: self.descriptors() <= before + 5)
        self.assertGreaterEqual(self.metric("trellis_bus_guests_ended_total"), 600)
        wait_for("none is counted", lambda: self.metric("trellis_bus_guests ") == 0)
        for one in held:
            one.close()

    def test_keys_lie_in_no_ordinary_memory(self):
        """What was read from a file is wiped once it is where nothing else reads."""
        for name in ("seal", "tenants-auth", "edge-tenants"):
            with open(os.path.join(self.stack.folder, name), "rb") as file:
                key = file.read().strip().split(b":")[-1]
            for memory in self.heap():
                self.assertNotIn(key, memory)
                self.assertNotIn(bytes.fromhex(key.decode()), memory)

    def heap(self):
        with open(f"/proc/{self.pid()}/maps") as maps, open(f"/proc/{self.pid()}/mem", "rb") as memory:
            for line in maps:
                if "[heap]" in line:
                    begin, end = (int(at, 16) for at in line.split()[0].split("-"))
                    memory.seek(begin)
                    yield memory.read(end - begin)

    def test_the_start_says_which_transport_it_runs_on(self):
        self.assertRegex(self.stack.log("tenants"), r'"the bus\'s transport","nng":"1\.\d+')
