"""people.py - whom alerts reach, a Slack and a mail server of the tests' own, and where
people reach the door: what ends its TLS.

The Slack takes what Slack's incoming webhooks are said to take (a JSON object with text,
attachments or blocks; "ok" with 200) and answers as they answer what is wrong: 400 with
invalid_payload or no_text, 404 with no_service for another path. While it is told to, it
answers 429 with Retry-After."""
import email
import email.policy
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading

from aiosmtpd.controller import Controller

PATH = '/services/T000/B000/secret'


class Slack:
    def __init__(self):
        self.taken, self.refused, self.watchdogs, self.busy = [], [], 0, False
        slack = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                status, word = slack.take(self.path, self.headers, body)
                self.send_response(status)
                if status == 429:
                    self.send_header('Retry-After', '1')
                self.send_header('Content-Length', str(len(word)))
                self.end_headers()
                self.wfile.write(word)

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server.server_port}'

    def take(self, path, headers, body):
        if path == '/watchdog':
            self.watchdogs += 1
            return 200, b'ok'
        if path != PATH:
            return 404, b'no_service'
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        if not isinstance(told, dict) or headers['Content-Type'] != 'application/json':
            return 400, b'invalid_payload'
        if not any(told.get(name) for name in ('text', 'attachments', 'blocks')):
            return 400, b'no_text'
        (self.refused if self.busy else self.taken).append(told)
        return (429, b'rate_limited') if self.busy else (200, b'ok')

    def titles(self):
        return [each['title'] for told in self.taken for each in told['attachments']]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Mailbox:
    def __init__(self):
        self.mails = []
        with socket.create_server(('127.0.0.1', 0)) as free:  # it takes no 0 for a port
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname='127.0.0.1', port=self.port)
        self.controller.start()

    async def handle_DATA(self, _server, _session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        return '250 taken'

    def subjects(self):
        return [str(mail['Subject']) for _, mail in self.mails]

    def close(self):
        self.controller.stop()


class Front:
    """It says 200 to everything, over TLS."""

    def __init__(self, folder):
        self.certificate, key = (os.path.join(folder, 'front.' + each) for each in ('pem', 'key'))
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
             '-days', '90', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
             '-keyout', key, '-out', self.certificate], check=True, capture_output=True)
        os.chmod(self.certificate, 0o644)

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', '0')
                self.end_headers()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'https://localhost:{self.server.server_port}'

    def close(self):
        self.server.shutdown()
        self.server.server_close()
