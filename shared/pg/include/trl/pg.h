/* pg.h - a service's way to its schema in PostgreSQL: a few pipelined
 * connections that READ batches share, and a pool for writes and transactions.
 * Reconnects by itself with backoff; while there is no connection, calls fail
 * with TRL_UNAVAILABLE at once. */
#pragma once

#include <trl/actor.h>
#include <trl/sql.h>

typedef struct trl_pg trl_pg;
struct trl_event_type;

struct trl_pg_options {
	const char *url; /* postgresql://... or key=value; of the service's _app role */
	const struct trl_sql_set *sql;
	unsigned read_connections;  /* 2 */
	unsigned write_connections; /* 8 */
	/* Seals stored replies that hold secrets; 32 bytes, not kept in PostgreSQL. */
	const uint8_t *seal_key;
	const char *label; /* in metrics; NULL: the schema's name */
	/* The event that tells each entry of a tenant's audit chain (audit.v1.Entry),
	 * in the service's name; NULL, in tests: they are not told. */
	const struct trl_event_type *audit_told;
};

/* Whether the value of the setting name is a connection string; else trl_complain says
 * what is wrong with it. */
bool trl_pg_check_url(const char *name, const char *url);

/* Start-up only: connects one connection, refuses a role that is superuser,
 * BYPASSRLS or owner of a table, prepares every statement and checks the schema
 * against the migrations; prints each problem with what to do.
 * Errors: TRL_UNAVAILABLE (server), TRL_INTERNAL (role, statement, schema). */
enum trl_code trl_pg_open(
    trl_loop *loop, const struct trl_pg_options *options, trl_pg **out) TRL_MUST_CHECK;
void trl_pg_close(trl_pg **pg);
/* Whether a connection is up; for readiness. */
bool trl_pg_ready(const trl_pg *pg);
/* The same, and whether writes are taken and the schema fits: NULL, or a phrase that
 * says why not. */
const char *trl_pg_unready(const trl_pg *pg);

/* What a transaction left that this process should go on with at once. */
enum trl_pg_news {
	TRL_PG_EVENTS,
	TRL_PG_JOBS,
	TRL_PG_SERVICE, /* the service's own, mask as it likes */
	TRL_PG_NEWS
};
/* Start-up: fn runs on the loop's thread after each commit through pg that left such
 * news, with what its writers gave (trl_batch_news), or'ed. It must not park. A hint
 * only: it may also come where nothing was committed, and is lost with the process. */
void trl_pg_on_news(trl_pg *pg, enum trl_pg_news kind,
    void (*fn)(void *self, uint32_t mask), void *self);
