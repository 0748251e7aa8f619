"""Rules, alerts, their runbook, the words that Alertmanager sends, and dashboards.

Each alert has a severity, a summary, a paragraph in k8s/RUNBOOK.md and, in promtool's
tests, a case in which it fires and one in which it must not, on series that it reads."""
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests/observe'))
import expressions  # noqa: E402
from expressions import files  # noqa: E402

FOLDER = os.path.join(TOP, 'k8s/observability')
RUNBOOK = 'k8s/RUNBOOK.md'
ALWAYS = 'TrellisWatchdog'  # it has no case in which it must not fire


def read(*names):
    with open(os.path.join(TOP, *names), encoding='utf-8') as file:
        return file.read()


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, check=False, **more)


@functools.cache
def rules():
    return list(expressions.rules())


@functools.cache
def alerts():
    return {rule['alert']: rule for rule in rules() if 'alert' in rule}


def names(expression):
    """The series that an expression reads, those behind recorded ones, too."""
    recorded = {rule['record']: rule['expr'] for rule in rules() if 'record' in rule}
    found = expressions.names(expression)
    return found.union(*[expressions.names(recorded[name]) for name in found if name in recorded])


def paragraphs():
    """Of the runbook, by heading."""
    parts = re.split(r'^### (\w+)$', read(RUNBOOK), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class Rules(unittest.TestCase):
    def test_rules_are_rules(self):
        done = run('promtool', 'check', 'rules', '--lint-fatal', *files('rules'))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alerts_fire_and_do_not_fire_as_their_cases_say(self):
        done = run('promtool', 'test', 'rules', *files('rules_tests'))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(self):
        loud, quiet = set(), set()
        for path in files('rules_tests'):
            for test in yaml.safe_load(read(path))['tests']:
                there = {re.match(r'[^{]*', each['series'])[0] for each in test.get('input_series', [])}
                for case in test['alert_rule_test']:
                    alert = alerts()[case['alertname']]
                    if case.get('exp_alerts'):
                        loud.add(case['alertname'])
                    elif there & names(alert['expr']):
                        quiet.add(case['alertname'])
        self.assertEqual(sorted(loud), sorted(alerts()))
        self.assertEqual(sorted(quiet), sorted(set(alerts()) - {ALWAYS}))

    def test_each_alert_says_how_bad_it_is_what_it_is_and_where_more_stands(self):
        for name, alert in alerts().items():
            with self.subTest(name):
                self.assertRegex(name, r'^Trellis[A-Z]\w+$')
                self.assertIn(alert['labels']['severity'], ('page', 'ticket'))
                self.assertLess(len(alert['annotations']['summary']), 200)
                self.assertEqual(alert['annotations']['runbook'], f'{RUNBOOK}#{name.lower()}')

    def test_each_alert_has_its_paragraph_and_each_paragraph_its_alert(self):
        self.assertEqual(sorted(paragraphs()), sorted(alerts()))
        for name, text in paragraphs().items():
            with self.subTest(name):
                for part in ('Means', 'Look at', 'Do'):
                    self.assertRegex(text, rf'(?m)^\*\*{part}:\*\* \S.{{7,}}')


def alert(status='firing', labels=None, annotations=None):
    return {'status': status, 'labels': labels or {}, 'annotations': annotations or {},
            'startsAt': '2026-01-02T03:04:05Z', 'endsAt': '2026-01-02T03:14:05Z'}


def data(*told, status='firing'):
    """What Alertmanager gives to a template: labels that all have stand beside the alerts."""
    common = dict(set.intersection(*[set(each['labels'].items()) for each in told]))
    return {'receiver': 'page', 'status': status, 'alerts': list(told), 'groupLabels': {},
            'commonLabels': common, 'commonAnnotations': {}, 'externalURL': 'http://alerts.example'}


def rendered(templates, told):
    """One's text, or those of several with a record separator between them."""
    names = [templates] if isinstance(templates, str) else templates
    text = '\x1e'.join(f'{{{{ template "{name}" . }}}}' for name in names)
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        json.dump(told, file)
        file.flush()
        done = run('amtool', 'template', 'render', f'--template.glob={FOLDER}/templates/*.tmpl',
                   f'--template.text={text}', f'--template.data={file.name}')
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


LABELS = {'alertname': 'TrellisServiceGone', 'service': 'auth', 'severity': 'page'}
WORDS = {'summary': 'no process of auth answers', 'runbook': 'k8s/RUNBOOK.md#trellisservicegone'}
ALL = ('trellis.subject', 'trellis.color', 'trellis.slack', 'trellis.mail')


class Words(unittest.TestCase):
    def test_the_configuration_is_one(self):
        done = run('amtool', 'check-config', os.path.join(FOLDER, 'alertmanager.yml'))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_page_has_two_ways_and_all_else_one(self):
        config = yaml.safe_load(read('k8s/observability/alertmanager.yml'))
        receivers = {each['name']: each for each in config['receivers']}
        for name, ways in {'page': ['slack_configs', 'email_configs'], 'ticket': ['email_configs']}.items():
            for way in ways:
                self.assertTrue(all(each['send_resolved'] for each in receivers[name][way]))
        for labels, receiver in ({'severity': 'page'}, 'page'), ({'severity': 'ticket'}, 'ticket'), \
                ({}, 'ticket'), ({'severity': 'odd'}, 'ticket'), ({'alertname': ALWAYS}, 'watchdog'):
            done = run('amtool', 'config', 'routes', 'test', '--config.file',
                       os.path.join(FOLDER, 'alertmanager.yml'),
                       *[f'{key}={value}' for key, value in labels.items()])
            self.assertEqual(done.stdout.strip(), receiver, labels)

    def test_one_alert(self):
        told = data(alert(labels=LABELS, annotations=WORDS))
        self.assertEqual(rendered('trellis.subject', told), '[PAGE] TrellisServiceGone auth')
        self.assertEqual(rendered('trellis.color', told), 'danger')
        self.assertEqual(rendered('trellis.slack', told),
                         'no process of auth answers (k8s/RUNBOOK.md#trellisservicegone)\n')
        mail = rendered('trellis.mail', told)
        for line in ('no process of auth answers', 'What to do: k8s/RUNBOOK.md#trellisservicegone',
                     'Since 2026-01-02 03:04:05 UTC', 'http://alerts.example'):
            self.assertIn(line + '\n', mail)

    def test_many_alerts_are_counted_and_some_shown(self):
        told = data(*[alert(labels=LABELS | {'service': f's{i}'}, annotations=WORDS) for i in range(50)])
        self.assertEqual(rendered('trellis.subject', told), '[PAGE x50] TrellisServiceGone')
        for template in ('trellis.slack', 'trellis.mail'):
            text = rendered(template, told)
            self.assertIn('... 50 in all fire.', text)
            self.assertEqual(text.count(WORDS['summary']), 10)

    def test_resolved_ones_say_so(self):
        told = data(alert('resolved', LABELS, WORDS), status='resolved')
        self.assertEqual(rendered('trellis.subject', told), '[RESOLVED] TrellisServiceGone auth')
        self.assertEqual(rendered('trellis.color', told), 'good')
        self.assertTrue(rendered('trellis.slack', told).startswith('Resolved: no process'))
        self.assertIn('until 2026-01-02 03:14:05 UTC', rendered('trellis.mail', told))
        both = data(alert(labels=LABELS, annotations=WORDS), alert('resolved', LABELS, WORDS))
        self.assertEqual(rendered('trellis.slack', both).count(WORDS['summary']), 2)

    def test_an_alert_without_labels_and_annotations_is_told(self):
        told = data(alert())
        self.assertEqual(rendered('trellis.subject', told), '[FIRING] Several alerts')
        for template in ('trellis.slack', 'trellis.mail'):
            self.assertIn('An alert without a name', rendered(template, told))
        nameless = data(alert(labels={'alertname': 'X'}))
        self.assertEqual(rendered('trellis.subject', nameless), '[FIRING] X')
        self.assertEqual(rendered('trellis.slack', nameless), 'X\n')

    def test_an_annotation_of_5000_characters_is_cut(self):
        told = data(alert(labels=LABELS | {'path': 'y' * 5000},
                          annotations={name: 'x' * 5000 for name in ('summary', 'description', 'runbook')}))
        self.assertLess(len(rendered('trellis.slack', told)), 700)
        self.assertLess(len(rendered('trellis.mail', told)), 2500)

    def test_what_slack_would_read_as_a_command_is_escaped(self):
        told = data(alert(labels=LABELS, annotations={'summary': '<!channel> a & b "c"\n*d*'}))
        self.assertEqual(rendered('trellis.slack', told), '&lt;!channel&gt; a &amp; b "c"\n*d*\n')

    def test_nothing_is_left_out_by_a_word_that_a_template_does_not_know(self):
        for status in ('firing', 'resolved'):
            for labels in {}, LABELS, {'severity': 'odd'}, {'alertname': '"<&\n\u00e9'}:
                for words in {}, {'summary': ''}:
                    told = data(alert(status, labels, words), status=status)
                    texts = rendered(ALL, told).split('\x1e')
                    self.assertTrue(all(text.strip() for text in texts), (labels, texts))


class Dashboards(unittest.TestCase):
    def test_grafana_takes_them_as_they_are(self):
        """Neither asked for a data source nor for an id, wherever they are provisioned."""
        seen = set()
        for name, board in expressions.dashboards():
            with self.subTest(name):
                self.assertIsNone(board['id'])
                self.assertEqual(board['uid'], 'trellis-' + name.removesuffix('.json'))
                self.assertFalse({'__inputs', '__requires', '__elements'} & set(board))
                variables = board['templating']['list']
                self.assertEqual((variables[0]['name'], variables[0]['type']), ('datasource', 'datasource'))
                self.assertEqual(set(re.findall(r'\$\{(\w+)\}', json.dumps(board))), {'datasource'})
                for each in board['panels'] + [t for p in board['panels'] for t in p['targets']] + variables[1:]:
                    self.assertEqual(each['datasource'], {'type': 'prometheus', 'uid': '${datasource}'})
                seen.add(board['uid'])
        self.assertEqual(seen, {'trellis-overview', 'trellis-mesh', 'trellis-data'})

    def test_panels_have_their_place(self):
        for name, board in expressions.dashboards():
            with self.subTest(name):
                ids = [panel['id'] for panel in board['panels']]
                self.assertEqual(len(ids), len(set(ids)))
                places = [(x, y) for panel in board['panels'] for place in [panel['gridPos']]
                          for x in range(place['x'], place['x'] + place['w'])
                          for y in range(place['y'], place['y'] + place['h'])]
                self.assertEqual(len(places), len(set(places)))
                self.assertLess(max(x for x, _ in places), 24)

    def test_their_queries_are_queries(self):
        asked = [query for _, board in expressions.dashboards()
                 for _, query in expressions.queries(board, service='.*')]
        with tempfile.NamedTemporaryFile('w', suffix='.yml') as file:
            json.dump({'groups': [{'name': 'asked', 'rules': [
                {'record': f'asked:{i}', 'expr': query} for i, query in enumerate(asked)]}]}, file)
            file.flush()
            done = run('promtool', 'check', 'rules', file.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(len(asked), 60)


if __name__ == '__main__':
    unittest.main(verbosity=2)
