"""starts.py - a process that cannot start says why: to a reader of logs as a JSON line
of severity ERROR, to an operator at a command as text."""
import json
import subprocess

from case import MeshCase


class Starts(MeshCase):
    def start(self, *words, without=(), **changed):
        """A second process beside the mesh's own; what it said, and that it ended badly."""
        env = self.stack.environment("all")
        for name in [name for name in env if name.startswith(tuple(without))]:
            del env[name]
        env.update(changed)
        done = subprocess.run([self.stack.binary("all"), *words], env=env, text=True, timeout=30,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.assertIn(done.returncode, (1, 2), done)
        return done.stderr.splitlines()

    def refused(self, *sentences, **how):
        """Started as a service, it says those sentences, each in a line of its log, and
        no line of anything else."""
        lines = [json.loads(line) for line in self.start(**how)]
        said = [line["body"] for line in lines if line["severity_text"] == "ERROR"]
        self.assertEqual(len(said), len(sentences), lines)
        for sentence in sentences:
            self.assertTrue(any(sentence in message for message in said), lines)
        for line in lines:
            self.assertEqual(line["service.name"], "trellis")
            self.assertIn("timestamp", line)

    def test_a_bad_setting_is_a_line_of_the_log(self):
        self.refused("TRELLIS_MAX_ACTORS is \"many\"", TRELLIS_MAX_ACTORS="many")
        self.refused("TRELLIS_MAX_ACTOR is not a setting", TRELLIS_MAX_ACTOR="16")
        self.refused("TRELLIS_LOG_LEVEL is \"loud\"", TRELLIS_LOG_LEVEL="loud")
        for ratio in ("much", "1.5", "-0.1", "nan"):
            self.refused(f"TRELLIS_TRACE_RATIO is \"{ratio}\"", TRELLIS_TRACE_RATIO=ratio)
        self.refused("TRELLIS_SEAL_KEY_FILE names /no/such/file", TRELLIS_SEAL_KEY_FILE="/no/such/file")

    def test_a_posthog_that_is_none_is_a_line_of_the_log(self):
        for url in ("eu.i.posthog.com", "ftp://hog.example", "https://", "https://hog.example/?x", "https://a b"):
            self.refused(f"TRELLIS_POSTHOG_URL={url} is not a URL", TRELLIS_POSTHOG_URL=url,
                         TRELLIS_POSTHOG_KEY="phc_x")
        self.refused("TRELLIS_POSTHOG_KEY is not set", TRELLIS_POSTHOG_URL="https://hog.example")
        self.refused("TRELLIS_POSTHOG_URL is not set", TRELLIS_POSTHOG_KEY="phc_x")
        self.refused("TRELLIS_POSTHOG_KEY is not a project's key", TRELLIS_POSTHOG_KEY="phc x",
                     TRELLIS_POSTHOG_URL="https://hog.example")

    def test_a_setting_of_one_service_that_cannot_be_had_is_refused(self):
        for name in ("TRELLIS_OPS_LISTEN_EDGE", "TRELLIS_PG_URL_AUTH", "TRELLIS_BUS_KEY_AUTH"):
            file = {f"{name}_FILE": "/no/such/file"}
            self.refused(f"{name}_FILE names /no/such/file", without=(name,), **file)
            lines = self.start("--check-config", without=(name,), **file)
            self.assertEqual(len(lines), 1, lines)
            self.refused(f"{name} and {name}_FILE are both set", **{name: "x", **file})

    def test_a_service_that_is_misspelt_in_a_setting_is_refused(self):
        for wrong, right in (("OPS_LISTEN_AUHT", "OPS_LISTEN_AUTH"), ("PEER_TENANST", "PEER_TENANTS"),
                             ("NOTICE_LISTEN_EGDE", "NOTICE_LISTEN_EDGE"),
                             ("PG_URL_NOTFIY_SYS", "PG_URL_NOTIFY_SYS")):
            self.refused(f"TRELLIS_{wrong} is not a setting; did you mean TRELLIS_{right}?",
                         **{f"TRELLIS_{wrong}": "x"})

    def test_a_database_that_is_not_there_is_a_line_of_the_log(self):
        self.refused("auth: PostgreSQL does not answer", without=("TRELLIS_OPS_",),
                     TRELLIS_PG_URL="postgresql:///trellis?host=/no/such/folder")

    def test_a_role_that_could_pass_row_security_is_a_line_of_the_log(self):
        self.refused("is a superuser, so row security would not hold", without=("TRELLIS_OPS_",),
                     TRELLIS_PG_URL_AUTH=self.stack.direct)

    def test_a_port_that_is_taken_is_a_line_of_the_log(self):
        self.refused("cannot listen on", TRELLIS_LOG_LEVEL="error")

    wrong = {
        "TRELLIS_MAIL_FROM": ("nobody at all", "TRELLIS_MAIL_FROM=nobody at all is not a sender"),
        # for links in mails, and for the origin of this server
        "TRELLIS_PUBLIC_URL": ("app.example", "TRELLIS_PUBLIC_URL=app.example is not a URL that links can",
                               "TRELLIS_PUBLIC_URL=app.example is not a URL at which browsers can"),
        "TRELLIS_CORS_ORIGINS": ("https://app.example, https://app.example/,*",
                                 "TRELLIS_CORS_ORIGINS: https://app.example/ is not an origin",
                                 "TRELLIS_CORS_ORIGINS: * is not an origin"),
        "TRELLIS_SMTP_URL": ("http://127.0.0.1", "TRELLIS_SMTP_URL cannot be used"),
        "TRELLIS_SMTP_HELO": ("localhost", "TRELLIS_SMTP_HELO=localhost is not a full host name"),
        "TRELLIS_SMTP_CA": ("/no/such/ca", "TRELLIS_SMTP_CA names /no/such/ca, which cannot be read"),
        "TRELLIS_WEBHOOK_ALLOW_CIDRS": ("10.0.0.0/33", "TRELLIS_WEBHOOK_ALLOW_CIDRS=10.0.0.0/33 is not a list"),
        "TRELLIS_WEBHOOK_CA": ("/no/such/ca", "TRELLIS_WEBHOOK_CA names /no/such/ca, which cannot be read"),
        "TRELLIS_SENTRY_DSN": ("https://sentry.example/1", "TRELLIS_SENTRY_DSN has no public key before the @"),
        "TRELLIS_OTLP_URL": ("collector:4318", "TRELLIS_OTLP_URL is \"collector:4318\": this is not a URL"),
        "TRELLIS_OTLP_HEADERS": ("api-key", "TRELLIS_OTLP_HEADERS: one of them has no \"=\""),
        "TRELLIS_OTLP_CA": ("/no/such/ca", "TRELLIS_OTLP_CA names /no/such/ca, which cannot be read"),
        "TRELLIS_REDIS_URL": ("http://127.0.0.1", "TRELLIS_REDIS_URL should be redis://"),
        "TRELLIS_PG_URL_TENANTS": ("postgresql://tenants_app:half%@host/x",
                                   "TRELLIS_PG_URL_TENANTS is not a PostgreSQL connection string: invalid percent"),
        "TRELLIS_BUS_TLS_CERT": ("x", "TRELLIS_BUS_TLS_CA, TRELLIS_BUS_TLS_CERT and TRELLIS_BUS_TLS_KEY: set all three"),
        "TRELLIS_BUS_KEY_SOMEBODY": ("7:nonsense", "TRELLIS_BUS_KEY_SOMEBODY_FILE: has to hold one to four lines"),
        "TRELLIS_PASSWORD_PEPPER": ("short", "TRELLIS_PASSWORD_PEPPER: must be kid:key"),
    }

    def test_what_settings_mean_is_looked_at_before_anything_is_opened(self):
        for name, (value, *sentences) in self.wrong.items():
            self.refused(*sentences, **{name: value, "TRELLIS_PG_URL": "postgresql:///x?host=/no/such/folder"})

    def test_a_check_of_the_settings_says_all_that_is_wrong_at_once(self):
        lines = self.start("--check-config", **{name: value for name, (value, *_) in self.wrong.items()})
        wanted = [sentence for _, *sentences in self.wrong.values() for sentence in sentences]
        self.assertEqual(len(lines), len(wanted), lines)
        for sentence in wanted:
            self.assertTrue(any(line.startswith(sentence) for line in lines), (sentence, lines))

    def test_origins_beyond_the_bound_are_not_dropped_in_silence(self):
        for value, sentence in ((",".join(f"https://{n}.example" for n in range(33)),
                                 "TRELLIS_CORS_ORIGINS names 33 origins; write at most 32."),
                                ("https//x", "TRELLIS_CORS_ORIGINS: https//x is not an origin; write")):
            lines = self.start("--check-config", TRELLIS_CORS_ORIGINS=value)
            self.assertEqual([line.startswith(sentence) for line in lines], [True], lines)

    def test_a_command_of_the_operators_says_it_as_text(self):
        for words in (("--check-config",), ("config",), ("migrate",)):
            lines = self.start(*words, TRELLIS_MAX_ACTORS="many")
            self.assertRegex(lines[0], "^trellis: TRELLIS_MAX_ACTORS is \"many\", but has to be a whole number")
        lines = self.start("migrate", TRELLIS_PG_ADMIN_URL="postgresql:///trellis?host=/no/such/folder")
        self.assertTrue(lines[0].startswith("auth: PostgreSQL does not answer"), lines)
