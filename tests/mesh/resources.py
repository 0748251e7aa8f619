"""resources.py - every resource of the OpenAPI document, made, read, listed, changed and
ended as a stranger would who has only the document: what comes back, what is told, what
is written down, and who may. A new service's resource is among them without a line here."""
import json
import secrets
import uuid

from case import MeshCase
from catalogue import Catalogue, is_nullable, plain, published_events
from receiver import Receiver
from common import wait_for

NEVER = "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21"
PAGE = ("page_size", "page_token")
# How events end, by what happened.
VERBS = {"made": ("created", "added"), "changed": ("updated",), "ended": ("deleted", "removed", "revoked")}


class Resources(MeshCase):
    settings = {**MeshCase.settings, "TRELLIS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
                "TRELLIS_BILLING_PROVIDER": "test"}

    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver(None, tls=False)
        cls.addClassCleanup(cls.receiver.close)
        super().setUpClass()
        cls.told = published_events()
        cls.catalogue = Catalogue(cls.stack.client().get("/api/v1/openapi.json").json)

    def setUp(self):
        self.ada = self.stack.sign_up("ada")
        self.tenant = self.stack.found(self.ada)
        self.path = "/" + secrets.token_hex(8)
        self.receiver.answers[self.path] = [204]
        made = self.ada.post("/api/v1/webhook-endpoints", {
            "url": self.receiver.url(self.path), "event_types": ["*"]}, X_Tenant_Id=self.tenant)
        self.assertEqual(made.status, 201, made)

    # ---- asking

    def body(self, operation, but=()):
        return operation.body(lambda word: f"http://127.0.0.1:9/{word}",
                              lambda: self.stack.sign_up("cy").email, but)

    def fresh(self, resource):
        """A good request for another one. Its texts are new, or, where such are refused, the
        document's."""
        if resource.kept is None:
            for resource.kept in ((), tuple(resource.create.example)):
                answer = resource.create.call(self.ada, self.tenant, {}, self.body(resource.create, resource.kept))
                if answer.status == 201:
                    break
            self.assertEqual(answer.status, 201, (resource, answer))
        return self.body(resource.create, resource.kept)

    def make(self, resource, **headers):
        body = self.fresh(resource)
        answer = resource.create.call(self.ada, self.tenant, {}, body, **headers)
        self.assertEqual(answer.status, 201, (resource, body, answer))
        return body, answer

    def on(self, operation, id_, body=None, status=None, who=None, **headers):
        known = {name: id_ for name in operation.objects}
        answer = operation.call(who or self.ada, self.tenant, known, body, **headers)
        if status:
            self.assertEqual(answer.status, status, (operation.id, answer))
        return answer

    def listed(self, resource, who=None, **query):
        answer = resource.list.call(who or self.ada, self.tenant, query=query)
        self.assertEqual(answer.status, 200, (resource, answer))
        return answer

    def ids(self, resource, **query):
        return [one.get("id", one.get(resource.parameter)) for one in self.listed(resource, **query)["items"]]

    # ---- what a change leaves

    def entries_of(self, id_):
        audit = self.ada.get(f"/api/v1/tenants/{self.tenant}/audit?page_size=100")["items"]
        return [one for one in audit if one.get("subject_id") == id_]

    def events_of(self, resource, id_):
        """The types of what the webhook heard of it."""
        told = [json.loads(body) for path, _, body in list(self.receiver.got) if path == self.path]
        return [one["type"] for one in told
                if one["type"].startswith(f"{resource.service}.{resource.kind}.") and id_ in json.dumps(one["data"])]

    def left(self, resource, id_, changes, secret=()):
        """Of each change one entry in the audit log, by Ada and without a secret, and, where
        the contract tells of it, one event. changes: "made", "changed" or "ended", in order."""
        found = wait_for(f"{resource}: {changes} in the audit log", lambda: len(self.entries_of(id_)) >= len(
            changes) and self.entries_of(id_))
        self.assertEqual(len(found), len(changes), found)
        for entry in found:
            self.assertEqual((entry["chain"], entry["actor_id"]), (resource.service, self.ada.account["id"]))
            self.assertTrue(entry["action"].startswith(resource.service + "."), entry)
            for one in secret:
                self.assertNotIn(one, json.dumps(entry))
        wanted = sorted(name for change in changes for name in self.told & {
            f"{resource.service}.{resource.kind}.{verb}" for verb in VERBS[change]})
        wait_for(f"{resource}: {wanted} told", lambda: sorted(self.events_of(resource, id_)) == wanted)

    # ---- stories

    def test_the_document_has_resources(self):
        self.assertLessEqual({"tenants.invitation", "tenants.member", "auth.api_key", "notify.webhook_endpoint"},
                             {str(one) for one in self.catalogue.resources})

    def each(self, tell):
        for resource in self.catalogue.resources:
            with self.subTest(str(resource)):
                tell(resource)

    def test_what_is_made_is_there_once_and_then_no_more(self):
        self.each(self.one_life)

    def one_life(self, resource):
        key = secrets.token_hex(8)
        body, made = self.make(resource, **{"Idempotency-Key": key})
        id_ = resource.id_of(made)
        if resource.get:
            self.assertEqual(made.headers["location"], f"{resource.create.path}/{id_}".replace(
                "{tenant_id}", self.tenant))
        again = resource.create.call(self.ada, self.tenant, {}, body, **{"Idempotency-Key": key})
        self.assertEqual((again.status, again.json), (201, made.json))
        self.assertEqual(again.headers["idempotency-replayed"], "true")
        other = self.fresh(resource)
        if other != body:  # not where it takes the document's texts only
            answer = resource.create.call(self.ada, self.tenant, {}, other, **{"Idempotency-Key": key})
            self.check_problem(answer, 422, "INVALID")
        self.assertEqual(self.ids(resource).count(id_), 1)
        shown = next(one for one in self.listed(resource)["items"] if id_ in one.values())
        if resource.get:
            got = self.on(resource.get, id_, status=200)
            self.assertEqual(got.json, {name: made[name] for name in got.json})
            self.assertEqual(got.json, shown)
        secret = [value for name, value in made.json.items() if name not in shown and isinstance(value, str)]
        changes = ["made"]
        if resource.update:
            changes += ["changed"] * self.change(resource.update, id_, body, shown["version"])
        self.left(resource, id_, changes, secret)
        if resource.delete:
            self.end(resource, id_)
            self.left(resource, id_, changes + ["ended"], secret)

    def change(self, update, id_, values, version):
        """Field by field, states last, for what is closed or archived may be one that no longer
        changes; gives how many changes there were. What is there already is none."""
        changes, whole = 0, {**values, **self.body(update)}
        shown = update.reply(200)[1]["properties"]
        if "If-Match" in update.headers:
            self.check_problem(self.on(update, id_, **{"If-Match": '"999"'}), 412)
        fields = [(name, schema, plain(update.document, schema)) for name, schema in update.fields.items()]
        for name, schema, taken in sorted(fields, key=lambda one: "enum" in one[2]):
            value = taken["enum"][-1] if "enum" in taken else whole.get(name)
            if value is None:
                continue
            key = secrets.token_hex(8)
            answer = self.on(update, id_, {name: value}, **{"Idempotency-Key": key})
            if answer.status == 422 and name in update.example:  # a new text was none it takes
                key, value = secrets.token_hex(8), update.example[name]
                answer = self.on(update, id_, {name: value}, **{"Idempotency-Key": key})
            self.assertEqual(answer.status, 200, (update.id, name, value, answer))
            if name in shown:
                self.assertEqual(answer[name], value, answer)
            self.assertIn(answer["version"] - version, (0, 1), answer)
            changes += answer["version"] - version
            again = self.on(update, id_, {name: value}, 200, **{"Idempotency-Key": key})
            self.assertEqual((again.json, again.headers["idempotency-replayed"]), (answer.json, "true"))
            if name in shown:  # what is kept sealed is another each time
                same = self.on(update, id_, {name: value}, 200)
                self.assertEqual((same.json, same.headers["etag"]), (answer.json, answer.headers["etag"]))
            if answer["version"] > version:
                stale = self.on(update, id_, {name: value}, **{"If-Match": f'"{version}"'})
                self.check_problem(stale, 412)
            version = answer["version"]
            if is_nullable(schema):
                answer = self.on(update, id_, {name: None}, 200, **{"If-Match": answer.headers["etag"]})
                self.assertNotEqual(answer.json.get(name), value, answer)
                version, changes = answer["version"], changes + 1
        self.assertGreater(changes, 0, f"{update.id}: nothing was changed")
        return changes

    def test_what_there_is_one_of_is_changed(self):
        """Settings, say: read and changed, and never made."""
        of = {(one.verb, one.path): one for one in self.catalogue.of_tenant}
        alone = [one for one in self.catalogue.of_tenant if one.verb == "PATCH" and not one.objects]
        self.assertTrue(alone)
        for update in alone:
            with self.subTest(update.id):
                read = of["GET", update.path].call(self.ada, self.tenant)
                changes = self.change(update, None, {}, read["version"])
                read = of["GET", update.path].call(self.ada, self.tenant)
                self.assertEqual(read.status, 200, read)
                self.assertGreaterEqual(read["version"], changes)
                found = wait_for(f"{update.id} in the audit log", lambda: [
                    one for one in self.entries_of(self.tenant) if one["chain"] == update.service and
                    one["action"].endswith(".update")][changes - 1:])
                self.assertEqual(len(found), 1, found)

    def end(self, resource, id_):
        if "If-Match" in resource.delete.headers:
            for tags in ('"999"', '"x"', 'W/"1"'):
                self.check_problem(self.on(resource.delete, id_, **{"If-Match": tags}), 412)
        key = secrets.token_hex(8)
        for replayed in (None, "true"):
            gone = self.on(resource.delete, id_, status=204, **{"Idempotency-Key": key})
            self.assertEqual(gone.headers.get("idempotency-replayed"), replayed)
        self.check_problem(self.on(resource.delete, id_), 404, "NOT_FOUND")
        for operation in filter(None, (resource.get, resource.update)):
            self.check_problem(self.on(operation, id_), 404, "NOT_FOUND")
        for operation in filter(None, (resource.delete, resource.update)):
            for tags in ('"1"', '"999"', '"x"', 'W/"1"') if "If-Match" in operation.headers else ():
                # what is not there has no version that could be another one (RFC 9110, 13.2.1)
                self.check_problem(self.on(operation, id_, **{"If-Match": tags}), 404, "NOT_FOUND")

    def test_each_unique_name_is_taken_once(self):
        self.each(self.names_of)

    def names_of(self, resource):
        if not resource.create.refuses(409, "EXISTS"):
            return
        first, _ = self.make(resource)
        found = set()
        for name in first:
            twin = {**self.fresh(resource), name: first[name]}
            answer = resource.create.call(self.ada, self.tenant, {}, twin)
            if answer.status != 201:
                self.check_problem(answer, 409, "EXISTS")
                self.assertEqual(self.pointers(answer), ["/" + name], answer)
                found.add(name)
        self.assertTrue(found, f"{resource} says EXISTS, and nothing of it is unique")

    def test_lists_come_in_pages_and_by_filters(self):
        self.each(self.pages_of)

    def pages_of(self, resource):
        made = [resource.id_of(self.make(resource)[1]) for _ in range(3)]
        whole, pages, token = self.ids(resource, page_size=100), [], None
        self.assertLessEqual(set(made), set(whole))
        while not pages or token:
            page = self.listed(resource, page_size=2, **({"page_token": token} if token else {}))
            pages.append([one.get("id", one.get(resource.parameter)) for one in page["items"]])
            token = page.json.get("next_page_token")
        self.assertEqual(sum(pages, []), whole)
        self.assertTrue(all(len(page) == 2 for page in pages[:-1]), pages)
        one = next(one for one in self.listed(resource, page_size=100)["items"] if made[0] in one.values())
        for name in set(resource.list.queries) - set(PAGE):
            if name not in one:
                continue
            value = one[name] if not isinstance(one[name], bool) else str(one[name]).lower()
            found = self.listed(resource, page_size=100, **{name: value})["items"]
            self.assertIn(one, found)
            self.assertEqual({json.dumps(other.get(name)) for other in found}, {json.dumps(one[name])})

    def test_roles_may_what_the_list_of_roles_says(self):
        """Of each operation: who may not is told so, and who may is told that there is no such
        thing. An owner may everything, and does in the other stories."""
        for role in self.ada.get(f"/api/v1/tenants/{self.tenant}/roles")["items"]:
            if role["name"] == "owner":
                continue
            person = self.stack.sign_up(role["name"])
            added = self.ada.post(f"/api/v1/tenants/{self.tenant}/members",
                                  {"email": person.email, "role": role["name"]})
            self.assertEqual(added.status, 201, added)
            for operation in self.catalogue.of_tenant:
                with self.subTest(role=role["name"], operation=operation.id):
                    answer = operation.call(person, self.tenant)
                    self.assertLess(answer.status, 500, answer)
                    needs = f"The permission {operation.permission} is missing." in answer.body.decode()
                    if operation.verb == "HEAD":  # which says no more
                        needs = answer.status == 403
                    self.assertEqual(needs, operation.permission not in role["permissions"], answer)
                    self.assertTrue(not needs or answer.status == 403, answer)

    def test_the_tenant_is_named_by_path_header_or_key(self):
        permissions = sorted({one.list.permission for one in self.catalogue.resources})
        made = self.ada.post(f"/api/v1/tenants/{self.tenant}/api-keys", {"name": "all", "permissions": permissions})
        self.assertEqual(made.status, 201, made)
        key, other = self.stack.client(made["key"]), self.stack.found(self.ada)
        for resource in self.catalogue.resources:
            with self.subTest(str(resource)):
                ask = resource.list
                whole = self.ids(resource, page_size=100)
                for who, headers in ((key, {"X-Tenant-Id": None}), (key, {"X-Tenant-Id": self.tenant}),
                                     (self.ada, {"X-Tenant-Id": self.tenant})):
                    answer = ask.call(who, self.tenant, query={"page_size": 100}, **headers)
                    self.assertEqual(answer.status, 200, answer)
                    self.assertEqual([one.get("id", one.get(resource.parameter)) for one in answer["items"]], whole)
                answer = ask.call(key, self.tenant, **{"X-Tenant-Id": other})
                self.assertIn(answer.status, (400, 404), answer)
                if not ask.in_header:
                    answer = ask.call(self.ada, self.tenant, **{"X-Tenant-Id": other})
                    self.check_problem(answer, 400)

    def test_nobody_has_an_id_that_was_made_up(self):
        for operation in self.catalogue.of_tenant:
            for name in operation.objects:
                with self.subTest(operation.id):
                    for id_ in (str(uuid.uuid4()), NEVER):
                        answer = operation.call(self.ada, self.tenant, {name: id_})
                        if operation.verb == "HEAD":
                            self.assertEqual(answer.status, 404, answer)
                        else:
                            self.check_problem(answer, 404, "NOT_FOUND")
