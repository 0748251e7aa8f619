#!/usr/bin/python3
"""test_words.py TOLD.JSON - what of words stops the build: each is one line with the file, and
where it is a tag its line."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOLD = pathlib.Path(sys.argv[1])
TOP = pathlib.Path(__file__).resolve().parents[2]
EMBED = TOP / 'services/notify/words/embed.py'
SERVICES = ('auth', 'tenants', 'notify', 'billing')

# file, what is put in place of what in it (None: it is taken away), what is said
WRONG = [
    ('auth/words/de/account_verify.txt', None,
     'auth/words/de/account_verify.txt: is missing: proto/trellis/auth/v1/auth.proto:'),
    ('notify/words/en/digest.txt', None, 'declares the kind digest, and its words in the '
     'language "en" belong here'),
    ('tenants/words/en/member_added.txt', ('{{by.display_name}}', '{{by.name}}'),
     'tenants/words/en/member_added.txt:7: there is no by.name here; by has email, display_name'),
    ('tenants/words/en/member_added.txt', ('Hello {{account', 'Hello {{acount'),
     'there is no acount.display_name here; there is account, product, sender, event, at'),
    ('tenants/words/de/member_updated.txt', ('{{event.member.role}}', '{{event.member.rank}}'),
     'there is no event.member.rank here; member has account_id, version, role'),
    ('auth/words/en/account_verify.txt', ('{{product.name}}', '{{tenant.name}}'),
     'account_verify.txt:2: there is no tenant.name here'),
    ('auth/words/en/account_verify.txt', ('{{event.expires_at}}', '{{event.sealed_token}}'),
     'there is no event.sealed_token here'),
    ('auth/words/en/api_key_created.txt', ('- {{.}}', '- {{event.api_key.permissions}}'),
     'event.api_key.permissions is no text; write {{#event.api_key.permissions}}'),
    ('tenants/words/en/member_added.txt', ('{{/by}}', ''), 'by is opened and not closed'),
    ('tenants/words/en/member_added.txt', ('{{/by}}', '{{/at}}'),
     '{{/at}} closes what was not opened last'),
    ('tenants/words/en/member_added.txt', ('{{tenant.name}}', '{{tenant.name'),
     'member_added.txt:1: a tag is not closed'),
    ('tenants/words/en/member_added.txt', ('{{tenant.name}}', '{{{tenant.name}}}'),
     '{{{tenant.name}}} is no tag'),
    ('tenants/words/en/member_added.txt', ('action: Open {{tenant.name}}\n', ''),
     'has no action, the words on the button, and its kind a page'),
    ('tenants/words/en/member_removed.txt', ('--- text', 'action: Go\n--- text'),
     'has an action, the words on the button, and its kind no page'),
    ('tenants/words/en/member_added.txt', ('summary: ', 'sumary: '), 'has not the form of words'),
    ('tenants/words/en/member_added.txt', ('--- html', '-- html'), 'has not the form of words'),
    ('notify/words/en/member_added.txt', ('', 'subject: x\n'),
     'belongs to no kind that a contract of notify declares'),
    ('auth/words/en/nothing.txt', ('', 'subject: x\n'),
     'auth/words/en/nothing.txt: belongs to no kind'),
    ('auth/words/fr/account_verify.txt', ('', 'subject: x\n'),
     'auth/words/fr: mails have no frame in this language; it begins with '
     'services/notify/words/fr/layout.txt'),
    ('notify/words/fr/layout.txt', ('', 'subject: x\n'),
     'its words in the language "fr" belong here'),
]


class Words(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.path = pathlib.Path(self.place.name)
        self.copy()

    def copy(self):
        for name in SERVICES:
            folder = self.path / name / 'words'
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(TOP / 'services' / name / 'words', folder)

    def embed(self, told=TOLD):
        done = subprocess.run(
            [sys.executable, '-B', EMBED, self.path / 'out.c', self.path / 'out.d', told,
             *(self.path / name / 'words' for name in SERVICES)],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def test_the_words_themselves_are_fine_and_what_was_read_is_said(self):
        self.assertEqual(self.embed(), (0, ''))
        read = (self.path / 'out.d').read_text().split()
        for name in ('auth/words/de/account_verify.txt', 'tenants/words/en', 'notify/words'):
            self.assertIn(str(self.path / name), read)

    def test_each_breach_is_a_line_with_its_place(self):
        for name, change, wanted in WRONG:
            with self.subTest(wanted):
                self.copy()
                path = self.path / name
                before = path.read_text() if path.exists() else ''
                if change is None:
                    path.unlink()
                else:
                    self.assertIn(change[0], before)
                    path.parent.mkdir(exist_ok=True)
                    path.write_text(before.replace(*change, 1))
                code, said = self.embed()
                self.assertEqual(code, 1)
                self.assertIn(wanted, said)

    def test_a_kind_that_a_contract_declares_anew_wants_its_words(self):
        kinds = json.loads(TOLD.read_text())
        told = self.path / 'told.json'
        told.write_text(json.dumps([*kinds, {**kinds[0], 'kind': 'key_lent'}]))
        code, said = self.embed(told)
        self.assertEqual(code, 1)
        self.assertEqual([line.split(': ')[0].removeprefix(str(self.path) + '/')
                          for line in said.splitlines()],
                         [f'auth/words/{language}/key_lent.txt' for language in ('de', 'en')])


unittest.main(argv=sys.argv[:1])
