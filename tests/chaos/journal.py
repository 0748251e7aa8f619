"""journal.py - what was asked of the mesh and what it said, and nothing else: the run is
judged by what the answers promised.

A write goes out under a key and is asked again, under the same key and perhaps at another
edge, for as long as nobody can tell what became of it. What was known once must stay so:
some writes are asked once more after their answer and must be told the same."""
import http.client
import json
import secrets
import socket
import threading

ASK_SECONDS = 15
# Paths that do not name the organisation.
OF_THE_NAMED = tuple("/api/v1/" + what for what in (
    "webhook", "subscription", "payment", "invoices", "billing-profile", "entitlements"))
# A conflict that says only that something else came at the same time.
AT_THE_SAME_TIME = ("A request with this Idempotency-Key is still running.",
                    "Another change came at the same time.", "Others keep changing it; try again.")


class Entry:
    """One write: what was asked, and its outcome: None until it is known."""

    def __init__(self, method, path, body, mark):
        self.method, self.path, self.body, self.mark = method, path, body, mark
        self.key = secrets.token_hex(12)
        self.status = None
        self.answer = None
        self.asks = 0
        self.doubts = []  # what was said before it was known
        self.ends_asker = False

    @property
    def acknowledged(self):
        return self.status is not None and self.status < 300

    @property
    def happened(self):
        """Or was refused because it had been done: it ended what it was asked with."""
        return self.acknowledged or bool(self.ends_asker and self.doubts and self.status)

    def __repr__(self):
        return (f"{self.method} {self.path} {self.body} ({self.mark}, key {self.key}): {self.status} "
                f"{self.answer} after {self.asks} asks {self.doubts[-4:]}")


class Journal:
    def __init__(self, ports):
        self.ports = ports
        self.entries = []
        self.breaches = []  # sentences: answers that must not be, whatever failed
        self.told = {}      # (event type, subject): how many there must be
        self.reads = 0
        self.replays = 0
        self.lock = threading.Lock()
        self.given_up = threading.Event()

    def breach(self, sentence):
        with self.lock:
            self.breaches.append(sentence)

    def tells(self, kind, subject, n=1):
        """An acknowledged write makes this event: of this many there will be as many."""
        with self.lock:
            self.told[kind, subject] = self.told.get((kind, subject), 0) + n


class Caller:
    """Whoever calls the mesh under one token, at any of its doors."""

    def __init__(self, journal, chance, token=None, tenant=None):
        self.journal, self.chance, self.token, self.tenant = journal, chance, token, tenant
        self.door = None

    def ask(self, method, path, body=None, key=None, token=None, if_match=None):
        """(status, document), or (None, why) where no answer came."""
        token = self.token if token is None else token  # False: nobody's
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        if if_match:
            headers["If-Match"] = if_match
        if self.tenant and path.startswith(OF_THE_NAMED):
            headers["X-Tenant-Id"] = self.tenant
        if self.door is None:
            self.door = http.client.HTTPConnection(
                "127.0.0.1", self.chance.choice(self.journal.ports), timeout=ASK_SECONDS)
        try:
            self.door.request(method, path, body=data, headers=headers)
            response = self.door.getresponse()
            text = response.read()
            if response.will_close:
                self.hang_up()
            said = json.loads(text) if "json" in response.headers.get("content-type", "") else {}
            return response.status, said
        except (OSError, http.client.HTTPException, socket.timeout, ValueError) as why:
            self.hang_up()
            return None, repr(why)

    def hang_up(self):
        if self.door:
            self.door.close()
        self.door = None

    # ---- reading: an answer is right or owns that there is none

    def read(self, path, token=None, wants=(200,)):
        status, said = self.ask("GET", path, token=token)
        self.journal.reads += 1
        if status is None or status in (429, 503, 504):
            return None
        if status not in wants:
            self.journal.breach(f"GET {path} was answered {status} {said}")
            return None
        return said

    # ---- writing

    def write(self, method, path, body=None, mark="", wants=(200, 201, 204), token=None,
              if_match=None, ends_asker=False, judged=False):
        """Asks until the outcome is known; gives the entry. wants: the statuses that are
        right here, refusals included. ends_asker: once it is done the asker is nobody, so
        who asks again is refused. judged: a conflict may be with how things are, and is an
        outcome then."""
        entry = Entry(method, path, body, mark)
        entry.ends_asker = ends_asker
        with self.journal.lock:
            self.journal.entries.append(entry)
        pause = 0.02
        while True:
            entry.asks += 1
            status, said = self.ask(method, path, body, entry.key, token, if_match)
            if known(status, said, judged):
                break
            entry.doubts.append(status if status is None or status == 429 else
                                f"{status} {said.get('code')}")
            if self.journal.given_up.is_set():
                return entry
            threading.Event().wait(self.chance.uniform(0, pause))
            pause = min(pause * 2, 0.5)
        entry.status, entry.answer = status, said
        if status not in wants or not entry.happened and ends_asker:
            self.journal.breach(f"not an answer to this: {entry!r}")
        elif not ends_asker and entry.acknowledged and self.chance.random() < 0.1:
            self._ask_again(entry, token, if_match)
        return entry

    def _ask_again(self, entry, token, if_match):
        status, said = self.ask(
            entry.method, entry.path, entry.body, entry.key, token, if_match)
        if not known(status, said):
            return
        self.journal.replays += 1
        # Whether it says Idempotency-Replayed is not asked here: one whose connection was
        # lost on the way finds the record and cannot tell whose it is.
        if (status, said) != (entry.status, entry.answer):
            self.journal.breach(f"asked again, {status} {said} was said: {entry!r}")


def known(status, said, judged=False):
    """Whether an answer says what became of the write. 409 CONFLICT does not: the key runs
    elsewhere, or somebody else had the row; unless it is judged, and says something else."""
    if status is None or status == 429 or status in (503, 504):
        return False
    return not (status == 409 and said.get("code") == "CONFLICT"
                and not (judged and said.get("detail") not in AT_THE_SAME_TIME))
