#!/usr/bin/python3
"""tests/depot/bodies.py URL RUN_DIR - bodies of any size through the door, the bus and a
service that is elsewhere: what comes out is what went in, refusals reach the client
wherever it is, and what breaks leaves nothing behind. RUN_DIR is that of the mesh, whose
depot is killed once. Over 400 lines: all stories are of one mesh, and one way to ask it."""
import glob
import hashlib
import http.client
import json
import os
import random
import re
import select
import signal
import socket
import sys
import time
import urllib.parse

URL = urllib.parse.urlsplit(sys.argv[1])
RUN = sys.argv[2]
OCTETS = 'application/octet-stream'
KIB, MIB = 1024, 1024 * 1024
CASES = []


def case(function):
    CASES.append(function)
    return function


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def same(found, wanted):
    expect(found == wanted, f'{str(found)[:300]}, not {str(wanted)[:300]}')


def bytes_of(size, seed=1):
    return random.Random(seed).randbytes(size)


class World:
    def __init__(self):
        mark = str(time.time_ns())
        self.token = self.json('POST', '/api/v1/auth/signup', {
            'email': f'depot.{mark}@example.com', 'password': 'correct horse battery',
            'display_name': 'Depot'})['session']['token']
        self.tenant = self.json('POST', '/api/v1/tenants', {
            'slug': 'depot-' + mark, 'display_name': 'Depot'}, self.token)['id']

    def json(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
        connection.request(method, path, json.dumps(body) if body else None, {
            'Content-Type': 'application/json',
            **({'Authorization': 'Bearer ' + token} if token else {})})
        answer = connection.getresponse()
        data = answer.read()
        expect(answer.status < 300, f'{method} {path}: {answer.status} {data[:300]}')
        return json.loads(data) if data else None

    def head(self, **more):
        return {'Authorization': 'Bearer ' + self.token, 'X-Tenant-Id': self.tenant, **{
            name.replace('_', '-'): str(value) for name, value in more.items()
            if value is not None}}

    def ask(self, method, path, body=None, connection=None, **headers):
        """The status, header fields and body of an answer."""
        connection = connection or http.client.HTTPConnection(URL.hostname, URL.port, timeout=60)
        if body is not None:
            headers.setdefault('Content_Type', OCTETS)
        connection.request(method, '/api/v1/depot/' + path, body, self.head(**headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def put(self, name, body, **headers):
        return self.ask('PUT', name, body, **headers)

    def begin(self, name, length, **headers):
        """A connection on which a PUT has begun, whose body is to come."""
        line = socket.create_connection((URL.hostname, URL.port), timeout=60)
        fields = self.head(Content_Type=OCTETS, Content_Length=length, Host='depot', **headers)
        line.sendall((f'PUT /api/v1/depot/{name} HTTP/1.1\r\n' + ''.join(
            f'{key}: {value}\r\n' for key, value in fields.items()) + '\r\n').encode())
        return line


world = World()


def until(what, seconds, holds):
    end = time.monotonic() + seconds
    while not holds():
        expect(time.monotonic() < end, f'not within {seconds} s: {what}')
        time.sleep(0.05)


def answer_of(line):
    """What comes on a connection until it ends, or its answer is whole."""
    found = b''
    while True:
        data = line.recv(65536)
        if not data:
            return found
        found += data
        head, end, body = found.partition(b'\r\n\r\n')
        length = re.search(rb'(?i)content-length: (\d+)', head)
        if end and length and len(body) >= int(length[1]):
            return found


@case
def what_went_in_comes_out():
    for size in (0, 1, 100 * KIB, 128 * KIB, 128 * KIB + 1, 256 * KIB, MIB + 7, 24 * MIB + 1):
        data = bytes_of(size)
        status, _, said = world.put('blob', data)
        same((status, json.loads(said).get('size', 0)), (200, size))
        for query in ('', '?pieces=true', '?untold=true', '?pieces=true&untold=true'):
            status, fields, found = world.ask('GET', 'blob' + query)
            same(status, 200)
            same(len(found), size)
            same(hashlib.sha256(found).digest(), hashlib.sha256(data).digest())
            same(fields['Content-Type'], OCTETS)
            if not query:
                same(fields['Content-Length'], str(size))


@case
def a_body_may_come_in_chunks():
    data = bytes_of(3 * MIB + 11)

    def chunks():
        for at in range(0, len(data), 70001):
            yield data[at:at + 70001]
    status, _, said = world.put('chunked', chunks())
    same((status, json.loads(said)['size']), (200, len(data)))
    same(world.ask('GET', 'chunked')[2], data)


@case
def one_connection_serves_many():
    connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=60)
    data = bytes_of(2 * MIB)
    same(world.put('kept', data, connection=connection)[0], 200)
    line = connection.sock
    for _ in range(3):
        same(world.ask('GET', 'kept', connection=connection)[2], data)
        same(world.ask('GET', 'kept?untold=true', connection=connection)[2], data)
        same(world.put('kept', data, connection=connection)[0], 200)
    expect(connection.sock is line, 'the connection was not kept')


@case
def a_part_is_206_and_none_is_416():
    data = bytes_of(MIB)
    world.put('parts', data)
    status, fields, found = world.ask('GET', 'parts', Range='bytes=1000-1048000')
    same((status, found), (206, data[1000:1048001]))
    same(fields['Content-Range'], f'bytes 1000-1048000/{MIB}')
    status, fields, found = world.ask('GET', 'parts', Range='bytes=0-0')
    same((status, found, fields['Content-Length']), (206, data[:1], '1'))
    status, fields, found = world.ask('GET', 'parts', Range=f'bytes={MIB}-')
    same((status, json.loads(found)['code']), (416, 'RANGE'))
    same(fields['Content-Range'], f'bytes */{MIB}')


@case
def head_tells_the_length_and_no_more():
    world.put('headed', bytes_of(300 * KIB))
    connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=60)
    for _ in range(2):
        status, fields, found = world.ask('HEAD', 'headed', connection=connection)
        same((status, fields['Content-Length'], found), (200, str(300 * KIB), b''))
    status, fields, found = world.ask('HEAD', 'headed/size', connection=connection)
    same((status, fields['Depot-Size'], found), (200, str(300 * KIB), b''))
    status, fields, found = world.ask('POST', 'headed/size', connection=connection,
                                      X_HTTP_Method_Override='HEAD')
    same((status, fields['Depot-Size'], found), (200, str(300 * KIB), b''))
    same(world.ask('HEAD', 'absent/size')[0], 404)


@case
def lines_of_a_contract_are_those_of_the_answer():
    world.put('lines', b'x')
    _, fields, _ = world.ask('GET', 'lines')
    same(fields['Content-Security-Policy'], 'sandbox')
    same(fields.get_all('Cross-Origin-Resource-Policy'), ['cross-origin'])
    _, fields, _ = world.ask('GET', 'absent')
    same(fields['Content-Security-Policy'], 'sandbox')
    status, fields, _ = world.ask('OPTIONS', 'lines')
    same((status, fields['Depot-Offers'], fields['Allow']), (204, 'blobs', 'GET, HEAD, PUT, OPTIONS'))


@case
def who_waits_for_100_is_refused_before_it():
    def refused(status, **more):
        fields = {'Expect': '100-continue', **more}
        line = world.begin(fields.pop('name', 'waits'), fields.pop('length', 5 * MIB), **fields)
        said = answer_of(line)
        expect(said.startswith(b'HTTP/1.1 %d ' % status), said[:200])
    refused(413, Depot_Room=100)
    refused(413, length=7 * 1024 * MIB)
    refused(400, Depot_Length='many')
    refused(422, name='Not_a_slug')
    line = world.begin('waits', 5 * MIB, Expect='100-continue')
    same(line.recv(100), b'HTTP/1.1 100 Continue\r\n\r\n')
    line.sendall(bytes_of(5 * MIB))
    expect(answer_of(line).startswith(b'HTTP/1.1 200 '), 'not taken')
    same(world.ask('GET', 'waits')[2], bytes_of(5 * MIB))
    # Of the wrong type, by nobody, for a foreign organisation: at once, too.
    for change, status in (({'Content-Type': 'text/plain'}, 415), ({'Authorization': 'Bearer x'}, 401),
                           ({'X-Tenant-Id': '01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21'}, 404),
                           ({'Expect': 'other'}, 417), ({'Content-Encoding': 'gzip'}, 415)):
        line = socket.create_connection((URL.hostname, URL.port), timeout=60)
        fields = {**world.head(Content_Type=OCTETS, Content_Length=5 * MIB, Host='depot',
                               Expect='100-continue'), **change}
        line.sendall(('PUT /api/v1/depot/waits HTTP/1.1\r\n' + ''.join(
            f'{key}: {value}\r\n' for key, value in fields.items()) + '\r\n').encode())
        said = answer_of(line)
        expect(said.startswith(b'HTTP/1.1 %d ' % status), (change, said[:200]))


@case
def a_refusal_in_mid_body_reaches_the_client():
    # A client that looks for an answer while it sends, as browsers and curl do.
    line, sent = world.begin('refused', 200 * MIB, Depot_Room=1), 0
    while not select.select([line], [], [], 0)[0]:
        line.sendall(bytes(16 * KIB))
        sent += 16 * KIB
    expect(answer_of(line).startswith(b'HTTP/1.1 413 '), 'no answer')
    expect(sent < 20 * MIB, f'{sent} bytes were sent')
    status, _, said = world.put('refused', bytes_of(MIB), Depot_Length=5)
    same((status, json.loads(said)['code']), (460, 'CHECKSUM'))
    same(world.ask('GET', 'refused')[0], 404)


@case
def an_answer_that_breaks_off_is_not_taken_for_whole():
    world.put('breaks', bytes_of(4 * MIB))
    for query in ('?broken=true&pieces=true', '?broken=true&pieces=true&untold=true'):
        try:
            _, _, found = world.ask('GET', 'breaks' + query)
        except (http.client.IncompleteRead, ConnectionError):
            continue
        raise AssertionError(f'{query}: {len(found)} bytes were taken for all')


@case
def a_service_that_gives_more_than_it_said_ends_nobody_but_its_answer():
    world.put('more', bytes_of(4 * MIB))
    before = list(processes('trellis-edge'))
    for query in ('?more=true', '?more=true&pieces=true'):
        try:
            world.ask('GET', 'more' + query)
        except (http.client.IncompleteRead, ConnectionError):
            continue
        raise AssertionError(f'{query}: it was taken')
    same(list(processes('trellis-edge')), before)


def in_the_making():
    return glob.glob(f'{RUN}/depot/*-gone.*')


@case
def who_leaves_in_mid_body_leaves_nothing():
    for sent in (0, 1, 100 * KIB, 3 * MIB):
        line = world.begin('gone', 50 * MIB)
        line.sendall(bytes(sent))
        until('the upload began', 10, in_the_making)
        line.close()
        until('it was given up', 10, lambda: not in_the_making())
    same(world.ask('GET', 'gone')[0], 404)


@case
def who_loses_the_right_is_cut_off():
    other = world.json('POST', '/api/v1/auth/login', {
        'email': world.json('GET', '/api/v1/me', token=world.token)['email'],
        'password': 'correct horse battery'})['session']['token']
    mine, world.token = world.token, other
    line = world.begin('gone', 50 * MIB)
    world.token = mine
    line.sendall(bytes(MIB))
    until('the upload began', 10, in_the_making)
    world.json('POST', '/api/v1/auth/logout', token=other)
    line.settimeout(0.2)
    said, end = b'', time.monotonic() + 20
    while not said:
        expect(time.monotonic() < end, 'who had logged out was not cut off')
        try:
            line.sendall(bytes(KIB))
            said = line.recv(65536)
        except (TimeoutError, socket.timeout):
            pass
    expect(said.startswith(b'HTTP/1.1 401 '), said[:200])
    until('it was given up', 10, lambda: not in_the_making())


@case
def who_lost_the_right_before_the_last_byte_leaves_nothing():
    """Of a body that rides in the call, of one that is in pieces, and of one whose length
    nobody says."""
    for size, chunked in ((10, False), (200 * KIB, False), (10, True)):
        other = world.json('POST', '/api/v1/auth/login', {
            'email': world.json('GET', '/api/v1/me', token=world.token)['email'],
            'password': 'correct horse battery'})['session']['token']
        mine, world.token = world.token, other
        began = time.monotonic()
        line = world.begin('gone', None, Transfer_Encoding='chunked') if chunked else \
            world.begin('gone', size)
        world.token = mine
        line.sendall((b'9\r\n' if chunked else b'') + bytes(size - 1))
        if size > 128 * KIB or chunked:
            until('the upload began', 10, in_the_making)
        world.json('POST', '/api/v1/auth/logout', token=other)
        until('a moment had passed', 10, lambda: time.monotonic() > began + 0.6)
        line.sendall(b'\r\n1\r\n\0\r\n0\r\n\r\n' if chunked else bytes(1))
        line.settimeout(20)
        said = line.recv(65536)
        expect(said.startswith(b'HTTP/1.1 401 '), said[:200])
        line.close()
        until('it was given up', 10, lambda: not in_the_making())
        same(world.ask('GET', 'gone')[0], 404)


@case
def who_loses_the_right_reads_no_further():
    world.put('long', bytes_of(200 * MIB))
    for query in ('', '?pieces=true'):
        other = world.json('POST', '/api/v1/auth/login', {
            'email': world.json('GET', '/api/v1/me', token=world.token)['email'],
            'password': 'correct horse battery'})['session']['token']
        line = socket.create_connection((URL.hostname, URL.port), timeout=60)
        fields = {**world.head(Host='depot'), 'Authorization': 'Bearer ' + other}
        line.sendall((f'GET /api/v1/depot/long{query} HTTP/1.1\r\n' + ''.join(
            f'{key}: {value}\r\n' for key, value in fields.items()) + '\r\n').encode())
        expect(line.recv(MIB).startswith(b'HTTP/1.1 200 '), 'not answered')
        world.json('POST', '/api/v1/auth/logout', token=other)
        found, began = 0, time.monotonic()
        try:
            while data := line.recv(MIB):
                found += len(data)
                # As fast as a line of 10 MB a second: it would take 20 s.
                time.sleep(max(0, found / 1e7 - (time.monotonic() - began)))
        except ConnectionError:
            pass
        expect(found < 190 * MIB, f'{query}: all of it was read')


def processes(name):
    """Those of the mesh, by the beginning of their programs' names."""
    for folder in glob.glob('/proc/[0-9]*'):
        try:
            with open(folder + '/cmdline', 'rb') as text, open(folder + '/environ', 'rb') as env:
                program = os.path.basename(text.read().split(b'\0')[0].decode())
                if program.startswith(name) and RUN.encode() in env.read():
                    yield int(folder[6:])
        except OSError:
            pass


def memory_kib():
    total = 0
    for pid in processes('trellis-'):
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as text:
            total += int(re.search(r'Pss:\s+(\d+)', text.read())[1])
    return total


@case
def a_hundred_slow_readers_cost_little():
    world.put('slow', bytes_of(16 * MIB))
    before = memory_kib()
    expect(before > 0, 'no process of the mesh was found')
    lines = []
    for i in range(100):
        line = socket.create_connection((URL.hostname, URL.port), timeout=60)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * KIB)
        fields = world.head(Host='depot')
        line.sendall((f'GET /api/v1/depot/slow{"?pieces=true" if i % 2 else ""} HTTP/1.1\r\n' + ''.join(
            f'{key}: {value}\r\n' for key, value in fields.items()) + '\r\n').encode())
        expect(line.recv(12) in (b'HTTP/1.1 200', b'HTTP/1.1 503'), 'not answered')
        lines.append(line)
    grown = memory_kib() - before
    expect(grown < 32 * KIB, f'{grown} KiB more for 100 slow readers')
    same(world.ask('GET', 'slow')[0], 200)
    for line in lines:
        line.close()


@case
def whoever_is_killed_is_told_and_forgotten():
    pid, = processes('trellis-depot')
    line = world.begin('gone', 50 * MIB)
    line.sendall(bytes(MIB))
    until('the upload began', 10, in_the_making)
    os.kill(pid, signal.SIGKILL)
    said = answer_of(line)  # though the client sends nothing
    expect(said.startswith(b'HTTP/1.1 503 '), said[:200])
    for left in in_the_making():
        os.unlink(left)
    until('it serves again', 30, lambda: world.ask('GET', 'slow')[0] == 200)
    data = bytes_of(2 * MIB)
    until('it takes again', 30, lambda: world.put('again', data)[0] == 200)
    same(world.ask('GET', 'again?pieces=true')[2], data)


if __name__ == '__main__':
    failed = 0
    for one in CASES:
        try:
            one()
            print('ok  ', one.__name__.replace('_', ' '))
        except (AssertionError, OSError, http.client.HTTPException) as error:
            failed += 1
            print('FAIL', one.__name__.replace('_', ' '), '-', repr(error))
    sys.exit(1 if failed else 0)
