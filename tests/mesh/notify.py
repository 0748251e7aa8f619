"""notify.py - what people are told: mails in the mailbox, the inbox, what they want of it,
how they leave it, and an organisation's own words."""
import email
import email.policy
import json
import re
import shutil
import tempfile
import unittest
import urllib.parse

from case import MeshCase
from receiver import Receiver
from common import wait_for

INBOX = "/api/v1/notifications"
PREFERENCES = "/api/v1/notification-preferences"


def parsed(text):
    return email.message_from_string(text, policy=email.policy.default)


def part(mail, kind):
    return mail.get_body((kind,)).get_content()


class People(MeshCase):
    """The mailbox, the inbox, preferences, Slack."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="trl-slack.", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.receiver = Receiver(cls.folder)
        cls.addClassCleanup(cls.receiver.close)
        cls.settings = {**cls.settings, "TRELLIS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
                        "TRELLIS_WEBHOOK_CA": f"{cls.folder}/hook-ca.pem"}
        super().setUpClass()

    def titles(self, person, query=""):
        return [item["title"] for item in person.get(INBOX + query)["items"]]

    def told(self, person, title):
        return wait_for(f"the inbox says {title}", lambda: title in self.titles(person))

    def joined(self, name="Acme"):
        """An organisation's owner, a member who was added, and its id."""
        owner, member = self.stack.sign_up("olga"), self.stack.sign_up("mia")
        tenant = self.stack.found(owner, name)
        added = owner.post(f"/api/v1/tenants/{tenant}/members",
                           {"email": member.email, "role": "member"})
        self.assertEqual(added.status, 201, added)
        self.told(member, f"You joined {name}")
        owner.headers["X-Tenant-Id"] = tenant
        return owner, member, tenant

    def promote(self, owner, tenant, member, role="admin"):
        done = owner.patch(f"/api/v1/tenants/{tenant}/members/{member.account['id']}",
                           {"role": role})
        self.assertEqual(done.status, 200, done)

    def mails(self, person, subject, count=1):
        return wait_for(f"{count} mails: {subject}", lambda: (
            lambda found: len(found) >= count and found)(
                [m for m in map(parsed, self.stack.mails(person.email)) if m["Subject"] == subject]))

    def pages(self, person, path):
        while path:
            answer = person.get(path)
            self.assertEqual(answer.status, 200, answer)
            yield answer["items"]
            path = "link" in answer.headers and answer.headers["link"][1:].partition(">")[0]

    def test_a_sign_up_gets_a_mail_in_two_forms_and_its_link_works(self):
        person = self.stack.sign_up("ada", verified=False)
        mail = self.mails(person, "Confirm your address")[0]
        text, html = part(mail, "plain"), part(mail, "html")
        token = self.stack.mail_token(person.email)
        self.assertIn(f"#token={token}\n", text)
        self.assertIn(f"#token={token}\"", html)
        self.assertIn("Confirm address", html)
        self.assertIsNone(mail["List-Unsubscribe"])
        self.assertEqual(person.post("/api/v1/auth/email/verify", {"token": token}).status, 204)

    def test_an_invitation_is_accepted_from_its_mail(self):
        owner, _, tenant = self.joined("Initech")
        guest = self.stack.sign_up("guest")
        asked = owner.post(f"/api/v1/tenants/{tenant}/invitations",
                           {"email": guest.email, "role": "viewer"})
        self.assertEqual(asked.status, 201, asked)
        mail = self.mails(guest, "Join Initech")[0]
        self.assertEqual(mail["From"].addresses[0].display_name, "Trellis")
        self.assertIn("Olga invites you", part(mail, "plain"))
        done = guest.post("/api/v1/invitations/accept",
                          {"token": self.stack.mail_token(guest.email)})
        self.assertEqual(done.status, 200, done)
        self.told(owner, f"{guest.email} joined Initech")

    def test_a_person_reads_the_inbox(self):
        owner, member, tenant = self.joined()
        self.promote(owner, tenant, member)
        self.told(member, "Your role in Acme changed")
        self.assertEqual(member.get(INBOX + "/unread-count")["unread"], 2)
        page = member.get(INBOX + "?page_size=1")
        self.assertEqual(page["items"][0]["title"], "Your role in Acme changed")
        self.assertEqual(page["items"][0]["tenant_id"], tenant)
        rest = member.get(f"{INBOX}?page_size=1&page_token={page['next_page_token']}")
        self.assertEqual([i["title"] for i in rest["items"]], ["You joined Acme"])
        # The link asks for the same list: with its filter, and with nothing that ends it.
        asked = f"page%5Fsize=1&unread=true&tenant_id={tenant}"
        link = member.get(f"{INBOX}?{asked}").headers["link"]
        self.assertEqual(link[:link.index("page_token=")], f"<{INBOX}?{asked}&")
        goes_on = member.get(link[1:link.index(">")])
        self.assertEqual([i["title"] for i in goes_on["items"]], ["You joined Acme"])
        self.assertNotIn("link", goes_on.headers)
        at = f"{INBOX}/{page['items'][0]['id']}/read"
        first = member.post(at)
        self.assertEqual(first.status, 200, first)
        self.assertEqual(member.post(at)["read_at"], first["read_at"])
        self.assertEqual(self.titles(member, "?unread=true"), ["You joined Acme"])
        self.check_problem(owner.post(at), 404)
        self.assertEqual(member.post(INBOX + "/read-all").status, 204)
        self.assertEqual(member.get(INBOX + "/unread-count")["unread"], 0)
        self.assertEqual(self.titles(member, "?unread=true"), [])

    def test_a_person_chooses_what_to_be_told(self):
        owner, member, tenant = self.joined()
        before = member.get(PREFERENCES)
        wanted = {(c["kind"], c["channel"]): c for c in before["choices"]}
        self.assertTrue(wanted["member_updated", "email"]["enabled"])
        self.assertTrue(wanted["account_verify", "email"]["mandatory"])
        self.assertFalse(wanted["session_created", "email"]["enabled"])
        off = {"choices": [{"kind": "member_updated", "channel": "email", "enabled": False}]}
        after = member.call("PUT", PREFERENCES, off, {"If-Match": before.headers["etag"]})
        self.assertEqual(after.status, 200, after)
        self.check_problem(member.call("PUT", PREFERENCES, off,
                                       {"If-Match": before.headers["etag"]}), 412)
        self.promote(owner, tenant, member)
        self.told(member, "Your role in Acme changed")
        self.promote(owner, tenant, member, "viewer")
        wait_for("both are in the inbox",
                 lambda: self.titles(member).count("Your role in Acme changed") == 2)
        self.assertNotIn("Your role in Acme changed",
                         [parsed(t)["Subject"] for t in self.stack.mails(member.email)])

    def test_a_time_zone_has_the_name_that_tzdata_keeps(self):
        person = self.stack.sign_up("ada")
        for named, kept in (("US/Pacific", "America/Los_Angeles"), ("Asia/Calcutta", "Asia/Kolkata"),
                            ("europe/VIENNA", "Europe/Vienna"), ("Europe/Amsterdam", "Europe/Amsterdam"),
                            ("Etc/GMT+5", "Etc/GMT+5"), ("Zulu", "UTC"), ("UTC", "UTC")):
            put = person.call("PUT", PREFERENCES, {"time_zone": named})
            self.assertEqual((put.status, put["time_zone"]), (200, kept), put)
            self.assertEqual(person.get(PREFERENCES)["time_zone"], kept)

    def test_what_makes_no_sense_is_refused_by_its_place(self):
        person = self.stack.sign_up("ada")
        for body, pointer in (
                ({"choices": [{"kind": "nothing", "channel": "email", "enabled": True}]},
                 "/choices/0/kind"),
                ({"choices": [{"kind": "password_reset", "channel": "email", "enabled": False}]},
                 "/choices/0/kind"),
                ({"time_zone": "Europe/Nowhere"}, "/time_zone"),
                ({"time_zone": "Europe"}, "/time_zone"),
                ({"time_zone": "right/Europe/Vienna"}, "/time_zone"),
                ({"time_zone": "localtime"}, "/time_zone"),
                ({"quiet_from_minute": 60}, "/quiet_until_minute"),
                ({"quiet_from_minute": 60, "quiet_until_minute": 1440}, "/quiet_until_minute")):
            answer = self.check_problem(person.call("PUT", PREFERENCES, body), 422)
            self.assertEqual(self.pointers(answer), [pointer], answer)

    def test_one_click_ends_a_kind_of_mail(self):
        owner, member, tenant = self.joined()
        mail = self.mails(member, "You joined Acme")[0]
        self.assertEqual(mail["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        url = urllib.parse.urlsplit(mail["List-Unsubscribe"].strip("<>"))
        anybody = self.stack.client()
        for method in ("GET", "HEAD"):  # turns nothing off
            page = anybody.call(method, url.path)
            self.assertEqual(page.status, 303, page)
            self.assertEqual(page.headers["location"], re.search(r"mails about this:\s+(\S+)", part(mail, "plain")).group(1))
        self.assertIn("GET, HEAD", anybody.call("PUT", url.path, {}).headers["allow"])
        self.assertIn(("member_added", "email", True), [
            (c["kind"], c["channel"], c["enabled"]) for c in member.get(PREFERENCES)["choices"]])
        self.assertEqual(anybody.get("/api/v1/unsubscribe/%0d%0aX").status, 400)
        self.assertEqual(anybody.get("/api/v1/unsubscribe/a.b").status, 405)
        done = anybody.call("POST", url.path, raw=b"List-Unsubscribe=One-Click", headers={
            "Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(done.status, 204, done)
        self.assertEqual(anybody.post(url.path).status, 204)
        choices = {(c["kind"], c["channel"]): c["enabled"] for c in member.get(PREFERENCES)["choices"]}
        self.assertFalse(choices["member_added", "email"])
        self.assertTrue(choices["member_added", "inbox"])
        changed = url.path[:-1] + ("A" if url.path[-1] != "A" else "B")
        self.check_problem(anybody.post(changed), 400)
        self.check_problem(anybody.post("/api/v1/unsubscribe/tru_AAAA"), 400)
        other = self.stack.found(owner, "Other")
        owner.post(f"/api/v1/tenants/{other}/members", {"email": member.email, "role": "viewer"},
                   X_Tenant_Id=other)
        self.told(member, "You joined Other")
        self.assertNotIn("You joined Other",
                         [parsed(t)["Subject"] for t in self.stack.mails(member.email)])

    # ---- an organisation's own words

    def test_an_organisation_has_words_of_its_own(self):
        owner, member, tenant = self.joined("Umbrella")
        at = "/api/v1/templates/member_updated/en"
        built_in = owner.get(at)
        self.assertEqual((built_in["version"], built_in["custom"]), (0, False), built_in)
        words = {"subject": "{{account.display_name}}: {{event.member.role}}",
                 "text": "Dear {{account.display_name}}", "html": "<b>{{account.display_name}}</b>"}
        put = owner.call("PUT", at, words, {"If-Match": built_in.headers["etag"]})
        self.assertEqual((put.status, put["version"], put["custom"]), (200, 1, True), put)
        seen = owner.post(at + "/preview", {"html": "<i>{{by.display_name}}</i>"})
        self.assertEqual(seen["subject"], "Ada Lovelace: viewer", seen)
        self.assertIn("<i>Grace Hopper</i>", seen["html"])
        around = owner.post("/api/v1/templates/layout/en/preview",
                            {"html": "<main>{{{content}}}</main>"})
        self.assertIn("<main><b>Ada Lovelace</b></main>", around["html"], around)
        self.promote(owner, tenant, member)
        self.mails(member, "Mia: admin")
        self.check_problem(owner.call("PUT", at, words, {"If-Match": '"7"'}), 412)
        pages = list(self.pages(owner, "/api/v1/templates?page_size=9"))
        self.assertEqual({len(page) for page in pages[:-1]}, {9})
        named = [(t["kind"], t["locale"], t["custom"]) for page in pages for t in page]
        self.assertEqual([t[:2] for t in named], sorted({t[:2] for t in named}))
        listed = {t[:2]: t[2] for t in named}
        self.assertTrue(listed["member_updated", "en"])
        self.assertFalse(listed["member_updated", "de"])
        self.assertEqual(owner.delete(at).status, 204)
        self.assertFalse(owner.get(at)["custom"])
        self.check_problem(owner.delete(at), 404)
        self.check_problem(owner.get("/api/v1/templates/nothing/en"), 404)
        self.check_problem(member.get(at, X_Tenant_Id=self.stack.found(owner)), 404)

    def test_words_that_are_not_well_formed_are_refused_with_their_line(self):
        owner, _, _ = self.joined()
        good = {"subject": "x", "text": "x", "html": "x"}
        for field, words, said in (
                ("html", "one\n{{#open}}", "Line 2: a section is not closed."),
                ("text", "{{{event.member.role}}}", "Line 1: values are always escaped"),
                ("subject", "{{name", "Line 1: a tag is not closed.")):
            answer = owner.call("PUT", "/api/v1/templates/member_updated/en", {**good, field: words})
            self.check_problem(answer, 422)
            self.assertEqual(self.pointers(answer), ["/" + field])
            self.assertTrue(answer.json["errors"][0]["detail"].startswith(said), answer)

    def test_words_that_take_too_many_steps_are_refused(self):
        owner, _, _ = self.joined()
        at, each = "/api/v1/templates/api_key_created/en", "event.api_key.permissions"
        good = {"subject": "x", "text": "x", "html": "{{#%s}}<b>{{.}}</b>{{/%s}}" % (each, each)}
        self.assertEqual(owner.call("PUT", at, good).status, 200)
        unseen = "x" * 20000
        nested = "\n" + unseen
        for _ in range(4):
            nested = "{{#%s}}%s{{/%s}}" % (each, nested, each)
        looking = "".join("{{^tenant}}%s{{/tenant}}" % unseen for _ in range(3))
        passing = "{{#%s}}{{#%s}}%s{{/%s}}{{/%s}}" % (each, each, looking, each, each)
        for words in (nested, passing):
            answer = owner.call("PUT", at, {**good, "html": words})
            self.check_problem(answer, 422)
            self.assertEqual(self.pointers(answer), ["/html"])
        self.assertIn("too many steps", answer.json["errors"][0]["detail"])
        once = owner.post(at + "/preview", {**good, "html": passing})  # lists of one
        self.assertEqual(once.status, 200, once)

    def test_words_that_no_mail_would_bear_are_refused(self):
        owner, _, _ = self.joined()
        good = {"subject": "x", "text": "x", "html": "x"}
        for kind in ("account_verify", "password_reset", "password_changed", "session_created", "digest"):
            answer = owner.call("PUT", f"/api/v1/templates/{kind}/en", good)
            self.check_problem(answer, 422)
            self.assertEqual(self.pointers(answer), ["/kind"])

    def test_a_layout_without_a_place_for_the_message_is_refused(self):
        owner, _, _ = self.joined()
        at = "/api/v1/templates/layout/en"
        good = {"subject": "x", "text": "{{{content}}}", "html": "<p>{{{content}}}</p>"}
        for field in ("text", "html"):
            for words in ("Yours", "{{content}}", "{{! {{{content}}} }}", "{{#tenant}}{{{content}}}{{/tenant}}"):
                for answer in (owner.call("PUT", at, {**good, field: words}),
                               owner.post(at + "/preview", {**good, field: words})):
                    self.check_problem(answer, 422)
                    self.assertEqual(self.pointers(answer), ["/" + field])
                    self.assertTrue(answer.json["errors"][0]["detail"].startswith("{{{content}}} is missing"), answer)
        self.assertFalse(owner.get(at)["custom"])
        either = "{{#tenant}}1 {{{content}}}{{/tenant}}{{^tenant}}2 {{{content}}}{{/tenant}}"
        self.assertEqual(owner.call("PUT", at, {**good, "html": either}).status, 200)

    def test_slack_is_told_what_concerns_the_organisation(self):
        owner, member, tenant = self.joined("Wayne <Ltd>")
        self.receiver.answers["/slack"] = [500, 200]
        url = self.receiver.url("/slack")
        self.assertEqual(owner.patch("/api/v1/notification-settings", {"slack_url": url}).status, 200)
        made = owner.post(f"/api/v1/tenants/{tenant}/api-keys",
                          {"name": "reporting", "permissions": ["tenants.tenant.read"]})
        self.assertEqual(made.status, 201, made)

        def texts():  # that somebody joined may come late enough to be among them
            return [json.loads(body)["text"] for path, _, body in self.receiver.got if path == "/slack"]
        wait_for("what was refused once is sent again", lambda: len(texts()) > len(set(texts())))
        text = wait_for("the key is told of", lambda: [
            text for text in texts() if text.startswith("*New API key in Wayne &lt;Ltd&gt;*\n")])[0]
        self.assertTrue(text.endswith("|See API keys>"), text)

    def test_slack_hears_who_joined_and_who_left(self):
        owner, member, tenant = self.joined("Stark")
        url = self.receiver.url("/joined")
        self.assertEqual(owner.patch("/api/v1/notification-settings", {"slack_url": url}).status, 200)
        other = self.stack.sign_up("nia")
        owner.post(f"/api/v1/tenants/{tenant}/members", {"email": other.email, "role": "admin"})
        self.assertEqual(owner.delete(f"/api/v1/tenants/{tenant}/members/{other.account['id']}").status, 204)
        posts = wait_for("two posts", lambda: (
            lambda got: len(got) > 1 and got)([g for g in self.receiver.got if g[0] == "/joined"]))
        joined, left = sorted((json.loads(p[2])["text"] for p in posts), key=lambda t: "no longer" in t)
        self.assertTrue(joined.startswith(f"*Nia joined Stark*\nNia ({other.email}) has the role admin.\n<"), joined)
        self.assertTrue(left.startswith("*Nia is no longer in Stark*\n"), left)

    def test_settings_name_the_sender_and_hide_slack(self):
        owner, member, tenant = self.joined("Hooli")
        at = "/api/v1/notification-settings"
        done = owner.patch(at, {"sender_name": "Hooli Team", "reply_to": "help@hooli.example",
                                "slack_url": "https://hooks.slack.example/services/T/B/secret"})
        self.assertEqual(done.status, 200, done)
        self.assertNotIn(b"hooks.slack", owner.get(at).body)
        self.assertTrue(owner.get(at)["slack"])
        self.promote(owner, tenant, member)
        mail = self.mails(member, "Your role in Hooli changed")[0]
        self.assertEqual(mail["From"].addresses[0].display_name, "Hooli Team")
        self.assertEqual(mail["Reply-To"].addresses[0].addr_spec, "help@hooli.example")
        self.assertFalse(owner.patch(at, {"slack_url": None, "sender_name": None})["slack"])
        self.assertNotIn("sender_name", owner.get(at).json)
        for name in ("Hooli", "Hooli again"):  # there is no Slack, and none comes of it
            self.assertFalse(owner.patch(at, {"sender_name": name})["slack"])
        self.assertFalse(owner.get(at)["slack"])

    def test_slack_is_not_given_an_address_that_nobody_may_have_called(self):
        owner, _, _ = self.joined("Umbrella")
        at = "/api/v1/notification-settings"
        for url in ("https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/",
                    "http://8.8.8.8/", "https://8.8.8.8:25/"):
            answer = owner.patch(at, {"slack_url": url})
            self.check_problem(answer, 422)
            self.assertEqual(self.pointers(answer), ["/slack_url"])
        self.assertFalse(owner.get(at)["slack"])


@unittest.skipIf(MeshCase.transport == "inproc", "one process cannot lose one service")
class Killed(MeshCase):
    """Notify is killed at any moment: each person is told, and once."""

    def test_everybody_gets_one_mail_and_one_notification(self):
        owner = self.stack.sign_up("olga")
        tenant = self.stack.found(owner, "Acme")
        people = [self.stack.sign_up("mia") for _ in range(3)]
        addresses = []
        for round_ in range(4):
            for _ in range(4):
                address = self.stack.new_email("kim")
                answer = self.stack.client().post("/api/v1/auth/signup", {
                    "email": address, "password": "correct horse battery", "display_name": "Kim"})
                self.assertEqual(answer.status, 201, answer)
                addresses.append(address)
            if round_ < len(people):
                added = owner.post(f"/api/v1/tenants/{tenant}/members",
                                   {"email": people[round_].email, "role": "member"})
                self.assertEqual(added.status, 201, added)
            self.stack.kill_service("notify")
            self.stack.start_service("notify")
        wait_for("everybody has a mail", lambda: all(map(self.stack.mails, addresses)))
        wait_for("the mesh is ready", self.stack.is_ready)
        for person in people:
            wait_for("the inbox tells it", lambda p=person: p.get(INBOX)["items"])
        wait_for("nothing is left to do", lambda: self.stack.sql_value(
            "select count(*) from notify.job where run_at <= now()") == "0")
        for address in addresses:
            self.assertEqual(len(self.stack.mails(address)), 1, address)
        for person in people:
            self.assertEqual([i["title"] for i in person.get(INBOX)["items"]], ["You joined Acme"])
