/* operator_peers.c - whom a service calls, address by address, and who calls it. */
#include "operator.h"

#include "peer.h"
#include "server.h"

enum { LINES_MAX = 500 };

static Operator__V1__Peer__State
state_of(const struct bus_peer *peer, uint64_t now)
{
	if (!bus_peer_usable(peer))
		return peer->link.up && peer->draining
			   ? OPERATOR__V1__PEER__STATE__draining
			   : OPERATOR__V1__PEER__STATE__down;
	return peer->shunned_until_us > now ? OPERATOR__V1__PEER__STATE__shunned
					    : OPERATOR__V1__PEER__STATE__up;
}

static void
add_peer(trl_ctx *ctx, const struct bus_peer *from, Operator__V1__PeersReply *out)
{
	Operator__V1__Peer *to;

	if (out->n_peers == LINES_MAX)
		return;
	to = trl_arena_alloc(ctx->arena, sizeof *to);
	operator__v1__peer__init(to);
	to->service = trl_arena_strdup(ctx->arena, from->target->name);
	to->address = trl_arena_strdup(ctx->arena, from->address);
	to->has_state = to->has_in_flight = true;
	to->state = state_of(from, trl_mono_us());
	to->in_flight = from->in_flight;
	if (from->unready[0] != '\0')
		to->unready = trl_arena_strdup(ctx->arena, from->unready);
	out->peers[out->n_peers++] = to;
}

static void
add_caller(trl_ctx *ctx, const struct bus_conn *from, Operator__V1__PeersReply *out)
{
	Operator__V1__Caller *to;

	if (out->n_callers == LINES_MAX)
		return;
	to = trl_arena_alloc(ctx->arena, sizeof *to);
	operator__v1__caller__init(to);
	to->service = trl_arena_strdup(ctx->arena, from->caller);
	to->has_running = true;
	for (const struct bus_serving *call = from->calls; call != NULL;
	     call = call->next)
		to->running++;
	out->callers[out->n_callers++] = to;
}

enum trl_code
operator_peers(operator_self *self, trl_ctx *ctx, const Operator__V1__PeersRequest *in,
    Operator__V1__PeersReply *out)
{
	const trl_bus *bus = self->host->bus;

	(void)in;
	out->peers = trl_arena_alloc(ctx->arena, LINES_MAX * sizeof out->peers[0]);
	out->callers = trl_arena_alloc(ctx->arena, LINES_MAX * sizeof out->callers[0]);
	for (const struct bus_target *t = bus->targets; t != NULL; t = t->next)
		for (const struct bus_peer *p = t->peers; p != NULL; p = p->next)
			add_peer(ctx, p, out);
	for (const struct bus_conn *c = bus->server->conns; c != NULL; c = c->next)
		add_caller(ctx, c, out);
	return TRL_OK;
}
