"""components.py - what a cluster may have beside the base: each a component of kustomize,
and in the chart a value below `components`. A component is (resources, patches, header):
objects with their condition of the chart, and what it changes of the base."""
from emit import Value
from objects import (BUS, LOOP, NOTICES, S3, S3_SETTINGS, SPOOL, TLS, Ctl, keeps_files, labels, meta, policy, ports,
                     replicas, world)

HOST = Value('trellis.example.com', '{{ include "trellis.host" . }}')
PROMETHEUS = Value('http://prometheus-operated.monitoring.svc:9090', '{{ .Values.components.keda.prometheus }}')


def of(path):
    return f'.Values.components.{path}'


def value(default, path, raw=False):
    return Value(default, ('toJson ' + of(path)) if raw else '{{ %s }}' % of(path), raw)


def on(objects, condition):
    return [(one, condition) for one in objects]


# keda: by CPU and by how long jobs have waited.

def scaled(service):
    triggers = [{'type': 'cpu', 'metricType': 'AverageValue', 'metadata': {'value': LOOP}}]
    fallback = {}
    if service.schema:
        query = f'max(trellis_jobs_oldest_due_seconds{{job="trellis",service="{service.name}"}})'
        triggers.append({'type': 'prometheus', 'metricType': 'AverageValue', 'metadata': {
            'serverAddress': PROMETHEUS, 'query': Value(query, escaped(query)), 'threshold': '30',
            # No data is no age of nought: then as many stay as there are, and CPU still counts.
            'ignoreNullValues': 'false'}})
        fallback = {'fallback': {'failureThreshold': 3, 'replicas': replicas(service, 'min'),
                                 'behavior': 'currentReplicas'}}
    return {
        'apiVersion': 'keda.sh/v1alpha1', 'kind': 'ScaledObject', 'metadata': meta(service.name),
        'spec': {
            'scaleTargetRef': {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'name': service.name},
            'minReplicaCount': replicas(service, 'min'), 'maxReplicaCount': replicas(service, 'max'),
            'pollingInterval': 15,
            **fallback,
            'advanced': {'horizontalPodAutoscalerConfig': {
                'behavior': {'scaleDown': {'stabilizationWindowSeconds': 300}}}},
            'triggers': triggers,
        },
    }


def escaped(text):
    """Text inside double quotes of the chart's YAML, as it is."""
    text = text.replace('\\', '\\\\').replace('"', '\\"')
    return text.replace('{{', '{{ "{{" }}') if '{{' in text else text


def keda(mesh):
    return {
        'objects': on([scaled(one) for one in mesh.services], 'eq .Values.components.autoscaling "keda"'),
        'patches': [('HorizontalPodAutoscaler', None, {
            '$patch': 'delete', 'apiVersion': 'autoscaling/v2', 'kind': 'HorizontalPodAutoscaler',
            'metadata': {'name': 'any'}})],
        'about': 'KEDA in place of the HPAs. Needs KEDA 2.17 and a Prometheus; the overlay patches\n'
                 'its address into the ScaledObjects where it is another.',
    }


# no-tls: the bus by plain TCP, where the network itself is trusted. Keys stay.

def without_tls(service):
    env = [{'name': f'TRELLIS_LISTEN_{service.upper}', 'value': f'tcp://0.0.0.0:{BUS}'},
           {'name': f'TRELLIS_NOTICE_LISTEN_{service.upper}', 'value': f'tcp://0.0.0.0:{NOTICES}'}]
    return ('Deployment', service.name, {
        'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': service.name},
        'spec': {'template': {'spec': pod_without_tls(service, env)}}})


def pod_without_tls(one, env):
    return {'containers': [{'name': one.name, 'env': [
        *env,
        *[{'name': f'TRELLIS_PEER_{name.upper()}', 'value': f'dns+tcp://{name}:{BUS}'} for name in one.finds],
        *[{'name': f'TRELLIS_BUS_TLS_{what}_FILE', '$patch': 'delete'} for what in ('CA', 'CERT', 'KEY')]],
        'volumeMounts': [{'mountPath': TLS, '$patch': 'delete'}]}],
        'volumes': [{'name': 'tls', '$patch': 'delete'}]}


def ctl_without_tls(mesh):
    return ('CronJob', 'ctl', {
        'apiVersion': 'batch/v1', 'kind': 'CronJob', 'metadata': {'name': 'ctl'},
        'spec': {'jobTemplate': {'spec': {'template': {'spec': pod_without_tls(Ctl(mesh), [])}}}}})


def no_tls(mesh):
    return {
        'objects': [], 'patches': [*[without_tls(one) for one in mesh.services], ctl_without_tls(mesh)],
        'about': 'The bus by plain TCP: each message still has its MAC, and nobody needs certificates.\n'
                 'For trying, and where the network encrypts by itself.',
    }


# How people come in.

# Uploads of any size reach the door as they come, and downloads and event streams leave as
# they go: by its defaults ingress-nginx refuses bodies over 1 MiB, keeps the others until all
# has come (a line that breaks loses it), and ends what is silent for a minute. Other
# controllers know none of these.
STREAMS = {f'nginx.ingress.kubernetes.io/{name}': said for name, said in (
    ('proxy-body-size', '0'),
    ('proxy-buffering', 'off'),
    ('proxy-read-timeout', '3600'),
    ('proxy-request-buffering', 'off'),
    ('proxy-send-timeout', '3600'))}


def door(mesh):
    return next(one for one in mesh.services if one.door)


def ingress(mesh):
    one = door(mesh)
    return {
        'objects': on([{
            'apiVersion': 'networking.k8s.io/v1', 'kind': 'Ingress',
            'metadata': {'name': 'trellis', 'labels': labels('trellis', 'door'),
                         'annotations': value(STREAMS, 'ingress.annotations', raw=True)},
            'spec': {
                'ingressClassName': value('nginx', 'ingress.className'),
                'tls': [{'hosts': [HOST], 'secretName': value('trellis-http-tls', 'ingress.tlsSecret')}],
                'rules': [{'host': HOST, 'http': {'paths': [{'path': '/', 'pathType': 'Prefix', 'backend': {
                    'service': {'name': f'{one.name}-http', 'port': {'name': 'http'}}}}]}}],
            }}], '.Values.components.ingress.enabled'),
        'patches': [],
        'about': 'The door by an Ingress. The Secret trellis-http-tls has the certificate of the host.',
    }


def gateway(mesh):
    one = door(mesh)
    tls_name = value('trellis-http-tls', 'gateway.tlsSecret')
    made = labels('trellis', 'door')
    return {
        'objects': on([{
            'apiVersion': 'gateway.networking.k8s.io/v1', 'kind': 'Gateway',
            'metadata': {'name': 'trellis', 'labels': made},
            'spec': {
                'gatewayClassName': value('istio', 'gateway.className'),
                'listeners': [{
                    'name': 'https', 'protocol': 'HTTPS', 'port': 443, 'hostname': HOST,
                    'tls': {'mode': 'Terminate', 'certificateRefs': [{'kind': 'Secret', 'name': tls_name}]},
                    'allowedRoutes': {'namespaces': {'from': 'Same'}}}],
            }}, {
            'apiVersion': 'gateway.networking.k8s.io/v1', 'kind': 'HTTPRoute',
            'metadata': {'name': 'trellis', 'labels': made},
            'spec': {
                'parentRefs': [{'name': 'trellis'}], 'hostnames': [HOST],
                'rules': [{'matches': [{'path': {'type': 'PathPrefix', 'value': '/'}}],
                           # An event stream has no end.
                           'timeouts': {'request': '0s'},
                           'backendRefs': [{'name': f'{one.name}-http', 'port': 80}]}],
            }}], '.Values.components.gateway.enabled'),
        'patches': [],
        'about': 'The door by the Gateway API (1.1). The Secret trellis-http-tls has the certificate of\n'
                 'the host.',
    }


# cert-manager: the bus's own authority, and a certificate a service.

def certificate(name, secret, names):
    return {
        'apiVersion': 'cert-manager.io/v1', 'kind': 'Certificate', 'metadata': meta(name, component='certificate'),
        'spec': {
            'secretName': secret, 'duration': '2160h', 'renewBefore': '720h', 'dnsNames': names,
            'privateKey': {'algorithm': 'ECDSA', 'size': 256, 'rotationPolicy': 'Always'},
            'usages': ['digital signature', 'server auth', 'client auth'],
            'issuerRef': {'kind': 'Issuer', 'name': 'trellis-bus'},
        },
    }


def cert_manager(mesh):
    made = labels('trellis', 'certificate')
    authority = [
        {'apiVersion': 'cert-manager.io/v1', 'kind': 'Issuer',
         'metadata': {'name': 'trellis-bus-root', 'labels': made}, 'spec': {'selfSigned': {}}},
        {'apiVersion': 'cert-manager.io/v1', 'kind': 'Certificate',
         'metadata': {'name': 'trellis-bus-ca', 'labels': made},
         'spec': {
             'secretName': 'trellis-bus-ca', 'isCA': True, 'commonName': 'trellis bus CA',
             'duration': '87600h', 'renewBefore': '8760h',
             # A new one would be an authority that half of the mesh does not know yet.
             'privateKey': {'algorithm': 'ECDSA', 'size': 256, 'rotationPolicy': 'Never'},
             'issuerRef': {'kind': 'Issuer', 'name': 'trellis-bus-root'}}},
        {'apiVersion': 'cert-manager.io/v1', 'kind': 'Issuer',
         'metadata': {'name': 'trellis-bus', 'labels': made}, 'spec': {'ca': {'secretName': 'trellis-bus-ca'}}},
    ]
    each = [certificate(one.name, Value(f'trellis-{one.name}-tls', '{{ .Values.services.%s.secrets.tls }}' % one.name),
                        [one.name]) for one in mesh.services]
    return {
        'objects': on([*authority, *each, certificate('ctl', Value('trellis-ctl-tls', '{{ .Values.ctl.secrets.tls }}'), ['ctl'])],
                      '.Values.components.certManager.enabled'),
        'patches': [],
        'about': 'The certificates of the bus by cert-manager: a new private key each time, except for\n'
                 'the authority, whose certificate is renewed over the same key.',
    }


# external-secrets: what `trellis keys init` made, kept in Vault.

def external(name, key):
    return {
        'apiVersion': 'external-secrets.io/v1', 'kind': 'ExternalSecret',
        'metadata': {'name': name, 'labels': labels('trellis', 'secrets')},
        'spec': {
            'refreshInterval': '1h',
            'secretStoreRef': {'kind': 'SecretStore', 'name': 'vault'},
            # What is gone from Vault, or from here, does not take a running mesh with it.
            'target': {'name': name, 'creationPolicy': 'Orphan', 'deletionPolicy': 'Retain'},
            'dataFrom': [{'extract': {'key': key}}],
        },
    }


def external_secrets(mesh):
    made = labels('trellis', 'secrets')
    prefix = '{{ .Values.components.externalSecrets.prefix }}'

    def key(path):
        return Value(f'trellis/{path}', f'{prefix}/{path}')

    def name(service, kind):
        return Value(f'trellis-{service.name}-{kind}', '{{ .Values.services.%s.secrets.%s }}' % (service.name, kind))

    store = [
        {'apiVersion': 'v1', 'kind': 'ServiceAccount', 'metadata': {'name': 'external-secrets', 'labels': made},
         'automountServiceAccountToken': False},
        {'apiVersion': 'external-secrets.io/v1', 'kind': 'SecretStore', 'metadata': {'name': 'vault', 'labels': made},
         'spec': {'provider': {'vault': {
             'server': value('https://vault.vault.svc:8200', 'externalSecrets.server'),
             'path': value('secret', 'externalSecrets.path'), 'version': 'v2',
             'auth': {'kubernetes': {
                 'mountPath': 'kubernetes', 'role': value('trellis', 'externalSecrets.role'),
                 'serviceAccountRef': {'name': 'external-secrets'}}}}}}},
    ]
    each = []
    for one in mesh.services:
        kinds = ['keys'] + (['stores'] if one.schema or one.redis else [])
        each += [external(name(one, kind), key(f'{one.name}/{kind}')) for kind in kinds]
    each.append(external(Value('trellis-ctl-keys', '{{ .Values.ctl.secrets.keys }}'), key('ctl/keys')))
    condition = '.Values.components.externalSecrets.enabled'
    admin = external(Value('trellis-admin', '{{ .Values.secrets.admin }}'), key('admin'))
    return {
        'objects': on([*store, *each], condition) + [
            (admin, f'and {condition} (not .Values.components.cloudNativePG.enabled)')],
        'patches': [],
        'about': 'The Secrets by External Secrets from Vault (KV 2): secret/trellis/SERVICE/keys and\n'
                 '/stores have what `trellis keys init` printed, a property a file.',
    }


def monitoring(mesh, rules):
    """rules: (name, text) of each file of k8s/observability, which are kept as they are."""
    monitor = {
        'apiVersion': 'monitoring.coreos.com/v1', 'kind': 'ServiceMonitor',
        'metadata': {'name': 'trellis', 'labels': labels('trellis', 'figures')},
        'spec': {
            'selector': {'matchLabels': {'app.kubernetes.io/component': 'service', 'app.kubernetes.io/part-of': 'trellis'}},
            'endpoints': [{
                'port': 'ops', 'path': '/metrics', 'interval': '15s', 'scrapeTimeout': '10s',
                'honorLabels': True,  # a process that holds several services says which
                'relabelings': [{'targetLabel': 'job', 'replacement': 'trellis'}]}],
        },
    }
    return {
        'objects': on([monitor], '.Values.components.monitoring.enabled'), 'rules': rules, 'patches': [],
        'about': 'Figures and alerts by the Prometheus Operator. The rules are those of\n'
                 'k8s/observability, word for word.',
    }


def cloudnativepg(mesh):
    cluster = {
        'apiVersion': 'postgresql.cnpg.io/v1', 'kind': 'Cluster',
        'metadata': {'name': 'trellis-postgres', 'labels': labels('trellis-postgres', 'database')},
        'spec': {
            'instances': value(3, 'cloudNativePG.instances', raw=True),
            'primaryUpdateStrategy': 'unsupervised',
            'storage': {'size': value('20Gi', 'cloudNativePG.storage')},
            # Its owner makes the services' roles and schemas, and is no superuser.
            'bootstrap': {'initdb': {'database': 'trellis', 'owner': 'trellis',
                                     'postInitApplicationSQL': ['alter role trellis createrole']}},
            # What was acknowledged is on two machines.
            'postgresql': {'synchronous': {'method': 'any', 'number': 1},
                           'parameters': {'max_connections': '600'}},
            'resources': {'requests': {'cpu': '500m', 'memory': '1Gi'}, 'limits': {'cpu': '4', 'memory': '2Gi'}},
            'affinity': {'enablePodAntiAffinity': True, 'topologyKey': 'kubernetes.io/hostname'},
        },
    }

    def patch(kind):
        source = {'op': 'replace', 'value': {'secret': {
            'name': 'trellis-postgres-app', 'items': [{'key': 'uri', 'path': 'pg-admin-url'}]}}}
        top = '/spec/template/spec' if kind == 'Job' else '/spec/jobTemplate/spec/template/spec'
        return [{**source, 'path': f'{top}/volumes/0/projected/sources/1'}]

    return {
        'objects': on([cluster], '.Values.components.cloudNativePG.enabled'),
        'patches': [*[(kind, name, patch(kind)) for kind, name in (('Job', '.*-migrate-.*'), ('CronJob', '.*-maintain'))],
                    ('ExternalSecret', 'trellis-admin', {
                        '$patch': 'delete', 'apiVersion': 'external-secrets.io/v1', 'kind': 'ExternalSecret',
                        'metadata': {'name': 'trellis-admin'}})],
        'about': 'PostgreSQL by CloudNativePG (1.25): three instances, one of which may go. Migrations\n'
                 'and upkeep run as the owner of its database, whose Secret it makes. Listed after\n'
                 'external-secrets.',
    }


def collectors(mesh):
    return {
        'objects': on([policy(
            'collectors',
            {'matchLabels': {'app.kubernetes.io/component': 'service', 'app.kubernetes.io/part-of': 'trellis'}},
            ['Egress'], labels('trellis', 'policy'),
            egress=[{'to': [{'namespaceSelector': {}}], 'ports': ports(4318)},
                    {'to': world(), 'ports': ports(443, 4318)}])], '.Values.components.collectors.enabled'),
        'patches': [],
        'about': 'Lets every service out to collectors of traces (OTLP, 4318) and errors (443), where\n'
                 'TRELLIS_OTLP_URL or TRELLIS_SENTRY_DSN is set.',
    }


# What whoever keeps people's files may have beside it.

def outlet(name, service, where, condition):
    """One more place that a service reaches: policies add up."""
    return (policy(f'{service.name}-{name}', {'matchLabels': labels(service.name)}, ['Egress'], labels(service.name, 'policy'),
                   egress=where), condition)


def s3(mesh):
    keepers = [one for one in mesh.services if keeps_files(one)]
    where = [{'to': [{'namespaceSelector': {}}], 'ports': ports(443, 9000)}, {'to': world(), 'ports': ports(443)}]

    def without_volume(one):
        return ('Deployment', one.name, {
            'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': one.name},
            'spec': {'template': {'spec': {
                'containers': [{'name': one.name, 'env': S3_SETTINGS}],
                'volumes': [{'name': 'files', 'persistentVolumeClaim': None, 'emptyDir': SPOOL}]}}}})

    def unclaimed(one):
        return ('PersistentVolumeClaim', one.name, {
            '$patch': 'delete', 'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': one.name}})

    return {
        'objects': [outlet('s3', one, where, S3) for one in keepers],
        'patches': [patch(one) for one in keepers for patch in (without_volume, unclaimed)],
        'about': 'Files in a bucket, in place of a volume that all replicas have. TRELLIS_S3_URL, _BUCKET,\n'
                 '_REGION and _KEY_ID are settings of media; the Secret trellis-media-given has s3-secret.\n'
                 'Lets it out to port 443 anywhere, and to 443 and 9000 inside the cluster.',
    }


def clamd(mesh):
    where = [{'to': [{'namespaceSelector': {}}], 'ports': ports(3310)}]
    return {
        'objects': [outlet('clamd', one, where, '.Values.components.clamd.enabled')
                    for one in mesh.services if keeps_files(one)],
        'patches': [],
        'about': 'Lets media reach a clamd inside the cluster, at port 3310: TRELLIS_MEDIA_CLAMD names it.',
    }


# databases: one of each without a password, to try Trellis. Not in the chart.

def single(name, image, port, folders, environment, arguments):
    """A database that forgets when its pod goes; folders: where it writes, and how much."""
    labelled = labels(name, 'database')
    context = {'allowPrivilegeEscalation': False, 'readOnlyRootFilesystem': True, 'capabilities': {'drop': ['ALL']}}
    return [
        {'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': name, 'labels': labelled},
         'spec': {'clusterIP': 'None', 'selector': labelled, 'ports': [{'name': name, 'port': port, 'targetPort': name}]}},
        {'apiVersion': 'apps/v1', 'kind': 'StatefulSet', 'metadata': {'name': name, 'labels': labelled},
         'spec': {
             'serviceName': name, 'replicas': 1, 'selector': {'matchLabels': labelled},
             'template': {'metadata': {'labels': labelled}, 'spec': {
                 'automountServiceAccountToken': False, 'enableServiceLinks': False,
                 'securityContext': {'runAsNonRoot': True, 'runAsUser': 999, 'runAsGroup': 999, 'fsGroup': 999,
                                     'seccompProfile': {'type': 'RuntimeDefault'}},
                 'containers': [{
                     'name': name, 'image': image, 'args': arguments, 'env': environment,
                     'ports': [{'name': name, 'containerPort': port}],
                     'securityContext': context,
                     'readinessProbe': {'tcpSocket': {'port': name}, 'periodSeconds': 2},
                     'livenessProbe': {'tcpSocket': {'port': name}, 'periodSeconds': 10},
                     'resources': {'requests': {'cpu': '100m', 'memory': '256Mi'},
                                   'limits': {'cpu': '2', 'memory': '512Mi'}},
                     'volumeMounts': [{'name': f'folder-{i}', 'mountPath': path} for i, path in enumerate(folders)]}],
                 'volumes': [{'name': f'folder-{i}', 'emptyDir': {'sizeLimit': size}}
                             for i, size in enumerate(folders.values())]}}}},
        {'apiVersion': 'policy/v1', 'kind': 'PodDisruptionBudget', 'metadata': {'name': name, 'labels': labelled},
         'spec': {'maxUnavailable': 1, 'selector': {'matchLabels': labelled}}},
        policy(name, {'matchLabels': labelled}, ['Ingress', 'Egress'], labelled,
               ingress=[{'from': [{'podSelector': {'matchLabels': {'app.kubernetes.io/part-of': 'trellis'}}}],
                         'ports': ports(port)}]),
    ]


def databases(mesh):
    def urls(one):
        base = 'postgresql://{}@postgres:5432/trellis?sslmode=disable'
        found = {}
        if one.schema:
            found |= {f'pg-url-{one.name}': base.format(f'{one.name}_app'),
                      f'pg-url-{one.name}-sys': base.format(f'{one.name}_sys')}
        if one.redis:
            found['redis-url'] = 'redis://redis:6379'
        return {'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {
            'name': f'trellis-{one.name}-stores', 'labels': labels('trellis', 'secrets')}, 'stringData': found}
    admin = {'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {
        'name': 'trellis-admin', 'labels': labels('trellis', 'secrets')},
        'stringData': {'pg-admin-url': 'postgresql://postgres@postgres:5432/trellis?sslmode=disable'}}
    return {
        'objects': [
            *single('postgres', 'postgres:17.5', 5432, {
                '/var/lib/postgresql/data': '4Gi', '/var/run/postgresql': '16Mi', '/tmp': '64Mi'}, [
                {'name': 'POSTGRES_HOST_AUTH_METHOD', 'value': 'trust'},
                {'name': 'POSTGRES_DB', 'value': 'trellis'},
                {'name': 'PGDATA', 'value': '/var/lib/postgresql/data/pg'}], ['-c', 'max_connections=300']),
            *single('redis', 'redis:7.4.3', 6379, {'/data': '256Mi'}, [], ['--save', '', '--appendonly', 'no']),
            *[urls(one) for one in mesh.services if one.schema or one.redis], admin],
        'patches': [], 'chart': False,
        'about': 'A PostgreSQL and a Redis of one pod each, without passwords and without a disk, to try\n'
                 'Trellis. Their URLs hold nothing secret. Never for data that you want to keep.',
    }


def all_of(mesh, rules):
    return {
        'cert-manager': cert_manager(mesh),
        'clamd': clamd(mesh),
        'cloudnativepg': cloudnativepg(mesh),
        'collectors': collectors(mesh),
        'databases': databases(mesh),
        'external-secrets': external_secrets(mesh),
        'gateway': gateway(mesh),
        'ingress': ingress(mesh),
        'keda': keda(mesh),
        'no-tls': no_tls(mesh),
        's3': s3(mesh),
        'service-monitor': monitoring(mesh, rules),
    }
