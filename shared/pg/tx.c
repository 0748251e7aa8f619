/* tx.c - interactive transactions: a write connection leased from begin to end,
 * one round trip a statement. A tx that failed or was left at its deadline is
 * rolled back by an op that nobody waits for, and then the connection is free.
 * Added statements gather and leave before the next one that is run, or COMMIT.
 *
 * Over 400 lines: beginning, gathering and ending share the one struct. */
#include "work.h"

#include <string.h>

#include "framework_sql.h"

struct trl_tx {
	struct trl_tx *next;
	trl_ctx *ctx;
	trl_pg *pg;
	struct pg_conn *conn; /* NULL: over */
	bool broken;          /* a statement failed: only rollback is left */
	uint64_t since_us;
	size_t n_audits;
	struct {
		const struct trl_arg *add, *tell; /* tell: or NULL */
	} audits[16];
	struct trl_scope scope;
	struct pg_call *added; /* bound, in order */
	size_t n_added, room;
	struct pg_events events; /* behind those, under the present scope */
	enum trl_code refused;   /* what binding one of them said */
	uint32_t news[TRL_PG_NEWS];
};

static void
forget(trl_tx *tx)
{
	struct trl_tx **p = &tx->pg->txs;

	while (*p && *p != tx)
		p = &(*p)->next;
	if (*p)
		*p = tx->next;
	trl_series_observe_us(tx->pg->m.tx, trl_mono_us() - tx->since_us);
}

bool
pg_holds_tx(const trl_pg *pg, const trl_ctx *ctx)
{
	for (const struct trl_tx *tx = pg->txs; tx; tx = tx->next)
		if (tx->ctx->actor == ctx->actor)
			return true;
	return false;
}

/* Gives the connection back, after a ROLLBACK where one is due. */
static void
let_go(trl_tx *tx, bool rollback)
{
	static const struct pg_call undo = { .sql = &trl_sql_tx_rollback };
	struct pg_conn *conn = TRL_TAKE(tx->conn);

	if (!conn)
		return;
	forget(tx);
	if (rollback && conn->state == PG_UP) {
		struct pg_op *op = pg_op_new(1);

		op->write = op->tied = true;
		op->detached = true;
		op->calls = &undo;
		pg_conn_send(conn, op);
		pg_op_unref(&op);
	}
	pg_release(conn); /* it is free once the rollback was answered */
}

static enum trl_code
lease(trl_ctx *ctx, trl_pg *pg, struct pg_conn **out)
{
	TRL_AUTO(pg_op_unref) struct pg_op *op = pg_op_new(0);
	enum trl_code rc;

	op->write = op->lease = true;
	rc = pg_submit(ctx, pg, op);
	if (rc != TRL_OK)
		return rc;
	if (!op->conn)
		return pg_code_of(ctx, pg, op);
	*out = op->conn;
	return TRL_OK;
}

/* Whether a connection that was gone, or too old, took the beginning along. */
static bool
began_in_vain(const struct pg_op *op)
{
	const char *state =
	    op->error ? PQresultErrorField(op->error, PG_DIAG_SQLSTATE) : NULL;

	return op->outcome != PG_FAILED || op->renewed ||
	       (state && strncmp(state, "57P", 3) == 0);
}

/* Runs calls on the tx's connection. *out is set where there is an outcome. Their span
 * is named by the last: the one that is run, or that ends them. */
static enum trl_code
run(trl_tx *tx, const struct pg_call *calls, size_t n, struct pg_op **out)
{
	struct pg_op *op = pg_op_new(n);
	struct trl_span span;
	enum trl_code rc;

	trl_span_begin(tx->ctx, &span, TRL_SPAN_SQL, calls[n - 1].sql->name);
	trl_span_number(&span, n);
	op->calls = calls;
	rc = pg_submit_on(tx->ctx, tx->conn, op);
	tx->broken |= rc != TRL_OK || op->outcome != PG_FINE;
	trl_span_end(tx->ctx, &span,
	    rc == TRL_OK && op->outcome == PG_LOST ? TRL_UNAVAILABLE : rc);
	*out = op;
	return rc;
}

enum trl_code
trl_tx_begin(trl_ctx *ctx, trl_pg *pg, struct trl_scope scope, trl_tx **out)
{
	trl_tx *tx = trl_arena_zalloc(ctx->arena, sizeof *tx);
	struct pg_call *calls = trl_arena_alloc(ctx->arena, 2 * sizeof *calls);
	struct pg_record record = { 0 };
	bool keyed = ctx->idempotency.key != NULL;
	unsigned tries = 0, vain = 0;
	enum trl_code rc;

	for (;;) {
		TRL_AUTO(pg_op_unref) struct pg_op *op = NULL;

		*tx = (struct trl_tx){
			.ctx = ctx, .pg = pg, .since_us = trl_mono_us(), .scope = scope
		};
		if (keyed) {
			rc = pg_record_make(ctx, pg, NULL, &record);
			if (rc != TRL_OK)
				return rc;
		}
		rc = lease(ctx, pg, &tx->conn);
		if (rc != TRL_OK)
			return rc;
		tx->next = pg->txs;
		pg->txs = tx;
		calls[0] = (struct pg_call){ .sql = &trl_sql_tx_begin };
		pg_bind_begin(ctx, keyed ? PG_BEGIN_KEYED : PG_BEGIN_TIMED, scope,
		    &record, &calls[1]);
		rc = run(tx, calls, 2, &op);
		if (rc == TRL_OK && op->outcome == PG_FINE) {
			*out = tx;
			return TRL_OK;
		}
		let_go(tx, true);
		if (rc != TRL_OK)
			return rc;
		if (began_in_vain(op) && ++vain <= PG_REPEATS)
			continue;
		if (op->outcome != PG_FAILED || !pg_is_running(op)) {
			op->write = false; /* nothing was written yet: not UNCERTAIN */
			return pg_code_of(ctx, pg, op);
		}
		rc = pg_record_wait(ctx, pg, &tries);
		if (rc != TRL_OK)
			return rc;
	}
}

static struct pg_call *
next_call(trl_tx *tx)
{
	if (tx->n_added == tx->room) {
		size_t room = tx->room ? 2 * tx->room : 16;
		struct pg_call *more =
		    trl_arena_alloc(tx->ctx->arena, room * sizeof *more);

		if (tx->n_added > 0)
			memcpy(more, tx->added, tx->n_added * sizeof *more);
		tx->added = more;
		tx->room = room;
	}
	return &tx->added[tx->n_added++];
}

void
trl_tx_add_args(trl_tx *tx, const struct trl_sql *sql, const ProtobufCMessage *in,
    const struct trl_arg *args)
{
	struct pg_call call;
	enum trl_code rc;

	if (tx->refused != TRL_OK)
		return;
	rc = pg_bind(tx->ctx, pg_statement_of(tx->pg, sql), in, args, &call);
	if (rc == TRL_OK)
		*next_call(tx) = call;
	tx->refused = rc;
}

/* The events so far join what was added. */
static void
add_events(trl_tx *tx)
{
	const struct trl_sql *sql;
	const struct trl_arg *args;

	if (tx->events.n == 0)
		return;
	args = pg_events_args(tx->ctx, &tx->events, tx->scope.tenant, &sql);
	tx->events.n = 0;
	trl_tx_add_args(tx, sql, NULL, args);
}

void
trl_tx_event(trl_tx *tx, const struct trl_event_type *type, struct trl_id subject,
    const ProtobufCMessage *payload)
{
	unsigned lane;

	if (!pg_event_fits(tx->pg, type, payload)) {
		tx->refused = pg_event_refuse(tx->ctx, tx->pg, type);
		return;
	}
	lane = pg_events_add(
	    tx->ctx, &tx->events, tx->scope.tenant, type, subject, payload);
	trl_tx_news(tx, TRL_PG_EVENTS, 1u << lane);
}

void
trl_tx_scope(trl_tx *tx, struct trl_scope scope)
{
	add_events(tx);
	tx->scope = scope;
	pg_bind_begin(tx->ctx, PG_BEGIN, scope, NULL, next_call(tx));
}

void
trl_tx_news(trl_tx *tx, enum trl_pg_news kind, uint32_t mask)
{
	tx->news[kind] |= mask;
}

trl_ctx *
trl_tx_ctx(const trl_tx *tx)
{
	return tx->ctx;
}

enum trl_code
trl_tx_open(trl_ctx *ctx, trl_pg *pg, struct trl_scope scope, trl_tx **out)
{
	trl_tx *tx = trl_arena_zalloc(ctx->arena, sizeof *tx);
	enum trl_code rc;

	trl_assert(ctx->idempotency.key == NULL);
	*tx = (struct trl_tx){
		.ctx = ctx, .pg = pg, .since_us = trl_mono_us(), .scope = scope
	};
	rc = lease(ctx, pg, &tx->conn);
	if (rc != TRL_OK)
		return rc;
	tx->next = pg->txs;
	pg->txs = tx;
	*next_call(tx) = (struct pg_call){ .sql = &trl_sql_tx_begin };
	pg_bind_begin(ctx, PG_BEGIN_TIMED, scope, NULL, next_call(tx));
	*out = tx;
	return TRL_OK;
}

/* What was added, with room for n more calls behind. */
static struct pg_call *
take_added(trl_tx *tx, size_t n, size_t *n_added)
{
	struct pg_call *calls =
	    trl_arena_alloc(tx->ctx->arena, (tx->n_added + n) * sizeof *calls);

	if (tx->n_added > 0)
		memcpy(calls, tx->added, tx->n_added * sizeof *calls);
	*n_added = tx->n_added;
	tx->n_added = 0;
	return calls;
}

/* Statements that are run. */

/* Whether anything may follow; the events join what was added. */
static enum trl_code
check_open(trl_tx *tx)
{
	if (tx->broken)
		return trl_fail(
		    tx->ctx, TRL_INTERNAL, "the transaction has failed before");
	add_events(tx);
	return tx->refused;
}

/* Runs calls before COMMIT. */
static enum trl_code
run_within(trl_tx *tx, const struct pg_call *calls, size_t n, struct pg_op **out)
{
	enum trl_code rc = run(tx, calls, n, out);

	if (rc != TRL_OK || (*out)->outcome == PG_FINE)
		return rc;
	(*out)->write = false; /* a lost connection has written nothing yet */
	return pg_code_of(tx->ctx, tx->pg, *out);
}

enum trl_code
trl_tx_send(trl_tx *tx)
{
	TRL_AUTO(pg_op_unref) struct pg_op *op = NULL;
	struct pg_call *calls;
	enum trl_code rc = check_open(tx);
	size_t n;

	trl_assert(tx->n_audits == 0); /* their arguments wait for COMMIT */
	if (rc != TRL_OK)
		return rc;
	calls = take_added(tx, 0, &n);
	tx->added = NULL;
	tx->room = 0;
	tx->events = (struct pg_events){ 0 };
	return n > 0 ? run_within(tx, calls, n, &op) : TRL_OK;
}

enum trl_code
trl_tx_run_args(trl_tx *tx, const struct trl_sql *sql, const ProtobufCMessage *in,
    ProtobufCMessage *out, const struct trl_arg *args)
{
	struct pg_item item = { .st = pg_statement_of(tx->pg, sql), .out = out };
	TRL_AUTO(pg_op_unref) struct pg_op *op = NULL;
	struct pg_call *calls;
	enum trl_code rc;
	size_t n;

	rc = check_open(tx);
	if (rc != TRL_OK)
		return rc;
	calls = take_added(tx, 1, &n);
	rc = pg_bind(tx->ctx, item.st, in, args, &calls[n]);
	if (rc == TRL_OK)
		rc = run_within(tx, calls, n + 1, &op);
	return rc == TRL_OK ? pg_take(tx->ctx, op, n, &item) : rc;
}

void
trl_tx_audit(trl_tx *tx, const char *action, struct trl_id subject,
    const char *subject_kind, const ProtobufCMessage *detail)
{
	const struct pg_audit_entry entry =
	    pg_audit_new(tx->ctx, action, subject, subject_kind, detail);

	trl_assert(tx->n_audits < TRL_COUNT(tx->audits));
	tx->audits[tx->n_audits].add = pg_audit_args(tx->ctx, &entry);
	tx->audits[tx->n_audits++].tell = pg_audit_tell_args(
	    tx->ctx, tx->pg, tx->scope.tenant, &entry, &tx->news[TRL_PG_EVENTS]);
}

/* The last calls of a tx behind *n others: record, audit entries, COMMIT. */
static enum trl_code
bind_commit(
    trl_tx *tx, const struct pg_record *record, struct pg_call *calls, size_t *n)
{
	enum trl_code rc = TRL_OK;

	if (tx->ctx->idempotency.key)
		rc = pg_record_bind(tx->ctx, tx->pg, record, &calls[(*n)++]);
	for (size_t i = 0; rc == TRL_OK && i < tx->n_audits; i++) {
		rc = pg_bind(tx->ctx, pg_statement_of(tx->pg, &trl_sql_audit_add), NULL,
		    tx->audits[i].add, &calls[(*n)++]);
		if (rc == TRL_OK && tx->audits[i].tell)
			rc = pg_bind(tx->ctx,
			    pg_statement_of(tx->pg, &trl_sql_audit_tell), NULL,
			    tx->audits[i].tell, &calls[(*n)++]);
	}
	calls[(*n)++] = (struct pg_call){ .sql = &trl_sql_tx_commit };
	return rc;
}

static enum trl_code
commit(trl_tx *tx, ProtobufCMessage *reply)
{
	trl_ctx *ctx = tx->ctx;
	trl_pg *pg = tx->pg;
	bool keyed = ctx->idempotency.key != NULL, found = false;
	struct pg_call *calls = NULL;
	struct pg_record record = { 0 };
	TRL_AUTO(pg_op_unref) struct pg_op *op = NULL;
	enum trl_code rc;
	size_t n = 0;

	add_events(tx);
	rc = tx->refused;
	if (tx->broken)
		rc = trl_fail(
		    ctx, TRL_INTERNAL, "a failed transaction cannot be committed");
	if (rc == TRL_OK && keyed)
		rc = pg_record_make(ctx, pg, reply, &record);
	if (rc == TRL_OK) {
		calls = take_added(tx, 2 * tx->n_audits + 2, &n);
		rc = bind_commit(tx, &record, calls, &n);
	}
	if (rc != TRL_OK) {
		let_go(tx, true);
		return rc;
	}
	rc = run(tx, calls, n, &op);
	let_go(tx, tx->broken);
	if (rc != TRL_OK) {
		trl_err_clear(ctx);
		trl_series_add(pg->m.unknown, 1);
		return trl_fail(
		    ctx, TRL_UNCERTAIN, "the deadline came before the commit's answer");
	}
	if (op->outcome == PG_FINE) {
		ctx->idempotency.recorded |= keyed;
		if (keyed)
			trl_series_add(pg->m.idem_new, 1);
		return TRL_OK;
	}
	if (keyed && op->outcome == PG_LOST) {
		rc = pg_record_resolve(ctx, pg, &record, reply, &found);
		if (rc != TRL_OK || found)
			return rc;
		op->write = false; /* it surely is over, and left nothing */
	}
	if (keyed && op->outcome == PG_FAILED && pg_is_duplicate(op)) {
		rc = pg_record_find(ctx, pg, reply, &found);
		if (rc != TRL_OK || found)
			return rc;
	}
	return pg_code_of(ctx, pg, op);
}

enum trl_code
trl_tx_commit(trl_tx **pointer, ProtobufCMessage *reply)
{
	trl_tx *tx = TRL_TAKE(*pointer);
	enum trl_code rc = commit(tx, reply);

	if (rc == TRL_OK || rc == TRL_UNCERTAIN)
		pg_tell_news(tx->pg, tx->news);
	return rc;
}

void
trl_tx_rollback(trl_tx **pointer)
{
	trl_tx *tx = TRL_TAKE(*pointer);

	if (tx)
		let_go(tx, true);
}
