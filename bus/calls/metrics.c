/* metrics.c - what the bus counts of itself.
 *
 * How each method may end is known, and so all of it stands there with 0: a method's
 * results by three words, a service's by code. Both by code would be a thousand series
 * in a process of all services, of which most are never touched. What the operator's
 * command asks is counted as one method: nobody watches how fast it is. */
#include "bulk.h"
#include "net.h"
#include "server.h"

#include <trl/method.h>

/* All that bus_net_refused() is told. */
static const char *const reasons[] = { "bad_ack", "bad_chunk", "bad_credit", "bad_end",
	"bad_file", "bad_hello", "bad_mac", "broken frame header", "chunk_after_end",
	"chunk_of_nobody", "foreign_user", "frame longer than its message",
	"frame without a kind", "frames_in_ack", "malformed", "no_hello", "no_key",
	"no_room", "not_allowed", "over_credit", "replayed", "second_end",
	"second_hello", "stray_file", "too_many_files", "truncated frame",
	"unexpected_tag", "unknown_caller", "unknown_kid", "unknown_token", "untagged",
	"wrong_service" };

void
bus_metrics_init(struct bus_metrics *m)
{
	m->calls = trl_counter_new("trellis_bus_calls_total",
	    "Calls made, by service and code", "service", "code", NULL);
	m->call_us = trl_histogram_new(TRL_SCALE_DECADE, "trellis_bus_call_seconds",
	    "From a call that was made to its answer, each attempt", "service", NULL);
	m->served = trl_counter_new("trellis_bus_served_total",
	    "Calls handled: ok, refused (the caller's fault) or failed (ours)",
	    "method", "result", NULL);
	m->served_us = trl_histogram_new(TRL_SCALE_COARSE, "trellis_bus_served_seconds",
	    "How long handling a call took", "method", NULL);
	m->answers = trl_counter_new("trellis_bus_answers_total",
	    "Calls handled, by code", "service", "code", NULL);
	m->refused = trl_counter_new("trellis_bus_refused_total",
	    "Messages that were not believed, by reason", "reason", NULL);
	for (size_t i = 0; i < TRL_COUNT(reasons); i++)
		trl_series_at(m->refused, reasons[i]);
	m->peers = trl_gauge_new("trellis_bus_peers",
	    "Addresses of a service by state: up takes calls, down does not", "caller",
	    "service", "state", NULL);
	m->in_flight = trl_gauge_new("trellis_bus_calls_in_flight",
	    "Calls that wait for their reply", "caller", "service", NULL);
	m->tokens = trl_gauge_new("trellis_bus_retry_tokens",
	    "How many calls may be made again; each call adds a tenth, up to 10",
	    "caller", NULL);
	m->streams = trl_counter_new("trellis_bus_streams_total",
	    "Calls with bodies: in, that were served, and out, that were made",
	    "service", "peer", "way", NULL);
	m->stream_bytes = trl_counter_new("trellis_bus_stream_bytes_total",
	    "Bytes of bodies", "service", "peer", "way", NULL);
	m->stream_waits = trl_counter_new("trellis_bus_stream_waits_total",
	    "How often a writer of a body waited for its reader", "service", "peer",
	    NULL);
	m->ejections = trl_series_at(trl_counter_new("trellis_bus_ejections_total",
					 "Peers that stopped answering", NULL),
	    NULL);
	m->connects = trl_series_at(trl_counter_new("trellis_bus_connects_total",
					"Connections to peers that were made", NULL),
	    NULL);
	m->shed = trl_series_at(trl_counter_new("trellis_bus_shed_total",
				    "Calls answered BUSY at the door", NULL),
	    NULL);
	m->retries_out = trl_series_at(
	    trl_counter_new("trellis_bus_retries_total", "Calls made again", NULL),
	    NULL);
}

void
bus_metrics_bulk(struct bus_bulk *bulk)
{
	static const char *const ways[] = { "in", "out" };
	struct bus_metrics *m = &bulk->bus->net->m;
	const char *service = bulk->bus->service;

	for (size_t i = 0; i < TRL_COUNT(ways); i++) {
		bulk->m.streams[i] =
		    trl_series_at(m->streams, service, bulk->to, ways[i]);
		bulk->m.bytes[i] =
		    trl_series_at(m->stream_bytes, service, bulk->to, ways[i]);
	}
	bulk->m.waits = trl_series_at(m->stream_waits, service, bulk->to);
}

const char *
bus_metrics_name(const struct trl_method *method)
{
	return method->auth == TRL_AUTH_OPERATOR ? "operator" : method->name;
}

/* Conditions that dispatch may answer for any method (err.h). */
static bool
is_anybodys(enum trl_code code)
{
	return code == TRL_UNAUTHENTICATED || code == TRL_DENIED || code == TRL_RATE ||
	       code == TRL_MALFORMED || code == TRL_INVALID;
}

void
bus_metrics_serve(struct bus_metrics *m, struct bus_server *server,
    const struct trl_method *method, struct bus_served *served)
{
	static const char *const results[] = { "ok", "refused", "failed" };
	const char *name = bus_metrics_name(method);

	served->us = trl_series_at(m->served_us, name);
	for (size_t i = 0; i < TRL_COUNT(results); i++)
		served->results[i] = trl_series_at(m->served, name, results[i]);
	for (int code = TRL_OK; code <= TRL_INTERNAL; code++)
		if (code == TRL_OK || code >= TRL_BUSY || is_anybodys(code) ||
		    (method->errors >> code & 1) != 0)
			bus_metrics_answer(server, code);
}

trl_series *
bus_metrics_answer(struct bus_server *server, enum trl_code code)
{
	trl_series **at = &server->codes[code & 63];

	if (*at == NULL)
		*at = trl_series_at(server->bus->net->m.answers, server->bus->service,
		    trl_code_name(code));
	return *at;
}
