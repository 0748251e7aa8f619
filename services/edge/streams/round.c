/* round.c - what happened since the last number, to those who may see it. A
 * round goes over a window of at most STREAM_WINDOW entries that concern streams here,
 * and in it everything is read before anything is written: so each stream gets what is
 * of its tenant and what is its own in one order, and an id that it has seen says that
 * it has seen all before. A round that fails is done again; what a stream has got
 * already is below its cursor.
 *
 * What a round holds is bounded by its window: only what is for a stream here is read,
 * and it is held once, as are the texts. Of a stream there is nothing but its place in
 * the list of those that the round is about, which is a pointer in itself. */
#include <stdlib.h>
#include <string.h>

#include <notify_v1.trl.h>

#include <trl/value.h>

#include "streams/stream.h"

/* What a round is about: tenants with streams that are due. */
struct round {
	struct edge_streams *all;
	struct stream_set *due; /* by due_next */
	int64_t until;
	struct trl_id
	    alone[STREAM_WINDOW]; /* accounts that have something of no tenant */
	size_t n_alone;
	struct stream_entry *rows; /* of those */
	size_t n_rows;
	struct edge_stream *streams; /* by picked */
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

static void
name_account(trl_ctx *ctx, struct stream_set *set, struct trl_id account)
{
	if (!set->accounts)
		set->accounts =
		    trl_arena_alloc(ctx->arena, STREAM_WINDOW * sizeof *set->accounts);
	set->accounts[set->n_accounts++] = account;
}

/* Whether a change is for some stream here; marks those. Of a window at most
 * STREAM_WINDOW times. */
static bool
mark(trl_ctx *ctx, struct round *round, const Notify__V1__FeedChange *change)
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
	else if (found)
		name_account(ctx, stream_set_find(all, BY_TENANT, tenant), account);
	return found;
}

/* All pages of a window into one list. */
static enum trl_code
read_window(trl_ctx *ctx, struct round *round, struct stream_ask *ask,
    struct stream_entry **rows, size_t *n)
{
	struct stream_entry *all = NULL, *page;
	size_t n_page;
	int64_t through;
	enum trl_code rc;

	*n = 0;
	ask->after = round->all->through;
	ask->until = round->until;
	do {
		rc = stream_read(ctx, round->all->edge, ask, &page, &n_page, &through);
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
	struct stream_ask ask = { .tenant = set->id,
		.accounts = set->accounts,
		.n_accounts = set->n_accounts };

	if (!set->wide && !set->n_accounts) /* due by what is of no tenant */
		return TRL_OK;
	return read_window(ctx, round, &ask, &set->rows, &set->n_rows);
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
gather(struct round *round)
{
	struct edge_stream **last = &round->streams;

	for (struct stream_set *set = round->due; set; set = set->due_next)
		for (struct edge_stream *s = set->first; s; s = s->in[BY_TENANT].next)
			if (s->live && (set->wide || s->due)) {
				*last = s;
				last = &s->picked;
			}
	*last = NULL;
}

/* What is of its tenant and what is its own, merged. */
static void
deliver(trl_ctx *ctx, const struct round *round, struct edge_stream *stream)
{
	const struct stream_set *set = stream->in[BY_TENANT].set;
	struct stream_entry *a = set->rows, *b = round->rows;
	size_t i = 0, j = 0;

	if (!stream->live)
		return;
	while (i < set->n_rows || j < round->n_rows) {
		struct stream_entry *next =
		    j == round->n_rows ||
			    (i < set->n_rows && a[i].entry->number < b[j].entry->number)
			? &a[i++]
			: &b[j++];

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
		set->accounts = NULL;
		set->n_accounts = 0;
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
	size_t relevant = 0, i = 0;
	enum trl_code rc;

	for (; i < changes->n_items && relevant < STREAM_WINDOW; i++) {
		relevant += mark(ctx, round, changes->items[i]);
		round->until = changes->items[i]->number;
	}
	if (all->claimed < round->until)
		all->claimed = round->until;
	rc = read_all(ctx, round);
	gather(round);
	if (rc == TRL_OK)
		rc = stream_check(ctx, all, round->streams, true);
	i = 0;
	for (struct edge_stream *s = round->streams; rc == TRL_OK && s; s = s->picked) {
		deliver(ctx, round, s);
		stream_pause(ctx, i++);
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
