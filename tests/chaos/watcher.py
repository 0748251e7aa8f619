"""watcher.py - a browser that has an event stream open, and when it breaks opens it again,
at whichever door, with the last id it saw."""
import threading

from sse import Stream

AGAIN_S = 0.2


class Watcher:
    def __init__(self, company, chance):
        self.company, self.chance = company, chance
        self.ids = []       # all that came, in their order
        self.opened = 0
        self.over = threading.Event()
        self.begun = threading.Event()
        self.stream = None
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def begin(self):
        """Returns once what happens from now on will come."""
        self.thread.start()
        if not self.begun.wait(30):
            raise AssertionError(f"the stream of {self.company.mark} has not begun")

    def seen(self):
        stream = self.stream
        return self.ids + (stream.ids() if stream else [])

    def end(self):
        self.over.set()
        self.thread.join(30)

    def _open(self):
        journal = self.company.world.journal
        headers = {"Last-Event-ID": self.ids[-1]} if self.ids else {}
        stream = Stream(self.chance.choice(journal.ports), X_Tenant_Id=self.company.id,
                        Authorization=f"Bearer {self.company.owner.token}", **headers)
        if stream.status == 200:
            return stream
        if stream.status not in (0, 429, 503, 504):
            journal.breach(f"the stream of {self.company.mark} was answered {stream.status}")
        stream.close()
        return None

    def _watch(self):
        while not self.over.is_set():
            try:
                stream = self._open()
            except OSError:
                stream = None
            if stream is None:
                self.over.wait(AGAIN_S)
                continue
            self.opened += 1
            self.stream = stream
            while not self.over.is_set() and not stream.ended.wait(AGAIN_S):
                if stream.retry:
                    self.begun.set()
            stream.close()
            stream.ended.wait(10)
            self.ids, self.stream = self.ids + stream.ids(), None
            self.over.wait(AGAIN_S)
