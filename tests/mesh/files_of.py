"""files_of.py - one of each thing of media that a path may name."""
import base64
import secrets

# One pixel.
SMALL_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def files_of(person, tenant, name="note.png"):
    """A picture, an upload that goes on and a link; what paths call them."""
    def ask(path, body=None, raw=None, **headers):
        answer = person.call("POST", path, body, {"X-Tenant-Id": tenant, "Idempotency-Key": secrets.token_hex(12),
                                                  **headers}, raw)
        assert answer.status == 201, answer
        return answer
    named = {"Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}"}
    file = ask("/api/v1/files", raw=SMALL_PNG, **named, **{"Content-Type": "image/png"})["id"]
    upload = ask("/api/v1/uploads", **named, **{"Tus-Resumable": "1.0.0", "Upload-Length": "4"})
    link = ask(f"/api/v1/files/{file}/links", {}).json
    return {"file_id": file, "upload_id": upload.headers["location"].rpartition("/")[2], "link_id": link["id"],
            **dict(zip(("signature", "key", "expires", "tenant", "file", "options", "link"),
                       link["url"].split("/")[2:]))}
