"""line.py - a line between a client and the doors, which is as bad as one wants it: it cuts,
it delays, it goes dead with both ends open, it refuses large bodies as some proxies do; and
it gives each connection to another door, for nothing is to stick to one."""
import collections
import re
import socket
import struct
import threading
import time

PIECE = 1 << 18
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
REFUSED = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Line:
    """fate(n): what becomes of the n-th connection, a Fate or None."""

    def __init__(self, ports, fate=lambda n: None, delay=0.0, cap=None):
        self.ports, self.fate, self.delay, self.cap = list(ports), fate, delay, cap
        self.connections = self.cuts = self.holds = self.refused = self.carried = 0
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        with self.lock:
            ends, self.open = self.open, set()
        for end in ends:
            hang_up(end)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            n = self.connections
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, n), daemon=True).start()

    def _serve(self, client, n):
        for i in range(len(self.ports)):  # one that is away leads nowhere, as with any balancer
            try:
                door = socket.create_connection(("127.0.0.1", self.ports[(n + i) % len(self.ports)]), timeout=5)
                break
            except OSError:
                continue
        else:
            client.close()
            return
        door.settimeout(None)
        for end in (client, door):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.open |= {client, door}
        call = Call(self, client, door, self.fate(n))
        back = threading.Thread(target=call.carry, args=(door, client, None), daemon=True)
        back.start()
        call.carry(client, door, call.fate)
        back.join()
        with self.lock:
            self.open -= {client, door}
        for end in (client, door):
            end.close()


class Fate:
    """After so many bytes from the client: "cut" (both ends are reset) or "hold" (nothing more
    is carried, and nobody is told, until the client has enough of it)."""

    def __init__(self, after, how):
        self.after, self.how = after, how


class Call:
    def __init__(self, line, client, door, fate):
        self.line, self.client, self.door, self.fate = line, client, door, fate
        self.held = threading.Event()

    def carry(self, a, b, fate):
        """Until a ends. Each way has its own thread, and waits of its own."""
        sent, late = 0, Late(b, self.line.delay) if self.line.delay else None
        judged = Judge(self.line.cap) if self.line.cap and a is self.client else None
        try:
            while data := a.recv(PIECE):
                if self.held.is_set():
                    continue
                if judged and judged.refuses(data):
                    self.line.refused += 1
                    a.sendall(REFUSED)
                    break
                if fate and sent + len(data) > fate.after:
                    data = data[:fate.after - sent]
                    self._pass(b, late, data)
                    if fate.how == "hold":
                        self.line.holds += 1
                        self.held.set()
                        continue
                    self.line.cuts += 1
                    for end in (a, b):
                        reset(end)
                    return
                self._pass(b, late, data)
                sent += len(data)
                self.line.carried += len(data)
        except OSError:
            pass
        if late:
            late.end()
        if not self.held.is_set() or a is self.client:
            hang_up(b)
        if judged and judged.over:
            hang_up(a)

    @staticmethod
    def _pass(b, late, data):
        late.put(data) if late else b.sendall(data)


class Judge:
    """Of the requests that stand at the beginning of what a connection brings."""

    def __init__(self, cap):
        self.cap, self.left, self.head, self.over = cap, 0, b"", False

    def refuses(self, data):
        while data:
            if self.left:
                n = min(self.left, len(data))
                self.left, data = self.left - n, data[n:]
                continue
            self.head += data
            head, end, rest = self.head.partition(b"\r\n\r\n")
            if not end:
                return False
            length = LENGTH.search(head)
            self.head, self.left, data = b"", int(length[1]) if length else 0, rest
            if self.left > self.cap:
                self.over = True
                return True
        return False


class Late:
    """What is sent arrives after a time, in its order; so much may be under way at once."""
    ROOM = 64 << 20

    def __init__(self, to, delay):
        self.to, self.delay, self.waiting = to, delay, collections.deque()
        self.size, self.ended = 0, False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def put(self, data):
        with self.changed:
            self.changed.wait_for(lambda: self.size < self.ROOM or self.ended)
            self.waiting.append((time.monotonic() + self.delay, data))
            self.size += len(data)
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        self.thread.join()

    def _run(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.waiting or self.ended)
                if not self.waiting:
                    return
                due, data = self.waiting.popleft()
                self.size -= len(data)
                self.changed.notify_all()
            if (left := due - time.monotonic()) > 0:
                threading.Event().wait(left)
            try:
                self.to.sendall(data)
            except OSError:
                return


def reset(end):
    """As a line that breaks: no FIN, what was under way is lost."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RD)
        end.close()
    except OSError:
        pass


def hang_up(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
