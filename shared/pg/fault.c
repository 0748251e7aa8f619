/* fault.c - what PostgreSQL's SQLSTATE means here (PostgreSQL 15, appendix A).
 * Guards raise TR and a number of error.proto; constraints are looked up in the
 * service's table; everything that nobody foresaw is INTERNAL and named in the
 * log. */
#include "work.h"

#include <stdlib.h>
#include <string.h>

#include "framework_sql.h"

static const char *
state_of(const struct pg_op *op)
{
	const char *state = PQresultErrorField(op->error, PG_DIAG_SQLSTATE);

	return state ? state : "";
}

bool
pg_is_running(const struct pg_op *op)
{
	return strcmp(state_of(op), "TR100") == 0;
}

bool
pg_is_duplicate(const struct pg_op *op)
{
	const char *name = PQresultErrorField(op->error, PG_DIAG_CONSTRAINT_NAME);

	return strcmp(state_of(op), "23505") == 0 && name &&
	       strcmp(name, "idempotency_pkey") == 0;
}

bool
pg_is_retryable(const struct pg_op *op)
{
	const char *state = state_of(op);

	return strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0;
}

static enum trl_code
code_of_guard(trl_ctx *ctx, const struct pg_op *op, int number)
{
	const struct trl_sql *sql =
	    op->error_at < op->n_calls ? op->calls[op->error_at].sql : NULL;

	if (sql && sql->expect == TRL_EXPECT_ONE && (int)sql->otherwise == number)
		return trl_fail(ctx, sql->otherwise, "%s",
		    sql->message[0] ? sql->message : trl_code_title(sql->otherwise));
	return trl_fail(ctx, TRL_INTERNAL, "%s",
	    PQresultErrorField(op->error, PG_DIAG_MESSAGE_PRIMARY));
}

static const struct trl_sql_constraint *
constraint_of(const trl_pg *pg, const struct pg_op *op)
{
	const char *name = PQresultErrorField(op->error, PG_DIAG_CONSTRAINT_NAME);

	for (size_t i = 0; name && i < pg->sql->n_constraints; i++)
		if (strcmp(pg->sql->constraints[i].name, name) == 0)
			return &pg->sql->constraints[i];
	return NULL;
}

/* PostgreSQL itself cannot do it now: it goes, starts, is full or takes no writes, or
 * its disk fails. */
static bool
is_out_of_order(const char *state)
{
	return strncmp(state, "57P", 3) == 0 || strncmp(state, "53", 2) == 0 ||
	       strncmp(state, "08", 2) == 0 || strncmp(state, "58", 2) == 0 ||
	       strcmp(state, "25006") == 0;
}

static enum trl_code
code_of_error(trl_ctx *ctx, trl_pg *pg, const struct pg_op *op)
{
	const char *state = state_of(op);
	const char *text = PQresultErrorField(op->error, PG_DIAG_MESSAGE_PRIMARY);
	const char *name = PQresultErrorField(op->error, PG_DIAG_CONSTRAINT_NAME);
	const struct trl_sql_constraint *rule = NULL;

	if (strncmp(state, "TR", 2) == 0)
		return code_of_guard(ctx, op, atoi(state + 2));
	if (strncmp(state, "23", 2) == 0)
		rule = constraint_of(pg, op);
	if (rule)
		return trl_fail_field(
		    ctx, rule->code, rule->field, "%s", rule->message);
	if (strcmp(state, "55P03") == 0) {
		trl_err_retry_after(ctx, 100);
		return trl_fail(ctx, TRL_BUSY, "somebody else holds the row's lock");
	}
	if (pg_is_retryable(op)) {
		trl_err_retry_after(ctx, 100);
		return trl_fail(
		    ctx, TRL_CONFLICT, "Another change came at the same time.");
	}
	if (strcmp(state, "57014") == 0)
		return trl_fail(ctx, TRL_DEADLINE, "a statement took too long");
	if (op->tied && op->renewed) /* the next attempt has a new connection */
		return trl_fail(ctx, TRL_UNAVAILABLE, "PostgreSQL: %s", text);
	if (is_out_of_order(state))
		return trl_fail(ctx, TRL_UNAVAILABLE, "PostgreSQL: %s", text);
	if (strcmp(state, "42501") == 0)
		trl_series_add(pg->m.denied, 1);
	return trl_fail(ctx, TRL_INTERNAL, "%s: %s (SQLSTATE %s%s%s)",
	    op->error_at < op->n_calls ? op->calls[op->error_at].sql->name : "commit",
	    text, state, name ? ", constraint " : "", name ? name : "");
}

enum trl_code
pg_code_of(trl_ctx *ctx, trl_pg *pg, const struct pg_op *op)
{
	switch (op->outcome) {
	case PG_FINE:
		return TRL_OK;
	case PG_FAILED:
		return code_of_error(ctx, pg, op);
	case PG_LOST:
		if (op->write) {
			trl_series_add(pg->m.unknown, 1);
			return trl_fail(ctx, TRL_UNCERTAIN,
			    "the connection was lost before the commit's answer");
		}
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "the connection to PostgreSQL was lost");
	case PG_STALE:
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "the schema changed at the same moment");
	default:
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "there is no connection to PostgreSQL");
	}
}
