"""traces.py - what a collector is told of a request, from the door to the mail that it
causes; and that nothing else notices a collector that is away, slow or lies."""
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from case import MeshCase
from collector import Collector, partial_success
from common import free_port, wait_for


def new_trace():
    return secrets.token_hex(16), secrets.token_hex(8)


class Traces(MeshCase):
    @classmethod
    def setUpClass(cls):
        cls.collector = Collector(free_port())
        cls.addClassCleanup(cls.collector.close)
        cls.settings = {**cls.settings, "TRELLIS_OTLP_URL": f"http://127.0.0.1:{cls.collector.port}/",
                        "TRELLIS_OTLP_HEADERS": "api-key=a%20key",
                        # Only what a client wants traced is.
                        "TRELLIS_TRACE_RATIO": "0"}
        super().setUpClass()

    def counted(self, service, name):
        return sum(float(line.rpartition(" ")[2]) for line in self.stack.metrics(service).splitlines()
                   if line.startswith(name))

    def traced(self, method, path, body=None, flags="01", token=None):
        """A request with a trace of its own; gives the answer and the ids of trace and span."""
        trace, span = new_trace()
        answer = self.stack.client(token).call(method, path, body,
                                               {"traceparent": f"00-{trace}-{span}-{flags}"})
        return answer, trace, span

    def find(self, trace, what, **wanted):
        """The span of a trace that has these, once it was told."""
        def look():
            for span in self.collector.of(trace):
                if all(getattr(span, name) == value for name, value in wanted.items()):
                    return span
            return None
        try:
            return wait_for(what, look)
        except AssertionError as error:
            raise AssertionError(f"{error}; there are {self.collector.of(trace)}") from error

    def sign_up(self):
        email, password = self.stack.new_email(), "correct horse battery " + secrets.token_hex(8)
        answer, trace, span = self.traced("POST", "/api/v1/auth/signup", {
            "email": email, "password": password, "display_name": "Ada"})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.headers["traceparent"][3:35], trace)
        return answer, trace, span, email, password

    def test_a_sign_up_is_one_set_of_spans_from_the_door_to_the_mail(self):
        answer, trace, client, email, password = self.sign_up()
        request = self.find(trace, "the request", kind="SERVER", service="edge")
        self.assertEqual(request.name, "POST /api/v1/auth/signup")
        self.assertEqual(request.parent, client)
        self.assertEqual(answer.headers["traceparent"], f"00-{trace}-{request.id}-01")
        self.assertEqual(request.attributes, {
            "http.request.method": "POST", "http.route": "/api/v1/auth/signup",
            "url.path": "/api/v1/auth/signup", "http.response.status_code": 201})
        self.assertEqual(request.resource["service.namespace"], "trellis")
        self.assertTrue(request.resource["service.version"])
        self.assertTrue(request.resource["service.instance.id"])

        method = "auth.v1.Auth/SignUp"
        call = self.find(trace, "the call", kind="CLIENT", service="edge", name=method)
        self.assertEqual(call.parent, request.id)
        served = self.find(trace, "the call served", kind="SERVER", service="auth", name=method)
        self.assertEqual(served.parent, call.id)
        self.assertEqual(served.attributes["rpc.response.status_code"], "OK")
        hashed = self.find(trace, "the hash", kind="INTERNAL", service="auth")
        self.assertEqual(hashed.parent, served.id)
        batches = [span for span in self.collector.of(trace) if span.parent == served.id
                   and span.attributes.get("db.system.name") == "postgresql"]
        self.assertTrue(batches, self.collector.of(trace))
        self.assertTrue(any(span.attributes.get("db.operation.batch.size", 1) > 1 for span in batches))

        event = self.find(trace, "the event", kind="CONSUMER", service="notify",
                          name="process auth.account.created")
        self.assertEqual(event.parent, "")
        self.assertEqual(len(event.links), 1)
        self.assertIn(event.links[0], [(trace, span.id) for span in batches])
        mail = wait_for("the job that writes the mail", lambda: next(
            (span for span in self.collector.of(trace) if span.kind == "CONSUMER" and
             "mail" in span.name and span.service == "notify"), None))
        self.assertEqual(mail.parent, "")
        known = {span.id: span for span in self.collector.of(trace)}
        self.assertEqual(mail.links[0][0], trace)
        self.assertIn(mail.links[0][1], known)

        # Everything hangs together, and each has its time within its parent's.
        for span in known.values():
            for cause in [span.parent, *(one for _, one in span.links)]:
                self.assertTrue(cause in known or cause in ("", client), (span, known))
            if span.parent in known and span.kind != "SERVER":
                self.assertGreaterEqual(span.start, known[span.parent].start)
            self.assertFalse(span.failed, span)

        # And nobody's secret is told.
        told = b"".join(self.collector.bodies)
        for secret in (email, password, answer["session"]["token"]):
            self.assertNotIn(secret.encode(), told)
        headers = self.collector.requests[0][2]
        self.assertEqual(headers["Api-Key" if "Api-Key" in headers else "api-key"], "a key")
        self.assertEqual({path for _, path, _, _ in self.collector.requests}, {"/v1/traces"})

    def test_causes_of_one_moment_are_not_mixed_up(self):
        """Their events are applied in few transactions, but each as its own's."""
        with ThreadPoolExecutor(6) as pool:
            traces = [made[1] for made in pool.map(lambda _: self.sign_up(), range(6))]
        for trace in traces:
            event = self.find(trace, "the event", kind="CONSUMER", name="process auth.account.created")
            self.assertEqual(event.links[0][0], trace)
            mail = wait_for("the job", lambda trace=trace: [
                span for span in self.collector.of(trace) if span.kind == "CONSUMER" and "mail" in span.name])
            self.assertEqual(len(mail), 1, mail)
            self.assertIn(mail[0].links[0][1], [span.id for span in self.collector.of(trace)])

    def test_redis_and_what_was_refused_have_spans_as_well(self):
        person = self.stack.sign_up()
        answer, trace, _ = self.traced("GET", f"/api/v1/tenants/{person.account['id']}", token=person.token)
        self.assertEqual(answer.status, 404, answer)
        request = self.find(trace, "the request", kind="SERVER", service="edge")
        self.assertEqual(request.name, "GET /api/v1/tenants/{tenant_id}")
        self.assertEqual(request.attributes["http.response.status_code"], 404)
        self.assertFalse(request.failed)
        self.assertTrue([span for span in self.collector.of(trace)
                         if span.attributes.get("db.system.name") == "redis"], self.collector.of(trace))

    def test_a_token_in_a_path_is_told_nobody(self):
        token = "a-token-" + secrets.token_hex(16)
        _, trace, _ = self.traced("POST", f"/api/v1/unsubscribe/{token}")
        _, nowhere, _ = self.traced("GET", f"/api/v1/no-such-thing/{token}")
        request = self.find(trace, "the request", kind="SERVER", service="edge")
        self.assertEqual(request.name, "POST /api/v1/unsubscribe/{token}")
        self.assertNotIn("url.path", request.attributes)
        self.assertEqual(self.find(nowhere, "the request", kind="SERVER").name, "GET")
        self.assertNotIn(token.encode(), b"".join(self.collector.bodies))

    def test_a_method_of_nobodys_is_no_name_of_a_span(self):
        _, trace, _ = self.traced("FROBNICATE", "/api/v1/me")
        self.assertEqual(self.find(trace, "the request", kind="SERVER").name, "_OTHER")

    def test_what_nobody_wants_traced_is_not(self):
        _, trace, _ = self.traced("GET", "/livez", flags="00")
        self.stack.client().get("/livez")
        # What came after them has been told, so they would have been.
        _, later, _ = self.traced("GET", "/livez")
        self.find(later, "the later request", kind="SERVER")
        self.assertEqual(self.collector.of(trace), [])
        traces = {span.trace for span in self.collector.spans}
        self.assertTrue(all(any(span.parent not in ("", *[s.id for s in self.collector.of(one)])
                                for span in self.collector.of(one)) for one in traces),
                        "a trace began by itself")

    def test_a_traceparent_that_is_none_begins_a_new_trace(self):
        trace, span = new_trace()
        for bad in (f"00-{'0' * 32}-{span}-01", f"00-{trace}-{'0' * 16}-01", f"ff-{trace}-{span}-01",
                    f"00-{trace}-{span}-1", f"00-{trace}-{span}-01-more", f"00-{trace[:-2]}-{span}-01",
                    f"00-{trace.upper()}G-{span}-01", "", "x" * 4000):
            answer = self.stack.client().get("/livez", traceparent=bad)
            self.assertEqual(answer.status, 200, answer)
            self.assertRegex(answer.headers["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$")
            self.assertNotEqual(answer.headers["traceparent"][3:35], trace)
        # A later version's first fields are read; of the flags only the one we know.
        answer = self.stack.client().get("/livez", traceparent=f"01-{trace}-{span}-03-more")
        self.assertEqual(answer.headers["traceparent"][3:35], trace)
        self.find(trace, "the request", kind="SERVER")

    def test_a_collector_that_was_away_is_told_within_ten_seconds_of_its_return(self):
        self.collector.close()
        _, kept, _ = self.traced("GET", "/livez")
        began = time.monotonic()
        for _ in range(50):
            answer, _, _ = self.traced("GET", "/livez")
            self.assertEqual(answer.status, 200)
        self.assertLess(time.monotonic() - began, 20)
        wait_for("it was tried", lambda: self.counted("edge", "trellis_telemetry_retried_total") > 0)
        self.collector.open()
        back = time.monotonic()
        self.find(kept, "what was kept", kind="SERVER")
        _, fresh, _ = self.traced("GET", "/livez")
        self.find(fresh, "what came since", kind="SERVER")
        self.assertLess(time.monotonic() - back, 20)  # ten, and room for the machine

    def test_a_collector_that_puts_off_is_asked_again_when_it_said(self):
        self.collector.answers = [(429, {"Retry-After": "2"}, b"")]
        _, trace, _ = self.traced("GET", "/livez")
        self.find(trace, "the request", kind="SERVER")
        put_off = next(i for i, one in enumerate(self.collector.requests) if one[3] != 200)
        times = [one[0] for one in self.collector.requests[put_off:put_off + 2]]
        self.assertGreaterEqual(times[1] - times[0], 2)

    def test_a_collector_that_refuses_stalls_and_lies_costs_no_request(self):
        refused = self.counted("edge", 'trellis_telemetry_dropped_total{to="traces",reason="refused"}')
        rejected = self.counted("edge", "trellis_trace_spans_rejected_total")
        stalls = threading.Event()
        self.addCleanup(stalls.set)
        self.collector.answers = [400, stalls, (200, {}, partial_success(1, b"no")), (200, {}, b"<html>")]
        for left in (3, 2, 2):
            answer, _, _ = self.traced("GET", "/livez")
            self.assertEqual(answer.status, 200)
            wait_for("it was asked", lambda: len(self.collector.answers) == left)
        # The stalled one is sent again, which is answered by a lie.
        stalls.set()
        wait_for("it was asked again", lambda: len(self.collector.answers) < 2)
        wait_for("what it refused is counted", lambda: self.counted(
            "edge", 'trellis_telemetry_dropped_total{to="traces",reason="refused"}') == refused + 1)
        wait_for("what it rejected is counted",
                 lambda: self.counted("edge", "trellis_trace_spans_rejected_total") == rejected + 1)
        self.traced("GET", "/livez")
        wait_for("it was asked", lambda: not self.collector.answers)
        _, trace, _ = self.traced("GET", "/livez")
        self.find(trace, "the request", kind="SERVER")
