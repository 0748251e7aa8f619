/* ask.c - what processes ask each other about uploads, by rows: to make durable what
 * has come, which is all that one has to know of another. Replicas of a service hear no
 * notices of each other, and a row is not lost; who writes looks ten times a second. */
#include "upload/writer.h"

#include <stdlib.h>

#include <trl/log.h>

enum { LOOK_MS = 100, POLL_MS = 20, WATCH_MS = 60000 };

enum trl_code
upload_tell_holder(
    trl_ctx *ctx, struct media *self, struct trl_id holder, struct trl_id id)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_batch_add(work, &media_sql_upload_ask, NULL, TRL_ARG_ID("holder", holder),
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", id),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_write_unrecorded(work);
}

static enum trl_code
forget(trl_ctx *ctx, struct media *self, struct trl_id holder, struct trl_id tenant,
    struct trl_id id)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(work, &media_sql_upload_answer, NULL,
	    TRL_ARG_ID("holder", holder), TRL_ARG_ID("id", id),
	    TRL_ARG_ID("tenant_id", tenant));
	return trl_batch_write_unrecorded(work);
}

enum trl_code
upload_ask_holder(
    trl_ctx *ctx, struct media *self, const upload_row *row, bool *answers)
{
	const struct trl_id holder = trl_value_id(row->holder);
	const struct trl_id id = trl_value_id(row->id);
	const uint64_t until_us = trl_mono_us() + UPLOAD_ANSWER_MS * 1000;
	enum trl_code rc = upload_tell_holder(ctx, self, holder, id);

	if (answers)
		*answers = true;
	while (rc == TRL_OK) {
		const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
		Media__V1__UploadRow *left = media_v1_upload_row_new(ctx);
		bool waits;

		rc = trl_sleep(ctx, POLL_MS);
		if (rc == TRL_OK)
			rc = trl_batch_get_one(ctx, self->pg,
			    TRL_SCOPE_TENANT(ctx->tenant), &media_sql_upload_answered,
			    NULL, &left->base, TRL_ARG_ID("holder", holder),
			    TRL_ARG_ID("id", id), TRL_ARG_ID("tenant_id", ctx->tenant));
		waits = left->generation > 0;
		if (rc == TRL_OK)
			trl_arena_rewind(ctx->arena, mark);
		if (rc == TRL_OK && !waits)
			return rc;
		if (rc == TRL_OK && trl_mono_us() > until_us) {
			if (answers)
				*answers = false;
			return forget(ctx, self, holder, ctx->tenant, id);
		}
	}
	return rc;
}

/* The writer answers where there is one; else nothing is here that was not durable. */
static void
hear(trl_ctx *ctx, struct uploads *all, const upload_row *ask)
{
	const struct trl_id tenant = trl_value_id(ask->tenant_id);
	const struct trl_id id = trl_value_id(ask->id);
	upload_writer *writer = all->first;

	while (
	    writer && !(writer->phase != UPLOAD_OPENING && trl_id_eq(writer->id, id) &&
			  trl_id_eq(writer->tenant, tenant)))
		writer = writer->next;
	if (!writer) {
		if (forget(ctx, all->media, all->holder, tenant, id) != TRL_OK)
			trl_err_clear(ctx); /* whoever asks does not wait for ever */
		return;
	}
	if (writer->row_asked)
		return;
	writer->row_asked = true;
	writer->ask_at = writer->received;
	writer->asks++;
	(void)trl_wake(writer->flusher);
}

static void
look(trl_ctx *ctx, struct uploads *all)
{
	Media__V1__UploadRows *asks = media_v1_upload_rows_new(ctx);
	enum trl_code rc = trl_batch_get_one(ctx, all->media->pg, TRL_SCOPE_NOBODY,
	    &media_sql_upload_asks, NULL, &asks->base,
	    TRL_ARG_ID("holder", all->holder));

	if (rc != TRL_OK) { /* without PostgreSQL nobody asks */
		trl_err_clear(ctx);
		return;
	}
	for (size_t i = 0; i < asks->n_items && !all->closing; i++)
		hear(ctx, all, asks->items[i]);
}

static void
watch(trl_ctx *ctx, void *arg)
{
	struct uploads *all = arg;
	enum trl_code rc = TRL_OK;

	ctx->service = "media";
	while (rc == TRL_OK && all->first && !all->closing) {
		const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);

		trl_set_deadline(ctx, trl_mono_us() + WATCH_MS * 1000);
		look(ctx, all);
		trl_arena_rewind(ctx->arena, mark);
		rc = trl_sleep(ctx, LOOK_MS);
	}
	all->watches = false;
	if (all->closing)
		uploads_free(&all);
}

void
upload_watch(struct uploads *all)
{
	const struct trl_spawn spawn = {
		.name = "upload-asks", .run = watch, .arg = all, .timeout_ms = WATCH_MS
	};

	if (!all->watches && trl_spawn(all->loop, &spawn) == TRL_OK)
		all->watches = true; /* else the next one tries it again */
}
