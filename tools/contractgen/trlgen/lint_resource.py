"""What a declared resource may not be, and what a method may not do to it."""
import re

from .model import FD
from .resource import DOES, HAPPENED, OWN, PAGING, asked

NOUN = re.compile(r'[a-z][a-z0-9]*(_[a-z0-9]+)*$')
TYPES_OF_OWN = {'version': FD.TYPE_INT64, 'id': FD.TYPE_BYTES, 'created_by': FD.TYPE_BYTES}


def lint_resource(file, message, tell):
    resource = message.resource

    def say(sentence):
        tell(message.place, f'resource {message.name} {sentence}')

    if not NOUN.match(resource.kind):
        say(f'has kind {resource.kind!r}; say kind: "project", lower_snake_case')
        return
    for other in file.messages:
        if other is not message and other.resource is not None and \
                other.resource.kind == resource.kind:
            say(f'has the kind of {other.name}, {resource.kind}; each has one of its own')
    for name in resource.key:
        if message.field(name) is None:
            say(f'is named by the field {name}, which it does not have')
    for name, kind in TYPES_OF_OWN.items():
        field = message.field(name)
        if field is not None and field.proto.type != kind:
            say(f'has a field {name} of another type than the framework sets')
    if resource.doing.get('update') and message.field('version') is None:
        say('is updated and has no version; add "optional int64 version = N;"')
    for unique in resource.options.unique:
        if not unique.says:
            say(f'has the unique name {", ".join(unique.fields)} without a sentence; add says: "..."')
        for name in unique.fields:
            if message.field(name) is None:
                say(f'has a unique name of the field {name}, which it does not have')
        if not unique.fields:
            say('has a unique name of no field')
    for field in message.fields:
        if field.is_map:
            tell(field.place, f'field {field.name} is a map, which no column holds')
        if field.option('column') and field.option('no_column'):
            tell(field.place, f'field {field.name} has a column and no column')


def lint_does(method, say):
    options = method.option('does')
    what = options.WhichOneof('rule') if options is not None else None
    if options is None:
        return
    if what is None:
        say(f'says does and not what; one of {", ".join(DOES)}')
    elif method.does is None:
        say(f'does {what} to {getattr(options, what)}, which is no resource of this '
            'contract; add option (trellis.resource) to the message of that name')
    else:
        lint_ends(method, method.does, say)
        lint_scope(method, method.does.resource, say)
        lint_event(method.does, options, say)
        if what in ('create', 'update'):
            lint_takes(method, method.does, say)


def lint_ends(method, does, say):
    resource = does.resource
    writes = does.what not in ('get', 'list')
    if method.writes != writes:
        say(f'does {does.what} and has effect {"WRITE" if method.writes else "READ"}')
    if does.what == 'delete':
        if method.output.fields:
            say('does delete and answers; it returns trellis.Empty')
    elif does.what == 'list':
        lists = [f for f in method.output.fields if f.repeated and f.target is resource.message]
        if len(lists) != 1 or method.output.field('next_page_token') is None:
            say(f'does list; its reply has "repeated {resource.message.name} items" and '
                '"optional string next_page_token"')
        for name in PAGING:
            if method.input.field(name) is None:
                say(f'does list and its request has no {name}')
    elif method.output is not resource.message:
        say(f'does {does.what} and does not return {resource.message.name}')
    if does.what in ('get', 'update', 'delete', 'change') and not resource.single:
        if resource.key == ['id'] and does.key_field is None:
            say('has no path variable that holds the id')
        for name in resource.key:
            if resource.key != ['id'] and method.input.field(name) is None:
                say(f'does not name the resource; its request has no {name}')
    names = method.contracts.code_numbers
    listed = set(method.errors)
    for code, needed in (('NOT_FOUND', does.what in ('get', 'update', 'delete', 'change')
                          and not resource.single),
                         ('QUOTA', does.what == 'create' and resource.most),
                         ('EXISTS', does.what in ('create', 'update', 'change')
                          and bool(resource.options.unique))):
        if needed and names[code] not in listed:
            say(f'does {does.what} and may answer {code}; add it to errors')


def lint_scope(method, resource, say):
    wanted = 'SESSION' if resource.of_person else 'TENANT'
    if method.auth != wanted:
        say(f'does something to a resource of a {"person" if resource.of_person else "tenant"}'
            f' and has auth {method.auth}; such a method is {wanted}')


def lint_takes(method, does, say):
    for field in asked(method):
        if field is does.key_field or field.option('for_hook'):
            continue
        taken = does.resource.message.field(field.name)
        if taken is None:
            say(f'takes the field {field.name}, which {does.resource.message.name} does not '
                'have; if a hook looks at it, mark it for_hook')
        elif (taken.proto.type, taken.proto.type_name, taken.repeated) != \
                (field.proto.type, field.proto.type_name, field.repeated):
            say(f'takes the field {field.name} as another type than '
                f'{does.resource.message.name} has')
        elif field.name in OWN:
            say(f'takes the field {field.name}, which the framework sets')
        elif taken.option('no_column'):
            say(f'takes the field {field.name}, which is no column; mark it for_hook')


def lint_event(does, options, say):
    if options.tells and does.event is None:
        say(f'tells {options.tells}, which no message of this contract declares')
    if does.event is None:
        return
    event, message = does.event.message, does.resource.message
    if event is message:
        return
    rows = [f for f in event.fields if f.target is message and f.name != 'former']
    if len(rows) != 1:
        say(f'tells {does.event.type}, whose message {event.name} does not hold one '
            f'{message.name}')
    for field in event.fields if not options.tells else ():
        if field not in rows and field.name not in ('by', 'former'):
            say(f'tells {does.event.type}, whose message {event.name} has the field '
                f'{field.name}; the framework fills the resource, "former" and "by" '
                '(say tells where that is enough)')


def lint_filters(contracts, file, tell):
    """Fields that a list filters by are columns that can be compared."""
    for message in file.messages:
        if message.resource is None:
            continue
        for method in message.resource.doing.get('list', ()):
            for field in asked(method):
                if field.name in PAGING:
                    continue
                column = message.field(field.name)
                if column is None or column.option('no_column'):
                    tell(method.place, f'method {method.name} filters by {field.name}, which '
                         f'is no column of {message.name}')
                elif field.repeated or column.repeated or field.is_message or \
                        field.proto.type != column.proto.type:
                    tell(method.place, f'method {method.name} filters by {field.name}, which '
                         f'{message.name} has as another type; a filter is one value of it')
