"""receiver.py - a customer's HTTPS server that takes webhooks, judges them as the Standard
Webhooks specification says, and answers as a story wants."""
import base64
import hashlib
import hmac
import json
import os
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebhookError(Exception):
    pass


def verify(secret, headers, body, tolerance_s=300):
    """The specification's "Verifying webhook authenticity"; gives the payload."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    told = int(headers["webhook-timestamp"])
    if abs(time.time() - told) > tolerance_s:
        raise WebhookError("too old, or from the future")
    signed = f"{headers['webhook-id']}.{told}.".encode() + body
    want = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    for versioned in headers["webhook-signature"].split(" "):
        version, _, signature = versioned.partition(",")
        if version == "v1" and hmac.compare_digest(signature, want):
            return json.loads(body)
    raise WebhookError("no signature matches")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # who is cut off has said why on the other side


class Receiver:
    """answers: path to a list of statuses; the last one goes on. A status may be "trickle",
    "endless", "zeros" or "redirect", a pair of one and what Retry-After says with it, or a
    function that gives one when the story has come to it."""

    def __init__(self, folder, tls=True):
        self.got = []  # (path, headers, body)
        self.answers = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(
                    (self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                receiver.answer(self)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.scheme = "https" if tls else "http"
        if tls:
            self.server.socket = self._context(folder).wrap_socket(self.server.socket,
                                                                   server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def _context(folder):
        """A certificate for localhost by an authority of its own."""
        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *new, "-keyout", "hook-ca.key", "-out", "hook-ca.pem", "-days",
                "2", "-subj", "/CN=hook ca")
        openssl("req", *new, "-keyout", "hook.key", "-out", "hook.csr", "-subj", "/CN=localhost")
        with open(os.path.join(folder, "hook.ext"), "w", encoding="utf-8") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "hook.csr", "-CA", "hook-ca.pem", "-CAkey", "hook-ca.key",
                "-CAcreateserial", "-out", "hook.pem", "-days", "2", "-extfile", "hook.ext")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "hook.pem"), os.path.join(folder, "hook.key"))
        return context

    def answer(self, request):
        wanted = self.answers.get(request.path, [204])
        status = wanted.pop(0) if len(wanted) > 1 else wanted[0]
        if callable(status):
            status = status()
        status, retry_after = status if isinstance(status, tuple) else (status, None)
        if status == "trickle":
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
            for _ in range(1000):
                request.wfile.write(b"a")
                time.sleep(1)
        elif status == "endless":
            request.close_connection = True
            request.send_response(200)
            request.send_header("Connection", "close")
            request.end_headers()
            while True:
                request.wfile.write(b"for ever " * 1000)
        elif status == "zeros":
            body = b"\0\xf0\x9f" + bytes(range(256)) * 20
            request.send_response(500)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        else:
            body = f"that is a {status}\x1b[31m".encode() if status != 204 else b""
            request.send_response(302 if status == "redirect" else status)
            if status == "redirect":
                request.send_header("Location", "/elsewhere")
            if retry_after is not None:
                request.send_header("Retry-After", retry_after)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)

    def url(self, path):
        return f"{self.scheme}://localhost:{self.port}{path}"

    def at(self, path):
        """What came there: (headers, body)."""
        return [(headers, body) for where, headers, body in self.got if where == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
