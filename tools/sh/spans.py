"""spans.py - a collector of traces by OTLP over HTTP, beside the mesh of tools/up --observe:

  spans.py PORT FILE        takes spans, and keeps each as a line of JSON in FILE
  spans.py --show FILE ID   shows the trace of that id as a tree

It reads protobuf by itself, by OpenTelemetry's published numbers, so that it does not share
a mistake of whoever sends. FILE and the one before it hold at most 32 MiB each. This is for
looking at a mesh on one's own machine, and no place to keep traces in."""
import json
import os
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = {1: 'INTERNAL', 2: 'SERVER', 3: 'CLIENT', 4: 'PRODUCER', 5: 'CONSUMER'}
MOST_BYTES = 32 << 20


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
            value, at = struct.unpack_from('<Q', data, at)[0], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            if at + size > len(data):
                raise ValueError('a message is cut off')
            value, at = data[at:at + size], at + size
        elif wire == 5:
            value, at = struct.unpack_from('<I', data, at)[0], at + 4
        else:
            raise ValueError(f'wire type {wire}')
        found.setdefault(number, []).append(value)
    return found


def attributes(pairs):
    found = {}
    for pair in map(fields, pairs):
        value, name = fields(pair[2][0]), pair[1][0].decode()
        if name in found:
            raise ValueError(f'{name} twice')
        found[name] = value[1][0].decode() if 1 in value else value[3][0]
    return found


class Span:
    def __init__(self, data, resource):
        said = fields(data)
        self.trace, self.id = said[1][0].hex(), said[2][0].hex()
        if len(self.trace) != 32 or len(self.id) != 16:
            raise ValueError('an id of another length')
        self.parent = said.get(4, [b''])[0].hex()
        self.name = said[5][0].decode()
        self.kind = KINDS[said[6][0]]
        self.start, self.end = said[7][0], said[8][0]
        if self.end < self.start:
            raise ValueError('it ends before it begins')
        self.attributes = attributes(said.get(9, []))
        links = [fields(link) for link in said.get(13, [])]
        self.links = [(link[1][0].hex(), link[2][0].hex()) for link in links]
        self.failed = fields(said.get(15, [b''])[0]).get(3, [0])[0] == 2
        self.service = resource['service.name']
        self.resource = resource

    def __repr__(self):
        return (f'{self.service}: {self.kind} {self.name} {self.id} of {self.parent or "-"}, '
                f'links {self.links}, {self.attributes}')


def spans_of(body):
    """Of an ExportTraceServiceRequest."""
    for group in map(fields, fields(body).get(1, [])):
        resource = attributes(fields(group[1][0])[1])
        for scope in map(fields, group[2]):
            for span in scope.get(2, []):
                yield Span(span, resource)


def keep(path, spans):
    if os.path.exists(path) and os.path.getsize(path) > MOST_BYTES:
        os.replace(path, path + '.old')
    with open(path, 'a', encoding='utf-8') as file:
        for span in spans:
            print(json.dumps(vars(span)), file=file)


def serve(port, path):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def log_message(self, *_):
            pass

        def answer(self, status):
            self.send_response(status)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def do_GET(self):
            self.answer(200)

        def do_POST(self):
            try:
                keep(path, list(spans_of(self.rfile.read(int(self.headers['Content-Length'])))))
            except (ValueError, KeyError, IndexError, struct.error) as error:
                print(f'not taken: {error!r}', file=sys.stderr, flush=True)
                self.answer(400)
            else:
                self.answer(200)

    ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()


def read(path, trace):
    for name in (path + '.old', path):
        if os.path.exists(name):
            with open(name, encoding='utf-8') as file:
                for line in file:
                    span = json.loads(line)
                    if span['trace'] == trace:
                        yield span


def show(path, trace):
    """Each span below its parent or, where it has none, below what caused it."""
    spans = sorted(read(path, trace), key=lambda span: span['start'])
    known, below = {span['id'] for span in spans}, {}
    for span in spans:
        causes = [span['parent'], *(one for _, one in span['links'])]
        below.setdefault(next((one for one in causes if one in known), ''), []).append(span)

    def put(of, depth):
        for span in below.get(of, []):
            took = (span['end'] - span['start']) / 1e6
            later = '~> ' if span['links'] else ''
            print(f"{took:9.2f} ms  {'  ' * depth}{later}{span['service']}: {span['name']}"
                  f"{'  (failed)' if span['failed'] else ''}")
            put(span['id'], depth + 1)
    put('', 0)
    return 0 if spans else 1


if __name__ == '__main__':
    if sys.argv[1] == '--show':
        sys.exit(show(sys.argv[2], sys.argv[3]))
    serve(int(sys.argv[1]), sys.argv[2])
