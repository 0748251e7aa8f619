"""receiver.py - a customer's server that takes webhooks, and is none of the best: while it
is told to, some requests get 500, some no answer, some a late one. It keeps what came, as it came; whether
a signature is right is judged when the secrets are known.

Signatures by Standard Webhooks 1.0.0: HMAC-SHA256 of "id.timestamp.body" under the bytes
that stand in base64 behind "whsec_"."""
import base64
import hashlib
import hmac
import http.server
import random
import threading


class Receiver:
    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.capricious = True
        self.got = []  # (path, headers, body, answered)
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.take(self)

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                pass  # the other side may be killed at any moment

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}"

    def take(self, request):
        length = int(request.headers.get("Content-Length", -1))
        body = request.rfile.read(length) if length > 0 else b""
        if len(body) != length:  # the sender died amid of it
            request.close_connection = True
            return
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self.lock:
            mood = self.chance.random() if self.capricious else 1
        answered = 500 if mood < 0.1 else 0 if mood < 0.13 else 204
        if 0.13 <= mood < 0.16:
            threading.Event().wait(1.5)
        with self.lock:
            self.got.append((request.path.strip("/"), headers, body, answered))
        if answered == 0:
            request.close_connection = True
            return
        request.send_response(answered)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def is_signed(secret, headers, body):
    """Whether one of the signatures holds under the secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    what = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
    mine = base64.b64encode(hmac.new(key, what, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(one, "v1," + mine)
               for one in headers.get("webhook-signature", "").split(" "))

