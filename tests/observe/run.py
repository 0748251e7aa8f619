"""The observed mesh from end to end: run.py BUILD

tools/up --observe with the rules' times sixty times as fast. Whatever rules and dashboards
name is there; auth is killed until it loops, and Slack and a mailbox are told so and that
it is over; a Slack that is too busy does not keep a page from the mailbox."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
import expressions  # noqa: E402
from people import PATH, Front, Mailbox, Slack  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
HTTP = '127.0.0.1:' + subprocess.run([os.path.join(TOP, 'tests/free_port')], check=True,
                                    stdout=subprocess.PIPE, text=True).stdout.strip()
BUILD = ''


def until(what, condition, seconds=60):
    """Waits for a condition, and gives what it gives."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {seconds} s: {what}')
        threading.Event().wait(0.1)


class Observed(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix='trellis-observe.', dir='/var/tmp')
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        os.chmod(cls.work, 0o755)
        cls.slack, cls.mailbox = Slack(), Mailbox()
        cls.addClassCleanup(cls.slack.close)
        cls.addClassCleanup(cls.mailbox.close)
        cls.front = Front(cls.work)
        cls.addClassCleanup(cls.front.close)
        secret = os.path.join(cls.work, 'slack-url')
        with open(secret, 'w', encoding='ascii') as file:
            file.write(cls.slack.url + PATH + '\n')
        os.chmod(secret, 0o600)
        cls.environment = {
            name: value for name, value in os.environ.items()
            if not re.match(r'TRELLIS_(PG|REDIS|TEST)', name)} | {
                'TRELLIS_RUN_DIR': os.path.join(cls.work, 'run'),
                'TRELLIS_HTTP_LISTEN': HTTP,
                'TRELLIS_PUBLIC_URL': cls.front.url,
                'SSL_CERT_FILE': cls.front.certificate,
                'TRELLIS_SMTP_URL': f'smtp+plain://127.0.0.1:{cls.mailbox.port}',
                'TRELLIS_ALERT_MAIL_TO': 'oncall@example.test, second@example.test',
                'TRELLIS_ALERT_SLACK_URL_FILE': secret,
                'TRELLIS_ALERT_WATCHDOG_URL': cls.slack.url + '/watchdog',
            }
        cls.addClassCleanup(cls.tool, 'down', '--erase')
        signal.signal(signal.SIGTERM, lambda *_: (cls.tool('down', '--erase'), os._exit(1)))
        cls.said = cls.tool('up', f'--build={BUILD}', '--tls', '--observe', '--faster=60')
        cls.prometheus = re.search(r'Figures are at (\S+),', cls.said)[1]
        cls.traffic()

    @classmethod
    def tool(cls, name, *words):
        done = subprocess.run([os.path.join(TOP, 'tools', name), *words], env=cls.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f'tools/{name} failed:\n{done.stdout}')
        return done.stdout

    @classmethod
    def call(cls, path, body=None, token=None):
        headers = {'Content-Type': 'application/json'} | ({'Authorization': f'Bearer {token}'} if token else {})
        request = urllib.request.Request(f'http://{HTTP}/api/v1/{path}', headers=headers,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b'null')

    @classmethod
    def traffic(cls):
        """Something of what happens without a fault: somebody signs up and founds."""
        password = {'email': 'ada@example.test', 'password': 'correct horse battery'}
        token = cls.call('auth/signup', password | {'display_name': 'Ada'})['session']['token']
        proof = until('the mail', lambda: [
            re.search(r'token=([\w-]+)', mail.get_body().get_content())[1]
            for to, mail in cls.mailbox.mails if to == ['ada@example.test']])
        cls.call('auth/email/verify', {'token': proof[0]}, token)
        tenant = cls.call('tenants', {'slug': 'acme', 'display_name': 'Acme'}, token)['id']
        cls.look = lambda _: [cls.call(f'tenants/{tenant}', token=token) for _ in range(20)]

    def ask(self, query):
        """The series that an expression gives now."""
        url = f'{self.prometheus}/api/v1/query?' + urllib.parse.urlencode({'query': query})
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)['data']['result']

    def in_the_end_nothing(self, left):
        """What is left is nothing, once rules have been evaluated and series been seen twice."""
        try:
            until('nothing', lambda: not left(), 60)
        except AssertionError:
            self.assertEqual(left(), [])

    def supervise(self, option, service):
        """A word to the supervisor, as the mesh's user."""
        script = f'. "{TOP}/tools/sh/base.sh"; find_run_dir; as_user s6-svc {option} "$RUN/scan/{service}"'
        subprocess.run(['bash', '-c', script, TOP + '/tools/x'], env=self.environment, check=True)

    def pid(self, service):
        found = subprocess.run(['pgrep', '-f', f'^{self.work}/run/bin/trellis-{service}$'],
                               capture_output=True, text=True, check=False).stdout.split()
        return int(found[0]) if found else None

    def told(self, state, alert):
        """Whether both ways have told of it."""
        title = f'[{state}] {alert}'
        return title in self.slack.titles() and title in self.mailbox.subjects()

    def test_1_all_is_scraped_within_15_seconds(self):
        self.assertNotIn('warning:', self.said)
        jobs = {each['metric']['job'] for each in self.ask('up == 1')}
        self.assertEqual(jobs, {'trellis', 'prometheus', 'alertmanager', 'blackbox', 'node',
                                'postgres', 'redis', 'door', 'certificate'})
        self.assertEqual(self.ask('up == 0'), [])

    def test_2_each_trace_that_begins_here_is_collected(self):
        wanted = set()
        for _ in range(20):
            with urllib.request.urlopen(f'http://{HTTP}/api/v1/openapi.json') as answer:
                wanted.add(answer.headers['traceparent'].split('-')[1])

        def missing():
            with open(os.path.join(self.work, 'run/observe/traces.jsonl'), encoding='utf-8') as file:
                text = file.read()
            return [trace for trace in sorted(wanted) if trace not in text]

        self.assertEqual(len(wanted), 20)
        self.in_the_end_nothing(missing)

    def test_3_what_rules_and_dashboards_name_is_there(self):
        named = set().union(*[expressions.names(rule['expr']) for rule in expressions.rules()])
        for _, dashboard in expressions.dashboards():
            for _, query in expressions.queries(dashboard, service='.*'):
                named |= expressions.names(query)
        self.assertGreater(len(named), 60)
        self.in_the_end_nothing(lambda: [
            name for name in sorted(named) if not self.ask(f'count({name})')])

    def test_4_each_query_of_the_dashboards_gets_data(self):
        # What is of five minutes is of five seconds here: requests go on.
        self.in_the_end_nothing(lambda: self.look() and [
            (name, title, query) for name, dashboard in expressions.dashboards()
            for title, query in expressions.queries(dashboard, window='2m', service='.*')
            if all(each['value'][1] == 'NaN' for each in self.ask(query))])

    def test_5_the_watchdog_fires_and_nothing_else(self):
        until('two watchdogs', lambda: self.slack.watchdogs >= 2)
        firing = [each['metric']['alertname'] for each in self.ask('ALERTS{alertstate="firing"}')]
        self.assertEqual(firing, ['TrellisWatchdog'])
        self.assertEqual(self.slack.titles(), [])

    def test_6_auth_is_killed_until_it_loops_and_both_ways_tell_it_and_that_it_is_over(self):
        former = None

        def killed():
            nonlocal former
            pid = self.pid('auth')
            up = self.ask('up{service="auth", job="trellis"} == 1')
            if pid and pid != former and up:
                started = self.ask('process_start_time_seconds{service="auth", job="trellis"}')
                if not former or float(started[0]['value'][1]) > self.started:
                    self.started = float(started[0]['value'][1])
                    os.kill(pid, signal.SIGKILL)
                    former = pid
            return self.told('PAGE', 'TrellisCrashLoop auth')

        until('the alert at Slack and in the mailbox', killed, 120)
        recipients, mail = next((to, mail) for to, mail in self.mailbox.mails if 'CrashLoop' in mail['Subject'])
        self.assertEqual(recipients, ['oncall@example.test', 'second@example.test'])
        text = mail.get_body().get_content()
        self.assertIn('auth (127.0.0.1:', text)
        self.assertIn('k8s/RUNBOOK.md#trelliscrashloop', text)
        attachment = next(each for told in self.slack.taken for each in told['attachments']
                          if 'CrashLoop' in each['title'])
        self.assertEqual(attachment['color'], 'danger')
        self.assertIn('k8s/RUNBOOK.md#trelliscrashloop', attachment['text'])
        until('both tell that it is over', lambda: self.told('RESOLVED', 'TrellisCrashLoop auth'), 120)

    def test_7_a_slack_that_is_too_busy_does_not_keep_a_page_from_the_mailbox(self):
        self.slack.busy = True
        self.supervise('-d', 'tenants')
        title = '[PAGE] TrellisServiceGone tenants'
        until('the mail', lambda: title in self.mailbox.subjects())
        self.assertNotIn(title, self.slack.titles())
        until('the mail that Slack is not reached',
              lambda: '[PAGE] TrellisAlertsUndelivered' in self.mailbox.subjects())
        self.assertTrue(self.slack.refused)
        self.slack.busy = False
        until('Slack, with the next turn', lambda: title in self.slack.titles())
        self.supervise('-u', 'tenants')
        until('both tell that it is over', lambda: self.told('RESOLVED', 'TrellisServiceGone tenants'))

    def test_8_what_cannot_be_is_said_and_what_runs_is_left_alone(self):
        before = self.pid('edge')
        for sentence, words, variables in (
                ('TRELLIS_ALERT_SLACK_URL_FILE=/nowhere cannot be read', [], {'TRELLIS_ALERT_SLACK_URL_FILE': '/nowhere'}),
                ('TRELLIS_ALERT_MAIL is not', [], {'TRELLIS_ALERT_MAIL': 'a@x.example'}),
                ('--faster takes a number', ['--faster=0'], {})):
            done = subprocess.run(
                [os.path.join(TOP, 'tools/up'), f'--build={BUILD}', '--tls', '--observe', *words],
                env=self.environment | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(sentence, done.stdout)
        self.assertEqual(self.pid('edge'), before)
        self.assertTrue(self.ask('up == 1'))

    def test_9_without_observe_all_of_it_is_taken_away(self):
        self.tool('up', f'--build={BUILD}', '--tls')
        left = subprocess.run(['pgrep', '-f', f'{self.work}/run/(observe|scan/observe)'], capture_output=True, text=True, check=False)
        self.assertEqual(left.stdout, '')
        with self.assertRaises(urllib.error.URLError):
            self.ask('up')


if __name__ == '__main__':
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2, failfast=True)
