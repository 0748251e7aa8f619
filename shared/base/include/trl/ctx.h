/* ctx.h - the context of one message: who asks, for which tenant, until when, and how
 * it went. Made by a dispatch loop (the bus's server, the edge, a job) for
 * one actor, passed first to everything that may park, gone with the message.
 *
 * Open on purpose: handlers read it. Only dispatch loops write it, and
 * trl_fail its err. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/arena.h>
#include <trl/clock.h>
#include <trl/err.h>
#include <trl/id.h>

struct trl_loop;
struct trl_actor;
struct trl_method;
struct trl_job_run;
struct trl_pg;
struct trl_stream;

enum trl_principal_kind {
	TRL_NOBODY,  /* PUBLIC methods */
	TRL_PERSON,  /* account and session are set */
	TRL_KEY,     /* an API key: key and tenant are set, account is its maker */
	TRL_SERVICE, /* a service of the mesh on its own behalf */
	TRL_OPERATOR
};

struct trl_principal {
	enum trl_principal_kind kind;
	struct trl_id account;
	struct trl_id session; /* or the API key's id */
	bool verified;         /* the account's address is proven */
	/* What may be done in ctx->tenant: rising trl_permission ids. */
	const uint32_t *permissions;
	size_t n_permissions;
	uint8_t role;           /* enum trellis.Role, 0 outside a tenant */
	const char *address;    /* the client's IP address as text, or "" */
	const char *user_agent; /* at most 200 characters, or "" */
};

/* W3C trace context: 16 and 8 bytes, and the sampled flag. */
struct trl_trace {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t flags;
};

/* The key under which a WRITE runs once (reliability: idempotency records). */
struct trl_idempotency {
	const char *key;     /* NULL: a READ */
	bool from_client;    /* kept 24 h, else 5 minutes */
	uint32_t kept_s;     /* longer than that, where not 0 (a job's) */
	bool is_retry;       /* of the edge's own: wait for a running one */
	uint8_t scope[16];   /* account or key id, else a hash of address and name */
	uint8_t request[32]; /* BLAKE2b of method, path and request */
	bool recorded;       /* set by the write batch; dispatch wants it */
	bool unchanged;      /* in its place: trl_unchanged */
	bool replayed;       /* the reply is a stored one */
};

struct trl_after_write; /* see trl_after_write */

struct trl_ctx {
	struct trl_loop *loop;
	struct trl_actor *actor; /* NULL outside an actor: then nothing may park */
	trl_arena *arena;
	uint64_t deadline_us; /* monotonic */
	bool cancelled;       /* the caller has gone; parking fails with DEADLINE */
	const struct trl_method *method; /* or NULL */
	const char *service;             /* whose code runs: "tenants" */
	struct trl_pg *pg;  /* the service's PostgreSQL, for messages; or NULL */
	const char *caller; /* the service that sent the message, or NULL */
	struct trl_principal principal;
	struct trl_id tenant; /* nil: none */
	struct trl_trace trace;
	uint64_t call_id;
	struct trl_stream *stream;   /* the bodies of the message, or NULL */
	struct trl_id job;           /* the job that runs (jobs.h), or nil */
	struct trl_job_run *job_run; /* its worker's, or NULL */
	struct trl_idempotency idempotency;
	struct trl_after_write *after_write;
	bool has_if_version;
	int64_t if_version; /* from If-Match */
	int64_t now_us;     /* 0: the wall clock; else a tenant's test clock */
	struct trl_err err;
};
typedef struct trl_ctx trl_ctx;

/* Wall microseconds as this message sees them. The only clock of a handler. */
int64_t trl_now(const trl_ctx *ctx);
/* A new version 7 id. The only source of ids of a handler. */
struct trl_id trl_new_id(const trl_ctx *ctx);
/* Milliseconds until the deadline, 0 when past. */
uint32_t trl_time_left_ms(const trl_ctx *ctx);
/* Whether the principal holds a permission (id from the generated catalogue); the
 * operator holds all. */
bool trl_may(const trl_ctx *ctx, uint32_t permission);

/* In a WRITE's handler, before it writes: has fn(ctx, arg) called between the end of
 * the handler and the answer, unless the write was refused. So fn also runs if another
 * run of the key was faster, or if nobody knows whether the write happened: it must do
 * no harm when repeated, may park, and cannot fail the message. arg must live as long
 * as the message. If the answer is a stored one and the handler does not run, the
 * service's replayed is called instead (trl/service.h): the run that stored it may have
 * been killed before fn ran. */
void trl_after_write(trl_ctx *ctx, void (*fn)(trl_ctx *ctx, void *arg), void *arg);
/* Says, before a WRITE answers TRL_OK, that it found nothing to change: it leaves no
 * record, and a retry finds the same. */
static inline void
trl_unchanged(trl_ctx *ctx)
{
	ctx->idempotency.unchanged = true;
}
/* For dispatch only: the message ended with rc; calls them in order. */
void trl_write_ended(trl_ctx *ctx, enum trl_code rc);

/* Makes random trace and span ids; sampled as trl_spans_open was told, else not. */
void trl_trace_new(struct trl_trace *trace);
