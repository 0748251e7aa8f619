/* learn.c - every connection has all statements described, and those of its kind stay
 * prepared there; through a pooler none do. The first one of a service blocks and shows
 * all that is wrong, so that a bad statement stops the start. A later one may find that
 * parameters have other types than before, for somebody changed a column: what is bound
 * to the old ones is then bound again, and the connections that know only those end. */
#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>
#include <trl/log.h>

#include "pool.h"

static void
quiet(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static bool
is_known(const struct pg_statement *st, const PGresult *res)
{
	if (!st->param_types || st->n_params != (size_t)PQnparams(res) ||
	    st->n_columns != (size_t)PQnfields(res))
		return false;
	for (int i = 0; i < (int)st->n_params; i++)
		if (st->param_types[i] != PQparamtype(res, i))
			return false;
	return true;
}

static void
keep_types(struct pg_statement *st, const PGresult *res)
{
	pg_statement_fini(st);
	st->n_params = (size_t)PQnparams(res);
	st->n_columns = (size_t)PQnfields(res);
	st->param_types = calloc(st->n_params + 1, sizeof(Oid));
	st->column_names = calloc(st->n_columns + 1, sizeof(char *));
	trl_assert(st->param_types && st->column_names);
	for (int i = 0; i < (int)st->n_params; i++)
		st->param_types[i] = PQparamtype(res, i);
	for (int i = 0; i < (int)st->n_columns; i++)
		st->column_names[i] = strdup(PQfname(res, i));
}

static bool
send_learning(const struct pg_conn *conn, const struct trl_sql *sql)
{
	bool stays = !conn->pg->pooled && (conn->write || !sql->writes);
	const char *name = stays ? sql->name : "";

	return PQsendPrepare(conn->pq, name, pg_conn_text(conn, sql), 0, NULL) &&
	       PQsendDescribePrepared(conn->pq, name);
}

static bool
send_lead(const struct pg_conn *conn)
{
	return PQsendQueryParams(
	    conn->pq, pg_conn_lead(conn), 0, NULL, NULL, NULL, NULL, 1);
}

bool
pg_learn_send(struct pg_conn *conn)
{
	struct trl_pg *pg = conn->pg;

	PQsetNoticeProcessor(conn->pq, quiet, NULL);
	conn->learned = 0;
	if (PQsetnonblocking(conn->pq, 1) != 0 || !PQenterPipelineMode(conn->pq) ||
	    !send_lead(conn))
		return false;
	for (size_t i = 0; i < pg->n_statements; i++)
		if (!send_learning(conn, pg->statements[i].sql))
			return false;
	return PQpipelineSync(conn->pq) == 1;
}

/* The types of one statement came. */
static void
compare(struct trl_pg *pg, struct pg_statement *st, const PGresult *res)
{
	if (is_known(st, res))
		return;
	if (!pg->differs) /* until all are known, nothing that is bound goes out */
		pg->epoch++;
	pg->differs = true;
	keep_types(st, res);
}

bool
pg_learn_take(struct pg_conn *conn, PGresult *res)
{
	struct trl_pg *pg = conn->pg;
	size_t nth = conn->learned++; /* the lead, then two of each statement */
	struct pg_statement *st = nth > 0 ? &pg->statements[(nth - 1) / 2] : NULL;

	if (PQresultStatus(res) == PGRES_FATAL_ERROR) {
		pg->unfit = st && PQresultErrorField(res, PG_DIAG_SQLSTATE);
		if (pg->unfit)
			trl_log(TRL_LOG_ERROR, NULL,
			    "a statement does not fit the schema",
			    TRL_LOG_STR("file", st->sql->file),
			    TRL_LOG_STR("why",
				PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY)));
		PQclear(res);
		return false;
	}
	if (st && nth % 2 == 0)
		compare(pg, st, res);
	PQclear(res);
	return true;
}

void
pg_learn_end(struct pg_conn *conn)
{
	struct trl_pg *pg = conn->pg;

	if (pg->differs) {
		pg->differs = false;
		pg->epoch++;
		pg_renew(pg, conn);
	}
	conn->epoch = pg->epoch;
	pg->unfit = false;
}

static bool
complain(const struct trl_sql *sql, const PGresult *res)
{
	const char *at = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
	const char *hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);

	trl_complain("%s: %s%s%s%s%s", sql->file,
	    PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY),
	    at ? ", at character " : "", at ? at : "", hint ? "; " : "",
	    hint ? hint : "");
	return false;
}

/* Prepares and describes each statement; prints each one that is wrong. A Sync
 * after each, so that one error does not hide the others. */
static bool
learn_statements(struct pg_conn *conn)
{
	struct trl_pg *pg = conn->pg;
	bool ok = true;

	for (size_t i = 0; i < pg->n_statements; i++) {
		const struct trl_sql *sql = pg->statements[i].sql;

		if ((pg->pooled && !send_lead(conn)) || !send_learning(conn, sql) ||
		    !PQpipelineSync(conn->pq))
			return false;
	}
	for (size_t i = 0; i < pg->n_statements; i++) {
		for (int part = pg->pooled ? -1 : 0; part < 2; part++) {
			PGresult *res = PQgetResult(conn->pq), *null;

			if (PQresultStatus(res) == PGRES_FATAL_ERROR) {
				if (!PQresultErrorField(res, PG_DIAG_SQLSTATE)) {
					PQclear(res);
					return false;
				}
				ok = complain(pg->statements[i].sql, res);
			} else if (part == 1 &&
				   PQresultStatus(res) == PGRES_COMMAND_OK) {
				keep_types(&pg->statements[i], res);
			}
			PQclear(res);
			null = PQgetResult(conn->pq);
			PQclear(null);
		}
		PQclear(PQgetResult(conn->pq)); /* the Sync */
	}
	return ok;
}

const char *
pg_conn_start_now(struct pg_conn *conn)
{
	conn->pq = PQconnectdbParams(conn->pg->keywords, conn->pg->values, 0);
	trl_assert(conn->pq != NULL);
	if (PQstatus(conn->pq) != CONNECTION_OK)
		return PQerrorMessage(conn->pq);
	return NULL;
}

const char *
pg_conn_learn(struct pg_conn *conn)
{
	PQsetNoticeProcessor(conn->pq, quiet, NULL);
	if (!PQenterPipelineMode(conn->pq))
		return PQerrorMessage(conn->pq);
	if (!learn_statements(conn))
		return PQstatus(conn->pq) == CONNECTION_OK ? ""
							   : PQerrorMessage(conn->pq);
	if (PQsetnonblocking(conn->pq, 1) != 0)
		return PQerrorMessage(conn->pq);
	conn->state = PG_UP;
	conn->epoch = conn->pg->epoch;
	pg_conn_watch(conn, UV_READABLE);
	return NULL;
}
