#!/usr/bin/python3
"""test_s3_hostile.py BUCKET KEY SECRET REGION - a server that has as much of S3 as the
store asks for, checks what is sent but for the signature, and fails as it is told to.
Says its port, and then takes lines from its standard input until that ends, each
answered by a line:

  fail KIND FAULT N    the next N requests of this kind fail so: ok
  count KIND           how many there were
  forget               no request fails any more: ok

Kinds are begin, part, copy, complete, abort, put, get, head, delete, list, uploads."""
import hashlib
import http.server
import itertools
import sys
import threading
import urllib.parse
from xml.sax.saxutils import escape

BUCKET = sys.argv[1]
objects, uploads, counts, faults = {}, {}, {}, []
lock = threading.RLock()
numbers = itertools.count(1)
NOW = '2026-01-02T03:04:05.678Z'


class Wrong(Exception):
    def __init__(self, status, code, message='This text is the server\'s own.'):
        self.status, self.code, self.message = status, code, message


FAULTS = {
    'slowdown': Wrong(503, 'SlowDown'), 'error': Wrong(500, 'InternalError'),
    'late': Wrong(400, 'RequestTimeout'), 'full': Wrong(507, 'InsufficientStorage'),
    'quota': Wrong(403, 'QuotaExceeded'), 'key': Wrong(403, 'SignatureDoesNotMatch'),
    'region': Wrong(400, 'AuthorizationHeaderMalformed',
                    "the region 'test-region-1' is wrong; expecting 'eu-central-9'"),
    'bucket': Wrong(404, 'NoSuchBucket'), 'invalid': Wrong(400, 'InvalidPart'),
    'gone': Wrong(404, 'NoSuchUpload'), 'denied': Wrong(403, 'AccessDenied'),
    'none': Wrong(501, 'NotImplemented'), 'broken': Wrong(409, 'BrokenMPU'),
    'moved': Wrong(301, 'PermanentRedirect', 'It has to be addressed by eu-central-9.'),
    'locked': Wrong(403, 'AccessDenied', 'WORM'),
    'skewed': Wrong(403, 'RequestTimeTooSkewed', 'The difference is too large.'),
}


def error_of(wrong):
    return (f'<?xml version="1.0"?>\n<Error><Code>{wrong.code}</Code>'
            f'<Message>{escape(wrong.message)}</Message></Error>').encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, status, body=b'', **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace('_', '-'), value)
        if 'Content_Length' not in fields:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def kind(self):
        if self.key == '':
            return 'uploads' if 'uploads' in self.query else 'list'
        if self.command == 'POST':
            return 'begin' if 'uploads' in self.query else 'complete'
        if 'uploadId' in self.query:
            if 'x-amz-copy-source' in self.headers:
                return 'copy'
            return 'part' if self.command == 'PUT' else 'abort'
        return self.command.lower()

    def fault(self, kind):
        with lock:
            counts[kind] = counts.get(kind, 0) + 1
            for at, (of, fault, n) in enumerate(faults):
                if of == kind:
                    faults[at] = of, fault, n - 1
                    if n == 1:
                        del faults[at]
                    return fault
        return None

    def check(self, body):
        fields = self.headers
        if self.command in ('PUT', 'POST') and 'Content-Length' not in fields:
            raise Wrong(411, 'MissingContentLength')
        if 'Transfer-Encoding' in fields or fields.get('Content-Encoding'):
            raise Wrong(501, 'NotImplemented')
        if fields.get('x-amz-content-sha256') != hashlib.sha256(body).hexdigest():
            raise Wrong(400, 'XAmzContentSHA256Mismatch')
        signed = ['host'] + sorted(it.lower() for it in fields if it.lower().startswith('x-amz-'))
        if f'SignedHeaders={";".join(signed)},' not in fields['Authorization']:
            raise Wrong(403, 'AccessDenied')

    def handle_one(self):
        path, _, query = self.path.partition('?')
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        assert path.startswith(f'/{BUCKET}/'), path
        self.key = urllib.parse.unquote(path[len(BUCKET) + 2:])
        kind = self.kind()
        fault = self.fault(kind)
        length = int(self.headers.get('Content-Length') or 0)
        if fault == 'cut':
            self.rfile.read(length // 2)
            self.close_connection = True
            self.connection.shutdown(2)
            return
        body = self.rfile.read(length)
        if fault == 'proxy':
            self.answer(404, b'<html>default backend - 404</html>')
            return
        try:
            if fault in FAULTS:
                raise FAULTS[fault]
            self.check(body)
            with lock:
                getattr(self, 'do_' + kind)(body, fault)
        except Wrong as wrong:
            self.answer(wrong.status, error_of(wrong), **(
                {'Location': 'http://127.0.0.1:1/'} if wrong.status == 301 else {}))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

    def do_begin(self, _body, fault):
        name = f'id+/={next(numbers)}'
        uploads[name] = self.key, {}
        self.answer(200, b'garbage' if fault == 'garbage' else
                    f'<a:InitiateMultipartUploadResult xmlns:a="x"><a:Key>k</a:Key><a:UploadId>{name}'
                    f'</a:UploadId></a:InitiateMultipartUploadResult>'.encode())

    def upload(self):
        found = uploads.get(self.query['uploadId'])
        if not found or found[0] != self.key:
            raise Wrong(404, 'NoSuchUpload')
        return found[1]

    def do_part(self, body, fault):
        # No hash of anything.
        etag = f'"{next(numbers):032x}"' if fault != 'odd' else f'"a<&odd&>{next(numbers)}"'
        if fault == 'bare':
            etag = etag.strip('"')
        self.upload()[int(self.query['partNumber'])] = etag, body
        if fault == 'lost':
            self.close_connection = True
            self.connection.shutdown(2)
        elif fault == 'nameless':
            self.answer(200)
        else:
            self.answer(200, ETag=etag)

    def do_copy(self, body, fault):
        if fault == 'unknown': # the header field
            self.do_part(body, '')
            return
        source = urllib.parse.unquote(self.headers['x-amz-copy-source'])
        assert source.startswith(f'/{BUCKET}/'), source
        whole = objects.get(source[len(BUCKET) + 2:])
        if whole is None:
            raise Wrong(404, 'NoSuchKey')
        first, last = (int(it) for it in self.headers['x-amz-copy-source-range'][6:].split('-'))
        if last >= len(whole):
            raise Wrong(400, 'InvalidArgument')
        if fault == 'error200':
            self.answer(200, b' \n' + error_of(Wrong(200, 'InternalError')))
            return
        etag = f'"{next(numbers):032x}"'
        self.upload()[int(self.query['partNumber'])] = etag, whole if fault == 'whole' else whole[first:last + 1]
        self.answer(200, f'<?xml version="1.0"?><CopyPartResult xmlns="x"><LastModified>{NOW}</LastModified>'
                         f'<ETag>{escape(etag, {chr(34): "&quot;"})}</ETag></CopyPartResult>'.encode())

    def do_complete(self, body, fault):
        import xml.etree.ElementTree as tree
        if fault == 'error200':
            self.answer(200, b'  \n \n' + error_of(Wrong(200, 'InternalError')))
            return
        space = '{http://s3.amazonaws.com/doc/2006-03-01/}'
        parts, made = self.upload(), []
        for at, part in enumerate(tree.fromstring(body).iter(space + 'Part')):
            number, etag = int(part.find(space + 'PartNumber').text), part.find(space + 'ETag').text
            if number != at + 1 or parts.get(number, ('', b''))[0] != etag:
                raise Wrong(400, 'InvalidPart')
            made.append(parts[number][1])
        if not made or any(len(it) != len(made[0]) for it in made[:-1]) or len(made[-1]) > len(made[0]):
            raise Wrong(400, 'InvalidPart', 'parts are not equal')
        objects[self.key] = b''.join(made)
        del uploads[self.query['uploadId']]
        if fault == 'lost':
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.answer(200, b'\n\n<?xml version="1.0"?><!-- made --><CompleteMultipartUploadResult><Bucket/><ETag>'
                         b'&quot;x-2&#34;</ETag></CompleteMultipartUploadResult>')

    def do_abort(self, _body, _fault):
        self.upload()
        del uploads[self.query['uploadId']]
        self.answer(204)

    def do_put(self, body, _fault):
        objects[self.key] = body
        self.answer(200, ETag='"x"')

    def do_delete(self, _body, _fault):
        objects.pop(self.key, None)
        self.answer(204)

    def found(self):
        if self.key not in objects:
            raise Wrong(404, 'NoSuchKey')
        return objects[self.key]

    def do_head(self, _body, _fault):
        if self.key in objects:
            self.answer(200, Content_Length=str(len(objects[self.key])))
        else:
            self.answer(404)

    def do_get(self, _body, fault):
        whole = self.found()
        first, last = (int(it) for it in self.headers['Range'][6:].split('-'))
        if first >= len(whole):
            raise Wrong(416, 'InvalidRange')
        body = whole[first:last + 1]
        if fault == 'half':
            self.answer(206, body[:len(body) // 2], Content_Length=str(len(body)))
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.answer(206, body)

    def do_list(self, _body, fault):
        most = 10 ** 6 if fault == 'lavish' else int(self.query['max-keys'])
        keys = [it for it in sorted(objects) if it.startswith(self.query['prefix']) and
                it > self.query.get('marker', '')]
        text = f'<ListBucketResult><IsTruncated>{str(len(keys) > most).lower()}</IsTruncated>'
        for key in keys[:most]:
            text += (f'<Contents><Key>{escape(key)}</Key><LastModified>{NOW}</LastModified>'
                     f'<Owner><ID>x</ID></Owner><Size>{len(objects[key])}</Size></Contents>')
        text += '</ListBucketResult>'
        self.answer(200, text[:len(text) // 2 if fault == 'garbage' else None].encode())

    def do_uploads(self, _body, _fault):
        all_ = sorted((key, name) for name, (key, _) in uploads.items())
        after = self.query.get('key-marker', ''), self.query.get('upload-id-marker', '')
        text = '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>'
        for key, name in all_:
            if key.startswith(self.query['prefix']) and (key, name) > after:
                text += (f'<Upload><Key>{escape(key)}</Key><UploadId>{escape(name)}</UploadId>'
                         f'<Initiated>{NOW}</Initiated></Upload>')
        self.answer(200, (text + '</ListMultipartUploadsResult>').encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


server = Server(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
for line in sys.stdin:
    words = line.split()
    with lock:
        if words[0] == 'fail':
            faults.append((words[1], words[2], int(words[3])))
        if words[0] == 'forget':
            faults.clear()
        print(counts.get(words[1], 0) if words[0] == 'count' else 'ok', flush=True)
