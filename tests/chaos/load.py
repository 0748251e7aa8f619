"""load.py - the people who use the mesh while it is in trouble: all companies, their
threads, what each of them does how often, and the mailbox they read."""
import operator
import os
import random
import re
import threading
import time
import urllib.parse

from company import Company
from customers import Customer
from journal import Caller
from common import wait_for
from watcher import Watcher

PAUSE_S = 0.01
# What each of the two does, and how often. What has a point is of a part of the company.
OFFICE = (("rename", 6), ("rename_stale", 1), ("take_a_taken_slug", 1), ("add_member", 5),
          ("change_role", 4), ("remove_member", 2), ("leave", 1), ("look", 6), ("look_elsewhere", 1),
          ("read_inbox", 3), ("read_all", 1), ("prefer", 1), ("sides.found", 1),
          ("sides.delete", 1), ("sides.restore", 1))
DESK = (("invite", 4), ("resend", 2), ("revoke", 2), ("make_key", 3), ("make_no_key", 1),
        ("use_key", 5), ("revoke_key", 2), ("people.join", 5), ("people.verify", 6),
        ("people.accept", 4), ("people.sign_in", 2), ("people.sign_out", 1), ("people.rename", 3),
        ("people.change_password", 1), ("hooks.make", 1), ("hooks.describe", 2),
        ("hooks.rotate", 1), ("hooks.remove", 1), ("hooks.test", 1), ("hooks.replay", 1))


class Mailbox:
    """The mails in the development mailbox, read once each."""

    def __init__(self, folder):
        self.folder = folder
        self.seen = set()
        self.mails = []  # (to, text)
        self.lock = threading.Lock()

    def read(self):
        with self.lock:
            try:
                names = os.listdir(self.folder)
            except FileNotFoundError:
                return
            for name in names:
                if name.startswith(".") or name in self.seen:
                    continue
                with open(os.path.join(self.folder, name)) as file:
                    text = file.read()
                self.seen.add(name)
                to = next((line[3:].strip() for line in text.splitlines()
                           if line.lower().startswith("to:")), "")
                self.mails.append((to, text))

    def names(self):
        return [name for name in os.listdir(self.folder) if not name.startswith(".")]

    def token(self, email, path):
        """The token in a mail to an address whose link leads there, or None."""
        self.read()
        with self.lock:
            for to, text in reversed(self.mails):
                if email in to:
                    found = re.search(re.escape(path) + r"#token=([A-Za-z0-9_.%-]+)",
                                      text.replace("=\n", ""))
                    if found:
                        return urllib.parse.unquote(found[1])
        return None


class World:
    """All companies, their threads, and what they share."""

    def __init__(self, journal, mailbox, receiver, bank, seed, companies=3):
        self.journal, self.mailbox, self.receiver, self.bank = journal, mailbox, receiver, bank
        self.over = threading.Event()
        self.companies = [Company(self, n, seed) for n in range(companies)]
        for company in self.companies:
            company.customers = [Customer(company, n, seed) for n in range(2)]
        self.customers = [one for company in self.companies for one in company.customers]
        self.failed = []
        self.threads = []

    def start(self):
        """The companies are founded while all is well: the troubles come to what exists."""
        for company in self.companies:
            caller = Caller(self.journal, company.chance[0])
            company.found(caller)
            if company.id is None:
                raise AssertionError(f"a company was not founded: {self.journal.entries[-1]!r}")
            # Whoever has proven no address invites nobody.
            wait_for("a founder's address is proven",
                     lambda: company.people.verify(caller) or company.owner.verified)
        self._found_customers()
        for company in self.companies:
            company.watcher = Watcher(company, random.Random(company.mark))
            company.watcher.begin()
        for company in self.companies:
            for chance, work in zip(company.chance, (OFFICE, DESK)):
                caller = Caller(self.journal, chance, company.owner.token, company.id)
                self.threads.append(threading.Thread(
                    target=self._work, args=(company, caller, work), daemon=True))
        for one in self.customers:
            caller = Caller(self.journal, one.chance, one.company.owner.token, one.id)
            self.threads.append(threading.Thread(
                target=self._work, args=(one, caller, one.work), daemon=True))
        for thread in self.threads:
            thread.start()

    def _found_customers(self):
        """A founder has one trial, and it is the company's."""
        for company in self.companies:
            caller = Caller(self.journal, company.chance[0], company.owner.token, company.id)
            wait_for(f"the trial of {company.mark} has begun", lambda: (
                caller.read("/api/v1/subscription") or {}).get("status") == "trialing")
            for one in company.customers:
                one.found(Caller(self.journal, one.chance, company.owner.token))
        self.bank.start(self.customers)

    def _work(self, company, caller, work):
        names, weights = zip(*work)
        try:
            while not self.over.is_set():
                what = caller.chance.choices(names, weights)[0]
                operator.attrgetter(what)(company)(caller)
                self.over.wait(caller.chance.uniform(0, PAUSE_S))
        except Exception as why:
            self.failed.append(why)
            raise

    def end(self, seconds):
        """Nothing new is begun; what is open is asked until it is known."""
        self.over.set()
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0, deadline - time.monotonic()))
        self.journal.given_up.set()
        for thread in self.threads:
            thread.join(30)
        if self.failed:
            raise self.failed[0]
        self.bank.end(seconds)
