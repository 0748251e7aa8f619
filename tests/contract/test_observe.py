"""What tools/sh/observe.py makes for tools/up --observe, what it says where it cannot, and
the development mailbox that takes the mails."""
import io
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tarfile
import tempfile
import unittest

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
MESH = json.dumps({'services': [{'name': 'auth'}, {'name': 'edge'}]})
SECRET = 'https://hooks.example/services/T0/B0/whisper'


def run(*words, **variables):
    clean = {name: value for name, value in os.environ.items() if not name.startswith('TRELLIS_')}
    return subprocess.run(
        [sys.executable, '-B', os.path.join(TOP, 'tools/sh/observe.py'), '--run', '/run/x', '--port', '9090',
         '--door', 'http://127.0.0.1:8080', *words, 'auth=127.0.0.1:7102', 'edge=127.0.0.1:7105'],
        input=MESH.encode(), capture_output=True, check=False, env=clean | variables)


def unpacked(*words, **variables):
    done = run(*words, **variables)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        return {each.name: (each.mode, tar.extractfile(each).read().decode()) for each in tar}


class Configuration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, text, name='secret'):
        path = os.path.join(self.folder.name, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def checked(self, command, text):
        path = self.file(text, 'config.yml')
        done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return yaml.safe_load(text)

    def alerts(self, **variables):
        made = unpacked(**variables)
        return made, self.checked(['amtool', 'check-config'], made['alertmanager.yml'][1].replace('/run/x/templates', '/x'))

    def test_every_process_is_scraped_where_the_mesh_has_it(self):
        config = self.checked(['promtool', 'check', 'config', '--syntax-only'], unpacked()['prometheus.yml'][1])
        jobs = {job['job_name']: job for job in config['scrape_configs']}
        self.assertEqual([(each['targets'], each['labels']) for each in jobs['trellis']['static_configs']],
                         [(['127.0.0.1:7102'], {'service': 'auth'}), (['127.0.0.1:7105'], {'service': 'edge'})])
        self.assertTrue(jobs['trellis']['honor_labels'])
        self.assertEqual(jobs['door']['static_configs'][0]['targets'], ['http://127.0.0.1:8080/readyz'])
        self.assertNotIn('certificate', jobs)

    def test_what_is_expected_are_the_services_and_what_is_scraped(self):
        rules = yaml.safe_load(unpacked()['rules/services.yml'][1])['groups'][0]['rules']
        self.assertEqual([rule['labels'].get('service') for rule in rules][:3], ['auth', 'edge', None])
        self.assertEqual({rule['labels']['job'] for rule in rules[2:]},
                         {'prometheus', 'alertmanager', 'blackbox', 'node', 'postgres', 'redis', 'door'})

    def test_a_door_behind_tls_is_asked_by_http_and_for_its_certificate(self):
        config = yaml.safe_load(unpacked(TRELLIS_PUBLIC_URL='https://app.example')['prometheus.yml'][1])
        jobs = {job['job_name']: job['static_configs'][0]['targets'] for job in config['scrape_configs']}
        self.assertEqual(jobs['door'], ['http://127.0.0.1:8080/readyz', 'https://app.example/api/v1/openapi.json'])
        self.assertEqual(jobs['certificate'], ['app.example:443'])

    def test_alerts_come_into_the_mailbox_where_nothing_else_is_said(self):
        made, config = self.alerts(TRELLIS_SMTP_URL='smtp://mail.example')
        self.assertEqual(config['global']['smtp_smarthost'], '127.0.0.1:9096')
        self.assertEqual({way for each in config['receivers'] for way in each if way != 'name'}, {'email_configs'})
        self.assertFalse([name for name in made if name.startswith('secrets/')])

    def test_secrets_are_files_of_their_own_and_stand_nowhere_else(self):
        made, config = self.alerts(
            TRELLIS_ALERT_SLACK_URL_FILE=self.file(SECRET + '\n'), TRELLIS_ALERT_MAIL_TO='a@x.example,b@x.example',
            TRELLIS_SMTP_URL='smtps://mail.example', TRELLIS_SMTP_USER='me', TRELLIS_SMTP_PASSWORD='sesame')
        self.assertEqual(made['secrets/slack-url'], (0o600, SECRET))
        self.assertEqual(made['secrets/smtp-password'], (0o600, 'sesame'))
        for name, (_, text) in made.items():
            if not name.startswith('secrets/'):
                self.assertNotIn('whisper', text)
                self.assertNotIn('sesame', text)
        self.assertEqual(config['global']['smtp_smarthost'], 'mail.example:465')
        self.assertEqual(config['global']['slack_api_url_file'], '/run/x/secrets/slack-url')
        page = next(each for each in config['receivers'] if each['name'] == 'page')
        self.assertEqual(page['email_configs'][0]['to'], 'a@x.example,b@x.example')
        self.assertTrue(page['slack_configs'])

    def test_time_passes_as_fast_as_is_said(self):
        _, text = unpacked('--faster', '60')['rules/mesh.yml']
        self.assertIn('for: 1000ms', text)  # of half a minute: not under a second
        self.assertIn('for: 5000ms', text)  # of five minutes
        self.assertIn('process_start_time_seconds{job="trellis"}[15000ms]', text)
        with open(os.path.join(TOP, 'k8s/observability/rules/mesh.yml'), encoding='utf-8') as file:
            self.assertEqual(unpacked()['rules/mesh.yml'][1], file.read())

    def test_the_same_twice_so_that_nothing_begins_anew(self):
        self.assertEqual(run().stdout, run().stdout)

    def test_what_cannot_be_is_said_without_the_secret(self):
        for sentence, variables in {
            'TRELLIS_ALERT_MAIL_TO is set and TRELLIS_SMTP_URL is not': {'TRELLIS_ALERT_MAIL_TO': 'a@x.example'},
            'TRELLIS_ALERT_MAIL_TO=nobody is no list of addresses':
                {'TRELLIS_ALERT_MAIL_TO': 'nobody', 'TRELLIS_SMTP_URL': 'smtp://mail.example'},
            'TRELLIS_ALERT_SLACK_URL_FILE=/nowhere cannot be read': {'TRELLIS_ALERT_SLACK_URL_FILE': '/nowhere'},
            'TRELLIS_ALERT_SLACK_URL_FILE does not hold one http or https URL':
                {'TRELLIS_ALERT_SLACK_URL_FILE': self.file('whisper')},
            'TRELLIS_ALERT_WATCHDOG_URL does not hold one http or https URL':
                {'TRELLIS_ALERT_WATCHDOG_URL': 'ftp://whisper'},
            'TRELLIS_SMTP_CA=/nowhere cannot be read':
                {'TRELLIS_ALERT_MAIL_TO': 'a@x.example', 'TRELLIS_SMTP_URL': 'smtp://m', 'TRELLIS_SMTP_CA': '/nowhere'},
        }.items():
            with self.subTest(sentence):
                done = run(**variables)
                self.assertEqual(done.returncode, 1)
                self.assertTrue(done.stderr.decode().startswith(sentence), done.stderr)
                self.assertNotIn('whisper', done.stderr.decode())
                self.assertEqual(done.stdout, b'')


class Traces(unittest.TestCase):
    def test_each_one_is_collected_unless_the_caller_says_otherwise(self):
        here = 'http://127.0.0.1:9097'
        for variables, url, ratio in (
                ({}, here, '1'),
                ({'TRELLIS_TRACE_RATIO': '0.5'}, here, '0.5'),
                ({'TRELLIS_TRACE_RATIO_FILE': '/x'}, here, ''),
                ({'TRELLIS_OTLP_URL': 'http://theirs:4318'}, 'http://theirs:4318', ''),
                ({'TRELLIS_OTLP_URL_FILE': '/x', 'TRELLIS_TRACE_RATIO': '0.5'}, '', '0.5')):
            with self.subTest(variables):
                said = subprocess.run(
                    ['bash', '-euc', '. "$0"; OBSERVE_PORT=9090; observe_traces; '
                     'echo "${TRELLIS_OTLP_URL:-} ${TRELLIS_TRACE_RATIO:-}"',
                     os.path.join(TOP, 'tools/sh/observe.sh')],
                    env={'PATH': os.environ['PATH']} | variables, check=True, capture_output=True, text=True).stdout
                self.assertEqual(said, f'{url} {ratio}\n')


class Mailbox(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.port = free.getsockname()[1]
        ready, told = os.pipe()
        self.process = subprocess.Popen(
            ['bash', '-c', f'exec 3>&{told} "$@"', 'mailbox', sys.executable, os.path.join(TOP, 'tools/sh/mailbox.py'),
             str(self.port), self.folder], pass_fds=[told], stderr=subprocess.PIPE, text=True)
        os.close(told)
        self.addCleanup(self.process.stderr.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.assertEqual(os.read(ready, 1), b'\n')
        os.close(ready)

    def test_a_mail_is_kept_as_it_came(self):
        text = 'Subject: one\n\n.a line with a dot\n..two\nan umlaut \u00e4\n'
        with smtplib.SMTP('127.0.0.1', self.port) as client:
            for _ in range(2):
                client.sendmail('a@x', ['b@x', 'c@x'], text.replace('\n', '\r\n').encode())
        names = os.listdir(self.folder)
        self.assertEqual(len(names), 2)
        for name in names:
            self.assertTrue(name.endswith('-alert.eml'))
            with open(os.path.join(self.folder, name), encoding='utf-8') as file:
                self.assertEqual(file.read(), text)

    def test_what_comes_not_whole_or_is_too_long_is_not_kept(self):
        with socket.create_connection(('127.0.0.1', self.port)) as client:
            client.sendall(b'EHLO x\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nSubject: half')
        with smtplib.SMTP('127.0.0.1', self.port) as client:
            with self.assertRaises(smtplib.SMTPDataError):
                client.sendmail('a@x', 'b@x', ('x' * 1000 + '\n') * 1100)
            self.assertEqual(client.docmd('VRFY', 'x')[0], 502)
            client.sendmail('a@x', 'b@x', 'Subject: whole\n')
        self.assertEqual(len(os.listdir(self.folder)), 1)


if __name__ == '__main__':
    unittest.main(verbosity=2)
