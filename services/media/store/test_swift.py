#!/usr/bin/python3
"""test_swift.py BUCKET KEY SECRET REGION - an S3 server that checks signatures: Swift's
s3api with all that is behind it, in one process, on ports of its own, in a folder that
goes with it. Says its port, and serves until its standard input ends."""
import logging
import os
import shutil
import socket
import sys
import tempfile
import threading

bucket, key, secret, region = sys.argv[1:]


def make_folder():
    """In memory where that keeps what Swift writes beside its files."""
    for base in '/dev/shm', None:
        folder = tempfile.mkdtemp(prefix='trellis-swift-', dir=base)
        try:
            os.setxattr(folder, 'user.test', b'1')
            return folder
        except OSError:
            os.rmdir(folder)
    sys.exit('no file system with extended attributes for Swift')


folder = make_folder()
sys.dont_write_bytecode = True
import eventlet  # noqa: E402
from eventlet import wsgi  # noqa: E402

eventlet.monkey_patch()
from swift.common import utils  # noqa: E402

with open(folder + '/swift.conf', 'w') as conf:
    conf.write('[swift-hash]\nswift_hash_path_suffix = test\n')
utils.set_swift_dir(folder)
from swift.common import storage_policy  # noqa: E402

storage_policy.reload_storage_policies()
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402

logging.disable(logging.CRITICAL)


class Cache(dict):
    """In place of memcached, which tempauth wants."""

    def __bool__(self):
        return True

    def set(self, name, value, **_):
        self[name] = value

    def get(self, name, **_):
        return dict.get(self, name)

    def delete(self, name, **_):
        self.pop(name, None)

    def incr(self, name, delta=1, **_):
        self[name] = int(dict.get(self, name) or 0) + delta
        return self[name]


def cache_filter(_conf, **_):
    kept = Cache()

    def wrap(app):
        def call(env, start_response):
            env['swift.cache'] = kept
            return app(env, start_response)
        return call
    return wrap


sys.modules.setdefault('test_swift', sys.modules['__main__'])
sockets = {}
for name in 'account', 'container', 'object', 'proxy':
    sockets[name] = eventlet.listen(('127.0.0.1', 0), backlog=128)
ports = {name: it.getsockname()[1] for name, it in sockets.items()}
os.mkdir(folder + '/devices')
os.mkdir(folder + '/devices/d1')
for name in 'account', 'container', 'object':
    builder = RingBuilder(1, 1, 1)
    builder.add_dev({'id': 0, 'zone': 1, 'region': 1, 'weight': 1, 'ip': '127.0.0.1',
                     'port': ports[name], 'device': 'd1', 'meta': '',
                     'replication_ip': '127.0.0.1', 'replication_port': ports[name]})
    builder.rebalance()
    builder.get_ring().save(f'{folder}/{name}.ring.gz')
    with open(f'{folder}/{name}.conf', 'w') as conf:
        conf.write(f'''[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
''')
with open(folder + '/proxy.conf', 'w') as conf:
    conf.write(f'''[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = test_swift:cache_filter
[filter:s3api]
use = egg:swift#s3api
location = {region}
min_segment_size = 1
[filter:tempauth]
use = egg:swift#tempauth
user_{key.replace(':', '_')} = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
''')


def serve(name):
    app = loadapp(f'{folder}/{name}.conf')
    wsgi.server(sockets[name], app, log=open(os.devnull, 'w'), log_output=False,
                protocol=Protocol, keepalive=True)


class Protocol(wsgi.HttpProtocol):
    def log_message(self, *args):
        pass


for name in sockets:
    eventlet.spawn(serve, name)


def make_bucket():
    import boto3
    from botocore.client import Config
    client = boto3.client('s3', endpoint_url=f'http://127.0.0.1:{ports["proxy"]}',
                          aws_access_key_id=key, aws_secret_access_key=secret,
                          region_name=region,
                          config=Config(signature_version='s3v4', s3={'addressing_style': 'path'}))
    client.create_bucket(Bucket=bucket)


try:
    make_bucket()
    print(ports['proxy'], flush=True)
    from eventlet import tpool
    tpool.execute(sys.stdin.read)
except BaseException:
    import traceback
    traceback.print_exc()
finally:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
