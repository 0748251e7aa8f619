/* stream_credit.c - how much of a body may be on its way to its reader: as much as the
 * reader's process has memory for.
 *
 * A stream begins with 256 KiB, and doubles that whenever its reader has read as much
 * and waits all the same: what is on its way then fills the line, however long that
 * is. The piece that the reader has counts until it asks for the next. What comes with
 * replies shares a budget of the process, and what comes with calls to it another one;
 * organisations share each (trl/shares.h): slow readers or senders of one, however
 * many, keep no other's out. A part of it is for those that grow, evenly; of the rest
 * each one that comes takes a small part of what is left to its holder, since credit
 * cannot be taken back from a reader that has become slow. 64 KiB each stream keeps to
 * its end, and a caller that waits for a reply what may ride in it: what was not asked
 * for at the beginning cannot be refused when it comes. Once all of a body has come it
 * costs what of it waits to be read: of a file that was handed over, nearly nothing,
 * however long its reader takes. */
#include "stream.h"

enum {
	FIRST = 256 << 10,
	LEAST = 64 << 10,
	MOST = 4 << 20,
	GROWING = 8 << 20,
	RETRY_MS = 1000
};

static uint32_t
clamp(uint64_t v, uint32_t least, uint32_t most)
{
	return v < least ? least : v > most ? most : (uint32_t)v;
}

struct trl_id
bus_credit_holder(const struct bus_frame *call)
{
	return trl_holder(
	    call->tenant, call->principal.account, call->address.s, call->address.n);
}

/* How much a stream may have on its way now. */
static uint32_t
share(const struct trl_stream *s)
{
	const struct bus_budget *budget = s->budget;
	uint64_t others = budget->shares.used - s->in.charge;
	uint64_t left = trl_share_left(s->share) + s->in.charge;
	uint64_t parts = budget->shares.size / 4 * 3 / FIRST;
	uint32_t first = clamp(left / parts, LEAST, FIRST);
	uint64_t even = GROWING / (budget->readers ? budget->readers : 1);
	uint64_t grown = others < GROWING ? GROWING - others : 0;

	return clamp(even < grown ? even : grown, first, MOST);
}

static uint32_t
kept(const struct trl_stream *s)
{
	return s->serves || s->call.answered ? LEAST : TRL_STREAM_RIDES;
}

static bool
all_came(const struct trl_stream *s)
{
	return s->in.came >= s->in.length;
}

/* What is on its way or waits to be read, and more: with n bytes more than now. */
static void
charge(struct trl_stream *s, uint32_t more)
{
	uint32_t now =
	    all_came(s) ? (uint32_t)(s->in.spent - s->in.read)
			: clamp(s->in.granted + more - s->in.read, kept(s), UINT32_MAX);
	trl_share_change(s->share, s->in.charge, now);
	s->in.charge = now;
}

bool
bus_credit_open(struct trl_stream *s)
{
	if (s->in.window != 0)
		return true;
	uint64_t left = trl_share_left(s->share);
	if (left < kept(s))
		return false;
	s->budget->readers++;
	s->in.window = clamp(share(s), LEAST, FIRST);
	s->in.window = clamp(s->in.window, LEAST, (uint32_t)left);
	charge(s, 0);
	return true;
}

enum trl_code
bus_credit_none(trl_ctx *ctx)
{
	trl_fail(ctx, TRL_BUSY, "no memory for a body");
	trl_err_retry_after(ctx, RETRY_MS);
	return TRL_BUSY;
}

uint32_t
bus_credit_take(struct trl_stream *s)
{
	uint64_t held = s->in.granted - s->in.read;
	/* A caller whose bulk connection is down is the first to know. */
	if (s->bulk == NULL || (!s->serves && s->bulk->by == NULL))
		return 0;
	uint64_t most = s->in.charge + trl_share_left(s->share);
	s->in.window = clamp(s->in.window, LEAST, share(s));
	if (held > s->in.window / 2)
		return 0;
	uint64_t more = s->in.window - held;
	if (held + more > most)
		more = most > held ? most - held : 0;
	charge(s, (uint32_t)more);
	s->in.granted += more;
	return (uint32_t)more;
}

bool
bus_credit_has_room(const trl_bus_net *net, const struct bus_frame *call, size_t len)
{
	return len <= trl_shares_left(&net->served.shares, bus_credit_holder(call));
}

void
bus_credit_ride(struct trl_stream *s, size_t len)
{
	trl_share_change(s->share, 0, len);
	s->in.charge += (uint32_t)len;
}

void
bus_credit_refill(struct trl_stream *s)
{
	struct bus_frame frame = { .kind = BUS_CREDIT, .call_id = s->call_id };
	frame.credit = all_came(s) || s->over != NULL ? 0 : bus_credit_take(s);
	if (frame.credit != 0)
		bus_stream_say(s, &frame);
	else
		charge(s, 0);
}

void
bus_credit_grow(struct trl_stream *s)
{
	if (s->in.read - s->in.grown_at >= s->in.window) {
		s->in.grown_at = s->in.read;
		s->in.window = clamp(2ull * s->in.window, LEAST, MOST);
	}
	bus_credit_refill(s);
}

void
bus_credit_settle(struct trl_stream *s)
{
	if (s->in.window != 0 && all_came(s))
		charge(s, 0);
}

const char *
bus_credit_came(struct trl_stream *s, uint32_t n)
{
	struct stream_out *out = &s->out;
	if (n == 0 || out->credit - out->spent + n > MOST)
		return "bad_credit";
	out->credit += n;
	bus_stream_wake(s);
	return NULL;
}

void
bus_credit_close(struct trl_stream *s)
{
	trl_share_change(s->share, s->in.charge, 0);
	s->in.charge = 0;
	if (s->in.window == 0)
		return;
	s->budget->readers--;
	s->in.window = 0;
	bool may_come = s->in.comes || (!s->serves && !s->call.answered);
	if (s->bulk != NULL && may_come && s->in.came != s->in.length)
		s->bulk->late += s->in.granted - s->in.spent;
}
