/* finish.c - an upload becomes a file. It costs the same whatever the size: the bytes
 * get their name, and one transaction writes the row, the quota and the event. Each
 * step may be repeated by any process: after a kill, by a HEAD, a PATCH at the end, or
 * the job that was added with the last byte. */
#include "upload/finish.h"

#include <trl/log.h>

#include "file/file.h"
#include "scan/scan.h"
#include "upload/end.h"
#include "upload/row.h"
#include "upload/writer.h"
#include "variant/variant.h"

enum { LOCK_MS = 50, AGAIN_MS = 30000 };

static enum trl_code
gone(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	const struct trl_err err = ctx->err;
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = upload_remove(self, ctx, row, NULL);
	if (rc != TRL_OK && rc != TRL_CONFLICT)
		return rc;
	trl_err_clear(ctx);
	ctx->err = err;
	return err.code;
}

enum trl_code
upload_look_at(struct media *self, trl_ctx *ctx, const upload_row *row,
    const void *head, size_t len, struct kind *out)
{
	const struct collection *collection =
	    collections_find(self->collections, row->collection);
	enum trl_code rc;

	if (!collection) { /* it may be configured again */
		rc = trl_fail(
		    ctx, TRL_UNAVAILABLE, "there is no collection %s", row->collection);
		trl_err_retry_after(ctx, AGAIN_MS);
		return rc;
	}
	rc = kinds_look(ctx, self->sniff, head, len, row->type, row->name, out);
	if (rc == TRL_OK && !kinds_listed(collection->types, out->type))
		rc = trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
		    "The file is %s, which this collection does not take.", out->type);
	return rc;
}

static enum trl_code
look_at_store(struct media *self, trl_ctx *ctx, const upload_row *row, struct kind *out)
{
	const struct store_object object =
	    upload_object(ctx->tenant, trl_value_id(row->id));
	void *head = trl_arena_alloc(ctx->arena, KINDS_HEAD_MAX);
	size_t len = 0;
	enum trl_code rc = TRL_OK;

	if (row->length > 0)
		rc = store_head(ctx, self->store, &object, 0, KINDS_HEAD_MAX, head,
		    &len); /* TRL_NOT_FOUND: after_conflict tells why */
	return rc == TRL_OK ? upload_look_at(self, ctx, row, head, len, out) : rc;
}

static enum trl_code
name_bytes(struct media *self, trl_ctx *ctx, const upload_row *row)
{
	const struct store_object object =
	    upload_object(ctx->tenant, trl_value_id(row->id));
	const struct store_place whole = { .offset = (uint64_t)row->length,
		.length = (uint64_t)row->length,
		.generation = row->generation,
		.state = row->store_state.data,
		.state_len = row->store_state.len };

	return store_finish(ctx, self->store, &object, &whole);
}

static enum trl_code
hash_of(trl_ctx *ctx, const upload_row *row, char text[HASH_TEXT])
{
	SHA256_CTX hash;

	if (!hash_load(&hash, row->hash_state.data, row->hash_state.len,
		(uint64_t)row->length))
		return trl_fail(
		    ctx, TRL_INTERNAL, "an upload's saved hash is not valid");
	hash_text(&hash, text);
	return TRL_OK;
}

void
upload_file_of(trl_ctx *ctx, const upload_row *row, const char *type, uint64_t size,
    media_file *out)
{
	out->id = row->id;
	out->has_id = 1;
	trl_set(out, version, 1);
	out->collection = row->collection;
	out->name = row->name;
	out->type = trl_arena_strdup(ctx->arena, type);
	trl_set(out, size, size);
	if (row->has_created_by)
		trl_set(out, created_by, row->created_by);
	trl_set(out, maker, row->uploader);
	out->created_at = out->updated_at = trl_value_time(ctx, trl_now(ctx));
}

/* What the row keeps of a finished upload. */
struct kept {
	uint64_t reserved;
	const void *head;
	size_t head_len;
};

static void
add_finished(trl_ctx *ctx, const upload_row *row, const struct kept *kept, bool told,
    trl_batch *work)
{
	trl_batch_add(work, &media_sql_upload_finish, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(row->id)), TRL_ARG_TIME("now", trl_now(ctx)),
	    TRL_ARG_INT("reserved", (int64_t)kept->reserved),
	    TRL_ARG_BYTES("head", kept->head, kept->head_len),
	    TRL_ARG_BOOL("told", told));
}

void
upload_add_file(trl_ctx *ctx, const media_file *file, trl_batch *work)
{
	trl_batch_add(work, &media_sql_upload_file_insert, &file->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
}

bool
upload_looks(struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work)
{
	/* Nobody looks at a picture that was not scanned. */
	return scan_add(self, ctx, file, work) || variant_begin(self, file, work);
}

/* Adds the row of a file that has all of its bytes and their hash, in its initial
 * state, and what follows from that. */
static void
add_new_file(struct media *self, trl_ctx *ctx, media_file *file, trl_batch *work)
{
	const bool waits = upload_looks(self, ctx, file, work);

	trl_set(file, state,
	    waits ? MEDIA__V1__FILE__STATE__processing : MEDIA__V1__FILE__STATE__ready);
	scan_mark(self, file);
	upload_add_file(ctx, file, work);
	if (!waits)
		file_tell(self, ctx, work, &media_event_file_ready, file);
}

/* A partial upload's bytes and reservation are kept until it is used or expires. */
static enum trl_code
finish_partial(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_told *told)
{
	const struct store_object object =
	    upload_object(ctx->tenant, trl_value_id(row->id));
	void *head = trl_arena_alloc(ctx->arena, UPLOAD_HEAD_KEPT);
	struct kept kept = { .reserved = (uint64_t)row->reserved, .head = head };
	trl_batch *work;
	enum trl_code rc = TRL_OK;

	if (row->length > 0 && row->length <= UPLOAD_HEAD_KEPT)
		rc = store_head(ctx, self->store, &object, 0, (size_t)row->length, head,
		    &kept.head_len);
	if (rc == TRL_NOT_FOUND || rc == TRL_GONE)
		return rc;
	if (rc != TRL_OK) { /* the row may lack them: then the store is asked */
		trl_log_err(ctx);
		trl_err_clear(ctx);
	}
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	add_finished(ctx, row, &kept, told != NULL, work);
	return told ? trl_batch_write(work, told->reply)
		    : trl_batch_write_unrecorded(work);
}

static enum trl_code
finish_whole(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_told *told)
{
	media_file *shown = told ? told->file : NULL;
	media_file *file = shown ? shown : media_v1_file_new(ctx);
	const struct kept nothing = { .head = "" };
	char hash[HASH_TEXT];
	struct kind kind;
	trl_batch *work;
	enum trl_code rc = hash_of(ctx, row, hash);

	if (rc == TRL_OK)
		rc = look_at_store(self, ctx, row, &kind);
	if (rc == TRL_UNSUPPORTED_MEDIA_TYPE)
		return gone(self, ctx, row);
	if (rc != TRL_OK)
		return rc;
	upload_file_of(ctx, row, kind.type, (uint64_t)row->length, file);
	file->sha256 = trl_arena_strdup(ctx->arena, hash);
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	add_finished(ctx, row, &nothing, told != NULL, work);
	add_new_file(self, ctx, file, work);
	quota_commit(work, (uint64_t)row->reserved, (uint64_t)row->length);
	if (!told)
		return quota_write_unrecorded(self, work, NULL);
	if (shown)
		rc = media_show_file(self, ctx, &shown, 1);
	return rc == TRL_OK ? quota_write(self, work, NULL, told->reply) : rc;
}

/* Another process may have been faster, or the upload has ended. */
static enum trl_code
after_conflict(
    struct media *self, trl_ctx *ctx, const upload_row *row, enum trl_code why)
{
	Media__V1__UploadRow *now = media_v1_upload_row_new(ctx);
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_upload_find, NULL, &now->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(row->id)));
	if (rc == TRL_OK && now->finished_at && ctx->idempotency.key)
		trl_unchanged(ctx);
	if (rc != TRL_OK || now->finished_at)
		return rc;
	if (why == TRL_NOT_FOUND && now->has_id)
		return trl_fail(ctx, TRL_INTERNAL, "an upload's bytes are missing");
	if (why == TRL_GONE && now->has_id)
		return upload_lost(self, ctx, now, false);
	return now->has_id
		   ? trl_fail(ctx, TRL_CONFLICT, "The upload has changed meanwhile.")
		   : trl_fail(ctx, TRL_GONE, "The upload has ended meanwhile.");
}

static enum trl_code
finish_once(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_told *told)
{
	enum trl_code rc = name_bytes(self, ctx, row);

	if (rc == TRL_OK)
		rc = row->concat ? finish_partial(self, ctx, row, told)
				 : finish_whole(self, ctx, row, told);
	if (rc == TRL_CONFLICT || rc == TRL_NOT_FOUND || rc == TRL_GONE) {
		if (told && told->file)
			media__v1__file__init(told->file);
		rc = after_conflict(self, ctx, row, rc);
	}
	return rc;
}

static enum trl_code
read_and_finish(struct media *self, trl_ctx *ctx, struct trl_id id, bool ends_here,
    const struct upload_told *told)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc = upload_find(self, ctx, id, row);

	if (rc == TRL_OK && !row->has_id)
		rc = trl_fail(ctx, TRL_GONE, "The upload has ended meanwhile.");
	if (rc == TRL_OK && row->has_id && ends_here && !row->has_length)
		trl_set(row, length, row->received); /* the statement writes it */
	if (rc == TRL_OK && !row->finished_at && !upload_is_whole(row))
		rc = trl_fail(ctx, TRL_CONFLICT, "The upload's offset is %lld.",
		    (long long)row->received);
	return rc == TRL_OK && !row->finished_at ? finish_once(self, ctx, row, told)
						 : rc;
}

/* Waits for another process that is finishing it. */
static enum trl_code
finish_within(struct media *self, trl_ctx *ctx, struct trl_id id, bool ends_here,
    const struct upload_told *told, uint32_t patience_ms)
{
	const uint64_t until_us = trl_mono_us() + (uint64_t)patience_ms * 1000;
	enum trl_code rc;

	while ((rc = read_and_finish(self, ctx, id, ends_here, told)) == TRL_LOCKED &&
	       trl_mono_us() < until_us) {
		trl_err_clear(ctx);
		rc = trl_sleep(ctx, LOCK_MS);
		if (rc != TRL_OK)
			break;
	}
	return rc;
}

enum trl_code
upload_finish(
    struct media *self, trl_ctx *ctx, struct trl_id id, const struct upload_told *told)
{
	return finish_within(self, ctx, id, false, told, UPLOAD_FENCE_MS);
}

enum trl_code
upload_end_and_finish(
    struct media *self, trl_ctx *ctx, struct trl_id id, media_file *out)
{
	const struct upload_told told = { out, &out->base };

	return finish_within(self, ctx, id, true, &told, UPLOAD_FENCE_MS);
}

enum trl_code
upload_try_finish(struct media *self, trl_ctx *ctx, struct trl_id id)
{
	return finish_within(self, ctx, id, false, NULL, 0);
}

static enum trl_code
run_finish(void *arg, trl_ctx *ctx, const struct trl_job *job)
{
	const Media__V1__UploadDue *due =
	    (const Media__V1__UploadDue *)(const void *)job->payload;
	enum trl_code rc = upload_finish(arg, ctx, trl_value_id(due->upload_id), NULL);

	if (rc == TRL_UNSUPPORTED_MEDIA_TYPE || rc == TRL_GONE || rc == TRL_CONFLICT) {
		trl_err_clear(ctx); /* it is gone, or another one by now */
		return TRL_OK;
	}
	return rc;
}

const struct trl_job_kind upload_finish_job = {
	.name = "finish_upload",
	.message = &media_v1_upload_due_rules,
	.run = run_finish,
	.slots = 8,
};
