/* take.c - who becomes the writer of an upload. Of several at one offset only one does,
 * for the row has one generation. Whoever wrote it until now is asked first how far it
 * has come: at exactly that offset it has to go, at any other it goes on. */
#include "upload/writer.h"

#include <string.h>

enum { TRIES = 3, AGAIN_MS = 1000, CHECKPOINT_MS = 1000 };

struct taking {
	struct media *media;
	struct trl_id id, uploader;
	uint64_t offset;
	const struct upload_body *body;
};

static enum trl_code
locked(trl_ctx *ctx)
{
	enum trl_code rc =
	    trl_fail(ctx, TRL_LOCKED, "Another request is about to leave this upload.");

	trl_err_retry_after(ctx, AGAIN_MS);
	return rc;
}

static enum trl_code
elsewhere(trl_ctx *ctx, uint64_t offset)
{
	return trl_fail(ctx, TRL_CONFLICT, "The upload's offset is %llu.",
	    (unsigned long long)offset);
}

/* The one that this process has, if it has: ends, or the request does. */
static enum trl_code
settle_own(trl_ctx *ctx, const struct taking *what)
{
	struct uploads *all = what->media->uploads;
	upload_writer *writer;
	enum trl_code rc = TRL_OK;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		writer = upload_writer_find(all, ctx->tenant, what->id, what->uploader);
		if (!writer)
			return TRL_OK;
		writer->refs++;
		rc = upload_writer_ask(ctx, writer, CHECKPOINT_MS);
		if (rc == TRL_OK && !writer->over && writer->durable != what->offset)
			rc = elsewhere(ctx, writer->durable);
		else if (rc == TRL_OK && !writer->over && !writer->digests &&
			 writer->received != what->offset)
			rc = elsewhere(ctx, writer->received);
		if (rc == TRL_OK && !writer->over) {
			writer->fenced = true;
			(void)trl_wake(writer->flusher);
			rc = upload_writer_await(ctx, writer, UPLOAD_FENCE_MS);
		}
		if (rc == TRL_OK && !writer->over)
			rc = locked(ctx);
		upload_writer_unref(&writer);
		if (rc != TRL_OK)
			return rc;
	}
	return locked(ctx);
}

/* Why the row was not taken. TRL_OK: only its holder is in the way, or nothing is to be
 * added. */
static enum trl_code
judge(trl_ctx *ctx, const struct taking *what, const upload_row *row)
{
	const uint64_t more = what->body->length == UINT64_MAX ? 0 : what->body->length;

	if (!row->has_id)
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such upload.");
	if (upload_is_expired(ctx, row))
		return trl_fail(ctx, TRL_GONE, "The upload has expired.");
	if (upload_is_final(row))
		return trl_fail(ctx, TRL_DENIED,
		    "This upload is made of others; nothing can be added to it.");
	if (what->offset != (uint64_t)row->received)
		return elsewhere(ctx, (uint64_t)row->received);
	if (row->has_length && more > (uint64_t)(row->length - row->received))
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "The upload's length is %lld, and the body goes on beyond it.",
		    (long long)row->length);
	return TRL_OK;
}

static enum trl_code
try(trl_ctx *ctx, const struct taking *what, int64_t seized, upload_row *taken,
    upload_row *was)
{
	trl_batch *work =
	    trl_batch_new(ctx, what->media->pg, TRL_SCOPE_TENANT(ctx->tenant));
	const uint64_t more = what->body->length == UINT64_MAX ? 0 : what->body->length;

	media__v1__upload_row__init(taken);
	media__v1__upload_row__init(was);
	if (what->offset > INT64_MAX || more > INT64_MAX - what->offset)
		return trl_fail(ctx, TRL_TOO_LARGE, "No upload has as many bytes.");
	/* Should PostgreSQL lose this in a crash, whatever is said under this
	 * generation by this holder counts for nothing, and nothing was said yet. Who
	 * takes the row from somebody that may live waits. */
	if (seized < 0)
		trl_batch_add(work, &media_sql_upload_lazily, NULL);
	trl_batch_get(work, &media_sql_upload_take, NULL, &taken->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", what->id),
	    TRL_ARG_ID("uploader", what->uploader),
	    TRL_ARG_ID("holder", what->media->uploads->holder),
	    TRL_ARG_INT("offset", (int64_t)what->offset),
	    TRL_ARG_INT("until", (int64_t)(what->offset + more)),
	    TRL_ARG_INT("seized", seized), TRL_ARG_TIME("now", trl_now(ctx)));
	trl_batch_get(work, &media_sql_upload_get, NULL, &was->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("id", what->id),
	    TRL_ARG_ID("uploader", what->uploader));
	return trl_batch_write_unrecorded(work);
}

/* Takes the row; taken->has_id is false where nothing is to be added. */
static enum trl_code
take_row(trl_ctx *ctx, const struct taking *what, upload_row *taken, upload_row *was,
    bool *seized_it)
{
	struct trl_id former = trl_id_nil;
	int64_t seized = -1;
	enum trl_code rc;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		rc = try(ctx, what, seized, taken, was);
		if (rc != TRL_OK)
			return rc;
		*seized_it = taken->has_id && !trl_id_is_nil(former);
		if (*seized_it)
			return upload_tell_holder(ctx, what->media, former, what->id);
		if (taken->has_id)
			return TRL_OK;
		rc = judge(ctx, what, was);
		if (rc != TRL_OK || upload_is_whole(was))
			return rc;
		former = trl_value_id(was->holder);
		if (trl_id_is_nil(former))
			continue; /* it has just become free */
		rc = upload_ask_holder(ctx, what->media, was, NULL);
		if (rc == TRL_OK)
			rc = upload_read(what->media, ctx, what->id, was);
		if (rc != TRL_OK)
			return rc;
		seized = was->generation;
	}
	return locked(ctx);
}

/* Nothing is to be added: there is no need to become the writer. */
static enum trl_code
look_only(trl_ctx *ctx, const struct taking *what, upload_row *row)
{
	enum trl_code rc = upload_look(what->media, ctx, what->id, row);

	return rc == TRL_OK ? judge(ctx, what, row) : rc;
}

enum trl_code
upload_take(struct media *self, trl_ctx *ctx, struct trl_id id, uint64_t offset,
    const struct upload_body *body, upload_row *row, upload_writer **out)
{
	const struct taking what = { .media = self,
		.id = id,
		.uploader = media_caller(ctx),
		.offset = offset,
		.body = body };
	struct quota quota = { .limit = INT64_MAX };
	upload_writer *writer;
	upload_row was;
	enum trl_code rc;

	*out = NULL;
	if (body->length == 0)
		return look_only(ctx, &what, row);
	rc = settle_own(ctx, &what);
	if (rc != TRL_OK)
		return rc;
	writer = upload_writer_new(self->uploads, ctx->tenant, id, what.uploader);
	rc = take_row(ctx, &what, row, &was, &writer->seized);
	if (rc == TRL_OK && !row->has_id) {
		*row = was;
		upload_writer_unref(&writer);
		return TRL_OK;
	}
	if (rc == TRL_OK && !row->has_length)
		rc = quota_limit(self, ctx, &quota);
	if (rc != TRL_OK) {
		upload_writer_unref(&writer);
		return rc;
	}
	upload_writer_may(writer, &quota);
	rc = upload_writer_start(ctx, &writer, row, body);
	if (rc == TRL_OK)
		*out = writer;
	return rc;
}

enum trl_code
upload_begun(struct media *self, trl_ctx *ctx, const upload_row *row,
    const struct upload_body *body, upload_writer **out)
{
	upload_writer *writer = upload_writer_new(
	    self->uploads, ctx->tenant, trl_value_id(row->id), media_caller(ctx));
	struct quota quota = { .limit = INT64_MAX };
	enum trl_code rc = TRL_OK;

	if (!row->has_length)
		rc = quota_limit(self, ctx, &quota);
	upload_writer_may(writer, &quota);
	if (rc != TRL_OK)
		upload_writer_unref(&writer);
	else
		rc = upload_writer_start(ctx, &writer, row, body);
	if (rc == TRL_OK)
		*out = writer;
	return rc;
}
