"""What a contract may not be. Each rule yields one line for each breach."""
import re
import zlib

from .known import description
from .lint_http import lint_http
from .lint_tells import lint_tells
from .lint_resource import lint_does, lint_filters, lint_resource
from .model import FD, Enum, Message, everybodys

NUMBERS = {FD.TYPE_INT32, FD.TYPE_SINT32, FD.TYPE_UINT32, FD.TYPE_INT64, FD.TYPE_SINT64,
           FD.TYPE_UINT64, FD.TYPE_FIXED32, FD.TYPE_FIXED64, FD.TYPE_SFIXED32,
           FD.TYPE_SFIXED64}
SNAKE = re.compile(r'[a-z][a-z0-9]*(_[a-z0-9]+)*$')


class Permission:
    def __init__(self, name, role, description):
        self.name, self.role, self.description = name, role, description
        self.id = zlib.crc32(name.encode())


def permissions_of(contracts):
    """Name to Permission, over all methods."""
    found = {}
    for method in contracts.methods:
        name = method.option('permission')
        if name:
            sentence = re.split(r'(?<=[.!?])\s', method.place.comment)[0]
            role = method.option('role', 4)
            found.setdefault(name, Permission(name, role, sentence))
    return found


def lint(contracts, everything=False):
    """All breaches of the asked files as "file:line: sentence"; with everything,
    also what shows only where all contracts meet."""
    lines = []

    def tell(place, sentence):
        lines.append(f'proto/{place.file}:{place.line}: {sentence}')

    for name in contracts.asked:
        file = contracts.files[name]
        lint_file(contracts, file, tell)
        for message in file.messages:
            lint_message(contracts, message, tell)
            if message.resource is not None:
                lint_resource(file, message, tell)
        lint_filters(contracts, file, tell)
        for enum in file.enums:
            lint_enum(enum, tell)
        for method in file.methods:
            lint_method(contracts, method, tell)
    lint_together(contracts, tell)
    return sorted(set(lines))


class FilePlace:
    def __init__(self, file):
        self.file, self.line = file.name, 1


def lint_file(contracts, file, tell):
    top = FilePlace(file)
    if file.proto.syntax not in ('', 'proto2'):
        tell(top, 'contracts are written in proto2 (protoc-c has no presence in proto3)')
    if file.methods and not re.match(r'[a-z][a-z0-9]*\.v[0-9]+$', file.package):
        tell(top, f'package {file.package} is not of the form service.v1')
    folder = re.fullmatch(r'(?:\w+/)*(\w+)/(v\d+)/\1\.proto', file.name)
    if folder and file.package != f'{folder[1]}.{folder[2]}':
        tell(top, f'package {file.package} is not {folder[1]}.{folder[2]}, as its folder is')
    if len(file.services) > 1:
        tell(top, 'one service a contract')
    for enum in file.enums:
        if enum.full.count('.') == file.package.count('.') + 2:
            tell(enum.place, f'enum {enum.name} stands outside a message')
    for imported in file.proto.dependency:
        other = contracts.files[imported]
        if other.methods:
            tell(top, f'imports the contract {imported}; services share no messages')
    if file.proto.extension:
        tell(top, 'a contract declares no extensions')


def lint_message(contracts, message, tell):
    if message.is_entry:
        return
    if reaches(contracts, message, message, set()):
        tell(message.place, f'message {message.name} holds itself; recursion has no bound')
    if message.proto.extension_range or message.proto.extension:
        tell(message.place, f'message {message.name} has extensions')
    for event in message.events:
        lint_event(message, event, tell)
        lint_narrow(contracts, message, event, tell)
    public = any(e.published for e in message.events) or any(
        m.verb and reachable(contracts, m, message) for m in contracts.methods)
    for field in message.fields:
        lint_field(field, tell)
        if public and (not field.internal or field.header) and not description(field):
            tell(field.place, f'field {field.name} has no comment; it describes the '
                 'field in the OpenAPI document')
    if any(f.option('nullable') for f in message.fields) and \
            not any(f.is_clear for f in message.fields):
        tell(message.place, f'message {message.name} has nullable fields but no '
             'repeated string clear')


def lint_event(message, event, tell):
    # A contract without methods holds what every service tells.
    service = message.package.split('.')[0] if message.file.methods else '*'
    if not re.match(rf'{re.escape(service)}\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$', event.type):
        tell(message.place, f'event type {event.type!r} is not of the form '
             f'{service}.noun.happened')
    if not event.about:
        tell(message.place, f'event {event.type} has no about; it tells subscribers '
             'what happened')
    if event.product is not None and not event.published:
        tell(message.place, f'event {event.type} is told to product analytics, and is '
             'not published')
    for path in event.product or ():
        field = message.shown(path)
        if field is None:
            tell(message.place, f'event {event.type} tells product analytics {path!r}, '
                 'which is no field that the event shows')
        elif not is_no_text(field):
            tell(message.place, f'event {event.type} tells product analytics {path}, '
                 'which is no id, enum, number, time or truth, nor marked as chosen')


def lint_narrow(contracts, message, event, tell):
    narrow = event.narrow

    def say(sentence):
        tell(message.place, f'event {event.type} is narrowed {sentence}')

    if narrow is None:
        return
    field, account = message.shown(narrow.field), message.shown(narrow.account)
    if field is None or not isinstance(field.target, Enum) or \
            narrow.value not in dict(field.target.values):
        say(f'where {narrow.field!r} is {narrow.value!r}: that is no enum which the event '
            'shows and which has that value')
    if account is None or account.format != 'ID':
        say(f'to the account {narrow.account!r}, which is no id that the event shows')
    if narrow.permission not in permissions_of(contracts):
        say(f'to those who hold {narrow.permission!r}, a permission that no method asks for')


def is_no_text(field):
    return field.option('chosen') or field.format == 'ID' or field.is_timestamp or isinstance(field.target, Enum) or (
        not field.is_message and field.proto.type not in (
            FD.TYPE_STRING, FD.TYPE_BYTES, FD.TYPE_FLOAT, FD.TYPE_DOUBLE))


def reaches(contracts, start, message, seen):
    for field in message.fields:
        target = field.target
        if not field.is_message or not isinstance(target, Message):
            continue
        if target is start:
            return True
        if target.full not in seen:
            seen.add(target.full)
            if reaches(contracts, start, target, seen):
                return True
    return False


def reachable(contracts, method, message):
    ends = (method.input, method.output)
    return any(end is message or (end and holds(end, message, set())) for end in ends)


def holds(outer, inner, seen):
    for field in outer.fields:
        target = field.target
        if not field.is_message or not isinstance(target, Message) or field.internal:
            continue
        if target is inner:
            return True
        if target.full not in seen:
            seen.add(target.full)
            if holds(target, inner, seen):
                return True
    return False


def lint_field(field, tell):
    proto, place, name = field.proto, field.place, field.name

    def say(sentence):
        tell(place, f'field {name} {sentence}')

    if proto.label == FD.LABEL_REQUIRED:
        say('is "required"; write optional and (trellis.field).required')
    if proto.HasField('default_value'):
        say('has a default value; absent is absent')
    if proto.type == FD.TYPE_GROUP:
        say('is a group')
    if not SNAKE.match(name):
        say('is not lower_snake_case')
    if proto.type_name.startswith('.google.protobuf.') and not field.is_timestamp:
        say(f'has type {proto.type_name[1:]}; of google.protobuf only Timestamp may be used')
    if isinstance(field.target, Enum) and not field.target.full.startswith(
            field.message.full.rsplit('.', 1)[0]) and \
            field.target.full.startswith('.trellis.'):
        say(f'has type {field.target.full[1:]}, which belongs to the options')
    lint_bounds(field, say)
    lint_money(field, say)


def lint_money(field, say):
    currency = field.option('minor_of')
    if currency is None:
        return
    if field.proto.type != FD.TYPE_INT64 or field.repeated:
        say('is an amount (minor_of) and no int64')
    if not any(f.name == currency and f.proto.type == FD.TYPE_STRING and not f.repeated
               for f in field.message.fields):
        say(f'is in minor units of {currency!r}, which is no string of its message')


def lint_bounds(field, say):
    kind, is_text = field.proto.type, field.proto.type in (FD.TYPE_STRING, FD.TYPE_BYTES)
    if field.format == 'ID' and kind != FD.TYPE_BYTES:
        say('has format ID and is not bytes')
    if field.format not in ('NONE', 'ID') and kind != FD.TYPE_STRING:
        say(f'has format {field.format} and is not a string')
    for bound in ('min', 'max'):
        if field.option(bound) is not None and kind not in NUMBERS:
            say(f'has a {bound} and is not a whole number')
    for bound in ('min_len', 'max_len'):
        if field.option(bound) is not None and not (is_text or field.repeated):
            say(f'has a {bound} and is neither text nor a list')
    low, high = field.option('min'), field.option('max')
    if low is not None and high is not None and low > high:
        say('has a min above its max')
    if field.option('min_len', 0) > field.max_len:
        say('has a min_len above its max_len')
    if field.option('item_max_len') is not None and not (field.repeated and is_text):
        say('has an item_max_len and is not a list of texts')
    if field.option('nullable') and field.option('required'):
        say('is nullable and required')
    if field.option('required') and field.option('output_only'):
        say('is required and output_only')


def lint_enum(enum, tell):
    for i, (name, number) in enumerate(enum.values):
        if i == 0 and number != 1:
            tell(enum.place, f'enum {enum.name} is not numbered from 1')
        if number < 1:
            tell(enum.place, f'value {name} of enum {enum.name} is below 1')
        if not SNAKE.match(name):
            tell(enum.place, f'value {name} of enum {enum.name} is not lower_snake_case')
    if enum.proto.options.allow_alias:
        tell(enum.place, f'enum {enum.name} has aliases')


def lint_method(contracts, method, tell):
    def say(sentence):
        tell(method.place, f'method {method.name} {sentence}')

    if method.proto.client_streaming or method.proto.server_streaming:
        say('streams; not yet')
    if not method.place.comment:
        say('has no comment; it describes the method in the OpenAPI document')
    if method.options is None:
        say('has no (trellis.method) options')
        return
    if method.auth == 'NONE':
        say('has no auth; nobody could call it')
    if method.option('effect') is None:
        say('has no effect (READ or WRITE)')
    lint_permission(method, say)
    callers = list(method.options.callers)
    if method.auth == 'MESH' and (method.verb or not callers):
        say('is MESH: it lists callers and has no http')
    if '*' in callers and len(callers) > 1:
        say('lists "*", which is every service, and others')
    if not method.verb and not callers and method.auth != 'OPERATOR':
        say('has neither http nor callers; nobody could call it')
    for code in method.options.errors:
        options = next((o for _, number, o in contracts.codes if number == code), None)
        if code == 0 or (options is not None and options.fault):
            say('lists a fault or OK among its errors')
    if method.verb:
        lint_http(method, say)
    lint_does(method, say)


def lint_permission(method, say):
    permission = method.option('permission')
    if method.auth == 'TENANT' and not permission:
        say('is TENANT and has no permission')
    if permission and method.auth != 'TENANT':
        say(f'has a permission and is {method.auth}')
    if permission and not re.match(
            rf'{method.service}\.[a-z_]+\.[a-z_]+$', permission):
        say(f'has permission {permission}; its form is {method.service}.resource.verb')
    if method.feature and method.auth != 'TENANT':
        say(f'needs the feature {method.feature} of a plan and is {method.auth}; plans are tenants\'')
    if method.feature and not re.fullmatch(r'[a-z](-?[a-z0-9])+', method.feature):
        say(f'needs the feature {method.feature!r}, which is no key (a-z, 0-9, single hyphens)')


def lint_versions(contracts, tell):
    """What has an ETag where it is read can be changed under If-Match."""
    shown = {method.path: method for method in contracts.methods
             if method.verb == 'get' and method.output.field('version')}
    for method in contracts.methods:
        if method.verb in ('put', 'patch', 'delete') and method.path in shown and \
                not method.option('if_match'):
            tell(method.place, f'method {method.name} changes what {shown[method.path].name} '
                 'shows with an ETag, and takes no If-Match')


def lint_together(contracts, tell):
    lint_versions(contracts, tell)
    lint_tells(contracts, tell)
    routes, ids, roles, crcs, names, events = {}, {}, {}, {}, {}, {}
    for file in contracts.files.values():
        for message in file.messages:
            for event in message.events:
                if events.setdefault(event.type, event) is not event:
                    tell(message.place, f'event type {event.type} is declared twice')
    for event in events.values():
        every = events.get(everybodys(event.type))
        if every and every is not event:
            tell(event.message.place, f'event type {event.type} is told by every service '
                 f'without being declared ({every.type} in proto/{every.message.file.name}); '
                 'take the line out')
    gets = {re.sub(r'{[^}]*}', '{}', m.path) for m in contracts.methods if m.verb == 'get'}
    for method in contracts.methods:
        def say(sentence):
            tell(method.place, f'method {method.name} {sentence}')

        if method.verb == 'head' and re.sub(r'{[^}]*}', '{}', method.path) in gets:
            say('is a HEAD beside a GET, which answers HEAD by itself')
        if ids.setdefault(method.id, method) is not method:
            say(f'has the same CRC-32 as {ids[method.id].full}; rename one')
        if names.setdefault(method.c_name, method) is not method:
            say(f'has the same C name as {names[method.c_name].full}')
        if method.verb:
            shape = (method.verb, re.sub(r'{[^}]*}', '{}', method.path))
            if routes.setdefault(shape, method) is not method:
                say(f'has the route of {routes[shape].full}')
        if method.feature:
            crc = zlib.crc32(f'feature:{method.feature}'.encode())
            if crcs.setdefault(crc, f'feature:{method.feature}') != f'feature:{method.feature}':
                say(f'needs the feature {method.feature}, whose CRC-32 is taken; rename it')
        permission = method.option('permission')
        if not permission:
            continue
        role = method.option('role', 4)
        if roles.setdefault(permission, role) != role:
            say(f'gives permission {permission} to another role than a method before it')
        crc = zlib.crc32(permission.encode())
        if crc == 0 or crcs.setdefault(crc, permission) != permission:
            say(f'has permission {permission}, whose CRC-32 is taken; rename it')
