/* bus.h - calls between services, and notices. The transport is nng (raw
 * REQ/REP and PUB/SUB), the frames are ours (proto/trellis/bus/). Services use
 * the generated stubs, which come down to trl_bus_call. */
#pragma once

#include <trl/actor.h>
#include <trl/method.h>

typedef struct trl_bus trl_bus;
enum { TRL_BUS_NAME_MAX = 40 }; /* of a service's name, without NUL */

/* Calls a method and parks until its reply. *out lies in ctx's arena. Deadline,
 * principal, tenant and trace go along; ctx->err is the callee's error. Fold a
 * condition that you do not handle (trl_fold). Errors: what the method lists, and every
 * fault. */
enum trl_code trl_bus_call(trl_ctx *ctx, trl_bus *bus, const struct trl_method *method,
    const ProtobufCMessage *in, ProtobufCMessage **out) TRL_MUST_CHECK;

/* What may differ from call to call; a zeroed field means the default. */
struct trl_call_terms {
	bool as_service;     /* on the service's own behalf, not the principal's */
	const char *step;    /* of a WRITE inside a WRITE: its name (the key is
				the parent's key and this) */
	uint32_t timeout_ms; /* less than what is left */
	const char *to;      /* the service, for a contract that several serve; NULL:
				the method's own */
	const char *at;      /* the one process at this address; NULL: any */
};
enum trl_code trl_bus_call_with(trl_ctx *ctx, trl_bus *bus,
    const struct trl_method *method, const ProtobufCMessage *in,
    const struct trl_call_terms *terms, ProtobufCMessage **out) TRL_MUST_CHECK;

/* Tells all who watch topic that something about these ids changed. May be lost;
 * carries nothing else. topic: "tenants.grant", at most 40 characters. */
void trl_bus_notify(
    trl_bus *bus, const char *topic, struct trl_id tenant, struct trl_id subject);
/* Start-up: fn runs on the loop (not in an actor) for each notice of topic that
 * a peer service sends (or this process itself). */
void trl_bus_watch(trl_bus *bus, const char *topic,
    void (*fn)(void *self, struct trl_id tenant, struct trl_id subject), void *self);

/* Whether at least one peer of the service is usable. */
bool trl_bus_reachable(const trl_bus *bus, const char *service);
/* NULL while at least one peer of the service is usable and says it is ready; else
 * why not, with the service's name. Good until the next call. */
const char *trl_bus_unready(trl_bus *bus, const char *service);
