"""mails.py - mails by a real mail server, and what its refusals come to."""
import re
import shutil
import tempfile

from case import MeshCase
from mail_server import MailServer
from common import free_port, wait_for


def text(mail):
    return mail.get_body(("plain",)).get_content()


class ByServer(MeshCase):
    """Mails go to a mail server that wants STARTTLS and a password."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="trl-mail.", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        port = free_port()
        cls.server = MailServer(cls.folder, port)
        cls.addClassCleanup(cls.server.close)
        cls.settings = {**cls.settings, "TRELLIS_SMTP_URL": f"smtp://localhost:{port}",
                        "TRELLIS_SMTP_USER": "trellis", "TRELLIS_SMTP_PASSWORD": "sesame",
                        "TRELLIS_SMTP_CA": cls.server.ca,
                        "TRELLIS_MAIL_FROM": "Über Trellis <post@trellis.example>"}
        super().setUpClass()

    def sign_up(self, address):
        person = self.stack.client()
        answer = person.post("/api/v1/auth/signup", {
            "email": address, "password": "correct horse battery", "display_name": "Zoë"})
        self.assertEqual(answer.status, 201, answer)
        return person

    def count(self, status, address):
        return int(self.stack.sql_value(
            f"select count(*) from notify.delivery where address = '{address}' "
            f"and status = '{status}'"))

    def is_held(self, address):
        return self.stack.sql_value(
            f"select count(*) from notify.suppression where email = '{address}'") == "1"

    def test_a_mail_goes_out_by_starttls_and_the_connection_is_kept(self):
        for i in range(3):
            address = self.stack.new_email("zoe")
            self.sign_up(address)
            mail = wait_for("a mail", lambda a=address: self.server.to(a))[0]
            self.assertEqual(mail["Subject"], "Confirm your address")
            self.assertEqual(mail["From"].addresses[0].display_name, "Über Trellis")
            self.assertEqual(mail["From"].addresses[0].addr_spec, "post@trellis.example")
            self.assertRegex(mail["Message-ID"], r"^<[0-9a-f-]{36}@trellis\.example>$")
            self.assertIn("Welcome, Zoë.", text(mail))
            self.assertTrue(re.search(r"#token=trm_[\w-]+\s*$", text(mail), re.M))
        self.assertLess(self.server.connections, 3)
        self.assertEqual(self.server.greetings, {"trellis.example"})  # the sender's: our URL is an address

    def test_conversations_that_stall_hold_up_no_other_mail(self):
        for i in range(8):
            self.sign_up(self.stack.new_email("slow").partition("@")[0] + "@slow.example")
        wait_for("as many stall as one domain may have", lambda: self.server.held >= 6)
        address = self.stack.new_email("quick")
        self.sign_up(address)
        wait_for("a mail beside them", lambda: self.server.to(address))
        self.assertEqual(self.server.ended, 0)

    def test_one_that_is_put_off_comes_again_and_is_the_same(self):
        address = self.stack.new_email("grey")
        self.server.refuse[address] = ["451 4.7.1 Greylisted, try again later"]
        self.sign_up(address)
        mail = wait_for("the mail comes after all", lambda: self.server.to(address))
        self.assertEqual(len(mail), 1)
        self.assertEqual(self.server.tries.count(address), 2)

    def test_an_address_that_is_refused_for_good_is_left_alone(self):
        address = self.stack.new_email("gone")
        self.server.refuse[address] = ["550 5.1.1 No such user here"]
        person = self.sign_up(address)
        wait_for("it was tried", lambda: address in self.server.tries)
        wait_for("it is held", lambda: self.is_held(address))
        self.assertEqual(person.post("/api/v1/auth/password/forgot", {"email": address}).status, 204)
        wait_for("the next mail is not sent", lambda: self.count("suppressed", address) == 1)
        self.assertEqual(self.server.tries.count(address), 1)

    def test_an_address_is_held_whatever_letters_its_server_says_it_in(self):
        replies = {"550 5.1.1 Empfänger unbekannt".encode("latin-1"):
                   "550 5.1.1 Empf?nger unbekannt",
                   ("550 5.1.1 " + 300 * "é").encode(): None}  # cut within a letter
        for reply, kept in replies.items():
            address = self.stack.new_email("foreign")
            self.server.refuse[address] = [reply]
            self.sign_up(address)
            wait_for("it is held", lambda a=address: self.is_held(a))
            self.assertEqual(self.count("refused", address), 1)
            self.assertIn(self.stack.sql_value(
                f"select reason from notify.suppression where email = '{address}'"),
                [kept] if kept else [("550 5.1.1 " + 122 * "é") + "?"])

    def test_a_relay_that_takes_nobodys_mail_has_nobody_held_and_loses_nothing(self):
        people = [self.stack.new_email("relayed") for _ in range(3)]
        for address in people:
            self.server.refuse[address] = ["550 relay not permitted"]
            self.sign_up(address)
        for address in people:
            wait_for("the mail comes after all", lambda a=address: self.server.to(a))
            self.assertFalse(self.is_held(address))

    def test_a_refusal_that_does_not_say_of_whom_ends_a_mail_and_holds_nobody(self):
        for reply in ("550 Administrative prohibition", "550 5.1.1 Relay access denied"):
            address = self.stack.new_email("vague")
            self.server.refuse[address] = [reply]
            person = self.sign_up(address)
            wait_for("it is refused", lambda a=address: self.count("refused", a) == 1)
            self.assertFalse(self.is_held(address))
            self.assertEqual(person.post("/api/v1/auth/password/forgot", {"email": address}).status, 204)
            wait_for("the next mail comes", lambda a=address: self.server.to(a))

    def test_a_mail_whose_text_is_refused_is_over_and_its_address_is_not_held(self):
        address = self.stack.new_email("words")
        self.server.refuse_text[address] = ["550 5.7.1 Message content rejected"]
        person = self.sign_up(address)
        wait_for("it is refused", lambda: self.count("refused", address) == 1)
        self.assertEqual(person.post("/api/v1/auth/password/forgot", {"email": address}).status, 204)
        wait_for("the next mail comes", lambda: self.server.to(address))
        self.assertFalse(self.is_held(address))

    def test_while_the_server_refuses_us_as_sender_no_mail_is_lost_and_no_address_held(self):
        address = self.stack.new_email("sender")
        self.server.refuse_sender = ["553 5.7.1 Sender address rejected: not owned by user"]
        self.sign_up(address)
        wait_for("the mail comes after all", lambda: self.server.to(address))
        self.assertEqual(self.server.refuse_sender, [])
        self.assertFalse(self.is_held(address))
