"""The chart gives the objects that kustomize gives, for three sets of values, and nothing
that changes from one rendering to the next."""
import os
import re
import unittest

import rendering
from rendering import K8S, mesh, parsed, title

# What a chart must not do: another secret at each rendering, or another object where the
# cluster cannot be asked.
UNSTEADY = re.compile(r'\b(rand[A-Z]\w*|lookup|gen[A-Z]\w*|uuidv4|now|derivePassword|htpasswd|bcrypt|shuffle)\b')
HASHED = re.compile(r'^([a-z0-9-]+-settings)-[a-z0-9]{10}$')


def steady(value):
    """Without the hash of a config map, which each makes in its own way, without mappings
    that are empty, and with what has names in their order: a patch puts its own first."""
    if isinstance(value, dict):
        return {k: steady(v) for k, v in value.items() if v != {} or k == 'selfSigned'}
    if isinstance(value, list):
        named = all(isinstance(one, dict) and 'name' in one for one in value)
        return [steady(one) for one in (sorted(value, key=lambda o: o['name']) if named else value)]
    return HASHED.sub(r'\1-HASH', value) if isinstance(value, str) else value


def by_name(objects):
    found = {}
    for one in objects:
        one = steady(one)
        one['metadata'].pop('namespace', None)
        kept = one['metadata'].get('annotations', {})
        kept.pop('helm.sh/resource-policy', None)
        if not kept:
            one['metadata'].pop('annotations', None)
        assert title(one) not in found, title(one)
        found[title(one)] = one
    return found


def patch(kind, operations, name=None):
    lines = ''.join(f'      - {one}\n' for one in operations)
    named = f', name: {name}' if name else ''
    return f'  - target: {{kind: {kind}{named}}}\n    options: {{allowNameChange: true}}\n    patch: |\n{lines}'


def everything():
    """All that the chart has at once, under other names, numbers and a tag of one's own."""
    components = ['cert-manager', 'clamd', 'collectors', 's3', 'external-secrets', 'cloudnativepg', 'gateway', 'ingress', 'keda',
                  'service-monitor']
    text = rendering.with_components(*components) + '''namespace: elsewhere
configMapGenerator:
  - name: trellis-settings
    behavior: merge
    literals: [TRELLIS_PUBLIC_URL=https://api.example.org, TRELLIS_LOG_LEVEL=debug]
  - name: auth-settings
    behavior: merge
    literals: [TRELLIS_SESSION_HOURS=48]
images:
'''
    for name in [*mesh().names, 'ctl']:
        text += f'  - {{name: trellis/{name}, newName: registry.example.org/t/trellis/{name}, newTag: "2.0_rc.1"}}\n'
    text += 'patches:\n'
    for one in mesh().services:
        if one.schema:
            text += patch('Job', [f'{{op: replace, path: /metadata/name, value: {one.name}-migrate-2-0-rc-1}}'],
                          f'{one.name}-migrate-.*')
    text += patch('ScaledObject', ['{op: replace, path: /spec/maxReplicaCount, value: 30}'], 'edge')
    text += patch('Deployment', ['{op: replace, path: /spec/template/spec/containers/0/resources, value: '
                                 '{requests: {cpu: "1", memory: 1Gi}, limits: {cpu: "2", memory: 2Gi}}}'], 'edge')
    text += patch('Ingress', ['{op: replace, path: /spec/rules/0/host, value: api.example.org}',
                              '{op: replace, path: /spec/tls/0/hosts/0, value: api.example.org}',
                              '{op: replace, path: /spec/ingressClassName, value: traefik}'])
    text += patch('Gateway', ['{op: replace, path: /spec/listeners/0/hostname, value: api.example.org}'])
    text += patch('HTTPRoute', ['{op: replace, path: /spec/hostnames/0, value: api.example.org}'])
    text += patch('Cluster', ['{op: replace, path: /spec/instances, value: 5}'])
    return text, {
        'image': {'registry': 'registry.example.org/t', 'tag': '2.0_rc.1'},
        'settings': {'TRELLIS_PUBLIC_URL': 'https://api.example.org', 'TRELLIS_LOG_LEVEL': 'debug'},
        'components': {
            'autoscaling': 'keda', 'certManager': {'enabled': True}, 'clamd': {'enabled': True},
            'collectors': {'enabled': True}, 's3': {'enabled': True},
            'cloudNativePG': {'enabled': True, 'instances': 5}, 'externalSecrets': {'enabled': True},
            'gateway': {'enabled': True}, 'ingress': {'enabled': True, 'className': 'traefik'},
            'monitoring': {'enabled': True}},
        'services': {
            'auth': {'settings': {'TRELLIS_SESSION_HOURS': '48'}},
            'edge': {'replicas': {'max': 30}, 'resources': {
                'requests': {'cpu': '1', 'memory': '1Gi'}, 'limits': {'cpu': '2', 'memory': '2Gi'}}}}}


def small():
    """One replica of each, without TLS, with Secrets of other names."""
    text = rendering.with_components('no-tls') + 'patches:\n'
    text += ('  - target: {kind: HorizontalPodAutoscaler}\n    patch: |\n      $patch: delete\n'
             '      apiVersion: autoscaling/v2\n      kind: HorizontalPodAutoscaler\n      metadata: {name: any}\n')
    text += patch('Deployment', ['{op: add, path: /spec/replicas, value: 1}'])
    sources = '/volumes/0/projected/sources'
    text += patch('Deployment', [
        f'{{op: replace, path: /spec/template/spec{sources}/0/secret/name, value: own-keys}}'], 'tenants')
    for kind, top, name in (('Job', '/spec/template/spec', '.*-migrate-.*'), ('CronJob', '/spec/jobTemplate/spec/template/spec', '.*-maintain')):
        text += patch(kind, [f'{{op: replace, path: {top}{sources}/1/secret/name, value: own-admin}}'], name)
    return text, {
        'secrets': {'admin': 'own-admin'},
        'components': {'tls': False, 'autoscaling': 'none'},
        'services': {**{name: {'replicas': {'min': 1}} for name in mesh().names},
                     'tenants': {'replicas': {'min': 1}, 'secrets': {'keys': 'own-keys'}}}}


class Chart(unittest.TestCase):
    maxDiff = 4000

    def same(self, text, values):
        charted = rendering.chart(values)
        mine, theirs = parsed([charted, rendering.kustomize_with(text)])
        mine, theirs = by_name(mine), by_name(theirs)
        self.assertEqual(sorted(mine), sorted(theirs))
        for name, one in mine.items():
            self.assertEqual(one, theirs[name], name)
        self.assertEqual(rendering.chart(values), charted)
        wrong = {name: said for name, said in zip(mine, rendering.judged_types(list(mine.values()))) if said}
        self.assertEqual(wrong, {})

    def test_as_it_comes(self):
        self.same('resources: ["{k8s}/base"]\n', {})

    def test_with_everything(self):
        self.same(*everything())

    def test_small(self):
        self.same(*small())

    def test_it_makes_no_secret_and_asks_nobody(self):
        folder = os.path.join(K8S, 'chart', 'templates')
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                text = file.read()
            actions = ' '.join(re.findall(r'\{\{.*?\}\}', text, re.S))
            self.assertIsNone(UNSTEADY.search(actions), name)
            self.assertNotRegex(text, r'(?m)^kind: Secret$', name)

    def test_a_config_map_is_another_with_another_setting_and_helm_keeps_the_former(self):
        def maps(values):
            return {o['metadata']['name'] for o in parsed([rendering.chart(values)])[0] if o['kind'] == 'ConfigMap'}
        before, after = maps({}), maps({'services': {'auth': {'settings': {'TRELLIS_SESSION_HOURS': '1'}}}})
        self.assertEqual({HASHED.sub(r'\1', name) for name in before ^ after}, {'auth-settings'})
        self.assertEqual(len(before - after), 1)
        for one in parsed([rendering.chart({})])[0]:
            if one['kind'] == 'ConfigMap':
                self.assertEqual(one['metadata']['annotations'], {'helm.sh/resource-policy': 'keep'})

    def test_values_that_cannot_be(self):
        wrong = [
            ({'imag': {}}, 'additional properties'),
            ({'image': {'tag': 'latest'}}, '/image/tag must NOT be valid'),
            ({'image': {'tag': ''}}, '/image/tag must match pattern'),
            ({'settings': {'LOG_LEVEL': 'info'}}, 'property name must be valid'),
            ({'settings': {'TRELLIS_SENTRY_DSN': 'https://key@host/1'}}, 'property name must be valid'),
            ({'services': {'auth': {'settings': {'TRELLIS_SEAL_KEY': 'x'}}}}, 'property name must be valid'),
            ({'settings': {'TRELLIS_MAX_ACTORS': 4096}}, '/settings/TRELLIS_MAX_ACTORS must be string'),
            ({'settings': {'TRELLIS_PUBLIC_URL': 'trellis.example.com'}}, '/settings/TRELLIS_PUBLIC_URL must match'),
            ({'components': {'autoscaling': 'both'}}, '/components/autoscaling must be equal to one of'),
            ({'services': {'auth': {'replicas': {'min': 0}}}}, '/services/auth/replicas/min must be >= 1'),
            ({'services': {'nobody': {}}}, '/services must NOT have additional properties'),
            ({'services': {'edge': {'resources': {'limits': {'memory': None}}}}}, '/limits/memory must be string,number')]
        values = rendering.chart_values()
        said = rendering.judged_values([values] + [rendering.merged(values, own) for own, _ in wrong])
        self.assertEqual(said[0], [])
        for (own, wanted), one in zip(wrong, said[1:]):
            self.assertIn(wanted, '\n'.join(one), own)


if __name__ == '__main__':
    unittest.main()
