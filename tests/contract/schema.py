"""schema.py - holds values against the schemas of an OpenAPI document: as much of JSON
Schema as contractgen writes."""
import re
import uuid
from datetime import datetime

KINDS = {'string': str, 'integer': int, 'number': (int, float), 'boolean': bool,
         'object': dict, 'array': list, 'null': type(None)}
FORMATS = {'uuid': lambda text: str(uuid.UUID(text)) == text,
           'date-time': lambda text: text.endswith('Z') and datetime.fromisoformat(text)}


def follow(document, node):
    """What a node stands for: itself, or what its $ref leads to."""
    while '$ref' in node:
        at = document
        for part in node['$ref'][2:].split('/'):
            at = at[part]
        node = at
    return node


def misfits(document, schema, value, place=''):
    """Where a value does not fit its schema, a sentence each."""
    schema = follow(document, schema)
    if 'anyOf' in schema:
        if all(list(misfits(document, s, value, place)) for s in schema['anyOf']):
            yield f'{place}: {value!r} fits nothing'
        return
    kind = schema['type']
    if not isinstance(value, KINDS[kind]) or isinstance(value, bool) != (kind == 'boolean'):
        yield f'{place}: {value!r} is no {kind}'
        return
    if 'enum' in schema and value not in schema['enum']:
        yield f'{place}: {value!r} is not in the enum'
    if 'const' in schema and value != schema['const']:
        yield f'{place}: {value!r} is not {schema["const"]!r}'
    if 'pattern' in schema and not re.search(schema['pattern'], value):
        yield f'{place}: {value!r} does not match {schema["pattern"]}'
    yield from form_misfits(schema, value, place)
    yield from size_misfits(schema, value, place)
    if kind == 'array':
        for i, item in enumerate(value):
            yield from misfits(document, schema['items'], item, f'{place}/{i}')
    if kind == 'object':
        yield from object_misfits(document, schema, value, place)


def form_misfits(schema, value, place):
    try:
        if not FORMATS.get(schema.get('format'), lambda _: True)(value):
            yield f'{place}: {value!r} is no {schema["format"]}'
    except ValueError:
        yield f'{place}: {value!r} is no {schema["format"]}'


def size_misfits(schema, value, place):
    for least, most, size in (('minLength', 'maxLength', len), ('minItems', 'maxItems', len),
                              ('minimum', 'maximum', lambda number: number)):
        if least in schema and size(value) < schema[least]:
            yield f'{place}: {value!r} breaks {least}'
        if most in schema and size(value) > schema[most]:
            yield f'{place}: {value!r} breaks {most}'


def object_misfits(document, schema, value, place):
    known = schema.get('properties', {})
    more = schema.get('additionalProperties', {})
    for name in schema.get('required', []):
        if name not in value:
            yield f'{place}: {name} is missing'
    for name, inner in value.items():
        if name in known:
            yield from misfits(document, known[name], inner, f'{place}/{name}')
        elif more:
            yield from misfits(document, more, inner, f'{place}/{name}')
        elif known or more is False:
            yield f'{place}: {name} is not known'
