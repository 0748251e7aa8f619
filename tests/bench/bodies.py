"""bodies.py ROUNDS - bytes through the whole mesh, by the depot (tests/depot), beside nginx
on the same files: large ones up and down, small ones, what others feel of it meanwhile,
and what it costs in memory. Started by tools/bench."""
import contextlib
import glob
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT, NGINX_PORT = 18190, 18191
URL = f'http://127.0.0.1:{PORT}/api/v1'
GIB = 1 << 30
NGINX = '''
{user}worker_processes 1; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; client_max_body_size 0; client_body_temp_path {work}/body;
  server {{ listen 127.0.0.1:{port}; root {work}/files; location /up/ {{ dav_methods PUT; }} }}
}}
'''


def pss(pid):
    """MiB."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as text:
        return int(re.search(r'Pss:\s+(\d+)', text.read())[1]) / 1024


def cpu(pid):
    """Seconds, so far."""
    with open(f'/proc/{pid}/stat', encoding='utf-8') as text:
        return sum(map(int, text.read().rpartition(')')[2].split()[11:13])) / os.sysconf('SC_CLK_TCK')


class Mesh:
    """The mesh, with a product's services where there is one, and somebody in it."""

    def __init__(self, work, product=None):
        self.run = work + '/run'
        env = {k: v for k, v in os.environ.items() if not k.startswith('TRELLIS_')}
        self.env = dict(env, TRELLIS_RUN_DIR=self.run, TRELLIS_RATE_SCALE='1000000',
                        TRELLIS_HTTP_LISTEN=f'127.0.0.1:{PORT}',
                        **({'TRELLIS_PRODUCT': product} if product else {}))
        subprocess.run([TOP + '/tools/up'], env=self.env, check=True, stdout=subprocess.DEVNULL)
        mark = str(time.time_ns())
        self.token = self.call('/auth/signup', {
            'email': f'b.{mark}@example.com', 'password': 'correct horse battery',
            'display_name': 'Bench'})['session']['token']
        self.tenant = self.call('/tenants', {'slug': 'b-' + mark, 'display_name': 'B'})['id']

    def call(self, path, body):
        request = urllib.request.Request(URL + path, json.dumps(body).encode(), {
            'Content-Type': 'application/json', **self.fields()})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def fields(self):
        found = {}
        if hasattr(self, 'token'):
            found['Authorization'] = 'Bearer ' + self.token
        if hasattr(self, 'tenant'):
            found['X-Tenant-Id'] = self.tenant
        return found

    def curl(self):
        return [part for name, value in self.fields().items() for part in ('-H', f'{name}: {value}')]

    def processes(self):
        for folder in glob.glob('/proc/[0-9]*'):
            try:
                with open(folder + '/cmdline', 'rb') as text, open(folder + '/environ', 'rb') as env:
                    name = os.path.basename(text.read().split(b'\0')[0].decode())
                    if name.startswith('trellis-') and self.run.encode() in env.read():
                        yield name, os.path.basename(folder)
            except OSError:
                pass

    def of_each(self, measure):
        found = {}
        for name, pid in self.processes():
            with contextlib.suppress(OSError):  # it has just ended
                found[name] = measure(pid)
        return found

    def memory(self):
        """MiB of Pss by process."""
        return self.of_each(pss)

    def down(self):
        subprocess.run([TOP + '/tools/down', '--erase'], env=self.env, check=False, stdout=subprocess.DEVNULL)


def speed(args, what='download'):
    """MB/s of one transfer by curl."""
    done = subprocess.run(['curl', '-sf', '-o', '/dev/null', '-w', f'%{{speed_{what}}}', *args],
                          check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout) / 1e6


def wrk(url, fields, connections, seconds):
    """Requests a second and the p99 in ms."""
    args = ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--latency', url]
    for name, value in fields.items():
        args += ['-H', f'{name}: {value}']
    said = subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout
    late = re.search(r'99%\s+([\d.]+)(us|ms|s)', said)
    return (float(re.search(r'Requests/sec:\s+([\d.]+)', said)[1]),
            float(late[1]) * {'us': 0.001, 'ms': 1, 's': 1000}[late[2]])


def rounds_of(n, pairs):
    """The median MB/s of each, measured in turns."""
    found = {name: [] for name in pairs}
    for _ in range(n):
        for name, measure in pairs.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def tell(title, found, reference):
    print(title)
    for name, value in found.items():
        print(f'  {name:<34}{value:>9.0f} MB/s {value / found[reference]:>7.2f} of {reference}')


def make_large(work):
    with open(work + '/files/large', 'wb') as file:
        for _ in range(GIB >> 20):
            file.write(os.urandom(1 << 20))


def large(mesh, work, rounds):
    blob = f'{URL}/depot/large'
    put = ['-T', work + '/files/large', '-H', 'Content-Type: application/octet-stream', '-H', 'Expect:']
    tell('1 GiB up (the depot writes and syncs; nginx does not sync)', rounds_of(rounds, {
        'trellis': lambda: speed([*put, *mesh.curl(), blob], 'upload'),
        'trellis, counted and thrown away': lambda: speed(
            [*put, '-H', 'Depot-Counted: true', *mesh.curl(), blob + '-counted'], 'upload'),
        'nginx PUT': lambda: speed([*put, f'http://127.0.0.1:{NGINX_PORT}/up/large'], 'upload'),
    }), 'nginx PUT')
    tell('1 GiB down', rounds_of(rounds, {
        'trellis, the file is handed over': lambda: speed([*mesh.curl(), blob]),
        'trellis, in pieces over the bus': lambda: speed([*mesh.curl(), blob + '?pieces=true']),
        'nginx sendfile': lambda: speed([f'http://127.0.0.1:{NGINX_PORT}/large']),
    }), 'nginx sendfile')


def small(mesh, rounds, url):
    """Files of 64 KiB beside the authenticated read."""
    found = {'read': [], 'file': []}
    for _ in range(rounds):
        found['read'].append(wrk(f'{URL}/tenants/{mesh.tenant}', mesh.fields(), 8, 4)[0])
        found['file'].append(wrk(url, mesh.fields(), 8, 4)[0])
    read, file = (statistics.median(found[name]) for name in ('read', 'file'))
    print(f'files of 64 KiB: {file:.0f} a second, {file / read:.2f} of the authenticated read ({read:.0f})')


def neighbours(mesh, rounds, ways):
    """What others feel of large bodies; ways: curl's words for each that goes on meanwhile."""
    over = threading.Event()

    def go(args):
        while not over.is_set():
            subprocess.run(['curl', '-sf', '-o', '/dev/null', '--limit-rate', '100M', *args, *mesh.curl()], check=False)
    busy, quiet = [], []
    for _ in range(rounds):
        quiet.append(wrk(f'{URL}/tenants/{mesh.tenant}', mesh.fields(), 8, 4)[1])
    threads = [threading.Thread(target=go, args=(args,)) for args in ways]
    for thread in threads:
        thread.start()
    time.sleep(1)  # until both are under way
    before = mesh.memory()
    for _ in range(rounds):
        busy.append(wrk(f'{URL}/tenants/{mesh.tenant}', mesh.fields(), 8, 4)[1])
    grown = {name: value - before.get(name, 0) for name, value in mesh.memory().items()}
    over.set()
    for thread in threads:
        thread.join()
    was, now = statistics.median(quiet), statistics.median(busy)
    print(f"with 100 MB/s up and 100 MB/s down: the read's p99 is {now:.1f} ms, {now / was:.1f} of quiet ({was:.1f} ms)")
    print('  memory that grew meanwhile: ' + ', '.join(
        f'{name[8:]} {value:+.1f} MiB' for name, value in sorted(grown.items()) if abs(value) >= 0.1) or 'none')


@contextlib.contextmanager
def beside_nginx(product=None):
    """A folder to work in, with a gigabyte in it that nginx serves, and a mesh."""
    if not shutil.which('nginx'):
        sys.exit('error: nginx is missing; apt-get install --no-install-recommends nginx-light')
    work = tempfile.mkdtemp(prefix='trellis-bodies.', dir='/var/tmp')
    os.chmod(work, 0o755)
    nginx = mesh = None
    try:
        os.makedirs(work + '/files/up')
        with open(work + '/nginx.conf', 'w', encoding='ascii') as conf:
            conf.write(NGINX.format(work=work, port=NGINX_PORT, user='user root; ' if os.getuid() == 0 else ''))
        nginx = subprocess.Popen(['nginx', '-p', work, '-c', work + '/nginx.conf'])
        make_large(work)
        if product:
            shutil.copytree(product, work + '/product')
        mesh = Mesh(work, product and work + '/product')
        yield mesh, work
    finally:
        if mesh:
            mesh.down()
        if nginx:
            nginx.terminate()
            nginx.wait()
        shutil.rmtree(work)


def main():
    rounds = int(sys.argv[1])
    with beside_nginx(TOP + '/tests/depot') as (mesh, work):
        large(mesh, work, rounds)
        subprocess.run(['curl', '-sf', '-o', '/dev/null', '-T', '-', '-H', 'Expect:', '-H', 'Content-Type: application/octet-stream',
                        *mesh.curl(), f'{URL}/depot/small'], input=os.urandom(65536), check=True)
        small(mesh, rounds, f'{URL}/depot/small')
        neighbours(mesh, rounds, (
            [f'{URL}/depot/large?pieces=true'],
            ['-T', work + '/files/large', '-H', 'Content-Type: application/octet-stream', '-H', 'Expect:',
             f'{URL}/depot/other']))


if __name__ == '__main__':
    main()
