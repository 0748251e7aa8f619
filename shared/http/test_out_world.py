"""The world outside, for test_out.c: HTTP, HTTPS and SMTP servers with a certificate
authority of their own, in a folder that goes when standard input ends.

Prints a line "name value" each, then "ready".
"""
import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.smtp import SMTP, AuthResult


class Seen:
    """What the servers have seen."""
    mails = []
    smtp_connections = 0
    http_connections = 0
    died = 0
    meet = threading.Barrier(8)
    greylisted = set()


def certificate(folder, name, alt):
    def run(*words):
        subprocess.run(['openssl', *words], cwd=folder, check=True, capture_output=True)
    key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    if not os.path.exists(f'{folder}/ca.pem'):
        run('req', '-x509', *key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2',
            '-subj', '/CN=test CA')
    with open(f'{folder}/{name}.ext', 'w', encoding='utf-8') as file:
        file.write(f'subjectAltName={alt}\n')
    run('req', *key, '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', f'/CN={name}')
    run('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
        '-CAcreateserial', '-days', '2', '-extfile', f'{name}.ext', '-out', f'{name}.pem')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f'{folder}/{name}.pem', f'{folder}/{name}.key')
    return context


class Answers(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def setup(self):
        super().setup()
        Seen.http_connections += 1

    def log_message(self, *_):
        pass

    def reply(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def do_GET(self):
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length)
        try:
            getattr(self, 'at_' + self.path.strip('/').partition('?')[0])(body)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_POST = do_PUT = do_HEAD = do_DELETE = do_GET

    def at_much(self, _):
        self.reply(200, bytes(i % 251 for i in range(1000)) * 5000)

    def at_sum(self, body):
        self.reply(201, f'{len(body)} {sum(body)}'.encode())

    def at_hello(self, _):
        self.reply(200, b'hello')

    def at_echo(self, body):
        lines = [self.command, *(f'{n}: {v}' for n, v in self.headers.items()), '']
        self.reply(201, '\n'.join(lines).encode() + body)

    def at_busy(self, _):
        said = urllib.parse.unquote(self.path.partition('?')[2])
        self.reply(503, b'later', ('Retry-After', said))

    def at_zeros(self, _):
        self.reply(200, b'a\0b' + bytes(1000) + b'c')

    def at_redirect(self, _):
        self.reply(302, b'', ('Location', '/hello'))

    def at_heads(self, _):
        self.reply(200, b'', *((f'X-{i}', 'a') for i in range(300)))

    def at_long_head(self, _):
        self.reply(200, b'', ('X-Long', 'a' * 40000))

    def at_trickle(self, _):
        self.send_response(200)
        self.send_header('Content-Length', '1000')
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b'a')
            time.sleep(0.05)

    def at_endless(self, _):
        self.send_response(200)
        self.send_header('Connection', 'close')
        self.end_headers()
        while True:
            self.wfile.write(b'endless ' * 1000)

    def at_silent(self, _):
        self.rfile.read(1)

    def at_garbage(self, _):
        self.wfile.write(b'this is no HTTP\r\n\r\n')
        self.close_connection = True

    def at_dies(self, _):
        Seen.died += 1
        self.close_connection = True

    def at_died(self, _):
        self.reply(200, str(Seen.died).encode())

    def at_meet(self, _):
        """Answers once there are eight, so that each has a connection of its own."""
        Seen.meet.wait(20)
        self.reply(200, b'hello')

    def at_connections(self, _):
        self.reply(200, str(Seen.http_connections).encode())

    def at_mails(self, _):
        self.reply(200, json.dumps({'connections': Seen.smtp_connections,
                                    'mails': Seen.mails}).encode())


class Server(ThreadingHTTPServer):
    request_queue_size = 128


class Mail:
    senders = {'foreign': '553 5.7.1 Sender address rejected: not owned by user',
               'unwanted': '550 relaying denied'}
    recipients = {'refused': '550 5.1.1 No such user',
                  'unknown': '550 No such user here',
                  'full': '552 5.2.2 Mailbox full',
                  'relay': '554 5.7.1 Relay access denied',
                  'mine': '553 5.7.1 <a@b>: Sender address rejected: not owned by user',
                  'domain': '550 5.1.8 <a@b>: Sender address rejected: Domain not found',
                  'sign': '530 5.7.0 Authentication required',
                  'latin': '550 5.1.1 Empfänger unbekannt'.encode('latin-1'),
                  'gbk': '550 5.1.1 用户不存在'.encode('gbk'),
                  'long': ('550 5.1.1 ' + 300 * 'é').encode(),
                  'steers': b'550 5.1.1 no\x1b[2Jbody\x07'}

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.partition('@')[0] in self.senders:
            return self.senders[address.partition('@')[0]]
        envelope.mail_from = address
        return '250 OK'

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.partition('@')[0]
        if name == 'stalls':
            await asyncio.sleep(600)
        if name in self.recipients:
            return self.recipients[name]
        if name == 'grey' and address not in Seen.greylisted:
            Seen.greylisted.add(address)
            return '451 4.7.1 Greylisted, try again later'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].partition('@')[0]
        if name == 'spam':
            return '554 5.7.1 We do not like it'
        if name == 'never':
            await asyncio.sleep(600)
        if name == 'slow':
            await asyncio.sleep(0.4)
        Seen.mails.append({'from': envelope.mail_from, 'to': envelope.rcpt_tos,
                             'tls': bool(server.transport.get_extra_info('sslcontext')),
                             'user': session.auth_data and session.auth_data.login.decode(),
                             'text': envelope.content.decode()})
        return '250 OK, as 42'


class Counting(SMTP):
    def connection_made(self, transport):
        if not self._over_ssl:  # STARTTLS comes here a second time
            Seen.smtp_connections += 1
        super().connection_made(transport)


def check(server, session, envelope, mechanism, data):
    good = data.login == b'mesh' and data.password == b'pass word'
    return AuthResult(success=good, handled=False, auth_data=data)


async def refuse_everybody(_, writer):
    writer.write(b'554 5.7.1 No mail is taken here\r\n')
    await writer.drain()
    writer.close()


async def serve_mail(tls, told, folder):
    loop = asyncio.get_running_loop()
    secure = {'auth_required': True, 'authenticator': check}
    kinds = {'smtp': ({**secure, 'tls_context': tls, 'require_starttls': True}, None),
             'smtps': ({**secure, 'auth_require_tls': False}, tls),
             'smtp_plain': ({}, None)}
    for name, (options, over) in kinds.items():
        server = await loop.create_server(
            lambda options=options: Counting(Mail(), hostname='mail.test', **options),
            '127.0.0.1', 0, ssl=over)
        told(name, server.sockets[0].getsockname()[1])
    closed = await asyncio.start_server(refuse_everybody, '127.0.0.1', 0)
    told('smtp_closed', closed.sockets[0].getsockname()[1])
    print('ready', flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    shutil.rmtree(folder)
    os._exit(0)


def main():
    def told(name, value):
        print(name, value, flush=True)
    folder = tempfile.mkdtemp()
    tls = certificate(folder, 'good', 'DNS:localhost,DNS:good.test,IP:127.0.0.1')
    wrong = certificate(folder, 'wrong', 'DNS:elsewhere.test')
    told('ca', f'{folder}/ca.pem')
    for name, context in ('http', None), ('https', tls), ('https_wrong', wrong):
        server = Server(('127.0.0.1', 0), Answers)
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told(name, server.server_port)
    asyncio.run(serve_mail(tls, told, folder))


if __name__ == '__main__':
    main()
