"""wire.py - a TCP proxy before a process's bus that knows where a message of nng ends,
so that it can hold messages back and say one several times.

On a connection of nng's SP mapping for TCP each side first sends 8 bytes, 00 'S' 'P' 00
and its protocol; then every message is its length (8 bytes, big-endian) and its bytes
(nanomsg's RFC "SP TCP mapping"). What the messages say is not looked at."""
import random
import socket
import struct
import threading

GREETING = 8
MESSAGE_MAX = 1 << 20


class Wire:
    def __init__(self, target, seed):
        self.target = target
        self.delay_ms = 0  # each message waits up to so long, in its turn
        self.repeat = 0.0  # how likely a message is said two or three times
        self.chance = random.Random(seed)
        self.repeated = self.delayed = 0
        self.flows = threading.Event()
        self.flows.set()
        self.pairs = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def calm(self):
        self.delay_ms, self.repeat = 0, 0.0
        self.flows.set()

    def hold(self):
        """As a network that swallows: nobody is told, and TCP notices late."""
        self.flows.clear()

    def cut(self):
        """Breaks the connections there are."""
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            hang_up(pair)

    def close(self):
        self.listener.close()
        self.flows.set()
        self.cut()

    def _accept(self):
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            try:
                callee = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                callee.settimeout(None)
            except OSError:
                caller.close()
                continue
            pair = (caller, callee)
            for end in pair:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.add(pair)
            for a, b in (pair, pair[::-1]):
                threading.Thread(target=self._carry, args=(a, b, pair), daemon=True).start()

    def _carry(self, a, b, pair):
        try:
            with a.makefile("rb") as source:
                b.sendall(exactly(source, GREETING))
                while True:
                    head = exactly(source, 8)
                    length = struct.unpack(">Q", head)[0]
                    if length > MESSAGE_MAX:
                        raise EOFError
                    self._pass_on(b, head + exactly(source, length))
        except (OSError, EOFError, ValueError):
            pass
        with self.lock:
            self.pairs.discard(pair)
        hang_up(pair)

    def _pass_on(self, to, message):
        if self.delay_ms:
            self.delayed += 1
            threading.Event().wait(self.chance.uniform(0, self.delay_ms) / 1000)
        self.flows.wait()
        times = 1
        if self.repeat and self.chance.random() < self.repeat:
            self.repeated += 1
            times = self.chance.choice((2, 3))
        to.sendall(message * times)


def exactly(source, n):
    data = source.read(n)
    if len(data) != n:
        raise EOFError
    return data


def hang_up(pair):
    for end in pair:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()
