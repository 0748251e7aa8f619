/* open.c - the bus of a process, with all its ends: opened, ticking, closed. It stands
 * on everything else here. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

#include "bulk_unix.h"
#include "peer.h"
#include "server.h"
#include "threads.h"

/* A body may stand still for longer than at the door (30 s): where it is a client that
 * is slow, the door says so first. */
enum { TICK_MS = 700, IDLE_US = 35000000 };

static void
flush(void *self)
{
	trl_bus_net *net = self;
	bus_links_flush(&net->links);
}

/* Pings, ejections, forgotten acknowledgements. */
static void
tick_end(trl_bus *bus)
{
	for (struct bus_target *t = bus->targets; t != NULL; t = t->next) {
		for (struct bus_peer *p = t->peers, *next; p != NULL; p = next) {
			next = p->next;
			bus_peer_tick(p);
		}
		bus_target_show(t);
	}
	if (bus->server != NULL)
		bus_server_tick(bus->server);
}

static void
tick(uv_timer_t *timer)
{
	trl_bus_net *net = timer->data;
	bus_links_retry(&net->links);
	bulk_unix_spares_free(net);
	for (trl_bus *bus = net->buses; bus != NULL; bus = bus->next)
		tick_end(bus);
	bus_guests_look(net->guests);
	flush(net);
}

trl_bus_net *
trl_bus_net_open(trl_loop *loop, const struct trl_bus_net_options *options)
{
	trl_bus_net *net = calloc(1, sizeof *net);
	trl_assert(net != NULL && sodium_init() >= 0);
	net->loop = loop;
	net->holds = 1;
	if (options != NULL && options->run_dir != NULL)
		net->run_dir = strdup(options->run_dir);
	randombytes_buf(&net->boot, sizeof net->boot);
	net->idle_us = IDLE_US;
	if (options != NULL && options->idle_ms != 0)
		net->idle_us = options->idle_ms * 1000ull;
	bus_threads_few();
	bus_sockets_init(&net->sockets, loop, options);
	net->links.sockets = &net->sockets;
	bus_metrics_init(&net->m);
	trl_loop_on_flush(loop, flush, net);
	uint32_t ms =
	    options != NULL && options->tick_ms != 0 ? options->tick_ms : TICK_MS;
	uv_timer_init(trl_loop_uv(loop), &net->tick);
	net->tick.data = net;
	uv_timer_start(&net->tick, tick, ms, ms);
	uv_unref((uv_handle_t *)&net->tick);
	uv_timer_init(trl_loop_uv(loop), &net->soon);
	net->soon.data = net;
	net->guests = bus_guests_new(net);
	net->asked_for.shares =
	    (struct trl_shares){ .size = BUS_ASKED_FOR, .factor = 3 };
	net->served.shares.size = BUS_SERVED;
	net->files = (struct trl_offload){
		.name = "bus files", .slots = 4, .queue = 1024, .retry_after_ms = 1000
	};
	trl_offload_init(loop, &net->files);
	trl_log(TRL_LOG_INFO, NULL, "the bus's transport",
	    TRL_LOG_STR("nng", nng_version()));
	return net;
}

static void
release_net(uv_handle_t *handle)
{
	bus_net_release(handle->data);
}

void
trl_bus_net_close(trl_bus_net **net)
{
	if (*net == NULL)
		return;
	trl_assert((*net)->buses == NULL);
	trl_loop_off_flush((*net)->loop, *net);
	bus_net_hold(*net);
	uv_close((uv_handle_t *)&(*net)->tick, release_net);
	uv_close((uv_handle_t *)&(*net)->soon, release_net);
	*net = NULL;
}

void
trl_bus_close(trl_bus **bus)
{
	trl_bus *b = *bus;
	*bus = NULL;
	if (b == NULL)
		return;
	trl_bus **at = &b->net->buses;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	for (struct bus_target *t = b->targets; t != NULL; t = t->next) {
		if (t->resolve != NULL)
			bus_resolve_close(TRL_TAKE(t->resolve));
		while (t->peers != NULL)
			bus_peer_close(t->peers);
	}
	bus_notice_close(b);
	bus_server_close(&b->server);
	bus_release(&b);
}
