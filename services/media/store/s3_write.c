/* s3_write.c - the bytes of an upload into a bucket, while they come. They are gathered
 * to a part, which goes to the server when it is full: one part a writer is in memory,
 * and organisations share what there is of it. What is less than a part when it has to
 * be durable goes into an object of its own, the tail. Its key has the writer's
 * generation and its first byte in it, so that neither a writer that was fenced off and
 * does not know yet, nor a later checkpoint that no row has heard of, changes what the
 * next one reads. A part that such a one writes late is found by its ETag when the
 * parts are made one. */
#include "s3.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 << 10 };

struct s3_writer {
	store_writer base;
	struct store_object object;
	char key[S3_KEY_BYTES];
	struct s3_state state;
	struct trl_buf kept; /* the state as the row has it */
	uint8_t *part;       /* what comes behind the parts */
	size_t filled, room;
	uint64_t most; /* that is taken of what all writers may hold */
	trl_share *share;
	bool no_copies; /* the server does not do them, or not these */
};

static enum trl_code
fail_long(trl_ctx *ctx)
{
	return trl_fail(ctx, TRL_TOO_LARGE, "The store takes files of 5 TiB at most.");
}

static struct s3_store *
store_of(const struct s3_writer *writer)
{
	return (struct s3_store *)writer->base.store;
}

uint64_t
s3_room_of(uint64_t bytes)
{
	return bytes < S3_WRITERS_BYTES / 2 ? bytes : S3_WRITERS_BYTES / 2;
}

static enum trl_code
take_room(trl_ctx *ctx, struct s3_store *store, struct s3_writer *writer, uint64_t part,
    uint64_t length)
{
	enum trl_code rc;

	writer->most = s3_room_of(part < length ? part : length);
	writer->share =
	    trl_share_take(&store->writers, writer->object.tenant, writer->most);
	if (writer->share != NULL)
		return TRL_OK;
	rc = trl_fail(ctx, TRL_BUSY, "too many uploads are being written");
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

static void
make_room(struct s3_writer *writer, size_t need)
{
	size_t room = writer->room > 0 ? writer->room : FIRST_ROOM;

	while (room < need)
		room *= 2;
	if (room > writer->state.part_bytes)
		room = (size_t)writer->state.part_bytes;
	if (room <= writer->room)
		return;
	writer->part = realloc(writer->part, room);
	trl_assert(writer->part != NULL && room >= need);
	writer->room = room;
}

/* What the last writer left behind the parts. */
static enum trl_code
read_tail(
    trl_ctx *ctx, struct s3_store *store, struct s3_writer *writer, uint64_t offset)
{
	const struct s3_state *state = &writer->state;
	const uint64_t len = offset - state->bytes;
	char key[S3_KEY_BYTES];
	enum trl_code rc;

	if (len == 0)
		return TRL_OK;
	make_room(writer, (size_t)len);
	s3_tail_of(&writer->object, state->tail_generation, state->bytes, key);
	rc = s3_read_key(ctx, store, key, writer->part, (size_t)len);
	if (rc == TRL_OK)
		writer->filled = (size_t)len;
	return rc;
}

static enum trl_code
read_place(trl_ctx *ctx, struct s3_writer *writer, const struct store_place *from)
{
	struct s3_state *state = &writer->state;

	if (from->state_len == 0 && from->offset == 0)
		state->part_bytes =
		    s3_part_bytes(store_of(writer)->part_bytes, from->length);
	else if (!s3_state_read(state, from->state, from->state_len) ||
		 from->offset < state->bytes ||
		 from->offset - state->bytes > state->tail_bytes)
		return trl_fail(ctx, TRL_INTERNAL,
		    "an upload's state is not one of the S3 store's");
	return state->part_bytes == 0 ? fail_long(ctx) : TRL_OK;
}

void
s3_writer_close(store_writer *base)
{
	struct s3_writer *writer = (struct s3_writer *)base;

	trl_share_give(&writer->share, writer->most);
	s3_state_fini(&writer->state);
	trl_buf_fini(&writer->kept);
	free(writer->part);
	free(writer);
}

enum trl_code
s3_writer_open(trl_ctx *ctx, media_store *base, const struct store_object *object,
    const struct store_place *from, store_writer **out)
{
	struct s3_store *store = (struct s3_store *)base;
	struct s3_writer *writer = calloc(1, sizeof *writer);
	enum trl_code rc;

	trl_assert(writer != NULL);
	writer->base.store = base;
	writer->object = *object;
	writer->object.part = "";
	s3_key_of(&writer->object, writer->key);
	rc = read_place(ctx, writer, from);
	if (rc == TRL_OK && (!from->copies || from->offset > writer->state.bytes))
		rc = take_room(
		    ctx, store, writer, writer->state.part_bytes, from->length);
	if (rc == TRL_OK)
		rc = read_tail(ctx, store, writer, from->offset);
	if (rc == TRL_OK)
		*out = &writer->base;
	else
		s3_writer_close(&writer->base);
	return rc;
}

static enum trl_code
send_part(trl_ctx *ctx, struct s3_writer *writer)
{
	enum trl_code rc = s3_add_part(ctx, store_of(writer), writer->key,
	    &writer->state, writer->part, writer->filled);

	if (rc == TRL_OK)
		writer->filled = 0;
	return rc;
}

/* What a call that fails has brought is taken out again: so it may be repeated. */
static enum trl_code
write_piece(trl_ctx *ctx, struct s3_writer *writer, const void *data, size_t len)
{
	const size_t part = (size_t)writer->state.part_bytes;
	size_t n = len < part - writer->filled ? len : part - writer->filled;
	enum trl_code rc = TRL_OK;

	if (writer->share == NULL)
		rc =
		    take_room(ctx, store_of(writer), writer, part, writer->base.length);
	if (rc != TRL_OK)
		return rc;
	make_room(writer, writer->filled + n);
	memcpy(writer->part + writer->filled, data, n);
	writer->filled += n;
	if (n == len)
		return TRL_OK;
	rc = send_part(ctx, writer);
	if (rc != TRL_OK) {
		writer->filled -= n;
		return rc;
	}
	memcpy(writer->part, (const uint8_t *)data + n, len - n);
	writer->filled = len - n;
	return TRL_OK;
}

static void
see(void *arg)
{
	const struct store_pieces *pieces = arg;

	for (unsigned i = 0; i < pieces->written; i++)
		pieces->seen(
		    pieces->self, pieces->at[i].iov_base, pieces->at[i].iov_len);
}

enum trl_code
s3_writer_write(trl_ctx *ctx, store_writer *base, struct store_pieces *pieces)
{
	struct s3_writer *writer = (struct s3_writer *)base;
	enum trl_code rc = TRL_OK, seen = TRL_OK;

	while (rc == TRL_OK && pieces->written < pieces->n) {
		const struct iovec *piece = &pieces->at[pieces->written];

		rc = write_piece(ctx, writer, piece->iov_base, piece->iov_len);
		if (rc == TRL_OK)
			pieces->written++;
	}
	if (pieces->seen && pieces->written > 0) {
		const struct trl_err err = ctx->err;

		trl_err_clear(ctx);
		seen = trl_offload(ctx, &store_of(writer)->disk, see, pieces);
		if (seen == TRL_OK)
			ctx->err = err;
		else
			pieces->written = 0;
	}
	return seen == TRL_OK ? rc : seen;
}

static enum trl_code
send_tail(trl_ctx *ctx, struct s3_writer *writer)
{
	struct s3_state *state = &writer->state;
	char key[S3_KEY_BYTES];
	const struct s3_ask ask = { .method = "PUT",
		.key = key,
		.body = writer->part,
		.body_len = writer->filled };
	enum trl_code rc;

	s3_tail_of(&writer->object, writer->base.generation, state->bytes, key);
	rc = s3_there(ctx, s3_do(ctx, store_of(writer), &ask));
	if (rc != TRL_OK)
		return rc;
	state->tail_bytes = writer->filled;
	state->tail_generation = writer->base.generation;
	state->tails = true;
	return TRL_OK;
}

enum trl_code
s3_writer_sync(trl_ctx *ctx, store_writer *base, struct store_place *now)
{
	struct s3_writer *writer = (struct s3_writer *)base;
	const bool last = base->offset == base->length,
		   moved = base->offset != base->durable;
	enum trl_code rc = TRL_OK;

	if (writer->filled == writer->state.part_bytes || (last && writer->filled > 0))
		rc = send_part(ctx, writer);
	else if (moved && writer->filled > 0)
		rc = send_tail(ctx, writer);
	if (rc != TRL_OK)
		return rc;
	if (writer->filled == 0)
		writer->state.tail_bytes = 0;
	trl_buf_clear(&writer->kept);
	s3_state_write(&writer->state, &writer->kept);
	trl_assert(writer->kept.len <= STORE_STATE_BYTES);
	now->state = writer->kept.data;
	now->state_len = writer->kept.len;
	return TRL_OK;
}

enum trl_code
s3_writer_forget(trl_ctx *ctx, store_writer *base)
{
	struct s3_writer *writer = (struct s3_writer *)base;

	if (writer->state.id[0] == '\0')
		return TRL_OK;
	return s3_abort(ctx, store_of(writer), writer->key, writer->state.id);
}

uint64_t
s3_writer_step(const store_writer *base, bool *between)
{
	const struct s3_writer *writer = (const struct s3_writer *)base;
	const uint64_t part = writer->state.part_bytes;

	*between = writer->filled == 0 || writer->filled == part;
	return *between ? part : part - writer->filled;
}

/* Only whole parts and the last one, for all are of one size. */
enum trl_code
s3_writer_copy(trl_ctx *ctx, store_writer *base, const struct store_object *from,
    uint64_t at, uint64_t n, bool *copied)
{
	struct s3_writer *writer = (struct s3_writer *)base;
	struct s3_store *store = store_of(writer);
	char key[S3_KEY_BYTES];
	enum trl_code rc = TRL_OK;

	if (store->base.no_copies || writer->no_copies ||
	    (n != writer->state.part_bytes && base->offset + n != base->length))
		return TRL_OK;
	if (writer->filled > 0)
		rc = send_part(ctx, writer);
	if (rc != TRL_OK)
		return rc;
	s3_key_of(from, key);
	rc = s3_copy_part(ctx, store, writer->key, &writer->state,
	    &(struct s3_range){ key, at, n }, copied);
	writer->no_copies = rc == TRL_OK && !*copied;
	return rc;
}
