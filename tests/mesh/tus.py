"""tus.py - a client of tus 1.0.0 that keeps book: which offsets were acknowledged, and that
no server ever said less of them. It asks, is cut off, asks again and goes on."""
import base64
import hashlib
import http.client
import random
import secrets
import time

OFFSETS = "application/offset+octet-stream"
ROUTE = "/api/v1/uploads"
LOST = (OSError, http.client.HTTPException)


def encoded(metadata):
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" if value else key
                    for key, value in metadata.items())


class Broken(AssertionError):
    """The server has said what cannot be."""


class Upload:
    def __init__(self, port, head, size, seed, **metadata):
        """head: the fields that say who asks; the bytes follow from size and seed."""
        self.port, self.head, self.size = port, head, size
        self.data = random.Random(seed).randbytes(size)
        self.metadata = {"filename": f"{seed}.bin", **metadata}
        self.acknowledged = 0
        self.path = None
        self.key = secrets.token_hex(12)  # asked again, the answer that was lost comes
        self.tries = self.patches = 0
        self.statuses, self.failures = [], []

    @property
    def id(self):
        return self.path.rpartition("/")[2]

    def ask(self, method, path, body=None, port=None, timeout=30, **fields):
        """One request on a connection of its own: the status, fields and body of its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {
                **self.head, "Tus-Resumable": "1.0.0", **{k.replace("_", "-"): str(v) for k, v in fields.items()}})
            answer = connection.getresponse()
            data = answer.read()
            self.statuses.append(answer.status)
            if answer.status >= 500:
                self.failures.append((method, answer.status, data[:400]))
            return answer.status, answer.headers, data
        finally:
            connection.close()

    def create(self, port=None, **fields):
        status, head, body = self.ask("POST", ROUTE, port=port, Upload_Metadata=encoded(self.metadata),
                                      Idempotency_Key=self.key, **{"Upload_Length": self.size, **fields})
        if status == 201:
            location = head["Location"]
            if not location.startswith("/"):
                raise Broken(f"Location: {location} leads elsewhere behind a proxy")
            self.path = location
        return status, head, body

    def offset(self, port=None):
        """What HEAD says, or None where it has no answer for now."""
        status, head, _ = self.ask("HEAD", self.path, port=port)
        if status == 200 or status == 204:
            said = int(head["Upload-Offset"])
            if said < self.acknowledged:
                raise Broken(f"{self.id}: {self.acknowledged} bytes were acknowledged, and {said} are there")
            return said
        if status < 500:  # 423 is no answer to HEAD
            raise Broken(f"HEAD: {status}")
        return None

    def given_hash(self, port):
        """The SHA-256 of what a door gives of the file, which may be too long to hold."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", f"/api/v1/files/{self.id}/content", headers=self.head)
            answer, total = connection.getresponse(), hashlib.sha256()
            if answer.status != 200:
                raise Broken(f"GET: {answer.status}")
            while piece := answer.read(1 << 20):
                total.update(piece)
            return total.hexdigest()
        finally:
            connection.close()

    def patch(self, at, size, port=None, **fields):
        piece = self.data[at:at + size]
        self.patches += 1
        status, head, body = self.ask("PATCH", self.path, piece, port=port, Content_Type=OFFSETS,
                                      Upload_Offset=at, **fields)
        if status == 204:
            said = int(head["Upload-Offset"])
            if said != at + len(piece):
                raise Broken(f"{self.id}: {len(piece)} bytes at {at} make {said}")
            self.acknowledged = max(self.acknowledged, said)
        return status, head, body

    def run(self, piece, seconds=120, ports=None, chance=None):
        """To its end, whatever comes between; ports: one of them at random for each request."""
        end, chance = time.monotonic() + seconds, chance or random.Random(self.size)

        def port():
            return chance.choice(ports) if ports else None
        at = 0
        while time.monotonic() < end:
            self.tries += 1
            try:
                if self.path is None:
                    status, _, body = self.create(port())
                    if status != 201 and status < 500:
                        raise Broken(f"POST: {status} {body[:300]}")
                    at = 0
                elif at is None:
                    at = self.offset(port())
                elif at >= self.size:
                    return self
                else:
                    status, _, body = self.patch(at, piece, port())
                    if status not in (204, 409, 423, 408) and status < 500:
                        raise Broken(f"PATCH: {status} {body[:300]}")
                    at = at + len(self.data[at:at + piece]) if status == 204 else None
                continue
            except LOST:
                at = None
            time.sleep(0.05)  # as clients do before they try again
        raise Broken(f"{self.path}: {self.acknowledged} of {self.size} bytes after {seconds} s; {self.statuses[-12:]}")

    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()
