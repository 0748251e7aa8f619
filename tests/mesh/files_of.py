"""files_of.py - one of each thing of media that a path may name."""
import base64
import os
import secrets
import uuid

# One pixel.
SMALL_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def files_of(stack, person, tenant, name="note.png"):
    """A picture, an upload that goes on and a link; what paths call them. Where there are
    no routes for it yet, as rows without bytes."""
    paths = stack.client().get("/api/v1/openapi.json").json["paths"]
    made = {one: str(uuid.uuid4()) for one in ("file_id", "upload_id", "link_id")}

    def ask(path, body=None, raw=None, **headers):
        answer = person.call("POST", path, body, {"X-Tenant-Id": tenant, "Idempotency-Key": secrets.token_hex(12),
                                                  **headers}, raw)
        assert answer.status == 201, answer
        return answer
    said = base64.b64encode(name.encode()).decode()
    who, now, day = person.account["id"], "now()", "now() + interval '1 day'"
    if "post" in paths.get("/api/v1/files", {}):
        made["file_id"] = ask("/api/v1/files", raw=SMALL_PNG, **{
            "Content-Type": "image/png", "Upload-Metadata": f"filename {said}"})["id"]
    else:
        stack.sql("insert into media.file (tenant_id, id, version, collection, name, type, size, state, created_by, "
                 f"created_at, updated_at) values ('{tenant}', '{made['file_id']}', 1, 'files', '{name}', "
                 f"'image/png', {len(SMALL_PNG)}, 'ready', '{who}', {now}, {now})")
        folder = os.path.join(stack.folder, "media", tenant, made["file_id"][-2:])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, made["file_id"]), "wb") as file:
            file.write(SMALL_PNG)
    if "/api/v1/uploads" in paths:
        made["upload_id"] = ask("/api/v1/uploads", **{
            "Tus-Resumable": "1.0.0", "Upload-Length": "4",
            "Upload-Metadata": f"filename {said}"}).headers["location"].rpartition("/")[2]
    else:
        stack.sql("insert into media.upload (tenant_id, id, collection, name, length, received, reserved, "
                 f"generation, created_by, created_at, expires_at) values ('{tenant}', '{made['upload_id']}', "
                 f"'files', '{name}', 4, 0, 4, 0, '{who}', {now}, {day})")
        stack.sql(f"insert into media.storage (tenant_id, used, reserved) values ('{tenant}', 1, 4)")
    if "/api/v1/files/{file_id}/links" in paths:
        link = ask(f"/api/v1/files/{made['file_id']}/links", {}).json
        made["link_id"] = link["id"]
        made.update(zip(("signature", "key", "expires", "tenant", "file", "options", "link"),
                        link["url"].split("/")[2:]))
    else:
        stack.sql("insert into media.link (tenant_id, id, version, file_id, options, download, created_by, "
                 f"created_at, updated_at, expires_at) values ('{tenant}', '{made['link_id']}', 1, "
                 f"'{made['file_id']}', '-', false, '{who}', {now}, {now}, {day})")
    return made
