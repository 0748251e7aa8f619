"""Resources and what methods do to them, as C: struct trl_resource, struct trl_does, the
typed hooks. Part of <path>.server.h and .server.c."""
from .text import c_string

WHAT = {'create': 'CREATES', 'get': 'GETS', 'list': 'LISTS', 'update': 'UPDATES',
        'delete': 'DELETES', 'change': 'CHANGES'}

DECLARED = {
    'judge': '''\
/* Whether the change may be, and what else it changes. before is NULL of one that is
 * being made, after of one that is deleted. in is the request. */
enum trl_code {service}_judge_{kind}(struct {service} *self, trl_ctx *ctx,
    const ProtobufCMessage *in, const {row} *before,
    {row} *after) TRL_MUST_CHECK;
''',
    'guard': '''\
/* Adds what must hold to the change's batch, before its own statement. */
void {service}_guard_{kind}(struct {service} *self, trl_ctx *ctx, trl_batch *work,
    const {row} *before, const {row} *after);
''',
    'join': '''\
/* Adds what goes with the change to its batch, behind its own statement. */
void {service}_join_{kind}(struct {service} *self, trl_ctx *ctx, trl_batch *work,
    const {row} *before, const {row} *after);
''',
    'show': '''\
/* Fills what is no column of n rows that are about to be shown. */
enum trl_code {service}_show_{kind}(struct {service} *self, trl_ctx *ctx,
    {row} **rows, size_t n) TRL_MUST_CHECK;
''',
}

CHANGE = '''\
/* {comment} */
enum trl_code {handler}(struct {service} *self, trl_ctx *ctx,
    const {input} *in, const {row} *before,
    {row} *after) TRL_MUST_CHECK;
'''

THUNKS = {
    'judge': '''\
static enum trl_code
judge_{kind}(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
    const ProtobufCMessage *before, ProtobufCMessage *after)
{{
\treturn {service}_judge_{kind}(self, ctx, in, (const {row} *)before, ({row} *)after);
}}
''',
    'guard': '''\
static void
guard_{kind}(void *self, trl_ctx *ctx, trl_batch *work, const ProtobufCMessage *before,
    const ProtobufCMessage *after)
{{
\t{service}_guard_{kind}(self, ctx, work, (const {row} *)before, (const {row} *)after);
}}
''',
    'join': '''\
static void
join_{kind}(void *self, trl_ctx *ctx, trl_batch *work, const ProtobufCMessage *before,
    const ProtobufCMessage *after)
{{
\t{service}_join_{kind}(self, ctx, work, (const {row} *)before, (const {row} *)after);
}}
''',
    'show': '''\
static enum trl_code
show_{kind}(void *self, trl_ctx *ctx, ProtobufCMessage **rows, size_t n)
{{
\treturn {service}_show_{kind}(self, ctx, ({row} **)rows, n);
}}
''',
}

CHANGE_THUNK = '''\
static enum trl_code
{short}(void *self, trl_ctx *ctx, const ProtobufCMessage *in,
    const ProtobufCMessage *before, ProtobufCMessage *after)
{{
\treturn {handler}(self, ctx, (const {input} *)in, (const {row} *)before, ({row} *)after);
}}
'''

RESOURCE = '''\
const struct trl_resource {name} = {{
\t.service = "{service}",
\t.kind = "{kind}",
\t.table = "{table}",
\t.called = {called},
\t.place = {place},
\t.message = &{rules},
\t.columns = {kind}_columns,
\t.key = (const char *const[]){{ {key}NULL }},
\t.beside = (const char *const[]){{ {beside}NULL }},
\t.unique = (const struct trl_unique[]){{ {unique}{{ NULL, NULL }} }},
\t.filters = (const char *const[]){{ {filters}NULL }},
\t.most = {most},
\t.single = {single},
\t.of_person = {of_person},
\t.newest_first = {newest_first},
{own}{statements}}};
'''

DOES = '''\
static const struct trl_take {short}_takes[] = {{
{takes}\t{{ 0, 0 }}
}};
static const struct trl_does {short}_does = {{
\t.what = TRL_{what},
\t.resource = &{resource},
\t.action = "{action}",
\t.event = {event},
\t.event_row = {row},
\t.event_former = {former},
\t.event_by = {by},
\t.key = {key},
\t.items = {items},
\t.takes = {short}_takes,
\t.n_takes = {n_takes},
\t.hooks = &{hooks},
}};
'''

SERVE = '''\
static enum trl_code
{thunk}(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{{
\treturn trl_serve(self, ctx, &{short}_does, in, out);
}}
'''


def truth(value):
    return 'true' if value else 'false'


def quoted(names):
    return ''.join(f'"{n}", ' for n in names)


def hooks_declared(resource):
    words = {'service': resource.service, 'kind': resource.kind, 'row': resource.message.c_type}
    return ''.join(DECLARED[h].format(**words) for h in resource.hooks)


def change_declared(method, words):
    return CHANGE.format(row=method.does.resource.message.c_type, **words)


def statements_of(resource):
    """The names of its plain statements, by what the methods do to it."""
    doing = set(resource.doing)
    found = []
    if doing - {'create', 'list'}:
        found.append(('get', 'get'))
    if 'create' in doing:
        found.append(('insert', 'insert'))
        if resource.most:
            found += [('lock', 'lock'), ('room', 'room')]
    if doing & {'update', 'change'}:
        found.append(('update', 'update'))
    if 'delete' in doing:
        found.append(('remove', 'delete'))
    if 'list' in doing:
        found.append(('list[0]', 'list'))
        optional = [f for f in resource.filters if f not in resource.required_filters]
        found += [(f'list[{i}]', f'list_by_{f}') for i, f in enumerate(optional, 1)]
    return found


def resource_c(resource):
    message = resource.message
    columns = {c.field.name: c for c in resource.columns}
    rows = []
    for field in message.fields:
        column = columns.get(field.name)
        rows.append('\t{ NULL, false, false },' if column is None else
                    f'\t{{ "{column.name}", {truth(column.always)}, '
                    f'{truth(resource.begins(field))} }},')
    own = f'\t.id = {message.index_of.get(resource.id_field, -1)},\n'
    own += ''.join(f'\t.{name} = {message.index_of.get(name, -1)},\n' for name in (
        'version', 'created_at', 'updated_at', 'created_by'))
    own += f'\t.owner = {message.index_of.get(resource.owner, -1)},\n'
    column_of = {n: c.name for n, c in columns.items()}
    unique = ''.join(
        f'{{ "{resource.constraint(u)}", (const char *const[]){{ '
        f'{quoted(column_of[f] for f in u.fields)}NULL }} }},\n\t    '
        for u in resource.options.unique)
    optional = [f for f in resource.filters if f not in resource.required_filters]
    made = ''.join(f'\t.{member} = &{resource.service}_sql_{resource.statement(name)},\n'
                   for member, name in statements_of(resource))
    made += f'\t.list_by = {{ {quoted(optional)}NULL }},\n'
    table = '\n'.join(rows)
    out = [f'static const struct trl_column {resource.kind}_columns[] = {{\n{table}\n}};\n']
    out.append(RESOURCE.format(
        name=resource.c_name, service=resource.service, kind=resource.kind,
        table=resource.table, called=c_string(resource.called),
        place=c_string(f'proto/{message.place.file}:{message.place.line}'),
        rules=message.c_rules,
        key=quoted(column_of.get(k, k) for k in resource.key),
        beside=quoted(resource.options.beside), unique=unique,
        filters=quoted(column_of[f] for f in resource.filters), most=resource.most,
        single=truth(resource.single), of_person=truth(resource.of_person),
        newest_first=truth(resource.options.newest_first), own=own, statements=made))
    words = {'service': resource.service, 'kind': resource.kind, 'row': message.c_type}
    out += [THUNKS[h].format(**words) for h in resource.hooks]
    return '\n'.join(out)


def hooks_c(resource, name, change='NULL'):
    parts = [f'\t.{h} = {h}_{resource.kind},\n' for h in resource.hooks]
    if change != 'NULL':
        parts.append(f'\t.change = {change},\n')
    return f'static const struct trl_hooks {name} = {{\n{"".join(parts) or "    0"}}};\n'


def does_c(method, words):
    """The method's table, and its thunk."""
    does, resource = method.does, method.does.resource
    short = words['thunk'][len('run_'):]
    out, hooks = [], f'{resource.kind}_hooks'
    if does.what == 'change':
        hooks = f'{short}_hooks'
        out.append(CHANGE_THUNK.format(short=f'change_{short}', handler=does.handler,
                                       input=method.input.c_type,
                                       row=resource.message.c_type))
        out.append(hooks_c(resource, hooks, f'change_{short}'))
    index, to = method.input.index_of, resource.message.index_of
    event = {'row': -1, 'former': -1, 'by': -1}
    if does.event is not None and does.event.message is not resource.message:
        for i, field in enumerate(does.event.message.fields):
            if field.target is resource.message and field.name != 'former':
                event['row'] = i
            elif field.name in ('former', 'by'):
                event[field.name] = i
    reply = method.output
    items = next((i for i, f in enumerate(reply.fields)
                  if f.repeated and f.target is resource.message), -1)
    out.append(DOES.format(
        short=short, what=WHAT[does.what], resource=resource.c_name, action=does.action,
        event=f'&{does.event.c_name}' if does.event else 'NULL', **event,
        key=index[does.key_field.name] if does.key_field is not None else -1,
        items=items,
        takes=''.join(f'\t{{ {index[f.name]}, {to[t.name]} }},\n' for f, t in does.takes),
        n_takes=len(does.takes), hooks=hooks))
    out.append(SERVE.format(thunk=words['thunk'], short=short))
    return '\n'.join(out)
