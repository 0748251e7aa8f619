/* media.CreateUpload - by tus 1.0.0: creation, creation-with-upload,
 * creation-defer-length, and concatenation. The row, its reservation and the
 * idempotency record are one transaction; a body comes after it, and if that cannot be
 * kept there is no upload. */
#include "upload/create.h"

#include <string.h>

#include <trl/stream.h>

#include "upload/end.h"
#include "upload/row.h"
#include "upload/tus.h"
#include "upload/writer.h"

enum { AGAIN_TRIES = 3 };

char *
upload_location(trl_ctx *ctx, struct trl_id id)
{
	char text[TRL_ID_TEXT];

	trl_id_format(id, text);
	return trl_arena_printf(ctx->arena, TUS_PATH "%s", text);
}

/* Errors: also TRL_EXISTS (an earlier run of the same request has begun one). */
static enum trl_code
insert(struct media *self, trl_ctx *ctx, const struct upload_plan *plan,
    const void *request_key, ProtobufCMessage *reply, upload_row *out)
{
	const struct upload_keys keys = { .request = request_key };
	struct quota quota;
	trl_batch *work;
	enum trl_code rc = upload_row_of(self, ctx, plan, out);

	if (rc == TRL_OK)
		rc = quota_limit(self, ctx, &quota);
	if (rc != TRL_OK)
		return rc;
	if (plan->tell && reply)
		plan->tell(ctx, out, reply);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	upload_add_row(ctx, out, NULL, 0, &keys, work);
	if (upload_is_whole(out)) /* no bytes will come: nobody returns to finish it */
		upload_add_finish(ctx, trl_value_id(out->id), work);
	quota_reserve(work, (uint64_t)out->reserved, &quota);
	return reply ? quota_write(self, work, &quota, reply)
		     : quota_write_unrecorded(self, work, &quota);
}

/* Whether an earlier run of the same request may be in the way: its row exists, or its
 * reservation leaves no room. */
static bool
may_be_its_own(enum trl_code rc)
{
	return rc == TRL_EXISTS || rc == TRL_TOO_LARGE;
}

enum trl_code
upload_create(struct media *self, trl_ctx *ctx, const struct upload_plan *plan,
    ProtobufCMessage *reply, upload_row *out)
{
	uint8_t key[UPLOAD_REQUEST_KEY];
	const bool has_key = plan->creates && upload_request_key(ctx, key);
	enum trl_code rc = insert(self, ctx, plan, has_key ? key : NULL, reply, out);

	for (unsigned tries = 0; has_key && tries < AGAIN_TRIES; tries++) {
		if (!may_be_its_own(rc) || (rc == TRL_TOO_LARGE && tries > 0))
			break;
		trl_err_clear(ctx);
		rc = upload_again(self, ctx, key, out);
		if (rc != TRL_OK || out->has_id)
			break;
		rc = insert(self, ctx, plan, key, reply, out);
	}
	if (rc == TRL_EXISTS) /* another run has just begun */
		rc = upload_still_runs(ctx);
	return rc;
}

static void
tell_created(trl_ctx *ctx, const upload_row *row, ProtobufCMessage *reply)
{
	Media__V1__CreatedUpload *out = (Media__V1__CreatedUpload *)(void *)reply;

	out->location = upload_location(ctx, trl_value_id(row->id));
	out->upload_expires = row->expires_at;
	trl_set(out, upload_offset, 0);
}

/* What the header fields say. */
struct asked {
	struct upload_plan plan;
	struct tus_concat concat;
	struct upload_body body;
	const char *why; /* NULL, or why they are not valid */
};

static const char *
read_lengths(const Media__V1__CreateUploadRequest *in, struct asked *out)
{
	const char *why = NULL;

	if (in->upload_defer_length)
		why = tus_defer(in->upload_defer_length);
	if (why)
		return why;
	out->plan.has_length = in->has_upload_length;
	out->plan.length = in->upload_length;
	if (out->concat.kind == TUS_FINAL) {
		if (in->has_upload_length || in->upload_defer_length)
			return "The length of a final upload is that of its parts.";
		if (in->has_content_length && in->content_length > 0)
			return "A final upload has no bytes of its own.";
		return NULL;
	}
	if (in->has_upload_length == (in->upload_defer_length != NULL))
		return "One of Upload-Length and Upload-Defer-Length is needed.";
	return NULL;
}

const char *
upload_read_body(const char *checksum, const char *digest, bool has_length,
    uint64_t length, struct upload_body *out)
{
	const char *why = NULL;

	*out = (struct upload_body){ .length = UINT64_MAX };
	if (has_length) /* else not known */
		out->length = length < INT64_MAX ? length : INT64_MAX;
	if (checksum)
		why = digest_read_checksum(checksum, &out->checksum);
	if (!why && digest)
		why = digest_read_content(digest, out->digest);
	return why;
}

static const char *
read_fields(trl_ctx *ctx, const Media__V1__CreateUploadRequest *in, struct asked *out)
{
	struct tus_metadata *metadata = trl_arena_alloc(ctx->arena, sizeof *metadata);
	const struct tus_value *value;
	const char *why = tus_metadata(ctx->arena, in->upload_metadata, metadata);

	if (!why)
		why = tus_concat(ctx->arena, in->upload_concat, &out->concat);
	if (!why)
		why = read_lengths(in, out);
	if (!why)
		why = upload_read_body(in->upload_checksum, in->content_digest,
		    in->has_content_length, in->content_length, &out->body);
	if (!why)
		why = tus_text(metadata, "filetype", "type", &out->plan.type);
	if (!why)
		why = tus_text(
		    metadata, "collection", "collection", &out->plan.collection);
	if (why)
		return why;
	out->plan.metadata = in->upload_metadata;
	out->plan.concat = in->upload_concat;
	out->plan.tell = tell_created;
	if ((value = tus_value(metadata, "filename", "name"))) {
		out->plan.name = value->data;
		out->plan.name_len = value->len;
	}
	return NULL;
}

/* Becomes the writer: at once if a body was announced, else once its first piece has
 * arrived. */
static enum trl_code
begin(struct media *self, trl_ctx *ctx, const struct asked *asked, upload_row *row,
    struct trl_piece *first, upload_writer **out)
{
	enum trl_code rc = TRL_OK;

	*first = (struct trl_piece){ .fd = -1 };
	if (asked->plan.writes)
		return upload_begun(self, ctx, row, &asked->body, out);
	if (asked->body.length != 0 && trl_stream_of(ctx))
		rc = trl_stream_read(ctx, trl_stream_of(ctx), first);
	if (rc != TRL_OK)
		return rc;
	if (first->len == 0)
		return digests_tell_nothing(
		    ctx, &asked->body.checksum, asked->body.digest);
	return upload_take(self, ctx, trl_value_id(row->id), 0, &asked->body, row, out);
}

static enum trl_code
receive(struct media *self, trl_ctx *ctx, const struct asked *asked, upload_row *row,
    Media__V1__CreatedUpload *out)
{
	upload_writer *writer = NULL;
	struct trl_piece first;
	uint64_t offset;
	enum trl_code rc = begin(self, ctx, asked, row, &first, &writer);

	if (rc == TRL_OK && first.len > 0 && !writer) /* its length is 0 */
		rc = trl_fail(ctx, TRL_TOO_LARGE,
		    "The body has more bytes than Upload-Length says.");
	if (rc != TRL_OK || !writer)
		return rc;
	if (first.len > 0)
		rc = upload_add(ctx, writer, first.data, first.len);
	if (rc == TRL_OK)
		rc = upload_receive(ctx, &writer, &offset);
	if (rc == TRL_OK)
		trl_set(out, upload_offset, offset);
	upload_leave(&writer);
	return rc;
}

/* If that fails, a client that sent a body knows of no upload, and sends all of it
 * again. */
static enum trl_code
finish(struct media *self, trl_ctx *ctx, const struct asked *asked,
    const upload_row *row, Media__V1__CreatedUpload *out)
{
	const struct upload_told told = { .reply = &out->base };
	enum trl_code rc = upload_finish(self, ctx, trl_value_id(row->id),
	    ctx->idempotency.from_client && !ctx->idempotency.recorded ? &told : NULL);

	if (rc != TRL_OK && rc != TRL_UNCERTAIN && asked->body.length != 0)
		upload_drop(self, ctx, trl_value_id(row->id));
	return rc;
}

static enum trl_code
record(struct media *self, trl_ctx *ctx, const upload_row *row,
    Media__V1__CreatedUpload *out)
{
	const struct trl_id id = trl_value_id(row->id);
	trl_batch *work;
	enum trl_code rc;

	if (ctx->idempotency.recorded)
		return TRL_OK;
	if (!ctx->idempotency.from_client) { /* nobody can repeat this request */
		trl_unchanged(ctx);
		return TRL_OK;
	}
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	trl_batch_add(work, &media_sql_upload_told, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id));
	rc = trl_batch_write(work, &out->base);
	if (rc == TRL_OK && ctx->idempotency.replayed)
		upload_drop(self, ctx, id);
	return rc;
}

static enum trl_code
create(struct media *self, trl_ctx *ctx, struct asked *asked,
    Media__V1__CreatedUpload *out)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	const bool is_known = asked->body.length != UINT64_MAX;
	enum trl_code rc;

	if (asked->plan.has_length && is_known &&
	    asked->body.length > asked->plan.length)
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "The body has more bytes than Upload-Length says.");
	if (asked->body.length == 0) {
		rc = digests_tell_nothing(
		    ctx, &asked->body.checksum, asked->body.digest);
		if (rc != TRL_OK)
			return rc;
	}
	asked->plan.writes = is_known && asked->body.length > 0;
	asked->body.creates = true;
	asked->plan.creates = asked->body.length != 0;
	/* With a body, the record waits until all of it has arrived. */
	rc = upload_create(self, ctx, &asked->plan,
	    is_known && asked->body.length == 0 ? &out->base : NULL, row);
	if (rc != TRL_OK || ctx->idempotency.replayed)
		return rc;
	tell_created(ctx, row, &out->base);
	if (row->finished_at) { /* before its process died */
		trl_set(out, upload_offset, (uint64_t)row->received);
		return record(self, ctx, row, out);
	}
	rc = receive(self, ctx, asked, row, out);
	if (rc != TRL_OK && asked->body.length != 0)
		upload_drop(self, ctx, trl_value_id(row->id));
	if (rc == TRL_OK && asked->plan.has_length &&
	    out->upload_offset == asked->plan.length)
		rc = finish(self, ctx, asked, row, out);
	return rc == TRL_OK && !ctx->idempotency.replayed ? record(self, ctx, row, out)
							  : rc;
}

enum trl_code
media_create_upload(struct media *self, trl_ctx *ctx,
    const Media__V1__CreateUploadRequest *in, Media__V1__CreatedUpload *out)
{
	struct asked asked = { 0 };
	const char *why = read_fields(ctx, in, &asked);

	if (why)
		return trl_fail(ctx, TRL_MALFORMED, "%s", why);
	if (asked.concat.kind == TUS_FINAL)
		return upload_create_final(self, ctx, &asked.plan, &asked.concat, out);
	return create(self, ctx, &asked, out);
}
