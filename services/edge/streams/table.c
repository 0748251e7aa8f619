/* table.c - the open streams, each in the set of its tenant and in that of its
 * caller, and all in a ring by whose heartbeat is due next. A set lives while it has a
 * stream. */
#include <stdlib.h>
#include <string.h>

#include "streams/stream.h"

static struct stream_set **
slot(struct edge_streams *all, enum stream_by by, struct trl_id id)
{
	struct stream_set **at;
	uint32_t hash;

	/* The random part of an id of version 7. */
	memcpy(&hash, id.bytes + 12, sizeof hash);
	at = &all->heads[by][hash % STREAM_HEADS];
	while (*at && !trl_id_eq((*at)->id, id))
		at = &(*at)->next;
	return at;
}

struct stream_set *
stream_set_find(struct edge_streams *all, enum stream_by by, struct trl_id id)
{
	return *slot(all, by, id);
}

static void
join(struct edge_streams *all, struct edge_stream *stream, enum stream_by by,
    struct trl_id id)
{
	struct stream_set **at = slot(all, by, id), *set = *at;

	if (!set) {
		set = *at = calloc(1, sizeof *set);
		trl_assert(set);
		set->id = id;
	}
	set->n++;
	stream->in[by].set = set;
	stream->in[by].next = set->first;
	if (set->first)
		set->first->in[by].prev = stream;
	set->first = stream;
}

static void
leave(struct edge_streams *all, struct edge_stream *stream, enum stream_by by)
{
	struct edge_stream *prev = stream->in[by].prev, *next = stream->in[by].next;
	struct stream_set *set = stream->in[by].set, **at;

	*(prev ? &prev->in[by].next : &set->first) = next;
	if (next)
		next->in[by].prev = prev;
	if (--set->n)
		return;
	at = slot(all, by, set->id);
	*at = set->next;
	set->next = all->gone_sets;
	all->gone_sets = set;
}

static void
ring_add(struct edge_stream *stream)
{
	struct edge_streams *all = stream->all;

	stream->beat_us = trl_mono_us();
	stream->next = NULL;
	stream->prev = all->last;
	*(all->last ? &all->last->next : &all->first) = stream;
	all->last = stream;
}

static void
ring_take(struct edge_stream *stream)
{
	struct edge_streams *all = stream->all;

	*(stream->prev ? &stream->prev->next : &all->first) = stream->next;
	*(stream->next ? &stream->next->prev : &all->last) = stream->prev;
}

void
stream_beat_last(struct edge_stream *stream)
{
	ring_take(stream);
	ring_add(stream);
}

void
stream_add(struct edge_streams *all, struct edge_stream *stream, struct trl_id tenant,
    struct trl_id caller)
{
	stream->all = all;
	join(all, stream, BY_TENANT, tenant);
	join(all, stream, BY_CALLER, caller);
	ring_add(stream);
	all->n++;
}

static void
free_gone(struct edge_streams *all)
{
	struct edge_stream *stream;
	struct stream_set *set;

	while ((stream = all->gone)) {
		all->gone = stream->next;
		free(stream->permissions);
		free(stream);
	}
	while ((set = all->gone_sets)) {
		all->gone_sets = set->next;
		free(set);
	}
}

void
stream_remove(struct edge_stream *stream)
{
	struct edge_streams *all = stream->all;

	leave(all, stream, BY_TENANT);
	leave(all, stream, BY_CALLER);
	ring_take(stream);
	all->n--;
	all->n_live -= stream->live;
	stream->live = false;
	stream->next = all->gone;
	all->gone = stream;
	if (!all->in_round)
		free_gone(all);
}

void
stream_round_begin(struct edge_streams *all)
{
	trl_assert(!all->in_round);
	all->in_round = true;
}

void
stream_round_end(struct edge_streams *all)
{
	all->in_round = false;
	free_gone(all);
}
