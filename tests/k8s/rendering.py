"""rendering.py - what k8s/ renders to, as objects: by kustomize, and the chart as Helm does.
tests/k8s/run sets K8S, KUBECTL, RENDER, NODE_MODULES and BUILD."""
import copy
import functools
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
K8S = os.environ['K8S']
sys.path.insert(0, os.path.join(TOP, 'k8s', 'generator'))

from mesh import read_mesh  # noqa: E402

COMPONENTS = sorted(os.listdir(os.path.join(K8S, 'components')))
WORKLOADS = ('Deployment', 'StatefulSet', 'Job', 'CronJob')
OVERLAYS = sorted(os.listdir(os.path.join(K8S, 'overlays')))


@functools.cache
def mesh():
    return read_mesh(os.path.join(os.environ['BUILD'], 'services', 'trellis-all'))


def node(*words, data=None):
    done = subprocess.run(['node', os.path.join(HERE, 'objects.mjs'), *words], check=False, text=True,
                          capture_output=True, input=None if data is None else json.dumps(data))
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def parsed(texts):
    """Objects of YAML texts, a list for each, by one start of node."""
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, str(i)) for i in range(len(texts))]
        for name, text in zip(names, texts):
            with open(name, 'w', encoding='utf-8') as file:
                file.write(text)
        return node('yaml', *names)


def kustomize(folder):
    done = subprocess.run([os.environ['KUBECTL'], 'kustomize', folder], check=False, text=True, capture_output=True)
    if done.returncode or done.stderr:
        raise AssertionError(f'{folder}: {done.stderr}')
    return done.stdout


def kustomize_with(text):
    """Of a kustomization of one's own, in which {k8s} is where k8s/ is found from it."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'kustomization.yaml'), 'w', encoding='utf-8') as file:
            file.write(text.replace('{k8s}', os.path.relpath(K8S, os.path.realpath(folder))))
        return kustomize(folder)


def with_components(*names):
    return 'resources: ["{k8s}/base"]\ncomponents:\n' + ''.join(f'  - {{k8s}}/components/{n}\n' for n in names)


@functools.cache
def rendered():
    """Name to objects: both overlays, the base, and the base with each component."""
    texts = {f'overlays/{name}': kustomize(os.path.join(K8S, 'overlays', name)) for name in OVERLAYS}
    texts['base'] = kustomize(os.path.join(K8S, 'base'))
    for name in COMPONENTS:
        texts[f'components/{name}'] = kustomize_with(with_components(name))
    return dict(zip(texts, parsed(list(texts.values()))))


@functools.cache
def chart_values():
    with open(os.path.join(K8S, 'chart', 'values.yaml'), encoding='utf-8') as file:
        return parsed([file.read()])[0][0]


def merged(values, own):
    """As Helm lays values of one's own over the chart's."""
    if not isinstance(values, dict) or not isinstance(own, dict):
        return copy.deepcopy(own)
    return {key: merged(values[key], own[key]) if key in values and key in own
            else copy.deepcopy(own.get(key, values.get(key))) for key in {**values, **own}}


def chart(own):
    """The chart's text under values of one's own."""
    values = merged(chart_values(), own)
    wrong, = judged_values([values])
    if wrong:
        raise AssertionError(wrong)
    data = {'Values': values, 'Release': {'Name': 'trellis', 'Namespace': 'trellis', 'Service': 'Helm'}}
    done = subprocess.run([os.environ['RENDER'], os.path.join(K8S, 'chart')], check=False, text=True,
                          capture_output=True, input=json.dumps(data))
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


def judged_values(each):
    """What is wrong with each of these values."""
    return node('schema', os.path.join(K8S, 'chart', 'values.schema.json'), data=each)


def judged_types(objects):
    """What is wrong with the type of each."""
    return node('types', data=objects)


def title(one):
    return f'{one["kind"]} {one["metadata"]["name"]}'


def template(one):
    spec = one['spec']['jobTemplate'] if one['kind'] == 'CronJob' else one
    return spec['spec']['template']


def containers(pod):
    return [*pod.get('initContainers', []), *pod['containers']]


def of_kind(objects, *kinds):
    return [one for one in objects if one['kind'] in kinds]


def matches(selector, labels):
    if any(labels.get(k) != v for k, v in (selector.get('matchLabels') or {}).items()):
        return False
    return all(e['operator'] == 'In' and labels.get(e['key']) in e['values']
               for e in selector.get('matchExpressions') or [])


def settings_of(container, objects):
    """The environment of a container, its config maps' and its own."""
    maps = {one['metadata']['name']: one['data'] for one in of_kind(objects, 'ConfigMap')}
    found = {}
    for source in container.get('envFrom') or []:
        found |= maps[source['configMapRef']['name']]
    return found | {one['name']: one['value'] for one in container.get('env') or []}
