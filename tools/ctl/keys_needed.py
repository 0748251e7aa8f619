"""keys_needed.py - which keys a deployment of these services needs, as C for keys.c. Who
shares a key and what each can be told is what the services say of themselves
(`trellis-all mesh --json`); here stands only how a key of each kind is written.

  keys_needed.py OUT.c TRELLIS-ALL
"""
import json
import subprocess
import sys

# Secret settings that are made and not given by somebody: how each is written.
MADE = {'TRELLIS_SEAL_KEY': 'CTL_KEY_BARE', 'TRELLIS_PASSWORD_PEPPER': 'CTL_KEY_NUMBERED'}


def file_of(setting):
    """The file of a setting in a folder of secrets."""
    return setting.removeprefix('TRELLIS_').lower().replace('_', '-')


class Keys:
    """Who has which key in which file."""

    def __init__(self):
        self.rows, self.n = [], 0

    def add(self, form, *places):
        """One key, in each of these places: (owner, setting)."""
        self.rows += [(owner, file_of(setting), self.n, form) for owner, setting in places]
        self.n += 1 if places else 0

    def add_pair(self, a, b, a_of_b=None):
        self.add('CTL_KEY_NUMBERED', (a, bus_key(a_of_b or b)), (b, bus_key(a)))


def bus_key(peer):
    return f'TRELLIS_BUS_KEY_{peer.upper()}'


def add_settings(keys, services, owner_of):
    """What services seal and mix in, the same in all that have it."""
    sealing = [one['name'] for one in services if one['seals']]
    for setting, form in MADE.items():
        owners = [one['name'] for one in services
                  if any(s['name'] == setting for s in one['settings'])]
        if setting == 'TRELLIS_SEAL_KEY':
            owners = sealing
        keys.add(form, *dict.fromkeys((owner_of(name), setting) for name in owners))


def keys_of(mesh):
    """A process a service."""
    keys, services = Keys(), mesh['services']
    for a, b in mesh['pairs']:
        keys.add_pair(a, b)
    for one in services:
        keys.add_pair('ctl', one['name'])
    add_settings(keys, services, lambda name: name)
    return keys


def keys_of_one(mesh):
    """All services in one process, which has one key with the operator's command."""
    keys, services = Keys(), mesh['services']
    keys.add('CTL_KEY_NUMBERED', ('all', bus_key('ctl')),
             *(('ctl', bus_key(one['name'])) for one in services))
    add_settings(keys, services, lambda name: 'all')
    return keys


def table(name, keys):
    # By owner, so that one's files stand together.
    owners = list(dict.fromkeys(owner for owner, _, _, _ in keys.rows))
    rows = sorted(keys.rows, key=lambda row: owners.index(row[0]))
    lines = ''.join(f'\t{{ "{owner}", "{file}", {number}, {form} }},\n'
                    for owner, file, number, form in rows)
    return (f'const struct ctl_secret {name}[] = {{\n{lines}\t{{ .owner = NULL }},\n}};\n')


def given(mesh):
    """Secrets that nobody can make: whoever runs the mesh has them."""
    rows = sorted({(s['name'], one['name']) for one in mesh['services'] for s in one['settings']
                   if s['secret'] and s['name'] not in MADE})
    lines = ''.join(f'\t"{setting} ({owner})",\n' for setting, owner in rows)
    return f'const char *const ctl_secrets_given[] = {{\n{lines}\tNULL,\n}};\n'


def main(out, trellis_all):
    done = subprocess.run([trellis_all, 'mesh', '--json'], capture_output=True, text=True,
                          env={}, check=False)
    if done.returncode:
        sys.exit(done.stderr or f'{trellis_all} mesh --json failed')
    mesh = json.loads(done.stdout)
    with open(out, 'w', encoding='utf-8') as file:
        file.write('/* Made by keys_needed.py. */\n#include "keys.h"\n\n' +
                   table('ctl_secrets', keys_of(mesh)) + '\n' +
                   table('ctl_secrets_of_one', keys_of_one(mesh)) + '\n' + given(mesh))


if __name__ == '__main__':
    main(*sys.argv[1:])
