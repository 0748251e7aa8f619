"""enum trellis.Code as enum trl_code: <trl/code.h> and code.c."""
from .text import c_string

HEADER = '''\
/* Made by contractgen from proto/trellis/error.proto. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How a call ended; the numbers are on the wire. */
enum trl_code {{
{rows}
}};

/* Whether a number has a name. */
bool trl_code_is_known(enum trl_code code);
/* "NOT_FOUND"; "?" for a number that has no name. */
const char *trl_code_name(enum trl_code code);
/* The HTTP status, 500 for a number that has no name. */
uint16_t trl_code_status(enum trl_code code);
/* The title of the problem document. */
const char *trl_code_title(enum trl_code code);
'''

SOURCE = '''\
/* Made by contractgen from proto/trellis/error.proto. */
#include <trl/code.h>

{functions}'''

FUNCTION = '''\
{kind}
trl_code_{name}(enum trl_code code)
{{
\tswitch (code) {{
{cases}
\t}}
\treturn {other};
}}
'''


class CodeOutput:
    def __init__(self, contracts):
        self.values = contracts.codes

    def files(self):
        rows = '\n'.join(f'\tTRL_{n} = {i},' for n, i, _ in self.values)
        yield 'code.h', HEADER.format(rows=rows.rstrip(','))
        yield 'code.c', SOURCE.format(functions='\n'.join([
            self.function('bool', 'is_known', 'false', lambda n, o: 'true'),
            self.function('const char *', 'name', '"?"', lambda n, o: c_string(n)),
            self.function('uint16_t', 'status', '500', lambda n, o: str(o.status)),
            self.function('const char *', 'title', '"Internal error"',
                          lambda n, o: c_string(o.title)),
        ]))

    def function(self, kind, name, other, value):
        cases = '\n'.join(f'\tcase TRL_{n}:\n\t\treturn {value(n, o)};'
                          for n, _, o in self.values)
        return FUNCTION.format(kind=kind.strip(), name=name, other=other, cases=cases)
