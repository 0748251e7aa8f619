/* metrics.c - what the bus counts of itself. */
#include "net.h"

void
bus_metrics_init(struct bus_metrics *m)
{
	m->calls = trl_counter_new("trellis_bus_calls_total",
	    "Calls made, by service and code", "service", "code", NULL);
	m->served = trl_counter_new("trellis_bus_served_total",
	    "Calls handled, by method and code", "method", "code", NULL);
	m->served_us = trl_histogram_new("trellis_bus_served_seconds",
	    "How long handling a call took", "method", NULL);
	m->refused = trl_counter_new("trellis_bus_refused_total",
	    "Messages that were not believed, by reason", "reason", NULL);
	m->peers = trl_gauge_new("trellis_bus_peers",
	    "Addresses of a service by state: up takes calls, down does not", "caller",
	    "service", "state", NULL);
	m->in_flight = trl_gauge_new("trellis_bus_calls_in_flight",
	    "Calls that wait for their reply", "caller", "service", NULL);
	m->ejections = trl_series_at(trl_counter_new("trellis_bus_ejections_total",
					 "Peers that stopped answering", NULL),
	    NULL);
	m->shed = trl_series_at(trl_counter_new("trellis_bus_shed_total",
				    "Calls answered BUSY at the door", NULL),
	    NULL);
	m->retries_out = trl_series_at(
	    trl_counter_new("trellis_bus_retries_total", "Calls made again", NULL),
	    NULL);
}
