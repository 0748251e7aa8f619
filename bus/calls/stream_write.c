/* stream_write.c - our body: written piece by piece as the other end has room for it,
 * and its end. What a callee writes first is kept until it is clear whether all of it
 * rides in the reply. */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_RIDES = 8192,
	READ_BYTES = 4 << 20, /* of files, for all streams of a connection, evenly */
	READ_LEAST = 32 << 10
};

/* Waits for credit, as long as that takes once the body goes on: its reader has limits
 * of its own for whom it reads for, and is known to live by the first connection. */
static enum trl_code
await_credit(trl_ctx *ctx, struct trl_stream *s)
{
	enum trl_code rc = bus_stream_wait(ctx, s, "credit");
	if (rc != TRL_DEADLINE || !s->goes_on || s->over != NULL || ctx->cancelled)
		return rc;
	trl_err_clear(ctx);
	bus_stream_has_time(ctx, s);
	return TRL_OK;
}

/* Parks until a piece may be sent. */
static enum trl_code
await_room(trl_ctx *ctx, struct trl_stream *s, uint64_t cost, bool full)
{
	struct stream_out *out = &s->out;
	enum trl_code rc;
	bus_stream_has_time(ctx, s);
	for (bool waited = false;; waited = true) {
		if (s->over != NULL)
			return bus_stream_over(ctx, s);
		if (out->unwanted)
			return trl_fail(ctx, TRL_UNAVAILABLE,
			    "%s reads no more of a body", s->method->name);
		bool credit = out->credit - out->spent >= cost;
		if (credit && s->bulk->by != NULL && !full)
			return TRL_OK;
		if (!credit && !waited)
			trl_series_add(s->bulk->m.waits, 1);
		rc = credit ? bus_stream_wait(ctx, s, "a bulk connection")
			    : await_credit(ctx, s);
		if (rc != TRL_OK)
			return rc;
		full = false;
	}
}

static void
has_sent(trl_ctx *ctx, struct trl_stream *s, uint64_t len, bool is_file)
{
	s->out.sent += len;
	s->out.spent += bus_piece_cost(len, is_file);
	trl_series_add(s->bulk->m.bytes[1], (double)len);
	bus_stream_moved(ctx, s);
}

static enum trl_code
send_all(trl_ctx *ctx, struct trl_stream *s, const uint8_t *data, size_t len)
{
	struct stream_out *out = &s->out;
	bool full = false;
	enum trl_code rc;
	while (len > 0) {
		rc = await_room(ctx, s, BUS_PIECE_LEAST, full);
		if (rc != TRL_OK)
			return rc;
		uint64_t may = out->credit - out->spent;
		size_t n = s->bulk->by->send(
		    s->bulk, s->call_id, data, len < may ? len : (size_t)may);
		full = n == 0;
		data += n;
		len -= n;
		if (n > 0)
			has_sent(ctx, s, n, false);
	}
	return TRL_OK;
}

/* The reply goes without the body, which follows: what is kept of it first. */
static enum trl_code
reply_without(trl_ctx *ctx, struct trl_stream *s)
{
	enum trl_code rc = bus_stream_reply(ctx, s, false);
	if (rc == TRL_OK)
		rc = send_all(ctx, s, s->kept.data, s->kept.len);
	trl_buf_fini(&s->kept);
	return rc;
}

enum trl_code
trl_stream_write(trl_ctx *ctx, trl_stream *s, const void *data, size_t len)
{
	enum trl_code rc;
	trl_assert(s->out.goes && (!s->serves || s->answered));
	if (s->serves && !s->replied) {
		if (s->kept.len + len <= TRL_STREAM_RIDES) {
			trl_buf_add(&s->kept, data, len);
			return s->over != NULL ? bus_stream_over(ctx, s) : TRL_OK;
		}
		if ((rc = reply_without(ctx, s)) != TRL_OK)
			return rc;
	}
	return send_all(ctx, s, data, len);
}

enum trl_code
trl_stream_end(trl_ctx *ctx, trl_stream *s)
{
	struct bus_frame end = { .kind = BUS_END, .call_id = s->call_id };
	trl_assert(s->out.goes && (!s->serves || s->answered));
	if (s->over != NULL)
		return bus_stream_over(ctx, s);
	s->out.goes = false;
	s->out.ended = true;
	if (s->serves && !s->replied)
		return bus_stream_reply(ctx, s, true);
	end.length = s->out.sent;
	bus_stream_say(s, &end);
	return TRL_OK;
}

/* A part of a file, on its way to a carrier that takes only bytes. */
struct part {
	int fd;
	uint64_t offset;
	size_t want, room;
	ssize_t got;
	int error;
	uint8_t *bytes;
};

/* On a thread: a file that is not in memory blocks. */
static void
read_part(void *arg)
{
	struct part *part = arg;
	do {
		part->got =
		    pread(part->fd, part->bytes, part->want, (off_t)part->offset);
	} while (part->got < 0 && errno == EINTR);
	part->error = errno;
}

/* How much is read at once: all who have read may have to wait for the connection. */
static size_t
share_of_reads(const struct trl_stream *s)
{
	size_t even = READ_BYTES / (s->bulk != NULL ? s->bulk->n_streams : 1);
	return even < READ_LEAST         ? READ_LEAST
	       : even > TRL_STREAM_PIECE ? TRL_STREAM_PIECE
					 : even;
}

static void
make_room(struct part *part, size_t room)
{
	if (part->room == room)
		return;
	free(part->bytes);
	part->bytes = room > 0 ? malloc(room) : NULL;
	trl_assert(room == 0 || part->bytes != NULL);
	part->room = room;
}

/* Parks until what is read next may be sent, if it has to be: a reader that is slow
 * costs no memory meanwhile. Of what rides nothing is sent yet. */
static enum trl_code
await_room_for(trl_ctx *ctx, struct trl_stream *s, struct part *part, uint64_t len)
{
	const struct stream_out *out = &s->out;
	size_t room = share_of_reads(s);
	part->want = len < room ? (size_t)len : room;
	if (!s->serves || s->replied) {
		if (out->credit - out->spent < BUS_PIECE_LEAST)
			make_room(part, 0);
		enum trl_code rc = await_room(ctx, s, BUS_PIECE_LEAST, false);
		if (rc != TRL_OK)
			return rc;
		if (part->want > out->credit - out->spent)
			part->want = (size_t)(out->credit - out->spent);
	}
	make_room(part, room);
	return TRL_OK;
}

static enum trl_code
write_read(trl_ctx *ctx, struct trl_stream *s, struct part *part, uint64_t len)
{
	while (len > 0) {
		enum trl_code rc = await_room_for(ctx, s, part, len);
		if (rc == TRL_OK)
			rc = trl_offload(ctx, &s->bus->net->files, read_part, part);
		if (rc != TRL_OK)
			return rc;
		if (part->got <= 0)
			return trl_fail(ctx, TRL_INTERNAL, "a file for %s: %s",
			    s->method->name,
			    part->got == 0 ? "is shorter than it was"
					   : strerror(part->error));
		rc = trl_stream_write(ctx, s, part->bytes, (size_t)part->got);
		if (rc != TRL_OK)
			return rc;
		part->offset += (uint64_t)part->got;
		len -= (uint64_t)part->got;
	}
	return TRL_OK;
}

static enum trl_code
write_bytes(trl_ctx *ctx, struct trl_stream *s, int fd, uint64_t offset, uint64_t len)
{
	struct part part = { .fd = fd, .offset = offset };
	enum trl_code rc = write_read(ctx, s, &part, len);
	free(part.bytes);
	return rc;
}

/* What cannot be is read here, and so its fault is told here. */
static bool
may_be_handed_over(int fd, uint64_t offset, uint64_t len)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       offset <= (uint64_t)st.st_size && len <= (uint64_t)st.st_size - offset;
}

/* Whether a file's part rides, as its bytes: where it is so small that a descriptor
 * would cost more, or none can be handed over at once. */
static bool
rides(const struct trl_stream *s, uint64_t len)
{
	const struct bus_carrier *by = s->bulk->by;
	if (s->kept.len + len > TRL_STREAM_RIDES)
		return false;
	return len <= FILE_RIDES || by == NULL || by->send_file == NULL ||
	       s->out.credit - s->out.spent < BUS_FILE_COST;
}

enum trl_code
trl_stream_write_file(
    trl_ctx *ctx, trl_stream *s, int fd, uint64_t offset, uint64_t len)
{
	enum trl_code rc = TRL_OK;
	trl_assert(s->out.goes && (!s->serves || s->answered));
	if (s->over != NULL)
		return bus_stream_over(ctx, s);
	if (rides(s, len))
		return write_bytes(ctx, s, fd, offset, len);
	if (s->serves && !s->replied)
		rc = reply_without(ctx, s);
	for (bool full = false; rc == TRL_OK; full = true) {
		rc = await_room(ctx, s, BUS_FILE_COST, full);
		if (rc != TRL_OK)
			return rc;
		if (s->bulk->by->send_file == NULL ||
		    !may_be_handed_over(fd, offset, len))
			return write_bytes(ctx, s, fd, offset, len);
		if (s->bulk->by->send_file(s->bulk, s->call_id, fd, offset, len)) {
			has_sent(ctx, s, len, true);
			return TRL_OK;
		}
	}
	return rc;
}
