/* bus_open.h - making the ends of the bus: for the skeleton (bus/service), tests
 * and the bench. Services get theirs from the skeleton. Start-up and loop
 * thread; nothing here parks. */
#pragma once

#include <trl/bus.h>

/* What all ends of the bus in one process share: the loop, the socket that
 * hears notices, certificates, the ticking. */
typedef struct trl_bus_net trl_bus_net;

struct trl_bus_net_options {
	/* PEM texts; needed for tls+tcp addresses, else NULL. The host of an address
	 * must be in the certificate of the process that answers there. */
	const char *tls_ca, *tls_cert;
	const char *tls_key; /* of tls_key_len bytes */
	size_t tls_key_len;
	uint32_t tick_ms; /* between pings; 0: 700 */
	uint32_t idle_ms; /* how long a body may make no progress; 0: 35 s */
	/* A folder that belongs to the process's user; below it services listen for
	 * bodies from this host (bulk/). NULL: they do not. */
	const char *run_dir;
};

/* Why tls_ca, tls_cert and tls_key, all set, cannot be used together (static), or NULL.
 */
const char *trl_bus_tls_refused(const struct trl_bus_net_options *options);

trl_bus_net *trl_bus_net_open(
    trl_loop *loop, const struct trl_bus_net_options *options);
/* After all of its buses were closed. */
void trl_bus_net_close(trl_bus_net **net);

struct trl_bus_options {
	const char *service; /* whose end this is */
	const char *listen; /* "tcp://127.0.0.1:7101", several with commas; NULL: serves
			       nobody */
	const char *notice_listen; /* NULL: notices stay in the process */
};

trl_bus *trl_bus_open(trl_bus_net *net, const struct trl_bus_options *options);
/* Keys shared with a peer, as in its file: lines of kid:hex. Without keys, only
 * inproc reaches it or is reached by it. False: text is not of that form. */
bool trl_bus_key(trl_bus *bus, const char *peer, const char *text) TRL_MUST_CHECK;
/* Whether a text is of that form. */
bool trl_bus_key_fine(const char *text);
/* Where a service is reached: addresses separated by commas, tcp, tls+tcp, inproc, or
 * dns+tcp://name:port, resolved every five seconds. False: an address is bad, *why
 * (static) says how. */
bool trl_bus_peer(trl_bus *bus, const char *service, const char *addresses,
    const char **why) TRL_MUST_CHECK;
/* The addresses of a service's processes, at most max; a name as it resolves now. They
 * live as long as the bus. */
size_t trl_bus_addresses(
    const trl_bus *bus, const char *service, const char **out, size_t max);
/* Begins to listen and serve contracts (NULL-ended) with self as their state.
 * Errors: TRL_UNAVAILABLE, printed (address in use...). */
enum trl_code trl_bus_serve(trl_bus *bus, const struct trl_contract *const *contracts,
    void *self) TRL_MUST_CHECK;
/* Before trl_bus_serve: serves further contracts, with a state of their own. For those
 * that every service has (events, the operator). */
void trl_bus_serve_also(
    trl_bus *bus, const struct trl_contract *const *contracts, void *self);
/* Has callers told whether this service is ready, with each PING and when it changes:
 * unready gives NULL when it is, else a sentence of at most 90 characters. */
void trl_bus_tell_ready(trl_bus *bus, const char *(*unready)(void *self), void *self);
/* Reads the record of ctx's idempotency key: fills reply if the key has run for the
 * request in. May park. Errors: TRL_INVALID (it ran for another request). */
typedef enum trl_code trl_bus_record_fn(void *self, trl_ctx *ctx,
    const ProtobufCMessage *in, ProtobufCMessage *reply, bool *replayed);
/* Has a WRITE's record looked up before its handler, which does not run if there is
 * one; and once more if the handler refused, because an earlier run of the same key may
 * have caused what it was refused for. A key of another request is refused. Nothing is
 * looked up for a key that cannot have run before: one that the edge made, at its first
 * attempt. */
void trl_bus_tell_record(trl_bus *bus, trl_bus_record_fn *record, void *self);
/* Sets what messages find as ctx->pg: the service's connections. */
void trl_bus_tell_pg(trl_bus *bus, struct trl_pg *pg);
/* Asks all callers to go elsewhere; what runs is finished and answered. */
void trl_bus_drain(trl_bus *bus);
/* Whether nothing runs and every answer was received. */
bool trl_bus_drained(const trl_bus *bus);
void trl_bus_close(trl_bus **bus);

/* For tests: from now on every notice is lost on its way here. */
void trl_bus_drop_notices(trl_bus_net *net, bool drop);
/* For tests: peers usable, calls waiting for a reply, calls being handled. */
unsigned trl_bus_peers_up(const trl_bus *bus, const char *service);
size_t trl_bus_waiting(const trl_bus *bus);
size_t trl_bus_running(const trl_bus *bus);
