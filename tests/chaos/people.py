"""people.py - the people of a company: they sign up, prove their address, sign in and out,
change their name and password, and accept what they were invited to."""
import threading

PASSWORD = "correct horse battery"


class Person:
    def __init__(self, email):
        self.email = email
        self.id = self.token = None
        self.name = None
        self.version = 1
        self.verified = False
        self.password = PASSWORD
        self.sessions = 1
        self.others = []        # tokens of further sessions
        self.gone = []          # tokens of sessions that ended
        self.invitation = None  # one that only he accepts
        self.busy = threading.Lock()  # held while .token is used beside those who may end it


class People:
    def __init__(self, company):
        self.company = company
        self.all = []

    def sign_up(self, caller, email):
        company, person = self.company, Person(email)
        person.name = company.next("Person")
        made = caller.write("POST", "/api/v1/auth/signup", {
            "email": email, "password": PASSWORD, "display_name": person.name},
            mark=company.mark, wants=(201,), token=False)
        if not made.acknowledged:
            return None
        person.id, person.token = made.answer["account"]["id"], made.answer["session"]["token"]
        company.tells("auth.account.created", person.id)
        company.tells("auth.letter.requested", person.id)
        with company.lock:
            self.all.append(person)
        return person

    def join(self, caller):
        """Somebody new; some of them were invited."""
        person = self.sign_up(caller, self.company.address())
        if person and caller.chance.random() < 0.5:
            self.company.invite(caller, person)

    def verify(self, caller):
        """Whose mail has come."""
        for person in self.all:
            if person.verified:
                continue
            token = self.company.world.mailbox.token(person.email, "auth/email/verify")
            if token is None:
                continue
            done = caller.write("POST", "/api/v1/auth/email/verify", {"token": token}, wants=(204,),
                                token=person.token)
            if done.acknowledged:
                person.verified = True
                person.version += 1
                self.company.tells("auth.account.verified", person.id)
            return

    def accept(self, caller):
        """Who was invited, has proved his address and has the mail."""
        for person in self.all:
            if not person.verified or not person.invitation:
                continue
            token = self.company.world.mailbox.token(person.email, "invitations/accept")
            if token is None:
                continue
            done = caller.write("POST", "/api/v1/invitations/accept", {"token": token}, wants=(200,),
                                token=person.token)
            if done.acknowledged:
                self.company.accepted(person)
            return

    def pick(self, caller, of=None):
        return caller.chance.choice(self.all if of is None else of)

    def sign_in(self, caller):
        person = self.pick(caller)
        done = caller.write("POST", "/api/v1/auth/login", {
            "email": person.email, "password": person.password}, wants=(200,), token=False)
        if done.acknowledged:
            person.sessions += 1
            person.others.append(done.answer["session"]["token"])
            self.company.tells("auth.session.created", person.id)

    def sign_out(self, caller):
        """Who asks again after it was done is nobody any more: 401."""
        signed_in = [p for p in self.all if p.others]
        if not signed_in:
            return
        person = self.pick(caller, signed_in)
        token = person.others[0]
        done = caller.write("POST", "/api/v1/auth/logout", {}, wants=(204, 401), token=token, ends_asker=True)
        if done.happened:
            person.gone.append(person.others.pop(0))
            person.sessions -= 1

    def rename(self, caller):
        person, name = self.pick(caller), self.company.next("Person")
        done = caller.write("PATCH", "/api/v1/me", {"display_name": name}, wants=(200,),
                            token=person.token)
        if done.acknowledged:
            person.name = name
            person.version += 1
            self.company.tells("auth.account.updated", person.id)

    def change_password(self, caller):
        """Ends every session and gives a new one; the owner's sessions are in use elsewhere.
        Who asks again after it was done has no session any more: then he signs in."""
        others = [p for p in self.all if p is not self.company.owner]
        if not others:
            return
        person = self.pick(caller, others)
        with person.busy:
            self._change_password_of(person, caller)

    def _change_password_of(self, person, caller):
        new = PASSWORD + self.company.next(" anew")
        done = caller.write("POST", "/api/v1/auth/password/change", {
            "current_password": person.password, "password": new}, wants=(200, 401),
            token=person.token, ends_asker=True)
        if not done.happened:
            return
        person.gone += [person.token, *person.others]
        person.password, person.others, person.sessions = new, [], 1
        person.version += 1
        self.company.tells("auth.password.changed", person.id)
        if done.status == 200:
            person.token = done.answer["session"]["token"]
            return
        # There is a session that nobody was told the token of.
        done = caller.write("POST", "/api/v1/auth/login", {"email": person.email, "password": new},
                            wants=(200,), token=False)
        if done.acknowledged:
            person.token = done.answer["session"]["token"]
            person.sessions += 1
            self.company.tells("auth.session.created", person.id)
