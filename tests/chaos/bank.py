"""bank.py - the operator's part in the load: what is sold, and time, which it moves on for
the customers that have a test clock, days at a step, so that their periods are billed and
what was refused is tried again while all else happens."""
import datetime
import json
import os
import random
import threading

from common import TOP, wait_for

EXAMPLE = os.path.join(TOP, "services/billing/catalogue/example.json")

# What a plan lets read a minute, times what all limits are multiplied with here: so none is
# reached, and what a door says of it tells the plan.
READS, SCALE = {"free": 100, "team": 200, "business": 300}, 100000
EVERY_S = 0.25
DAYS_MOST = 40


def wares(one_series):
    """The example, without a limit of seats, and with one that can be seen at the door."""
    with open(EXAMPLE, encoding="utf-8") as file:
        catalogue = json.load(file)
    catalogue["features"].append({"key": "api-reads-per-minute", "type": "number", "name": "Reads"})
    for plan in catalogue["plans"]:
        plan["features"] = [one for one in plan["features"] if one["feature"] != "seats"] + [
            {"feature": "seats"}, {"feature": "api-reads-per-minute", "number": READS[plan["key"]]}]
    catalogue["seller"]["one_series"] = one_series
    return catalogue


class Bank:
    def __init__(self, fleet, seed):
        self.fleet, self.chance = fleet, random.Random(f"{seed} bank")
        self.one_series = self.chance.random() < 0.5
        self.over = threading.Event()
        self.customers, self.failed, self.wanted = [], [], {}
        self.moves = self.steps = self.refused = 0
        self.threads = []

    def open(self):
        self.fleet.sells(**wares(self.one_series))

    def start(self, customers):
        self.customers = [one for one in customers if not one.calm]
        for one in self.customers:
            if not self.advance(one, None):
                raise AssertionError(f"the clock of {one.mark} does not begin: {self.failed[-1:]}")
        self.threads = [threading.Thread(target=self._work, args=(one,), daemon=True) for one in self.customers]
        for thread in self.threads:
            thread.start()

    def advance(self, customer, to):
        """Whether it is known to be done. What was not may be done nevertheless, so it goes
        on from what the clock was told to be."""
        asked = {"tenant_id": customer.id, **({"to": to.strftime("%Y-%m-%dT%H:%M:%SZ")} if to else {})}
        done = self.fleet.trellis("call", "AdvanceClock", json.dumps(asked), "--json")
        if done.returncode:
            self.failed.append(f"{customer.mark}: {asked}: {done.stderr.strip()}")
            return False
        said = done.json()
        customer.clock = datetime.datetime.fromisoformat(said["now"].replace("Z", "+00:00"))
        self.moves += 1
        self.steps += said.get("steps", 0)
        return True

    def _next(self, customer):
        """Where it was to go and may have gone, or else further."""
        return self.wanted.get(customer) or customer.clock + datetime.timedelta(
            days=self.chance.uniform(0.5, DAYS_MOST))

    def _work(self, customer):
        while not self.over.is_set():
            self.wanted[customer] = to = self._next(customer)
            if self.advance(customer, to):
                del self.wanted[customer]
            else:
                self.refused += 1
            self.over.wait(self.chance.uniform(0, EVERY_S))

    def end(self, seconds):
        """Time goes on once more for everybody, with all the troubles over."""
        self.over.set()
        for thread in self.threads:
            thread.join(90)
        for one in self.customers:
            to = self._next(one)
            wait_for(f"the clock of {one.mark} goes on: {self.failed[-1:]}",
                     lambda: self.advance(one, to), seconds)
