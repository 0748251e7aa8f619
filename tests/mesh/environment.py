"""environment.py - what each process of a mesh is told: its settings, keys and certificates;
and the operator's command, which is told the same."""
import json
import os
import secrets
import subprocess

from common import SERVICES, TOP


class Environment:
    """Of a stack."""

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
