/* key.c - one at a time for each key. A key has an entry while somebody is inside;
 * leaving hands it to the next in line, who cannot be overtaken. */
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

enum { KEY_MAX = 64, WAITING_MAX = 256 };

/* An actor that waits; lives on its stack. */
struct waiter {
	struct waiter *next;
	struct trl_ticket ticket;
	bool in_line;
};

struct trl_key {
	struct trl_key *next;
	const struct trl_actor *holder;
	struct waiter *first, **last;
	unsigned n_waiting;
	size_t len;
	uint8_t bytes[KEY_MAX];
};

static struct trl_key **
find(trl_loop *loop, const void *key, size_t len)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	struct trl_key **at;

	trl_assert(len <= KEY_MAX);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const uint8_t *)key)[i]) * 16777619u;
	at = &loop->keys[hash % TRL_KEY_SLOTS];
	while (
	    *at != NULL && ((*at)->len != len || memcmp((*at)->bytes, key, len) != 0))
		at = &(*at)->next;
	return at;
}

static void
step_out(struct trl_key *entry, struct waiter *waiter)
{
	struct waiter **at = &entry->first;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	if (entry->last == &waiter->next)
		entry->last = at;
	entry->n_waiting--;
}

enum trl_code
trl_key_enter(trl_ctx *ctx, const void *key, size_t len)
{
	struct trl_key **at = find(ctx->loop, key, len);
	struct trl_key *entry = *at;
	struct waiter me = { 0 };
	enum trl_code rc;

	trl_assert(ctx->actor != NULL);
	if (entry == NULL) {
		entry = malloc(sizeof *entry);
		trl_assert(entry != NULL);
		*entry = (struct trl_key){ .holder = ctx->actor, .len = len };
		entry->last = &entry->first;
		memcpy(entry->bytes, key, len);
		*at = entry;
		ctx->actor->n_keys++;
		return TRL_OK;
	}
	trl_assert(entry->holder != ctx->actor);
	if (entry->n_waiting >= WAITING_MAX)
		return trl_fail(ctx, TRL_BUSY, "too many wait for one key");
	me.ticket = trl_park_begin(ctx);
	*entry->last = &me;
	entry->last = &me.next;
	entry->n_waiting++;
	me.in_line = true;
	rc = trl_park(ctx, me.ticket, "key");
	if (rc != TRL_OK && me.in_line)
		step_out(entry, &me);
	return rc;
}

void
trl_key_leave(trl_ctx *ctx, const void *key, size_t len)
{
	struct trl_key **at = find(ctx->loop, key, len);
	struct trl_key *entry = *at;
	struct waiter *next;

	trl_assert(entry != NULL && entry->holder == ctx->actor);
	ctx->actor->n_keys--;
	while ((next = entry->first) != NULL) {
		step_out(entry, next);
		next->in_line = false;
		if (trl_wake(next->ticket)) { /* not one whose time is out */
			entry->holder = next->ticket.actor;
			next->ticket.actor->n_keys++;
			return;
		}
	}
	*at = entry->next;
	free(entry);
}

bool
trl_key_held(const trl_ctx *ctx)
{
	return ctx->actor != NULL && ctx->actor->n_keys > 0;
}
