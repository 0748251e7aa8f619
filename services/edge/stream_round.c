/* stream_round.c - what happened since the last number, to those who may see it. A
 * round goes over a window of at most STREAM_WINDOW entries that concern streams here,
 * and in it everything is read before anything is written: so each stream gets what is
 * of its tenant and what is its own in one order, and an id that it has seen says that
 * it has seen all before. A round that fails is done again; what a stream has got
 * already is below its cursor. */
#include <stdlib.h>
#include <string.h>

#include <trellis/notify/v1/notify.trl.h>

#include <trl/value.h>

#include "stream.h"

enum { ACCOUNTS = 200 }; /* more are not named, but read whole */

/* What a round is about: tenants with streams that are due. */
struct round {
	struct edge_streams *all;
	struct stream_set *due; /* by due_next */
	int64_t until;
	struct trl_id
	    alone[STREAM_WINDOW]; /* accounts that have something of no tenant */
	size_t n_alone;
	Notify__V1__FeedEntry **rows; /* of those */
	size_t n_rows;
	struct edge_stream **streams;
	size_t n_streams;
};

static void
set_due(struct round *round, struct stream_set *set)
{
	if (set->due)
		return;
	set->due = true;
	set->due_next = round->due;
	round->due = set;
}

/* Whether a change is for some stream here; marks those. */
static bool
mark(struct round *round, const Notify__V1__FeedChange *change)
{
	struct edge_streams *all = round->all;
	const struct trl_id tenant = trl_value_id(change->tenant_id);
	const struct trl_id account = trl_value_id(change->account_id);
	struct stream_set *set;
	bool found = false;

	if (!change->has_account_id) {
		set = stream_set_find(all, BY_TENANT, tenant);
		if (!set)
			return false;
		set->wide = true;
		set_due(round, set);
		return true;
	}
	set = stream_set_find(all, BY_CALLER, account);
	for (struct edge_stream *s = set ? set->first : NULL; s;
	     s = s->in[BY_CALLER].next) {
		if (!trl_id_is_nil(tenant) &&
		    !trl_id_eq(s->in[BY_TENANT].set->id, tenant))
			continue;
		found = s->due = true;
		set_due(round, s->in[BY_TENANT].set);
	}
	if (found && trl_id_is_nil(tenant))
		round->alone[round->n_alone++] = account;
	return found;
}

/* All pages of a window into one list. */
static enum trl_code
read_window(trl_ctx *ctx, struct round *round, struct stream_ask *ask,
    Notify__V1__FeedEntry ***rows, size_t *n)
{
	Notify__V1__FeedEntry **all = NULL, **page;
	size_t n_page;
	int64_t through;
	enum trl_code rc;

	*n = 0;
	ask->after = round->all->through;
	ask->until = round->until;
	do {
		rc = stream_read(ctx, round->all->edge, ask, (void **)(void *)&page,
		    &n_page, &through);
		if (rc != TRL_OK)
			return rc;
		all =
		    memcpy(trl_arena_alloc(ctx->arena, (*n + n_page + 1) * sizeof *all),
			all ? (void *)all : (void *)&all, *n * sizeof *all);
		if (n_page)
			memcpy(all + *n, page, n_page * sizeof *all);
		*n += n_page;
		ask->after = through;
	} while (through < round->until);
	*rows = all;
	return TRL_OK;
}

static enum trl_code
read_set(trl_ctx *ctx, struct round *round, struct stream_set *set)
{
	struct trl_id accounts[ACCOUNTS];
	struct stream_ask ask = { .tenant = set->id, .accounts = accounts };
	struct edge_stream *s;

	for (s = set->first; s && ask.n_accounts < ACCOUNTS; s = s->in[BY_TENANT].next)
		if (s->due && trl_id_is_nil(s->key))
			accounts[ask.n_accounts++] = s->account;
	ask.all_accounts = ask.n_accounts == ACCOUNTS;
	return read_window(ctx, round, &ask,
	    (Notify__V1__FeedEntry ***)(void *)&set->rows, &set->n_rows);
}

static enum trl_code
read_all(trl_ctx *ctx, struct round *round)
{
	struct stream_ask ask = { .accounts = round->alone,
		.n_accounts = round->n_alone };
	enum trl_code rc = TRL_OK;

	for (struct stream_set *set = round->due; rc == TRL_OK && set;
	     set = set->due_next)
		rc = read_set(ctx, round, set);
	if (rc == TRL_OK && round->n_alone)
		rc = read_window(ctx, round, &ask, &round->rows, &round->n_rows);
	return rc;
}

/* Those that are due; none may be freed before the round's end. */
static void
gather(trl_ctx *ctx, struct round *round)
{
	struct edge_streams *all = round->all;

	round->streams =
	    trl_arena_alloc(ctx->arena, (all->n + 1) * sizeof *round->streams);
	for (struct stream_set *set = round->due; set; set = set->due_next)
		for (struct edge_stream *s = set->first; s; s = s->in[BY_TENANT].next)
			if (s->live && (set->wide || s->due))
				round->streams[round->n_streams++] = s;
}

/* What is of its tenant and what is its own, merged. */
static void
deliver(trl_ctx *ctx, const struct round *round, struct edge_stream *stream)
{
	const struct stream_set *set = stream->in[BY_TENANT].set;
	Notify__V1__FeedEntry **a = set->rows, **b = round->rows;
	size_t i = 0, j = 0;

	if (!stream->live)
		return;
	while (i < set->n_rows || j < round->n_rows) {
		const Notify__V1__FeedEntry *next =
		    j == round->n_rows ||
			    (i < set->n_rows && a[i]->number < b[j]->number)
			? a[i++]
			: b[j++];

		if (!stream_send(ctx, stream, next))
			return; /* the server closes it */
	}
	if (stream->cursor < round->until)
		stream->cursor = round->until;
}

static void
forget_marks(struct round *round)
{
	while (round->due) {
		struct stream_set *set = round->due;

		round->due = set->due_next;
		set->due = set->wide = false;
		set->rows = NULL;
		set->n_rows = 0;
		for (struct edge_stream *s = set->first; s; s = s->in[BY_TENANT].next)
			s->due = false;
	}
}

/* A backup was restored: what numbers meant is lost. */
static void
start_over(struct edge_streams *all, int64_t head)
{
	static const char reset[] = "event: reset\ndata: {}\n\n";

	for (struct edge_stream *s = all->first; s; s = s->next) {
		if (s->live)
			(void)stream_write(s, reset, sizeof reset - 1);
		s->cursor = head;
	}
	all->through = all->claimed = head;
}

static enum trl_code
go(trl_ctx *ctx, struct round *round, Notify__V1__ListFeedChangesReply *changes)
{
	struct edge_streams *all = round->all;
	size_t relevant = 0;
	enum trl_code rc;

	for (size_t i = 0; i < changes->n_items && relevant < STREAM_WINDOW; i++) {
		relevant += mark(round, changes->items[i]);
		round->until = changes->items[i]->number;
	}
	if (all->claimed < round->until)
		all->claimed = round->until;
	rc = read_all(ctx, round);
	gather(ctx, round);
	if (rc == TRL_OK)
		rc = stream_check(ctx, all, round->streams, round->n_streams, true);
	for (size_t i = 0; rc == TRL_OK && i < round->n_streams; i++) {
		deliver(ctx, round, round->streams[i]);
		stream_pause(ctx, i);
	}
	if (rc == TRL_OK)
		all->through = round->until;
	return rc;
}

enum trl_code
stream_bring(trl_ctx *ctx, struct edge_streams *all, bool *more)
{
	Notify__V1__ListFeedChangesReply *changes;
	struct round round = { .all = all };
	enum trl_code rc;

	*more = false;
	if (!all->n_live)
		return TRL_OK;
	stream_round_begin(all);
	rc = stream_changes(ctx, all->edge, &all->through, &changes);
	if (rc == TRL_OK && changes->head < all->through) {
		start_over(all, changes->head);
	} else if (rc == TRL_OK && changes->n_items) {
		rc = go(ctx, &round, changes);
		*more = rc == TRL_OK;
		forget_marks(&round);
	}
	stream_round_end(all);
	return rc;
}
