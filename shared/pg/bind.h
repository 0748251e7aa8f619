/* bind.h - parameters from messages and arguments, rows into messages, all in
 * PostgreSQL's binary format. Private to shared/pg.
 *
 * What binds to what is worked out once for each pair of statement and message
 * type, and kept with the statement. */
#pragma once

#include <libpq-fe.h>

#include <protobuf-c/protobuf-c.h>

#include <trl/batch.h>

#include "conn.h"

/* What the server said of a prepared statement. */
struct pg_statement {
	const struct trl_sql *sql;
	size_t n_params;
	Oid *param_types;
	size_t n_columns;
	char **column_names;
	struct pg_in_plan *ins;
	struct pg_out_plan *outs;
};

void pg_statement_fini(struct pg_statement *st);

/* Fills call from the arguments and the message. Errors: TRL_INTERNAL, naming
 * statement and parameter. */
enum trl_code pg_bind(trl_ctx *ctx, struct pg_statement *st, const ProtobufCMessage *in,
    const struct trl_arg *args, struct pg_call *call) TRL_MUST_CHECK;
/* Fills out (or its list) from the rows. Errors: TRL_INTERNAL. */
enum trl_code pg_fill(trl_ctx *ctx, struct pg_statement *st, const PGresult *rows,
    ProtobufCMessage *out) TRL_MUST_CHECK;

/* Microseconds between 1970 and PostgreSQL's 2000. */
#define PG_EPOCH_US 946684800000000LL
