"""media.py ROUNDS BUILD - files through the whole mesh: a gigabyte up in PATCHes of 8 MiB beside
a bare process that receives, hashes, writes and syncs the same (bare_upload.c), the
reference server of tus with its file store (npm), and nginx's PUT, which neither hashes
nor syncs; down beside nginx's sendfile, also from a media on another host (away.py); slow
readers; small files; and what others feel of it meanwhile. Started by tools/bench."""
import contextlib
import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request

from away import DELAY_S, FAR, NEAR, READERS, Away, slow_readers
from bodies import GIB, NGINX_PORT, TOP, URL, beside_nginx, cpu, neighbours, rounds_of, small, speed, tell, PORT

sys.path.insert(0, TOP + '/tests/mesh')
from line import Line  # noqa: E402
from npm import modules  # noqa: E402

MIB = 1 << 20
PIECE = 8 * MIB
OFFSETS = 'application/offset+octet-stream'
BARE_PORT, TUS_PORT = 18192, 18193
LINK = 125e6  # bytes a second of 1 Gbit/s


class Patches:
    """A client that sends a file by tus, on one connection."""

    def __init__(self, port, fields):
        self.line = http.client.HTTPConnection('127.0.0.1', port, timeout=120)
        self.fields = {**fields, 'Tus-Resumable': '1.0.0'}

    def ask(self, method, path, body=None, **fields):
        self.line.request(method, path, body, {**self.fields, **{
            name.replace('_', '-'): str(value) for name, value in fields.items()}})
        answer = self.line.getresponse()
        data = answer.read()
        if answer.status not in (200, 201, 204):
            sys.exit(f'error: {method} {path}: {answer.status} {data[:300]}')
        return answer

    def create(self, route, size):
        location = self.ask('POST', route, b'', Upload_Length=size).headers['Location']
        return location[location.index('/', 8):] if location.startswith('http') else location

    def send(self, path, data):
        """MB/s of all of it."""
        started = time.monotonic()
        for at in range(0, len(data), PIECE):
            self.ask('PATCH', path, data[at:at + PIECE], Content_Type=OFFSETS, Upload_Offset=at)
        return len(data) / (time.monotonic() - started) / 1e6


class Files:
    """What is uploaded, and its ids, so that it can be read and deleted again."""

    def __init__(self, mesh, work):
        self.mesh, self.made = mesh, []
        with open(work + '/files/large', 'rb') as file:
            self.data = memoryview(file.read())

    def up(self, data=None, port=PORT):
        client = Patches(port, self.mesh.fields())
        data = self.data if data is None else data
        path = client.create('/api/v1/uploads', len(data))
        rate = client.send(path, data)
        self.made.append(path.rpartition('/')[2])
        return rate

    def state(self, file_id):
        with urllib.request.urlopen(urllib.request.Request(
                f'{URL}/files/{file_id}', headers=self.mesh.fields())) as answer:
            return json.load(answer)

    def check(self):
        """The last one is what was sent."""
        file = self.state(self.made[-1])
        if file['sha256'] != hashlib.sha256(self.data).hexdigest():
            sys.exit(f"error: {file['id']} is not what was sent")
        return f"{URL}/files/{file['id']}/content"


def answers(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            http.client.HTTPConnection('127.0.0.1', port, timeout=1).connect()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f'error: nothing answers at port {port}')


def references(build, work):
    here = TOP + '/tests/bench/tus'
    os.makedirs(work + '/tus')
    env = {**os.environ, 'NODE_MODULES': modules(here), 'NODE_ENV': 'production'}
    started = [subprocess.Popen([build + '/tests/bench/bare_upload', str(BARE_PORT), work + '/bare']),
               subprocess.Popen(['node', here + '/server.mjs', str(TUS_PORT), work + '/tus'], env=env)]
    for port in (BARE_PORT, TUS_PORT):
        answers(port)
    return started


def upload(files, rounds, work):
    def by_tus():
        client = Patches(TUS_PORT, {})
        path = client.create('/files', GIB)
        rate = client.send(path, files.data)
        os.unlink(work + '/tus/' + path.rpartition('/')[2])
        return rate
    before = files.mesh.of_each(cpu)
    found = rounds_of(rounds, {
        'trellis': files.up,
        'bare: receive, hash, write, sync': lambda: Patches(BARE_PORT, {}).send('/', files.data),
        '@tus/server with its file store': by_tus,
        'nginx PUT': lambda: speed(['-T', work + '/files/large', '-H', 'Expect:',
                                    f'http://127.0.0.1:{NGINX_PORT}/up/large'], 'upload'),
    })
    tell('1 GiB up in PATCHes of 8 MiB (nginx: one PUT, without a hash or sync)', found, 'bare: receive, hash, write, sync')
    used = {name: value - before.get(name, 0) for name, value in files.mesh.of_each(cpu).items()}
    started = time.monotonic()
    hashlib.sha256(files.data).digest()
    hashed = time.monotonic() - started
    ours, tus = found['trellis'], found['@tus/server with its file store']
    print(f'  {ours / tus:.2f} of @tus/server, which neither hashes nor syncs. CPU for a GiB: ' + ', '.join(
        f'{name[8:]} {value / rounds * GIB / len(files.data):.2f} s' for name, value in sorted(used.items()) if value > 0.1)
        + f'; SHA-256 alone {hashed * GIB / len(files.data):.2f} s, on one core for one file')


def far(files, rounds):
    line = Line([PORT], delay=0.01)
    rate = rounds_of(rounds, {'far': lambda: files.up(files.data[:8 * PIECE], line.port)})['far']
    line.close()
    print(f'PATCHes of 8 MiB over 20 ms there and back: {rate:.0f} MB/s, {rate * 1e6 / LINK:.2f} of 1 Gbit/s')


def down(mesh, away, rounds, content):
    path = content[content.index('/', 8):]
    near, distant = (away.until_given(port, path) for port in (NEAR, FAR))
    found = rounds_of(rounds, {
        'trellis': lambda: speed([*mesh.curl(), content]),
        'trellis, media on another host': lambda: speed([*mesh.curl(), near]),
        'nginx sendfile': lambda: speed([f'http://127.0.0.1:{NGINX_PORT}/large']),
        'far': lambda: speed([*mesh.curl(), '-r', f'0-{256 * MIB - 1}', distant]),
    })
    rate = found.pop('far')
    tell('1 GiB down', found, 'nginx sendfile')
    print(f'  {2000 * DELAY_S:.0f} ms there and back between door and media: {rate:.0f} MB/s   goal 40')
    print(f'{READERS} slow readers: media on another host: {slow_readers(mesh, NEAR, path, away.memory)}')


def main():
    rounds, build = int(sys.argv[1]), sys.argv[2]
    with beside_nginx() as (mesh, work):
        print('memory of the idle stack: {:.1f} MB ({})'.format(sum(mesh.memory().values()), ', '.join(
            f'{name[8:]} {value:.1f}' for name, value in sorted(mesh.memory().items()))))
        files, others = Files(mesh, work), references(build, work)
        try:
            before = mesh.memory()
            upload(files, rounds, work)
            content = files.check()
            far(files, rounds)
            with contextlib.closing(Away(mesh)) as away:
                down(mesh, away, rounds, content)
            print('  on one host: ' + slow_readers(mesh, PORT, content[content.index('/', 8):], mesh.memory))
            print('memory that grew since the first upload: ' + ', '.join(
                f'{name[8:]} {value - before.get(name, 0):+.1f} MiB' for name, value in sorted(mesh.memory().items())))
            files.up(files.data[:65536])
            small(mesh, rounds, f'{URL}/files/{files.made[-1]}/content')
            neighbours(mesh, rounds, ([content], [
                '-X', 'POST', '-T', work + '/files/large', '-H', f'Content-Type: {OFFSETS}', '-H', 'Expect:',
                '-H', 'Tus-Resumable: 1.0.0', '-H', f'Upload-Length: {GIB}', URL + '/uploads']))
        finally:
            for one in others:
                one.terminate()
                one.wait()


if __name__ == '__main__':
    main()
