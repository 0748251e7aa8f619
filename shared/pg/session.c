/* session.c - what statements run under, and whether PostgreSQL itself is at the other
 * end of a connection.
 *
 * Behind a pooler that hands its servers out by transaction (PgBouncer; most managed
 * servers are reached so) a connection of ours has no session: settings made for one
 * would reach somebody else's transaction, and a prepared statement may lie on another
 * server. So nothing is set in the start-up packet, which PgBouncer refuses; the same
 * settings are made once for a session that is ours, and else lead each transaction.
 *
 * A pooler gives every client a cancel key of its own, so the process id in it is not
 * the one that PostgreSQL tells. A server wrongly taken for a pooler only costs
 * the parsing of statements. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include <trl/buf.h>
#include <trl/complain.h>
#include <trl/log.h>

static char *
make_lead(const trl_pg *pg, bool write)
{
	const char *local = pg->pooled ? "true" : "false";
	struct trl_buf text = { 0 };
	char *lead;

	trl_buf_printf(&text,
	    "select set_config('search_path', '%s', %s),"
	    " set_config('statement_timeout', '%d', %s),"
	    " set_config('lock_timeout', '%d', %s),"
	    " set_config('idle_in_transaction_session_timeout', '10000', %s),"
	    " set_config('jit', 'off', %s)",
	    pg->sql->service, local, PG_STATEMENT_TIMEOUT_MS, local, PG_LOCK_TIMEOUT_MS,
	    local, local, local);
	if (!write)
		trl_buf_printf(&text,
		    ", set_config('%stransaction_read_only', 'on', %s)",
		    pg->pooled ? "" : "default_", local);
	lead = strndup((char *)text.data, text.len);
	trl_buf_fini(&text);
	trl_assert(lead != NULL);
	return lead;
}

const char *
pg_conn_lead(const struct pg_conn *conn)
{
	return conn->write ? conn->pg->lead_write : conn->pg->lead_read;
}

/* NULL, or what is wrong. */
static const char *
exec(PGconn *pq, const char *sql)
{
	PGresult *res = PQexec(pq, sql);
	ExecStatusType status = PQresultStatus(res);

	PQclear(res);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
		   ? NULL
		   : PQerrorMessage(pq);
}

const char *
pg_session_open(struct pg_conn *conn)
{
	trl_pg *pg = conn->pg;
	PGresult *res = PQexec(conn->pq, "select pg_backend_pid()");
	bool told = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1;
	const char *why;

	pg->pooled = told && atoi(PQgetvalue(res, 0, 0)) != PQbackendPID(conn->pq);
	PQclear(res);
	if (!told)
		return PQerrorMessage(conn->pq);
	pg->lead_read = make_lead(pg, false);
	pg->lead_write = make_lead(pg, true);
	if (!pg->pooled)
		return exec(conn->pq, pg->lead_write);
	trl_log(TRL_LOG_INFO, NULL,
	    "PostgreSQL is behind a pooler: statements are not kept prepared",
	    TRL_LOG_STR("schema", pg->sql->service));
	why = exec(conn->pq, "begin");
	if (!why)
		return exec(conn->pq, "commit");
	trl_complain("%s: the pooler before PostgreSQL begins no transaction; where it "
		     "pools by statement, set it to pool by transaction or by session "
		     "(pool_mode of PgBouncer).",
	    pg->sql->service);
	return why;
}
