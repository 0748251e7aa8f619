"""Messages and fields as JSON Schema (2020-12, the dialect of OpenAPI 3.1)."""
import json

from .known import description
from .model import FD, Enum

EXACT = 2**53
INTEGERS = {
    FD.TYPE_INT32: ('int32', -2**31, 2**31 - 1), FD.TYPE_SINT32: ('int32', -2**31, 2**31 - 1),
    FD.TYPE_SFIXED32: ('int32', -2**31, 2**31 - 1),
    FD.TYPE_UINT32: (None, 0, 2**32 - 1), FD.TYPE_FIXED32: (None, 0, 2**32 - 1),
    FD.TYPE_INT64: ('int64', -EXACT, EXACT), FD.TYPE_SINT64: ('int64', -EXACT, EXACT),
    FD.TYPE_SFIXED64: ('int64', -EXACT, EXACT),
    FD.TYPE_UINT64: ('int64', 0, EXACT), FD.TYPE_FIXED64: ('int64', 0, EXACT),
}
# What no line of visible text holds: controls, ends of lines, what shows nothing or turns
# the line around. (format.c refuses a few more, beyond what a reader takes in.)
UNSEEN = r'\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff'
# Format of options.proto to JSON Schema, and an example of it.
TEXTS = {
    'SLUG': ({'pattern': '^[a-z](-?[a-z0-9])+$'}, 'acme'),
    'EMAIL': ({'format': 'email', 'pattern': r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@"
               r'([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}$'}, 'ada@example.org'),
    'URL': ({'format': 'uri', 'pattern': '^https?://'}, 'https://example.org/'),
    'LOCALE': ({'pattern': '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$'}, 'en'),
    'TOKEN': ({'pattern': '^[!-~]+$'}, 'k3Jd9sQx'),
    'NAME': ({'pattern': f'^[^\\s{UNSEEN}]([^{UNSEEN}]*[^\\s{UNSEEN}])?$'}, 'Ada Lovelace'),
    'TIME_ZONE': ({'pattern': '^[A-Za-z][A-Za-z0-9_+/-]*$'}, 'Europe/Berlin'),
    'PERMISSION': ({'pattern': r'^[a-z_]+\.[a-z_]+\.[a-z_]+$'}, 'tenants.member.invite'),
    'NONE': ({'pattern': r'^[^\x00]*$'}, 'text'),
}
ID_EXAMPLE = '01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21'
TIME_EXAMPLE = '2026-01-31T12:00:00Z'
SECRET_EXAMPLE = 'correct horse battery staple'


class Schemas:
    """The components' schemas, gathered as operations ask for them."""

    def __init__(self, contracts):
        self.contracts = contracts
        self.components = {}
        self.names = {}

    def reference(self, message, without=(), extra=None):
        """A $ref to the message's schema, made where it is new."""
        name = self.name_of(message)
        if name not in self.components:
            self.components[name] = None  # its place, should it be asked for inside
            self.components[name] = self.object(message, without, extra or {})
        return {'$ref': f'#/components/schemas/{name}'}

    def name_of(self, message):
        name = message.local
        if self.names.setdefault(name, message) is not message:
            name = f'{message.package.split(".")[0]}.{name}'
        return name

    def object(self, message, without, extra):
        fields = [f for f in message.fields if not f.internal and f.name not in without]
        schema = {'type': 'object'}
        if message.place.comment:
            schema['description'] = message.place.comment
        schema['properties'] = {}
        for f in fields:
            self.show(schema['properties'], f)
        schema['properties'].update(extra)
        required = [f.name for f in fields if f.required or self.always_there(f)]
        if required:
            schema['required'] = required
        if message.name.endswith('Request') and not message.lenient:
            schema['additionalProperties'] = False
        return schema

    def show(self, properties, field):
        """A field under its name; several of one name are one value of several types."""
        name, schema = shown_as(field), self.field(field)
        other = properties.get(name)
        if other is None:
            properties[name] = schema
            return
        schema.pop('description')
        if 'anyOf' not in other:
            properties[name] = other = {'description': other.pop('description'), 'anyOf': [other]}
        other['anyOf'].append(schema)

    @staticmethod
    def always_there(field):
        """Lists are shown when they are empty, too; a resource has its id."""
        reply = not field.message.name.endswith('Request')
        return reply and (field.repeated or field.name == 'id')

    def field(self, field):
        schema = self.shape(field)
        text = description(field)
        if text:
            schema['description'] = text
        if field.option('output_only'):
            schema['readOnly'] = True
        return schema

    def shape(self, field):
        if field.is_map:
            value = field.target.field('value')
            schema = {'type': 'object', 'additionalProperties': self.value(value)}
            schema['maxProperties'] = field.max_len
            return schema
        if field.repeated:
            schema = {'type': 'array', 'items': self.value(field)}
            if field.option('min_len'):
                schema['minItems'] = field.option('min_len')
            if field.message.name.endswith('Request'):
                schema['maxItems'] = field.max_len
            if field.option('example') is not None:
                schema['examples'] = [example_of(field)]
        else:
            schema = self.value(field)
        if field.option('nullable') and field.message.field('clear'):
            schema = {'anyOf': [schema, {'type': 'null'}]}
        return schema

    def value(self, field):
        """One value: the field's own, or an item of its list."""
        kind = field.proto.type
        if field.is_timestamp:
            schema = {'type': 'string', 'format': 'date-time'}
        elif field.is_message:
            return self.reference(field.target)
        elif isinstance(field.target, Enum):
            schema = {'type': 'string', 'enum': [name for name, _ in field.target.values]}
        elif kind in INTEGERS:
            schema = self.integer(field)
        elif kind == FD.TYPE_BOOL:
            schema = {'type': 'boolean'}
        elif kind in (FD.TYPE_DOUBLE, FD.TYPE_FLOAT):
            schema = {'type': 'number'}
        else:
            schema = self.text(field)
        if field.option('only'):
            schema = {'type': 'string', 'enum': [field.option('only')]}
        if not field.repeated:
            schema['examples'] = [example_of(field)]
        return schema

    @staticmethod
    def integer(field):
        form, low, high = INTEGERS[field.proto.type]
        schema = {'type': 'integer'}
        if form:
            schema['format'] = form
        schema['minimum'] = field.option('min', low)
        schema['maximum'] = field.option('max', high)
        if field.name == 'page_size':
            schema.update(minimum=field.option('min', 0),
                          maximum=field.option('max', 100), default=20)
        return schema

    @staticmethod
    def text(field):
        if field.format == 'ID':
            # Some digit is not zero: the nil UUID is nobody's id.
            return {'type': 'string', 'format': 'uuid', 'pattern': '[1-9A-Fa-f]'} \
                if field.message.name.endswith('Request') \
                else {'type': 'string', 'format': 'uuid'}
        schema = {'type': 'string'}
        if field.proto.type == FD.TYPE_BYTES:
            schema['contentEncoding'] = 'base64'
            return schema
        if field.format != 'NONE' or field.message.name.endswith('Request'):
            schema.update(TEXTS[field.format][0])
        if field.option('secret'):
            schema.setdefault('format', 'password')
        if field.message.name.endswith('Request') or field.option('max_len'):
            least = field.option('served_min_len') or field.option('min_len')
            if least and not field.repeated:
                schema['minLength'] = least
            schema['maxLength'] = field.item_max_len if field.repeated else field.max_len
        return schema


def shown_as(field):
    return field.option('shown_as') or field.name


def example_of(field):
    """One value of the field, as JSON has it."""
    if field.option('example') is not None:
        return json.loads(field.option('example'))
    kind = field.proto.type
    if field.is_timestamp:
        return TIME_EXAMPLE
    if isinstance(field.target, Enum):
        return field.target.values[0][0]
    if kind in INTEGERS:
        return field.option('min') or (20 if field.name == 'page_size' else 1)
    if kind == FD.TYPE_BOOL:
        return True
    if kind in (FD.TYPE_DOUBLE, FD.TYPE_FLOAT):
        return 1.5
    if field.format == 'ID':
        return ID_EXAMPLE
    if kind == FD.TYPE_BYTES:
        return 'aGVsbG8='
    if field.name == 'password' or field.name.endswith('_password'):
        return SECRET_EXAMPLE
    return TEXTS[field.format][1][:field.max_len]


def example_message(message, without=(), asked=False):
    """An example of the whole message: what is required, and in a reply all. What is
    inside a request is asked, too, and shows nothing that the service sets."""
    request = message.name.endswith('Request')
    asked = asked or request
    out = {}
    for field in message.fields:
        if field.internal or field.name in without or field.name == 'next_page_token' or \
                asked and field.option('output_only'):
            continue
        if not request or field.required or field.option('example') is not None or \
                not any(f.required for f in message.fields):
            out.setdefault(shown_as(field), example_value(field, asked))
    return out


def example_value(field, asked):
    if field.is_map:
        return {'key': single(field.target.field('value'), asked)}
    return [single(field, asked)] if field.repeated and field.option('example') is None \
        else single(field, asked)


def single(field, asked):
    if field.is_message and not field.is_timestamp:
        return example_message(field.target, asked=asked)
    return example_of(field)
