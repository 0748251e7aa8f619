"""What the service that serves a contract compiles in: <path>.server.h declares the
handlers it must define, .server.c holds the typed thunks and the table."""
from .out_contract import names, wrap
from .out_resource import change_declared, does_c, hooks_c, hooks_declared, resource_c
from .resource import resources_of
from .text import snake

HEADER = '''\
/* Made by contractgen from proto/{name}.
 *
 * For the {service} service only: it defines each of these functions, with its
 * state as self. A handler's out is zeroed and ready to be filled. */
#pragma once

{includes}#include "{stem}.trl.h"

struct {service};

{handlers}
extern const struct trl_contract {package}_server;
'''

HANDLER = '''\
/* {comment} */
enum trl_code {handler}(struct {service} *self, trl_ctx *ctx,
    const {input} *in, {output} *out) TRL_MUST_CHECK;
'''

SOURCE = '''\
/* Made by contractgen from proto/{name}. */
#include "{stem}.server.h"

{includes}{resources}{thunks}
static const struct trl_method *const methods[] = {{
{methods}
}};

static trl_thunk *const thunks[] = {{
{table}
}};

const struct trl_contract {package}_server = {{
\t.service = "{service}",
\t.n_methods = {count},
\t.methods = methods,
\t.thunks = thunks,
}};
'''

THUNK = '''\
static enum trl_code
{thunk}(void *self, trl_ctx *ctx, const ProtobufCMessage *in, ProtobufCMessage *out)
{{
\treturn {handler}(self, ctx, (const {input} *)in, ({output} *)out);
}}
'''


class ServerOutput:
    def __init__(self, contracts):
        self.asked = [contracts.files[name] for name in contracts.asked]

    def files(self):
        for file in self.asked:
            if not file.methods:
                continue
            words = {'name': file.name, 'stem': file.stem,
                     'service': file.service_name, 'package': file.c_package}
            rows = [self.words(m) for m in file.methods]
            resources = resources_of(file)
            declared = [hooks_declared(r) for r in resources if r.hooks]
            declared += [self.declared(m, r) for m, r in zip(file.methods, rows)]
            yield file.stem + '.server.h', HEADER.format(
                includes='#include <trl/serve.h>\n\n' if resources else '',
                handlers='\n'.join(d for d in declared if d), **words)
            yield file.stem + '.server.c', SOURCE.format(
                includes=f'#include "{file.service_name}_sql.h"\n\n' if resources else '',
                resources=''.join(resource_c(r) + '\n' for r in resources) + ''.join(
                    hooks_c(r, f'{r.kind}_hooks') + '\n' for r in resources
                    if set(r.doing) - {'change'}),
                thunks='\n'.join(does_c(m, r) if m.does else THUNK.format(**r)
                                 for m, r in zip(file.methods, rows)),
                methods='\n'.join(f'\t&{r["c_name"]},' for r in rows),
                table='\n'.join(f'\t{r["thunk"]},' for r in rows),
                count=len(rows), **words)

    def declared(self, method, words):
        if method.does is None:
            return HANDLER.format(**words)
        return change_declared(method, words) if method.does.what == 'change' else ''

    def words(self, method):
        short = snake(method.name)
        return {**names(method), 'service': method.service, 'thunk': f'run_{short}',
                'handler': f'{method.service}_{short}',
                'comment': wrap(method.place.comment.replace('*/', '* /').split('\n\n')[0])}
