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

#include "scan/scan.h"
#include "upload/become.h"
#include "upload/methods.h"
#include "upload/tus.h"
#include "upload/writer.h"

enum { TRIES = 3 };

struct joining {
	const struct upload_plan *plan;
	const struct tus_concat *concat;
	uint8_t key[UPLOAD_FINAL_KEY];
	uint64_t length, freed;
	size_t n_distinct;
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
measure(trl_ctx *ctx, const Media__V1__UploadRows *rows, struct joining *what)
{
	what->length = what->freed = 0;
	what->n_distinct = rows->n_items;
	for (size_t i = 0; i < rows->n_items; i++)
		what->freed += (uint64_t)rows->items[i]->reserved;
	for (size_t i = 0; i < what->concat->n_parts; i++) {
		const upload_row *part = part_of(rows, what->concat->parts[i]);

		if (!part)
			return trl_fail(ctx, TRL_NOT_FOUND,
			    "Part %zu is no partial upload that is there.", i + 1);
		if (!part->finished_at)
			return trl_fail(ctx, TRL_CONFLICT,
			    "Part %zu has not all of its bytes.", i + 1);
		if ((uint64_t)part->length > INT64_MAX - what->length)
			return trl_fail(
			    ctx, TRL_TOO_LARGE, "No upload has as many bytes.");
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

	return rc == TRL_OK ? measure(ctx, rows, what) : rc;
}

/* How the whole will begin. */
static enum trl_code
read_head(struct media *self, trl_ctx *ctx, const struct joining *what, uint8_t *head,
    size_t *len)
{
	enum trl_code rc = TRL_OK;

	*len = 0;
	for (size_t i = 0;
	     rc == TRL_OK && i < what->concat->n_parts && *len < KINDS_HEAD_MAX; i++) {
		const struct store_object part =
		    upload_object(ctx->tenant, what->concat->parts[i]);
		size_t got = 0;

		rc = trl_fold(ctx, store_head(ctx, self->store, &part, 0,
				       KINDS_HEAD_MAX - *len, head + *len, &got));
		*len += got;
	}
	return rc;
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
	    TRL_ARG_INT("count", (int64_t)what->n_distinct),
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
	uint8_t *head = trl_arena_alloc(ctx->arena, KINDS_HEAD_MAX);
	struct kind kind;
	size_t len;
	enum trl_code rc = read_parts(self, ctx, what);

	plan.has_length = true;
	plan.length = what->length;
	if (rc == TRL_OK)
		rc = upload_row_of(self, ctx, &plan, row);
	if (rc == TRL_OK)
		rc = read_head(self, ctx, what, head, &len);
	if (rc == TRL_OK)
		rc = upload_look_at(self, ctx, row, head, len, &kind);
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
		if (rc != TRL_EXISTS && rc != TRL_CONFLICT)
			return rc;
		if (tries + 1 < TRIES)
			trl_err_clear(ctx);
	}
	return rc;
}
