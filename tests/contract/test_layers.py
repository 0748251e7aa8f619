"""A file that includes from above its layer, or beside it, does not compile: no folder
is given the path where such a header lies. Nor is anybody given the private headers of
another module: what a module shows lies in its include/trl.

  test_layers.py BUILD
"""
import json
import os
import re
import shlex
import subprocess
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# What a folder may see of Trellis, as its meson.build says. Of contract, base and
# actor use <trl/method.h>, which needs nothing.
SEES = {
    'shared/base': ['shared/contract'],
    'shared/actor': ['shared/base', 'shared/contract'],
    'shared/child': ['shared/base', 'shared/actor', 'shared/contract'],
    'shared/calendar': ['shared/base', 'shared/contract'],
    'shared/money': ['shared/base', 'shared/contract'],
    'shared/contract': ['shared/base'],
    'shared/json': ['shared/base', 'shared/contract'],
    'shared/pg': ['shared/base', 'shared/actor', 'shared/contract'],
    'shared/resource': ['shared/base', 'shared/actor', 'shared/contract', 'shared/pg'],
    'shared/jobs': ['shared/base', 'shared/calendar', 'shared/actor', 'shared/contract', 'shared/pg'],
    'shared/redis': ['shared/base', 'shared/actor'],
    'shared/http': ['shared/base', 'shared/actor'],
    'shared/telemetry': ['shared/base', 'shared/actor', 'shared/contract', 'shared/http', 'shared/json'],
    'shared/ops': ['shared/base', 'shared/actor', 'shared/http'],
    'shared/access': ['shared/base', 'shared/actor', 'shared/redis'],
    'bus/calls': ['shared/base', 'shared/actor', 'shared/contract'],
    'bus/events': ['shared/base', 'shared/actor', 'shared/contract', 'shared/json', 'shared/pg', 'bus/calls'],
    'bus/service': ['shared/base', 'shared/actor', 'shared/contract', 'shared/json', 'shared/pg',
                    'shared/redis', 'shared/ops', 'shared/jobs', 'shared/telemetry', 'bus/calls',
                    'bus/events'],
}
BELOW = ['shared/base', 'shared/child', 'shared/calendar', 'shared/money', 'shared/actor', 'shared/contract', 'shared/pg', 'shared/redis', 'shared/ops',
         'shared/access', 'shared/jobs', 'shared/resource', 'shared/telemetry', 'bus/calls', 'bus/events', 'bus/service']
with open(os.path.join(TOP, 'services', 'list'), encoding='utf-8') as services:
    SEES.update({f'services/{name.strip()}': [*BELOW, 'shared/http', 'shared/json']
                 for name in services if not name.startswith('#')})
# Test programs are given these beside what is public: folders, times, databases,
# processes, callers to test with.
RIGS = {'bus/calls/test', 'shared/base/test', 'shared/calendar/test', 'shared/pg/test', 'services', 'tests/events', 'tests/contract'}
# Tests that stand apart from what they test, and are given its folder as if they stood
# there.
INSIDE = {
    'tests/fuzz/fuzz_frame': 'bus/calls',
    'tests/fuzz/fuzz_http': 'shared/http',
    'tests/fuzz/fuzz_trace': 'shared/telemetry',
    'tests/fuzz/fuzz_sentry': 'shared/telemetry',
    'tests/fuzz/fuzz_url': 'shared/http',
    'services/trellis-pdf': 'services/billing',
    'services/trellis-sniff': 'services/media',
    'services/trellis-picture': 'services/media',
    'tests/fuzz/': 'services',
    'tests/isolation/': 'services',
    'tests/oracle/': 'services/billing',
    'tests/told/': 'services/notify',
    'tests/bench/floor': 'services/tenants',
}
# Generated headers, messages and statements, lie in the build's folders, beside no other.
PROTO = {'proto', 'proto/trellis', 'proto/trellis/bus', 'tools/sqlgen'}
BUILD = ''


def headers():
    """Every header that others could include, by its folder."""
    found = {}
    for folder in SEES:
        place = os.path.join(TOP, folder, '' if folder.startswith('services/') else 'include')
        inside = '' if folder.startswith('services/') else 'trl'
        names = sorted(os.listdir(os.path.join(place, inside)))
        found[folder] = [os.path.join(inside, n) for n in names
                         if n.endswith('.h') and not n.startswith('test_')]
    return found


def compilers():
    """One command of each folder, without its source and outputs."""
    with open(os.path.join(BUILD, 'compile_commands.json'), encoding='utf-8') as file:
        entries = json.load(file)
    found = {}
    for entry in entries:
        source = os.path.relpath(os.path.join(entry['directory'], entry['file']), TOP)
        folder, name = os.path.split(source)
        if folder in SEES and not name.startswith(('test_', 'main', 'bench_')):
            words = [w for w in shlex.split(entry['command'])
                     if w.startswith(('-I', '-D', '-std'))]
            found.setdefault(folder, (entry['directory'], words))
    return found


def module(folder):
    """shared/pg of shared/pg/test; tests/mesh, tools/ctl, services/auth likewise."""
    return '/'.join(folder.split('/')[:2])


def offers():
    """Each target with each folder of the tree that it is given headers of. The target
    of tools/ctl/libctl.a.p/args.c.o is tools/ctl/libctl.a."""
    with open(os.path.join(BUILD, 'compile_commands.json'), encoding='utf-8') as file:
        entries = json.load(file)
    found = set()
    for entry in entries:
        target = entry['output'].split('.p/')[0]
        words = shlex.split(entry['command'])
        for i, word in enumerate(words):
            if not word.startswith(('-I', '-iquote', '-isystem')):
                continue
            path = re.sub('^-(I|iquote|isystem)', '', word) or words[i + 1]
            path = os.path.relpath(os.path.join(os.path.realpath(entry['directory']), path), TOP)
            if not path.startswith(('..', os.path.relpath(BUILD, TOP))):
                found.add((target, path))
    return found


def is_shown(target, path):
    """Whether target may be given the headers in path."""
    service = re.match('services/(?:lib|test_)([a-z0-9]+)_', target)
    own = f'services/{service[1]}' if service else ''
    if own not in SEES:
        own = module(os.path.dirname(target))
    if module(path) == own or path in PROTO or path.endswith('/include'):
        return True
    inside = [INSIDE[name] for name in INSIDE if target.startswith(name)]
    if any(path == place or path.startswith(place + '/') for place in inside):
        return True
    is_test = own.startswith('tests/') or re.search('test|bench|rig', os.path.basename(target))
    return path in RIGS and bool(is_test)


def compile_with(where, words, text):
    return subprocess.run(['cc', *words, '-xc', '-fsyntax-only', '-'], input=text, text=True,
                          cwd=where, capture_output=True, check=False)


class Layers(unittest.TestCase):
    def test_what_lies_above_cannot_be_included(self):
        all_headers, commands = headers(), compilers()
        self.assertEqual(set(commands), set(SEES))
        for folder, (where, words) in commands.items():
            # A name that it has itself, or a folder below, is that one's header.
            own = {name for seen in [folder, *SEES[folder]] for name in all_headers[seen]}
            own.update(os.listdir(os.path.join(TOP, folder)))
            foreign = [name for other, names in all_headers.items() for name in names
                       if other not in (folder, *SEES[folder]) and name not in own]
            text = ''.join(f'#if __has_include(<{name}>)\n#error {folder} sees {name}\n#endif\n'
                           for name in foreign)
            done = compile_with(where, words, text)
            with self.subTest(folder):
                self.assertEqual(done.returncode, 0, done.stderr[:2000])

    def test_an_include_of_the_bus_from_shared_is_an_error(self):
        where, words = compilers()['shared/pg']
        done = compile_with(where, words, '#include <trl/bus.h>\n')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('trl/bus.h', done.stderr)
        done = compile_with(where, words, '#include <trl/actor.h>\n#include <trl/pg.h>\n')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_private_headers_are_their_own_modules(self):
        shown = offers()
        self.assertGreater(len(shown), 500)
        self.assertEqual([], sorted(f'{target} is given {path}' for target, path in shown
                                    if not is_shown(target, path)))

    def test_where_public_headers_lie_nothing_else_does(self):
        for folder in SEES:
            if not folder.startswith('services/'):
                self.assertEqual(['trl'], os.listdir(os.path.join(TOP, folder, 'include')), folder)

    def test_what_is_refused(self):
        for target, path in [('services/libauth_service.a', 'shared/pg'),
                             ('services/libauth_service.a', 'services/notify'),
                             ('services/libauth_service.a', 'shared/pg/test'),
                             ('tools/ctl/libctl.a', 'bus/calls'),
                             ('tests/events/test_events_order', 'bus/calls'),
                             ('bus/events/libtrl_events.a', 'bus/calls')]:
            self.assertFalse(is_shown(target, path), (target, path))

    def test_in_the_bus_nothing_sees_what_stands_on_it(self):
        commands = compilers()
        for folder, name in {'bus/calls': 'trl/events.h', 'bus/events': 'trl/service.h'}.items():
            done = compile_with(*commands[folder], f'#include <{name}>\n')
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(name, done.stderr)
        done = compile_with(*commands['bus/calls'], '#include <trl/pg.h>\n')
        self.assertNotEqual(done.returncode, 0)


if __name__ == '__main__':
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
