"""catalogue.py - what can be asked of the services, read from the OpenAPI document:
operations with a good request for each, and the resources they are about. What a new
service brings is found here without a line for it."""
import json
import os
import re
import secrets
import subprocess
import sys
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "contract"))
from schema import follow  # noqa: E402

BASELINES = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "contract", "baseline.json")]
if os.environ.get("TRELLIS_PRODUCT"):
    BASELINES.append(os.path.join(os.environ["TRELLIS_PRODUCT"], "baseline.json"))


def plain(document, schema):
    """A schema without what allows null beside it."""
    schema = follow(document, schema)
    return follow(document, schema["anyOf"][0]) if "anyOf" in schema else schema


def is_nullable(schema):
    return {"type": "null"} in schema.get("anyOf", ())


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Operation:
    """One of the document; client.call() with what it asks for."""

    def __init__(self, document, path, verb, entry):
        self.document, self.path, self.verb, self.id = document, path, verb.upper(), entry["operationId"]
        self.service = entry["tags"][0]
        self.permission = entry.get("x-permission")
        self.responses = entry["responses"]
        taken = entry.get("requestBody", {}).get("content", {})
        content = taken.get("application/json", {})
        # What takes bytes of any size has their type here.
        self.bytes_type = None if content else next(iter(taken), None)
        self.example = content.get("example")
        self.fields = follow(document, content["schema"]).get("properties", {}) if content else {}
        parameters = [follow(document, one) for one in entry.get("parameters", ())]
        self.queries = {one["name"]: one for one in parameters if one["in"] == "query"}
        self.headers = {one["name"] for one in parameters if one["in"] == "header"}
        # Header fields that hold a value of the request, as the document shows it.
        self.bound = {one["name"]: str(one["schema"]["examples"][0]) for one in entry.get("parameters", ())
                      if one.get("in") == "header" and "examples" in one["schema"]}
        self.in_header = "X-Tenant-Id" in self.headers  # else the path names the tenant
        in_path = [one for one in parameters if one["in"] == "path" and one["name"] != "tenant_id"]
        self.objects = [one["name"] for one in in_path if one["schema"].get("format") == "uuid"]
        # What is named otherwise is named as the document shows it.
        self.names = {one["name"]: one["schema"]["examples"][0] for one in in_path if one["name"] not in self.objects}
        self.writes = self.verb not in ("GET", "HEAD")
        # A named change (.../archive), which makes nothing; what is as it wants has a conflict.
        self.changes = self.verb == "POST" and bool({"200", "204"} & set(self.responses))

    def refuses(self, status, code):
        """Whether that is one of its answers."""
        said = self.responses.get(str(status), {}).get("$ref", "").rpartition("/")[2]
        return code in said.split("-")

    def reply(self, status):
        """The schema of an answer's body, and its name."""
        content = follow(self.document, self.responses.get(str(status), {})).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        return schema.get("$ref", "").rpartition("/")[2], follow(self.document, schema)

    def call(self, client, tenant, known=None, body=None, query=None, **headers):
        """known: values by the name of a path's parameter; an id that is missing is nobody's.
        A header that is None is not sent."""
        known = known or {}
        path = self.path.replace("{tenant_id}", tenant or "")
        for name in self.objects:
            path = path.replace("{%s}" % name, known.get(name) or str(uuid.uuid4()))
        for name, value in self.names.items():
            path = path.replace("{%s}" % name, urllib.parse.quote(value))
        asked = {name: known.get(name) or str(uuid.uuid4())
                 for name, one in self.queries.items() if one.get("required")}
        asked.update(query or {})
        if asked:
            path += "?" + urllib.parse.urlencode(asked)
        if self.in_header:
            headers.setdefault("X-Tenant-Id", tenant)
        if self.writes:
            headers.setdefault("Idempotency-Key", secrets.token_hex(12))
        headers = {**self.bound, **headers}
        if self.bytes_type:
            headers.setdefault("Content-Type", self.bytes_type)
            return client.call(self.verb, path, None, headers, raw=self.some_bytes)
        return client.call(self.verb, path, self.example if body is None else body, headers)

    # What is sent where any bytes will do: as many as the document's examples say.
    some_bytes = b"note"

    def body(self, url, email, but=()):
        """A request as the document shows one, with texts that nobody has used, but for
        fields that keep theirs. url and email make values of such fields."""
        if self.example is None:
            return None
        body = dict(self.example)
        for name, value in self.example.items():
            schema = plain(self.document, self.fields[name])
            if schema.get("format") == "uri":
                body[name] = url(secrets.token_hex(4))
            elif schema.get("format") == "email":
                body[name] = email()
            elif schema.get("type") == "string" and name not in but and not {"enum", "format"} & schema.keys():
                body[name] = f"{value[:schema.get('maxLength', 100) - 9]}-{secrets.token_hex(4)}"
        return body


class Resource:
    """What a POST makes and a path below it names."""

    def __init__(self, create, operations):
        below = re.compile(re.escape(create.path) + r"/{(\w+)}$")
        of = {(one.verb, one.path): one for one in operations}
        self.create = create
        self.kept = None  # fields of create's example that take no other text, once it is known
        self.list = of.get(("GET", create.path))
        item = next((one.path for one in operations if below.match(one.path)), None)
        self.parameter = below.match(item)[1] if item else None
        self.get, self.update, self.delete = (of.get((verb, item)) for verb in ("GET", "PATCH", "DELETE"))
        self.service = create.service
        items = self.list.reply(200)[1]["properties"]["items"]["items"] if self.list else {}
        self.kind = snake(items.get("$ref", "").rpartition("/")[2])

    def __repr__(self):
        return f"{self.service}.{self.kind}"

    def id_of(self, answer):
        return answer.json.get("id", answer.json.get(self.parameter))


class Catalogue:
    def __init__(self, document):
        self.document = document
        self.operations = [
            Operation(document, path, verb, entry) for path, item in document["paths"].items()
            for verb, entry in item.items() if verb != "options" and "text/event-stream" not in str(entry["responses"])]
        # What is a tenant's, in the path or by header.
        self.of_tenant = [one for one in self.operations if one.permission]
        self.resources = [one for one in (
            Resource(create, self.of_tenant) for create in self.of_tenant
            if create.verb == "POST" and "201" in create.responses and not create.bytes_type
            and not create.objects)  # what stands below another thing has a story of its own
            if one.list and one.parameter]

    def learn(self, known, operation, answer):
        """Takes the ids and names that an answer gives into known, by the names that paths
        have for them: a WebhookDelivery's id is a delivery_id."""
        if answer.status < 300 and answer.json:
            self._learn(known, *operation.reply(answer.status), answer.json)

    def _learn(self, known, name, schema, value):
        names = {one for operation in self.of_tenant for one in operation.objects}
        if isinstance(value, list):
            for one in value:
                self._learn(known, schema["items"].get("$ref", "").rpartition("/")[2],
                            follow(self.document, schema["items"]), one)
        elif isinstance(value, dict):
            if "id" in value:
                known.setdefault(snake(name).rpartition("_")[2] + "_id", value["id"])
            for key, inner in value.items():
                if key in names and inner:
                    known.setdefault(key, inner)
                field = schema.get("properties", {}).get(key)
                if field and isinstance(inner, (dict, list)):
                    self._learn(known, field.get("$ref", "").rpartition("/")[2], plain(self.document, field), inner)


def published_events():
    """The types of the events that the contracts tell everybody."""
    found = set()
    for baseline in BASELINES:
        with open(baseline, encoding="utf-8") as file:
            found |= {name for name, event in json.load(file)["events"].items() if event["published"]}
    return found


def schemas_of(binaries):
    """The schemas that there are, by the services that are built."""
    said = subprocess.run([os.path.join(binaries, "trellis-all"), "mesh", "--json"], check=True,
                          capture_output=True, text=True).stdout
    return [one["name"] for one in json.loads(said)["services"] if one["schema"]]
