"""stack.py - the real services on temporary ports, with a database, a Redis and a
door to PostgreSQL of their own: what the stories in this folder run against.

The transport is inproc (one process), tcp or tls+tcp (a process a service). A proxy
stands between the services and PostgreSQL, so that a story can take it away."""
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.parse
import urllib.request

from client import Client
from common import SERVICES, free_port, needed, wait_for
from doings import Doings
from environment import Environment
from pg_door import Pooler, Proxy, place_of
from postgres import Sql, template_of


class Stack(Environment, Doings):
    def __init__(self, binaries, transport="inproc", replicas=1, more=None, **settings):
        """So many processes of each service behind the edge; more: of some another number,
        {"edge": 2}."""
        self.binaries = binaries
        self.transport = transport
        self.settings = {key: str(value) for key, value in settings.items()}
        self.processes = {}
        self.redis = self.server = self.proxy = self.pooler = None  # not yet
        self.folder = tempfile.mkdtemp(prefix="trl-mesh.", dir="/var/tmp")
        self.mail = os.path.join(self.folder, "mail")
        self.admin = self._find_server()
        self.pairs, self.reads = self._ask_the_graph()
        self.database = f"trl_test_mesh_{os.getpid()}_{secrets.token_hex(3)}"
        counts = {name: 1 if name == "edge" else replicas for name in SERVICES} | (more or {})
        # A further process of a service is called tenants.2.
        self.each = {name: [name] + [f"{name}.{n}" for n in range(2, counts[name] + 1)] for name in SERVICES}
        self.doors = {name: free_port() for name in self.each["edge"]}
        self.port = self.doors["edge"]
        processes = [name for names in self.each.values() for name in names]
        self.ops = {name: free_port() for name in processes}
        self.bus = {name: free_port() for name in processes}
        self.notices = {name: free_port() for name in processes}
        self.serial = 0

    def _ask_the_graph(self):
        """The pairs that share a key (whoever calls or reads, and whom), and who reads whose
        events without calling it."""
        said = subprocess.run([self.binary("all"), "mesh", "--json"], check=True, capture_output=True,
                              env=self._env({}), text=True).stdout
        mesh = json.loads(said)
        reads = [(one["name"], other) for one in mesh["services"] for other in one["reads"]]
        return [tuple(pair) for pair in mesh["pairs"]], reads

    def _find_server(self):
        """The administrator's URL of the PostgreSQL that the database is made in."""
        return needed("TRELLIS_TEST_PG_ADMIN_URL")

    # ---- starting and stopping

    def start(self):
        self._start_redis()
        self._start_database()
        self._make_keys()
        for name in self.names():
            self.start_service(name)
        wait_for("the mesh is ready", self.is_ready)
        for name in set(self.names()) & set(self.ops):  # each process, where they are several
            wait_for(f"{name} is ready", lambda: self.says_ready(name))
        return self

    def names(self):
        if self.transport == "inproc":
            return ("all",)
        return [name for service in SERVICES for name in self.each[service]]

    def _start_database(self):
        target, user, first = place_of(self.admin)
        host = os.path.dirname(target)
        self.server = Sql(target, user, first)
        self.inside = Sql(target, user, self.database)
        self.direct = f"postgresql:///{self.database}?" + urllib.parse.urlencode({"host": host, "user": user})
        if os.environ.get("MESH_POOLER"):
            self.pooler = Pooler(target, [*(f"{service}_{role}" for service in SERVICES
                                            for role in ("app", "sys")), user])
        self.proxy = Proxy(self.folder, self.pooler.path if self.pooler else target)
        self.pg = f"postgresql:///{self.database}?host={self.folder}"
        if self.pooler:  # that migrations go through it is to be seen, too
            self.server.rows(f"create database {self.database}")
            self._migrate(self.database, f"host={self.folder}&user={user}")
            return
        template = template_of(self.server, self.binary("all"), lambda database: self._migrate(
            database, f"host={host}&user={user}"))
        self.server.rows(f"create database {self.database} template {template} strategy file_copy")
        # What is granted of a database itself is not copied with it.
        self.sql(f"revoke temporary on database {self.database} from public")

    def _migrate(self, database, server):
        done = subprocess.run([self.binary("all"), "migrate"], capture_output=True, text=True, env=self._env(
            {"TRELLIS_PG_ADMIN_URL": f"postgresql:///{database}?{server}"}))
        if done.returncode:
            raise AssertionError(f"migrate failed:\n{done.stdout}{done.stderr}")

    def _start_redis(self):
        self.redis_path = os.path.join(self.folder, "redis")
        self.start_redis()

    def start_redis(self):
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.redis_path, "--save", "",
             "--appendonly", "no", "--dir", self.folder], stdout=subprocess.DEVNULL)
        wait_for("Redis answers", lambda: self.redis_cli("ping") == "PONG")

    def sql(self, command):
        """As the administrator, past row security; the rows, as tuples of text."""
        return self.inside.rows(command)

    def sql_text(self, command):
        """As psql shows rows: a line each, columns with bars between, "" for null."""
        return "\n".join("|".join(value or "" for value in row) for row in self.sql(command))

    def sql_value(self, command):
        """Its first line."""
        return self.sql_text(command).split("\n")[0]

    def redis_cli(self, *words):
        return subprocess.run(["redis-cli", "-s", self.redis_path, *words], capture_output=True,
                              text=True).stdout.strip()

    def kill_redis(self):
        self.redis.kill()
        self.redis.wait()
        os.path.exists(self.redis_path) and os.unlink(self.redis_path)

    def log_path(self, name):
        return os.path.join(self.folder, f"{name}.log")

    def start_service(self, name):
        with open(self.log_path(name), "ab") as log:
            self.processes[name] = subprocess.Popen(
                [self.binary(name)], env=self.environment(name), stdout=log, stderr=log)

    def kill_service(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def stop_service(self, name):
        """As a supervisor does; gives the exit code."""
        self.processes[name].send_signal(signal.SIGTERM)
        return self.processes[name].wait(30)

    @contextlib.contextmanager
    def supervised(self, code):
        """As a supervisor: starts again whatever ends by itself with that code; gives how often
        each has been."""
        starts, over = {name: 0 for name in self.names()}, threading.Event()

        def supervise():
            while not over.wait(0.02):
                for name, process in list(self.processes.items()):
                    if process.poll() == code:
                        self.start_service(name)
                        starts[name] += 1
        thread = threading.Thread(target=supervise)
        thread.start()
        try:
            yield starts
        finally:
            over.set()
            thread.join()

    def says_ready(self, name):
        """Whether that process says so itself."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops[name]}/readyz", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def is_ready(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise AssertionError(f"{name} ended with {process.returncode}:\n{self.log(name)}")
        try:
            return Client(self).get("/readyz").status == 200
        except OSError:
            return False

    def log(self, name):
        with open(self.log_path(name), errors="replace") as file:
            return file.read()[-8000:]

    def logs(self):
        return "".join(f"--- {name}\n{self.log(name)}" for name in self.processes)

    def logs_of(self, trace_id):
        """What every process said of one request, and warnings without a trace."""
        found = []
        for name in self.processes:
            with open(self.log_path(name), errors="replace") as file:
                found += [f"{name}: {line}" for line in file
                          if trace_id in line or "trace_id" not in line and '"INFO"' not in line]
        return "".join(found[-60:])

    def stop(self):
        """Ends everything; gives the names of services that ended badly."""
        bad = []
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.returncode not in (0, -signal.SIGKILL):
                bad.append(f"{name} ended with {process.returncode}:\n{self.log(name)}")
        if self.redis:
            self.redis.kill()
            self.redis.wait()
        if self.proxy:
            self.proxy.shut()
            self.proxy.listener.close()
        if self.pooler:
            self.pooler.stop()
        if self.server:
            self._drop_database()
        self._remove_folder()
        return bad

    def _drop_database(self):
        self.inside.close()
        self.server.rows(f"drop database if exists {self.database} with (force)")
        self.server.close()

    def _remove_folder(self):
        shutil.rmtree(self.folder, ignore_errors=True)
