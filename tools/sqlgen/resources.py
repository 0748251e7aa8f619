"""The plain statements of declared resources (proto/trellis/options.proto), as texts that
might stand in sql/query/. Columns and parameters go by the resource's fields; the owner
(tenant_id or account_id), former_version, after and limit are arguments."""
import pathlib
import sys

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'contractgen'))

from trlgen.model import Contracts
from trlgen.model import FD
from trlgen.out_resource import statements_of
from trlgen.resource import plural, resources_of

# How PostgreSQL is told the type of a filter that may be absent.
CASTS = {FD.TYPE_BOOL: 'boolean', FD.TYPE_STRING: 'text', FD.TYPE_ENUM: 'text'}


class Made:
    """A resource with its statements and the constraints of its unique names."""

    def __init__(self, resource):
        self.resource, self.name = resource, resource.c_name
        place = resource.message.place
        self.place = f'proto/{place.file}'
        self.columns = resource.columns
        self.column = {c.field.name: c.name for c in self.columns}
        self.statements = [(resource.statement(name), getattr(self, name.split('_by_')[0])(
            *name.split('_by_')[1:])) for _, name in statements_of(resource)]
        self.constraints = [
            (resource.constraint(u), 'EXISTS', u.fields[0], u.says, self.place)
            for u in resource.options.unique]

    def unbound(self, own, plain, base):
        """What is wrong with the parameters of a statement that stands for a plain one."""
        offered = {'former_version', 'now'} | {c.field.name for c in self.columns}
        for name in own:
            if name not in plain and name not in offered:
                yield (f'nothing gives :{name} to {base}, which serves the resource '
                       f'{self.resource.kind}; it is given its fields and ' +
                       ', '.join(f':{p}' for p in plain if p not in self.column))
        for name in plain:
            if name not in own and name not in self.column:
                yield (f'{base} serves the resource {self.resource.kind}, and does not take '
                       f':{name}')

    @property
    def where(self):
        owner = self.resource.owner
        return f'{owner} = :{owner}' + ''.join(
            f' and {self.column.get(k, k)} = :{k}' for k in self.resource.key)

    def selected(self, shown=False):
        """Its columns; of a list only those that are shown."""
        shown = shown and 'show' not in self.resource.hooks
        return ', '.join(c.name if c.name == c.field.name else f'{c.name} as {c.field.name}'
                         for c in self.columns if not (shown and c.field.internal))

    def get(self):
        expect = '' if self.resource.single else \
            f'-- expect: one NOT_FOUND "There is no such {self.resource.called}."\n'
        return f'{expect}select {self.selected()}\nfrom {self.resource.table}\nwhere {self.where}'

    def insert(self):
        owner = self.resource.owner
        names = ', '.join([owner] + [c.name for c in self.columns])
        values = ', '.join([f':{owner}'] + [f':{c.field.name}' for c in self.columns])
        return f'insert into {self.resource.table} ({names})\nvalues ({values})'

    def changed(self):
        kept = {'created_at', 'created_by', *self.resource.key}
        return [c for c in self.columns
                if c.field.name not in kept and not c.field.option('beside_version')]

    def expect_same(self):
        return (f'-- expect: one PRECONDITION "This {self.resource.called} has changed '
                'meanwhile; read it again."\n')

    def update(self):
        table = self.resource.table
        sets = ', '.join(f'{c.name} = :{c.field.name}' for c in self.changed())
        if self.resource.single:
            return (f'{self.expect_same()}{self.insert()}\non conflict ({self.resource.owner}) '
                    f'do update set {sets}\nwhere {table}.version = :former_version')
        return (f'{self.expect_same()}update {table} set {sets}\nwhere {self.where} '
                'and version = :former_version')

    def delete(self):
        versioned = ' and version = :former_version' if 'version' in self.column else ''
        return f'{self.expect_same()}delete from {self.resource.table}\nwhere {self.where}{versioned}'

    def lock(self):
        """Creates of one owner go one after the other, so that none slips past the count."""
        r = self.resource
        return (f"select pg_advisory_xact_lock(hashtextextended('{r.service} {r.kind} ' || "
                f':{r.owner}::uuid::text, 0)) is null as locked')

    def room(self):
        r = self.resource
        whose = 'You have' if r.of_person else 'This organisation has'
        whom = 'you' if r.of_person else 'it'
        return (f'-- expect: one QUOTA "{whose} as many {plural(r.called)} as {whom} may; '
                f'delete one first."\nselect count(*) as taken\nfrom (select 1 from {r.table} '
                f'where {r.owner} = :{r.owner} limit {r.most}) taken\n'
                f'having count(*) < {r.most}')

    def list(self, by=None):
        r = self.resource
        owner, key = r.owner, self.column[r.id_field]
        order = f'{key} desc' if r.options.newest_first else key
        after = f'{key} < :after' if r.options.newest_first else f'{key} > :after'
        where = [f'{owner} = :{owner}', after]
        for name in r.filters:
            column = self.column[name]
            if name in r.required_filters or name == by:
                where.append(f'{column} = :{name}')
            elif by is not None:
                where.append(f'(:{name}::{self.cast(name)} is null or {column} = :{name})')
        return (f'select {self.selected(True)}\nfrom {r.table}\nwhere {" and ".join(where)}\n'
                f'order by {order}\nlimit :limit')

    def cast(self, name):
        field = self.resource.message.field(name)
        if field.format == 'ID':
            return 'uuid'
        return CASTS.get(field.proto.type, 'bigint')


def read(path):
    """The resources of the last file of a set of descriptors."""
    found = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(path).read_bytes())
    request = plugin_pb2.CodeGeneratorRequest(proto_file=found.file)
    request.file_to_generate.append(found.file[-1].name)
    contracts = Contracts(request)
    return [Made(r) for r in resources_of(contracts.files[found.file[-1].name])]
