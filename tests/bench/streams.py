#!/usr/bin/python3
"""streams.py - what open event streams cost one edge.

  tests/bench/streams.py ADDRESS TOKEN TENANT PID [N]

Opens N (10,000) streams at ADDRESS (127.0.0.1:8080) with a session or API key in one
tenant, lets them be idle for a round of heartbeats, and prints what the edge (PID)
takes: Pss before and after, bytes a stream, CPU while idle. What the kernel keeps of
sockets is apart. The edge must allow that many of one caller
(TRELLIS_HTTP_MAX_STREAMS_PER_CALLER) and not limit his requests (TRELLIS_RATE_SCALE);
addresses are taken from 127.0.0.0/8, so that the bound of one address is kept."""
import collections
import os
import re
import resource
import select
import socket
import sys
import time

AT_ONCE = 64           # streams being opened
OF_ONE_ADDRESS = 500
IDLE_S = 20            # in which each has a heartbeat or two

Figures = collections.namedtuple("Figures", "streams before_kb after_kb stream_bytes cpu_percent "
                                 "heartbeats open_s")


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Clients:
    def __init__(self, address, head, n):
        host, _, port = address.rpartition(":")
        self.address, self.head, self.n = (host, int(port)), head, n
        self.poll = select.epoll()
        self.sockets, self.opening, self.open = {}, set(), 0
        self.heartbeats = 0

    def connect(self):
        number = len(self.sockets)
        client = socket.socket()
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if self.address[0].startswith("127."):
            client.bind((f"127.0.{1 + number // OF_ONE_ADDRESS // 250}."
                         f"{1 + number // OF_ONE_ADDRESS % 250}", 0))
        client.connect_ex(self.address)
        self.sockets[client.fileno()] = client
        self.opening.add(client.fileno())
        self.poll.register(client.fileno(), select.EPOLLOUT)

    def on(self, fd, what):
        client = self.sockets[fd]
        if what & select.EPOLLOUT:
            client.sendall(self.head)
            self.poll.modify(fd, select.EPOLLIN)
            return
        data = client.recv(65536)
        if fd in self.opening:
            if not data.startswith(b"HTTP/1.1 200"):
                sys.exit(f"error: stream {len(self.sockets)} was refused:\n{data[:600].decode()}")
            self.opening.remove(fd)
            self.open += 1
        elif not data:
            sys.exit(f"error: the edge ended a stream ({self.open} were open).")
        self.heartbeats += data.count(b": hb\n\n")

    def turn(self, seconds):
        for fd, what in self.poll.poll(seconds, 1024):
            self.on(fd, what)

    def open_all(self):
        while self.open < self.n:
            while len(self.sockets) < self.n and len(self.opening) < AT_ONCE:
                self.connect()
            self.turn(1)

    def stay(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.turn(left)

    def close(self):
        for client in self.sockets.values():
            client.close()


def measure(address, token, tenant, pid, n=10000):
    """Opens n streams, lets them be, closes them; gives Figures."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    head = (f"GET /api/v1/events/stream HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n"
            f"X-Tenant-Id: {tenant}\r\nAccept: text/event-stream\r\n\r\n").encode()
    clients = Clients(address, head, n)
    before, started = pss_kb(pid), time.monotonic()
    clients.open_all()
    took = time.monotonic() - started
    clients.stay(2)  # what opening took is given back
    spent, clients.heartbeats = cpu_s(pid), 0
    clients.stay(IDLE_S)
    spent = cpu_s(pid) - spent
    after = pss_kb(pid)
    clients.close()
    return Figures(n, before, after, (after - before) * 1024 / n, spent / IDLE_S * 100,
                   clients.heartbeats, took)


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    address, token, tenant, pid = sys.argv[1:5]
    found = measure(address, token, tenant, int(pid), *map(int, sys.argv[5:]))
    print(f"  {found.streams:,} streams opened in           {found.open_s:.1f} s")
    print(f"  Pss of the edge before and with them  {found.before_kb / 1024:.1f} and "
          f"{found.after_kb / 1024:.1f} MB   goal under 100")
    print(f"  a stream                              {found.stream_bytes:,.0f} bytes")
    print(f"  CPU of the edge, {found.heartbeats:,} heartbeats in {IDLE_S} s   "
          f"{found.cpu_percent:.2f} % of a core")


if __name__ == "__main__":
    main()
