/* learn.c - the first connection of a service: it blocks, prepares and describes
 * every statement, so that a bad one stops the start, and keeps the types. */
#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

#include "pool.h"

static void
quiet(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static void
keep_types(struct pg_statement *st, const PGresult *res)
{
	st->n_params = (size_t)PQnparams(res);
	st->n_columns = (size_t)PQnfields(res);
	st->param_types = calloc(st->n_params + 1, sizeof(Oid));
	st->column_types = calloc(st->n_columns + 1, sizeof(Oid));
	st->column_names = calloc(st->n_columns + 1, sizeof(char *));
	trl_assert(st->param_types && st->column_types && st->column_names);
	for (int i = 0; i < (int)st->n_params; i++)
		st->param_types[i] = PQparamtype(res, i);
	for (int i = 0; i < (int)st->n_columns; i++) {
		st->column_types[i] = PQftype(res, i);
		st->column_names[i] = strdup(PQfname(res, i));
	}
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

		if (!PQsendPrepare(
			conn->pq, sql->name, pg_conn_text(conn, sql), 0, NULL) ||
		    !PQsendDescribePrepared(conn->pq, sql->name) ||
		    !PQpipelineSync(conn->pq))
			return false;
	}
	for (size_t i = 0; i < pg->n_statements; i++) {
		for (int part = 0; part < 2; part++) {
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
	pg_conn_options(conn);
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
	pg_conn_watch(conn, UV_READABLE);
	return NULL;
}
