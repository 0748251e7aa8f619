/* conn.h - one connection to PostgreSQL in pipeline mode, and the ops that travel
 * over it. Private to shared/pg.
 *
 * An op is one transaction's statements, sent as a run and finished by a Sync.
 * It lives on the heap with a count of its holders (the actor that waits, the
 * connection or queue that works on it), because an actor may leave at its
 * deadline while the answer is still on its way: it then detaches, and the
 * results are dropped when they come. Parameters lie in the actor's arena; libpq
 * copies them when the op is sent, so a detached op that was not sent is skipped. */
#pragma once

#include <libpq-fe.h>
#include <uv.h>

#include <trl/actor.h>
#include <trl/pg.h>

enum { PG_PARAMS_MAX = 48, PG_GROUP_MAX = 16 };

/* One statement with its bound parameters; all in binary format. */
struct pg_call {
	const struct trl_sql *sql;
	const char *const *values;
	const int *lengths;
	size_t n_params;
};

enum pg_outcome {
	PG_PENDING,
	PG_FINE,   /* its Sync came back */
	PG_FAILED, /* error holds PostgreSQL's; nothing was committed */
	PG_UNSENT, /* the connection went before the Sync was sent */
	PG_STALE,  /* not sent: it was bound to types that have changed since */
	PG_LOST    /* ... after: a write may be committed or not */
};

struct pg_op {
	struct pg_op *next;
	unsigned holders;
	bool write;      /* goes to a connection of the write pool */
	bool lease;      /* has no calls: takes a write connection for a tx */
	bool tied;       /* of a tx: goes over that connection or none */
	bool led;        /* the result of its connection's lead is still to come */
	bool solo;       /* a read that shares its Sync with nobody */
	bool timed;      /* it has a statement_timeout of its own, and so is solo */
	bool ends_group; /* its Sync is sent after it */
	bool queued;     /* in one of the pool's queues */
	bool detached;   /* nobody waits */
	bool sync_sent;
	enum pg_outcome outcome;
	struct trl_ticket ticket;
	/* Where no actor waits: hears the outcome. */
	void (*heard)(void *self, const struct pg_op *op);
	void *self;
	struct pg_conn *conn; /* of a lease */
	unsigned repeats;     /* how often it went out again by itself */
	bool renewed;         /* ... because its connection was too old */
	unsigned epoch;       /* of the types that it is bound to */
	uint64_t queued_us;
	const struct pg_call *calls;
	size_t n_calls;
	size_t n_done; /* calls that are over */
	PGresult *error;
	size_t error_at; /* index of the call; n_calls: at commit */
	PGresult *results[];
};

enum pg_conn_state { PG_DOWN, PG_CONNECTING, PG_PREPARING, PG_UP };

struct pg_conn {
	struct trl_pg *pg;
	bool write;
	bool leased;
	bool retiring; /* takes nothing more, and closes once it is free */
	enum pg_conn_state state;
	PGconn *pq;
	uv_poll_t *poll;
	int poll_fd;
	int events;
	uint64_t deadline_us;       /* of connecting */
	unsigned epoch;             /* of the types it has learned */
	size_t learned;             /* results of that so far */
	struct pg_op *first, *last; /* sent, oldest first */
	struct pg_op *current;      /* whose results are coming; NULL: at a Sync */
	size_t groups;              /* Syncs outstanding */
	uint64_t since_us;          /* when the oldest of them began to be waited for */
	bool got;                   /* a result of the current call came */
};

struct pg_op *pg_op_new(size_t n_calls);
void pg_op_unref(struct pg_op **op);

/* Starts connecting; ends in pg_conn_is_up or pg_conn_is_down. */
void pg_conn_start(struct pg_conn *conn);
/* Blocks until connected, for trl_pg_open. NULL, or what is wrong. */
const char *pg_conn_start_now(struct pg_conn *conn);
/* Then: prepares and describes all statements and goes over to the loop. NULL, or
 * what is wrong ("": printed already). */
const char *pg_conn_learn(struct pg_conn *conn);
/* The same without blocking: sends it all, under one Sync. False: lost. */
bool pg_learn_send(struct pg_conn *conn);
/* One result of it; takes it. False: logged what is wrong. */
bool pg_learn_take(struct pg_conn *conn, PGresult *res);
/* Its Sync came back. */
void pg_learn_end(struct pg_conn *conn);

/* What its transactions run under, as one statement of set_config's. */
const char *pg_conn_lead(const struct pg_conn *conn);
/* Sends ops (linked by next) as one group with one Sync; takes one hold of each. */
void pg_conn_send(struct pg_conn *conn, struct pg_op *ops);
void pg_conn_flush(struct pg_conn *conn);
/* Closes without telling the pool; ops end as LOST. */
void pg_conn_close(struct pg_conn *conn);

/* The text a statement has on this kind of connection. */
const char *pg_conn_text(const struct pg_conn *conn, const struct trl_sql *sql);
/* Waits for these uv events on the socket. */
void pg_conn_watch(struct pg_conn *conn, int events);

/* What the pool does when: */
void pg_conn_is_up(struct pg_conn *conn);
void pg_conn_is_down(struct pg_conn *conn, const char *why);
void pg_conn_is_free(struct pg_conn *conn); /* after each finished group */
void pg_op_is_done(struct pg_op *op);       /* outcome is set; drops the hold */
/* Nothing of it was committed, and it was cleared: it goes out again by itself. */
void pg_op_again(struct trl_pg *pg, struct pg_op *op);
