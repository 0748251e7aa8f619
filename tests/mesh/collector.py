"""collector.py - a collector of traces by OTLP over HTTP (opentelemetry.io/docs/specs/otlp)
that answers as a story wants. It reads protobuf by itself, by the published numbers, so
that it does not share a mistake of whoever sends."""
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """A message's fields: number to the list of its values, in their order."""
    found, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            assert at + size <= len(data), "cut off"
            value, at = data[at:at + size], at + size
        else:
            assert wire == 5, f"wire type {wire}"
            value, at = struct.unpack_from("<I", data, at)[0], at + 4
        found.setdefault(number, []).append(value)
    return found


def attributes(pairs):
    found = {}
    for pair in map(fields, pairs):
        value = fields(pair[2][0])
        name = pair[1][0].decode()
        assert name not in found, f"{name} twice"
        found[name] = value[1][0].decode() if 1 in value else value[3][0]
    return found


class Span:
    def __init__(self, data, resource):
        said = fields(data)
        self.trace, self.id = said[1][0].hex(), said[2][0].hex()
        assert len(self.trace) == 32 and len(self.id) == 16, said
        self.parent = said.get(4, [b""])[0].hex()
        self.name = said[5][0].decode()
        self.kind = KINDS[said[6][0]]
        self.start, self.end = said[7][0], said[8][0]
        assert self.start <= self.end, said
        self.attributes = attributes(said.get(9, []))
        links = [fields(link) for link in said.get(13, [])]
        self.links = [(link[1][0].hex(), link[2][0].hex()) for link in links]
        self.failed = fields(said.get(15, [b""])[0]).get(3, [0])[0] == 2
        self.service = resource["service.name"]
        self.resource = resource

    def __repr__(self):
        return (f"{self.service}: {self.kind} {self.name} {self.id} of {self.parent or '-'}, "
                f"links {self.links}, {self.attributes}")


def spans_of(body):
    for group in map(fields, fields(body).get(1, [])):
        resource = attributes(fields(group[1][0])[1])
        for scope in map(fields, group[2]):
            for span in scope.get(2, []):
                yield Span(span, resource)


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
    """answers: statuses for the next requests, then 200; one may be "stall", or a triple of
    status, headers and body."""

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
        if answer == "stall":
            request.rfile.read(1)
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
