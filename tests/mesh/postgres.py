"""postgres.py - a connection to PostgreSQL by its own protocol (version 3: "Frontend/Backend
Protocol" of its manual), as far as stories need it: simple queries over a unix socket to
a server that trusts us. A psql for each look at a row would cost more than the row.
And the database that those of all stories are copied from."""
import fcntl
import hashlib
import os
import socket
import struct
import threading


class SqlError(AssertionError):
    pass


class Sql(threading.local):
    """A connection of each thread. Each command finds it as if it were new."""
    wire = server = None

    def __init__(self, path, user, database):
        self.path, self.user, self.database = path, user, database

    def rows(self, command):
        """The rows of all its statements, which are one transaction, as tuples of text."""
        try:
            return self._run(command)
        except (OSError, EOFError):  # the server ended it since the last one
            self.close()
            return self._run(command)

    def close(self):
        if self.wire:
            self.wire.close()
            self.server.close()
        self.wire = None

    def _run(self, command):
        if self.wire is None:
            self._open()
        rows, status = self._query(command)
        if status != b"I":
            self._query("rollback")
        self._query("discard all")
        return rows

    def _open(self):
        self.server = socket.socket(socket.AF_UNIX)
        try:
            self.server.connect(self.path)
        except OSError:
            self.server.close()
            raise
        self.wire = self.server.makefile("rb")
        words = "\0".join(("user", self.user, "database", self.database, "", "")).encode()
        self.server.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
        self._until_ready("connecting")

    def _query(self, command):
        text = command.encode() + b"\0"
        self.server.sendall(b"Q" + struct.pack("!i", len(text) + 4) + text)
        return self._until_ready(command)

    def _until_ready(self, command):
        rows, wrong = [], None
        while True:
            kind, size = struct.unpack("!ci", self._take(5))
            body = self._take(size - 4)
            if kind == b"D":
                rows.append(self._row(body))
            elif kind == b"E":
                fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
                wrong = SqlError(f"{fields[b'M']} ({fields[b'C']}): {command[:2000]}")
                if fields[b"S"] == "FATAL":
                    self.close()
                    if fields[b"C"] == "57P01":  # ended by an administrator, before it ran
                        raise EOFError
                    raise wrong
            elif kind == b"Z":
                if wrong:
                    if body != b"I":
                        self._query("rollback")
                    raise wrong
                return rows, body

    def _take(self, size):
        data = self.wire.read(size)
        if len(data) < size:
            raise EOFError
        return data

    @staticmethod
    def _row(body):
        values, at = [], 2
        for _ in range(struct.unpack_from("!h", body)[0]):
            size, = struct.unpack_from("!i", body, at)
            at += 4
            values.append(None if size < 0 else body[at:at + size].decode())
            at += max(size, 0)
        return tuple(values)


def template_of(server, binary, migrate):
    """The name of an empty database that this binary has migrated. The first that needs it
    has it made, by migrate(database); that of an older binary in its place is dropped."""
    place = "trl_test_template_" + hashlib.sha256(os.path.abspath(binary).encode()).hexdigest()[:12]
    stat = os.stat(binary)
    name = f"{place}_{stat.st_mtime_ns:x}_{stat.st_size:x}"
    folder = os.open(os.path.dirname(binary), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # one process makes it, the others wait
        there = [row[0] for row in server.rows(
            f"select datname from pg_database where starts_with(datname, '{place}_')")]
        if name not in there:
            for old in there:
                server.rows(f"drop database {old}")
            server.rows(f"create database {place}_half")
            migrate(f"{place}_half")
            server.rows(f"alter database {place}_half rename to {name}")
    finally:
        os.close(folder)
    return name
