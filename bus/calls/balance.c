/* balance.c - which peer gets the next call: of two drawn at random, the one with
 * fewer in flight ("The Power of Two Choices", Mitzenmacher 2001). A peer that
 * failed five times running is left alone for a while, but never the last one. */
#include "peer.h"

#include <sodium.h>
#include <string.h>

/* How willingly a peer is taken: 0 not at all, 1 if it must be, 2 gladly. */
static unsigned
rank(const struct bus_peer *peer, const struct bus_peer *avoid, uint64_t now)
{
	if (!bus_peer_usable(peer))
		return 0;
	return peer == avoid || peer->shunned_until_us > now ? 1 : 2;
}

static struct bus_peer *
nth(struct bus_target *target, const struct bus_peer *avoid, uint64_t now,
    unsigned want, unsigned n)
{
	struct bus_peer *peer = target->peers;
	for (; peer != NULL; peer = peer->next)
		if (rank(peer, avoid, now) == want && n-- == 0)
			return peer;
	return NULL;
}

struct bus_peer *
bus_balance(trl_bus *bus, struct bus_target *target, const struct bus_peer *avoid)
{
	uint64_t now = trl_loop_now_us(bus->net->loop);
	unsigned counts[3] = { 0 };

	if (target->n_peers == 1) /* the usual case on one machine */
		return bus_peer_usable(target->peers) ? target->peers : NULL;
	for (struct bus_peer *peer = target->peers; peer != NULL; peer = peer->next)
		counts[rank(peer, avoid, now)]++;
	unsigned want = counts[2] > 0 ? 2 : 1;
	if (counts[want] == 0)
		return NULL;
	uint32_t first = randombytes_uniform(counts[want]);
	struct bus_peer *a = nth(target, avoid, now, want, first);
	if (counts[want] == 1)
		return a;
	uint32_t second = randombytes_uniform(counts[want] - 1);
	struct bus_peer *b = nth(target, avoid, now, want, second + (second >= first));
	return b->in_flight < a->in_flight ? b : a;
}
