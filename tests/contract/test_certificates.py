"""The authority and the certificate of tools/up --tls are made once, and anew before they
end, by tools/sh/certificates.sh."""
import os
import re
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
FILES = ('ca.key', 'ca.crt', 'bus.key', 'bus.crt')


def openssl(folder, *words):
    return subprocess.run(['openssl', *words], cwd=folder, check=True, capture_output=True, text=True).stdout


class Certificates(unittest.TestCase):
    def setUp(self):
        run = tempfile.TemporaryDirectory()
        self.addCleanup(run.cleanup)
        self.run_folder, self.keys = run.name, os.path.join(run.name, 'keys')
        os.mkdir(self.keys)
        self.first = self.make()

    def make(self):
        """As tools/up does; the files, by name."""
        done = subprocess.run(['bash', '-euo', 'pipefail', '-c', 'as_user() { "$@"; }; . "$1"; make_certificates', 'bash',
                               os.path.join(TOP, 'tools/sh/certificates.sh')], capture_output=True, text=True,
                              env={**os.environ, 'RUN': self.run_folder}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        made = {}
        for name in FILES:
            with open(os.path.join(self.keys, name), encoding='ascii') as file:
                made[name] = file.read()
        openssl(self.keys, 'verify', '-CAfile', 'ca.crt', 'bus.crt')
        self.assertEqual(openssl(self.keys, 'x509', '-in', 'bus.crt', '-noout', '-pubkey'),
                         openssl(self.keys, 'pkey', '-in', 'bus.key', '-pubout'))
        self.assertIn('DNS:127.0.0.1', openssl(self.keys, 'x509', '-in', 'bus.crt', '-noout', '-ext', 'subjectAltName'))
        for name, days in (('bus.crt', 800), ('ca.crt', 3600)):
            openssl(self.keys, 'x509', '-in', name, '-noout', '-checkend', str(days * 86400))
        return made

    def put(self, name, text):
        with open(os.path.join(self.keys, name), 'w', encoding='ascii') as file:
            file.write(text)

    def changed(self):
        now = self.make()
        return [name for name in FILES if now[name] != self.first[name]]

    def signed_for(self, days):
        """The certificate that lies there, for so many days from now."""
        openssl(self.keys, 'x509', '-req', '-in', 'bus.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', str(days),
                '-extfile', 'bus.ext', '-out', 'bus.crt')
        return openssl(self.keys, 'x509', '-in', 'bus.crt')

    def test_what_is_good_for_long_stays(self):
        self.assertEqual(self.changed(), [])
        self.first['bus.crt'] = self.signed_for(50)
        openssl_said = openssl(self.keys, 'x509', '-in', 'bus.crt', '-noout', '-enddate')
        with self.assertRaises(subprocess.CalledProcessError):
            self.make()  # it stays, and is not good for 800 days
        self.assertEqual(openssl(self.keys, 'x509', '-in', 'bus.crt', '-noout', '-enddate'), openssl_said)

    def test_a_certificate_that_ends_soon_is_made_anew_by_the_authority_that_is(self):
        for days in (30, 1, -1):
            self.signed_for(days)
            self.assertEqual(self.changed(), ['bus.key', 'bus.crt'])

    def test_an_authority_that_ends_soon_is_made_anew_with_all_that_it_signed(self):
        openssl(self.keys, 'req', '-x509', '-key', 'ca.key', '-days', '30', '-subj', '/CN=trellis bus CA', '-out', 'ca.crt')
        self.signed_for(825)
        self.assertEqual(self.changed(), list(FILES))

    def test_what_was_cut_off_is_made_anew(self):
        other = openssl(self.keys, 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256')
        for name, text, wanted in (('bus.key', other, ['bus.key', 'bus.crt']),
                                   ('bus.crt', self.first['bus.crt'][:300], ['bus.key', 'bus.crt']),
                                   ('ca.key', other, list(FILES)), ('ca.crt', '', list(FILES))):
            with self.subTest(name):
                for each, was in self.first.items():
                    self.put(each, was)
                self.put(name, text)
                self.assertEqual(self.changed(), wanted)

    def test_the_alert_comes_later(self):
        with open(os.path.join(TOP, 'tools/sh/certificates.sh'), encoding='utf-8') as file:
            left = int(re.search(r'^CERTIFICATE_DAYS_LEFT=(\d+)$', file.read(), re.M)[1])
        with open(os.path.join(TOP, 'k8s/observability/rules/watch.yml'), encoding='utf-8') as file:
            told = re.search(r'alert: TrellisCertificate30Days\n.*?< (\d+) \* 86400', file.read(), re.S)
        self.assertGreater(left, int(told[1]))


if __name__ == '__main__':
    unittest.main()
