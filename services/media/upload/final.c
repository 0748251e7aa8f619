/* final.c - an upload that is made of others (tus concatenation). Its file is there at
 * once, and processing until a job has put the bytes together. Asked for once more, in
 * the same words by the same caller, it is the same one.
 *
 * What the parts had reserved becomes the file's; of a part that is used again, or
 * twice, it is reserved anew. The parts stay until the last job that needs them is
 * done.
 */
#include <string.h>

#include <sodium.h>

#include "quota/quota.h"
#include "scan/scan.h"
#include "upload/create.h"
#include "upload/finish.h"
#include "upload/row.h"
#include "upload/tus.h"

enum { TRIES = 3 };

struct joining {
	const struct upload_plan *plan;
	const struct tus_concat *concat;
	uint8_t key[UPLOAD_FINAL_KEY];
	const Media__V1__UploadRows *parts; /* each once */
	uint64_t length, freed;
};

struct head {
	size_t len;
	uint8_t data[KINDS_HEAD_MAX];
};

static void
make_key(const trl_ctx *ctx, struct joining *what)
{
	const struct trl_id uploader = media_caller(ctx);
	const char *metadata = what->plan->metadata ? what->plan->metadata : "";
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof what->key);
	crypto_generichash_update(&state, uploader.bytes, sizeof uploader.bytes);
	crypto_generichash_update(
	    &state, (const uint8_t *)metadata, strlen(metadata) + 1);
	for (size_t i = 0; i < what->concat->n_parts; i++)
		crypto_generichash_update(&state, what->concat->parts[i].bytes,
		    sizeof what->concat->parts[i].bytes);
	crypto_generichash_final(&state, what->key, sizeof what->key);
}

static void
tell(trl_ctx *ctx, const upload_row *row, Media__V1__CreatedUpload *out)
{
	out->location = upload_location(ctx, trl_value_id(row->id));
	out->upload_expires = row->expires_at;
}

static enum trl_code
find_former(
    struct media *self, trl_ctx *ctx, const struct joining *what, upload_row *out)
{
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_upload_final, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_BYTES("final_key", what->key, sizeof what->key),
	    TRL_ARG_TIME("now", trl_now(ctx)));
}

static const upload_row *
part_of(const Media__V1__UploadRows *rows, struct trl_id id)
{
	for (size_t i = 0; i < rows->n_items; i++)
		if (trl_id_eq(trl_value_id(rows->items[i]->id), id))
			return rows->items[i];
	return NULL;
}

/* Adds up the parts. */
static enum trl_code
measure(trl_ctx *ctx, struct joining *what)
{
	what->length = what->freed = 0;
	for (size_t i = 0; i < what->parts->n_items; i++)
		what->freed += (uint64_t)what->parts->items[i]->reserved;
	for (size_t i = 0; i < what->concat->n_parts; i++) {
		const upload_row *part = part_of(what->parts, what->concat->parts[i]);

		if (!part)
			return trl_fail(ctx, TRL_NOT_FOUND,
			    "Part %zu is not an existing partial upload.", i + 1);
		if (!part->finished_at)
			return trl_fail(
			    ctx, TRL_CONFLICT, "Part %zu is not complete.", i + 1);
		if ((uint64_t)part->length > INT64_MAX - what->length)
			return trl_fail(ctx, TRL_TOO_LARGE,
			    "An upload cannot have that many bytes.");
		what->length += (uint64_t)part->length;
	}
	return TRL_OK;
}

static enum trl_code
read_parts(struct media *self, trl_ctx *ctx, struct joining *what)
{
	Media__V1__UploadRows *rows = media_v1_upload_rows_new(ctx);
	enum trl_code rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_TENANT(ctx->tenant), &media_sql_upload_parts, NULL, &rows->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("uploader", media_caller(ctx)),
	    TRL_ARG_IDS("ids", what->concat->parts, what->concat->n_parts),
	    TRL_ARG_TIME("now", trl_now(ctx)));

	what->parts = rows;
	return rc == TRL_OK ? measure(ctx, what) : rc;
}

/* Those small parts that the whole begins with, as their rows have them. */
static enum trl_code
read_small(struct media *self, trl_ctx *ctx, const struct joining *what,
    Media__V1__UploadRows *out)
{
	struct trl_id *ids =
	    trl_arena_alloc(ctx->arena, what->concat->n_parts * sizeof *ids);
	uint64_t len = 0;
	size_t n = 0;

	for (size_t i = 0; i < what->concat->n_parts && len < KINDS_HEAD_MAX; i++) {
		const upload_row *part = part_of(what->parts, what->concat->parts[i]);

		if (part->length > 0 && part->length <= UPLOAD_HEAD_KEPT)
			ids[n++] = what->concat->parts[i];
		len += (uint64_t)part->length;
	}
	return n == 0 ? TRL_OK
		      : trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
			    &media_sql_upload_heads, NULL, &out->base,
			    TRL_ARG_ID("tenant_id", ctx->tenant),
			    TRL_ARG_IDS("ids", ids, n));
}

/* A part of the whole's head: where its row has no bytes (it is large, or of the
 * release before) the store does. */
static enum trl_code
add_head(struct media *self, trl_ctx *ctx, const Media__V1__UploadRows *small,
    struct trl_id id, struct head *head)
{
	const struct store_object object = upload_object(ctx->tenant, id);
	const upload_row *part = part_of(small, id);
	size_t n = KINDS_HEAD_MAX - head->len;
	enum trl_code rc = TRL_OK;

	if (part) {
		n = part->head.len < n ? part->head.len : n;
		memcpy(head->data + head->len, part->head.data, n);
	} else {
		rc = store_head(
		    ctx, self->store, &object, 0, n, head->data + head->len, &n);
	}
	if (rc == TRL_OK)
		head->len += n;
	return rc;
}

/* How the whole will begin. The store is asked for KINDS_HEAD_MAX / UPLOAD_HEAD_KEPT
 * parts at most, however many there are; but for each small one of the release before,
 * whose row has no bytes. */
static enum trl_code
read_head(
    struct media *self, trl_ctx *ctx, const struct joining *what, struct head *head)
{
	Media__V1__UploadRows *small = media_v1_upload_rows_new(ctx);
	enum trl_code rc = read_small(self, ctx, what, small);

	for (size_t i = 0;
	     rc == TRL_OK && i < what->concat->n_parts && head->len < KINDS_HEAD_MAX;
	     i++) {
		const struct trl_id id = what->concat->parts[i];

		if (part_of(what->parts, id)->length > 0)
			rc = add_head(self, ctx, small, id, head);
	}
	return rc;
}

/* A part may have ended since its row was read: then that is why it cannot be read. */
static enum trl_code
look_at_parts(struct media *self, trl_ctx *ctx, struct joining *what,
    const upload_row *row, struct kind *out)
{
	struct head *head = trl_arena_alloc(ctx->arena, sizeof *head);
	enum trl_code rc, again;
	struct trl_err err;

	head->len = 0;
	rc = read_head(self, ctx, what, head);
	if (rc == TRL_OK)
		return upload_look_at(self, ctx, row, head->data, head->len, out);
	err = ctx->err;
	trl_err_clear(ctx);
	again = read_parts(self, ctx, what);
	if (again == TRL_NOT_FOUND)
		return again;
	trl_err_clear(ctx);
	ctx->err = err;
	return trl_fold(ctx, rc);
}

static void
add_job(
    trl_ctx *ctx, const struct joining *what, const upload_row *row, trl_batch *work)
{
	Media__V1__UploadDue *due = media_v1_upload_due_new(ctx);

	trl_set(due, upload_id, row->id);
	due->n_parts = what->concat->n_parts;
	due->parts = trl_arena_alloc(ctx->arena, due->n_parts * sizeof *due->parts);
	for (size_t i = 0; i < due->n_parts; i++)
		due->parts[i] = trl_value_bytes(ctx, what->concat->parts[i]);
	trl_batch_job(work, &upload_join_job, NULL, &due->base);
}

static enum trl_code
write_final(struct media *self, trl_ctx *ctx, const struct joining *what,
    const upload_row *row, const media_file *file, Media__V1__CreatedUpload *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	const struct upload_keys keys = { .final = what->key };
	struct quota quota;
	enum trl_code rc = quota_limit(self, ctx, &quota);

	if (rc != TRL_OK)
		return rc;
	trl_batch_add(work, &media_sql_upload_parts_free, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("uploader", media_caller(ctx)),
	    TRL_ARG_IDS("ids", what->concat->parts, what->concat->n_parts),
	    TRL_ARG_TIME("now", trl_now(ctx)),
	    TRL_ARG_TIME("expires_at", upload_expiry(self, ctx)),
	    TRL_ARG_INT("count", (int64_t)what->parts->n_items),
	    TRL_ARG_INT("freed", (int64_t)what->freed));
	trl_batch_add(work, &media_sql_upload_final_clear, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_BYTES("final_key", what->key, sizeof what->key),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	upload_add_row(
	    ctx, row, what->concat->parts, what->concat->n_parts, &keys, work);
	upload_add_file(ctx, file, work);
	add_job(ctx, what, row, work);
	if (what->length > what->freed)
		quota_reserve(work, what->length - what->freed, &quota);
	quota_commit(work, what->length, what->length);
	return quota_write(self, work, &quota, &out->base);
}

static enum trl_code
make(struct media *self, trl_ctx *ctx, struct joining *what,
    Media__V1__CreatedUpload *out)
{
	struct upload_plan plan = *what->plan;
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	Media__V1__File *file = media_v1_file_new(ctx);
	struct kind kind;
	enum trl_code rc = read_parts(self, ctx, what);

	plan.has_length = true;
	plan.length = what->length;
	if (rc == TRL_OK)
		rc = upload_row_of(self, ctx, &plan, row);
	if (rc == TRL_OK)
		rc = look_at_parts(self, ctx, what, row, &kind);
	if (rc != TRL_OK)
		return rc;
	trl_set(row, received, row->length);
	trl_set(row, reserved, 0);
	row->finished_at = trl_value_time(ctx, trl_now(ctx));
	upload_file_of(ctx, row, kind.type, what->length, file);
	trl_set(file, state, MEDIA__V1__FILE__STATE__processing);
	scan_mark(self, file);
	tell(ctx, row, out);
	return write_final(self, ctx, what, row, file, out);
}

enum trl_code
upload_create_final(struct media *self, trl_ctx *ctx, const struct upload_plan *plan,
    const struct tus_concat *concat, Media__V1__CreatedUpload *out)
{
	struct joining what = { .plan = plan, .concat = concat };
	enum trl_code rc = TRL_OK;

	make_key(ctx, &what);
	for (unsigned tries = 0; tries < TRIES; tries++) {
		Media__V1__UploadRow *former = media_v1_upload_row_new(ctx);

		rc = find_former(self, ctx, &what, former);
		if (rc == TRL_OK && former->has_id) {
			trl_unchanged(ctx);
			tell(ctx, former, out);
		}
		if (rc != TRL_OK || former->has_id)
			return rc;
		rc = make(self, ctx, &what, out);
		/* Its parts may have gone into the same one, made just now. */
		if (rc != TRL_EXISTS && rc != TRL_CONFLICT && rc != TRL_NOT_FOUND)
			return rc;
		if (tries + 1 < TRIES)
			trl_err_clear(ctx);
	}
	return rc;
}
