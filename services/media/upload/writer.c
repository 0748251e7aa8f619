/* writer.c - a writer as its message has it: it reads the body and queues the pieces.
 * What it queues is bounded, and what all do, so a slow disk slows the clients. */
#include "upload/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 60000 };

upload_writer *
upload_writer_find(const struct uploads *all, struct trl_id tenant, struct trl_id id,
    struct trl_id uploader)
{
	upload_writer *self = all->first;

	while (self && !(trl_id_eq(self->id, id) && trl_id_eq(self->tenant, tenant) &&
			   trl_id_eq(self->uploader, uploader)))
		self = self->next;
	return self;
}

void
upload_writer_unlist(upload_writer *self)
{
	upload_writer **at = &self->all->first;

	while (*at && *at != self)
		at = &(*at)->next;
	if (*at)
		*at = self->next;
}

void
upload_writer_unref(upload_writer **writer)
{
	upload_writer *self = TRL_TAKE(*writer);
	struct upload_piece *piece;

	if (!self || --self->refs > 0)
		return;
	upload_writer_unlist(self);
	while ((piece = self->pieces)) {
		self->pieces = piece->next;
		self->all->queued -= piece->len;
		free(piece);
	}
	free(self->state);
	digests_free(&self->digests);
	store_writer_close(&self->store);
	free(self);
}

void
upload_writer_may(upload_writer *self, const struct quota *quota)
{
	self->quota = *quota;
	(void)snprintf(
	    self->plan, sizeof self->plan, "%s", quota->plan ? quota->plan : "");
	self->quota.plan = *self->plan ? self->plan : NULL; /* quota's is a message's */
}

void
upload_writer_wake(upload_writer *self)
{
	(void)trl_wake(self->message);
	if (self->phase == UPLOAD_OVER && self->stream)
		trl_stream_nudge(self->stream);
	for (struct upload_waiter *waiter = self->waiters; waiter;
	     waiter = waiter->next)
		(void)trl_wake(waiter->ticket);
}

/* Parks until the writer is over, or has answered so many questions. */
static enum trl_code
wait_for(trl_ctx *ctx, upload_writer *self, uint64_t ask, uint32_t ms)
{
	const uint64_t until_us = trl_mono_us() + (uint64_t)ms * 1000;
	struct upload_waiter waiter = { .next = self->waiters };
	struct upload_waiter **at;
	enum trl_code rc = TRL_OK;

	self->refs++;
	self->waiters = &waiter;
	while (rc == TRL_OK && self->phase != UPLOAD_OVER && self->answered < ask) {
		const uint64_t now_us = trl_mono_us();

		if (now_us >= until_us)
			break;
		waiter.ticket = trl_park_begin(ctx);
		rc = trl_park_for(ctx, waiter.ticket, "an upload's writer",
		    (uint32_t)((until_us - now_us) / 1000 + 1));
		if (rc != TRL_OK && ctx->err.code == TRL_OK) /* only ms have passed */
			rc = TRL_OK;
	}
	for (at = &self->waiters; *at != &waiter; at = &(*at)->next)
		;
	*at = waiter.next;
	upload_writer_unref(&self);
	return rc;
}

enum trl_code
upload_writer_ask(trl_ctx *ctx, upload_writer *self, uint32_t ms)
{
	self->ask_at = self->received;
	self->asks++;
	(void)trl_wake(self->flusher);
	return wait_for(ctx, self, self->asks, ms);
}

enum trl_code
upload_writer_await(trl_ctx *ctx, upload_writer *self, uint32_t ms)
{
	return wait_for(ctx, self, UINT64_MAX, ms);
}

enum trl_code
upload_writer_fence(trl_ctx *ctx, upload_writer *self, uint32_t ms)
{
	self->fenced = true;
	(void)trl_wake(self->flusher);
	return wait_for(ctx, self, UINT64_MAX, ms);
}

/* The error that whoever writes has met, as the message's own. */
static enum trl_code
tell(trl_ctx *ctx, const upload_writer *self)
{
	enum trl_code rc = self->code;

	if (rc == TRL_OK)
		return rc;
	trl_err_clear(ctx);
	rc = trl_fail(ctx, rc, "%s", self->err.message);
	if (self->err.retry_after_ms)
		trl_err_retry_after(ctx, self->err.retry_after_ms);
	ctx->err.quota = self->err.quota;
	return rc;
}

static enum trl_code
fill(trl_ctx *ctx, upload_writer *self, const upload_row *row,
    const struct upload_body *body)
{
	const struct collection *collection =
	    collections_find(self->all->media->collections, row->collection);

	self->generation = row->generation;
	self->creates = body->creates;
	self->length = row->has_length ? (uint64_t)row->length : UINT64_MAX;
	self->most = row->has_length ? self->length
		     : collection    ? collection->max_bytes
				     : 0;
	self->reserved = (uint64_t)row->reserved;
	self->received = self->written = self->durable = (uint64_t)row->received;
	if (self->most < self->received) /* the collection was made smaller */
		self->most = self->received;
	self->expected = UINT64_MAX;
	if (body->length != UINT64_MAX)
		self->expected = self->received + body->length;
	self->digests = digests_new(&body->checksum, body->digest);
	self->state_len = row->store_state.len;
	self->state = malloc(self->state_len + 1);
	trl_assert(self->state);
	if (self->state_len)
		memcpy(self->state, row->store_state.data, self->state_len);
	if (!hash_load(
		&self->hash, row->hash_state.data, row->hash_state.len, self->durable))
		return trl_fail(
		    ctx, TRL_INTERNAL, "an upload's saved hash is not valid");
	return TRL_OK;
}

static enum trl_code
await_store(trl_ctx *ctx, upload_writer *self)
{
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && self->phase == UPLOAD_OPENING) {
		self->message = trl_park_begin(ctx);
		rc = trl_park(ctx, self->message, "an upload's store");
	}
	return rc == TRL_OK && self->phase == UPLOAD_OVER ? tell(ctx, self) : rc;
}

static void
list(upload_writer *self)
{
	self->next = self->all->first;
	self->all->first = self;
	upload_watch(self->all);
}

enum trl_code
upload_writer_begin(trl_ctx *ctx, struct uploads *all, const upload_row *row,
    const struct upload_body *body, upload_writer **out)
{
	upload_writer *self = calloc(1, sizeof *self);
	const struct trl_spawn spawn = { .name = "upload",
		.run = upload_flush,
		.arg = self,
		.timeout_ms = FLUSH_MS };
	enum trl_code rc;

	trl_assert(self);
	*self = (struct upload_writer){ .all = all,
		.refs = 1,
		.tenant = ctx->tenant,
		.id = trl_value_id(row->id),
		.uploader = media_caller(ctx),
		.quota = { .limit = INT64_MAX },
		.last = &self->pieces,
		.stream = trl_stream_of(ctx) };
	rc = fill(ctx, self, row, body);
	if (trl_spawn(ctx->loop, &spawn) != TRL_OK) {
		upload_writer_unref(&self);
		trl_err_clear(ctx);
		return trl_fail(ctx, TRL_BUSY, "no actor is free for an upload");
	}
	/* From here on there is always somebody who frees the row. */
	self->refs++;
	list(self);
	if (rc == TRL_OK)
		*out = self;
	else
		upload_leave(&self);
	return rc;
}

enum trl_code
upload_writer_open(trl_ctx *ctx, upload_writer **writer)
{
	upload_writer *self = *writer;
	enum trl_code rc = TRL_OK;

	if (self->expected != UINT64_MAX && self->expected > self->most)
		rc = trl_fail(ctx, TRL_TOO_LARGE,
		    "A file of this collection can have %llu bytes at most.",
		    (unsigned long long)self->most);
	if (rc == TRL_OK)
		rc = await_store(ctx, self);
	if (rc != TRL_OK)
		upload_leave(writer);
	return rc;
}

static void
queue(upload_writer *self, const void *data, size_t len)
{
	struct upload_piece *piece = malloc(sizeof *piece + len);

	trl_assert(piece);
	piece->next = NULL;
	piece->len = len;
	memcpy(piece->data, data, len);
	*self->last = piece;
	self->last = &piece->next;
	self->queued += len;
	self->all->queued += len;
	self->received += len;
	(void)trl_wake(self->flusher);
}

/* Until its own are written it waits: so nobody has to be told that others' were. */
static bool
is_full(const upload_writer *self)
{
	return self->queued >= UPLOAD_QUEUE_BYTES ||
	       (self->queued > 0 && self->all->queued >= UPLOADS_QUEUE_BYTES);
}

enum trl_code
upload_add(trl_ctx *ctx, upload_writer *self, const void *data, size_t len)
{
	enum trl_code rc = TRL_OK;

	if (self->phase != UPLOAD_OVER && len > self->most - self->received)
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "The upload takes %llu bytes in all, and the body exceeds that.",
		    (unsigned long long)self->most);
	while (rc == TRL_OK && self->phase != UPLOAD_OVER && is_full(self)) {
		self->message = trl_park_begin(ctx);
		rc = trl_park(ctx, self->message, "an upload's queue");
	}
	if (rc == TRL_OK && self->phase == UPLOAD_OVER)
		return tell(ctx, self);
	if (rc == TRL_OK)
		queue(self, data, len);
	return rc;
}

void
upload_leave(upload_writer **writer)
{
	upload_writer *self = TRL_TAKE(*writer);

	if (!self)
		return;
	self->arrival =
	    self->arrival == UPLOAD_ARRIVED ? UPLOAD_DESERTED : UPLOAD_BROKE_OFF;
	self->stream = NULL;
	(void)trl_wake(self->flusher);
	upload_writer_unref(&self);
}

enum trl_code
upload_end(trl_ctx *ctx, upload_writer **writer, uint64_t *offset)
{
	upload_writer *self = *writer;
	enum trl_code rc = TRL_OK;

	self->arrival = UPLOAD_ARRIVED;
	(void)trl_wake(self->flusher);
	while (rc == TRL_OK && self->phase != UPLOAD_OVER) {
		self->message = trl_park_begin(ctx);
		rc = trl_park(ctx, self->message, "an upload's last bytes");
	}
	if (rc == TRL_OK)
		rc = tell(ctx, self);
	*offset = self->durable;
	upload_leave(writer);
	return rc;
}

enum trl_code
upload_receive(trl_ctx *ctx, upload_writer **writer, uint64_t *offset)
{
	trl_stream *stream = trl_stream_of(ctx);
	struct trl_piece piece = { .len = 0 };
	enum trl_code rc;

	do {
		rc = trl_stream_read(ctx, stream, &piece);
		if (rc == TRL_OK && piece.len > 0)
			rc = upload_add(ctx, *writer, piece.data, piece.len);
	} while (rc == TRL_OK && piece.len > 0);
	if (rc == TRL_OK) /* or it was nudged, for the writer is over */
		return upload_end(ctx, writer, offset);
	upload_leave(writer);
	return rc;
}
