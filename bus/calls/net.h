/* net.h - what the ends of the bus in one process share. Private to bus/calls. */
#pragma once

#include "guests.h"
#include "link.h"

struct bus_metrics {
	trl_metric *calls, *served, *served_us, *refused, *peers, *in_flight;
	trl_series *ejections, *shed, *retries_out;
};

void bus_metrics_init(struct bus_metrics *m);

struct trl_bus_net {
	trl_loop *loop;
	struct bus_sockets sockets;
	struct bus_links links;
	uint64_t boot;
	uv_timer_t tick, soon;
	struct bus_guests *guests;
	trl_bus *buses; /* list by next */
	nng_socket sub; /* hears notices; never closed, never timed out */
	nng_aio *sub_aio;
	bool has_sub, drop_notices;
	struct bus_notice_source *sources;
	uint64_t refused_since;
	unsigned refused_logged;
	struct bus_metrics m;
	unsigned holds; /* itself and its buses */
};

void bus_net_hold(trl_bus_net *net);
void bus_net_release(trl_bus_net *net);
/* Counts and logs a message that is not believed (log at most ten a second). */
void bus_net_refused(
    trl_bus_net *net, const char *service, const char *peer, const char *why);
