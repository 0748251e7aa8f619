"""company.py - an organisation, its people, and what was promised to them.

An organisation has an owner and two who work for him: one changes the organisation and
its members, the other invites, makes keys and lets people sign up. Each knows what the
answers promised him, so at the end the company knows how everything must be (verdict.py).
Names carry the company's mark, so that a row in another's hands is seen."""
import random
import secrets
import threading

from endpoints import Endpoints
from people import People
from sides import Sides


class Company:
    def __init__(self, world, number, seed):
        self.world, self.mark = world, f"c{number}"
        self.chance = [random.Random(seed * 100 + number * 10 + n) for n in range(2)]
        self.id, self.slug, self.name, self.version = None, None, None, 0
        self.owner = None
        self.people = People(self)
        self.sides = Sides(self)
        self.members = {}     # account id: role
        self.left = set()     # account ids of members who were removed
        self.invitations = {} # id: [email, status, mails]
        self.keys = {}        # id: (name, key, revoked)
        self.refused = []     # names that must not be
        self.read_notifications = set()
        self.preferences = 0  # their version
        self.hooks = Endpoints(self, world.receiver)
        self.serial = 0
        self.lock = threading.Lock()

    def next(self, what):
        with self.lock:
            self.serial += 1
            return f"{what} {self.mark} {self.serial}"

    def address(self):
        with self.lock:
            self.serial += 1
            return f"{self.mark}.{self.serial}.{secrets.token_hex(3)}@example.com"

    # ---- beginning

    def found(self, caller):
        self.owner = self.people.sign_up(caller, self.address())
        if not self.owner:
            return
        caller.token = self.owner.token
        self.slug, self.name = f"{self.mark}-{secrets.token_hex(4)}", self.next("Company")
        made = caller.write("POST", "/api/v1/tenants", {"slug": self.slug, "display_name": self.name},
                            mark=self.mark, wants=(201,))
        if made.acknowledged:
            self.id, self.version = made.answer["id"], 1
            self.members[self.owner.id] = "owner"
            self.tells("tenants.tenant.created", self.id)
            self.tells("tenants.member.added", self.owner.id)
            self.at = f"/api/v1/tenants/{self.id}"
            caller.tenant = self.id
            self.hooks.found(caller)

    def tells(self, kind, subject):
        self.world.journal.tells(kind, subject)

    # ---- the office: the organisation and its members

    def rename(self, caller):
        name = self.next("Company")
        done = caller.write("PATCH", self.at, {"display_name": name}, wants=(200,))
        if done.acknowledged:
            self.name = name
            self.version += 1
            self.tells("tenants.tenant.updated", self.id)
            if done.answer["version"] != self.version:
                self.world.journal.breach(f"version {self.version} was to come: {done!r}")

    def rename_stale(self, caller):
        name = self.next("Refused")
        self.refused.append(name)
        caller.write("PATCH", self.at, {"display_name": name}, wants=(412,), if_match='"999999"')

    def take_a_taken_slug(self, caller):
        self.refused.append(name := self.next("Refused"))
        caller.write("POST", "/api/v1/tenants", {"slug": self.slug, "display_name": name},
                     wants=(409, 403))

    def add_member(self, caller):
        with self.lock:
            free = [p for p in self.people.all if p.verified and p.id not in self.members
                    and not p.invitation]
        if not free:
            return
        person, role = caller.chance.choice(free), caller.chance.choice(("viewer", "member", "admin"))
        done = caller.write("POST", self.at + "/members", {"email": person.email, "role": role},
                            wants=(201,))
        if done.acknowledged:
            self.members[person.id] = role
            self.left.discard(person.id)
            self.tells("tenants.member.added", person.id)

    def pick_member(self, caller):
        others = sorted(m for m in list(self.members) if m != self.owner.id)
        return caller.chance.choice(others) if others else None

    def change_role(self, caller):
        if (account := self.pick_member(caller)) is None:
            return
        role = caller.chance.choice(
            [r for r in ("viewer", "member", "admin") if r != self.members[account]])
        done = caller.write("PATCH", f"{self.at}/members/{account}", {"role": role}, wants=(200,))
        if done.acknowledged:
            self.members[account] = role
            self.tells("tenants.member.updated", account)

    def leave(self, caller):
        """A member goes by himself; whether a second asking finds him gone or replays, he is out."""
        if (account := self.pick_member(caller)) is None:
            return
        person = next(p for p in self.people.all if p.id == account)
        with person.busy:  # whose sessions nobody ends meanwhile
            done = caller.write("DELETE", f"{self.at}/members/{account}", wants=(204, 404),
                                token=person.token, ends_asker=True)
        if done.happened:
            del self.members[account]
            self.left.add(account)
            self.tells("tenants.member.removed", account)

    def remove_member(self, caller):
        if (account := self.pick_member(caller)) is None:
            return
        done = caller.write("DELETE", f"{self.at}/members/{account}", wants=(204,))
        if done.acknowledged:
            del self.members[account]
            self.left.add(account)
            self.tells("tenants.member.removed", account)

    def look(self, caller):
        path = caller.chance.choice(("", "/members", "/audit", "/roles"))
        said = caller.read(self.at + path)
        if said and not path and said["id"] != self.id:
            self.world.journal.breach(f"GET {self.at} showed {said}")

    def look_elsewhere(self, caller):
        other = caller.chance.choice(self.world.companies)
        if other is not self:
            caller.read(f"/api/v1/tenants/{other.id}", wants=(404,))

    def _shown(self, caller):
        said = caller.read("/api/v1/notifications?page_size=50")
        return said["items"] if said else []

    def read_inbox(self, caller):
        for one in self._shown(caller)[:2]:
            done = caller.write("POST", f"/api/v1/notifications/{one['id']}/read", wants=(200,))
            if done.acknowledged:
                self.read_notifications.add(one["id"])

    def read_all(self, caller):
        shown = self._shown(caller)
        if caller.write("POST", "/api/v1/notifications/read-all", {}, wants=(204,)).acknowledged:
            self.read_notifications |= {one["id"] for one in shown}

    def prefer(self, caller):
        """Mails of new members are wanted, or not; each change counts."""
        done = caller.write("PUT", "/api/v1/notification-preferences", {
            "choices": [{"kind": "member_added", "channel": "email",
                         "enabled": caller.chance.random() < 0.5}]}, wants=(200,))
        if done.acknowledged:
            self.preferences += 1

    # ---- the desk: invitations, keys, people

    def invite(self, caller, person=None):
        email = person.email if person else self.address()
        done = caller.write("POST", self.at + "/invitations", {"email": email, "role": "viewer"},
                            mark=self.mark, wants=(201,))
        if done.acknowledged:
            self.invitations[done.answer["id"]] = [email, "pending", 1]
            self.tells("tenants.invitation.created", done.answer["id"])
            if person:
                person.invitation = done.answer["id"]

    def accepted(self, person):
        self.invitations[person.invitation][1] = "accepted"
        self.tells("tenants.invitation.accepted", person.invitation)
        self.members[person.id] = "viewer"
        self.left.discard(person.id)
        self.tells("tenants.member.added", person.id)
        person.invitation = None

    def pick_invitation(self, caller):
        """One that nobody of ours means to accept."""
        kept = {p.invitation for p in self.people.all}
        pending = sorted(i for i, v in self.invitations.items() if v[1] == "pending" and i not in kept)
        return caller.chance.choice(pending) if pending else None

    def resend(self, caller):
        if (which := self.pick_invitation(caller)) is None:
            return
        done = caller.write("POST", f"{self.at}/invitations/{which}/resend", wants=(200,))
        if done.acknowledged:
            self.invitations[which][2] += 1
            self.tells("tenants.invitation.resent", which)

    def revoke(self, caller):
        if (which := self.pick_invitation(caller)) is None:
            return
        done = caller.write("DELETE", f"{self.at}/invitations/{which}", wants=(204,))
        if done.acknowledged:
            self.invitations[which][1] = "revoked"
            self.tells("tenants.invitation.revoked", which)

    def make_key(self, caller):
        name = self.next("Key")
        done = caller.write("POST", self.at + "/api-keys", {
            "name": name, "permissions": ["tenants.tenant.read"]}, mark=self.mark, wants=(201,))
        if done.acknowledged:
            self.keys[done.answer["id"]] = [name, done.answer["key"], False]
            self.tells("auth.api_key.created", done.answer["id"])

    def make_no_key(self, caller):
        self.refused.append(name := self.next("Refused"))
        caller.write("POST", self.at + "/api-keys", {"name": name, "permissions": ["no.such.thing"]},
                     wants=(422,))

    def use_key(self, caller):
        live = sorted(i for i, v in self.keys.items() if not v[2])
        if live:
            caller.read(self.at, token=self.keys[caller.chance.choice(live)][1])

    def revoke_key(self, caller):
        live = sorted(i for i, v in self.keys.items() if not v[2])
        if len(live) < 3:
            return
        which = caller.chance.choice(live)
        done = caller.write("DELETE", f"{self.at}/api-keys/{which}", wants=(204,))
        if done.acknowledged:
            self.keys[which][2] = True
            self.tells("auth.api_key.revoked", which)
