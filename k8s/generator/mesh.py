"""mesh.py - what the services say of themselves, as the manifests need it."""
import json
import os
import re
import subprocess


class Service:
    def __init__(self, told):
        self.name = told['name']
        self.schema, self.redis, self.seals, self.outside = (
            told[word] for word in ('schema', 'redis', 'seals', 'outside'))
        self.finds = sorted({*told['calls'], *told['reads']})  # whom it dials
        self.found_by = []  # who dials it
        self.keys = []  # with whom it shares a key of the bus
        self.settings = {one['name']: one['secret'] for one in told['settings']}
        self.upper = self.name.upper()

    @property
    def door(self):
        """Whether people reach it by HTTP."""
        return 'TRELLIS_HTTP_LISTEN' in self.settings


class Mesh:
    def __init__(self, told, version, release=None, secrets=()):
        self.version = version  # of images
        self.release = release or version  # of Trellis
        self.secrets = sorted(secrets)  # the settings that no config map holds
        self.services = [Service(one) for one in told['services']]
        by_name = {one.name: one for one in self.services}
        for one in self.services:
            for other in one.finds:
                by_name[other].found_by.append(one.name)
        for one in self.services:
            one.found_by.sort()
            one.keys = sorted({*one.finds, *one.found_by, 'ctl'})

    @property
    def names(self):
        return [one.name for one in self.services]

    @property
    def tag(self):
        """The version as a part of a name; as trellis.version of the chart."""
        return re.sub(r'[^a-z0-9]+', '-', self.version.lower())[:40].strip('-')


def ask(program, *words):
    env = {**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0:detect_stack_use_after_return=0'}
    return subprocess.run([program, *words], check=True, capture_output=True, text=True, env=env).stdout


def read_mesh(trellis_all, tag=None):
    told = json.loads(ask(trellis_all, 'mesh', '--json'))
    release = ask(trellis_all, '--version').split()[1]
    secrets = re.findall(r'(?m)^\| `(TRELLIS_\w+)` \|[^|]*\| secret \|', ask(trellis_all, 'config', '--markdown'))
    return Mesh(told, tag or release, release, set(secrets))
