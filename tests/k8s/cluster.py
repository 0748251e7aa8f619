"""cluster.py - the base as a cluster would run it, on one machine: each pod in a network
namespace of its own behind its policies, as uid 65532 on a read-only root, with the
environment, files and commands of the rendered manifests. Needs root, iproute2 and iptables;
a flag of tools/test.

PostgreSQL and Redis stand outside of it and ask for passwords; the administrator is no
superuser. Pods are started before the jobs that migrate, two of each service, and find each
other by short names and mutual TLS. Then people come by the door, a mail leaves, a pod of
each service is ended under load, and no policy has stopped a packet that anybody wanted.
Over 400 lines: making the cluster is most of it, and its one story the rest."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import rendering
from rendering import matches, mesh, of_kind, rendered, settings_of, template

BUILD = os.environ['BUILD']
USER = 65532
OUTSIDE = '10.77.0.1'
MARK = f'trl{os.getpid()}'
PG = sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1]


def run(*words, **more):
    done = subprocess.run(words, check=False, capture_output=True, text=True, **more)
    if done.returncode:
        raise RuntimeError(f'{" ".join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}')
    return done.stdout


def until(what, condition, seconds=180):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise RuntimeError(f'not within {seconds} s: {what}')
        time.sleep(0.05)


class Cluster:
    def __init__(self, work):
        self.work, self.objects = work, rendered()['base']
        self.pods, self.ended = [], []
        self.outside = f'{MARK}-out'
        run('ip', 'netns', 'add', self.outside)
        self.within(self.outside, 'ip', 'link', 'set', 'lo', 'up')
        self.within(self.outside, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
        self.within(self.outside, 'ip', 'addr', 'add', f'{OUTSIDE}/24', 'dev', 'br0')
        self.within(self.outside, 'ip', 'link', 'set', 'br0', 'up')

    def within(self, space, *words):
        return run('ip', 'netns', 'exec', space, *words)

    def close(self):
        for pod in self.pods:
            pod.stop(signal.SIGKILL)
        for space in run('ip', 'netns', 'list').split():
            if space.startswith(f'{MARK}-'):
                for pid in run('ip', 'netns', 'pids', space).split():
                    os.kill(int(pid), signal.SIGKILL)
                run('ip', 'netns', 'delete', space)

    # What stands outside.

    def start_stores(self):
        data = os.path.join(self.work, 'pg')
        os.makedirs(data)
        shutil.chown(data, 'postgres', 'postgres')
        secret = os.path.join(self.work, 'secret')
        self.write(secret, 'boss')
        os.chmod(secret, 0o644)
        as_postgres = ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups']
        run(*as_postgres, f'{PG}/initdb', '-D', data, '-U', 'boss', '-A', 'scram-sha-256', '--pwfile', secret,
            '--locale=C', '-E', 'UTF8')
        with open(os.path.join(data, 'pg_hba.conf'), 'a', encoding='utf-8') as file:
            file.write('host all all 10.77.0.0/24 scram-sha-256\n')
        subprocess.run(['ip', 'netns', 'exec', self.outside, *as_postgres, f'{PG}/pg_ctl', '-w', '-D', data, '-l', f'{data}/log',
                        '-o', f'-c listen_addresses={OUTSIDE} -c unix_socket_directories={data} -c max_connections=300 -c fsync=off',
                        'start'], check=True, stdout=subprocess.DEVNULL)
        for sql in ("create role admin login createrole password 'admin'", 'create database trellis owner admin'):
            self.within(self.outside, 'psql', f'postgresql://boss:boss@{OUTSIDE}/postgres', '-qc', sql)
        with open(os.path.join(self.work, 'redis.log'), 'w', encoding='utf-8') as log:
            self.redis = subprocess.Popen(
                ['ip', 'netns', 'exec', self.outside, 'redis-server', '--bind', OUTSIDE, '--port', '6379',
                 '--requirepass', 'word', '--save', '', '--dir', self.work], stdout=log, stderr=log)

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def make_secrets(self):
        """Secret to files, as the README's commands make them."""
        secrets, keys = {}, os.path.join(self.work, 'keys')
        run(os.path.join(BUILD, 'tools/ctl/trellis'), 'keys', 'init', '--dir', keys)
        for name in os.listdir(keys):
            secrets[f'trellis-{name}-keys'] = {}
            for file in os.listdir(os.path.join(keys, name)):
                with open(os.path.join(keys, name, file), encoding='utf-8') as text:
                    secrets[f'trellis-{name}-keys'][file] = text.read()
        told = run(os.path.join(rendering.TOP, 'k8s', 'stores'), '--base', os.path.join(rendering.K8S, 'base'), env={
            'PATH': os.environ['PATH'], 'TRELLIS_PG_URL': f'postgresql://{OUTSIDE}:5432/trellis',
            'TRELLIS_PG_ADMIN_URL': f'postgresql://admin:admin@{OUTSIDE}:5432/trellis',
            'TRELLIS_REDIS_URL': f'redis://:word@{OUTSIDE}:6379'})
        for one in rendering.parsed([told])[0]:
            secrets[one['metadata']['name']] = one['stringData']
        self.certify(secrets)
        return secrets

    def certify(self, secrets):
        folder = os.path.join(self.work, 'tls')
        os.makedirs(folder)
        script = '''cd "$1"; shift
            new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            openssl req -x509 $new -days 30 -subj "/CN=bus CA" -keyout ca.key -out ca.crt
            for name; do
                openssl req $new -subj "/CN=$name" -keyout $name.key -out $name.csr
                echo "subjectAltName=DNS:$name" >$name.ext
                openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile $name.ext -out $name.crt
            done'''
        run('sh', '-ec', script, 'sh', folder, *mesh().names, 'ctl')
        for name in [*mesh().names, 'ctl']:
            secrets[f'trellis-{name}-tls'] = {}
            for file, path in (('ca.crt', 'ca.crt'), ('tls.crt', f'{name}.crt'), ('tls.key', f'{name}.key')):
                with open(os.path.join(folder, path), encoding='utf-8') as text:
                    secrets[f'trellis-{name}-tls'][file] = text.read()

    # Pods.

    def add(self, name, labels, spec=None):
        pod = Pod(self, name, labels, spec, f'10.77.0.{len(self.pods) + 10}')
        self.pods.append(pod)
        return pod

    def hosts(self):
        """As a headless Service: a name, and the addresses of all pods behind it."""
        return '127.0.0.1 localhost\n' + ''.join(
            f'{pod.address} {service["metadata"]["name"]}\n' for service in of_kind(self.objects, 'Service')
            for pod in self.pods if matches({'matchLabels': service['spec']['selector']}, pod.labels))

    def guard(self, pod):
        """The policies that select it, as rules of its own namespace."""
        chains = {'Ingress': ('INPUT', 'from', '-s', 'ingress'), 'Egress': ('OUTPUT', 'to', '-d', 'egress')}
        for direction, (chain, side, at, key) in chains.items():
            policies = [one['spec'] for one in of_kind(self.objects, 'NetworkPolicy')
                        if matches(one['spec']['podSelector'], pod.labels) and direction in one['spec']['policyTypes']]
            if not policies:
                continue
            rules = [['-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT'],
                     ['-i' if chain == 'INPUT' else '-o', 'lo', '-j', 'ACCEPT']]
            for rule in [rule for policy in policies for rule in policy.get(key) or []]:
                for port in rule['ports']:
                    reached = ['-p', port['protocol'].lower(), '--dport', str(port['port'])]
                    if side not in rule:
                        rules.append([*reached, '-j', 'ACCEPT'])
                    for end in rule.get(side, []):
                        if 'podSelector' in end:  # a block of addresses is none of this network
                            rules += [[*reached, at, other.address, '-j', 'ACCEPT'] for other in self.pods
                                      if matches(end['podSelector'], other.labels)]
            for rule in [*rules, ['-j', 'REJECT']]:
                self.within(pod.space, 'iptables', '-A', chain, *rule)

    def refused(self):
        """What a policy refused, by pod: packets."""
        found = {}
        for pod in self.pods:
            for line in self.within(pod.space, 'iptables', '-nvxL').splitlines():
                words = line.split()
                if 'REJECT' in words and words[0] != '0':
                    found[pod.name] = found.get(pod.name, 0) + int(words[0])
        return found


class Pod:
    def __init__(self, cluster, name, labels, spec, address):
        self.cluster, self.name, self.labels, self.spec, self.address = cluster, name, labels, spec, address
        self.space, self.process, self.log = f'{MARK}-{name}', None, os.path.join(cluster.work, f'{name}.log')
        run('ip', 'netns', 'add', self.space)
        link = f'v{address.rsplit(".", 1)[1]}'
        run('ip', '-n', cluster.outside, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.space)
        run('ip', '-n', cluster.outside, 'link', 'set', link, 'master', 'br0', 'up')
        run('ip', '-n', self.space, 'addr', 'add', f'{address}/24', 'dev', 'eth0')
        for device in ('lo', 'eth0'):
            run('ip', '-n', self.space, 'link', 'set', device, 'up')

    def mount(self, secrets):
        """What of its root is its own: /etc with hosts and secrets, /run and /tmp; and what
        all have that claim the same volume."""
        self.root = os.path.join(self.cluster.work, 'pods', self.name)
        upper = os.path.join(self.root, 'etc')
        os.makedirs(os.path.join(self.root, 'work'))
        self.cluster.write(os.path.join(upper, 'hosts'), self.cluster.hosts())
        self.claimed = []
        for volume in self.spec['volumes']:
            names = [source['secret'] for source in volume.get('projected', {}).get('sources', [])] + \
                ([{'name': volume['secret']['secretName']}] if 'secret' in volume else [])
            folder = next((m['mountPath'] for c in self.spec['containers'] for m in c['volumeMounts']
                           if m['name'] == volume['name']), None)
            if 'persistentVolumeClaim' in volume:
                claim = os.path.join(self.cluster.work, 'claims', volume['persistentVolumeClaim']['claimName'])
                os.makedirs(claim, exist_ok=True)
                os.chown(claim, 0, USER)
                os.chmod(claim, 0o770)
                self.claimed.append(f'mkdir -p {folder}; mount --bind {claim} {folder}\n')
            for one in names:
                assert one['name'] in secrets or one.get('optional'), one
                for file, text in secrets.get(one['name'], {}).items():
                    path = self.root + os.path.join(folder, file)
                    self.cluster.write(path, text)
                    os.chmod(path, 0o440)
                    os.chown(path, 0, USER)

    def command(self, container):
        words = [os.path.join(self.cluster.work, 'bin', os.path.basename(container['command'][0])), *container['args']]
        environment = settings_of(container, self.cluster.objects) | {'TRELLIS_RATE_SCALE': '1000'}
        script = '''
            mount -t overlay overlay -o lowerdir=/etc,upperdir="$1"/etc,workdir="$1"/work /etc
            mount -t tmpfs -o mode=755 tmpfs /run; mkdir /run/trellis; chown 65532:65532 /run/trellis
            mount -t tmpfs -o mode=1777 tmpfs /tmp
            ''' + ''.join(self.claimed) + '''
            mount --bind / /; mount -o remount,bind,ro /; mount -o remount,bind,ro /etc
            shift; cd /
            exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"'''
        return ['ip', 'netns', 'exec', self.space, 'unshare', '-m', '--propagation', 'private', 'sh', '-ec', script, 'sh',
                self.root, 'env', '-i', *[f'{k}={v}' for k, v in environment.items()], *words]

    def start(self):
        """Init containers, each to its end, and then what runs; as the kubelet does."""
        def live():
            with open(self.log, 'a', encoding='utf-8') as log:
                for one in self.spec.get('initContainers', []):
                    if subprocess.run(self.command(one), stdout=log, stderr=log, check=False).returncode:
                        return
                self.process = subprocess.Popen(self.command(self.spec['containers'][0]), stdout=log, stderr=log)
        self.thread = threading.Thread(target=live)
        self.thread.start()

    def complete(self):
        with open(self.log, 'a', encoding='utf-8') as log:
            done = subprocess.run(self.command(self.spec['containers'][0]), stdout=log, stderr=log, check=False)
        if done.returncode:
            raise RuntimeError(f'{self.name}: {self.tail()}')

    def stop(self, number):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            return self.process.wait(timeout=40)
        return None

    def tail(self):
        with open(self.log, encoding='utf-8') as file:
            return file.read()[-3000:]

    def get(self, address, path):
        """What it sees at the ops endpoint of another; a refusal raises."""
        return self.cluster.within(self.space, 'curl', '-sf', '-m', '5', f'http://{address}:9100{path}')

    def succeeds(self, address, path):
        try:
            self.get(address, path)
        except RuntimeError:
            return False
        return True


class People:
    """Who comes by the door, from outside."""

    def __init__(self, cluster, door):
        self.cluster, self.door = cluster, door

    def ask(self, method, path, body=None, token=None):
        words = ['curl', '-s', '-m', '10', '-w', '\n%{http_code}', '-X', method, f'http://{self.door.address}:8080/api/v1{path}']
        words += ['-H', 'Content-Type: application/json', '-d', json.dumps(body)] if body is not None else []
        words += ['-H', f'Authorization: Bearer {token}'] if token else []
        text, code = self.cluster.within(self.cluster.outside, *words).rsplit('\n', 1)
        if code not in ('200', '201', '204'):
            raise RuntimeError(f'{method} {path}: {code} {text}')
        return json.loads(text) if text else None


def mail_to(pods, address):
    """The mail in the development mailbox of whichever pod sent it."""
    for pod in pods:
        folder = f'/proc/{pod.process.pid}/root/run/trellis/mail'
        for path in glob.glob(f'{folder}/*.eml'):
            with open(path, encoding='utf-8') as file:
                text = file.read()
            if address in text.split('\n\n')[0]:
                return text
    return None


def story(cluster, pods, ctl):
    watcher = next(pod for pod in cluster.pods if pod.name == 'prometheus')
    for pod in pods:
        until(f'{pod.name} is ready', lambda p=pod: watcher.succeeds(p.address, '/readyz'))
        assert 'trellis_' in watcher.get(pod.address, '/metrics')
    named = {name: [pod for pod in pods if pod.labels['app.kubernetes.io/name'] == name] for name in mesh().names}
    door = next(one.name for one in mesh().services if one.door)
    people = People(cluster, named[door][0])
    told = people.ask('POST', '/auth/signup', {'email': 'ann@example.com', 'password': 'correct horse battery', 'display_name': 'Ann'})
    token = told['session']['token']
    mail = until('a mail', lambda: mail_to(named['notify'], 'ann@example.com'))
    assert 'https://trellis.example.com' in mail.replace('=\n', ''), mail
    tenant = people.ask('POST', '/tenants', {'slug': 'acme', 'display_name': 'Acme'}, token)['id']
    until('it is in the audit log', lambda: people.ask('GET', f'/tenants/{tenant}/audit', token=token)['items'])
    print('people are served')
    ctl.complete()
    for pod in pods:
        assert f'{pod.address}:7100' in ctl.tail(), ctl.tail()
    print('the operator sees every pod')
    end_under_load(people, named, tenant, token)


def end_under_load(people, named, tenant, token):
    """The second pod of each service goes, and nobody notices."""
    wrong, going, asked = [], threading.Event(), [0]

    def load():
        while not going.is_set():
            try:
                people.ask('GET', f'/tenants/{tenant}', token=token)
                asked[0] += 1
            except RuntimeError as error:
                wrong.append(str(error))
    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for name in mesh().names:
        pod = named[name][1]
        if pod.stop(signal.SIGTERM) != 0:
            wrong.append(f'{pod.name} ended badly: {pod.tail()}')
        before = asked[0]
        until(f'requests go on without {pod.name}', lambda b=before: asked[0] > b + 20 or wrong)
    going.set()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError('\n'.join(wrong[:5]))
    print(f'a pod of each service ended under {asked[0]} requests, none of which failed')


def main():
    if os.geteuid() != 0:
        sys.exit('cluster.py makes network namespaces: run it as root.')
    with tempfile.TemporaryDirectory(prefix='trellis-cluster.', dir='/var/tmp') as work:
        os.chmod(work, 0o755)
        cluster = Cluster(work)
        try:
            os.makedirs(os.path.join(work, 'bin'))
            for path in [*[f'services/trellis-{name}' for name in mesh().names], 'tools/ctl/trellis']:
                shutil.copy(os.path.join(BUILD, path), os.path.join(work, 'bin'))
            cluster.start_stores()
            secrets = cluster.make_secrets()
            pods, jobs, ctl = [], [], None
            for one in [o for kind in ('Deployment', 'Job', 'CronJob') for o in of_kind(cluster.objects, kind)]:
                labels, spec = template(one)['metadata']['labels'], template(one)['spec']
                for i in range(2 if one['kind'] == 'Deployment' else 1):
                    pod = cluster.add(f'{one["metadata"]["name"]}-{i}', labels, spec)
                    if one['metadata']['name'] == 'ctl':
                        ctl = pod
                    else:
                        (pods if one['kind'] == 'Deployment' else jobs).append(pod)
            cluster.add('prometheus', {'app.kubernetes.io/name': 'prometheus'})
            for pod in cluster.pods:
                cluster.guard(pod)
            for pod in [*pods, *jobs, ctl]:
                pod.mount(secrets)
            for pod in pods:
                pod.start()
            for pod in pods:
                if 'initContainers' in pod.spec:
                    until(f'{pod.name} waits', lambda p=pod: os.path.exists(p.log) and 'waiting for' in p.tail())
            for job in jobs:
                job.complete()
            for pod in pods:
                pod.thread.join()
            print('migrated, kept, and started after that')
            try:
                story(cluster, pods, ctl)
            except Exception:
                for pod in pods:
                    print(f'== {pod.name} {pod.address}\n{pod.tail()}', file=sys.stderr)
                print(cluster.refused(), file=sys.stderr)
                raise
            assert cluster.refused() == {}, cluster.refused()
            print('no policy stopped what anybody wanted')
        finally:
            cluster.close()


if __name__ == '__main__':
    main()
