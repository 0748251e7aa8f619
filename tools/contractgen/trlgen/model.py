"""The contracts of one request: messages, fields and methods with their options,
comments, places and C names. Everything an output asks is answered here. (Over 400
lines: the whole of what protoc hands over, in one vocabulary.)"""
import re
import zlib

from google.protobuf import descriptor_pb2

from .options import Options
from .text import camel, snake, stem

FD = descriptor_pb2.FieldDescriptorProto
TIMESTAMP = '.google.protobuf.Timestamp'
FORMATS = ['NONE', 'ID', 'SLUG', 'EMAIL', 'URL', 'LOCALE', 'TOKEN', 'NAME',
           'TIME_ZONE', 'PERMISSION']
PROTOCOLS = (None, 'OFREP')  # as options.proto has them
AUTHS = ['NONE', 'PUBLIC', 'SESSION', 'TENANT', 'OPERATOR', 'MESH']
# Inherent bounds of a format, in characters.
FORMAT_MAX = {'SLUG': 63, 'EMAIL': 254, 'URL': 2048, 'LOCALE': 35, 'TOKEN': 1024,
              'NAME': 200, 'TIME_ZONE': 64, 'PERMISSION': 100}
STRING_MAX, BYTES_MAX, LIST_MAX = 1024, 65536, 100


class Refused(Exception):
    """The contract breaks rules; one line each, "file:line: sentence"."""

    def __init__(self, lines):
        super().__init__(lines[0])
        self.lines = lines


class Place:
    """Where a declaration stands, and its comment."""

    def __init__(self, file, path):
        self.file = file.name
        location = file.trl_locations.get(tuple(path))
        self.line = location.span[0] + 1 if location else 1
        text = location.leading_comments or location.trailing_comments if location else ''
        self.comment = paragraphs(text)


def paragraphs(text):
    """A comment as paragraphs: lines joined, empty lines kept as breaks."""
    parts = re.split(r'\n\s*\n', text.strip())
    return '\n\n'.join(' '.join(line.strip() for line in part.splitlines())
                       for part in parts)


class Enum:
    def __init__(self, file, path, full, proto):
        self.place = Place(file, path)
        self.full, self.name, self.proto = full, proto.name, proto
        self.values = [(v.name, v.number) for v in proto.value]
        self.parts = full[1:].split('.')

    @property
    def c_type(self):
        return '__'.join(camel(p) for p in self.parts)

    @property
    def c_descriptor(self):
        return '__'.join(snake(p) for p in self.parts) + '__descriptor'

    @property
    def c_name(self):
        """tenants_v1_member_role of tenants.v1.Member.Role."""
        return '_'.join(snake(p) for p in self.parts)


class Field:
    def __init__(self, contracts, message, path, proto):
        self.place = Place(message.file, path)
        self.contracts, self.message, self.proto = contracts, message, proto
        self.name, self.number = proto.name, proto.number
        self.options = contracts.options.read(proto.options, 'trellis.field')

    def option(self, name, default=None):
        if self.options is None or not self.options.HasField(name):
            return default
        return getattr(self.options, name)

    @property
    def format(self):
        return FORMATS[self.option('format', 0)]

    @property
    def header(self):
        """The header field of HTTP that it is bound to, or None."""
        return self.option('header')

    @property
    def repeated(self):
        return self.proto.label == FD.LABEL_REPEATED

    @property
    def is_message(self):
        return self.proto.type == FD.TYPE_MESSAGE

    @property
    def is_timestamp(self):
        return self.proto.type_name == TIMESTAMP

    @property
    def target(self):
        """The message or enum the field's type names, or None."""
        return self.contracts.types.get(self.proto.type_name)

    @property
    def is_map(self):
        return self.is_message and self.target is not None and self.target.is_entry

    @property
    def is_clear(self):
        """The list of fields a PATCH sets to null; JSON shows them as null."""
        return self.name == 'clear' and self.repeated and self.proto.type == FD.TYPE_STRING

    @property
    def internal(self):
        """Whether JSON neither shows nor takes it."""
        return self.option('internal', False) or self.is_clear or self.header is not None

    @property
    def hidden(self):
        """Whether it stays inside the mesh: no webhook, stream or mail shows it."""
        return self.internal or self.option('secret', False)

    @property
    def required(self):
        return self.option('required', False) or self.name in self.message.path_fields

    @property
    def needed(self):
        """Whether a request without it is refused, by the contract or by the service."""
        return self.required or bool(self.option('served_required') or self.option('only'))

    @property
    def max_len(self):
        if self.repeated:
            return self.option('max_len', LIST_MAX)
        return self.option('max_len', self.default_max())

    @property
    def item_max_len(self):
        return self.option('item_max_len', self.default_max()) if self.repeated else 0

    def default_max(self):
        if self.format == 'ID':
            return 16
        if self.proto.type == FD.TYPE_BYTES:
            return BYTES_MAX
        if self.proto.type == FD.TYPE_STRING:
            return FORMAT_MAX.get(self.format, STRING_MAX)
        return 0


class Event:
    """A type of event, and the message that is its payload."""

    def __init__(self, message, options):
        self.message, self.type = message, options.type
        self.about, self.published = options.about, options.published
        # Fields that product analytics may know; None: nothing of it.
        self.product = list(options.product.field) if options.HasField('product') else None
        # Who is shown it as it happens, where not all are.
        self.narrow = options.narrow if options.HasField('narrow') else None
        self.service = options.type.split('.')[0]

    @property
    def is_everybodys(self):
        """*.audit.written: every service tells it, without declaring it."""
        return self.service == '*'

    @property
    def c_name(self):
        """tenants_event_member_added of the type tenants.member.added."""
        service, *words = self.type.split('.')
        return f'{"every" if self.is_everybodys else service}_event_{"_".join(words)}'


def everybodys(type_name):
    """*.audit.written of tenants.audit.written."""
    return '*' + type_name[type_name.find('.'):] if '.' in type_name else None


class Tells:
    """A kind of message that people are told a message's events by."""

    def __init__(self, message, path, options):
        self.message, self.options, self.kind = message, options, options.kind
        place = Place(message.file, path)
        self.place = place if place.line > 1 else message.place
        self.service = message.package.split('.')[0]
        self.to = options.WhichOneof('to')

    @property
    def events(self):
        return [e for e in self.message.events if e.type in self.options.on]

    def offer(self, channel):
        """The number of email's or inbox's offer; 0: none."""
        return getattr(self.options, channel) if self.options.HasField(channel) else 0


class Message:
    is_entry = False

    def __init__(self, contracts, file, path, full, proto):
        self.place = Place(file, path)
        self.file, self.full, self.name, self.proto = file, full, proto.name, proto
        self.is_entry = proto.options.map_entry
        # Members of a request that it does not have are passed over.
        self.lenient = bool(contracts.options.read(proto.options, 'trellis.lenient'))
        self.package = file.package
        self.events = [Event(self, e) for e in
                       contracts.options.read_all(proto.options, 'trellis.event')]
        self.tells = [Tells(self, path + [7, 50003, i], t) for i, t in enumerate(
            contracts.options.read_all(proto.options, 'trellis.tells'))]
        self.path_fields = set()
        self.fields = sorted(
            (Field(contracts, self, path + [2, i], f) for i, f in enumerate(proto.field)),
            key=lambda f: f.number)

    def field(self, name):
        return next((f for f in self.fields if f.name == name), None)

    def shown(self, path):
        """The field at a path of what is shown, such as member.account_id; None where
        there is none, or in a list."""
        first, _, rest = path.partition('.')
        field = self.field(first)
        if field is None or field.hidden or field.repeated:
            return None
        if not rest:
            return field
        inner = field.is_message and not field.is_timestamp and field.target
        return inner.shown(rest) if inner else None

    @property
    def index_of(self):
        return {f.name: i for i, f in enumerate(self.fields)}

    @property
    def local(self):
        """The name within its package: Tenant.Settings."""
        return self.full[len(self.package) + 2:]

    @property
    def c_type(self):
        return '__'.join(camel(p) for p in self.full[1:].split('.'))

    @property
    def c_descriptor(self):
        return '__'.join(snake(p) for p in self.full[1:].split('.')) + '__descriptor'

    @property
    def c_init(self):
        return '__'.join(snake(p) for p in self.full[1:].split('.')) + '__init'

    @property
    def c_name(self):
        """notify_v1_webhook_endpoint of notify.v1.WebhookEndpoint."""
        return '_'.join([self.package.replace('.', '_')] +
                        [snake(p) for p in self.local.split('.')])

    @property
    def c_rules(self):
        return self.c_name + '_rules'

    def has_secret(self):
        return any(f.option('secret') or (f.is_message and f.target and
                                          not f.is_timestamp and f.target.has_secret())
                   for f in self.fields)


class Method:
    def __init__(self, contracts, file, service, path, proto):
        self.place = Place(file, path)
        self.contracts, self.file, self.proto = contracts, file, proto
        self.name = proto.name
        self.full = f'{file.package}.{service.name}.{proto.name}'
        self.id = zlib.crc32(self.full.encode())
        self.service = file.package.split('.')[0]
        self.input = contracts.types.get(proto.input_type)
        self.output = contracts.types.get(proto.output_type)
        self.options = contracts.options.read(proto.options, 'trellis.method')

    def option(self, name, default=None):
        if self.options is None or not self.options.HasField(name):
            return default
        return getattr(self.options, name)

    @property
    def c_name(self):
        return f'{self.file.package.replace(".", "_")}_{snake(self.name)}'

    @property
    def auth(self):
        return AUTHS[self.option('auth', 0)]

    @property
    def writes(self):
        return self.option('effect') == 2

    @property
    def verb(self):
        http = self.option('http')
        return http.WhichOneof('rule') if http is not None else None

    @property
    def path(self):
        return getattr(self.option('http'), self.verb) if self.verb else None

    @property
    def path_names(self):
        return re.findall(r'{([^}]*)}', self.path) if self.path else []

    @property
    def revalidates(self):
        """Whether what it reads has a version that counts all that is shown, and its path
        names it by an id: then If-None-Match is answered, as no other caller's thing has
        this path."""
        return self.verb == 'get' and bool(self.output.field('version')) and not any(
            field.option('beside_version') for field in self.output.fields) and any(
            self.input.field(name).format == 'ID' for name in self.path_names)

    @property
    def status(self):
        http = self.option('http')
        if http is None:
            return 0
        return http.status or (200 if self.output.fields else 204)

    def fixed(self, which):
        """Header fields that are always the same: of answers, or offers of OPTIONS."""
        http = self.option('http')
        return [(h.name, h.value) for h in getattr(http, which)] if http is not None else []

    @property
    def exact(self):
        """Whether its path is taken byte for byte."""
        return self.verb is not None and self.option('http').exact

    @property
    def redirects(self):
        """Whether it may be answered with where its bytes are."""
        return self.verb is not None and self.option('http').redirects

    @property
    def takes_key(self):
        """Whether a request that is sent again with its Idempotency-Key is done once."""
        return self.writes and not self.option('unkeyed')

    @property
    def shows_json(self):
        """Whether the reply has anything for a body."""
        return any(not f.header for f in self.output.fields)

    @property
    def rate(self):
        return self.option('rate', 'write' if self.writes else 'read')

    @property
    def feature(self):
        return self.option('feature')

    @property
    def protocol(self):
        return PROTOCOLS[self.option('protocol', 0)]

    @property
    def tenant_field(self):
        """The operator's methods act in the tenant that their request names."""
        has_one = 'tenant_id' in (self.input.index_of if self.auth == 'OPERATOR' else self.path_names)
        return self.option('tenant_field', 'tenant_id' if has_one else None)

    @property
    def in_query(self):
        """Whether the fields outside the path come from the query."""
        return self.verb in ('get', 'delete', 'head')

    @property
    def errors(self):
        """Numbers of the conditions the handler may return: those listed, and
        those that come with what it uses."""
        codes = set(self.options.errors if self.options is not None else ())
        names = self.contracts.code_numbers
        if self.writes:
            codes |= {names['CONFLICT'], names['INVALID']}
        if self.option('if_match'):
            codes.add(names['PRECONDITION'])
        if self.feature:
            codes.add(names['QUOTA'])
        if self.input.field('page_token'):
            codes.add(names['INVALID'])
        return sorted(codes)


class Contracts:
    def __init__(self, request):
        from . import resource  # which builds on this file
        self.options = Options(request.proto_file)
        self.protos = {f.name: f for f in request.proto_file}
        self.asked = list(request.file_to_generate)
        self.types, self.methods, self.services = {}, [], []
        self.files = {}
        self.codes = self.read_codes()
        self.code_numbers = {name: number for name, number, _ in self.codes}
        for proto in request.proto_file:
            self.files[proto.name] = self.read_file(proto)
        for method in self.methods:
            if method.input is not None:
                method.input.path_fields.update(method.path_names)
        resource.resolve(self)

    def read_codes(self):
        file = self.protos.get('trellis/error.proto')
        if file is None:
            return []
        enum = next(e for e in file.enum_type if e.name == 'Code')
        return [(v.name, v.number, self.options.read(v.options, 'trellis.code'))
                for v in enum.value]

    def read_file(self, proto):
        file = FileView(proto)
        for i, message in enumerate(proto.message_type):
            self.read_message(file, [4, i], '.' + proto.package, message)
        for i, enum in enumerate(proto.enum_type):
            self.add(file, Enum(file, [5, i], f'.{proto.package}.{enum.name}', enum))
        for i, service in enumerate(proto.service):
            self.services.append((file, service, Place(file, [6, i])))
            file.services.append(service)
            for j, method in enumerate(service.method):
                read = Method(self, file, service, [6, i, 2, j], method)
                self.methods.append(read)
                file.methods.append(read)
        return file

    def read_message(self, file, path, scope, proto):
        full = f'{scope}.{proto.name}'
        message = Message(self, file, path, full, proto)
        self.add(file, message)
        for i, nested in enumerate(proto.nested_type):
            self.read_message(file, path + [3, i], full, nested)
        for i, enum in enumerate(proto.enum_type):
            self.add(file, Enum(file, path + [4, i], f'{full}.{enum.name}', enum))

    def add(self, file, declared):
        self.types[declared.full] = declared
        (file.messages if isinstance(declared, Message) else file.enums).append(declared)


class FileView:
    """One .proto: what it declares, and where."""

    def __init__(self, proto):
        self.name, self.package, self.proto = proto.name, proto.package, proto
        self.trl_locations = {tuple(l.path): l for l in proto.source_code_info.location}
        self.messages, self.enums, self.services, self.methods = [], [], [], []

    @property
    def stem(self):
        return stem(self.name)

    @property
    def service_name(self):
        return self.package.split('.')[0]

    @property
    def c_package(self):
        return self.package.replace('.', '_')
