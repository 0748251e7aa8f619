"""Declared resources: what a message that is one means for its table, and what a method
does to it. out_resource.py makes C of it, tools/sqlgen the plain statements, lint.py
the refusals."""
from .model import FD, Enum
from .text import snake

DOES = ('create', 'get', 'list', 'update', 'delete', 'change')
HAPPENED = {'create': 'created', 'update': 'updated', 'delete': 'deleted'}
HOOKS = {1: 'judge', 2: 'join', 3: 'guard', 4: 'show'}
OWN = ('id', 'version', 'created_at', 'updated_at', 'created_by')
PAGING = ('page_size', 'page_token')


def plural(noun):
    if noun[-1] == 'y' and noun[-2] not in 'aeiou':
        return noun[:-1] + 'ies'
    return noun + ('es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's')


class Column:
    """A field of the resource that its table has."""

    def __init__(self, resource, field):
        self.field = field
        self.name = field.option('column', field.name)
        self.always = field.option('always', False) or field.repeated or \
            field.name in resource.key or field.name in OWN[:4] or \
            resource.begins(field) or any(
                f is not None and f.required for f in resource.given(field.name)) or \
            not (resource.doing.get('create') or resource.may_clear(field))


class Resource:
    def __init__(self, contracts, message, options):
        self.contracts, self.message, self.options = contracts, message, options
        self.kind = options.kind
        self.table = options.table or options.kind
        self.called = options.called or options.kind.replace('_', ' ')
        self.service = message.package.split('.')[0]
        self.single, self.of_person = options.single, options.of_person
        self.key = list(options.key) or ([] if self.single else ['id'])
        self.hooks = [HOOKS[h] for h in options.hooks]
        self.most = options.most
        self.doing = {}  # what it does: the methods

    @property
    def owner(self):
        """The column whose rows belong together."""
        return 'account_id' if self.of_person else 'tenant_id'

    def given(self, name):
        """The field of that name in each request that makes one."""
        return [m.input.field(name) for m in self.doing.get('create', ())]

    def may_clear(self, field):
        return any(f is not None and f.option('nullable') for m in self.doing.get('update', ())
                   for f in [m.input.field(field.name)])

    def begins(self, field):
        """Whether a create that is not given it sets it: an enum's first value, false."""
        if field.repeated or field.option('no_column') or self.may_clear(field):
            return False
        return isinstance(field.target, Enum) or field.proto.type == FD.TYPE_BOOL

    @property
    def columns(self):
        return [Column(self, f) for f in self.message.fields
                if not f.option('no_column') and f.name != self.owner]

    @property
    def filters(self):
        """Names of the fields that its lists may filter by; required ones first."""
        found = {}
        for method in self.doing.get('list', ()):
            for field in asked(method):
                if field.name not in PAGING:
                    found.setdefault(field.name, field.required)
        return sorted(found, key=lambda name: not found[name])

    @property
    def required_filters(self):
        return [n for n in self.filters for m in self.doing['list'][:1]
                for f in [m.input.field(n)] if f is not None and f.required]

    @property
    def id_field(self):
        """The one field that names a row and is an id: "id", or the key; else None."""
        name = self.key[0] if len(self.key) == 1 else 'id' if self.single else None
        field = self.message.field(name) if name else None
        return name if field is not None and field.format == 'ID' else None

    @property
    def c_name(self):
        return f'{self.service}_resource_{self.kind}'

    def statement(self, name):
        return f'{self.kind}_{name}'

    def constraint(self, unique):
        return '_'.join([self.table, *unique.fields, 'key'])


class Does:
    """What a method does to its resource."""

    def __init__(self, method, options, resource):
        self.method, self.resource = method, resource
        self.what = options.WhichOneof('rule')
        verb = snake(method.name).split('_')[0] if self.what == 'change' else self.what
        self.action = f'{resource.service}.{resource.kind}.{options.action or verb}'
        self.event = self.find_event(options)

    def find_event(self, options):
        if options.tells or self.what in HAPPENED:
            wanted = options.tells or '%s.%s.%s' % (
                self.resource.service, self.resource.kind, HAPPENED[self.what])
            return next((e for m in self.method.file.messages for e in m.events
                         if e.type == wanted), None)
        return None

    @property
    def key_field(self):
        """The request's field that holds the id: the last of the path's variables."""
        if self.resource.key != ['id'] or self.what in ('create', 'list'):
            return None
        names = [n for n in self.method.path_names if n != self.method.tenant_field]
        return self.method.input.field(names[-1] if names else 'id')

    @property
    def takes(self):
        """The request's fields that the resource takes, by name."""
        if self.what not in ('create', 'update'):
            return []
        return [(f, self.resource.message.field(f.name)) for f in asked(self.method)
                if f is not self.key_field and not f.option('for_hook')
                and (self.what == 'create' or f.name not in self.resource.key)
                and self.resource.message.field(f.name) is not None]

    @property
    def handler(self):
        """The function that makes a change that is none of the plain things."""
        return f'{self.method.service}_{snake(self.method.name)}'


def asked(method):
    """The request's fields that say something of the resource."""
    return [f for f in method.input.fields
            if not f.is_clear and f.name not in ('tenant_id', method.tenant_field)]


def resolve(contracts):
    """Gives every message its resource and every method what it does (or None)."""
    for file in contracts.files.values():
        for message in file.messages:
            options = contracts.options.read(message.proto.options, 'trellis.resource')
            message.resource = Resource(contracts, message, options) if options else None
    for method in contracts.methods:
        method.does = None
        options = method.option('does')
        what = options.WhichOneof('rule') if options is not None else None
        if what is None:
            continue
        message = next((m for m in method.file.messages
                        if m.name == getattr(options, what)), None)
        if message is not None and message.resource is not None:
            message.resource.doing.setdefault(what, []).append(method)
            method.does = Does(method, options, message.resource)


def resources_of(file):
    return [m.resource for m in file.messages if m.resource is not None]
