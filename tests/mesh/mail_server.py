"""mail_server.py - Debian's aiosmtpd as an organisation's mail server: STARTTLS and signing
in are wanted, a recipient may be put off (greylisting) or refused for good."""
import asyncio
import email
import email.policy
import os
import ssl
import subprocess

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


def certificate(folder):
    """For localhost, by an authority of its own; gives the authority's path."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "mail-ca.key", "-out", "mail-ca.pem", "-days", "2",
            "-subj", "/CN=mail ca")
    openssl("req", *new, "-keyout", "mail.key", "-out", "mail.csr", "-subj", "/CN=localhost")
    with open(os.path.join(folder, "mail.ext"), "w", encoding="utf-8") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "mail.csr", "-CA", "mail-ca.pem", "-CAkey", "mail-ca.key",
            "-CAcreateserial", "-out", "mail.pem", "-days", "2", "-extfile", "mail.ext")
    return os.path.join(folder, "mail-ca.pem")


class MailServer:
    """Replies, one a try; behind them the mail is taken. refuse: by address, to RCPT;
    refuse_text: by address, to the mail's text; refuse_sender: to MAIL, whoever it is to.
    Recipients at slow.example get no reply for half a minute."""

    def __init__(self, folder, port):
        self.ca = certificate(folder)
        self.mails, self.tries, self.connections, self.greetings = [], [], 0, set()
        self.held, self.ended = 0, 0  # of slow.example
        self.refuse, self.refuse_text, self.refuse_sender = {}, {}, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "mail.pem"), os.path.join(folder, "mail.key"))
        server = self

        class Counting(SMTP):
            def connection_made(self, transport):
                server.connections += self.transport is None
                super().connection_made(transport)

        class Controlled(Controller):
            def factory(self):
                return Counting(
                    self.handler, tls_context=context, require_starttls=True, auth_required=True,
                    authenticator=server.check, hostname="localhost")

        self.controller = Controlled(self, hostname="127.0.0.1", port=port)
        self.controller.start()

    @staticmethod
    def check(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"trellis", b"sesame"))

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):
        self.greetings.add(hostname)
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, _server, _session, envelope, address, _options):
        if self.refuse_sender:
            return self.refuse_sender.pop(0)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        self.tries.append(address)
        if address.endswith("@slow.example"):
            await self.hold()
        replies = self.refuse.get(address)
        if replies:
            return replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def hold(self):
        self.held += 1
        try:
            await asyncio.sleep(30)
        finally:
            self.ended += 1

    async def handle_DATA(self, _server, _session, envelope):
        replies = self.refuse_text.get(envelope.rcpt_tos[0])
        if replies:
            return replies.pop(0)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos[0], mail))
        return "250 taken"

    def to(self, address):
        return [mail for to, mail in self.mails if to == address]

    def close(self):
        self.controller.stop()
