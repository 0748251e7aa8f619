"""compose.yaml is what Docker Compose takes, and its processes start with what it sets.

  compose.py COMPOSE ROOT-OF-ALL
"""
import os
import re
import subprocess
import sys

import yaml

# Of the Compose specification, what we use and what it may be.
SERVICE = {'image': str, 'user': str, 'read_only': bool, 'cap_drop': list, 'security_opt': list, 'tmpfs': list,
           'environment': dict, 'volumes': list, 'restart': str, 'stop_grace_period': str, 'ports': list,
           'depends_on': dict, 'command': list, 'profiles': list, 'network_mode': str, 'entrypoint': list,
           'healthcheck': dict, 'shm_size': str}
CONDITIONS = ('service_started', 'service_healthy', 'service_completed_successfully')


def check(fine, what):
    if not fine:
        sys.exit(f'compose.yaml: {what}')


def check_service(name, one, compose):
    for key, value in one.items():
        check(key in SERVICE and isinstance(value, SERVICE[key]), f'{name} has {key}: {value}')
    check(re.fullmatch(r'[a-z0-9/._-]+:[a-z0-9.-]+', one['image']) and not one['image'].endswith(':latest'),
          f'{name} has the image {one["image"]}')
    for value in one.get('environment', {}).values():
        check(isinstance(value, str), f'{name} sets {value!r}, which is no text')
    for other, how in one.get('depends_on', {}).items():
        check(other in compose['services'] and how['condition'] in CONDITIONS, f'{name} waits for {other}')
        check(how['condition'] != 'service_healthy' or 'healthcheck' in compose['services'][other],
              f'{name} waits for the health of {other}, which nobody looks at')
    for volume in one.get('volumes', []):
        check(volume.split(':')[0] in compose['volumes'], f'{name} has the volume {volume}')
    for port in one.get('ports', []):
        check(port.startswith('127.0.0.1:'), f'{name} is open to others: {port}')


def check_starts(name, one, root):
    """Its settings are taken by the program that the image holds."""
    settings = {**one['environment'], 'TRELLIS_SEAL_KEY': 'ab' * 32}
    check(settings.pop('TRELLIS_SEAL_KEY_FILE') == '/etc/trellis/secrets/seal-key', f'{name} seals with no key of ours')
    said = subprocess.run(['/usr/sbin/chroot', root, '/trellis-all', '--check-config'], env=settings,
                          capture_output=True, text=True)
    check(said.returncode == 0, f'{name} would not start: {said.stderr}')


def main(path, root):
    with open(path, encoding='utf-8') as file:
        compose = yaml.safe_load(file)
    check({key for key in compose if not key.startswith('x-')} == {'name', 'services', 'volumes'}, 'it has other parts')
    with open(os.path.join(os.path.dirname(path), '../../meson.build'), encoding='utf-8') as file:
        version = re.search(r"^  version : '(.*)',", file.read(), re.M).group(1)
    ours = 0
    for name, one in compose['services'].items():
        check_service(name, one, compose)
        if one['image'].startswith('trellis/'):
            ours += 1
            check(one['image'] == f'trellis/all:{version}', f'{name} has {one["image"]} and not {version}')
            check(one['user'] == '65532:65532' and one['read_only'] and one['cap_drop'] == ['ALL'], f'{name} may do more')
            check_starts(name, one, root)
    check(ours == 3, 'trellis, migrate and upkeep are ours')


main(*sys.argv[1:])
