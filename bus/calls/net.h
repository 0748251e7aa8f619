/* net.h - what the ends of the bus in one process share. Private to bus/calls. */
#pragma once

#include <trl/shares.h>

#include "guests.h"
#include "link.h"

struct bus_metrics {
	trl_metric *calls, *call_us, *served, *served_us, *answers, *refused, *peers,
	    *in_flight, *tokens;
	trl_metric *streams, *stream_bytes, *stream_waits;
	trl_series *ejections, *shed, *retries_out, *connects;
};

struct bus_served;
struct bus_server;
struct bus_bulk;
struct bus_piece;

void bus_metrics_init(struct bus_metrics *m);
/* Makes the series of what is served. */
void bus_metrics_serve(struct bus_metrics *m, struct bus_server *server,
    const struct trl_method *method, struct bus_served *served);
/* The series of a server's answers with a code. */
trl_series *bus_metrics_answer(struct bus_server *server, enum trl_code code);
/* The series of what bodies go to and come from a peer. */
void bus_metrics_bulk(struct bus_bulk *bulk);
/* The name it is counted by. */
const char *bus_metrics_name(const struct trl_method *method);

enum { BUS_ASKED_FOR = 32 << 20, BUS_SERVED = 64 << 20 };

/* Memory of this process for bodies that come with replies to its calls, or with calls
 * to it: stream_credit.c. */
struct bus_budget {
	struct trl_shares shares;
	unsigned readers;
};

struct trl_bus_net {
	trl_loop *loop;
	struct bus_sockets sockets;
	struct bus_links links;
	uint64_t boot;
	char *run_dir; /* NULL: no socket for bodies from this host */
	uv_timer_t tick, soon;
	struct bus_guests *guests;
	struct bus_budget asked_for, served;
	uint64_t idle_us;         /* that a body may stand still */
	struct trl_offload files; /* that are read for a body */
	struct bus_piece *spares; /* bulk_unix_wire.c's */
	unsigned n_spares;
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
