"""crash.py - errors of our own making, told to a Sentry: internal ones, and a service that
crashes under load. A Sentry that refuses, stalls or lies costs nobody anything."""
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request

from case import MeshCase
from sentry_server import SentryServer
from common import wait_for


class Crash(MeshCase):
    @classmethod
    def setUpClass(cls):
        cls.sentry = SentryServer()
        cls.addClassCleanup(cls.sentry.close)
        cls.settings = {**cls.settings, "TRELLIS_SENTRY_DSN": cls.sentry.dsn, "TRELLIS_ENVIRONMENT": "mesh"}
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)
        cls.at = f"/api/v1/tenants/{cls.tenant}"
        cls.crashes = os.path.join(cls.stack.folder, "crash")
        symbols = subprocess.run(["nm", "-D", cls.stack.binary("tenants")], capture_output=True, text=True,
                                 check=True).stdout
        cls.sanitized = "__asan_init" in symbols

    def setUp(self):
        self.sentry.answers = [200]
        self.sentry.events.clear()

    def tearDown(self):
        self.assertEqual(self.sentry.wrong, [])

    def count(self, kind, result, service="tenants"):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.stack.ops[service]}/metrics") as answer:
            text = answer.read().decode()
        return float(re.search(rf'^trellis_errors_reported_total{{kind="{kind}",result="{result}"}} (\S+)', text,
                               re.M)[1])

    def restart(self):
        self.stack.start_service("tenants")
        wait_for("tenants is ready", lambda: self.stack.says_ready("tenants"))
        wait_for("the edge is ready", self.stack.is_ready)

    def stop(self):
        self.assertEqual(self.stack.stop_service("tenants"), 0)

    def put_file(self, name, text):
        os.makedirs(self.crashes, mode=0o700, exist_ok=True)
        with open(os.path.join(self.crashes, name), "wb") as file:
            file.write(text)

    def crash(self):
        self.stack.processes["tenants"].send_signal(signal.SIGSEGV)
        self.assertEqual(self.stack.processes["tenants"].wait(10), 1 if self.sanitized else -signal.SIGSEGV)

    def come_upon(self):
        """Has tenants come upon something that nobody foresaw."""
        answer = self.ada.patch(self.at, {"display_name": "boom"})
        self.check_problem(answer, 500, "INTERNAL")
        return answer

    def with_a_constraint(self):
        self.stack.sql("alter table tenants.tenant add constraint nobody_foresaw check (display_name <> 'boom')")
        self.addCleanup(self.stack.sql, "alter table tenants.tenant drop constraint nobody_foresaw")

    def test_an_internal_error_is_told_once_and_by_its_origin(self):
        self.with_a_constraint()
        self.stop()
        self.restart()  # its counters begin at 0
        answer = self.come_upon()
        event, = wait_for("the event comes", lambda: list(self.sentry.events))
        self.assertEqual(event["tags"]["service"], "tenants")
        self.assertEqual(event["environment"], "mesh")
        self.assertEqual(event["transaction"], "tenants.v1.Tenants.UpdateTenant")
        self.assertEqual(event["contexts"]["trace"]["trace_id"], answer["trace_id"])
        self.assertEqual(event["fingerprint"][:2], ["internal", "tenants.v1.Tenants.UpdateTenant"])
        self.assertRegex(event["fingerprint"][2], r"^shared/pg/\w+\.c$")
        self.assertRegex(event["tags"]["tenant"], "^[0-9a-f]{16}$")
        body = self.sentry.bodies[-1].decode()
        for private in (self.tenant, self.tenant.replace("-", ""), self.ada.account["id"], self.ada.email, "boom",
                        self.ada.token):
            self.assertNotIn(private, body)
        wait_for("it is counted", lambda: self.count("internal", "sent") == 1)
        # The edge, which passed it on, has nothing to tell.
        self.assertEqual([self.count("internal", result, "edge") for result in ("sent", "dropped", "limited")], [0] * 3)

    def test_a_crash_under_load_is_told_at_the_next_start_and_once(self):
        answers, stop = [], threading.Event()

        def work():
            while not stop.is_set():
                answers.append(self.ada.get(self.at).status)

        thread = threading.Thread(target=work)
        thread.start()
        wait_for("it runs", lambda: len(answers) > 20)
        try:
            self.crash()
            wait_for("callers are told", lambda: answers and answers[-1] == 503)
            self.restart()
            wait_for("it answers again", lambda: answers[-1] == 200)
        finally:
            stop.set()
            thread.join()
        self.assertLessEqual(set(answers), {200, 503, 504})
        if self.sanitized:
            self.assertFalse(os.path.isdir(self.crashes) and os.listdir(self.crashes))
            return
        event, = wait_for("the crash is told", lambda: list(self.sentry.events))
        self.assertEqual((event["level"], event["tags"]["service"]), ("fatal", "tenants"))
        error, = event["exception"]["values"]
        self.assertEqual(error["type"], "SIGSEGV")
        self.assertFalse(error["mechanism"]["handled"])
        self.assertTrue(error["stacktrace"]["frames"][-1]["instruction_addr"])
        self.assertEqual(event["debug_meta"]["images"][0]["code_id"], event["dist"])
        self.assertEqual(event["tags"]["of_another_build"], "no")
        name, = (name for name in os.listdir(self.crashes) if name.startswith("tenants-"))
        wait_for("the file is done with", lambda: any(n.endswith(".reported") for n in os.listdir(self.crashes)))
        self.assertIn("it crashed before", self.stack.log("tenants"))
        shown = self.stack.trellis("crash", "show", TRELLIS_CRASH_DIR=self.crashes)
        self.assertIn("SIGSEGV", shown.stdout)
        self.sentry.events.clear()
        self.stop()
        self.restart()
        self.ada.get(self.at)
        self.assertEqual(self.sentry.events, [])
        self.assertEqual(self.stack.log("tenants").count("it crashed before"), 1)

    def test_files_that_are_cut_off_or_none_keep_nobody_from_starting(self):
        self.stop()
        self.put_file("tenants-000101-7.crash", b"trellis crash 1\nservice tenants\nbuild " + b"0" * 40 +
                      b"\nrelease 0.0.9\nsignal 11 SIGSEGV\nframe 0x1234 at\nmodule 0x1000 0x10")
        self.put_file("tenants-000102-7.crash", os.urandom(4096))
        self.put_file("tenants-000103-7.reading", b"what a reader died of")
        self.restart()
        events = wait_for("both are told", lambda: len(self.sentry.events) == 2 and list(self.sentry.events))
        cut, none = sorted(events, key=lambda event: event["exception"]["values"][0]["type"])
        self.assertEqual((cut["tags"]["cut_off"], cut["tags"]["of_another_build"]), ("yes", "yes"))
        self.assertEqual(cut["release"], "trellis@0.0.9")
        self.assertEqual(none["exception"]["values"][0]["type"], "a file that is no crash file")
        wait_for("all are done with", lambda: not [
            name for name in os.listdir(self.crashes) if not name.endswith(".reported")])
        log = self.stack.log("tenants")
        for said in ("it crashed before", "a file that is no crash file", "its reader did not come through"):
            self.assertIn(said, log)
        self.sentry.events.clear()
        self.stop()
        self.restart()
        self.assertEqual(self.sentry.events, [])

    def test_silence_is_kept_when_sentry_asks_for_it(self):
        self.with_a_constraint()
        self.stop()
        self.restart()  # a minute of its own
        self.sentry.answers = [(429, {"Retry-After": "3600", "X-Sentry-Rate-Limits": "3600:error:organization"})]
        asked = self.sentry.asked
        self.come_upon()
        wait_for("it is asked", lambda: self.sentry.asked == asked + 1)
        wait_for("the event is given up", lambda: self.count("internal", "limited") == 1)
        for _ in range(3):
            self.come_upon()
        self.assertEqual(self.count("internal", "limited"), 4)
        self.assertEqual(self.sentry.asked, asked + 1)
        self.stop()
        self.restart()  # for the stories that follow

    def test_a_sentry_that_stalls_cuts_or_lies_keeps_no_request(self):
        self.with_a_constraint()
        for answer in ("stall", "cut", "lie", 500, 403):
            self.stop()
            self.sentry.answers = [answer]
            asked = self.sentry.asked
            self.restart()
            self.come_upon()
            wait_for(f"it is asked, to {answer}", lambda: self.sentry.asked > asked)
            began = time.monotonic()
            for _ in range(20):
                self.assertEqual(self.ada.get(self.at).status, 200)
            self.assertLess(time.monotonic() - began, 20, answer)
        self.sentry.answers = [200]
        self.stop()
        self.restart()
