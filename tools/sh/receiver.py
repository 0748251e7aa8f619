"""receiver.py - a server that takes webhooks and verifies them, for tools/demo:

  receiver.py FOLDER

It listens on a free port of this machine (FOLDER/port), reads the secret from
FOLDER/secret and adds a line to FOLDER/webhooks for each request. A signature is as
Standard Webhooks 1.0.0 has it: HMAC-SHA256 of "id.timestamp.body"."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

FOLDER = sys.argv[1]


def is_signed(headers, body):
    with open(os.path.join(FOLDER, 'secret'), encoding='ascii') as file:
        key = base64.b64decode(file.read().strip().removeprefix('whsec_'))
    told = headers['webhook-timestamp']
    text = f"{headers['webhook-id']}.{told}.".encode() + body
    want = 'v1,' + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return abs(time.time() - int(told)) < 300 and any(
        hmac.compare_digest(one, want) for one in headers['webhook-signature'].split(' '))


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        signed = is_signed(self.headers, body)
        event = json.loads(body)
        with open(os.path.join(FOLDER, 'webhooks'), 'a', encoding='utf-8') as file:
            verdict = 'the signature is right' if signed else 'THE SIGNATURE IS WRONG'
            print(f"  {event['type']}: {verdict}; {json.dumps(event['data'])}", file=file)
        self.send_response(204 if signed else 401)
        self.end_headers()


server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
with open(os.path.join(FOLDER, 'port.new'), 'w', encoding='ascii') as port:
    port.write(str(server.server_port))
os.rename(port.name, os.path.join(FOLDER, 'port'))
server.serve_forever()
