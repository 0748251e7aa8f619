"""objects.py - what every service has in the cluster, made of what it says of itself.
k8s/README.md says what for."""
from emit import Note, Value, When

BUS, NOTICES, OPS, HTTP = 7100, 7110, 9100, 8080
SECRETS, TLS, RUN = '/etc/trellis/secrets', '/etc/trellis/tls', '/run/trellis'
USER = 65532
# What people outside may be reached by: web hooks and mail (shared/http/out_url.c).
OUTSIDE_PORTS = [25, 80, 443, 465, 587, 8080, 8443]
# Nothing of the cluster's own, of its neighbours or of the cloud's metadata.
PRIVATE_4 = ['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16',
             '172.16.0.0/12', '192.168.0.0/16', '224.0.0.0/4', '240.0.0.0/4']
PRIVATE_6 = ['::/128', '::1/128', 'fc00::/7', 'fe80::/10', 'ff00::/8']
# Measured (k8s/README.md): the request holds what a service has under load, the limit some
# times that. auth's is TRELLIS_ARGON2_SLOTS hashes of 64 MiB each, and the rest; billing's
# is trellis-pdf, whose fonts count while it runs; media's is
# what one trellis-picture may take (896 MiB), the parts of uploads that a bucket gets
# (512 MiB), and the rest: each further one of TRELLIS_MEDIA_RENDERERS wants 1 GiB more.
RESOURCES = {
    None: {'requests': {'cpu': '100m', 'memory': '32Mi'}, 'limits': {'cpu': '2', 'memory': '128Mi'}},
    'auth': {'requests': {'cpu': '250m', 'memory': '160Mi'}, 'limits': {'cpu': '3', 'memory': '320Mi'}},
    'billing': {'requests': {'cpu': '100m', 'memory': '64Mi'}, 'limits': {'cpu': '2', 'memory': '256Mi'}},
    'edge': {'requests': {'cpu': '250m', 'memory': '64Mi'}, 'limits': {'cpu': '2', 'memory': '256Mi'}},
    'media': {'requests': {'cpu': '250m', 'memory': '64Mi'}, 'limits': {'cpu': '3', 'memory': '2048Mi'}},
}
# Where what people upload lies, or with S3 what is looked at of it: below the run folder, as
# it is by itself.
FILES = f'{RUN}/media'
S3 = '.Values.components.s3.enabled'
# What has another value here than on one machine. Counts are a node's where nothing is said.
SETTINGS = {
    'TRELLIS_ARGON2_SLOTS': '2',
    'TRELLIS_HTTP_MAX_PER_ADDRESS': '0',  # each connection comes from the same few proxies
    'TRELLIS_TRUSTED_HOPS': '1',
}
SHARED_SETTINGS = {
    'TRELLIS_DRAIN_SECONDS': '5',
    'TRELLIS_EDGE_REPLICAS': '2',
    'TRELLIS_LOG_LEVEL': 'info',
    'TRELLIS_PUBLIC_URL': 'https://trellis.example.com',
    'TRELLIS_RENEW_SECONDS': '3600',  # a replica at a time, and cert-manager is a month early
}
REPLICAS = {'min': 2, 'max': 10}
LOOP = '700m'  # a process has one loop, so it is busy before it has used one core
GRACE = 35  # 5 s of TRELLIS_DRAIN_SECONDS, 25 s to finish, and some


def resources(name):
    return RESOURCES.get(name, RESOURCES[None])


def settings(service):
    return {'TRELLIS_MAX_ACTORS': '4096',
            **{k: v for k, v in SETTINGS.items() if k in service.settings}}


def labels(name, component='service'):
    return {'app.kubernetes.io/name': name, 'app.kubernetes.io/component': component,
            'app.kubernetes.io/part-of': 'trellis'}


def meta(name, of=None, component='service', **more):
    return {'name': name, **more, 'labels': labels(of or name, component)}


def of(service, path):
    """A value of the chart that belongs to one service, or to the operator's command."""
    return f'.Values.{"" if service.name == "ctl" else "services."}{service.name}.{path}'


def secret_file(setting):
    """The file of a secret setting: agreed with `trellis keys init`."""
    return f'{SECRETS}/{setting.removeprefix("TRELLIS_").lower().replace("_", "-")}'


def by_file(setting):
    return {'name': f'{setting}_FILE', 'value': secret_file(setting)}


def address(host, port):
    return Value(f'tls+tcp://{host}:{port}', '{{ include "trellis.scheme" . }}://%s:%d' % (host, port))


class Named:
    """Names of Secrets, which somebody else makes."""

    def __init__(self, service):
        self.service = service

    def __getattr__(self, kind):
        return Value(f'trellis-{self.service.name}-{kind}', '{{ %s }}' % of(self.service, f'secrets.{kind}'))


def database(service):
    names = [f'TRELLIS_PG_URL_{service.upper}', f'TRELLIS_PG_URL_{service.upper}_SYS']
    return [by_file(name) for name in names] if service.schema else []


def peers(service):
    return [{'name': f'TRELLIS_PEER_{name.upper()}',
             'value': Value(f'dns+tls+tcp://{name}:{BUS}',
                            'dns+{{ include "trellis.scheme" . }}://%s:%d' % (name, BUS))}
            for name in service.finds]


def keeps_files(service):
    return 'TRELLIS_MEDIA_FOLDER' in service.settings


TLS_FILES = When('.Values.components.tls', [
    {'name': 'TRELLIS_BUS_TLS_CA_FILE', 'value': f'{TLS}/ca.crt'},
    {'name': 'TRELLIS_BUS_TLS_CERT_FILE', 'value': f'{TLS}/tls.crt'},
    {'name': 'TRELLIS_BUS_TLS_KEY_FILE', 'value': f'{TLS}/tls.key'}])


# What it is told beside its settings: where it listens, whom it finds, which files it reads.
def environment(service):
    made = [f'TRELLIS_BUS_KEY_{name.upper()}' for name in service.keys]
    made += ['TRELLIS_SEAL_KEY'] if service.seals else []
    # Other secrets are optional (Secret NAME-given): who gives one names its file.
    made += ['TRELLIS_PASSWORD_PEPPER'] if 'TRELLIS_PASSWORD_PEPPER' in service.settings else []
    return [
        {'name': f'TRELLIS_LISTEN_{service.upper}', 'value': address('0.0.0.0', BUS)},
        {'name': f'TRELLIS_NOTICE_LISTEN_{service.upper}', 'value': address('0.0.0.0', NOTICES)},
        {'name': f'TRELLIS_OPS_LISTEN_{service.upper}', 'value': f'0.0.0.0:{OPS}'},
        *([{'name': 'TRELLIS_HTTP_LISTEN', 'value': f'0.0.0.0:{HTTP}'}] if service.door else []),
        {'name': 'TRELLIS_RUN_DIR', 'value': RUN},
        *peers(service),
        *[by_file(name) for name in made],
        *database(service),
        *([by_file('TRELLIS_REDIS_URL')] if service.redis else []),
        TLS_FILES,
        *([When(S3, S3_SETTINGS, usual=False)] if keeps_files(service) else []),
    ]


S3_SETTINGS = [{'name': 'TRELLIS_MEDIA_STORE', 'value': 's3'}, by_file('TRELLIS_S3_SECRET'),
               {'name': 'TRELLIS_MEDIA_FOLDER', 'value': FILES}]  # what is looked at, not /tmp


def image(service, mesh):
    return Value(f'trellis/{service.name}:{mesh.version}',
                 '{{ include "trellis.image" (list . "%s") }}' % service.name)


def container(service, mesh, name, arguments, env, mounts, **more):
    return {
        'name': name,
        'image': image(service, mesh),
        'command': ['/trellis' if service.name == 'ctl' else f'/trellis-{service.name}'],
        'args': arguments,
        **more,
        'env': env,
        'securityContext': {'allowPrivilegeEscalation': False, 'readOnlyRootFilesystem': True,
                            'capabilities': {'drop': ['ALL']}},
        'resources': Value(resources(service.name), 'toJson ' + of(service, 'resources'), raw=True),
        'volumeMounts': mounts,
    }


def mount(name, path, **more):
    return {'name': name, 'mountPath': path, **more}


SECRETS_MOUNT = mount('secrets', SECRETS, readOnly=True)
TLS_MOUNT = When('.Values.components.tls', [mount('tls', TLS, readOnly=True)])


def from_secret(name, optional=False, items=None):
    one = {'name': name}
    if items:
        one['items'] = items
    if optional:
        one['optional'] = True
    return {'secret': one}


def secrets(*sources):
    return {'name': 'secrets', 'projected': {'defaultMode': 0o440, 'sources': list(sources)}}


def tls_volume(secret):
    return When('.Values.components.tls', [
        {'name': 'tls', 'secret': {'secretName': secret.tls, 'defaultMode': 0o440}}])


POD = {
    'automountServiceAccountToken': False,
    # Its variables would be named as settings are, and be none.
    'enableServiceLinks': False,
    'securityContext': {'runAsNonRoot': True, 'runAsUser': USER, 'runAsGroup': USER, 'fsGroup': USER,
                        'fsGroupChangePolicy': 'OnRootMismatch',
                        'seccompProfile': {'type': 'RuntimeDefault'}},
}


def probe(path, period, failures, timeout):
    return {'httpGet': {'path': path, 'port': 'ops'}, 'periodSeconds': period,
            'failureThreshold': failures, 'timeoutSeconds': timeout}


def spread(service):
    selector = {'matchLabels': labels(service.name)}
    return [{'maxSkew': 1, 'topologyKey': key, 'whenUnsatisfiable': 'ScheduleAnyway',
             'labelSelector': selector, 'matchLabelKeys': ['pod-template-hash']}
            for key in ('topology.kubernetes.io/zone', 'kubernetes.io/hostname')]


def config_map(name, values):
    """The name of a config map: kustomize puts a hash of what is in it behind it, and so
    does the chart."""
    return {'configMapRef': {'name': Value(name, '%s-{{ include "trellis.hash" %s }}' % (name, values))}}


def pod(service, mesh):
    secret = Named(service)
    serve = container(
        service, mesh, service.name, ['run'], environment(service),
        [SECRETS_MOUNT, TLS_MOUNT, mount('run', RUN), mount('tmp', '/tmp'),
         *([mount('files', FILES)] if keeps_files(service) else [])],
        ports=[{'name': 'bus', 'containerPort': BUS}, {'name': 'notices', 'containerPort': NOTICES},
               {'name': 'ops', 'containerPort': OPS},
               *([{'name': 'http', 'containerPort': HTTP}] if service.door else [])],
        envFrom=[config_map('trellis-settings', '.Values.settings'),
                 config_map(f'{service.name}-settings', of(service, 'settings'))],
        startupProbe=probe('/livez', 1, 60, 1),
        livenessProbe=probe('/livez', 10, 3, 3),
        readinessProbe=probe('/readyz', 3, 2, 2))
    wait = container(service, mesh, 'wait', ['migrate', '--wait'], database(service), [SECRETS_MOUNT])
    return {
        'serviceAccountName': service.name,
        **POD,
        'terminationGracePeriodSeconds': GRACE,
        'topologySpreadConstraints': spread(service),
        **({'initContainers': [wait]} if service.schema else {}),
        'containers': [serve],
        'volumes': [
            secrets(from_secret(secret.keys),
                    *([from_secret(secret.stores)] if service.schema or service.redis else []),
                    from_secret(secret.given, optional=True)),
            tls_volume(secret),
            {'name': 'run', 'emptyDir': {'sizeLimit': '64Mi'}},
            {'name': 'tmp', 'emptyDir': {'sizeLimit': '64Mi'}},
            *(files(service) if keeps_files(service) else []),
        ],
    }


SPOOL = {'sizeLimit': '10Gi'}


def files(service):
    """Every replica has the same folder; or, with S3, one each for what it looks at."""
    return [When(f'not {S3}', [{'name': 'files', 'persistentVolumeClaim': {'claimName': service.name}}]),
            When(S3, [{'name': 'files', 'emptyDir': SPOOL}], usual=False)]


def claim(service):
    storage = '.Values.components.files'
    return {
        'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim',
        'metadata': {**meta(service.name), 'annotations': When(
            'true', {'helm.sh/resource-policy': 'keep'}, usual=False)},
        'spec': {
            'accessModes': ['ReadWriteMany'],
            'storageClassName': When(f'{storage}.className', Value('', '{{ %s.className }}' % storage), usual=False),
            'resources': {'requests': {'storage': Value('100Gi', '{{ %s.storage }}' % storage)}}},
    }


def deployment(service, mesh):
    return {
        'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': meta(service.name),
        'spec': {
            # Where something scales it, it is nobody else's to say.
            'replicas': When('eq .Values.components.autoscaling "none"',
                             Value(REPLICAS['min'], of(service, 'replicas.min'), raw=True), usual=False),
            'revisionHistoryLimit': 3,
            'minReadySeconds': 5,  # callers look at DNS every 5 s
            'strategy': {'type': 'RollingUpdate',
                         'rollingUpdate': {'maxSurge': 1, 'maxUnavailable': 0}},
            'selector': {'matchLabels': labels(service.name)},
            'template': {'metadata': {'labels': labels(service.name)}, 'spec': pod(service, mesh)},
        },
    }


def port(name, number):
    return {'name': name, 'port': number, 'targetPort': name}


def services(service):
    """Headless, for callers find each pod. People come by one address."""
    yield {
        'apiVersion': 'v1', 'kind': 'Service', 'metadata': meta(service.name),
        'spec': {'clusterIP': 'None', 'selector': labels(service.name),
                 'ports': [port('bus', BUS), port('notices', NOTICES), port('ops', OPS)]},
    }
    if service.door:
        yield {
            'apiVersion': 'v1', 'kind': 'Service',
            'metadata': meta(f'{service.name}-http', service.name, 'door'),
            'spec': {'type': 'ClusterIP', 'selector': labels(service.name),
                     'ports': [{'name': 'http', 'port': 80, 'targetPort': 'http'}]},
        }


def disruption(service):
    return {
        'apiVersion': 'policy/v1', 'kind': 'PodDisruptionBudget', 'metadata': meta(service.name),
        # Of one replica, too, one may go: else a node could never be emptied.
        'spec': {'maxUnavailable': 1, 'unhealthyPodEvictionPolicy': 'AlwaysAllow',
                 'selector': {'matchLabels': labels(service.name)}},
    }


def replicas(service, which):
    return Value(REPLICAS[which], of(service, f'replicas.{which}'), raw=True)


def autoscaler(service):
    return {
        'apiVersion': 'autoscaling/v2', 'kind': 'HorizontalPodAutoscaler', 'metadata': meta(service.name),
        'spec': {
            'scaleTargetRef': {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'name': service.name},
            'minReplicas': replicas(service, 'min'), 'maxReplicas': replicas(service, 'max'),
            'metrics': [{'type': 'Resource', 'resource': {
                'name': 'cpu', 'target': {'type': 'AverageValue', 'averageValue': LOOP}}}],
            'behavior': {'scaleDown': {'stabilizationWindowSeconds': 300}},
        },
    }


def account(service):
    return {'apiVersion': 'v1', 'kind': 'ServiceAccount', 'metadata': meta(service.name),
            'automountServiceAccountToken': False}


# One transaction brings the schema to what this build needs, however often it is run.
def migration(service, mesh):
    name = Value(f'{service.name}-migrate-{mesh.tag}',
                 '%s-migrate-{{ include "trellis.version" . }}' % service.name)
    return {
        'apiVersion': 'batch/v1', 'kind': 'Job',
        'metadata': {'name': name, 'labels': labels(service.name, 'migrate')},
        'spec': {'backoffLimit': 10, 'template': task(service, mesh, 'migrate', 'OnFailure')},
    }


def upkeep(service, mesh, index):
    return {
        'apiVersion': 'batch/v1', 'kind': 'CronJob',
        'metadata': meta(f'{service.name}-maintain', service.name, 'maintain'),
        'spec': {
            'schedule': f'{7 * (index + 1) % 60} 3 * * *', 'concurrencyPolicy': 'Forbid',
            'startingDeadlineSeconds': 3600,
            'successfulJobsHistoryLimit': 1, 'failedJobsHistoryLimit': 1,
            'jobTemplate': {'spec': {'backoffLimit': 10,
                                     'template': task(service, mesh, 'maintain', 'OnFailure')}},
        },
    }


def task(service, mesh, command, restart):
    """A pod that runs a command as the administrator. It knows no config map: their names
    change, and a Job cannot."""
    admin = When('not .Values.components.cloudNativePG.enabled', [from_secret(
        Value('trellis-admin', '{{ .Values.secrets.admin }}'))])
    in_cluster = When('.Values.components.cloudNativePG.enabled', [from_secret(
        'trellis-postgres-app', items=[{'key': 'uri', 'path': 'pg-admin-url'}])], usual=False)
    run = container(service, mesh, command, [command],
                    [by_file('TRELLIS_PG_ADMIN_URL'), *database(service)],
                    [SECRETS_MOUNT, mount('tmp', '/tmp')])
    return {
        'metadata': {'labels': labels(service.name, command)},
        'spec': {
            'serviceAccountName': service.name,
            **POD,
            'restartPolicy': restart,
            'containers': [run],
            'volumes': [secrets(from_secret(Named(service).stores), admin, in_cluster),
                        {'name': 'tmp', 'emptyDir': {'sizeLimit': '64Mi'}}],
        },
    }


class Ctl:
    """The operator's command: it calls every service, and nobody calls it."""
    name = 'ctl'

    def __init__(self, mesh):
        self.finds = mesh.names


def operator(mesh):
    """A CronJob that never runs by itself: k8s/ctl makes pods of its template."""
    one = Ctl(mesh)
    secret = Named(one)
    run = container(one, mesh, one.name, ['stats'],
                    [*peers(one), *[by_file(f'TRELLIS_BUS_KEY_{name.upper()}') for name in one.finds], TLS_FILES],
                    [SECRETS_MOUNT, TLS_MOUNT, mount('tmp', '/tmp')])
    spec = {
        'serviceAccountName': one.name,
        **POD,
        'restartPolicy': 'Never',
        'containers': [run],
        'volumes': [secrets(from_secret(secret.keys)), tls_volume(secret),
                    {'name': 'tmp', 'emptyDir': {'sizeLimit': '64Mi'}}],
    }
    return [{'apiVersion': 'v1', 'kind': 'ServiceAccount', 'metadata': meta(one.name, component='ctl'),
             'automountServiceAccountToken': False},
            {'apiVersion': 'batch/v1', 'kind': 'CronJob', 'metadata': meta(one.name, component='ctl'),
             'spec': {'schedule': '0 0 1 1 *', 'suspend': True, 'concurrencyPolicy': 'Forbid',
                      'jobTemplate': {'spec': {'backoffLimit': 0, 'template': {
                          'metadata': {'labels': labels(one.name, 'ctl')}, 'spec': spec}}}}}]


# Who speaks to whom. A pod of Trellis reaches what a policy names, and nothing else.

def ports(*numbers, protocol='TCP'):
    return [{'protocol': protocol, 'port': number} for number in numbers]


DNS = Note('names, wherever they are resolved: a node\'s own cache has no label to select',
           {'ports': ports(53, protocol='UDP') + ports(53)})
POSTGRESQL = Note('PostgreSQL, or a pooler before it', {'ports': ports(5432, 6543)})
REDIS = Note('Redis', {'ports': ports(6379)})


def pods(names):
    return {'podSelector': {
        'matchLabels': {'app.kubernetes.io/component': 'service', 'app.kubernetes.io/part-of': 'trellis'},
        'matchExpressions': [{'key': 'app.kubernetes.io/name', 'operator': 'In', 'values': list(names)}]}}


def world():
    return [{'ipBlock': {'cidr': '0.0.0.0/0', 'except': PRIVATE_4}},
            {'ipBlock': {'cidr': '::/0', 'except': PRIVATE_6}}]


def policy(name, selects, types, labelled, **rules):
    return {'apiVersion': 'networking.k8s.io/v1', 'kind': 'NetworkPolicy',
            'metadata': {'name': name, 'labels': labelled},
            'spec': {'podSelector': selects, 'policyTypes': types, **rules}}


def network(service):
    ctl = {'podSelector': {'matchLabels': labels('ctl', 'ctl')}}
    scraper = {'namespaceSelector': {}, 'podSelector': {'matchLabels': {'app.kubernetes.io/name': 'prometheus'}}}
    ingress = [
        *([Note('who calls it or reads its events', {'from': [pods(service.found_by)],
                                                     'ports': ports(BUS, NOTICES)})] if service.found_by else []),
        Note('the operator\'s command', {'from': [ctl], 'ports': ports(BUS, NOTICES)}),
        Note('figures', {'from': [scraper], 'ports': ports(OPS)}),
        *([Note('people', {'ports': ports(HTTP)})] if service.door else []),
    ]
    egress = [
        DNS,
        *([Note('whom it calls, or whose events it reads', {
            'to': [pods(service.finds)], 'ports': ports(BUS, NOTICES)})] if service.finds else []),
        *([POSTGRESQL] if service.schema else []),
        *([REDIS] if service.redis else []),
        *([Note('others\' machines', {'to': world(), 'ports': ports(*OUTSIDE_PORTS)})] if service.outside else []),
    ]
    return policy(service.name, {'matchLabels': labels(service.name)}, ['Ingress', 'Egress'],
                  labels(service.name), ingress=ingress, egress=egress)


def network_of_tasks():
    selects = {'matchLabels': {'app.kubernetes.io/part-of': 'trellis'},
               'matchExpressions': [{'key': 'app.kubernetes.io/component', 'operator': 'In',
                                     'values': ['migrate', 'maintain']}]}
    return policy('tasks', selects, ['Egress'], labels('trellis', 'policy'), egress=[DNS, POSTGRESQL])


def network_of_all():
    return policy('default-deny', {'matchLabels': {'app.kubernetes.io/part-of': 'trellis'}},
                  ['Ingress', 'Egress'], labels('trellis', 'policy'))


def network_of_ctl():
    everyone = {'matchLabels': {'app.kubernetes.io/component': 'service', 'app.kubernetes.io/part-of': 'trellis'}}
    return policy('ctl', {'matchLabels': labels('ctl', 'ctl')}, ['Egress'], labels('ctl', 'ctl'),
                  egress=[DNS, {'to': [{'podSelector': everyone}], 'ports': ports(BUS, NOTICES)}])


def common(mesh):
    return [network_of_all(), network_of_tasks(), network_of_ctl(), *operator(mesh)]


def all_of(service, mesh):
    """Its objects, some with a condition of the chart."""
    index = mesh.names.index(service.name)
    return [
        account(service),
        deployment(service, mesh),
        *services(service),
        disruption(service),
        (autoscaler(service), 'eq .Values.components.autoscaling "hpa"'),
        network(service),
        *([(claim(service), f'not {S3}')] if keeps_files(service) else []),
        *([migration(service, mesh), upkeep(service, mesh, index)] if service.schema else []),
    ]
