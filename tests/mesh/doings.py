"""doings.py - what stories do again and again, to a mesh that is there."""
import os
import re
import secrets
import socket
import urllib.parse
import urllib.request

from client import Client
from common import wait_for


class Doings:
    """Of a stack."""

    def client(self, token=None, **headers):
        return Client(self, token, **headers)

    def media_folder(self):
        return os.path.join(self.folder, "media")

    def new_email(self, who="ada"):
        self.serial += 1
        return f"{who}.{self.serial}.{secrets.token_hex(4)}@example.com"

    def sign_up(self, who="ada", verified=True):
        """A new person: his client, with .email, .account and .password."""
        person = self.client()
        person.email = self.new_email(who)
        person.password = "correct horse battery " + secrets.token_hex(4)
        answer = person.post("/api/v1/auth/signup", {
            "email": person.email, "password": person.password, "display_name": who.title()})
        assert answer.status == 201, answer
        person.token = answer["session"]["token"]
        person.account = answer["account"]
        if verified:
            answer = person.post("/api/v1/auth/email/verify", {"token": self.mail_token(person.email)})
            assert answer.status == 204, answer
        return person

    def found(self, person, name="Acme"):
        """A new organisation of a person; gives its id."""
        self.serial += 1
        answer = person.post("/api/v1/tenants", {
            "slug": f"acme-{self.serial}-{secrets.token_hex(3)}", "display_name": name})
        assert answer.status == 201, answer
        return answer["id"]

    def metrics(self, name):
        """What the process that runs a service shows at /metrics."""
        if self.transport == "inproc":
            name = "auth"  # the one process shows itself at the first address it has
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops[name]}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def await_replicas(self, service):
        """Whoever calls a service has a connection to each of its processes: the next of them
        to go is not the only one, as minReadySeconds is for on Kubernetes."""
        for caller, callee in self.pairs:
            line = (f'\ntrellis_bus_peers{{caller="{caller}",service="{service}",state="up"}} '
                    f"{len(self.each[service])}\n")
            for process in self.each[caller] if callee == service else ():
                wait_for(f"{process} has each {service}", lambda p=process: line in self.metrics(p))

    def mail_token(self, email):
        """The token in the newest mail to an address that has one."""
        def find():
            for text in reversed(self.mails(email)):
                found = re.search(r"token=([A-Za-z0-9_.%-]+)", text.replace("=\n", ""))
                if found:
                    return urllib.parse.unquote(found[1])
            return None
        return wait_for(f"a mail to {email}", find)

    def mails(self, email):
        """The texts of all mails to an address, the oldest first."""
        texts = []
        for name in os.listdir(self.mail) if os.path.isdir(self.mail) else ():
            if name.startswith("."):
                continue  # one that is being written; its rename makes it a mail
            path = os.path.join(self.mail, name)
            with open(path) as file:
                text = file.read()
            if re.search(rf"^To:.*{re.escape(email)}", text, re.I | re.M):
                texts.append((os.stat(path).st_mtime_ns, text))
        return [text for _, text in sorted(texts)]

    def send(self, data, seconds=15):
        """Bytes on a connection of their own; gives all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as raw:
            try:
                raw.sendall(data)
            except ConnectionError:
                pass  # who refuses it may hang up before its end; what he said is there
            received = b""
            try:
                while chunk := raw.recv(65536):
                    received += chunk
            except (TimeoutError, ConnectionResetError):
                pass
            return received
