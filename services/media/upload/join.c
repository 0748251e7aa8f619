/* join.c - the job that puts a final upload's bytes together. It may run again from the
 * beginning, and changes nothing once its file has a hash. */
#include <trl/log.h>

#include "file/file.h"
#include "upload/become.h"
#include "upload/methods.h"
#include "upload/writer.h"

/* Only trl_job_give_up ends it: a process that dies is no fault of the parts. */
enum { JOIN_MS = 3600000, JOINS = 2, ATTEMPTS = 1000, AGAIN_US = 60000000 };

static const Media__V1__UploadDue *
due_of(const struct trl_job *job)
{
	return (const Media__V1__UploadDue *)(const void *)job->payload;
}

static void
add_bytes(void *hash, const void *data, size_t len)
{
	hash_add(hash, data, len);
}

static enum trl_code
join(struct media *self, trl_ctx *ctx, const Media__V1__UploadDue *due,
    char text[HASH_TEXT])
{
	struct store_object into =
	    upload_object(ctx->tenant, trl_value_id(due->upload_id));
	struct store_object *parts =
	    trl_arena_alloc(ctx->arena, due->n_parts * sizeof *parts);
	SHA256_CTX hash;
	enum trl_code rc;

	for (size_t i = 0; i < due->n_parts; i++)
		parts[i] = upload_object(ctx->tenant, trl_value_id(due->parts[i]));
	hash_init(&hash);
	rc = store_join(ctx, self->store, parts, due->n_parts, &into, add_bytes, &hash);
	hash_text(&hash, text);
	return rc;
}

/* NULL: it has been put together, or purged meanwhile. */
static enum trl_code
find(struct media *self, trl_ctx *ctx, struct trl_id id, media_file **out)
{
	Media__V1__File *file = media_v1_file_new(ctx);
	enum trl_code rc = file_find(self, ctx, id, file);
	const bool is_due = rc == TRL_OK && !file->sha256 &&
			    file_state(file) != MEDIA__V1__FILE__STATE__rejected;

	*out = is_due ? file : NULL;
	if (rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	return TRL_OK;
}

/* All of its bytes are there, and nobody knows its hash yet: what looks at it may
 * begin. *waits: it is not ready before that. */
static enum trl_code
begin_looks(struct media *self, trl_ctx *ctx, const media_file *file, bool *waits)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	*waits = upload_looks(self, ctx, file, work);
	return trl_batch_write(work, NULL); /* once, however often this runs */
}

/* The bytes of parts that were ended meanwhile, and that no other final one is to be
 * made of. */
static enum trl_code
drop_parts(struct media *self, trl_ctx *ctx, const Media__V1__UploadDue *due)
{
	Media__V1__UploadRows *needed = media_v1_upload_rows_new(ctx);
	struct trl_id *ids = trl_arena_alloc(ctx->arena, due->n_parts * sizeof *ids);
	enum trl_code rc;

	for (size_t i = 0; i < due->n_parts; i++)
		ids[i] = trl_value_id(due->parts[i]);
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &media_sql_upload_needed, NULL, &needed->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_IDS("ids", ids, due->n_parts));
	for (size_t i = 0; rc == TRL_OK && i < due->n_parts; i++) {
		const struct store_object part = upload_object(ctx->tenant, ids[i]);
		bool is_needed = false;

		for (size_t j = 0; j < needed->n_items; j++)
			is_needed =
			    is_needed ||
			    trl_id_eq(trl_value_id(needed->items[j]->id), ids[i]);
		if (!is_needed)
			rc = store_abandon(ctx, self->store, &part);
	}
	return rc;
}

static enum trl_code
run(void *arg, trl_ctx *ctx, const struct trl_job *job)
{
	const struct trl_id id = trl_value_id(due_of(job)->upload_id);
	struct file_verdict verdict = { 0 };
	char text[HASH_TEXT];
	media_file *file;
	bool waits;
	enum trl_code rc = find(arg, ctx, id, &file);

	if (rc == TRL_OK && !file) /* it had been put together before a kill */
		return drop_parts(arg, ctx, due_of(job));
	if (rc != TRL_OK)
		return rc;
	rc = join(arg, ctx, due_of(job), text);
	if (rc == TRL_NOT_FOUND)
		return trl_job_give_up(ctx, "a part is not there");
	if (rc != TRL_OK) { /* no part's fault */
		trl_log_err(ctx);
		trl_err_clear(ctx);
		return trl_job_again(ctx, trl_now(ctx) + AGAIN_US);
	}
	if (rc == TRL_OK)
		rc = begin_looks(arg, ctx, file, &waits);
	if (rc != TRL_OK)
		return rc;
	verdict.sha256 = text;
	if (!waits)
		verdict.state = MEDIA__V1__FILE__STATE__ready;
	rc = file_settle(arg, ctx, id, &verdict);
	return rc == TRL_OK ? drop_parts(arg, ctx, due_of(job)) : rc;
}

static enum trl_code
give_up(void *arg, trl_ctx *ctx, const struct trl_job *job)
{
	static const struct file_verdict verdict = {
		.state = MEDIA__V1__FILE__STATE__rejected,
		.reason = "Its parts could not be put together.",
	};
	const struct trl_id id = trl_value_id(due_of(job)->upload_id);
	media_file *file;
	enum trl_code rc = find(arg, ctx, id, &file);

	return rc == TRL_OK && file ? file_settle(arg, ctx, id, &verdict) : rc;
}

const struct trl_job_kind upload_join_job = {
	.name = "join_upload",
	.message = &media_v1_upload_due_rules,
	.run = run,
	.dead = give_up,
	.attempts = ATTEMPTS,
	.slots = JOINS,
	.per_tenant = 1,
	.timeout_ms = JOIN_MS,
};
