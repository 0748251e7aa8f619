"""pg_door.py - what stands between a mesh and PostgreSQL, so that a story can take it away."""
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import urllib.parse

from common import wait_for


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
