/* advice.c - what whoever is told of a fault can do now. The fault's own words are for
 * the log only, and often another process's. */
#include "rooms/rooms.h"

/* What follows from a fault whose write may have been made. */
enum doubt {
	NO_DOUBT,    /* it is no write */
	TRY_AGAIN,   /* the same request is made once, by its Idempotency-Key */
	ASK_HOW_FAR, /* a HEAD of the same path says what is kept of the bytes */
	LOOK_FIRST
};

static enum doubt
doubt_of(const struct edge_request *request)
{
	const struct trl_method *method =
	    request->route ? request->route->method : NULL;

	if (!method || method->effect != TRL_WRITE)
		return NO_DOUBT;
	if (method->takes && edge_route_has(request, TRL_HEAD))
		return ASK_HOW_FAR; /* of which no record is kept */
	if (trl_http_header(request->http, "idempotency-key"))
		return TRY_AGAIN;
	return LOOK_FIRST;
}

const char *
edge_advice(const struct edge_request *request, enum trl_code rc)
{
	static const char *const in_doubt[] = {
		[NO_DOUBT] = "It could not be done in time. Try again after the time "
			     "in Retry-After.",
		[TRY_AGAIN] =
		    "It may have been done or not. Send the same request with "
		    "the same Idempotency-Key again: it is done at most once.",
		[ASK_HOW_FAR] =
		    "Some of what was sent may be kept. Ask by HEAD how far it "
		    "has come, and go on from there.",
		[LOOK_FIRST] =
		    "It may have been done or not. After the time in Retry-After "
		    "look whether it was, before you send it again; with an "
		    "Idempotency-Key it could be sent again as it is.",
	};

	switch (rc) {
	case TRL_BUSY:
		return "There is too much to do right now. Try again after the time in "
		       "Retry-After.";
	case TRL_UNAVAILABLE:
		return "A part of the system does not answer. Try again after the time "
		       "in "
		       "Retry-After.";
	case TRL_DEADLINE:
	case TRL_UNCERTAIN:
		return in_doubt[doubt_of(request)];
	default:
		return NULL;
	}
}

unsigned
edge_retry_after_s(const struct edge_request *request, enum trl_code rc)
{
	const uint32_t said_ms = request->ctx->err.retry_after_ms;

	if (said_ms)
		return (said_ms + 999) / 1000;
	return rc >= TRL_BUSY && rc != TRL_INTERNAL ? 1 : 0;
}
