"""What the service that serves a contract compiles in: <path>.server.h declares the
handlers it must define, .server.c holds the typed thunks and the table."""
from .out_contract import names, wrap
from .text import snake

HEADER = '''\
/* Made by contractgen from proto/{name}.
 *
 * For the {service} service alone: it defines each of these handlers, with its
 * state as self. out is zeroed and ready to be filled. */
#pragma once

#include "{stem}.trl.h"

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

{thunks}
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
            yield file.stem + '.server.h', HEADER.format(
                handlers='\n'.join(HANDLER.format(**r) for r in rows), **words)
            yield file.stem + '.server.c', SOURCE.format(
                thunks='\n'.join(THUNK.format(**r) for r in rows),
                methods='\n'.join(f'\t&{r["c_name"]},' for r in rows),
                table='\n'.join(f'\t{r["thunk"]},' for r in rows),
                count=len(rows), **words)

    def words(self, method):
        short = snake(method.name)
        return {**names(method), 'service': method.service, 'thunk': f'run_{short}',
                'handler': f'{method.service}_{short}',
                'comment': wrap(method.place.comment.replace('*/', '* /').split('\n\n')[0])}
