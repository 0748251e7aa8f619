"""k8s/: what is committed there is what k8s/generate makes of this build's services, and
each of them has all that it needs, the door's next service included.

  test_k8s.py BUILD
"""
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


if __name__ == '__main__':
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
