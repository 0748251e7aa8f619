"""troubles.py - the schedule of faults: what goes wrong, where and when, drawn from a
seed before anything starts, so that the same seed and seconds give the same schedule.

Faults are drawn as cards from a shuffled deck that holds each kind, so a short run sees
all of them too; one that lasts has an end of its own in the schedule, and may overlap
with others."""
import random
import signal
import threading
import time

# kind: how many cards of a deck
DECK = {
    "kill": 5,             # -9 to one process
    "kill_service": 1,     # to every replica of a service
    "freeze": 2,           # SIGSTOP, and SIGCONT after a second
    "cut_postgres": 1,     # connections break, and new ones fail for a while
    "break_postgres": 2,   # connections break, amid their commits, and new ones are fine
    "restart_postgres": 1, # its processes go at once; it recovers by its log
    "kill_redis": 1,       # it comes back empty
    "flush_redis": 1,
    "freeze_redis": 1,
    "starve_redis": 1,     # it has no memory for a while, and refuses to write
    "delay": 2,            # messages to and from one process wait
    "repeat": 2,           # messages to and from one process are said again
    "cut_wire": 1,         # connections to one process break
    "hold_wire": 1,        # connections stay, and nothing comes through for a while
}
# Only where there is time for it: SIGSTOP for longer than a lease lasts, so that what
# was begun is taken up by another while the first still believes that it is his.
LONG_S, ZOMBIE_S = 120, 45
EVERY_S = (0.3, 1.1)


def plan(seed, seconds, instances, aim=None):
    """[(at_s, kind, arguments)], rising by time; the ends of lasting faults included."""
    draw = random.Random(seed)
    instances = [i for i in instances if aim in (None, i.split(".")[0])]
    behind_wire = [i for i in instances if not i.startswith("edge.")]
    steps, deck, at = [], [], 0.5
    while at < seconds - 1:
        if not deck:
            deck = [kind for kind, n in DECK.items() for _ in range(n)]
            deck += ["zombie"] if seconds >= LONG_S else []
            draw.shuffle(deck)
        kind, lasts, end, args = deck.pop(), 0, None, ()
        if kind in ("kill", "freeze", "zombie"):
            args = (draw.choice(instances),)
        elif kind == "kill_service":
            args = (draw.choice(sorted({i.split(".")[0] for i in instances})),)
        elif kind == "delay":
            args = (draw.choice(behind_wire), draw.choice((5, 20, 80)))
        elif kind == "repeat":
            args = (draw.choice(behind_wire), draw.choice((0.01, 0.05, 0.3)))
        elif kind in ("cut_wire", "hold_wire"):
            args = (draw.choice(behind_wire),)
        if kind in ("freeze", "freeze_redis"):
            lasts, end = 1.0, {"freeze": "thaw"}.get(kind, "thaw_redis")
        elif kind == "zombie":
            lasts, end = ZOMBIE_S, "thaw"
        elif kind == "starve_redis":
            lasts, end = 1.0, "feed_redis"
        elif kind == "hold_wire":
            lasts, end = draw.uniform(0.5, 5.0), "calm"
        elif kind in ("cut_postgres", "kill_redis"):
            lasts, end = draw.uniform(0.2, 1.0), "mend_" + kind.split("_")[1]
        elif kind in ("delay", "repeat"):
            lasts, end = draw.uniform(0.5, 2.0), "calm"
        steps.append((at, kind, args))
        if end:
            steps.append((at + lasts, end, args[:1]))
        at += draw.uniform(*EVERY_S)
    return sorted(steps)


class Troubles:
    """Does to a fleet what the plan says."""

    def __init__(self, fleet, seed, seconds, aim=None):
        self.fleet = fleet
        self.steps = plan(seed, seconds, fleet.instances, aim)
        self.done = {}
        self.failed = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def join(self):
        self.thread.join()
        if self.failed:
            raise self.failed[0]

    def _run(self):
        started = time.monotonic()
        try:
            for at, kind, args in self.steps:
                left = started + at - time.monotonic()
                if left > 0:
                    threading.Event().wait(left)
                self.done[kind] = self.done.get(kind, 0) + 1
                getattr(self, kind)(*args)
        except Exception as why:  # the driver's own fault, told by join()
            self.failed.append(why)

    def kill(self, name):
        self.fleet.kill(name)

    def kill_service(self, service):
        for name in self.fleet.replicas(service):
            self.fleet.kill(name)

    def freeze(self, name):
        self.fleet.freeze(name)

    zombie = freeze

    def thaw(self, name):
        self.fleet.thaw(name)

    def cut_postgres(self):
        self.fleet.cut_postgres()

    def break_postgres(self):
        self.fleet.break_postgres()

    def mend_postgres(self):
        self.fleet.mend_postgres()

    def restart_postgres(self):
        self.fleet.restart_postgres()

    def kill_redis(self):
        self.fleet.kill_redis()

    def mend_redis(self):
        self.fleet.mend_redis()

    def flush_redis(self):
        self.fleet.tell_redis("flushall")

    def freeze_redis(self):
        self.fleet.signal_redis(signal.SIGSTOP)

    def thaw_redis(self):
        self.fleet.signal_redis(signal.SIGCONT)

    def starve_redis(self):
        self.fleet.tell_redis("config", "set", "maxmemory", "1mb")

    def feed_redis(self):
        self.fleet.tell_redis("config", "set", "maxmemory", "0")

    def hold_wire(self, name):
        self.fleet.wires[name].hold()

    def delay(self, name, ms):
        self.fleet.wires[name].delay_ms = ms

    def repeat(self, name, share):
        self.fleet.wires[name].repeat = share

    def calm(self, name):
        self.fleet.wires[name].calm()

    def cut_wire(self, name):
        self.fleet.wires[name].cut()
