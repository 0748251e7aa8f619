"""k8s/: what is committed there is what k8s/generate makes of this build's services, and
each of them has all that it needs, the door's next service included.

  test_k8s.py BUILD
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
K8S = os.path.join(TOP, 'k8s')
GENERATE = os.path.join(K8S, 'generate')
BUILD = ''

sys.path.insert(0, os.path.join(K8S, 'generator'))
import kustomize  # noqa: E402
from mesh import Mesh  # noqa: E402


def told(name, **more):
    return {'name': name, 'calls': [], 'reads': [], 'schema': True, 'redis': False, 'seals': False,
            'outside': False, 'settings': [], **more}


class Committed(unittest.TestCase):
    def run_generate(self, *words):
        return subprocess.run([GENERATE, '--build', BUILD, *words], capture_output=True, text=True, check=False)

    def test_it_is_up_to_date(self):
        done = self.run_generate('--check')
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_what_was_edited_forgotten_or_left_behind_is_seen(self):
        with tempfile.TemporaryDirectory() as out:
            self.assertEqual(self.run_generate('--out', out).returncode, 0)
            self.assertEqual(self.run_generate('--out', out, '--check').returncode, 0)
            for path, text in (('base/auth.yaml', 'edited'), ('chart/templates/gone.yaml', 'of before')):
                with open(os.path.join(out, path), 'a', encoding='utf-8') as file:
                    file.write(text)
            os.remove(os.path.join(out, 'components', 'keda', 'objects.yaml'))
            done = self.run_generate('--out', out, '--check')
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.splitlines()[1:], [
                '  base/auth.yaml', '  chart/templates/gone.yaml', '  components/keda/objects.yaml'])
            self.assertEqual(self.run_generate('--out', out).returncode, 0)
            self.assertEqual(self.run_generate('--out', out, '--check').returncode, 0)

    def test_a_tag_of_ones_own_is_everywhere(self):
        with tempfile.TemporaryDirectory() as out:
            self.run_generate('--out', out, '--tag', '2030.05_Rc.1')
            text = {}
            for path in ('base/auth.yaml', 'chart/values.yaml', 'chart/Chart.yaml'):
                with open(os.path.join(out, path), encoding='utf-8') as file:
                    text[path] = file.read()
            self.assertEqual(set(re.findall(r'image: "trellis/auth:(.*)"', text['base/auth.yaml'])), {'2030.05_Rc.1'})
            self.assertIn('name: auth-migrate-2030-05-rc-1\n', text['base/auth.yaml'])
            self.assertIn('tag: "2030.05_Rc.1"', text['chart/values.yaml'])
            self.assertIn('version: "0.', text['chart/Chart.yaml'])  # a chart's own is a semantic version

    def test_overlays_are_the_operators(self):
        with tempfile.TemporaryDirectory() as out:
            self.run_generate('--out', out)
            path = os.path.join(out, 'overlays', 'prod', 'kustomization.yaml')
            with open(path, 'w', encoding='utf-8') as file:
                file.write('mine')
            self.run_generate('--out', out)
            with open(path, encoding='utf-8') as file:
                self.assertEqual(file.read(), 'mine')


class Next(unittest.TestCase):
    """A service that comes later is in without a line here."""

    def files(self, *services):
        return dict(kustomize.files(Mesh({'services': list(services)}, '1.2.3-rc1'), []))

    def policy(self, text):
        return text[text.index('kind: NetworkPolicy'):]

    def test_a_product_service_is_in(self):
        door = told('edge', calls=['shop'], schema=False, settings=[{'name': 'TRELLIS_HTTP_LISTEN', 'secret': False}])
        files = self.files(told('shop', reads=['edge']), door)
        shop = files['base/shop.yaml']
        for kind in ('ServiceAccount', 'Deployment', 'Service', 'PodDisruptionBudget', 'HorizontalPodAutoscaler',
                     'NetworkPolicy', 'Job', 'CronJob'):
            self.assertIn(f'\nkind: {kind}\n', shop)
        self.assertIn('name: shop-migrate-1-2-3-rc1\n', shop)
        self.assertIn('- shop.yaml', files['base/kustomization.yaml'])
        self.assertIn('dns+tls+tcp://shop:7100', files['base/edge.yaml'])
        for component in ('cert-manager', 'keda', 'external-secrets', 'databases'):
            self.assertIn('shop', files[f'components/{component}/objects.yaml'])
        self.assertIn('name: shop', files['components/no-tls/kustomization.yaml'])

    def test_only_who_reaches_outside_is_let_out(self):
        door = told('edge', settings=[{'name': 'TRELLIS_HTTP_LISTEN', 'secret': False}])
        files = self.files(told('inner'), told('outer', outside=True), door)
        self.assertNotIn('ipBlock', files['base/inner.yaml'])
        self.assertIn('cidr: "0.0.0.0/0"', files['base/outer.yaml'])
        self.assertIn('- "169.254.0.0/16"', files['base/outer.yaml'])

    def test_who_calls_nobody_and_stores_nothing_reaches_nobody(self):
        door = told('edge', schema=False, settings=[{'name': 'TRELLIS_HTTP_LISTEN', 'secret': False}])
        files = self.files(told('quiet', schema=False), door)
        egress = self.policy(files['base/quiet.yaml']).split('egress:')[1]
        self.assertEqual(re.findall(r'port: (\d+)', egress), ['53', '53'])
        self.assertNotIn('initContainers', files['base/quiet.yaml'])
        self.assertNotIn('kind: Job', files['base/quiet.yaml'])


class Stores(unittest.TestCase):
    """k8s/stores: URLs of PostgreSQL and Redis as Secrets."""
    GIVEN = {'TRELLIS_PG_URL': 'postgresql://db:5432/trellis?sslmode=require', 'TRELLIS_REDIS_URL': 'redis://:x@r:6379'}

    def run_stores(self, *words, **given):
        env = {'PATH': os.environ['PATH'], **self.GIVEN, **given}
        return subprocess.run([os.path.join(K8S, 'stores'), *words], capture_output=True, text=True, check=False, env=env)

    def test_each_role_has_a_password_of_its_own(self):
        done = self.run_stores('--suffix', '.project', TRELLIS_PG_ADMIN_URL='postgresql://p:q@db/trellis')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        urls = re.findall(r'(pg-url-[a-z-]+): "postgresql://([a-z_.]+):([0-9a-f]{48})@db:5432/trellis\?sslmode=require"', done.stdout)
        self.assertEqual([url[:2] for url in urls if 'auth' in url[0]],
                         [('pg-url-auth', 'auth_app.project'), ('pg-url-auth-sys', 'auth_sys.project')])
        self.assertEqual(len({password for _, _, password in urls}), len(urls))
        self.assertIn('  pg-admin-url: "postgresql://p:q@db/trellis"\n', done.stdout)
        self.assertNotEqual(self.run_stores().stdout, self.run_stores().stdout)

    def test_they_are_what_pods_mount(self):
        made = re.findall(r'\n  name: (trellis-[a-z-]+)\n', self.run_stores().stdout)
        mounted = set()
        for name in os.listdir(os.path.join(K8S, 'base')):
            with open(os.path.join(K8S, 'base', name), encoding='utf-8') as file:
                mounted |= set(re.findall(r'name: (trellis-[a-z]+-stores)\n', file.read()))
        self.assertEqual(set(made), mounted)

    def test_what_cannot_be_is_refused(self):
        for given, wanted in (({'TRELLIS_PG_URL': ''}, 'TRELLIS_PG_URL is not set'),
                              ({'TRELLIS_PG_URL': 'db:5432'}, 'TRELLIS_PG_URL is not postgresql://HOST'),
                              ({'TRELLIS_PG_URL': 'postgresql://me@db/trellis'}, 'has a user'),
                              ({'TRELLIS_PG_ADMIN_URL': 'mysql://db'}, 'TRELLIS_PG_ADMIN_URL is not postgresql://HOST'),
                              ({'TRELLIS_REDIS_URL': 'rediss://r'}, 'TRELLIS_REDIS_URL is not redis://HOST')):
            done = self.run_stores(**given)
            self.assertEqual((done.returncode, done.stdout), (1, ''), given)
            self.assertIn(wanted, done.stderr)


class Ctl(unittest.TestCase):
    """k8s/ctl, with a kubectl of the test's own that knows one CronJob."""
    CRONJOB = {'spec': {'jobTemplate': {'spec': {'template': {
        'metadata': {'labels': {'app': 'ctl'}}, 'spec': {'containers': [{'name': 'ctl', 'args': ['stats']}]}}}}}}
    KUBECTL = """#!/bin/sh
cd "$FOLDER" && shift && echo "$*" >>said
case $* in
*"get cronjob ctl"*) cat cronjob ;;
*create*) cat >pod ;;
*"status.phase"*) echo Running ;;
*exitCode*) echo 3 ;;
*logs*) echo told ;;
esac
"""

    def test_it_is_a_pod_of_the_template_and_ends_as_that_does(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (('kubectl', self.KUBECTL), ('cronjob', json.dumps(self.CRONJOB))):
                with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
                    file.write(text)
            os.chmod(os.path.join(folder, 'kubectl'), 0o755)
            done = subprocess.run(
                [os.path.join(K8S, 'ctl'), '--namespace', 'shop', 'jobs', 'list', '--state', 'dead; x'], check=False,
                capture_output=True, text=True, env={'PATH': f'{folder}:{os.environ["PATH"]}', 'FOLDER': folder})
            self.assertEqual((done.returncode, done.stdout, done.stderr), (3, 'told\n', ''))
            with open(os.path.join(folder, 'pod'), encoding='utf-8') as file:
                pod = json.load(file)
            self.assertEqual(pod['metadata']['labels'], {'app': 'ctl'})
            self.assertEqual(pod['spec']['containers'], [{'name': 'ctl', 'args': ['jobs', 'list', '--state', 'dead; x']}])
            with open(os.path.join(folder, 'said'), encoding='utf-8') as file:
                said = file.read().splitlines()
            self.assertEqual(said[-1], f'shop delete pod {pod["metadata"]["name"]} --wait=false')


if __name__ == '__main__':
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
