/* traces.h - spans of this process (span.h) to a collector, by OTLP over HTTP with
 * protobuf. They wait in a ring of 2,048; what the collector does not take in time is
 * dropped and counted. Without a collector nothing is recorded, and there is no ring.
 */
#pragma once

#include <trl/actor.h>
#include <trl/secret.h>

typedef struct trl_traces trl_traces;

struct trl_traces_options {
	const char *url; /* the collector's, to which /v1/traces is added */
	const trl_secret
	    *headers; /* as OTEL_EXPORTER_OTLP_HEADERS: name=value,name=value, with
		   percent-encoded values; or NULL */
	const char *ca_file; /* or NULL */
	double ratio;        /* of the traces that begin here */
	const char *service; /* of spans of nobody in particular; static */
	const char *version; /* static */
};

/* Why these cannot be, in words; NULL: they can. For settings, before anything is open.
 */
const char *trl_traces_refused_url(const char *url);
const char *trl_traces_refused_headers(const trl_secret *headers);

/* Start-up. NULL: said by trl_complain. */
trl_traces *trl_traces_open(trl_loop *loop, const struct trl_traces_options *options);
/* As trl_sender_close: the loop has to turn until no actor is alive. */
void trl_traces_close(trl_traces **traces);
/* Sends what there is without waiting for more, for two seconds at most. */
void trl_traces_flush(trl_traces *traces);
/* Whether nothing waits, or what waits cannot be sent in time. */
bool trl_traces_flushed(trl_traces *traces);
