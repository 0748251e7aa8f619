"""common.py - what every story of the mesh stands on: where things are, waiting, ports."""
import os
import random
import socket
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def services_of(top):
    """The services that a list names: Trellis's, or a product's."""
    with open(os.path.join(top, "services", "list"), encoding="utf-8") as names:
        return tuple(line.strip() for line in names if not line.startswith("#") and line.strip())


SERVICES = services_of(TOP)
if os.environ.get("TRELLIS_PRODUCT"):
    SERVICES += services_of(os.environ["TRELLIS_PRODUCT"])


PATIENCE = 90.0  # seconds, on a machine that has much else to do: a hang ends by it, and no test is decided


def wait_for(what, condition, seconds=PATIENCE):
    """Polls until condition() is true; fails with a sentence after that time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def come_again(call):
    """As a client that is told to come later: its answer once that is no 503."""
    return wait_for("it is answered", lambda: (answer := call()).status != 503 and answer)


def needed(name):
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set; tools/test sets it.")
    return value


held = []  # sockets that keep ports from other tests; they do not listen


def free_port():
    """Below the ports that connections going out are given: one of those could take a
    service's port while it is down. No other test is given it while this one runs."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        ceiling = int(file.read().split()[0])
    while True:
        port = random.randrange(max(1024, ceiling - 20000), ceiling)
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            holder.close()
            continue
        # From here on servers, which all allow it as well, may bind it.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.append(holder)
        return port
