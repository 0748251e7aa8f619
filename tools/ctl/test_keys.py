"""The keys that `trellis keys init` makes: each process has its own, both ends of a pair
the same, and nothing that is there is written over.

  test_keys.py build/tools/ctl/trellis build/services/trellis-all
"""
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import unittest

TRELLIS, ALL = sys.argv[1:3]
NUMBERED, BARE = '1:[0-9a-f]{64}\n', '[0-9a-f]{64}\n'


def run(*words, code=0):
    done = subprocess.run([TRELLIS, 'keys', 'init', *words], capture_output=True, text=True,
                          check=False)
    assert done.returncode == code, done
    return done


def secrets_of(manifest):
    """Owner to file to key, of Secrets called trellis-OWNER-keys."""
    found = {}
    for one in manifest['items']:
        assert (one['apiVersion'], one['kind'], one['type']) == ('v1', 'Secret', 'Opaque')
        owner = re.fullmatch('trellis-(.+)-keys', one['metadata']['name'])[1]
        assert owner not in found
        found[owner] = one['stringData']
    return found


def made(*words):
    return secrets_of(json.loads(run('--json', *words).stdout))


def read_folder(folder):
    found = {}
    for owner in os.listdir(folder):
        found[owner] = {}
        for name in os.listdir(os.path.join(folder, owner)):
            with open(os.path.join(folder, owner, name), encoding='ascii') as file:
                found[owner][name] = file.read()
    return found


class Keys(unittest.TestCase):
    def setUp(self):
        self.mesh = json.loads(subprocess.run([ALL, 'mesh', '--json'], check=True, text=True,
                                              capture_output=True, env={}).stdout)
        self.names = [one['name'] for one in self.mesh['services']]
        folder = tempfile.TemporaryDirectory(prefix='trl-keys.')
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, 'keys')

    def holders(self, found):
        """Key to the places where it is."""
        places = {}
        for owner, files in found.items():
            for name, key in files.items():
                places.setdefault(key, set()).add((owner, name))
        return places

    def test_both_ends_of_a_pair_have_one_key_and_nobody_else_has(self):
        found = made()
        self.assertEqual(set(found), {*self.names, 'ctl'})
        places = list(self.holders(found).values())
        pairs = self.mesh['pairs'] + [['ctl', name] for name in self.names]
        for a, b in pairs:
            self.assertIn({(a, f'bus-key-{b}'), (b, f'bus-key-{a}')}, places)
        sealing = {(one['name'], 'seal-key') for one in self.mesh['services'] if one['seals']}
        self.assertIn(sealing, places)
        self.assertIn({('auth', 'password-pepper')}, places)
        self.assertEqual(len(places), len(pairs) + 2)
        for key, at in self.holders(found).items():
            form = BARE if at == sealing else NUMBERED
            self.assertRegex(key, rf'\A{form}\Z')

    def test_all_services_in_one_process_have_one_key_with_the_operator(self):
        found = made('--one')
        self.assertEqual({owner: set(files) for owner, files in found.items()}, {
            'all': {'bus-key-ctl', 'seal-key', 'password-pepper'},
            'ctl': {f'bus-key-{name}' for name in self.names}})
        self.assertEqual(set(found['ctl'].values()), {found['all']['bus-key-ctl']})

    def test_no_two_runs_make_the_same_key(self):
        self.assertFalse(set(self.holders(made())) & set(self.holders(made())))

    def test_the_manifest_is_yaml_of_the_same(self):
        done = run('--namespace', 'shop', '--name', 'acme')
        found, documents = {}, done.stdout.split('---\n')
        self.assertEqual(documents[0], '')
        for document in documents[1:]:
            head, data = document.split('stringData:\n')
            name = re.search('\n  name: acme-(.+)-keys\n  namespace: shop\n', head)[1]
            self.assertTrue(head.startswith('apiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata:\n'))
            found[name] = dict(re.findall(r'^  ([a-z-]+): \|\n    (.+\n)', data, re.M))
            self.assertEqual(data.count('\n'), 2 * len(found[name]))
        self.assertEqual({o: set(f) for o, f in found.items()}, {o: set(f) for o, f in made().items()})
        self.assertNotRegex(done.stderr, '[0-9a-f]{64}')  # what a log would keep
        self.assertIn('TRELLIS_SMTP_PASSWORD (notify)', done.stderr)

    def test_a_folder_is_for_its_owner_only(self):
        done = run('--dir', self.folder)
        self.assertNotRegex(done.stdout + done.stderr, '[0-9a-f]{64}')
        self.assertEqual({o: set(f) for o, f in read_folder(self.folder).items()},
                         {o: set(f) for o, f in made().items()})
        for path, folders, files in os.walk(self.folder):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700)
            for name in files:
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(path, name)).st_mode), 0o600)

    def test_the_services_take_what_is_made(self):
        run('--dir', self.folder)
        for name, settings in (('auth', ('seal-key', 'password-pepper')), ('tenants', ('seal-key',))):
            env = {f'TRELLIS_{file.upper().replace("-", "_")}_FILE': f'{self.folder}/{name}/{file}'
                   for file in os.listdir(os.path.join(self.folder, name))}
            self.assertTrue({f'TRELLIS_{s.upper().replace("-", "_")}_FILE' for s in settings} <= set(env))
            done = subprocess.run([ALL, '--services', name, '--check-config'], text=True, check=False,
                                  capture_output=True, env=env)
            for setting in env:
                self.assertNotIn(setting.removesuffix('_FILE'), done.stderr)

    def test_nothing_is_written_over(self):
        run('--dir', self.folder)
        before = read_folder(self.folder)
        done = run('--dir', self.folder, code=1)
        self.assertIn('is there already; nothing is written over', done.stderr)
        self.assertEqual(read_folder(self.folder), before)
        empty = self.folder + '.empty'
        os.mkdir(empty)
        run('--dir', empty, code=1)
        self.assertEqual(os.listdir(empty), [])
        os.symlink(self.folder, self.folder + '.link')
        run('--dir', self.folder + '.link', code=1)
        os.symlink(self.folder + '.not', self.folder + '.dangling')
        run('--dir', self.folder + '.dangling', code=1)
        self.assertFalse(os.path.exists(self.folder + '.not'))

    def test_what_cannot_be_is_refused_and_makes_nothing(self):
        for words, said in ((('--name', 'Acme'), '--name takes'), (('--name', 'a' * 41), '--name takes'),
                            (('--name', '-a'), '--name takes'),
                            (('--namespace', 'a b'), '--namespace takes'),
                            (('--namespace', 'x: y'), '--namespace takes'),
                            (('--dir', self.folder, '--name', 'a'), '--dir makes files'),
                            (('--dir', self.folder, '--json'), '--dir makes files'),
                            (('extra',), "takes no 'extra'")):
            done = run(*words, code=2)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stdout, '')
        done = run('--dir', self.folder + '/not/there', code=1)
        self.assertIn('cannot make', done.stderr)
        self.assertFalse(os.path.exists(self.folder))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
