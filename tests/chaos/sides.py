"""sides.py - further organisations of a company's owner, which come, go and come back."""
import secrets


class Side:
    def __init__(self, made):
        self.id, self.slug, self.name = made["id"], made["slug"], made["display_name"]
        self.version, self.status = 1, "active"


class Sides:
    MOST = 6

    def __init__(self, company):
        self.company = company
        self.all = []

    def found(self, caller):
        """An unverified owner may have one organisation alone."""
        company = self.company
        if not company.owner.verified or len(self.all) >= self.MOST:
            return
        done = caller.write("POST", "/api/v1/tenants", {
            "slug": f"{company.mark}-side-{secrets.token_hex(4)}",
            "display_name": company.next("Side")}, mark=company.mark, wants=(201,))
        if done.acknowledged:
            self.all.append(Side(done.answer))
            company.tells("tenants.tenant.created", done.answer["id"])
            company.tells("tenants.member.added", company.owner.id)

    def _turn(self, caller, before, after, kind, ask):
        found = [side for side in self.all if side.status == before]
        if not found:
            return
        side = caller.chance.choice(found)
        done = ask(f"/api/v1/tenants/{side.id}")
        if done.acknowledged:
            side.status = after
            side.version += 1
            self.company.tells(kind, side.id)

    def delete(self, caller):
        self._turn(caller, "active", "deleting", "tenants.tenant.deleted",
                   lambda at: caller.write("DELETE", at, wants=(200,)))

    def restore(self, caller):
        self._turn(caller, "deleting", "active", "tenants.tenant.restored",
                   lambda at: caller.write("POST", at + "/restore", wants=(200,)))
