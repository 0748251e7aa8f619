/* purge.c - the end of files. A file's job looks at its row: if it is due, the row
 * goes, and the renditions with it. Then, or if the row is gone already or the file was
 * rejected, its bytes go, and the parts that it was still to be assembled from. If it
 * is killed in between it comes again, and finds no row. */
#include <trl/event.h>

#include "file/file.h"
#include "quota/quota.h"

static const char *
key_of(trl_ctx *ctx, struct trl_id file)
{
	char *key = trl_arena_alloc(ctx->arena, TRL_ID_TEXT);

	trl_id_format(file, key);
	return key;
}

void
file_purge_at(trl_ctx *ctx, trl_batch *work, struct trl_id file, int64_t at_us)
{
	const struct trl_job_terms terms = {
		.key = key_of(ctx, file), .moves = true, .run_at_us = at_us
	};
	Media__V1__FileDue due = MEDIA__V1__FILE_DUE__INIT;

	trl_set(&due, file_id, trl_value_bytes(ctx, file));
	trl_batch_job(work, &file_purge_job, &terms, &due.base);
}

void
file_purge_not(trl_ctx *ctx, trl_batch *work, struct trl_id file)
{
	trl_batch_job_cancel(work, &file_purge_job, key_of(ctx, file));
}

void
file_gone(trl_batch *work, const media_file *row)
{
	if (file_state(row) != MEDIA__V1__FILE__STATE__rejected)
		quota_free(work, row->size);
}

static enum trl_code
delete_row(struct media *self, trl_ctx *ctx, const media_file *row)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_batch_add(work, &media_sql_file_delete, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(row->id)),
	    TRL_ARG_INT("former_version", row->version));
	file_gone(work, row);
	file_tell(self, ctx, work, &media_event_file_purged, row);
	trl_batch_audit(work, "media.file.purge", trl_value_id(row->id), "file", NULL);
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
remove_bytes(struct media *self, trl_ctx *ctx, struct trl_id file)
{
	const struct store_object all = { .tenant = ctx->tenant, .file = file };
	enum trl_code rc = store_remove(ctx, self->store, &all);

	return rc == TRL_OK ? self->drop_parts(self, ctx, file) : rc;
}

static enum trl_code
run(void *state, trl_ctx *ctx, const struct trl_job *job)
{
	const Media__V1__FileDue *asked = (const Media__V1__FileDue *)job->payload;
	const struct trl_id file = trl_value_id(asked->file_id);
	struct media *self = state;
	media_file row = MEDIA__V1__FILE__INIT;
	bool deleted, rejected, due;
	enum trl_code rc = file_find(self, ctx, file, &row);

	if (rc == TRL_NOT_FOUND) {
		trl_err_clear(ctx);
		return remove_bytes(self, ctx, file);
	}
	if (rc != TRL_OK)
		return rc;
	deleted = row.state == MEDIA__V1__FILE__STATE__deleted;
	due = deleted && trl_value_time_us(row.purge_at) <= trl_now(ctx);
	rejected = file_state(&row) == MEDIA__V1__FILE__STATE__rejected;
	if (due)
		rc = delete_row(self, ctx, &row);
	if (rc == TRL_OK && (due || rejected))
		rc = remove_bytes(self, ctx, file);
	/* If the file was restored, nothing is left to do. */
	return rc == TRL_OK && deleted && !due
		   ? trl_job_again(ctx, trl_value_time_us(row.purge_at))
		   : rc;
}

const struct trl_job_kind file_purge_job = {
	.name = "purge_file",
	.message = &media_v1_file_due_rules,
	.run = run,
	.timeout_ms = 600000, /* there may be many parts */
};
