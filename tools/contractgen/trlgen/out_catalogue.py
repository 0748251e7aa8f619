"""All contracts together: catalogue.c holds every method, permission and route."""
from .lint import permissions_of
from .out_contract import feature_id
from .out_told import ROLES, kinds_of, told_rows
from .text import c_string

SOURCE = '''\
/* Made by contractgen from all contracts. */
#include <trl/event_type.h>
#include <trl/method.h>
#include <trl/routes.h>
#include <trl/told_kind.h>

{includes}

const struct trl_method *const trl_methods[] = {{
{methods}
\tNULL,
}};
const size_t trl_methods_count = {n_methods};

const struct trl_method *const trl_routes[] = {{
{routes}
\tNULL,
}};
const size_t trl_routes_count = {n_routes};

const struct trl_permission trl_permissions[] = {{
{permissions}
\t{{ .name = NULL }},
}};
const size_t trl_permissions_count = {n_permissions};

const struct trl_feature trl_features[] = {{
{features}
\t{{ .name = NULL }},
}};
const size_t trl_features_count = {n_features};

const struct trl_event_type *const trl_event_types[] = {{
{events}
\tNULL,
}};
const size_t trl_event_types_count = {n_events};

const struct trl_told_kind trl_told_kinds[] = {{
{kinds}
\t{{ .name = NULL }},
}};
const size_t trl_told_kinds_count = {n_kinds};
'''


def route_order(method):
    """Literal segments before variables, then by name: the first match wins."""
    parts = method.path.strip('/').split('/')
    return [(1, '') if p.startswith('{') else (0, p) for p in parts], method.verb


class CatalogueOutput:
    def __init__(self, contracts):
        self.contracts = contracts

    def files(self):
        methods = sorted(self.contracts.methods, key=lambda m: m.id)
        routes = sorted((m for m in methods if m.verb), key=route_order)
        permissions = sorted(permissions_of(self.contracts).values(), key=lambda p: p.id)
        features = sorted({m.feature for m in methods} - {None}, key=feature_id)
        events = sorted((e for f in self.contracts.files.values() for m in f.messages
                         for e in m.events), key=lambda e: e.type)
        stems = sorted({m.file.stem for m in methods + [e.message for e in events]})
        yield 'catalogue.c', SOURCE.format(
            includes='\n'.join(f'#include "{s}.trl.h"' for s in stems),
            methods='\n'.join(f'\t&{m.c_name},' for m in methods),
            n_methods=len(methods),
            routes='\n'.join(f'\t&{m.c_name}, /* {m.verb.upper()} {m.path} */'
                             for m in routes),
            n_routes=len(routes),
            permissions='\n'.join(
                f'\t{{ 0x{p.id:08x}u, {c_string(p.name)}, TRL_{ROLES[p.role]},\n'
                f'\t    {c_string(p.description)} }},' for p in permissions),
            n_permissions=len(permissions),
            features='\n'.join(f'\t{{ 0x{feature_id(name):08x}u, {c_string(name)} }},' for name in features),
            n_features=len(features),
            events='\n'.join(f'\t&{e.c_name},' for e in events), n_events=len(events),
            kinds=told_rows(self.contracts), n_kinds=len(kinds_of(self.contracts)))
