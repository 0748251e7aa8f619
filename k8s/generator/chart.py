"""chart.py - the Helm chart: the same objects as the base and the components, with what
people set as values. It makes no secret, and nothing in it changes from one rendering to
the next."""
import json

from emit import document, documents
from kustomize import MADE, rule
import components
import objects

HELPERS = '''{{- /* Made by k8s/generate; changes here are lost. */ -}}
{{- define "trellis.image" -}}
{{- $top := index . 0 -}}
{{- $name := index . 1 -}}
{{- $own := $top.Values.ctl -}}
{{- if ne $name "ctl" -}}{{- $own = index $top.Values.services $name -}}{{- end -}}
{{- if $own.image -}}
{{ $own.image }}
{{- else -}}
{{ with $top.Values.image.registry }}{{ . }}/{{ end }}trellis/{{ $name }}:{{ $top.Values.image.tag }}
{{- end -}}
{{- end -}}
{{- /* Of the tag, as a part of a name: a Job cannot be changed, so a release has its own. */ -}}
{{- define "trellis.version" -}}
{{ regexReplaceAll "[^a-z0-9]+" (lower .Values.image.tag) "-" | trunc 40 | trimAll "-" }}
{{- end -}}
{{- define "trellis.scheme" -}}
{{ if .Values.components.tls }}tls+tcp{{ else }}tcp{{ end }}
{{- end -}}
{{- define "trellis.host" -}}
{{ regexReplaceAll "^https?://([^/:]+).*$" .Values.settings.TRELLIS_PUBLIC_URL "${1}" }}
{{- end -}}
{{- define "trellis.hash" -}}
{{ toJson . | sha256sum | trunc 10 }}
{{- end -}}
'''

IGNORED = '*.swp\n*.orig\n.git/\n'


def config_map(name, path):
    # Kept, since pods of the release before are started again with theirs.
    return f'''---
apiVersion: v1
kind: ConfigMap
metadata:
  name: "{name}-{{{{ include "trellis.hash" {path} }}}}"
  labels:
    app.kubernetes.io/part-of: trellis
  annotations:
    helm.sh/resource-policy: keep
data: {{{{ toJson {path} }}}}
'''


def values(mesh):
    return {
        'image': {'registry': '', 'tag': mesh.version},
        'settings': objects.SHARED_SETTINGS,
        'secrets': {'admin': 'trellis-admin'},
        'components': {
            'tls': True,
            'autoscaling': 'hpa',
            'keda': {'prometheus': components.PROMETHEUS.value},
            'ingress': {'enabled': False, 'className': 'nginx', 'tlsSecret': 'trellis-http-tls',
                        'annotations': components.STREAMS},
            'gateway': {'enabled': False, 'className': 'istio', 'tlsSecret': 'trellis-http-tls'},
            'certManager': {'enabled': False},
            'externalSecrets': {'enabled': False, 'server': 'https://vault.vault.svc:8200', 'path': 'secret',
                                'role': 'trellis', 'prefix': 'trellis'},
            'monitoring': {'enabled': False},
            'collectors': {'enabled': False},
            'files': {'storage': '100Gi', 'className': ''},
            's3': {'enabled': False},
            'clamd': {'enabled': False},
            'cloudNativePG': {'enabled': False, 'instances': 3, 'storage': '20Gi'},
        },
        'ctl': {
            'image': '',
            'resources': objects.resources('ctl'),
            'secrets': {kind: f'trellis-ctl-{kind}' for kind in ('keys', 'tls')},
        },
        'services': {one.name: {
            'image': '',
            'replicas': objects.REPLICAS,
            'resources': objects.resources(one.name),
            'settings': objects.settings(one),
            'secrets': {kind: f'trellis-{one.name}-{kind}' for kind in ('keys', 'stores', 'given', 'tls')},
        } for one in mesh.services},
    }


ABOUT = {
    'image': 'Images are REGISTRY/trellis/SERVICE:TAG; a tag is used once.',
    'settings': 'Of every service: names and values of the README\'s table, as strings.',
    'secrets': 'Names of Secrets that are there already (k8s/README.md); the chart makes none.',
    'components': 'What the cluster has beside Trellis. autoscaling: hpa, keda or none.',
    'ctl': 'Of the operator\'s command (k8s/ctl).',
    'services': 'Of each service. image: all of a reference, in place of the one above.',
}


def values_text(mesh):
    text = MADE + '# Values of your own stand in a file of your own: helm upgrade --values FILE.\n'
    for key, value in values(mesh).items():
        text += f'\n# {ABOUT[key]}\n' + document({key: value})
    return text


def closed(properties, required=(), **more):
    return {'type': 'object', 'additionalProperties': False, 'properties': properties,
            **({'required': list(required)} if required else {}), **more}


STRING = {'type': 'string'}
NAME = {'type': 'string', 'pattern': '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$'}
QUANTITY = {'type': ['string', 'number']}


def schema(mesh):
    # What is secret comes as a file; here it would stand in a config map.
    settings = {'type': 'object', 'additionalProperties': STRING, 'propertyNames': {
        'pattern': '^TRELLIS_[A-Z0-9_]+$', 'not': {'enum': mesh.secrets}}}
    switch = {'type': 'boolean'}
    count = {'type': 'integer', 'minimum': 1, 'maximum': 1000}
    amounts = closed({'cpu': QUANTITY, 'memory': QUANTITY, 'ephemeral-storage': QUANTITY}, ['cpu', 'memory'])
    service = closed({
        'image': STRING,
        'replicas': closed({'min': count, 'max': count}, ['min', 'max']),
        'resources': closed({'requests': of('amounts'), 'limits': of('amounts')}, ['requests', 'limits']),
        'settings': of('settings'),
        'secrets': closed({kind: NAME for kind in ('keys', 'stores', 'given', 'tls')}),
    })
    return {
        '$schema': 'http://json-schema.org/draft-07/schema#',
        'definitions': {'amounts': amounts, 'service': service, 'settings': settings},
        **closed({
            'global': {'type': 'object'},  # Helm's own
            'image': closed({'registry': {'type': 'string', 'pattern': '^$|^[^/].*[^/]$'},
                             'tag': {'type': 'string', 'pattern': '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$',
                                     'not': {'const': 'latest'}}}, ['tag']),
            'settings': {'allOf': [of('settings')], 'type': 'object', 'required': ['TRELLIS_PUBLIC_URL'], 'properties': {
                'TRELLIS_PUBLIC_URL': {'type': 'string', 'pattern': '^https?://[^/]+$'}}},
            'secrets': closed({'admin': NAME}),
            'components': closed({
                'tls': switch,
                'autoscaling': {'enum': ['hpa', 'keda', 'none']},
                'keda': closed({'prometheus': {'type': 'string', 'pattern': '^https?://'}}),
                'ingress': closed({'enabled': switch, 'className': STRING, 'tlsSecret': NAME,
                                   'annotations': {'type': 'object', 'additionalProperties': STRING}}),
                'gateway': closed({'enabled': switch, 'className': STRING, 'tlsSecret': NAME}),
                'certManager': closed({'enabled': switch}),
                'externalSecrets': closed({'enabled': switch, 'server': {'type': 'string', 'pattern': '^https?://'},
                                           'path': STRING, 'role': STRING, 'prefix': STRING}),
                'monitoring': closed({'enabled': switch}),
                'collectors': closed({'enabled': switch}),
                'files': closed({'storage': QUANTITY, 'className': STRING}),
                's3': closed({'enabled': switch}),
                'clamd': closed({'enabled': switch}),
                'cloudNativePG': closed({'enabled': switch, 'instances': count, 'storage': QUANTITY}),
            }),
            'ctl': closed({
                'image': STRING,
                'resources': closed({'requests': of('amounts'), 'limits': of('amounts')}, ['requests', 'limits']),
                'secrets': closed({kind: NAME for kind in ('keys', 'tls')}),
            }),
            'services': closed({one.name: of('service') for one in mesh.services}),
        }),
    }


def of(definition):
    return {'$ref': f'#/definitions/{definition}'}


def quoted(text):
    """Text with braces of its own, for the chart."""
    return text.replace('{{', '{{ "{{" }}')


def files(mesh, rules):
    yield 'chart/Chart.yaml', MADE + document({
        'apiVersion': 'v2', 'name': 'trellis', 'type': 'application',
        'description': 'A self-hosted backend for multi-tenant SaaS',
        'version': mesh.release, 'appVersion': mesh.version, 'kubeVersion': '>=1.27.0-0'})
    yield 'chart/.helmignore', IGNORED
    yield 'chart/values.yaml', values_text(mesh)
    yield 'chart/values.schema.json', json.dumps(schema(mesh), indent=2) + '\n'
    yield 'chart/templates/_helpers.tpl', HELPERS
    yield 'chart/templates/common.yaml', MADE + documents(objects.common(mesh), chart=True)
    maps = [config_map('trellis-settings', '.Values.settings')]
    maps += [config_map(f'{name}-settings', f'.Values.services.{name}.settings') for name in mesh.names]
    yield 'chart/templates/settings.yaml', MADE + ''.join(maps)
    for one in mesh.services:
        yield f'chart/templates/{one.name}.yaml', MADE + documents(objects.all_of(one, mesh), chart=True)
    for name, one in components.all_of(mesh, rules).items():
        if one.get('chart', True) and (one['objects'] or one.get('rules')):
            text = documents(one['objects'], chart=True)
            for title, told in one.get('rules', []):
                text += '{{- if .Values.components.monitoring.enabled }}\n---\n' + quoted(rule(title, told)) + '{{- end }}\n'
            yield f'chart/templates/component-{name}.yaml', MADE + text
