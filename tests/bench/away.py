"""away.py - a media that shares no folder with its doors, as on another host: what it gives
goes over the bus in pieces. One door is beside it, for another each word takes a time.
Part of media.py."""
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from bodies import TOP, pss

sys.path.insert(0, TOP + '/tests/mesh')
from line import Line  # noqa: E402

MEDIA, NEAR, FAR = 18194, 18197, 18201
DELAY_S = 0.025  # each way
READERS = 100


class Away:
    """Processes beside the mesh's own, with their settings but for where they listen."""

    def __init__(self, mesh):
        self.mesh, self.pids, self.started = mesh, {}, []
        folder = os.path.join(mesh.run, 'media')
        self.begin('media', MEDIA, TRELLIS_MEDIA_FOLDER=folder)
        self.line = Line([MEDIA], delay=DELAY_S)
        for port, peer in ((NEAR, MEDIA), (FAR, self.line.port)):
            self.begin('edge', port + 1, TRELLIS_HTTP_LISTEN=f'127.0.0.1:{port}',
                       TRELLIS_PEER_MEDIA=f'tcp://127.0.0.1:{peer}')

    def begin(self, name, port, **more):
        script = f'{self.mesh.run}/scan/{name}/run'
        with open(script, encoding='utf-8') as text:
            env = dict(re.findall(r"^export (\w+)='(.*)'$", text.read(), re.M))
        for own in ('TRELLIS_RUN_DIR', 'TRELLIS_NOTIFY_FD'):  # the folder is how it would be found
            env.pop(own)
        for n, what in enumerate(('LISTEN', 'NOTICE_LISTEN', 'OPS_LISTEN')):
            scheme = '' if what == 'OPS_LISTEN' else 'tcp://'
            env[f'TRELLIS_{what}_{name.upper()}'] = f'{scheme}127.0.0.1:{port + n}'
        owner = os.stat(script)
        us = {} if owner.st_uid == os.geteuid() else {'user': owner.st_uid, 'group': owner.st_gid, 'extra_groups': []}
        self.started.append(subprocess.Popen([f'{self.mesh.run}/bin/trellis-{name}'], env={**env, **more},
                                             cwd=self.mesh.run, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL, **us))

    def close(self):
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait()
        self.line.close()

    def until_given(self, port, path):
        """The door has found its media."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                request = urllib.request.Request(f'http://127.0.0.1:{port}{path}', method='HEAD',
                                                 headers=self.mesh.fields())
                with urllib.request.urlopen(request, timeout=5):
                    return f'http://127.0.0.1:{port}{path}'
            except urllib.error.HTTPError as refused:
                refused.close()
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit(f'error: nothing is given at port {port}')

    def memory(self):
        """MiB of it, and of the door beside it."""
        return {name: pss(process.pid) for name, process in zip(('media', 'door'), self.started)}


def slow_readers(mesh, port, path, memory):
    """What so many take who read a KiB now and then, in words."""
    head = ''.join(f'{name}: {value}\r\n' for name, value in mesh.fields().items())
    lines, before = [], memory()
    for _ in range(READERS):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(('127.0.0.1', port))
        line.sendall(f'GET {path} HTTP/1.1\r\nHost: bench\r\n{head}\r\n'.encode())
        lines.append(line)
    for line in lines:
        if not (said := line.recv(600)).startswith(b'HTTP/1.1 200'):
            sys.exit(f'error: a slow reader was told {said}')
    most = {}
    for _ in range(5):
        for line in lines:
            if not line.recv(1024):
                sys.exit('error: a slow reader was cut off')
        now = {name: value - before[name] for name, value in memory().items()}
        most = max(most, now, key=lambda found: sum(found.values()))
        time.sleep(0.5)
    for line in lines:
        line.close()
    each = ', '.join(f'{name} {value:+.1f}' for name, value in most.items() if abs(value) >= 0.1)
    return f'{sum(most.values()):+.1f} MiB in all ({each})'
