"""sentry_server.py - a Sentry of the tests' own: takes envelopes, holds them strictly to
the published format (https://develop.sentry.dev/sdk/data-model/envelopes/), and answers
as a story wants."""
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY, PROJECT = "c0ffee11", "42"
LEVELS = ("fatal", "error", "warning", "info", "debug")
# What an event may have, here; anything else is refused.
EVENT = {"event_id", "timestamp", "platform", "level", "logger", "transaction", "server_name",
         "release", "dist", "tags", "environment", "fingerprint", "contexts", "exception", "sdk",
         "debug_meta"}


class EnvelopeError(Exception):
    pass


def want(condition, what):
    if not condition:
        raise EnvelopeError(what)


def line_of(body, at):
    end = body.find(b"\n", at)
    want(end >= 0, "a header without its end")
    text = body[at:end]
    want(text == text.strip() and b"\r" not in text, "a padded header")
    header = json.loads(text.decode("utf-8"))
    want(isinstance(header, dict), "a header that is no object")
    return header, end + 1


def check_frame(frame):
    want("filename" in frame or "instruction_addr" in frame, "a frame that is nowhere")
    if "instruction_addr" in frame:
        want(re.fullmatch("0x[0-9a-f]+", frame["instruction_addr"]), "a frame's address")


def check_image(image):
    want(image["type"] == "elf", "an image's type")
    want(re.fullmatch("0x[0-9a-f]+", image["image_addr"]), "an image's address")
    want(isinstance(image["image_size"], int) and image["image_size"] > 0, "an image's size")
    code = image["code_id"]
    want(re.fullmatch("[0-9a-f]{16,40}", code), "a code id")
    first = (bytes.fromhex(code) + bytes(16))[:16]
    mixed = (first[3::-1] + first[5:3:-1] + first[7:5:-1] + first[8:]).hex()
    want(image["debug_id"] == "-".join((mixed[:8], mixed[8:12], mixed[12:16], mixed[16:20], mixed[20:])),
         "a debug id that is not the code id's")


def check_event(event):
    want(set(event) <= EVENT, f"fields {set(event) - EVENT}")
    want(re.fullmatch("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", event["event_id"]), "an event's id")
    want(abs(event["timestamp"] - time.time()) < 3600, "an event's time")
    want(event["platform"] in ("c", "native") and event["level"] in LEVELS, "platform or level")
    want(re.fullmatch(r"trellis@\d+\.\d+\.\d+", event["release"]), "a release")
    want("dist" not in event or re.fullmatch("[0-9a-f]{40}", event["dist"]), "a build")
    want(event["environment"] and event["server_name"], "environment or host")
    for name, value in event["tags"].items():
        want(re.fullmatch("[a-z_]{1,32}", name) and isinstance(value, str) and 0 < len(value) < 200, "a tag")
    trace = event.get("contexts", {}).get("trace")
    if trace:
        want(re.fullmatch("[0-9a-f]{32}", trace["trace_id"]), "a trace's id")
        want(re.fullmatch("[0-9a-f]{16}", trace["span_id"]), "a span's id")
    for one in event["exception"]["values"]:
        want(one["type"] and one["value"], "an exception")
        want("mechanism" not in one or one["mechanism"]["type"], "a mechanism")
        for frame in one.get("stacktrace", {}).get("frames", ()):
            check_frame(frame)
    for image in event.get("debug_meta", {}).get("images", ()):
        check_image(image)


def read_envelope(body):
    """The one event of an envelope."""
    header, at = line_of(body, 0)
    want(set(header) == {"event_id", "sent_at", "sdk"}, f"an envelope's header: {header}")
    want(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", header["sent_at"]), "when it was sent")
    item, at = line_of(body, at)
    want(set(item) == {"type", "length", "content_type"} and item["type"] == "event", f"an item's header: {item}")
    payload = body[at:at + item["length"]]
    want(len(payload) == item["length"], "an item that is cut off")
    want(body[at + item["length"]:] == b"\n", "what follows an item")
    event = json.loads(payload.decode("utf-8"))
    want(event["event_id"] == header["event_id"], "two ids")
    check_event(event)
    return event


class SentryServer:
    """answers: what is done with the next requests, the last one goes on: a status, a pair of
    a status and headers, "stall", "cut" or "lie" (a 200 with an endless body)."""

    def __init__(self):
        self.events, self.bodies, self.wrong = [], [], []
        self.answers = [200]
        self.asked = 0
        self.ended = threading.Event()
        sentry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                sentry.take(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who is cut off has said why on the other side

        self.server = Server(("127.0.0.1", 0), Handler)
        self.dsn = f"http://{KEY}@127.0.0.1:{self.server.server_port}/{PROJECT}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def check_request(self, handler):
        want(handler.path == f"/api/{PROJECT}/envelope/", handler.path)
        want(handler.headers["Content-Type"] == "application/x-sentry-envelope", "the content's type")
        want(re.fullmatch(rf"Sentry sentry_version=7, sentry_client=trellis/[\d.]+, sentry_key={KEY}",
                          handler.headers["X-Sentry-Auth"]), "who it is")
        want("Cookie" not in handler.headers and "Authorization" not in handler.headers, "headers")

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.asked += 1
        try:
            self.check_request(handler)
            event = read_envelope(body)
        except (EnvelopeError, KeyError, TypeError, ValueError) as error:
            self.wrong.append(f"{error!r}: {body[:2000]!r}")
            event = None
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "stall":
            self.ended.wait(30)
            return
        if answer == "cut":
            handler.connection.close()
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        status = 200 if status == "lie" else status
        if event is not None and status == 200:
            self.bodies.append(body)
            self.events.append(event)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if answer == "lie":
            handler.send_header("Content-Length", str(1 << 40))
            handler.end_headers()
            while not self.ended.is_set():
                handler.wfile.write(b"x" * 65536)
            return
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")
