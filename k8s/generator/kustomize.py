"""kustomize.py - the base and the components as files: path, text."""
from emit import document, documents
import components
import objects

MADE = '# Made by k8s/generate of what the services say of themselves; changes here are lost.\n'


def base(mesh):
    yield 'base/common.yaml', MADE + documents(objects.common(mesh))
    for one in mesh.services:
        yield f'base/{one.name}.yaml', MADE + documents([
            o[0] if isinstance(o, tuple) else o for o in objects.all_of(one, mesh)])
    yield 'base/kustomization.yaml', MADE + document({
        'apiVersion': 'kustomize.config.k8s.io/v1beta1', 'kind': 'Kustomization',
        'resources': ['common.yaml', *[f'{name}.yaml' for name in mesh.names]],
        # Each change has another name, and a pod that is started again keeps its own.
        'configMapGenerator': [
            {'name': 'trellis-settings', 'literals': literals(objects.SHARED_SETTINGS)},
            *[{'name': f'{one.name}-settings', 'literals': literals(objects.settings(one))} for one in mesh.services]],
        'generatorOptions': {'labels': {'app.kubernetes.io/part-of': 'trellis'}},
    })


def literals(values):
    return [f'{name}={value}' for name, value in values.items()]


def as_json(value):
    """A patch's own text, with what is a value of the chart put in."""
    return document(value) if isinstance(value, dict) else \
        ''.join('- ' + document(one).replace('\n', '\n  ').rstrip(' ') for one in value)


def patch_entries(component):
    for kind, name, patch in component['patches']:
        target = {'kind': kind, **({'name': name} if name else {})}
        target['labelSelector'] = 'app.kubernetes.io/part-of=trellis'
        yield target, as_json(patch)


def kustomization(component, files):
    about = ''.join(f'# {line}\n' for line in component['about'].split('\n'))
    text = MADE + about + document({
        'apiVersion': 'kustomize.config.k8s.io/v1alpha1', 'kind': 'Component',
        **({'resources': files} if files else {})})
    entries = list(patch_entries(component))
    if entries:
        text += 'patches:\n'
    for target, patch in entries:
        text += '  - target:\n' + ''.join(f'      {line}\n' for line in document(target).splitlines())
        text += '    patch: |\n' + ''.join(f'      {line}\n' for line in patch.splitlines())
    return text


def rule(name, text):
    """A file of rules as an object: its text stands in it as it is."""
    head = document({'apiVersion': 'monitoring.coreos.com/v1', 'kind': 'PrometheusRule',
                     'metadata': {'name': f'trellis-{name}', 'labels': objects.labels('trellis', 'figures')}})
    return f'{head}spec:\n' + ''.join(f'  {line}\n' if line.strip() else '\n' for line in text.splitlines())


def all_components(mesh, rules):
    for name, one in components.all_of(mesh, rules).items():
        files = []
        if one['objects']:
            files.append('objects.yaml')
            yield f'components/{name}/objects.yaml', MADE + documents(
                [o[0] if isinstance(o, tuple) else o for o in one['objects']])
        for title, text in one.get('rules', []):
            files.append(f'rules-{title}.yaml')
            yield f'components/{name}/rules-{title}.yaml', MADE + rule(title, text)
        yield f'components/{name}/kustomization.yaml', kustomization(one, files)


def files(mesh, rules):
    yield from base(mesh)
    yield from all_components(mesh, rules)
