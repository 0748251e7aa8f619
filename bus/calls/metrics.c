/* metrics.c - what the bus counts of itself.
 *
 * What each method may answer is known, and so all of it stands there with 0: success
 * and the faults, which may come from anywhere, in any case; the conditions that its
 * contract lists and those of dispatch as far as there is room. What the operator's
 * command asks is counted as one method: nobody watches how fast it is. */
#include "net.h"
#include "server.h"

#include <trl/method.h>

/* All that bus_net_refused() is told. */
static const char *const reasons[] = { "bad_ack", "bad_hello", "bad_mac",
	"broken frame header", "frame longer than its message", "frame without a kind",
	"frames_in_ack", "malformed", "no_key", "not_allowed", "replayed",
	"second_hello", "truncated frame", "unexpected_tag", "unknown_caller",
	"unknown_kid", "untagged", "wrong_service" };

void
bus_metrics_init(struct bus_metrics *m)
{
	m->calls = trl_counter_new("trellis_bus_calls_total",
	    "Calls made, by service and code", "service", "code", NULL);
	m->call_us = trl_histogram_new(TRL_SCALE_DECADE, "trellis_bus_call_seconds",
	    "From a call that was made to its answer, each attempt", "service", NULL);
	m->served = trl_counter_new("trellis_bus_served_total",
	    "Calls handled, by method and code", "method", "code", NULL);
	m->served_us = trl_histogram_new(TRL_SCALE_DECADE, "trellis_bus_served_seconds",
	    "How long handling a call took", "method", NULL);
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
bus_metrics_serve(struct bus_metrics *m, struct bus_served *served)
{
	const struct trl_method *method = served->method;
	const char *name = bus_metrics_name(method);

	served->us = trl_series_at(m->served_us, name);
	served->codes[TRL_OK] = trl_series_at(m->served, name, trl_code_name(TRL_OK));
	for (int code = TRL_BUSY; code <= TRL_INTERNAL; code++)
		served->codes[code] =
		    trl_series_at(m->served, name, trl_code_name(code));
	for (int code = TRL_MALFORMED; code < TRL_BUSY; code++)
		if ((method->errors >> code & 1) != 0 || is_anybodys(code))
			trl_series_want(m->served, name, trl_code_name(code));
}
