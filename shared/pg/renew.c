/* renew.c - connections that have grown old. What a session keeps of the past may no
 * longer be what stands there: plans made before a column changed its type, statements
 * that somebody deallocated, the id of a role that was made again, a server that is not
 * the primary any more. A connection made now would not have that error; so the
 * statement that met it, which surely rolled back, goes out again over a new one, and
 * all the old ones end. */
#include "pool.h"

#include <string.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

#include "work.h"

enum { VAIN_MS = 1000 };

bool
pg_may_repeat(const trl_pg *pg, const struct pg_op *op)
{
	return !op->tied && !op->detached && !pg->closing && op->repeats < PG_REPEATS;
}

/* Our statements were checked at start: whatever calls one wrong (class 42, a
 * parameter's format, an object's id) speaks of what has changed since. Of missing
 * rights only those of the role, for row security refuses with the same code. */
bool
pg_is_stale(const struct pg_op *op)
{
	static const char *const states[] = { "0A000", "26000", "42", "22P03", "08P01",
		"25006", "25P02", "28", "XX000" };
	const char *state = PQresultErrorField(op->error, PG_DIAG_SQLSTATE);
	const char *from = PQresultErrorField(op->error, PG_DIAG_SOURCE_FUNCTION);

	if (strcmp(state, "42501") == 0)
		return from && strncmp(from, "aclcheck_error", 14) == 0;
	for (size_t i = 0; i < TRL_COUNT(states); i++)
		if (strncmp(state, states[i], strlen(states[i])) == 0)
			return true;
	return false;
}

static void
retire(struct pg_conn *conn)
{
	switch (conn->state) {
	case PG_DOWN:
		break;
	case PG_UP:
		conn->retiring = true;
		if (!conn->first && !conn->leased)
			pg_conn_close(conn);
		break;
	default:
		pg_conn_close(conn);
		conn->pg->connecting = NULL;
		break;
	}
}

void
pg_renew(trl_pg *pg, const struct pg_conn *but)
{
	for (size_t i = 0; i < pg->n_reads; i++)
		if (&pg->reads[i] != but)
			retire(&pg->reads[i]);
	for (size_t i = 0; i < pg->n_writes; i++)
		if (&pg->writes[i] != but)
			retire(&pg->writes[i]);
	if (!pg->connecting)
		pg_connect_soon(pg, 1);
}

/* After this connection's group: it ends once it is free. */
static void
begin_anew(struct pg_conn *conn, const struct pg_op *op, const struct trl_sql *sql)
{
	trl_log(TRL_LOG_WARN, NULL, "connections to PostgreSQL are made anew",
	    TRL_LOG_STR("why", PQresultErrorField(op->error, PG_DIAG_MESSAGE_PRIMARY)),
	    TRL_LOG_STR("statement", sql ? sql->name : "commit"),
	    TRL_LOG_STR("schema", conn->pg->sql->service));
	conn->pg->blamed = sql;
	conn->pg->blamed_until_us = trl_loop_now_us(conn->pg->loop) + VAIN_MS * 1000;
	conn->retiring = true;
	pg_renew(conn->pg, conn);
}

bool
pg_is_only_old(struct pg_conn *conn, struct pg_op *op)
{
	trl_pg *pg = conn->pg;
	uint64_t now = trl_loop_now_us(pg->loop);
	const struct trl_sql *sql = !op->detached && op->error_at < op->n_calls
					? op->calls[op->error_at].sql
					: NULL;

	if (!pg_is_stale(op) || pg->closing)
		return false;
	if (!conn->retiring) {
		/* New ones say the same: for a while it is as they say. */
		if (op->renewed || (pg->blamed == sql && now < pg->blamed_until_us))
			pg->vain_until_us = now + VAIN_MS * 1000;
		if (now < pg->vain_until_us)
			return false;
		begin_anew(conn, op, sql);
	}
	if (op->renewed)
		return false;
	op->renewed = true; /* a transaction is for its owner to begin again */
	return !op->tied && !op->detached;
}
