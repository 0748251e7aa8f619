/* pool.h - a service's connections and the queues before them. Private to
 * shared/pg.
 *
 * READ ops gather during a turn of the loop and leave at its end, several under
 * one Sync: reads have nothing to roll back, so where one of a group fails, the
 * others are simply sent again, one by one. Under load that saves most system
 * calls on both sides. A write op has a connection to itself until its Sync. */
#pragma once

#include "conn.h"

#include <trl/ctx.h>
#include <trl/metrics.h>
#include <trl/secret.h>

#include "bind.h"

enum {
	PG_WAITING_MAX = 256, /* write ops without a connection; beyond: BUSY */
	PG_READS_WAITING_MAX = 4096,
	PG_GROUPS_AHEAD = 2,  /* groups under way on a read connection */
	PG_PATIENCE_MS = 1,   /* how long reads wait for the groups before them */
	PG_SILENT_MS = 500,   /* an answer awaited so long and in vain is in doubt */
	PG_UNHEARD_MS = 1500, /* all are silent: it is away */
	PG_GONE_MS = 2500,    /* and so are those that wait for it */
	PG_LOCK_TIMEOUT_MS = 50,
	PG_STATEMENT_TIMEOUT_MS = 5000,
	PG_CONNECT_TIMEOUT_MS = 3000,
	PG_HOPE_MS = 500, /* attempts that failed for longer: calls fail at once */
	PG_REPEATS = 2    /* of an op whose connection was to blame */
};

struct pg_queue {
	struct pg_op *first, *last;
	size_t len; /* those that somebody waits for */
};

struct trl_pg {
	trl_loop *loop;
	char *url, *label;
	const struct trl_sql_set *sql;
	const struct trl_event_type *audit_told; /* or NULL */
	trl_secret *seal_key;                    /* 32 bytes, or NULL */
	const char **keywords, **values;         /* of the connection string */
	PQconninfoOption *info;
	bool pooled; /* a pooler stands between: no session, no prepared statement */
	char *lead_read, *lead_write;

	size_t n_statements; /* the framework's, then the service's */
	struct pg_statement *statements;
	unsigned epoch; /* of their types; connections and ops of another are old */
	bool differs;   /* the connection that learns has found new ones */

	size_t n_reads, n_writes;
	struct pg_conn *reads, *writes;
	struct pg_conn
	    *connecting;   /* one at a time, so that a restart makes no storm */
	uv_timer_t *timer; /* backoff and the deadline of connecting */
	uv_timer_t *patience;
	uv_timer_t *asking;  /* whether writes are taken */
	struct pg_op *asked; /* and the answer is still to come; or NULL */
	uint64_t sought_us;  /* when another server was last looked for */
	const char *refusal; /* why writes are not taken, or NULL */
	bool unfit;          /* a statement did not fit the schema */
	unsigned failures;   /* in a row */
	uint64_t failing_since_us;
	uint64_t heard_us; /* when any connection said something */
	/* What connections are made anew for, and until when the same again, with no
	 * success between, tells that they are not to blame; until when that is known.
	 */
	const struct trl_sql *blamed;
	uint64_t blamed_until_us, vain_until_us;
	bool served; /* both kinds were up at some time */
	bool closing;

	struct pg_queue reading, writing;
	struct trl_tx *txs; /* open ones */
	struct {
		void (*fn)(void *self, uint32_t mask);
		void *self;
	} news[TRL_PG_NEWS];

	struct {
		trl_series *wait, *read, *write, *tx, *reconnects, *unknown;
		trl_series *idem_hit, *idem_conflict, *idem_new, *denied, *groups;
		trl_series *up, *in_use, *pipelined, *reads_wait, *writes_wait;
		trl_series *clock_offset;
	} m;
};

extern const struct trl_sql_set trl_framework;

/* The prepared statement's plans and types. */
struct pg_statement *pg_statement_of(trl_pg *pg, const struct trl_sql *sql);

/* Queues the op and parks until it is done. The outcome is in op; TRL_DEADLINE:
 * it was detached (op->sync_sent tells whether it may still happen).
 * Errors: TRL_BUSY, TRL_UNAVAILABLE, TRL_DEADLINE; written to ctx. */
enum trl_code pg_submit(trl_ctx *ctx, trl_pg *pg, struct pg_op *op) TRL_MUST_CHECK;
/* The same for an op of a tx, on its own connection. */
enum trl_code pg_submit_on(
    trl_ctx *ctx, struct pg_conn *conn, struct pg_op *op) TRL_MUST_CHECK;
/* Whether the actor of ctx holds an open tx; it must not wait for another
 * connection then, because PostgreSQL cannot see that deadlock. */
bool pg_holds_tx(const trl_pg *pg, const trl_ctx *ctx);
/* Queues an op that no actor waits for. */
void pg_submit_heard(trl_pg *pg, struct pg_op *op);
/* Where not even what is asked once a second was answered, makes anew what waits. */
void pg_give_up_silent(trl_pg *pg);
/* Whether a connection of each kind is up. */
bool pg_are_up(const trl_pg *pg);
/* Whether PostgreSQL takes writes: begins to ask; notes what an error says of it. */
void pg_health_start(trl_pg *pg);
void pg_note_refusal(trl_pg *pg, const struct pg_op *op);
/* At the end of a turn: what gathered leaves, a group a connection. */
void pg_flush_reads(void *pg);
/* Starts the connection that is missed most, unless one is on its way. */
void pg_connect_next(trl_pg *pg);
void pg_connect_soon(trl_pg *pg, uint32_t ms);
/* Whether op may go out once more by itself. */
bool pg_may_repeat(const trl_pg *pg, const struct pg_op *op);
/* Whether op failed for what its connection keeps of the past, and goes out again over
 * a new one; all that are as old end then. */
bool pg_is_only_old(struct pg_conn *conn, struct pg_op *op);
/* All connections but one (or NULL) end as they become free, and new ones are made. */
void pg_renew(trl_pg *pg, const struct pg_conn *but);
/* Learns who is at its other end, and makes the leads for it; blocks. NULL, or what is
 * wrong. */
const char *pg_session_open(struct pg_conn *conn);
/* After a commit: whoever listens hears of it. */
void pg_tell_news(trl_pg *pg, const uint32_t news[TRL_PG_NEWS]);
/* Ends what waits as never sent. */
void pg_fail_all(struct pg_queue *queue);
/* Gives a leased connection back. */
void pg_release(struct pg_conn *conn);
