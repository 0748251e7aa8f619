#!/usr/bin/python3
"""calls.py - a service that calls what it may not would be answered DENIED, and one that
calls a service it does not name would find nobody, at its first call. Here the build
says so: which stubs a service's objects want is held against the contracts' callers and
the service's own .calls. So is who speaks to others' machines against .reaches_outside
and .reaches_chosen, for elsewhere the network lets nobody else out.

  calls.py OUT TRELLIS_ALL INCLUDE... -- PROTO... -- NAME=LIBRARY...
"""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tools/contractgen'))

from compat import read_contracts  # noqa: E402
from trlgen.text import snake  # noqa: E402


def wanted(library):
    """The names that a library's objects want of others."""
    said = subprocess.run(['nm', '--undefined-only', '--format=posix', library], check=True,
                          capture_output=True, text=True).stdout
    return {line.split()[0] for line in said.splitlines() if ' U' in line}


def mesh(trellis_all):
    """What the services say of themselves."""
    env = {**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0:detect_stack_use_after_return=0'}
    done = subprocess.run([trellis_all, 'mesh', '--json'], env=env, capture_output=True,
                          text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr or f'{trellis_all} mesh --json failed')
    return json.loads(done.stdout)['services']


def may_call(method, name):
    """As bus_may_call (permit.c)."""
    callers = list(method.options.callers)
    return name in callers or ('*' in callers and name != 'edge') or \
        (name == 'edge' and method.verb is not None)


def breaches(contracts, calls, libraries):
    for method in contracts.methods:
        place = f'proto/{method.place.file}:{method.place.line}'
        for caller in method.options.callers:
            if caller != '*' and caller not in calls:
                yield (f'{place}: method {method.name} lists the caller "{caller}", which is no '
                       'service of services/list; correct it')
    stubs = {}
    for method in contracts.methods:
        stub = f'{method.service}_call_{snake(method.name)}'
        stubs[stub] = stubs[f'{stub}_with'] = method
    for name, library in libraries:
        for method in {stubs[s] for s in wanted(library) if s in stubs}:
            place = f'proto/{method.place.file}:{method.place.line}'
            if not may_call(method, name):
                yield (f'{place}: method {method.full} does not let {name} call it, and '
                       f'services/{name} does; add "{name}" to its callers')
            if method.service not in calls[name] and method.service in calls:
                yield (f'services/{name}: it calls {method.full} ({place}), and .calls of '
                       f'struct trl_service {name}_service does not name "{method.service}"; '
                       'add it')


def let_out(outside, libraries):
    for name, library in libraries:
        if name not in outside and 'trl_http_out_open' in wanted(library):
            yield (f'services/{name}: it speaks to others\' machines (trl_http_out_open), and '
                   f'struct trl_service {name}_service does not say .reaches_outside or '
                   '.reaches_chosen = true; add it')


def main(arguments):
    out, trellis_all, *rest = arguments
    at = rest.index('--')
    includes, rest = rest[:at], rest[at + 1:]
    at = rest.index('--')
    protos, libraries = rest[:at], [word.split('=', 1) for word in rest[at + 1:]]
    services = mesh(trellis_all)
    found = sorted([
        *breaches(read_contracts(includes, protos), {s['name']: s['calls'] for s in services}, libraries),
        *let_out({s['name'] for s in services if s['outside'] or s['chosen']}, libraries)])
    if found:
        sys.exit('\n'.join(found))
    with open(out, 'w', encoding='utf-8') as file:
        file.write('fine\n')


if __name__ == '__main__':
    main(sys.argv[1:])
