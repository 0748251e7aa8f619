"""customers.py - organisations that buy: two of each company's owner, with a person who
subscribes, changes, cancels, resumes and pays.

The calm one has a good card and no clock, so what an answer said of its subscription is how
it must be in the end, unless it said that a payment is waited for. The other one has cards
of all kinds, and the operator moves its clock on meanwhile (bank.py): of that is remembered
what must never change again, which is what a final invoice says, and that it is paid."""
import random
import secrets
import threading

AT = "/api/v1/subscription"
WAYS, INVOICES = "/api/v1/payment-methods", "/api/v1/invoices"
GOOD = "4242424242424242"
# Refused when it is charged, for now and for good; known later to have come, and not to have;
# whose answer is lost; whose bank asks first, when it is set up and always.
CARDS = (GOOD, GOOD, GOOD, "4000000000000341", "4000000000001034", "4000000000001000",
         "4000000000001018", "4000000000001026", "4000002500003155", "4000002760003184")
REFUSED = "4000000000000002"
# What each does, and how often.
CALM = (("change", 6), ("cancel", 2), ("resume", 2), ("drop", 1), ("look", 3))
OTHER = (("change", 5), ("cancel", 1), ("resume", 1), ("drop", 1), ("look", 4), ("pay", 5),
         ("add_way", 2), ("add_no_way", 1), ("choose_way", 3), ("remove_way", 2))
WAYS_MOST = 12


class Customer:
    def __init__(self, company, number, seed):
        self.company, self.calm = company, number == 0
        self.mark = f"{company.mark}b{number}"
        self.chance = random.Random(f"{seed} {self.mark}")
        self.id, self.version, self.status = None, 1, "active"
        self.work = CALM if self.calm else OTHER
        self.shown = None     # the subscription, as the last answer to a change of it said
        self.seats = 10
        self.ways = {}        # id: whether it is usable, or its challenge waits
        self.invoices = {}    # id: what was seen of it, and whether it was paid or void
        self.clock = None     # that its clock has reached, the operator was told
        self.lock = threading.Lock()

    # ---- beginning

    def found(self, caller):
        company, owner = self.company, self.company.owner
        self.slug, self.name = f"{self.mark}-{secrets.token_hex(4)}", company.next("Customer")
        made = caller.write("POST", "/api/v1/tenants", {"slug": self.slug, "display_name": self.name},
                            mark=self.mark, wants=(201,))
        if not made.acknowledged:
            raise AssertionError(f"a customer was not founded: {made!r}")
        self.id = made.answer["id"]
        company.tells("tenants.tenant.created", self.id)
        company.tells("tenants.member.added", owner.id)
        caller.tenant = self.id
        caller.write("PUT", "/api/v1/billing-profile", {"legal_name": self.name, "country": "AT"},
                     mark=self.mark, wants=(200,))
        self._add(caller, GOOD)

    # ---- the subscription

    def _changes(self, caller, method, path, body=None):
        """Refused is what its state does not allow, and then all is as it was."""
        done = caller.write(method, path, body, mark=self.mark, wants=(200, 404, 409), judged=True)
        if done.acknowledged:
            if self.shown and done.answer["version"] <= self.shown["version"]:
                self.company.world.journal.breach(
                    f"version {self.shown['version']} was shown before: {done!r}")
            self.shown = done.answer

    def change(self, caller):
        chance = caller.chance
        body = {"plan": chance.choice(("team", "team", "business"))}
        body["interval"] = "year" if body["plan"] == "team" and chance.random() < 0.15 else "month"
        if chance.random() < 0.7:  # It grows, or its credit would pay for all.
            self.seats += chance.randrange(1, 5)
            body["seats"] = chance.randrange(self.seats // 2, self.seats)
        if chance.random() < 0.2:
            body["when"] = chance.choice(("now", "period_end"))
        self._changes(caller, "POST", AT, body)

    def cancel(self, caller):
        self._changes(caller, "POST", AT + "/cancel", {"now": caller.chance.random() < 0.3})

    def resume(self, caller):
        self._changes(caller, "POST", AT + "/resume", {})

    def drop(self, caller):
        self._changes(caller, "DELETE", AT + "/pending-change")

    def look(self, caller):
        self._seen((caller.read(INVOICES + "?page_size=50") or {}).get("items", ()))
        caller.read("/api/v1/entitlements")
        said = caller.read(AT)
        if said and self.calm and self.shown and said["version"] < self.shown["version"]:
            self.company.world.journal.breach(f"{said} was shown after {self.shown}")

    # ---- invoices

    def _seen(self, invoices):
        for one in invoices:
            if one["status"] == "draft":
                continue
            fixed = {name: one.get(name) for name in ("number", "currency", "net", "tax", "total", "issued_at")}
            before = self.invoices.setdefault(one["id"], {"fixed": fixed, "end": None})
            if before["fixed"] != fixed:
                self.company.world.journal.breach(f"a final invoice changed: {before} {one}")
            if before["end"] and before["end"] != one["status"]:
                self.company.world.journal.breach(f"what is {before['end']} stays so: {one}")
            if one["status"] in ("paid", "void"):
                before["end"] = one["status"]

    def pay(self, caller):
        found = [one for one in (caller.read(INVOICES + "?page_size=20") or {}).get("items", ())
                 if one["status"] in ("open", "uncollectible")]
        if not found:
            return
        body = {}
        usable = sorted(way for way, is_usable in self.ways.items() if is_usable)
        if usable and caller.chance.random() < 0.5:
            body["method_id"] = caller.chance.choice(usable)
        done = caller.write("POST", f"{INVOICES}/{caller.chance.choice(found)['id']}/pay", body, mark=self.mark,
                            wants=(200, 409), judged=True)
        if done.acknowledged:
            self._seen([done.answer])
            self._challenge(caller, (done.answer.get("next_action") or {}).get("url"))

    def _challenge(self, caller, url):
        """The bank's question, answered mostly as its payer should."""
        if not url or caller.chance.random() < 0.2:
            return None
        passes = caller.chance.random() < 0.8
        done = caller.write("POST", url, {"pass": passes}, mark=self.mark, wants=(200, 204, 404, 409), judged=True)
        return passes if done.acknowledged else None

    # ---- ways to pay

    def _add(self, caller, card):
        done = caller.write("POST", WAYS, {"card_number": card, "expiry_month": 12, "expiry_year": 2099},
                            mark=self.mark, wants=(201,))
        if not done.acknowledged:
            return
        way, url = done.answer["id"], done.answer.get("next_action_url")
        self.ways[way] = not url
        passed = self._challenge(caller, url)
        if passed:
            self.ways[way] = True
        elif passed is False:
            del self.ways[way]

    def add_way(self, caller):
        if len(self.ways) < WAYS_MOST:
            self._add(caller, caller.chance.choice(CARDS))

    def add_no_way(self, caller):
        caller.write("POST", WAYS, {"card_number": REFUSED, "expiry_month": 12, "expiry_year": 2099},
                     mark=self.mark, wants=(422,))

    def choose_way(self, caller):
        usable = sorted(way for way, is_usable in self.ways.items() if is_usable)
        if usable:
            caller.write("POST", f"{WAYS}/{caller.chance.choice(usable)}/default", mark=self.mark, wants=(200,))

    def remove_way(self, caller):
        if len(self.ways) < 3:
            return
        way = caller.chance.choice(sorted(self.ways))
        # What is the default of a subscription stays.
        done = caller.write("DELETE", f"{WAYS}/{way}", mark=self.mark, wants=(204, 409), judged=True)
        if done.acknowledged:
            del self.ways[way]
