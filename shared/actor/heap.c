/* heap.c - the next time each actor has to be woken if nothing else does: a binary
 * heap of living actors, each knowing its place. An actor stands in it once, at
 * its deadline, and moves only for a shorter wait. */
#include <stdlib.h>

#include "runtime.h"

static void
place(trl_loop *loop, size_t at, struct trl_actor *actor)
{
	loop->heap[at] = actor;
	actor->heap_at = at;
}

static void
sift_up(trl_loop *loop, size_t at, struct trl_actor *actor)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (loop->heap[parent]->wake_at <= actor->wake_at)
			break;
		place(loop, at, loop->heap[parent]);
		at = parent;
	}
	place(loop, at, actor);
}

static void
sift_down(trl_loop *loop, size_t at, struct trl_actor *actor)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= loop->n_heap)
			break;
		if (child + 1 < loop->n_heap &&
		    loop->heap[child + 1]->wake_at < loop->heap[child]->wake_at)
			child++;
		if (actor->wake_at <= loop->heap[child]->wake_at)
			break;
		place(loop, at, loop->heap[child]);
		at = child;
	}
	place(loop, at, actor);
}

static void
take_out(trl_loop *loop, size_t at)
{
	struct trl_actor *last = loop->heap[--loop->n_heap];

	if (at == loop->n_heap)
		return;
	if (at > 0 && last->wake_at < loop->heap[(at - 1) / 2]->wake_at)
		sift_up(loop, at, last);
	else
		sift_down(loop, at, last);
}

static void
put_in(trl_loop *loop, struct trl_actor *actor)
{
	if (loop->n_heap == loop->heap_cap) {
		loop->heap_cap = loop->heap_cap ? loop->heap_cap * 2 : 64;
		loop->heap = realloc(loop->heap, loop->heap_cap * sizeof *loop->heap);
		trl_assert(loop->heap != NULL);
	}
	loop->n_heap++;
	sift_up(loop, loop->n_heap - 1, actor);
}

void
trl_heap_set(trl_loop *loop, struct trl_actor *actor, uint64_t at)
{
	uint64_t before = actor->wake_at;

	if (before == at)
		return;
	actor->wake_at = at;
	if (at == trl_never)
		take_out(loop, actor->heap_at);
	else if (before == trl_never)
		put_in(loop, actor);
	else if (at < before)
		sift_up(loop, actor->heap_at, actor);
	else
		sift_down(loop, actor->heap_at, actor);
}
