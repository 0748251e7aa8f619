/* flush.c - the actor that writes, hashes and commits what a message has received. It
 * belongs to no message, so it goes on if the client or the edge has gone: what has
 * arrived is made durable, and the row is freed for the next request. */
#include "upload/writer.h"

#include <stdlib.h>

#include <trl/log.h>

#include "file/file.h"
#include "upload/end.h"
#include "upload/finish.h"
#include "upload/row.h"

enum { TURN_US = 60000000, WAIT_MS = 10000, LOCK_MS = 50, AT_ONCE = 64 };

/* Whether the message brings no more. */
static bool
has_ended(const upload_writer *self)
{
	return self->arrival != UPLOAD_ARRIVES;
}

/* Whether it has brought all of the body. */
static bool
has_all(const upload_writer *self)
{
	return self->arrival == UPLOAD_ARRIVED || self->arrival == UPLOAD_DESERTED;
}

/* Whether it no longer waits for the outcome. */
static bool
has_left(const upload_writer *self)
{
	return self->arrival == UPLOAD_BROKE_OFF || self->arrival == UPLOAD_DESERTED;
}

static bool
has_work(const upload_writer *self)
{
	return self->pieces || has_ended(self) || self->fenced ||
	       self->asks != self->answered;
}

static enum trl_code
await_work(trl_ctx *ctx, upload_writer *self)
{
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && !has_work(self)) {
		trl_set_deadline(ctx, trl_mono_us() + TURN_US);
		self->flusher = trl_park_begin(ctx);
		rc = trl_park_for(ctx, self->flusher, "bytes of an upload", WAIT_MS);
		if (rc != TRL_OK && ctx->err.code == TRL_OK) /* only WAIT_MS passed */
			rc = TRL_OK;
	}
	return rc;
}

/* A holder that has lost the row closes within a moment; a dead one is closed already.
 */
static enum trl_code
open_store(trl_ctx *ctx, upload_writer *self)
{
	const struct store_object object = upload_object(self->tenant, self->id);
	const struct store_place from = { .offset = self->durable,
		.length = self->length,
		.generation = self->generation,
		.state = self->state,
		.state_len = self->state_len };
	const uint64_t until_us = trl_mono_us() + UPLOAD_FENCE_MS * 1000;
	enum trl_code rc;

	for (;;) {
		rc = store_writer_open(
		    ctx, self->all->media->store, &object, &from, &self->store);
		if (rc != TRL_LOCKED || trl_mono_us() > until_us)
			break;
		trl_err_clear(ctx);
		rc = trl_sleep(ctx, LOCK_MS);
		if (rc != TRL_OK)
			return rc;
	}
	return rc;
}

/* Called on a thread of the store's for each piece that was written, so that the hash
 * is right also after a full disk. */
static void
hash_piece(void *arg, const void *data, size_t len)
{
	upload_writer *self = arg;

	hash_add(&self->hash, data, len);
	digests_add(self->digests, data, len);
}

static void
drop(upload_writer *self, struct upload_piece *piece, const struct upload_piece *end)
{
	while (piece != end) {
		struct upload_piece *next = piece->next;

		self->queued -= piece->len;
		self->all->queued -= piece->len;
		free(piece);
		piece = next;
	}
	upload_writer_wake(self);
}

/* Writes all that is queued in one go, since each write is a trip to a thread and
 * back. */
static enum trl_code
write_pieces(trl_ctx *ctx, upload_writer *self)
{
	struct iovec at[AT_ONCE];
	struct store_pieces pieces = { .at = at, .seen = hash_piece, .self = self };
	struct upload_piece *first = self->pieces, *end = first;
	enum trl_code rc;

	for (; end && pieces.n < AT_ONCE; end = end->next)
		at[pieces.n++] = (struct iovec){ end->data, end->len };
	self->pieces = end;
	if (!end)
		self->last = &self->pieces;
	rc = store_writer_write_all(ctx, self->store, &pieces);
	for (unsigned i = 0; i < pieces.written; i++)
		self->written += at[i].iov_len;
	drop(self, first, end);
	return rc;
}

/* What is queued and what was written since the last checkpoint is not durable:
 * together it must not exceed what a kill may cost. A body that ends before that needs
 * only its last checkpoint. */
static bool
is_checkpoint_due(const upload_writer *self)
{
	const uint64_t since = self->written - self->durable;

	if (self->asks != self->answered &&
	    (self->written >= self->ask_at || self->digests))
		return true;
	return !self->digests &&
	       since + 2 * UPLOAD_QUEUE_BYTES + TRL_STREAM_PIECE >=
		   UPLOAD_CHECKPOINT_BYTES &&
	       self->expected - self->durable > UPLOAD_CHECKPOINT_BYTES;
}

static enum trl_code
turn(trl_ctx *ctx, upload_writer *self)
{
	enum trl_code rc = await_work(ctx, self);

	trl_set_deadline(ctx, trl_mono_us() + TURN_US);
	if (rc == TRL_OK && self->pieces && !self->fenced)
		rc = write_pieces(ctx, self);
	if (rc == TRL_OK && is_checkpoint_due(self) && !self->fenced)
		rc = upload_commit(ctx, self, false);
	return rc;
}

/* After all of the body was written. */
static enum trl_code
judge_digests(trl_ctx *ctx, upload_writer *self)
{
	if (!self->digests)
		return TRL_OK;
	if (!has_all(self))
		return trl_fail(ctx, TRL_UNAVAILABLE,
		    "the body broke off before its checksum could be checked");
	return digests_tell(ctx, digests_end(self->digests));
}

/* The store has ended the upload; its row may have changed by now. */
static enum trl_code
lose(trl_ctx *ctx, const upload_writer *self)
{
	struct media *media = self->all->media;
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = upload_find(media, ctx, self->id, row);
	if (rc != TRL_OK)
		return rc;
	return row->has_id ? upload_lost(media, ctx, row, true)
			   : trl_fail(ctx, TRL_GONE, "The upload has ended meanwhile.");
}

/* Commits or releases the row, whatever has happened before. If the disk or the plan
 * has no room for more, what was written stands. */
static enum trl_code
finish(trl_ctx *ctx, upload_writer *self, enum trl_code rc)
{
	const bool stands = rc == TRL_OK || (rc == TRL_STORAGE && !self->digests &&
						self->phase != UPLOAD_UNSOUND);
	struct trl_err err;
	enum trl_code ended;

	if (self->fenced)
		return trl_fail(
		    ctx, TRL_CONFLICT, "Another request has taken over this upload.");
	if (rc == TRL_OK)
		rc = judge_digests(ctx, self);
	err = ctx->err;
	trl_err_clear(ctx);
	ended = stands && (rc == TRL_OK || rc == TRL_STORAGE) && self->store
		    ? upload_commit(ctx, self, true)
		    : upload_release(ctx, self);
	if (rc == TRL_OK)
		return ended;
	if (rc == TRL_GONE && ended == TRL_OK && !self->creates)
		return lose(ctx, self);
	trl_err_clear(ctx);
	ctx->err = err;
	return rc;
}

/* Removes what was written after the upload's bytes had been removed. */
static void
clear_away(trl_ctx *ctx, const upload_writer *self)
{
	const struct store_object object = upload_object(self->tenant, self->id);
	enum trl_code rc =
	    file_find(self->all->media, ctx, self->id, media_v1_file_new(ctx));

	if (rc == TRL_NOT_FOUND) {
		trl_err_clear(ctx);
		rc = store_abandon(ctx, self->all->media->store, &object);
	}
	if (rc != TRL_OK) /* the sweep does it */
		trl_log_err(ctx);
	trl_err_clear(ctx);
}

/* It is no longer the writer, or did not find the bytes that the row promises: the
 * upload has ended, or another request has taken over. Or the store is older than the
 * row, as after a restore: then nobody can continue the upload, but what exists stays
 * until it expires, because a folder may also be slow to show its content. */
static enum trl_code
judge_loss(trl_ctx *ctx, const upload_writer *self, enum trl_code rc)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	const struct trl_err err = ctx->err;
	enum trl_code found;

	if (rc != TRL_NOT_FOUND && rc != TRL_CONFLICT)
		return rc;
	trl_err_clear(ctx);
	found = upload_find(self->all->media, ctx, self->id, row);
	if (found == TRL_OK && !row->has_id) {
		clear_away(ctx, self);
		return trl_fail(ctx, TRL_GONE, "The upload has ended meanwhile.");
	}
	if (found == TRL_OK && row->generation != self->generation)
		return trl_fail(
		    ctx, TRL_CONFLICT, "Another request has taken over this upload.");
	trl_err_clear(ctx);
	if (rc == TRL_NOT_FOUND && found == TRL_OK) {
		trl_log(TRL_LOG_ERROR, ctx,
		    "the store lacks bytes of an upload that were durable",
		    TRL_LOG_ID("upload", self->id),
		    TRL_LOG_INT("bytes", row->received));
		return upload_say_lost(ctx);
	}
	ctx->err = err;
	return rc == TRL_NOT_FOUND ? trl_fold(ctx, rc) : rc;
}

/* Removes an upload that no client knows of. */
static void
undo(trl_ctx *ctx, const upload_writer *self)
{
	Media__V1__UploadRow *row = media_v1_upload_row_new(ctx);
	const struct trl_err err = ctx->err;
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = upload_find(self->all->media, ctx, self->id, row);
	if (rc == TRL_OK && row->has_id)
		rc = upload_remove(self->all->media, ctx, row, NULL);
	if (rc != TRL_OK) /* it expires */
		trl_log_err(ctx);
	trl_err_clear(ctx);
	ctx->err = err;
}

/* All of it has arrived, but its client left before the answer: makes the file now,
 * instead of when the job comes, which tries again if this fails. */
static void
finish_deserted(trl_ctx *ctx, const upload_writer *self)
{
	const enum trl_code rc = upload_try_finish(self->all->media, ctx, self->id);

	if (trl_is_fault(rc))
		trl_log_err(ctx);
	trl_err_clear(ctx);
}

static bool
is_done(const upload_writer *self)
{
	return self->fenced || (has_ended(self) && !self->pieces);
}

void
upload_flush(trl_ctx *ctx, void *arg)
{
	upload_writer *self = arg;
	enum trl_code rc = TRL_OK;

	ctx->service = "media";
	ctx->tenant = self->tenant;
	if (!is_done(self))
		rc = open_store(ctx, self);
	if (rc == TRL_OK)
		self->phase = UPLOAD_OPEN;
	upload_writer_wake(self);
	while (rc == TRL_OK && !is_done(self)) {
		const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);

		rc = turn(ctx, self);
		if (rc == TRL_OK)
			trl_arena_rewind(ctx->arena, mark);
	}
	trl_set_deadline(ctx, trl_mono_us() + TURN_US);
	rc = finish(ctx, self, rc);
	store_writer_close(&self->store);
	rc = judge_loss(ctx, self, rc);
	if (self->creates && !self->fenced && (rc != TRL_OK || !has_all(self)))
		undo(ctx, self);
	if (rc == TRL_OK && has_left(self) && !self->creates && !self->fenced &&
	    self->durable == self->length)
		finish_deserted(ctx, self);
	self->code = rc;
	self->err = ctx->err;
	self->phase = UPLOAD_OVER;
	if (trl_is_fault(rc) && !(rc == TRL_UNAVAILABLE && !has_all(self)))
		trl_log_err(ctx);
	upload_writer_unlist(self);
	upload_writer_wake(self);
	upload_writer_unref(&self);
}
