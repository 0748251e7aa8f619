/* share.c - requests of one turn that ask Redis the same make one trip.
 *
 * The first to ask opens a party and lets the other actors of the turn run; those that
 * ask the same meanwhile take a seat and wait. Then it makes the trip for all of them:
 * the script counts as many requests as sit there, so that limits stay as exact as if
 * each had come by itself, and what was fetched was read after the last of them had
 * come, so that it is as fresh. A party sets off with the turn: it costs nobody a wait.
 *
 * The party lies on the stack of the one who leads it, a seat on the stack of the one
 * who sits there; each unlinks itself before it returns. Whoever leads tells all seats
 * within the time Redis is given. Where it could not (Redis is down, or the leader's
 * caller has gone), each makes its own trip and is not asked to share again; it may
 * then be counted twice, never not at all. */
#include <stddef.h>
#include <string.h>

#include <sodium.h>

#include "state.h"

struct access_seat {
	struct access_seat *next, **at; /* at NULL: unlinked */
	struct trl_ticket ticket;
	trl_arena *arena;
	struct access_answer *answer;
	size_t place; /* 0: not yet under way */
};

static struct access_party **
head_of(trl_access *access, const struct access_question *question)
{
	uint64_t hash;

	/* What differs from one question to the next, mostly. */
	crypto_shorthash((uint8_t *)&hash,
	    (const uint8_t *)question + offsetof(struct access_question, tenant),
	    offsetof(struct access_question, subject_len) -
		offsetof(struct access_question, tenant),
	    access->seed);
	return &access->parties[hash % ACCESS_PARTIES];
}

static void
unlink_seat(struct access_party *party, struct access_seat *seat)
{
	*seat->at = seat->next;
	if (seat->next)
		seat->next->at = seat->at;
	else
		party->last = seat->at;
	seat->at = NULL;
}

/* Copies into the arena of another; NULL stays NULL. */
static struct trl_redis_arg
dup_bytes(trl_arena *arena, struct trl_redis_arg bytes)
{
	void *out;

	if (!bytes.data)
		return bytes;
	out = trl_arena_alloc(arena, bytes.len + 1); /* the NUL behind it, too */
	memcpy(out, bytes.data, bytes.len + 1);
	return (struct trl_redis_arg){ out, bytes.len };
}

/* False: the one who led could not tell. A seat that is left before the trip is not
 * counted; whoever runs out of time is as if Redis had not answered. */
static bool
sit_down(trl_ctx *ctx, struct access_party *party, struct access_answer *answer)
{
	const bool had_error = ctx->err.code != TRL_OK;
	struct access_seat seat = { .at = party->last,
		.ticket = trl_park_begin(ctx),
		.arena = ctx->arena,
		.answer = answer };
	enum trl_code rc;

	*party->last = &seat;
	party->last = &seat.next;
	party->n++;
	rc = trl_park(ctx, seat.ticket, "redis, with others");
	if (rc != TRL_OK && !had_error)
		trl_err_clear(ctx);
	if (seat.at) { /* nobody came to tell: the party is still there */
		if (!seat.place)
			party->n--;
		unlink_seat(party, &seat);
	}
	return rc != TRL_OK || answer->told;
}

/* Takes the party out of the table: from now on nobody joins. */
static void
set_off(struct access_party **head, struct access_party *party)
{
	struct access_seat *seat;
	size_t place = 0;

	while (*head != party)
		head = &(*head)->next;
	*head = party->next;
	for (seat = party->first; seat; seat = seat->next)
		seat->place = ++place;
}

bool
access_share(trl_ctx *ctx, trl_access *access, const struct access_question *question,
    struct access_party *party, struct access_answer *answer)
{
	struct access_party **head = head_of(access, question), *open;

	*answer = (struct access_answer){ 0 };
	*party = (struct access_party){ .question = question, .next = *head, .n = 1 };
	party->last = &party->first;
	for (open = *head; open; open = open->next)
		if (memcmp(open->question, question, sizeof *question) == 0)
			return sit_down(ctx, open, answer);
	*head = party;
	trl_yield(ctx);
	set_off(head, party);
	return false;
}

void
access_share_end(struct access_party *party, const struct access_answer *answer)
{
	while (party->first) {
		struct access_seat *seat = party->first;

		unlink_seat(party, seat);
		if (answer->told) {
			*seat->answer = *answer;
			seat->answer->place = seat->place;
			seat->answer->copy = dup_bytes(seat->arena, answer->copy);
			seat->answer->beside = dup_bytes(seat->arena, answer->beside);
		}
		(void)trl_wake(seat->ticket);
	}
}
