/* commit.c - makes bytes durable, and then the row. Whoever is no longer the writer
 * commits nothing: each statement asks for the generation. */
#include "upload/writer.h"

#include <string.h>

/* PostgreSQL ends statements after five seconds. Freeing a row is not worth as much:
 * the next request takes the row anyway. */
enum { TRIES = 6, FIRST_WAIT_MS = 100, ROW_US = 6000000, FREE_US = 2000000 };

static bool
is_worth_another(enum trl_code rc)
{
	return rc == TRL_UNCERTAIN || rc == TRL_UNAVAILABLE || rc == TRL_BUSY ||
	       rc == TRL_DEADLINE;
}

static void
add_ask(const upload_writer *self, bool over, trl_batch *work)
{
	if (self->seized && over)
		trl_batch_add(work, &media_sql_upload_asks_clear, NULL,
		    TRL_ARG_ID("tenant_id", self->tenant), TRL_ARG_ID("id", self->id));
	else if (self->row_asked)
		trl_batch_add(work, &media_sql_upload_answer, NULL,
		    TRL_ARG_ID("holder", self->all->holder), TRL_ARG_ID("id", self->id),
		    TRL_ARG_ID("tenant_id", self->tenant));
}

void
upload_add_finish(trl_ctx *ctx, struct trl_id id, trl_batch *work)
{
	Media__V1__UploadDue *due = media_v1_upload_due_new(ctx);
	char key[TRL_ID_TEXT];

	trl_id_format(id, key);
	trl_set(due, upload_id, trl_value_bytes(ctx, id));
	trl_batch_job(work, &upload_finish_job,
	    &(struct trl_job_terms){
		.key = key, .run_at_us = trl_now(ctx) + UPLOAD_FINISH_AFTER_US },
	    &due->base);
}

static enum trl_code
commit_once(trl_ctx *ctx, upload_writer *self, const struct store_place *now, bool over)
{
	struct media *media = self->all->media;
	trl_batch *work = trl_batch_new(ctx, media->pg, TRL_SCOPE_TENANT(self->tenant));
	const uint64_t more =
	    now->offset > self->reserved ? now->offset - self->reserved : 0;
	uint8_t state[HASH_STATE];
	enum trl_code rc;

	hash_save(&self->hash, state);
	trl_batch_add(work, &media_sql_upload_commit, NULL,
	    TRL_ARG_ID("tenant_id", self->tenant), TRL_ARG_ID("id", self->id),
	    TRL_ARG_ID("holder", self->all->holder),
	    TRL_ARG_INT("generation", self->generation),
	    TRL_ARG_INT("received", (int64_t)now->offset),
	    TRL_ARG_INT("reserved", (int64_t)(self->reserved + more)),
	    TRL_ARG_INT("had_reserved", (int64_t)self->reserved),
	    TRL_ARG_BYTES("hash_state", state, sizeof state),
	    TRL_ARG_BYTES(
		"store_state", now->state_len ? now->state : "", now->state_len),
	    TRL_ARG_TIME("expires_at", upload_expiry(media, ctx)),
	    TRL_ARG_BOOL("over", over));
	add_ask(self, over, work);
	if (now->offset == self->length)
		upload_add_finish(ctx, self->id, work);
	quota_reserve(work, more, &self->quota);
	rc = quota_write_unrecorded(media, work, &self->quota);
	if (rc == TRL_OK) {
		self->reserved += more;
		self->durable = now->offset;
	}
	return rc;
}

static enum trl_code
release_once(trl_ctx *ctx, upload_writer *self)
{
	trl_batch *work =
	    trl_batch_new(ctx, self->all->media->pg, TRL_SCOPE_TENANT(self->tenant));

	trl_batch_add(work, &media_sql_upload_release, NULL,
	    TRL_ARG_ID("tenant_id", self->tenant), TRL_ARG_ID("id", self->id),
	    TRL_ARG_ID("holder", self->all->holder),
	    TRL_ARG_INT("generation", self->generation));
	add_ask(self, true, work);
	return trl_batch_write_unrecorded(work);
}

/* Only answers a question. */
static enum trl_code
answer_once(trl_ctx *ctx, upload_writer *self)
{
	trl_batch *work =
	    trl_batch_new(ctx, self->all->media->pg, TRL_SCOPE_TENANT(self->tenant));

	trl_batch_add(work, &media_sql_upload_still, NULL,
	    TRL_ARG_ID("tenant_id", self->tenant), TRL_ARG_ID("id", self->id),
	    TRL_ARG_ID("holder", self->all->holder),
	    TRL_ARG_INT("generation", self->generation));
	add_ask(self, false, work);
	return trl_batch_write_unrecorded(work);
}

/* now NULL: nothing has moved. */
static enum trl_code
write_once(trl_ctx *ctx, upload_writer *self, const struct store_place *now, bool over)
{
	if (now)
		return commit_once(ctx, self, now, over);
	if (over)
		return release_once(ctx, self);
	return self->row_asked ? answer_once(ctx, self) : TRL_OK;
}

/* Each of these may be repeated if its outcome is not known. */
static enum trl_code
try_row(trl_ctx *ctx, upload_writer *self, const struct store_place *now, bool over)
{
	bool uncertain = false;
	enum trl_code rc;

	for (unsigned tries = 1;; tries++) {
		rc = write_once(ctx, self, now, over);
		uncertain |= rc == TRL_UNCERTAIN;
		if (!is_worth_another(rc))
			return rc;
		if (tries == TRIES)
			break;
		trl_err_clear(ctx);
		rc = trl_sleep(ctx, FIRST_WAIT_MS << (tries - 1));
		if (rc != TRL_OK)
			break;
	}
	if (!uncertain && rc != TRL_DEADLINE)
		return rc;
	trl_err_clear(ctx);
	return trl_fail(ctx, uncertain ? TRL_UNCERTAIN : TRL_UNAVAILABLE,
	    "the row of an upload could not be written in time");
}

/* Within a time that is also the message's, so that its sender gets an answer before it
 * gives up. */
static enum trl_code
write_row(trl_ctx *ctx, upload_writer *self, const struct store_place *now, bool over)
{
	const uint64_t until_us = ctx->deadline_us;
	enum trl_code rc;

	trl_set_deadline(ctx, trl_mono_us() + (now ? ROW_US : FREE_US));
	rc = try_row(ctx, self, now, over);
	trl_set_deadline(ctx, until_us);
	if (rc == TRL_OK)
		self->row_asked = false;
	return rc;
}

enum trl_code
upload_commit(trl_ctx *ctx, upload_writer *self, bool over)
{
	const bool moved = self->written > self->durable && (over || !self->digests);
	const uint64_t asks = self->asks;
	struct store_place now = { 0 };
	enum trl_code rc = TRL_OK;

	if (moved)
		rc = store_writer_sync(ctx, self->store, &now);
	if (rc != TRL_OK) {
		self->phase = UPLOAD_UNSOUND;
		return rc;
	}
	if (moved && now.state_len)
		now.state = trl_arena_memdup(ctx->arena, now.state, now.state_len);
	if (over) /* the bytes are released before the row */
		store_writer_close(&self->store);
	rc = write_row(ctx, self, moved ? &now : NULL, over);
	if (rc == TRL_OK) {
		self->answered = asks;
		upload_writer_wake(self);
	}
	return rc;
}

enum trl_code
upload_release(trl_ctx *ctx, upload_writer *self)
{
	store_writer_close(&self->store);
	return write_row(ctx, self, NULL, true);
}
