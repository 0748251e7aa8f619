"""endpoints.py - a company's webhook endpoints: made, described, given a new secret,
removed. Two are made at the founding and stay; they must hear of all that happens after."""

LASTING = (("*",), ("tenants.invitation.created", "auth.*"))
MOST = 4
AT = "/api/v1/webhook-endpoints"


class Endpoint:
    def __init__(self, made, name, wants, lasts):
        self.id, self.name, self.wants, self.lasts = made["id"], name, wants, lasts
        self.secrets = [made["secret"]]
        self.version, self.description, self.gone = 1, None, False
        self.deliveries = []  # of tests: (id, event)

    def takes(self, kind):
        return any(w in ("*", kind) or (w.endswith(".*") and kind.startswith(w[:-1]))
                   for w in self.wants)


class Endpoints:
    def __init__(self, company, receiver):
        self.company, self.receiver = company, receiver
        self.all = []
        self.tested = {}   # (endpoint, event): how many deliveries there must be

    def found(self, caller):
        for wants in LASTING:
            self._make(caller, wants, True)

    def live(self):
        return [e for e in self.all if not e.gone]

    def pick(self, caller, passing=False):
        found = [e for e in self.live() if not (passing and e.lasts)]
        return caller.chance.choice(found) if found else None

    def _make(self, caller, wants, lasts):
        name = self.company.next("hook").replace(" ", "-")
        done = caller.write("POST", AT, {"url": self.receiver.url(name), "event_types": list(wants)},
                            mark=name, wants=(201,))
        if done.acknowledged:
            self.all.append(Endpoint(done.answer, name, wants, lasts))

    def make(self, caller):
        if len(self.live()) < MOST:
            self._make(caller, ("tenants.member.*",), False)

    def describe(self, caller):
        if (one := self.pick(caller)) is None:
            return
        text = self.company.next("Text")
        done = caller.write("PATCH", f"{AT}/{one.id}", {"description": text}, wants=(200,))
        if done.acknowledged:
            one.description = text
            one.version += 1

    def rotate(self, caller):
        if (one := self.pick(caller)) is None:
            return
        done = caller.write("POST", f"{AT}/{one.id}/rotate-secret", wants=(200,))
        if done.acknowledged:
            one.secrets.append(done.answer["secret"])
            one.version += 1

    def remove(self, caller):
        if (one := self.pick(caller, passing=True)) is None:
            return
        done = caller.write("DELETE", f"{AT}/{one.id}", wants=(204,))
        if done.acknowledged:
            one.gone = True

    def test(self, caller):
        """Asks for a test event, which goes to this endpoint alone."""
        if (one := self.pick(caller)) is None:
            return
        done = caller.write("POST", f"{AT}/{one.id}/test", wants=(201, 202, 200))
        if done.acknowledged:
            self.tested[one.id, done.answer["event_id"]] = 1
            one.deliveries.append((done.answer["id"], done.answer["event_id"]))

    def replay(self, caller):
        if (one := self.pick(caller)) is None or not one.deliveries:
            return
        which, event = caller.chance.choice(one.deliveries)
        done = caller.write("POST", f"/api/v1/webhook-deliveries/{which}/replay", wants=(201, 202, 200))
        if done.acknowledged:
            self.tested[one.id, event] += 1
