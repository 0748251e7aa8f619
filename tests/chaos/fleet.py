"""fleet.py - the mesh with two processes of each service, each under a supervisor that
starts it anew when it ends, with a PostgreSQL of its own, and with a wire (wire.py)
before each process's bus. What the faults do to it is here; which and when is theirs."""
import glob
import http.client
import json
import os
import pwd
import random
import signal
import subprocess
import threading
import urllib.parse

from common import SERVICES, free_port, wait_for
from stack import Stack
from wire import Wire

PG_BIN = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
REPLICAS = 2
# notify's; those that begin now and not with a snapshot must begin before the load does.
SUBSCRIPTIONS = {f"{what}{who}" for what in ("", "feed_", "webhooks_") for who in ("auth", "tenants", "billing")}


def servers_user():
    """PostgreSQL does not run as root: whom it runs as, where we are root."""
    if os.geteuid() != 0:
        return {}
    for name in ("trellis", "postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
        except KeyError:
            pass
    raise SystemExit("there is no user that PostgreSQL could run as.")


class Postgres:
    """A server of this run's own, that may be killed."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "pg")
        self.data = os.path.join(self.folder, "data")
        self.user = servers_user()
        self.process = None
        os.chmod(folder, 0o711)
        os.mkdir(self.folder)
        if self.user:
            os.chown(self.folder, self.user["user"], self.user["group"])
        done = subprocess.run(
            [f"{PG_BIN}/initdb", "-N", "-D", self.data, "-U", "postgres", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8"], capture_output=True, text=True, cwd="/",
            **self.user)
        if done.returncode:
            raise AssertionError(f"initdb failed:\n{done.stderr}")
        self.url = "postgresql:///postgres?" + urllib.parse.urlencode(
            {"host": self.folder, "user": "postgres"})

    def start(self):
        # Without fsync: what is killed are processes, and the kernel keeps their pages.
        with open(os.path.join(os.path.dirname(self.folder), "postgres.log"), "ab") as log:
            self.process = subprocess.Popen(
                [f"{PG_BIN}/postgres", "-D", self.data, "-k", self.folder,
                 "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300",
                 "-c", "shared_buffers=64MB", "-c", "log_min_messages=warning"],
                stdout=log, stderr=log, cwd="/", **self.user)
        wait_for("PostgreSQL answers", self.answers)
        return self

    def answers(self):
        return subprocess.run([f"{PG_BIN}/pg_isready", "-q", "-h", self.folder]).returncode == 0

    def restart(self):
        """As pg_ctl restart -m immediate: nobody is waited for, and it recovers by its log."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)
        self.start()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)


class Fleet(Stack):
    def __init__(self, binaries, seed, notices=True, **settings):
        self.postgres, self.seed = None, seed
        super().__init__(binaries, "tcp", **settings)
        self.instances = [f"{name}.{n}" for name in SERVICES for n in range(REPLICAS)]
        self.at = {i: {what: free_port() for what in ("bus", "notices", "ops", "http")}
                   for i in self.instances}
        self.ports = [self.at[i]["http"] for i in self.instances if i.startswith("edge.")]
        self.port = self.ports[0]
        self.tells_notices = notices
        self.coin = random.Random(seed)  # whether a process that starts has notices
        self.wires = {}
        self.lock = threading.Lock()
        self.ended_badly = []
        self.killed = set()
        self.starts = self.refused_starts = 0
        # Whether PostgreSQL is away, how often it was, and how often when each began.
        self.away, self.cuts, self.cuts_at = False, 0, {}
        self.log_from = {}
        self.supervising = threading.Event()

    def _find_server(self):
        self.postgres = Postgres(self.folder).start()
        return self.postgres.url

    def names(self):
        return self.instances

    def start(self):
        for i in self.instances:
            if not i.startswith("edge."):
                self.wires[i] = Wire(self.at[i]["bus"], f"{self.seed} {i}")
        super().start()
        wait_for("the subscriptions have begun", lambda: SUBSCRIPTIONS <= {
            r["subscription"] for r in self.rows("select subscription from "
            "notify.event_subscription where state = 'live'")})
        self.supervising.set()
        threading.Thread(target=self._supervise, daemon=True).start()
        return self

    # ---- what each process is told

    def binary(self, name):
        return super().binary(name.split(".")[0])

    def environment(self, name):
        """As the stack's, with this replica's ports, and each peer through its wires."""
        service, own = name.split(".")[0], self.at[name]
        env = super().environment(service)
        upper = service.upper()
        env[f"TRELLIS_LISTEN_{upper}"] = f"tcp://127.0.0.1:{own['bus']}"
        env[f"TRELLIS_OPS_LISTEN_{upper}"] = f"127.0.0.1:{own['ops']}"
        env[f"TRELLIS_NOTICE_LISTEN_{upper}"] = f"tcp://127.0.0.1:{own['notices']}"
        if not self.tells_notices or self.coin.random() < 0.25:
            del env[f"TRELLIS_NOTICE_LISTEN_{upper}"]
        env["TRELLIS_HTTP_LISTEN"] = f"127.0.0.1:{own['http']}"
        env["TRELLIS_EDGE_REPLICAS"] = str(REPLICAS)
        for a, b in (*self.pairs, *self.reads):
            if a == service:
                env[f"TRELLIS_PEER_{b.upper()}"] = ",".join(
                    f"tcp://127.0.0.1:{self.wires[i].port}" for i in self.replicas(b))
        return env

    def _ctl_environment(self, more):
        peers = {f"TRELLIS_PEER_{name.upper()}": ",".join(
            f"tcp://127.0.0.1:{self.at[i]['bus']}" for i in self.replicas(name)) for name in SERVICES}
        return super()._ctl_environment({**peers, **more})

    def replicas(self, service):
        return [i for i in self.instances if i.split(".")[0] == service]

    # ---- keeping them up

    def start_service(self, name):
        self.starts += 1
        self.cuts_at[name] = None if self.away else self.cuts
        try:
            self.log_from[name] = os.path.getsize(self.log_path(name))
        except FileNotFoundError:
            self.log_from[name] = 0
        super().start_service(name)

    def was_ready(self, name):
        """Whether the process that runs, or ran last, has said so."""
        with open(self.log_path(name), errors="replace") as file:
            file.seek(self.log_from[name])
            return '"body":"ready"' in file.read()

    def _supervise(self):
        """Starts what ended. What ended without being killed is remembered: it fails the run."""
        while self.supervising.is_set():
            with self.lock:
                for name, process in self.processes.items():
                    if process.poll() is not None and self.supervising.is_set():
                        self._judge_end(name, process.returncode)
                        self.start_service(name)
            threading.Event().wait(0.05)

    def _judge_end(self, name, code):
        if name in self.killed:
            self.killed.discard(name)
        elif code == 1 and not self.was_ready(name) and self.cuts != self.cuts_at[name]:
            self.refused_starts += 1  # a service does not start without PostgreSQL
        else:
            self.ended_badly.append(f"{name} ended with {code}:\n{self.log(name)}")

    def is_ready(self):
        """Every edge is, and with it all that they need."""
        for port in self.ports:
            door = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                door.request("GET", "/readyz")
                if door.getresponse().status != 200:
                    return False
            except (OSError, http.client.HTTPException):
                return False
            finally:
                door.close()
        return True

    # ---- what faults do

    def kill(self, name):
        with self.lock:
            process = self.processes[name]
            if process.poll() is None:
                self.killed.add(name)
                process.kill()

    def freeze(self, name):
        with self.lock:
            process = self.processes[name]
            if process.poll() is None:
                process.send_signal(signal.SIGSTOP)

    def thaw(self, name):
        with self.lock:
            process = self.processes[name]
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)

    def cut_postgres(self):
        self.away = True
        self.cuts += 1
        self.proxy.shut()

    def mend_postgres(self):
        self.proxy.reopen()
        self.away = False

    def break_postgres(self):
        self.cuts += 1
        self.proxy.shut()
        if not self.away:
            self.proxy.reopen()

    def restart_postgres(self):
        away, self.away = self.away, True
        self.cuts += 1
        self.postgres.restart()
        self.away = away

    def kill_redis(self):
        if self.redis.poll() is None:
            super().kill_redis()

    def mend_redis(self):
        if self.redis.poll() is not None:
            self.start_redis()

    def tell_redis(self, *words):
        """Of one that is dead or stands still nothing comes, and nobody waits for it."""
        try:
            subprocess.run(["redis-cli", "-s", self.redis_path, *words],
                           capture_output=True, timeout=0.5)
        except subprocess.TimeoutExpired:
            pass

    def signal_redis(self, number):
        if self.redis.poll() is None:
            self.redis.send_signal(number)

    def heal(self):
        """The end of every fault that lasts."""
        for name in self.instances:
            self.thaw(name)
        for wire in self.wires.values():
            wire.calm()
        if not self.postgres.answers():
            self.postgres.start()
        self.mend_postgres()
        self.signal_redis(signal.SIGCONT)
        self.mend_redis()
        self.tell_redis("config", "set", "maxmemory", "0")

    # ---- looking

    def rows(self, query):
        """A query's rows as dictionaries, read past row security."""
        return json.loads(self.sql(f"select coalesce(json_agg(x), '[]') from ({query}) x")[0][0])

    def value(self, query):
        rows = self.rows(query)
        return next(iter(rows[0].values())) if rows else None

    def _drop_database(self):
        self.postgres.stop()  # it goes with its folder

    def _remove_folder(self):
        if not self.keep:
            super()._remove_folder()

    def stop(self, keep=False):
        self.keep = keep
        self.supervising.clear()
        with self.lock:
            bad = self.ended_badly + super().stop()
        for wire in self.wires.values():
            wire.close()
        return bad
