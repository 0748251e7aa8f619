"""sse.py - a client of text/event-stream (the WHATWG's event stream format) over a plain
socket: what came is kept as it was sent, and nothing is connected again by itself."""
import json
import socket
import threading

from common import PATIENCE


class Stream:
    """An open stream: .status, .headers, and what came until now in .events (each with
    "id", "event", "data"), .comments and .retry; .ended is set when the server ended it."""

    def __init__(self, port, path="/api/v1/events/stream", method="GET", reads=True, source=None,
                 **headers):
        self.events, self.comments, self.retry, self.kind = [], 0, None, None
        self.ended, self.politely = threading.Event(), False
        self.changed = threading.Condition()
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30,
                                               source_address=(source, 0) if source else None)
        lines = [f"{method} {path} HTTP/1.1", "Host: a", "Accept: text/event-stream"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        self.file = self.socket.makefile("rb")
        self._head()
        if reads and self.status == 200 and method == "GET":
            threading.Thread(target=self._read, daemon=True).start()

    def _head(self):
        self.status = int((self.file.readline().split() + [b"", b"0"])[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()

    def body(self):
        """Of an answer that is no stream."""
        return json.loads(self.file.read(int(self.headers.get("content-length", 0))) or b"{}")

    def _chunks(self):
        if "content-length" in self.headers:  # one that says "later" is over at once
            yield self.file.read(int(self.headers["content-length"]))
            self.politely = True
            return
        while (size := int(self.file.readline() or b"-1", 16)) > 0:
            yield self.file.read(size)
            self.file.readline()
        self.politely = size == 0

    def _read(self):
        text = b""
        try:
            for chunk in self._chunks():
                *blocks, text = (text + chunk).split(b"\n\n")
                with self.changed:
                    for block in blocks:
                        self._block(block.decode())
                    self.changed.notify_all()
        except (OSError, ValueError):
            pass
        with self.changed:
            self.ended.set()
            self.changed.notify_all()

    def _block(self, text):
        event = {}
        for line in text.split("\n"):
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")
        self.comments += "" in event
        if "retry" in event:
            self.retry = int(event["retry"])
        elif "" not in event:
            self.events.append(event)

    def wait(self, what, condition):
        """Until condition(self) is true of what came; an ended stream brings nothing more."""
        with self.changed:
            self.changed.wait_for(lambda: condition(self) or self.ended.is_set(), PATIENCE)
            if not condition(self):
                why = "the stream ended before" if self.ended.is_set() else f"not within {PATIENCE} s"
                raise AssertionError(f"{why}: {what}; came: "
                                     f"{[e.get('id', e) for e in self.events][-20:]}")

    def wait_for(self, *ids):
        """Until these have come; gives the last event."""
        self.wait(f"events {ids}", lambda s: set(ids) <= set(s.ids()))
        return next(e for e in self.events if e.get("id") == ids[-1])

    def wait_end(self):
        if not self.ended.wait(PATIENCE):
            raise AssertionError(f"the stream has not ended within {PATIENCE} s")

    def ids(self):
        """Of those of .kind, or of all where that is None."""
        return [e["id"] for e in self.events if "id" in e and self.kind in (None, e["event"])]

    def last_id(self):
        return self.ids()[-1]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
