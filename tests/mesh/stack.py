"""stack.py - the real services on temporary ports, with a database, a Redis and a
door to PostgreSQL of their own: what the stories in this folder run against.

The transport is inproc (one process), tcp or tls+tcp (a process a service). A proxy
stands between the services and PostgreSQL, so that a story can take it away. (Over 400 lines: the
one file that knows how a mesh is made and asked.)"""
import getpass
import http.client
import json
import os
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from postgres import Sql, template_of

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def services_of(top):
    """The services that a list names: Trellis's, or a product's."""
    with open(os.path.join(top, "services", "list"), encoding="utf-8") as names:
        return tuple(line.strip() for line in names if not line.startswith("#") and line.strip())


SERVICES = services_of(TOP)
if os.environ.get("TRELLIS_PRODUCT"):
    SERVICES += services_of(os.environ["TRELLIS_PRODUCT"])


def wait_for(what, condition, seconds=30.0):
    """Polls until condition() is true; fails with a sentence after that time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


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


def place_of(url):
    """A PostgreSQL's socket, a user and a database of it."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    host = query.pop("host", None)
    if not host or not host.startswith("/"):
        raise SystemExit(f"{url}: TRELLIS_TEST_PG_ADMIN_URL must name a unix socket (?host=/folder).")
    user = query.get("user") or parts.username or getpass.getuser()
    return (os.path.join(host, f".s.PGSQL.{query.pop('port', 5432)}"), user,
            parts.path.strip("/") or "postgres")


class Proxy:
    """A unix socket in front of PostgreSQL's, that can be shut."""

    def __init__(self, folder, target):
        self.path = os.path.join(folder, ".s.PGSQL.5432")
        self.target = target
        self.pairs = set()
        self.open = True
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.add((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    @staticmethod
    def _pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def shut(self):
        """As a server that was stopped: what is open breaks, what is new fails."""
        self.open = False
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def reopen(self):
        self.open = True


class Pooler:
    """PgBouncer in front of PostgreSQL, with fewer servers than the mesh has connections."""

    def __init__(self, target, users, mode="transaction"):
        self.folder = tempfile.mkdtemp(prefix="trl-pooler.", dir="/var/tmp")
        self.path = os.path.join(self.folder, ".s.PGSQL.6432")
        self.config = os.path.join(self.folder, "ini")
        self.target = target
        host, port = os.path.split(target)
        with open(os.path.join(self.folder, "users"), "w") as file:
            file.writelines(f'"{user}" ""\n' for user in users)
        with open(self.config, "w") as file:
            file.write("[databases]\n"
                       f"* = host={host} port={port.rpartition('.')[2]}\n"
                       "[pgbouncer]\n"
                       f"listen_port = 6432\nunix_socket_dir = {self.folder}\n"
                       f"auth_type = trust\nauth_file = {self.folder}/users\n"
                       f"pool_mode = {mode}\ndefault_pool_size = 3\nmax_client_conn = 1000\n"
                       # It lets nobody in for this time after a server was ended in its login.
                       "server_login_retry = 1\n")
        # PgBouncer does not run as root.
        self.owner = os.stat(target)
        for path in (self.folder, self.config, os.path.join(self.folder, "users")):
            os.chown(path, self.owner.st_uid, self.owner.st_gid)
        os.chmod(self.folder, 0o755)
        self.start()

    def start(self):
        options = {}
        if os.getuid() == 0:
            options = {"user": self.owner.st_uid, "group": self.owner.st_gid}
        self.process = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", self.config], cwd="/",
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        wait_for("PgBouncer answers", self._answers)

    def _answers(self):
        assert self.process.poll() is None, "PgBouncer ended; is the Debian package pgbouncer there?"
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()
        os.path.exists(self.path) and os.unlink(self.path)
        pid_file = os.path.join(self.folder, "pid")
        os.path.exists(pid_file) and os.unlink(pid_file)

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = {}
        for name, value in response.getheaders():
            name = name.lower()
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self.body = body
        self.json = None
        if body and "json" in self.headers.get("content-type", "") and \
                "content-encoding" not in self.headers:
            self.json = json.loads(body)

    def __getitem__(self, name):
        return self.json[name]

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Client:
    """One keep-alive connection, and what goes along with each request."""

    def __init__(self, stack, token=None, port=None, **headers):
        self.stack = stack
        self.port = port or stack.port
        self.token = token
        self.headers = headers
        self.connection = None

    def call(self, method, path, body=None, headers=None, raw=None):
        sent = dict(self.headers)
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        for last in (False, True):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                self.connection.request(method, path, body=data, headers=sent)
                response = self.connection.getresponse()
                answer = Answer(response, response.read())
                if response.will_close:
                    self.close()
                return answer
            except (ConnectionError, http.client.BadStatusLine):
                self.close()
                if last or (method != "GET" and "Idempotency-Key" not in sent):
                    raise

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def get(self, path, **headers):
        return self.call("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path, body=None, **headers):
        return self.call("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})

    def patch(self, path, body=None, **headers):
        return self.call("PATCH", path, body, {k.replace("_", "-"): v for k, v in headers.items()})

    def delete(self, path, **headers):
        return self.call("DELETE", path, None, {k.replace("_", "-"): v for k, v in headers.items()})


class Stack:
    def __init__(self, binaries, transport="inproc", replicas=1, more=None, **settings):
        """So many processes of each service behind the edge; more: of some another number,
        {"edge": 2}."""
        self.binaries = binaries
        self.transport = transport
        self.settings = {key: str(value) for key, value in settings.items()}
        self.processes = {}
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
        wait_for("the mesh is ready", self.is_ready, 30)
        for name in set(self.names()) & set(self.ops):  # each process, where they are several
            wait_for(f"{name} is ready", lambda: self.says_ready(name), 30)
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
        self.pooler = None
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
        self.redis = None
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

    def _make_keys(self):
        def write(name, text):
            path = os.path.join(self.folder, name)
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, 0o600)
        write("seal", secrets.token_hex(32) + "\n")
        for a, b in (*self.pairs, *(("ctl", name) for name in (*SERVICES, "all"))):
            write(f"{a}-{b}", f"1:{secrets.token_hex(32)}\n")
        if self.transport == "tls+tcp":
            self._make_certificates()

    def _make_certificates(self):
        self.make_authority("ca")
        self.make_certificate("bus", "ca")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")

    def make_authority(self, name):
        """NAME.crt and NAME.key, which sign."""
        self.openssl("req", "-x509", *self.new_key, "-keyout", f"{name}.key", "-out", f"{name}.crt",
                     "-days", "2", "-subj", f"/CN=mesh {name}")

    def make_certificate(self, name, authority):
        """NAME.crt and NAME.key, signed, for whoever lives here."""
        self.openssl("req", *self.new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                     "-subj", "/CN=127.0.0.1")
        with open(os.path.join(self.folder, "ext"), "w") as file:
            file.write("subjectAltName=IP:127.0.0.1,DNS:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt",
                     "-CAkey", f"{authority}.key", "-CAcreateserial", "-out", f"{name}.crt",
                     "-days", "2", "-extfile", "ext")

    def binary(self, name):
        return os.path.join(self.binaries, f"trellis-{name.partition('.')[0]}")

    def _env(self, more):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TRELLIS_")}
        env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=0:detect_leaks=0")
        env.update(more)
        return env

    def environment(self, name):
        at = "tcp" if self.transport == "inproc" else self.transport
        env = {
            "TRELLIS_PG_URL": self.pg,
            "TRELLIS_REDIS_URL": f"unix:{self.redis_path}",
            "TRELLIS_RUN_DIR": self.folder,
            "TRELLIS_MAIL_FOLDER": self.mail,
            "TRELLIS_HTTP_LISTEN": f"127.0.0.1:{self.doors.get(name, self.port)}",
            "TRELLIS_SEAL_KEY_FILE": os.path.join(self.folder, "seal"),
            # The least that is allowed: stories sign hundreds of people up.
            "TRELLIS_ARGON2_MEMORY_KIB": "19456",
        }
        service = name.partition(".")[0]
        for other in SERVICES:
            upper = other.upper()
            own = other if name == "all" else name
            if service in (other, "all"):
                env[f"TRELLIS_OPS_LISTEN_{upper}"] = f"127.0.0.1:{self.ops[own]}"
            if service in (other, "all"):
                env[f"TRELLIS_LISTEN_{upper}"] = f"{at}://127.0.0.1:{self.bus[own]}"
            if service == other:
                env[f"TRELLIS_NOTICE_LISTEN_{upper}"] = f"{at}://127.0.0.1:{self.notices[name]}"
        env["TRELLIS_BUS_KEY_CTL_FILE"] = os.path.join(self.folder, f"ctl-{service}")
        for a, b in (*self.pairs, *self.reads):
            if service == a:
                env[f"TRELLIS_PEER_{b.upper()}"] = ",".join(
                    f"{at}://127.0.0.1:{self.bus[one]}" for one in self.each[b])
        for a, b in self.pairs:
            key = os.path.join(self.folder, f"{a}-{b}")
            if service == a:
                env[f"TRELLIS_BUS_KEY_{b.upper()}_FILE"] = key
            if service == b:
                env[f"TRELLIS_BUS_KEY_{a.upper()}_FILE"] = key
        if self.transport == "tls+tcp":
            for what, file in (("CA", "ca.crt"), ("CERT", "bus.crt"), ("KEY", "bus.key")):
                env[f"TRELLIS_BUS_TLS_{what}_FILE"] = os.path.join(self.folder, file)
        env.update(self.settings)
        return self._env(env)

    def _ctl_environment(self, more):
        at = "tcp" if self.transport == "inproc" else self.transport
        env = {}
        for name in SERVICES:
            key = "all" if self.transport == "inproc" else name
            env[f"TRELLIS_PEER_{name.upper()}"] = ",".join(
                f"{at}://127.0.0.1:{self.bus[one]}" for one in self.each[name])
            env[f"TRELLIS_BUS_KEY_{name.upper()}_FILE"] = os.path.join(self.folder, f"ctl-{key}")
        if self.transport == "tls+tcp":
            for what, file in (("CA", "ca.crt"), ("CERT", "bus.crt"), ("KEY", "bus.key")):
                env[f"TRELLIS_BUS_TLS_{what}_FILE"] = os.path.join(self.folder, file)
        return self._env({**env, **more})

    def trellis(self, *words, given="", **more):
        """The operator's command; gives the completed process, with .json() of its output."""
        done = subprocess.run([self.binaries + "/../tools/ctl/trellis", *words], text=True, timeout=60,
                              env=self._ctl_environment(more), capture_output=True, input=given)
        done.json = lambda: json.loads(done.stdout)
        return done

    def sells(self, **changes):
        """Puts billing's example of a catalogue in force, with other values of some of its members."""
        with open(os.path.join(TOP, "services/billing/catalogue/example.json"), encoding="utf-8") as file:
            catalogue = {**json.load(file), **changes}
        done = self.trellis("billing", "catalogue", "apply", "-", given=json.dumps(
            {name: value for name, value in catalogue.items() if value is not None}))
        assert done.returncode == 0, done

    def trellis_open(self, *words):
        """The operator's command while it runs, its output a pipe."""
        return subprocess.Popen([self.binaries + "/../tools/ctl/trellis", *words], text=True,
                                env=self._ctl_environment({}), stdout=subprocess.PIPE)

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
        self.proxy.shut()
        self.proxy.listener.close()
        if self.pooler:
            self.pooler.stop()
        self._drop_database()
        self._remove_folder()
        return bad

    def _drop_database(self):
        self.inside.close()
        self.server.rows(f"drop database if exists {self.database} with (force)")
        self.server.close()

    def _remove_folder(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what stories do again and again

    def client(self, token=None, **headers):
        return Client(self, token, **headers)

    def media_folder(self):
        return os.path.join(self.folder, "media")

    def new_email(self, who="ada"):
        self.serial += 1
        return f"{who}.{self.serial}.{secrets.token_hex(4)}@example.com"

    def sign_up(self, who="ada", verified=True):
        """A new person: his client, with .email, .account and .password."""
        person = self.client()
        person.email = self.new_email(who)
        person.password = "correct horse battery " + secrets.token_hex(4)
        answer = person.post("/api/v1/auth/signup", {
            "email": person.email, "password": person.password, "display_name": who.title()})
        assert answer.status == 201, answer
        person.token = answer["session"]["token"]
        person.account = answer["account"]
        if verified:
            answer = person.post("/api/v1/auth/email/verify", {"token": self.letter_token(person.email)})
            assert answer.status == 204, answer
        return person

    def found(self, person, name="Acme"):
        """A new organisation of a person; gives its id."""
        self.serial += 1
        answer = person.post("/api/v1/tenants", {
            "slug": f"acme-{self.serial}-{secrets.token_hex(3)}", "display_name": name})
        assert answer.status == 201, answer
        return answer["id"]

    def metrics(self, name):
        """What the process that runs a service shows at /metrics."""
        if self.transport == "inproc":
            name = "auth"  # the one process shows itself at the first address it has
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops[name]}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def letter_token(self, email, seconds=30):
        """The token in the newest letter to an address that has one."""
        def find():
            for text in reversed(self.letters(email)):
                found = re.search(r"token=([A-Za-z0-9_.%-]+)", text.replace("=\n", ""))
                if found:
                    return urllib.parse.unquote(found[1])
            return None
        return wait_for(f"a letter to {email}", find, seconds)

    def letters(self, email):
        """The texts of all letters to an address, the oldest first."""
        texts = []
        for name in os.listdir(self.mail) if os.path.isdir(self.mail) else ():
            if name.startswith("."):
                continue  # one that is being written; its rename makes it a letter
            path = os.path.join(self.mail, name)
            with open(path) as file:
                text = file.read()
            if re.search(rf"^To:.*{re.escape(email)}", text, re.I | re.M):
                texts.append((os.stat(path).st_mtime_ns, text))
        return [text for _, text in sorted(texts)]

    def send(self, data, seconds=15):
        """Bytes on a connection of their own; gives all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as raw:
            try:
                raw.sendall(data)
            except ConnectionError:
                pass  # who refuses it may hang up before its end; what he said is there
            received = b""
            try:
                while chunk := raw.recv(65536):
                    received += chunk
            except (TimeoutError, ConnectionResetError):
                pass
            return received
