"""Rules that every object below k8s/ keeps, whoever adds the next: types, pods under the
restricted profile, limits, probes, no secret where it shows, one who scales, budgets that
let a node be emptied; and what each component promises.

Over 400 lines: each rule stands beside the others that read the same objects."""
import copy
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import rendering
from rendering import K8S, WORKLOADS, containers, matches, mesh, of_kind, rendered, settings_of, template, title

SECRETS = '/etc/trellis/secrets/'
CREDENTIAL = re.compile(r'://[^/\s]*:[^/@\s]+@')
QUIET = {'ASAN_OPTIONS': 'detect_leaks=0:detect_stack_use_after_return=0'}
HASHED = re.compile(r'-[a-z0-9]{10}$')


def program(path):
    return os.path.join(os.environ['BUILD'], path)


class Everywhere(unittest.TestCase):
    """What holds in each rendering."""
    maxDiff = 4000
    at = ''  # what is looked at

    def _formatMessage(self, msg, standardMsg):
        return super()._formatMessage(f'{self.at} {msg or ""}', standardMsg)

    def each(self, *kinds):
        for where, objects in rendered().items():
            for one in of_kind(objects, *kinds) if kinds else objects:
                self.at = f'{where}: {title(one)}'
                yield one, objects

    def each_pod(self):
        for one, objects in self.each(*WORKLOADS):
            yield one, template(one)['spec'], objects

    def test_types(self):
        known = {}
        for one, _ in self.each():
            known[str(one)] = one
        objects = list(known.values())
        wrong = {title(one): said for one, said in zip(objects, rendering.judged_types(objects)) if said}
        self.assertEqual(wrong, {})

    def test_a_field_that_no_type_has_fails_in_every_kind(self):
        known = {one['kind']: one for objects in rendered().values() for one in objects}
        self.assertGreater(len(known), 20)
        planted = []
        for one in known.values():
            one = copy.deepcopy(one)
            one.get('spec', one)['replicsa'] = 1
            planted.append(one)
        deep = copy.deepcopy(known['Deployment'])
        deep['spec']['template']['spec']['containers'][0]['securityContext']['runAsNonroot'] = True
        value = copy.deepcopy(known['ScaledObject'])
        value['spec']['fallback'] = {'failureThreshold': 3, 'replicas': 2, 'behavior': 'stay'}
        for one, said in zip([*planted, deep, value], rendering.judged_types([*planted, deep, value])):
            self.assertNotEqual(said, [], title(one))

    def test_rendered_twice_it_is_the_same(self):
        for name in rendering.OVERLAYS:
            folder = os.path.join(K8S, 'overlays', name)
            self.assertEqual(rendering.kustomize(folder), rendering.kustomize(folder))

    def test_pods_are_restricted(self):
        for _, pod, _ in self.each_pod():
            context = pod['securityContext']
            self.assertTrue(context['runAsNonRoot'])
            self.assertGreater(context['runAsUser'], 0)
            self.assertEqual(context['seccompProfile'], {'type': 'RuntimeDefault'})
            self.assertEqual([k for k in pod if k.startswith('host')], [])
            self.assertFalse(pod['automountServiceAccountToken'])
            # Else every Service's address would be a variable beside the settings.
            self.assertFalse(pod['enableServiceLinks'])
            for one in containers(pod):
                self.assertEqual(one['securityContext'], {
                    'allowPrivilegeEscalation': False, 'readOnlyRootFilesystem': True,
                    'capabilities': {'drop': ['ALL']}})
            for volume in pod['volumes']:
                self.assertLessEqual(set(volume) - {'name'}, {'projected', 'secret', 'emptyDir', 'persistentVolumeClaim'})

    def test_overlays_enforce_it(self):
        for name in rendering.OVERLAYS:
            space, = of_kind(rendered()[f'overlays/{name}'], 'Namespace')
            self.assertEqual(space['metadata']['labels']['pod-security.kubernetes.io/enforce'], 'restricted')

    def test_accounts_have_no_token(self):
        for one, _ in self.each('ServiceAccount'):
            self.assertIs(one['automountServiceAccountToken'], False)

    def test_requests_and_limits(self):
        for _, pod, _ in self.each_pod():
            for one in containers(pod):
                self.assertEqual(sorted(one['resources']), ['limits', 'requests'])
                for amounts in one['resources'].values():
                    self.assertEqual(sorted(amounts), ['cpu', 'memory'])
            for volume in pod['volumes']:
                if 'emptyDir' in volume:
                    self.assertIn('sizeLimit', volume['emptyDir'])

    def test_images_are_of_one_release(self):
        for _, pod, _ in self.each_pod():
            for one in containers(pod):
                self.assertRegex(one['image'], r'^[a-z0-9./-]+:[A-Za-z0-9._-]+$')
                self.assertNotRegex(one['image'], r':latest$')
                if one['image'].startswith('trellis/'):
                    self.assertTrue(one['image'].endswith(f':{mesh().version}'))

    def test_probes(self):
        for _, pod, _ in self.each_pod():
            for one in pod['containers']:
                if 'ports' in one and one['image'].startswith('trellis/'):
                    for probe, path in (('startupProbe', '/livez'), ('livenessProbe', '/livez'),
                                        ('readinessProbe', '/readyz')):
                        self.assertEqual(one[probe]['httpGet'], {'path': path, 'port': 'ops'})
                elif 'ports' in one:
                    self.assertIn('livenessProbe', one)
                    self.assertIn('readinessProbe', one)

    def test_no_secret_shows(self):
        secret = {*mesh().secrets, 'TRELLIS_REDIS_URL', 'TRELLIS_PG_ADMIN_URL'}
        self.assertGreaterEqual(secret, {'TRELLIS_BUS_TLS_KEY', 'TRELLIS_SEAL_KEY', 'TRELLIS_SENTRY_DSN'})
        for _, pod, _ in self.each_pod():
            for one in containers(pod):
                self.assertNotIn('secretRef', str(one.get('envFrom')))
                for variable in one.get('env') or []:
                    self.assertNotIn('valueFrom', variable)
                    self.assertNotIn(variable['name'], secret)
                    self.assertNotRegex(variable['name'], r'^TRELLIS_(PG_URL|BUS_KEY).*(?<!_FILE)$')
        for one, _ in self.each('ConfigMap'):
            for name, value in one['data'].items():
                self.assertNotIn(name, secret)
                self.assertNotRegex(value, CREDENTIAL)

    def test_no_secret_is_made(self):
        for where, objects in rendered().items():
            made = of_kind(objects, 'Secret')
            if where in ('overlays/dev', 'components/databases'):  # addresses, without a password
                for one in made:
                    for value in one['stringData'].values():
                        self.assertNotRegex(value, CREDENTIAL)
            else:
                self.assertEqual(made, [])

    def test_files_that_are_named_are_mounted(self):
        for one, pod, _ in self.each_pod():
            for each in containers(pod):
                mounts = {mount['mountPath'] for mount in each['volumeMounts']}
                for variable in each.get('env') or []:
                    if variable['name'].endswith('_FILE'):
                        self.assertIn(os.path.dirname(variable['value']), mounts)
                self.assertLessEqual({mount['name'] for mount in each['volumeMounts']},
                                     {volume['name'] for volume in pod['volumes']})

    def test_config_maps_carry_a_hash_and_jobs_know_none(self):
        for one, pod, objects in self.each_pod():
            named = [source['configMapRef']['name'] for each in containers(pod) for source in each.get('envFrom') or []]
            self.assertLessEqual(set(named), {o['metadata']['name'] for o in of_kind(objects, 'ConfigMap')})
            for name in named:
                self.assertRegex(name, HASHED)
            if one['kind'] == 'Job':
                self.assertEqual(named, [])

    def test_one_scales_each_deployment(self):
        for where, objects in rendered().items():
            for one in of_kind(objects, 'Deployment'):
                name = one['metadata']['name']
                with self.subTest(f'{where}: {name}'):
                    scalers = [o['kind'] for o in of_kind(objects, 'HorizontalPodAutoscaler', 'ScaledObject')
                               if o['spec']['scaleTargetRef']['name'] == name]
                    scalers += ['replicas'] if 'replicas' in one['spec'] else []
                    self.assertEqual(len(scalers), 1, scalers)
                    if where == 'components/keda':
                        self.assertEqual(scalers, ['ScaledObject'])

    def test_two_replicas_at_least_where_something_scales(self):
        for one, _ in self.each('HorizontalPodAutoscaler', 'ScaledObject'):
            spec = one['spec']
            self.assertEqual(spec.get('minReplicas', spec.get('minReplicaCount')), 2)

    def test_a_budget_lets_a_node_be_emptied(self):
        for one, objects in self.each('PodDisruptionBudget'):
            self.assertNotIn('minAvailable', one['spec'])
            for replicas in (1, 2, 5):
                healthy_at_least = replicas - one['spec']['maxUnavailable']
                self.assertGreaterEqual(replicas - healthy_at_least, 1)
        for where, objects in rendered().items():
            for one in of_kind(objects, 'Deployment', 'StatefulSet'):
                budgets = [o for o in of_kind(objects, 'PodDisruptionBudget')
                           if matches(o['spec']['selector'], template(one)['metadata']['labels'])]
                self.assertEqual(len(budgets), 1, f'{where}: {title(one)}')

    def test_selectors_select_their_pods_only(self):
        """A job's pod gets no calls, and keeps no budget."""
        for one, objects in self.each('Service', 'PodDisruptionBudget', 'Deployment', 'StatefulSet'):
            selector = one['spec']['selector']
            selector = {'matchLabels': selector} if one['kind'] == 'Service' else selector
            chosen = [title(o) for o in of_kind(objects, *WORKLOADS)
                      if matches(selector, template(o)['metadata']['labels'])]
            self.assertEqual(len(chosen), 1, chosen)

    def test_spread_by_revision(self):
        for one, _ in self.each('Deployment'):
            pod = template(one)
            for constraint in pod['spec']['topologySpreadConstraints']:
                self.assertEqual(constraint['matchLabelKeys'], ['pod-template-hash'])
                self.assertTrue(matches(constraint['labelSelector'], pod['metadata']['labels']))

    def test_there_is_time_to_stop(self):
        for where, objects in rendered().items():
            for one in of_kind(objects, 'Deployment'):
                pod = template(one)['spec']
                wanted = 25 + int(settings_of(template(one)['spec']['containers'][0], objects)['TRELLIS_DRAIN_SECONDS'])
                self.assertGreater(pod['terminationGracePeriodSeconds'], wanted, where)
        base = rendered()['base']
        self.assertEqual({settings_of(template(one)['spec']['containers'][0], base)['TRELLIS_DRAIN_SECONDS'] for one in of_kind(base, 'Deployment')}, {'5'})

    def test_whoever_leaves_for_new_files_is_seen_to_go_before_it_stops_listening(self):
        """Nobody is told, so readiness has failed by then (bus/service/stop.c)."""
        base = rendered()['base']
        for one in of_kind(base, 'Deployment'):
            container = template(one)['spec']['containers'][0]
            settings, probe = settings_of(container, base), container['readinessProbe']
            seen = probe['periodSeconds'] * (probe['failureThreshold'] + 1)
            self.assertGreater(3 * int(settings['TRELLIS_DRAIN_SECONDS']), seen)
            # and before anybody is told that it did not go (TrellisSettingStale)
            self.assertTrue(0 < int(settings['TRELLIS_RENEW_SECONDS']) < 90 * 60)

    def test_a_schema_is_migrated_waited_for_and_kept(self):
        for where, objects in rendered().items():
            names = {title(one): one for one in objects}
            for service in mesh().services:
                pod = template(names[f'Deployment {service.name}'])['spec']
                job = names.get(f'Job {service.name}-migrate-{mesh().tag}')
                upkeep = names.get(f'CronJob {service.name}-maintain')
                waits = [one['args'] for one in pod.get('initContainers', [])]
                self.assertEqual(waits, [['migrate', '--wait']] if service.schema else [], where)
                self.assertEqual([job is None, upkeep is None], [not service.schema] * 2, where)
                if job:
                    self.assertEqual(template(job)['spec']['containers'][0]['args'], ['migrate'])
                    self.assertEqual(template(upkeep)['spec']['containers'][0]['args'], ['maintain'])


class Settings(unittest.TestCase):
    """With the keys that `trellis keys init` makes, and what an operator gives."""

    @classmethod
    def setUpClass(cls):
        work = tempfile.TemporaryDirectory()
        cls.addClassCleanup(work.cleanup)
        cls.keys = os.path.join(work.name, 'keys')
        subprocess.run([program('tools/ctl/trellis'), 'keys', 'init', '--dir', cls.keys], check=True,
                       capture_output=True, env=QUIET)
        for one in mesh().services:
            for name, value in [(f'pg-url-{one.name}', 'postgresql://a:b@c:5432/d'),
                                (f'pg-url-{one.name}-sys', 'postgresql://a:b@c:5432/d'), ('redis-url', 'redis://r:6379')]:
                with open(os.path.join(cls.keys, one.name, name), 'w', encoding='utf-8') as file:
                    file.write(value)
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                            '-subj', f'/CN={one.name}', '-days', '2', '-keyout', 'tls.key', '-out', 'tls.crt'], check=True,
                           capture_output=True, cwd=os.path.join(cls.keys, one.name))
            shutil.copy(os.path.join(cls.keys, one.name, 'tls.crt'), os.path.join(cls.keys, one.name, 'ca.crt'))

    def test_every_service_would_start_with_them(self):
        """The binary says so itself, with the files where the cluster has them."""
        for where in ('base', 'overlays/dev', 'overlays/prod'):
            for one in of_kind(rendered()[where], 'Deployment'):
                name = one['metadata']['name']
                environment = {key: os.path.join(self.keys, name, os.path.basename(value)) if key.endswith('_FILE') else value
                               for key, value in settings_of(template(one)['spec']['containers'][0], rendered()[where]).items()}
                done = subprocess.run([program(f'services/trellis-{name}'), '--check-config'],
                                      env={**QUIET, **environment}, capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ''), f'{where}: {title(one)}')

    def test_every_key_that_is_made_is_read(self):
        for one in of_kind(rendered()['base'], 'Deployment'):
            name = one['metadata']['name']
            read = {os.path.basename(value) for key, value in settings_of(template(one)['spec']['containers'][0], rendered()['base']).items()
                    if key.endswith('_FILE') and value.startswith(SECRETS)}
            made = {file for file in os.listdir(os.path.join(self.keys, name)) if not file.startswith(('pg-', 'redis-', 'ca.', 'tls.'))}
            self.assertEqual({file for file in read if not file.startswith(('pg-', 'redis-'))}, made, name)


class Components(unittest.TestCase):
    def test_files_lie_in_one_volume_of_all_replicas_or_with_s3_in_none(self):
        for where, claimed in (('base', True), ('components/s3', False)):
            objects = rendered()[where]
            claims = {one['metadata']['name']: one['spec'] for one in of_kind(objects, 'PersistentVolumeClaim')}
            self.assertEqual(list(claims), ['media'] if claimed else [])
            if claimed:
                self.assertEqual(claims['media']['accessModes'], ['ReadWriteMany'])
            for one in of_kind(objects, 'Deployment'):
                pod = template(one)['spec']
                kept = [v for v in pod['volumes'] if v['name'] == 'files']
                self.assertEqual(len(kept), one['metadata']['name'] == 'media', where)
                for volume in kept:
                    self.assertEqual(set(volume), {'name', 'persistentVolumeClaim' if claimed else 'emptyDir'})
                    settings = settings_of(pod['containers'][0], objects)
                    mounted, = [m for m in pod['containers'][0]['volumeMounts'] if m['name'] == 'files']
                    self.assertEqual(mounted['mountPath'], settings['TRELLIS_RUN_DIR'] + '/media')
                    self.assertEqual(settings.get('TRELLIS_MEDIA_STORE', 'local'), 'local' if claimed else 's3')
                    if not claimed:
                        self.assertEqual(settings['TRELLIS_S3_SECRET_FILE'], SECRETS + 's3-secret')
                        self.assertEqual(settings['TRELLIS_MEDIA_FOLDER'], mounted['mountPath'])

    def test_the_store_and_the_scanner_are_reached_where_there_are_any(self):
        for where, port in (('components/s3', 9000), ('components/clamd', 3310)):
            def out(objects):
                return {(p['metadata']['name'], one['port']) for p in of_kind(objects, 'NetworkPolicy')
                        for rule in p['spec'].get('egress') or [] for one in rule.get('ports', [])}
            self.assertNotIn(port, {number for _, number in out(rendered()['base'])})
            new = out(rendered()[where]) - out(rendered()['base'])
            self.assertIn(port, {number for _, number in new})
            self.assertEqual({name.split('-')[0] for name, _ in new}, {'media'})

    def test_the_ingress_lets_uploads_and_streams_through_as_they_come(self):
        nginx = 'nginx.ingress.kubernetes.io/'
        wanted = {'proxy-body-size': '0', 'proxy-request-buffering': 'off', 'proxy-buffering': 'off',
                  'proxy-read-timeout': '3600', 'proxy-send-timeout': '3600'}
        own = {'components': {'ingress': {'enabled': True, 'annotations': {'example.org/own': 'yes'}}}}
        charted, = of_kind(rendering.parsed([rendering.chart(own)])[0], 'Ingress')
        self.assertEqual(charted['metadata']['annotations']['example.org/own'], 'yes')
        found = [charted, *(one for objects in rendered().values() for one in of_kind(objects, 'Ingress'))]
        self.assertGreaterEqual(len(found), 3)  # the chart's, the component's, prod's
        for one in found:
            said = one['metadata']['annotations']
            self.assertEqual({name: said.get(nginx + name) for name in wanted}, wanted)

    def test_keda_never_takes_no_data_for_nought(self):
        scaled = of_kind(rendered()['components/keda'], 'ScaledObject')
        figures = ''
        for name in os.listdir(os.path.join(rendering.TOP, 'shared', 'jobs')):
            if name.endswith('.c'):
                with open(os.path.join(rendering.TOP, 'shared', 'jobs', name), encoding='utf-8') as file:
                    figures += file.read()
        self.assertEqual(len(scaled), len(mesh().services))
        for one in scaled:
            triggers = {trigger['type']: trigger for trigger in one['spec']['triggers']}
            self.assertIn('cpu', triggers)  # goes on where Prometheus is away
            service = next(s for s in mesh().services if s.name == one['metadata']['name'])
            self.assertEqual('prometheus' in triggers, service.schema)
            if 'prometheus' in triggers:
                self.assertEqual(triggers['prometheus']['metadata']['ignoreNullValues'], 'false')
                self.assertEqual(triggers['prometheus']['metricType'], 'AverageValue')  # as a fallback needs
                self.assertEqual(one['spec']['fallback']['behavior'], 'currentReplicas')
                name = re.match(r'max\((\w+)\{', triggers['prometheus']['metadata']['query'])[1]
                self.assertIn(f'"{name}"', figures)
        self.assertEqual(of_kind(rendered()['components/keda'], 'HorizontalPodAutoscaler'), [])

    def test_certificates_have_a_new_key_each_time_and_the_name_that_is_dialled(self):
        objects = rendered()['components/cert-manager']
        names = {}
        for one in of_kind(objects, 'Certificate'):
            spec = one['spec']
            self.assertEqual(spec['privateKey']['rotationPolicy'], 'Never' if spec.get('isCA') else 'Always')
            names[spec['secretName']] = spec.get('dnsNames')
        for one in of_kind(objects, 'Deployment'):
            volume, = [v for v in template(one)['spec']['volumes'] if v['name'] == 'tls']
            self.assertEqual(names[volume['secret']['secretName']], [one['metadata']['name']])
            for variable in template(one)['spec']['containers'][0]['env']:
                if variable['name'].startswith('TRELLIS_PEER_'):
                    host = re.fullmatch(r'dns\+tls\+tcp://([a-z0-9]+):7100', variable['value'])[1]
                    self.assertIn([host], names.values())

    def test_secrets_from_outside_stay_when_they_are_gone_there(self):
        objects = rendered()['components/external-secrets']
        external = {one['spec']['target']['name']: one for one in of_kind(objects, 'ExternalSecret')}
        for one in external.values():
            self.assertEqual(one['spec']['target']['deletionPolicy'], 'Retain')
            self.assertEqual(one['spec']['target']['creationPolicy'], 'Orphan')
        wanted = {source['secret']['name'] for one in of_kind(objects, *WORKLOADS)
                  for volume in template(one)['spec']['volumes'] if 'projected' in volume
                  for source in volume['projected']['sources'] if not source['secret'].get('optional')}
        self.assertEqual(set(external), wanted)

    def test_no_tls_leaves_none_of_it(self):
        for where in ('components/no-tls', 'overlays/dev'):
            for one in of_kind(rendered()[where], 'Deployment', 'CronJob'):
                self.assertNotIn('tls', str(one).lower(), f'{where}: {title(one)}')

    def test_rules_are_those_of_observability_word_for_word(self):
        folder = os.path.join(rendering.TOP, 'k8s', 'observability', 'rules')
        files = sorted(name for name in os.listdir(folder) if name.endswith('.yml')) if os.path.isdir(folder) else []
        wrapped = {one['metadata']['name']: one['spec']
                   for one in of_kind(rendered()['components/service-monitor'], 'PrometheusRule')}
        self.assertEqual(sorted(wrapped), sorted('trellis-' + name.removesuffix('.yml') for name in files))
        texts = []
        for name in files:
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                texts.append(file.read())
        for name, (one,) in zip(files, rendering.parsed(texts)):
            self.assertEqual(wrapped['trellis-' + name.removesuffix('.yml')], one)

    def test_one_host_is_said_once(self):
        path = os.path.join(K8S, 'overlays', 'prod', 'kustomization.yaml')
        with open(path, encoding='utf-8') as file:
            text = file.read().replace('https://trellis.example.com', 'https://api.example.org') \
                .replace('- ../../', '- {k8s}/').replace('  - namespace.yaml\n', '')
        objects, = rendering.parsed([rendering.kustomize_with(text)])
        ingress, = of_kind(objects, 'Ingress')
        self.assertEqual(ingress['spec']['rules'][0]['host'], 'api.example.org')
        self.assertEqual(ingress['spec']['tls'][0]['hosts'], ['api.example.org'])
        self.assertNotIn('trellis.example.com', str([one for one in objects if one['kind'] != 'ConfigMap']))


if __name__ == '__main__':
    unittest.main()
