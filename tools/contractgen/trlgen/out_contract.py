"""What a contract gives to everybody: <path>.trl.h and .trl.c (rules, methods) and
.client.c (the stubs that others call)."""
import textwrap
import zlib

from .out_rules import Rules
from .text import c_string, snake, stem

HEADER = '''\
/* Made by contractgen from proto/{name}.
 *
 * Rules of the messages, terms of the methods, and the stubs through which
 * other services call them: trl_bus_call of <trl/bus.h>, in an actor. */
#pragma once

#include <trl/event_type.h>
#include <trl/method.h>
#include <trl/value.h>

#include "{stem}.pb-c.h"

typedef struct trl_bus trl_bus;
struct trl_call_terms;

{rules}

/* An empty message in ctx's arena; the name of an enum's value, as JSON and PostgreSQL
 * have it. Fields that have no pointer to be absent by are set by trl_set (value.h). */
{made}
{permissions}{methods}'''

SOURCE = '''\
/* Made by contractgen from proto/{name}. */
#include "{stem}.trl.h"

{includes}{body}'''

CLIENT = '''\
/* Made by contractgen from proto/{name}. */
#include "{stem}.trl.h"

#include <trl/bus.h>

{stubs}'''

PERMISSION = '''\
#define {c_name} 0x{id:08x}u /* {name} */
'''

DECLARATION = '''\
/* {comment} */
extern const struct trl_method {c_name};
enum trl_code {stub}(trl_ctx *ctx, trl_bus *bus,
    const {input} *in, {output} **out) TRL_MUST_CHECK;
enum trl_code {stub}_with(trl_ctx *ctx, trl_bus *bus,
    const {input} *in, const struct trl_call_terms *terms,
    {output} **out) TRL_MUST_CHECK;
'''

STUB = '''\
enum trl_code
{stub}(trl_ctx *ctx, trl_bus *bus,
    const {input} *in, {output} **out)
{{
\tProtobufCMessage *reply = NULL;
\tenum trl_code rc;

\trc = trl_bus_call(ctx, bus, &{c_name}, &in->base, &reply);
\tif (rc == TRL_OK)
\t\t*out = ({output} *)reply;
\treturn rc;
}}

enum trl_code
{stub}_with(trl_ctx *ctx, trl_bus *bus,
    const {input} *in, const struct trl_call_terms *terms,
    {output} **out)
{{
\tProtobufCMessage *reply = NULL;
\tenum trl_code rc;

\trc = trl_bus_call_with(ctx, bus, &{c_name}, &in->base, terms, &reply);
\tif (rc == TRL_OK)
\t\t*out = ({output} *)reply;
\treturn rc;
}}
'''

NEW = '''\
static inline {type} *
{name}_new(trl_ctx *ctx)
{{
\t{type} *made = ({type} *)trl_arena_alloc(ctx->arena, sizeof *made);

\t{init}(made);
\treturn made;
}}
'''

NAME = '''\
static inline const char *
{name}_name({type} value)
{{
\tconst ProtobufCEnumValue *found =
\t    protobuf_c_enum_descriptor_get_value(&{descriptor}, (int)value);

\treturn found ? found->name : "?";
}}
'''

METHOD = '''\
{callers}{fixed}{bodies}const struct trl_method {c_name} = {{
\t.id = 0x{id:08x}u,
\t.name = {name},
\t.service = "{service}",
\t.auth = TRL_AUTH_{auth},
\t.effect = {effect},
\t.timeout_ms = {timeout},
\t.rate = {rate},
\t.max_body_bytes = {body},
\t.permission = 0x{permission:08x}u,
\t.permission_name = {permission_name},
\t.feature = {feature},
\t.feature_id = 0x{feature_id:08x}u,
\t.protocol = {protocol},
\t.tagged = {tagged},
\t.exact = {exact},
\t.errors = UINT64_C(0x{errors:x}),
\t.callers = {caller_table},
\t.if_match = {if_match},
\t.revalidates = {revalidates},
\t.signs_in = {signs_in},
\t.sees_session = {sees_session},
\t.stream = {stream},
\t.takes = {takes},
\t.gives = {gives},
\t.media_type = {media_type},
\t.answers = {answers},
\t.offers = {offers},
\t.in = &{rules_in},
\t.out = &{rules_out},
\t.verb = TRL_{verb},
\t.path = {path},
\t.status = {status},
\t.tenant_field = {tenant_field},
}};
'''


EVENT = '''\
{tables}const struct trl_event_type {event.c_name} = {{
\t.name = {type},
\t.service = "{event.service}",
\t.message = &{event.message.c_rules},
\t.published = {published},
\t.about = {about},
\t.product = {product},
\t.narrow = {narrow},
}};
'''

NARROW = '''\
static const struct trl_narrow {name} = {{
\t.field = {field},
\t.value = {value},
\t.account = {account},
\t.permission = {permission},
}};
'''


def names(method):
    """The names a method goes by in C."""
    return {
        'c_name': method.c_name,
        'stub': f'{method.service}_call_{snake(method.name)}',
        'input': method.input.c_type,
        'output': method.output.c_type,
    }


class ContractOutput:
    def __init__(self, contracts):
        self.asked = [contracts.files[name] for name in contracts.asked]

    def files(self):
        for file in self.asked:
            words = {'name': file.name, 'stem': file.stem}
            rules = [Rules(m) for m in file.messages]
            yield file.stem + '.trl.h', HEADER.format(
                rules='\n'.join([r.declaration() for r in rules] + [
                    f'extern const struct trl_event_type {e.c_name};'
                    for m in file.messages for e in m.events]),
                made='\n'.join(
                    [NEW.format(type=m.c_type, name=m.c_name, init=m.c_init)
                     for m in file.messages if not m.is_entry] +
                    [NAME.format(type=e.c_type, name=e.c_name, descriptor=e.c_descriptor)
                     for e in file.enums]),
                permissions=self.permissions(file),
                methods=''.join('\n' + self.declare(m) for m in file.methods), **words)
            # Inner messages stand before those that hold them or are declared.
            body = '\n'.join([r.definition() for r in rules] +
                             [self.event(e) for m in file.messages for e in m.events] +
                             [self.define(m) for m in file.methods])
            includes = ''.join(f'#include "{stem(d)}.trl.h"\n'
                               for d in file.proto.dependency if has_rules(d))
            yield file.stem + '.trl.c', SOURCE.format(
                body=body, includes=includes + '\n' if includes else '', **words)
            if file.methods:
                stubs = '\n'.join(STUB.format(**names(m)) for m in file.methods)
                yield file.stem + '.client.c', CLIENT.format(stubs=stubs, **words)

    def permissions(self, file):
        """By name, so that a handler which asks for one that nobody can hold does not
        compile."""
        names = sorted({m.option('permission') for m in file.methods} - {None})
        return ''.join(PERMISSION.format(
            c_name='_'.join(['TRL_MAY', *n.upper().split('.')]), id=permission_id(n),
            name=n) for n in names)

    def event(self, event):
        tables, product, narrow = '', 'NULL', 'NULL'
        if event.product is not None:
            product = f'{event.c_name}_product'
            paths = ''.join(f'{c_string(path)}, ' for path in event.product)
            tables += f'static const char *const {product}[] = {{ {paths}NULL }};\n'
        if event.narrow is not None:
            narrow = f'&{event.c_name}_narrow'
            tables += NARROW.format(name=narrow[1:], **{
                name: c_string(getattr(event.narrow, name))
                for name in ('field', 'value', 'account', 'permission')})
        return EVENT.format(
            event=event, type=c_string(event.type), about=c_string(event.about),
            published=str(event.published).lower(), tables=tables, product=product,
            narrow=narrow)

    def declare(self, method):
        comment = method.place.comment.replace('*/', '* /').split('\n\n')[0]
        return DECLARATION.format(comment=wrap(comment), **names(method))

    def define(self, method):
        callers = list(method.options.callers) if method.options else []
        permission = method.option('permission')
        table = f'{method.c_name}_callers'
        return METHOD.format(
            c_name=method.c_name, id=method.id, name=c_string(method.full),
            service=method.service, auth=method.auth,
            effect='TRL_WRITE' if method.writes else 'TRL_READ',
            timeout=method.option('timeout_ms', 5000), rate=c_string(method.rate),
            body=method.option('max_body_bytes', 65536),
            permission=permission_id(permission) if permission else 0,
            permission_name=c_string(permission) if permission else 'NULL',
            feature=c_string(method.feature) if method.feature else 'NULL',
            feature_id=feature_id(method.feature) if method.feature else 0,
            protocol=f'TRL_{method.protocol}' if method.protocol else 'TRL_NO_PROTOCOL',
            tagged=str(bool(method.option('tagged'))).lower(),
            exact=str(bool(method.exact)).lower(),
            errors=sum(1 << code for code in method.errors),
            callers=f'static const char *const {table}[] = {{ ' +
            ''.join(f'{c_string(c)}, ' for c in callers) + 'NULL };\n',
            caller_table=table,
            if_match=str(bool(method.option('if_match'))).lower(),
            revalidates=str(method.revalidates).lower(),
            signs_in=str(bool(method.option('signs_in'))).lower(),
            sees_session=str(bool(method.option('sees_session'))).lower(),
            stream=str(bool(method.option('stream'))).lower(),
            bodies=''.join(body_table(method, which) for which in BODIES),
            **{which: f'&{method.c_name}_{which}' if method.option(which) is not None else 'NULL'
               for which in BODIES},
            media_type=c_string(method.option('media_type')) if method.option('media_type') else 'NULL',
            fixed=''.join(fixed_table(method, which) for which in FIXED),
            **{which: f'{method.c_name}_{which}' if method.fixed(which) else 'NULL'
               for which in FIXED},
            rules_in=method.input.c_rules, rules_out=method.output.c_rules,
            verb=method.verb.upper() if method.verb else 'VERB_NONE',
            path=c_string(method.path) if method.path else 'NULL',
            status=method.status,
            tenant_field=method.input.index_of.get(method.tenant_field, -1))


FIXED = ('answers', 'offers')


def fixed_table(method, which):
    """Header fields that are always the same: names and values in turn."""
    pairs = ''.join(f'{c_string(name)}, {c_string(value)}, '
                    for name, value in method.fixed(which))
    table = f'static const char *const {method.c_name}_{which}[] = {{ {pairs}NULL }};\n'
    return table if pairs else ''


BODIES = ('takes', 'gives')


def body_table(method, which):
    """A body beside the message: its types and its size."""
    body = method.option(which)
    if body is None:
        return ''
    name = f'{method.c_name}_{which}'
    types = ''.join(f'{c_string(kind)}, ' for kind in body.media_type)
    return (f'static const char *const {name}_types[] = {{ {types}NULL }};\n' if types else '') + (
        f'static const struct trl_body {name} = {{\n'
        f'\t.media_types = {name + "_types" if types else "NULL"},\n'
        f'\t.max_bytes = UINT64_C({body.max_bytes or 2**63 - 1}),\n'
        f'\t.optional = {str(body.optional).lower()},\n}};\n')


def has_rules(dependency):
    return not dependency.startswith('google/') and dependency not in (
        'trellis/options.proto', 'trellis/error.proto')


def permission_id(name):
    return zlib.crc32(name.encode())


def feature_id(name):
    return permission_id(f'feature:{name}')


def wrap(text):
    return '\n * '.join(textwrap.wrap(text, 82))
