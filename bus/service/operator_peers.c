/* operator_peers.c - which services a service calls, address by address, and which call
 * it. */
#include "operator.h"

#include <trl/bus_look.h>

enum { LINES_MAX = 500 };

struct listing {
	trl_arena *arena;
	Operator__V1__PeersReply *out;
};

static void
add_peer(void *self, const struct trl_bus_peer_seen *from)
{
	static const Operator__V1__Peer__State states[] = {
		[TRL_BUS_PEER_UP] = OPERATOR__V1__PEER__STATE__up,
		[TRL_BUS_PEER_DOWN] = OPERATOR__V1__PEER__STATE__down,
		[TRL_BUS_PEER_SHUNNED] = OPERATOR__V1__PEER__STATE__shunned,
		[TRL_BUS_PEER_DRAINING] = OPERATOR__V1__PEER__STATE__draining,
	};
	struct listing *listing = self;
	Operator__V1__PeersReply *out = listing->out;
	Operator__V1__Peer *to;

	if (out->n_peers == LINES_MAX)
		return;
	to = trl_arena_alloc(listing->arena, sizeof *to);
	operator__v1__peer__init(to);
	to->service = trl_arena_strdup(listing->arena, from->service);
	to->address = trl_arena_strdup(listing->arena, from->address);
	trl_set(to, state, states[from->state]);
	trl_set(to, in_flight, from->in_flight);
	if (from->unready != NULL)
		to->unready = trl_arena_strdup(listing->arena, from->unready);
	out->peers[out->n_peers++] = to;
}

static void
add_caller(void *self, const char *service, uint32_t running)
{
	struct listing *listing = self;
	Operator__V1__PeersReply *out = listing->out;
	Operator__V1__Caller *to;

	if (out->n_callers == LINES_MAX)
		return;
	to = trl_arena_alloc(listing->arena, sizeof *to);
	operator__v1__caller__init(to);
	to->service = trl_arena_strdup(listing->arena, service);
	trl_set(to, running, running);
	out->callers[out->n_callers++] = to;
}

enum trl_code
operator_peers(operator_self *self, trl_ctx *ctx, const Operator__V1__PeersRequest *in,
    Operator__V1__PeersReply *out)
{
	struct listing listing = { ctx->arena, out };

	(void)in;
	out->peers = trl_arena_alloc(ctx->arena, LINES_MAX * sizeof out->peers[0]);
	out->callers = trl_arena_alloc(ctx->arena, LINES_MAX * sizeof out->callers[0]);
	trl_bus_each_peer(self->host->bus, add_peer, &listing);
	trl_bus_each_caller(self->host->bus, add_caller, &listing);
	return TRL_OK;
}
