"""posthog.py - a PostHog of the tests' own: it takes batches in the form of its capture
API, refuses whatever else is in them, and answers as a story wants."""
import json
import re
import threading
import uuid
from datetime import datetime
from http.server import BaseHTTPRequestHandler

from receiver import Server

KEY = "phc_test_4f1c"
EVENT = {"event", "uuid", "distinct_id", "timestamp", "properties"}
# What PostHog itself reads; all else is what a contract declares.
OWN = {"$groups", "$lib", "$geoip_disable", "$process_person_profile"}


def check(body):
    """The events of a batch; AssertionError where it is of another form."""
    assert len(body) <= 512 << 10, len(body)
    batch = json.loads(body)
    assert set(batch) == {"api_key", "batch"}, set(batch)  # a "sent_at" would move times
    assert 1 <= len(batch["batch"]) <= 100, len(batch["batch"])
    for event in batch["batch"]:
        assert set(event) == EVENT, event
        assert str(uuid.UUID(event["uuid"])) == event["uuid"]
        assert re.fullmatch(r"(organization_)?[0-9a-f-]{36}", event["distinct_id"]), event
        assert datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00")).tzinfo, event
        groups = event["properties"]["$groups"]
        assert set(groups) == {"organization"} and uuid.UUID(groups["organization"])
        for name, value in event["properties"].items():
            assert name in OWN or re.fullmatch("[a-z_]+", name), name
            assert name in OWN or not isinstance(value, str) or re.fullmatch("[a-z0-9A-Z:.-]*", value), event
    return batch["batch"]


class PostHog:
    """answer: a function of a batch that says how it is answered: a status, "lies" (200, and
    not PostHog's words), "stalls" (until the story ends), "quota", or a pair of a status and
    what Retry-After says."""

    def __init__(self):
        self.events = []   # taken
        self.sizes = []    # events in each batch that came, taken or not
        self.posts = []    # bytes of each
        self.wrong = []    # what is not of the form
        self.answer = lambda events: 200
        self.over = threading.Event()
        hog = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                hog.take(self, self.rfile.read(int(self.headers["Content-Length"])))

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, handler, body):
        self.posts.append(body)
        try:
            assert handler.path == "/batch/", handler.path
            assert handler.headers["content-type"] == "application/json"
            events = check(body)
        except (AssertionError, ValueError, KeyError) as why:
            self.wrong.append(why)
            self.reply(handler, 400, b"")
            return
        self.sizes.append(len(events))
        answer = self.answer(events)
        if answer == "stalls":
            self.over.wait(60)
            return
        if json.loads(body)["api_key"] != KEY:
            answer = 401
        status, retry_after = answer if isinstance(answer, tuple) else (answer, None)
        if status in (200, "quota"):
            self.events += events
        words = {200: b'{"status":"Ok"}', "lies": b"<html>Welcome to the hotel</html>",
                 "quota": b'{"status":1,"quota_limited":["events"]}'}.get(status, b"no")
        self.reply(handler, 200 if status in ("lies", "quota") else status, words, retry_after)

    @staticmethod
    def reply(handler, status, words, retry_after=None):
        handler.send_response(status)
        if retry_after:
            handler.send_header("Retry-After", retry_after)
        handler.send_header("Content-Length", str(len(words)))
        handler.end_headers()
        handler.wfile.write(words)

    def of(self, tenant):
        """What was taken of an organisation."""
        return [e for e in self.events if e["properties"]["$groups"]["organization"] == tenant]

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
