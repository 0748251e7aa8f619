"""metrics.py - what a scrape of each process has: enough from the start, never too much,
and in the words of both formats."""
import re
import socket
import subprocess
import threading
import time
import urllib.request
import uuid
from collections import Counter

from case import MeshCase
from common import SERVICES, wait_for

SAMPLE = re.compile(r'^([a-z_:][a-z0-9_:]*)(\{[^{}]*\})? (\S+)$')
EXEMPLAR = re.compile(r'^(\S+) # \{trace_id="([0-9a-f]{32})"\} ([0-9.e-]+) ([0-9.]+)$')
INVENTED = 10000
LINES = 4950  # TRL_METRICS_LINES: what comes after them is "other"
ALONE = 1500  # of a process that has one service
METHOD, ROUTE = 9, 3  # lines of each: its results, and of a method its times


def samples(text):
    """The values by name and labels."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, line
            assert match[1] + (match[2] or "") not in found, line
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


def labels(found, metric, label):
    """The values that a label of a metric has."""
    return {re.search(rf'{label}="([^"]+)"', name)[1] for name in found if name.startswith(metric + "{")}


class Scraped(MeshCase):
    def processes(self):
        return [self.process_of("auth")] if self.transport == "inproc" else list(self.stack.ops)

    def process_of(self, service):
        return "auth" if self.transport == "inproc" else service

    def open(self, name, path="/metrics", **headers):
        at = f"http://127.0.0.1:{self.stack.ops[self.process_of(name)]}{path}"
        return urllib.request.urlopen(urllib.request.Request(at, headers=headers), timeout=10)

    def scrape(self, name, accept="*/*"):
        with self.open(name, Accept=accept) as answer:
            return answer.read().decode()


class Start(Scraped):
    """Before anybody has asked for anything."""

    def test_every_route_and_method_stands_there_with_0(self):
        door = samples(self.scrape("edge"))
        routes = labels(door, "trellis_http_requests_total", "method") - {"none"}
        self.assertGreater(len(routes), 50)
        for route in routes:
            for result in ("refused", "failed"):
                self.assertEqual(door[f'trellis_http_requests_total{{method="{route}",result="{result}"}}'], 0)
            self.assertIn(f'trellis_http_requests_total{{method="{route}",result="ok"}}', door)
        for service in ("auth", "tenants", "notify"):
            self.assertIn(f'trellis_http_request_seconds_count{{service="{service}"}}', door)
            for code in ("200", "400", "401", "403", "404", "422", "429", "500", "503", "504"):
                self.assertEqual(door[f'trellis_http_answers_total{{service="{service}",code="{code}"}}'], 0)
            served = samples(self.scrape(service))
            methods = labels(served, "trellis_bus_served_seconds_count", "method")
            self.assertGreater(len(methods), 15)
            self.assertFalse([name for name in methods if name.startswith("operator.")])
            for method in methods:
                for result in ("ok", "refused", "failed"):
                    self.assertIn(f'trellis_bus_served_total{{method="{method}",result="{result}"}}', served)
            for code in ("OK", "INVALID", "DENIED", "BUSY", "UNAVAILABLE", "DEADLINE", "UNCERTAIN", "INTERNAL"):
                self.assertIn(f'trellis_bus_answers_total{{service="{service}",code="{code}"}}', served)

    def test_one_process_has_room_for_a_product_of_forty_methods(self):
        """Each with a route, and a hundred lines for its jobs and what nobody thought of."""
        if self.transport != "inproc":
            self.skipTest("all services are in one process there")
        found = samples(self.scrape("edge"))
        methods = labels(found, "trellis_bus_served_seconds_count", "method")
        routes = labels(found, "trellis_http_requests_total", "method")
        lines = Counter(re.search('method="([^"]+)"', name)[1] for name in found if 'method="' in name)
        self.assertEqual({lines[name] for name in methods - routes}, {METHOD})
        self.assertEqual({lines[name] for name in methods & routes}, {METHOD + ROUTE})
        wanted = 40 * (METHOD + ROUTE) + 100
        self.assertLess(len(found) + wanted, LINES, f"{len(found)} lines, and {wanted} to come")
        self.assertEqual(found["trellis_metrics_other_total"], 0)

    def test_what_alerts_watch_stands_there_with_0(self):
        for service, wanted in {
                "edge": ('trellis_edge_streams_dropped_total{reason="slow"}',
                         'trellis_access_limited_total{limit="login-address"}',
                         'trellis_access_copies_total{of="grant",result="miss"}'),
                "auth": ('trellis_pg_rls_denied_total{schema="auth"}',
                         'trellis_offload_waiting{kind="argon2"}',
                         'trellis_jobs_total{service="auth",kind="erase_tenant",result="dead"}',
                         'trellis_bus_refused_total{reason="bad_mac"}'),
                "notify": ('trellis_mails_total{outcome="failed"}',
                           'trellis_webhook_attempts_total{outcome="unreachable"}',
                           'trellis_jobs_total{service="notify",kind="mail",result="dead"}')}.items():
            found = samples(self.scrape(service))
            for name in wanted:
                self.assertEqual(found.get(name), 0, name)
        gaps = [name for service in SERVICES for name in samples(self.scrape(service))
                if name.startswith("trellis_events_gap_total")]
        self.assertGreater(len(gaps), 5)

    def test_promtool_finds_nothing_and_a_process_is_small(self):
        for name in self.processes():
            text = self.scrape(name)
            done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), name)
            found = samples(text)
            self.assertLess(len(found), LINES if self.transport == "inproc" else ALONE, name)
            self.assertEqual(found["trellis_metrics_series"], len(found), name)
            self.assertEqual(found["trellis_metrics_other_total"], 0, name)

    def test_a_process_tells_what_it_is(self):
        for name in self.processes():
            found = samples(self.scrape(name))
            self.assertGreater(found["process_resident_memory_bytes"], 1 << 20)
            self.assertGreater(found["process_cpu_seconds_total"], 0)
            self.assertGreater(found["process_max_fds"], found["process_open_fds"])
            self.assertGreater(found["process_open_fds"], 5)
            self.assertLess(abs(time.time() - found["process_start_time_seconds"]), 600)
            built = [one for one in found if one.startswith("trellis_build_info{")]
            self.assertEqual(len(built), len(SERVICES) if self.transport == "inproc" else 1)

    def test_ages_and_clocks(self):
        now = time.time()
        found = samples(self.scrape("tenants"))
        age = now - found['trellis_secret_timestamp_seconds{secret="TRELLIS_SEAL_KEY"}']
        self.assertTrue(-5 < age < 3600, age)
        self.assertIn('trellis_secret_timestamp_seconds{secret="TRELLIS_BUS_KEY_CTL"}', found)
        ends = [found.get(f'trellis_certificate_expiry_timestamp_seconds{{certificate="TRELLIS_BUS_TLS_{what}"}}')
                for what in ("CA", "CERT")]
        if self.transport == "tls+tcp":  # made for two days
            self.assertTrue(all(86400 < end - now < 3 * 86400 for end in ends), ends)
        else:
            self.assertEqual(ends, [None, None])
        name = 'trellis_pg_clock_offset_seconds{schema="tenants"}'
        wait_for("the clocks are compared", lambda: samples(self.scrape("tenants"))[name] != 0)
        self.assertLess(abs(samples(self.scrape("tenants"))[name]), 5)  # of one machine; half a round trip is the error
        self.assertEqual(samples(self.scrape("tenants"))['trellis_ready{service="tenants"}'], 1)


class Asked(Scraped):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.tenant = cls.stack.found(cls.ada)

    def ask_invented(self, requests):
        """Sends them over one connection, sixteen at a time; gives the statuses."""
        statuses = []
        with socket.create_connection(("127.0.0.1", self.stack.port)) as door:
            for at in range(0, len(requests), 16):
                some = requests[at:at + 16]
                door.sendall("".join(some).encode())
                text = b""
                while text.count(b"HTTP/1.1 ") < len(some) or not self.ends(text):
                    piece = door.recv(1 << 16)
                    self.assertTrue(piece, text[-500:])
                    text += piece
                statuses += re.findall(rb"HTTP/1.1 (\d+)", text)
        return statuses

    @staticmethod
    def ends(text):
        head, _, rest = text.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return length and len(rest) == int(length[1])

    def invented(self, i):
        sign = f"Host: a\r\nAuthorization: Bearer {self.ada.token}\r\n\r\n"
        if i % 3 == 0:
            return f"GET /api/v1/invented-{i}/{uuid.uuid4()} HTTP/1.1\r\n{sign}"
        if i % 3 == 1:
            return f"INVENT{i} /api/v1/tenants HTTP/1.1\r\n{sign}"
        return f"GET /api/v1/tenants/{uuid.uuid4()} HTTP/1.1\r\n{sign}"

    def test_10000_invented_paths_methods_and_tenants_add_no_series(self):
        self.ask_invented([self.invented(i) for i in range(3)])
        before = {name: samples(self.scrape(name)) for name in self.processes()}
        statuses = self.ask_invented([self.invented(i) for i in range(INVENTED)])
        self.assertEqual(len(statuses), INVENTED)
        self.assertEqual({int(status) for status in statuses} - {404, 405, 403, 501}, set())
        for name in self.processes():
            after = samples(self.scrape(name))
            self.assertEqual(set(after) - set(before[name]), set(), name)
            self.assertLess(len(after), LINES)
            self.assertEqual(after["trellis_metrics_other_total"], 0)
        # Nor are those tenants among the busiest: they are none.
        self.assertEqual(self.ada.get(f"/api/v1/tenants/{self.tenant}").status, 200)
        with self.open("edge", "/metrics/tenants") as page:
            self.assertIn(page.read().decode().count("trellis_tenant_requests{"), (1, 2))

    def test_exemplars_are_in_openmetrics_only_and_lead_to_the_trace(self):
        trace = uuid.uuid4().hex
        answer = self.ada.get(f"/api/v1/tenants/{self.tenant}",
                              traceparent=f"00-{trace}-00f067aa0ba902b7-01")
        self.assertEqual(answer.status, 200)
        self.assertNotIn("# {", self.scrape("edge", "text/plain"))
        for name in {self.process_of("edge"), self.process_of("tenants")}:
            with self.open(name, Accept="application/openmetrics-text; version=1.0.0") as opened:
                self.assertEqual(opened.headers["Content-Type"],
                                 "application/openmetrics-text; version=1.0.0; charset=utf-8")
                text = opened.read().decode()
            self.assertTrue(text.endswith("\n# EOF\n"))
            led = [line for line in text.splitlines() if trace in line]
            for line in led:
                found = EXEMPLAR.match(line.split(" ", 1)[1])
                self.assertTrue(found, line)
                self.assertRegex(line, "_bucket\\{|_total\\{")
                self.assertLess(abs(float(found[4]) - time.time()), 60)
            self.assertGreaterEqual(len(led), 2, text)
            # Counters are families without _total there, and have samples with it.
            self.assertIn("\n# TYPE trellis_bus_served counter\n", text)
            self.assertNotIn("\n# TYPE trellis_bus_served_total", text)
            self.assertIn("\n# UNIT trellis_loop_turn_seconds seconds\n", text)

    def test_what_was_done_is_counted(self):
        wait_for("her mails are sent", lambda: samples(self.scrape("notify"))[
            'trellis_mails_total{outcome="sent"}'] >= 1)
        self.assertEqual(self.ada.get(f"/api/v1/tenants/{self.tenant}").status, 200)
        self.assertEqual(self.ada.get(f"/api/v1/tenants/{self.tenant}").status, 200)
        door = samples(self.scrape("edge"))
        for name in ('trellis_access_copies_total{of="session",result="hit"}',
                     'trellis_access_copies_total{of="session",result="miss"}',
                     'trellis_access_copies_total{of="grant",result="hit"}',
                     'trellis_redis_run_seconds_count', 'trellis_redis_connects_total',
                     'trellis_bus_call_seconds_count{service="tenants"}',
                     'trellis_bus_calls_total{service="auth",code="OK"}',
                     'trellis_http_connections', 'trellis_actor_stacks',
                     'trellis_actor_arena_bytes', 'trellis_loop_turn_seconds_sum'):
            self.assertGreater(door[name], 0, name)
        self.assertEqual(door["trellis_actors_limit"], 4096)
        mails = samples(self.scrape("notify"))
        self.assertGreater(mails['trellis_jobs_total{service="notify",kind="mail",result="done"}'], 0)
        self.assertGreater(mails['trellis_log_lines_total{level="info"}'], 0)

    def test_the_weights_of_accept_decide(self):
        for accept, kind in (
                ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                 "application/openmetrics-text"),
                ("application/openmetrics-text;q=0.4,text/plain;q=0.5", "text/plain; version=0.0.4"),
                ("application/openmetrics-text;q=17", "text/plain; version=0.0.4"),
                ("application/openmetrics-text;q=,,;;=", "text/plain; version=0.0.4"),
                ("", "text/plain; version=0.0.4")):
            with self.open("edge", Accept=accept) as opened:
                self.assertTrue(opened.headers["Content-Type"].startswith(kind), accept)
                opened.read()

    def test_a_tenant_that_asks_much_is_the_first_of_the_busiest(self):
        tenant = self.stack.found(self.ada, "Busy")
        for _ in range(60):
            self.assertEqual(self.ada.get(f"/api/v1/tenants/{tenant}").status, 200)
        with self.open("edge", "/metrics/tenants") as page:
            self.assertIn(f'\ntrellis_tenant_requests{{tenant="{tenant}"}} 60\n', page.read().decode())
        done = self.stack.trellis("tenants", "top")
        self.assertEqual(done.returncode, 0, done.stderr)
        heads, first = [line.split() for line in done.stdout.splitlines()[:2]]
        self.assertEqual(heads, ["TENANT", "REQUESTS", "FAILED", "CALLS", "FAILED", "SECONDS"])
        self.assertEqual(first[:3], [tenant, "60", "0"])
        self.assertGreaterEqual(int(first[3]), 60)
        self.assertGreater(float(first[5]), 0)
        items = self.stack.trellis("tenants", "top", "--json").json()["items"]
        self.assertIn(tenant, [one["tenant_id"] for item in items for one in item["tenants"]])

    def test_every_metric_is_listed_with_its_meaning(self):
        done = self.stack.trellis("metrics", "pg_pool", "jobs_oldest")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"trellis_jobs_oldest_due_seconds +gauge +service,kind +\S")
        self.assertRegex(done.stdout, r"trellis_pg_pool_wait_seconds +histogram +schema +\S")
        self.assertEqual(len(done.stdout.splitlines()), 3)
        every = self.stack.trellis("metrics").stdout
        for name in self.processes():
            for line in self.scrape(name).splitlines():
                if line.startswith("# TYPE "):
                    self.assertIn(line.split()[2] + " ", every)

    def test_slow_scrapers_hold_nobody_up(self):
        """One reads a byte, and then no more; a hundred want it all at once."""
        at = ("127.0.0.1", self.stack.ops[self.process_of("edge")])
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        slow.connect(at)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(slow.recv(1), b"H")
        texts = []
        threads = [threading.Thread(target=lambda: texts.append(self.scrape("edge"))) for _ in range(100)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            self.assertEqual(self.ada.get(f"/api/v1/tenants/{self.tenant}").status, 200)
        for thread in threads:
            thread.join()
        self.assertEqual(len(texts), 100)
        self.assertEqual({len(samples(text)) for text in texts}, {len(samples(texts[0]))})
        self.assertEqual(slow.recv(1), b"T")
        slow.close()


class Apart(Scraped):
    """What another process does, or does not."""

    def test_a_subscription_that_cannot_go_on_is_behind_until_it_can(self):
        name = next(one for one in samples(self.scrape("notify"))
                    if one.startswith("trellis_events_behind_seconds") and "tenants" in one)
        failures = name.replace("behind_seconds", "pull_failures_total")
        door = samples(self.scrape("edge"))
        wait_for("it has come to the end", lambda: samples(self.scrape("notify"))[name] == 0)
        self.stack.kill_service("tenants")
        wait_for("it falls behind", lambda: samples(self.scrape("notify"))[name] > 1)
        self.assertGreater(samples(self.scrape("notify"))[failures], 0)
        down = 'trellis_bus_peers{caller="edge",service="tenants",state="down"}'
        wait_for("the peer is down", lambda: samples(self.scrape("edge"))[down] == 1)
        self.stack.start_service("tenants")
        wait_for("it is at the end again", lambda: samples(self.scrape("notify"))[name] == 0)
        wait_for("the peer is up", lambda: samples(self.scrape("edge"))[down] == 0)
        again = samples(self.scrape("edge"))
        self.assertGreater(again["trellis_bus_connects_total"], door["trellis_bus_connects_total"])

    def test_what_is_parked_is_shown_from_the_start(self):
        subscription = self.stack.sql_value("select subscription from notify.event_cursor limit 1")
        self.stack.kill_service("notify")
        self.stack.sql(
            "insert into notify.parked (subscription, event_id, lane, seq, tenant_id, subject_id, type, at, "
            f"trace, payload, error, parked_at) values ('{subscription}', gen_random_uuid(), 0, 1, "
            "gen_random_uuid(), gen_random_uuid(), 'x', now(), '', '', 'of the test', now())")
        self.stack.start_service("notify")
        name = f'trellis_events_parked{{service="notify",subscription="{subscription}"}}'
        wait_for("it is ready", lambda: self.stack.says_ready("notify"))
        wait_for("it is shown", lambda: samples(self.scrape("notify"))[name] == 1)
