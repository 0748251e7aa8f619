/* join.c - the job that puts a final upload's bytes together. It goes on for a while,
 * keeps how far it came in the upload's row, and comes again for the rest behind others
 * that wait. A job whose process died, or that is stopped and does not know, keeps
 * nothing any more: each run has a generation of its own. It changes nothing once the
 * file has a hash, and stops where the file was purged meanwhile. */
#include <trl/log.h>
#include <trl/metrics.h>

#include "file/file.h"
#include "upload/end.h"
#include "upload/finish.h"
#include "upload/row.h"
#include "upload/writer.h"

/* Only trl_job_give_up ends it: a process that dies is no fault of the parts. A stretch
 * may be longer than it is meant to, where parts of a bucket are large. */
enum { JOIN_MS = 3600000, JOINS = 2, ATTEMPTS = 1000, AGAIN_US = 60000000 };
/* A part that is durable may be out of sight for a while: a folder of another
 * machine's, a bucket that is restored. */
#define MISSED_US (60 * INT64_C(60000000))

static trl_metric *failed;

void
upload_join_open(void)
{
	failed = trl_counter_new("trellis_media_joins_failed_total",
	    "Runs of a join that failed; each is tried again after a minute", NULL);
	(void)trl_series_at(failed, NULL);
}

struct joining {
	struct media *self;
	struct trl_id id;
	int64_t generation;
	SHA256_CTX hash; /* of what is put together */
};

static const Media__V1__UploadDue *
due_of(const struct trl_job *job)
{
	return (const Media__V1__UploadDue *)(const void *)job->payload;
}

static void
add_bytes(void *joining, const void *data, size_t len)
{
	hash_add(&((struct joining *)joining)->hash, data, len);
}

static enum trl_code
keep(void *arg, trl_ctx *ctx, const struct store_place *now)
{
	const struct joining *joining = arg;
	trl_batch *work =
	    trl_batch_new(ctx, joining->self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	uint8_t state[HASH_STATE];

	hash_save(&joining->hash, state);
	trl_batch_add(work, &media_sql_upload_joined, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", joining->id),
	    TRL_ARG_INT("generation", joining->generation),
	    TRL_ARG_INT("joined", (int64_t)now->offset),
	    TRL_ARG_BYTES("hash_state", state, now->offset > 0 ? sizeof state : 0),
	    TRL_ARG_BYTES(
		"store_state", now->state_len ? now->state : "", now->state_len));
	return trl_batch_write_unrecorded(work);
}

/* It becomes the one that goes on; where that is. */
static enum trl_code
take(trl_ctx *ctx, struct joining *joining, struct store_place *from)
{
	trl_batch *work =
	    trl_batch_new(ctx, joining->self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc;

	trl_batch_get(work, &media_sql_upload_join, NULL, &row->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", joining->id));
	rc = trl_batch_write_unrecorded(work);
	if (rc == TRL_OK && !row->has_id)
		rc = trl_fail(ctx, TRL_INTERNAL, "a file to be joined has no upload");
	if (rc != TRL_OK)
		return rc;
	joining->generation = row->generation;
	*from = (struct store_place){ .length = (uint64_t)row->length,
		.generation = row->generation };
	if (!hash_load(&joining->hash, row->hash_state.data, row->hash_state.len,
		(uint64_t)row->joined))
		return trl_fail(ctx, TRL_GONE, "A saved hash is not of this join.");
	from->offset = (uint64_t)row->joined;
	from->state = row->store_state.data;
	from->state_len = row->store_state.len;
	return TRL_OK;
}

/* What there was of it is of no use. Gives TRL_GONE again, or why that cannot be. */
static enum trl_code
begin_anew(trl_ctx *ctx, struct joining *joining)
{
	const struct store_object into = upload_object(ctx->tenant, joining->id);
	const struct store_place begin = { .offset = 0 };
	const struct trl_err err = ctx->err;
	enum trl_code rc;

	trl_err_clear(ctx);
	hash_init(&joining->hash);
	rc = keep(joining, ctx, &begin); /* first: another run may have made the file */
	if (rc == TRL_OK)
		rc = store_abandon(ctx, joining->self->store, &into);
	if (rc != TRL_OK)
		return rc;
	ctx->err = err;
	return TRL_GONE;
}

/* *whole: of all of it text is the hash. */
static enum trl_code
join(struct joining *joining, trl_ctx *ctx, const Media__V1__UploadDue *due,
    char text[HASH_TEXT], bool *whole)
{
	const struct store_object into = upload_object(ctx->tenant, joining->id);
	struct store_object *parts =
	    trl_arena_alloc(ctx->arena, due->n_parts * sizeof *parts);
	struct store_joining what = { .parts = parts,
		.n = due->n_parts,
		.into = &into,
		.until_us = trl_mono_us() + joining->self->uploads->stretch_us,
		.seen = add_bytes,
		.keep = keep,
		.self = joining };
	enum trl_code rc = take(ctx, joining, &what.from);

	for (size_t i = 0; i < due->n_parts; i++)
		parts[i] = upload_object(ctx->tenant, trl_value_id(due->parts[i]));
	*whole = false;
	if (rc == TRL_OK)
		rc = store_join(ctx, joining->self->store, &what, whole);
	if (*whole)
		hash_text(&joining->hash, text);
	if (rc == TRL_GONE)
		rc = begin_anew(ctx, joining);
	return rc;
}

/* What a restored database knows as a join to be done may have been done before, and
 * its parts have gone: what lies under the file's name, as long as it is to be, is the
 * file. Errors: TRL_NOT_FOUND. */
static enum trl_code
take_made(
    struct joining *joining, trl_ctx *ctx, const media_file *file, char text[HASH_TEXT])
{
	const struct store_object made = upload_object(ctx->tenant, joining->id);
	media_store *store = joining->self->store;
	TRL_AUTO(store_reader_close) store_reader *reader = NULL;
	const uint8_t *data;
	uint64_t size = 0;
	size_t len = 1;
	enum trl_code rc = store_size(ctx, store, &made, &size);

	if (rc == TRL_OK && size != (uint64_t)file->size)
		rc = trl_fail(ctx, TRL_NOT_FOUND, "What is stored has another length.");
	if (rc == TRL_OK)
		rc = store_reader_open(ctx, store, &made, 0, size, &reader);
	hash_init(&joining->hash);
	while (rc == TRL_OK && len > 0) {
		rc = store_reader_next(ctx, reader, &data, &len);
		if (rc == TRL_OK)
			add_bytes(joining, data, len);
	}
	if (rc == TRL_OK)
		hash_text(&joining->hash, text);
	return rc;
}

/* *due NULL: it has been put together, or, *gone, is to be no more: it was purged or
 * rejected. */
static enum trl_code
find(struct media *self, trl_ctx *ctx, struct trl_id id, media_file **due, bool *gone)
{
	Media__V1__File *file = media_v1_file_new(ctx);
	enum trl_code rc = file_find(self, ctx, id, file);

	*gone = rc == TRL_NOT_FOUND ||
		(rc == TRL_OK && file_state(file) == MEDIA__V1__FILE__STATE__rejected);
	*due = rc == TRL_OK && !*gone && !file->sha256 ? file : NULL;
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

static enum trl_code
settle(struct media *self, trl_ctx *ctx, const media_file *file, const char *hash)
{
	struct file_verdict verdict = { .sha256 = hash };
	bool waits;
	enum trl_code rc = begin_looks(self, ctx, file, &waits);

	if (rc != TRL_OK)
		return rc;
	if (!waits)
		verdict.state = MEDIA__V1__FILE__STATE__ready;
	return file_settle(self, ctx, trl_value_id(file->id), &verdict);
}

/* *whole: the file has all of its bytes. Errors: TRL_NOT_FOUND (a part). */
static enum trl_code
make(struct joining *joining, trl_ctx *ctx, const Media__V1__UploadDue *due,
    const media_file *file, bool *whole)
{
	char text[HASH_TEXT] = "";
	enum trl_code rc = join(joining, ctx, due, text, whole);

	if (rc == TRL_NOT_FOUND) {
		trl_err_clear(ctx);
		rc = take_made(joining, ctx, file, text);
		*whole = rc == TRL_OK;
	}
	return rc == TRL_OK && *whole ? settle(joining->self, ctx, file, text) : rc;
}

/* Whoever purges the file takes its bytes away under the run: that is no failure. Else
 * it gives what ends the run. */
static enum trl_code
judge(struct joining *joining, trl_ctx *ctx, const struct trl_job *job, bool *gone)
{
	const struct trl_err err = ctx->err;
	media_file *due = NULL;
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = find(joining->self, ctx, joining->id, &due, gone);
	if (rc == TRL_OK && !due)
		return TRL_OK;
	trl_err_clear(ctx);
	if (err.code == TRL_NOT_FOUND && due &&
	    trl_now(ctx) - job->made_at_us > MISSED_US)
		return trl_job_give_up(ctx, "a part is missing");
	ctx->err = err; /* no part's fault */
	trl_series_add(trl_series_at(failed, NULL), 1);
	trl_log_err(ctx);
	trl_err_clear(ctx);
	return trl_job_again(ctx, trl_now(ctx) + AGAIN_US);
}

/* What it had put together of a file that is gone, and the parts. */
static enum trl_code
tidy(struct media *self, trl_ctx *ctx, const Media__V1__UploadDue *due, bool gone)
{
	const struct store_object all = { .tenant = ctx->tenant,
		.file = trl_value_id(due->upload_id) };
	enum trl_code rc = gone ? store_remove(ctx, self->store, &all) : TRL_OK;

	return rc == TRL_OK ? upload_drop_parts(self, ctx, due->parts, due->n_parts)
			    : rc;
}

static enum trl_code
run(void *arg, trl_ctx *ctx, const struct trl_job *job)
{
	struct joining joining = { .self = arg,
		.id = trl_value_id(due_of(job)->upload_id) };
	bool whole = true, gone;
	media_file *file;
	enum trl_code rc = find(arg, ctx, joining.id, &file, &gone);

	if (rc == TRL_OK && file) {
		rc = make(&joining, ctx, due_of(job), file, &whole);
		if (rc != TRL_OK)
			rc = judge(&joining, ctx, job, &gone);
		else if (!whole)
			rc = trl_job_again(ctx, trl_now(ctx));
	}
	return rc == TRL_OK ? tidy(arg, ctx, due_of(job), gone) : rc;
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
	bool gone;
	enum trl_code rc = find(arg, ctx, id, &file, &gone);

	if (rc == TRL_OK && file)
		rc = file_settle(arg, ctx, id, &verdict);
	return rc == TRL_OK ? tidy(arg, ctx, due_of(job), gone) : rc;
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
