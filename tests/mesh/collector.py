"""collector.py - a collector of traces by OTLP over HTTP (opentelemetry.io/docs/specs/otlp)
that answers as a story wants."""
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from common import TOP

sys.path.insert(0, os.path.join(TOP, "tools", "sh"))
from spans import spans_of  # noqa: E402


def partial_success(rejected, message):
    """An ExportTraceServiceResponse."""
    inner = b"\x08" + bytes([rejected]) + b"\x12" + bytes([len(message)]) + message
    return b"\x0a" + bytes([len(inner)]) + inner


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # who is cut off has said why on the other side


class Collector:
    """answers: statuses for the next requests, then 200; one may be a triple of status,
    headers and body, or an Event, until which it stalls, and then breaks off."""

    def __init__(self, port):
        self.port = port
        self.spans, self.bodies, self.requests, self.answers = [], [], [], []
        self.lock = threading.Lock()
        self.open()

    def open(self):
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                collector.take(self, self.rfile.read(int(self.headers["Content-Length"])))

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, request, body):
        with self.lock:
            answer = self.answers.pop(0) if self.answers else 200
            self.requests.append((time.monotonic(), request.path, dict(request.headers), answer))
        if isinstance(answer, threading.Event):
            answer.wait()
            request.close_connection = True
            return
        status, headers, said = answer if isinstance(answer, tuple) else (answer, {}, b"")
        if status == 200:
            with self.lock:
                self.bodies.append(body)
                self.spans += spans_of(body)
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(said)))
        request.end_headers()
        request.wfile.write(said)

    def of(self, trace):
        with self.lock:
            return [span for span in self.spans if span.trace == trace]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
