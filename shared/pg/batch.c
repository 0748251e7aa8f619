/* batch.c - collecting statements, sending them as one op, taking what came back.
 * Nothing here waits but trl_batch_read and the writes. (Over 400 lines: what one
 * attempt came to and whether there is another are told in one place.) */
#include "work.h"

#include <string.h>

#include <trl/method.h>

#include "framework_sql.h"

enum { READ_TIMED_BELOW_MS = 500, READ_TIMED_ABOVE_MS = 2 * PG_STATEMENT_TIMEOUT_MS };

trl_batch *
trl_batch_new(trl_ctx *ctx, trl_pg *pg, struct trl_scope scope)
{
	trl_batch *batch = trl_arena_zalloc(ctx->arena, sizeof *batch);

	batch->ctx = ctx;
	batch->pg = pg;
	batch->scope = scope;
	batch->room = 6;
	batch->items = trl_arena_alloc(ctx->arena, batch->room * sizeof *batch->items);
	return batch;
}

static const struct trl_arg *
keep_args(trl_arena *arena, const struct trl_arg *args)
{
	size_t n = 0;

	if (!args || !args->name)
		return NULL;
	while (args[n].name)
		n++;
	return trl_arena_memdup(arena, args, (n + 1) * sizeof *args);
}

static struct pg_item *
add(trl_batch *batch, const struct trl_sql *sql)
{
	struct pg_item *item;

	trl_assert(!batch->ran);
	if (batch->n_items == batch->room) {
		struct pg_item *more =
		    trl_arena_alloc(batch->ctx->arena, 2 * batch->room * sizeof *more);

		memcpy(more, batch->items, batch->n_items * sizeof *more);
		batch->items = more;
		batch->room *= 2;
	}
	item = &batch->items[batch->n_items++];
	*item = (struct pg_item){ .st = pg_statement_of(batch->pg, sql) };
	return item;
}

void
trl_batch_get_args(trl_batch *batch, const struct trl_sql *sql,
    const ProtobufCMessage *in, ProtobufCMessage *out, const struct trl_arg *args)
{
	struct pg_item *item = add(batch, sql);

	item->in = in;
	item->out = out;
	item->args = keep_args(batch->ctx->arena, args);
}

void
trl_batch_add_args(trl_batch *batch, const struct trl_sql *sql,
    const ProtobufCMessage *in, const struct trl_arg *args)
{
	trl_batch_get_args(batch, sql, in, NULL, args);
}

void
trl_batch_audit(trl_batch *batch, const char *action, struct trl_id subject,
    const char *subject_kind, const ProtobufCMessage *detail)
{
	const struct pg_audit_entry entry =
	    pg_audit_new(batch->ctx, action, subject, subject_kind, detail);
	const struct trl_arg *tell = pg_audit_tell_args(batch->ctx, batch->pg,
	    batch->scope.tenant, &entry, &batch->news[TRL_PG_EVENTS]);
	struct pg_item *item = add(batch, &trl_sql_audit_add);

	item->args = pg_audit_args(batch->ctx, &entry);
	item->turn = PG_AUDIT;
	if (!tell)
		return;
	item = add(batch, &trl_sql_audit_tell);
	item->args = tell;
	item->turn = PG_AUDIT;
}

void
trl_batch_news(trl_batch *batch, enum trl_pg_news kind, uint32_t mask)
{
	batch->news[kind] |= mask;
}

trl_ctx *
trl_batch_ctx(const trl_batch *batch)
{
	return batch->ctx;
}

static const char *
id_text(trl_arena *arena, struct trl_id id)
{
	char *text;

	if (trl_id_is_nil(id))
		return "";
	text = trl_arena_alloc(arena, TRL_ID_TEXT);
	trl_id_format(id, text);
	return text;
}

void
pg_bind_begin(trl_ctx *ctx, enum pg_begin kind, struct trl_scope scope,
    const struct pg_record *record, struct pg_call *call)
{
	static const struct trl_sql *const statements[] = { &trl_sql_begin,
		&trl_sql_begin_timed, &trl_sql_begin_keyed };
	const char **values = trl_arena_alloc(ctx->arena, 5 * sizeof *values);
	int *lengths = trl_arena_alloc(ctx->arena, 5 * sizeof *lengths);
	uint32_t left = trl_time_left_ms(ctx);
	uint8_t *lock;
	struct trl_id asker;

	values[0] = id_text(ctx->arena, scope.tenant);
	values[1] = id_text(ctx->arena, scope.account);
	values[2] = "";
	if (ctx->idempotency.key) {
		memcpy(asker.bytes, ctx->idempotency.scope, 16);
		values[2] = id_text(ctx->arena, asker);
	}
	values[3] = "";
	if (kind != PG_BEGIN) /* PostgreSQL gives up a little before us: then we know */
		values[3] = trl_arena_printf(
		    ctx->arena, "%u", left > 30 ? left - 15 : left + 1);
	for (int i = 0; i < 4; i++)
		lengths[i] = (int)strlen(values[i]);
	if (kind == PG_BEGIN_KEYED) {
		lock = trl_arena_alloc(ctx->arena, 8);
		for (int i = 0; i < 8; i++)
			lock[i] = (uint8_t)((uint64_t)record->lock >> (56 - 8 * i));
		values[4] = (const char *)lock;
		lengths[4] = 8;
	}
	*call = (struct pg_call){ .sql = statements[kind],
		.values = values,
		.lengths = lengths,
		.n_params = statements[kind]->n_params };
}

enum trl_code
pg_take(trl_ctx *ctx, const struct pg_op *op, size_t at, const struct pg_item *item)
{
	const PGresult *rows = op->results[at];
	const struct trl_sql *sql = item->st->sql;

	if (!op->write && sql->expect == TRL_EXPECT_ONE && PQntuples(rows) != 1) {
		if (PQntuples(rows) > 1)
			return trl_fail(ctx, TRL_INTERNAL,
			    "%s: %d rows where one is expected", sql->file,
			    PQntuples(rows));
		return trl_fail(ctx, sql->otherwise, "%s",
		    sql->message[0] ? sql->message : trl_code_title(sql->otherwise));
	}
	return item->out ? pg_fill(ctx, item->st, rows, item->out) : TRL_OK;
}

/* Binds everything: calls[first..] are the items', order[i] tells whose. */
static enum trl_code
bind_items(trl_batch *batch, struct pg_call *calls, size_t *order)
{
	size_t n = 0;

	for (int turn = PG_USUAL; turn <= PG_AUDIT; turn++)
		for (size_t i = 0; i < batch->n_items; i++) {
			struct pg_item *item = &batch->items[i];
			const struct trl_sql *sql;
			enum trl_code rc;

			if ((int)item->turn != turn)
				continue;
			if (turn == PG_EVENTS) {
				item->args = pg_events_args(batch->ctx, &batch->events,
				    batch->scope.tenant, &sql);
				item->st = pg_statement_of(batch->pg, sql);
			}
			rc = pg_bind(
			    batch->ctx, item->st, item->in, item->args, &calls[n]);
			if (rc != TRL_OK)
				return rc;
			order[n++] = i;
		}
	return TRL_OK;
}

static enum trl_code
take_all(trl_batch *batch, const struct pg_op *op, size_t first, const size_t *order)
{
	for (size_t i = 0; i < batch->n_items; i++) {
		enum trl_code rc =
		    pg_take(batch->ctx, op, first + i, &batch->items[order[i]]);

		if (rc != TRL_OK)
			return rc;
	}
	return TRL_OK;
}

static enum trl_code
read_batch(trl_batch *batch)
{
	trl_ctx *ctx = batch->ctx;
	size_t n = batch->n_items;
	struct pg_call *calls = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *calls);
	size_t *order = trl_arena_alloc(ctx->arena, n * sizeof *order);
	uint32_t left = trl_time_left_ms(ctx);
	bool timed = left < READ_TIMED_BELOW_MS || left > READ_TIMED_ABOVE_MS;
	TRL_AUTO(pg_op_unref) struct pg_op *op = NULL;
	unsigned tries = 0;
	enum trl_code rc;

	trl_assert(!batch->ran && n > 0);
	batch->ran = true;
	for (size_t i = 0; i < n; i++)
		if (batch->items[i].st->sql->writes)
			return trl_fail(ctx, TRL_INTERNAL, "%s: writes in a READ batch",
			    batch->items[i].st->sql->file);
	pg_bind_begin(
	    ctx, timed ? PG_BEGIN_TIMED : PG_BEGIN, batch->scope, NULL, &calls[0]);
	do {
		rc = bind_items(batch, calls + 1, order);
		if (rc != TRL_OK)
			return rc;
		pg_op_unref(&op);
		op = pg_op_new(n + 1);
		op->calls = calls;
		op->solo = op->timed = timed;
		rc = pg_submit(ctx, batch->pg, op);
		if (rc != TRL_OK)
			return rc;
	} while (op->outcome == PG_STALE && ++tries <= 3);
	trl_series_observe_us(batch->pg->m.read, trl_mono_us() - op->queued_us);
	rc = pg_code_of(ctx, batch->pg, op);
	return rc == TRL_OK ? take_all(batch, op, 1, order) : rc;
}

static void
begin_span(const trl_batch *batch, struct trl_span *span)
{
	trl_span_begin(batch->ctx, span, TRL_SPAN_SQL,
	    batch->n_items > 0 ? batch->items[0].st->sql->name : "record");
	trl_span_number(span, batch->n_items);
}

enum trl_code
trl_batch_read(trl_batch *batch)
{
	struct trl_span span;
	enum trl_code rc;

	begin_span(batch, &span);
	rc = read_batch(batch);
	trl_span_end(batch->ctx, &span, rc);
	return rc;
}

enum trl_code
trl_batch_get_one_args(trl_ctx *ctx, trl_pg *pg, struct trl_scope scope,
    const struct trl_sql *sql, const ProtobufCMessage *in, ProtobufCMessage *out,
    const struct trl_arg *args)
{
	trl_batch *work = trl_batch_new(ctx, pg, scope);

	trl_batch_get_args(work, sql, in, out, args);
	return trl_batch_read(work);
}

/* Once over the wire. *out is the op where it came to an outcome. */
static enum trl_code
send_write(trl_batch *batch, const struct pg_record *record, struct pg_call *calls,
    size_t n_calls, struct pg_op **out)
{
	trl_ctx *ctx = batch->ctx;
	struct pg_op *op;
	enum trl_code rc;

	pg_bind_begin(ctx, record ? PG_BEGIN_KEYED : PG_BEGIN_TIMED, batch->scope,
	    record, &calls[0]);
	op = pg_op_new(n_calls);
	op->write = true;
	op->calls = calls;
	rc = pg_submit(ctx, batch->pg, op);
	if (rc == TRL_OK) {
		trl_series_observe_us(
		    batch->pg->m.write, trl_mono_us() - op->queued_us);
		*out = op;
		return TRL_OK;
	}
	if (rc == TRL_DEADLINE && op->sync_sent) {
		trl_err_clear(ctx);
		trl_series_add(batch->pg->m.unknown, 1);
		rc = trl_fail(
		    ctx, TRL_UNCERTAIN, "the deadline came before the commit's answer");
	}
	pg_op_unref(&op);
	return rc;
}

/* The outcome of one attempt; *again: there is reason for another. */
static enum trl_code
settle(trl_batch *batch, const struct pg_record *record, const struct pg_op *op,
    ProtobufCMessage *reply, unsigned *tries, bool *again)
{
	trl_ctx *ctx = batch->ctx;
	enum trl_code rc;
	bool found;

	*again = false;
	if (op->outcome == PG_FAILED && pg_is_retryable(op) && ++*tries <= 3) {
		*again = true;
		return TRL_OK;
	}
	if (record && op->outcome == PG_FAILED && pg_is_running(op)) {
		rc = pg_record_wait(ctx, batch->pg, tries);
		*again = rc == TRL_OK;
		return rc;
	}
	if (record && op->outcome == PG_FAILED && pg_is_duplicate(op)) {
		rc = pg_record_find(ctx, batch->pg, reply, &found);
		*again = rc == TRL_OK && !found; /* it expired and went between */
		return rc;
	}
	if (op->outcome == PG_STALE && ++*tries <= 3) {
		*again = true;
		return TRL_OK;
	}
	if (record && op->outcome == PG_LOST) {
		rc = pg_record_resolve(ctx, batch->pg, record, reply, &found);
		/* Should it come after all, its record holds one of the two back. */
		*again = rc == TRL_OK && !found && ++*tries <= 3;
		if (rc != TRL_OK || found || *again)
			return rc;
	}
	return pg_code_of(ctx, batch->pg, op);
}

/* Writes that append to one audit chain wait for each other until the commit in any
 * case, at the head's row. In this process they do so before they take a connection:
 * a tenant's burst then holds one of the pool, and nobody runs into lock_timeout. */
static size_t
chain_key(const trl_batch *batch, char key[64])
{
	struct trl_id chain = batch->scope.tenant;
	size_t len = strnlen(batch->pg->sql->service, 40);

	for (size_t i = 0; i < batch->n_items; i++) {
		if (batch->items[i].turn != PG_AUDIT)
			continue;
		if (trl_id_is_nil(chain))
			chain = batch->scope.account;
		memcpy(key, batch->pg->sql->service, len);
		memcpy(key + len, chain.bytes, sizeof chain.bytes);
		return len + sizeof chain.bytes;
	}
	return 0;
}

static enum trl_code
write_in_order(
    trl_batch *batch, const struct pg_record *record, ProtobufCMessage *reply)
{
	trl_ctx *ctx = batch->ctx;
	size_t n = batch->n_items, first = record ? 2 : 1;
	struct pg_call *calls = trl_arena_alloc(ctx->arena, (n + 2) * sizeof *calls);
	size_t *order = trl_arena_alloc(ctx->arena, n * sizeof *order);
	unsigned tries = 0;
	bool again;
	enum trl_code rc;

	trl_assert(!batch->ran);
	batch->ran = true;
	do {
		TRL_AUTO(pg_op_unref) struct pg_op *op = NULL;

		rc = bind_items(batch, calls + first, order);
		if (rc == TRL_OK && record)
			rc = pg_record_bind(ctx, batch->pg, record, &calls[1]);
		if (rc != TRL_OK)
			return rc;
		rc = send_write(batch, record, calls, n + first, &op);
		if (rc != TRL_OK)
			return rc;
		if (op->outcome == PG_FINE) {
			if (record) {
				ctx->idempotency.recorded = true;
				trl_series_add(batch->pg->m.idem_new, 1);
			}
			return take_all(batch, op, first, order);
		}
		rc = settle(batch, record, op, reply, &tries, &again);
	} while (rc == TRL_OK && again);
	return rc;
}

static enum trl_code
write_fitting(trl_batch *batch, const struct pg_record *record, ProtobufCMessage *reply)
{
	char key[64];
	size_t len = chain_key(batch, key);
	enum trl_code rc;

	rc = len ? trl_key_enter(batch->ctx, key, len) : TRL_OK;
	if (rc != TRL_OK)
		return rc;
	rc = write_in_order(batch, record, reply);
	if (len)
		trl_key_leave(batch->ctx, key, len);
	if (rc == TRL_OK || rc == TRL_UNCERTAIN)
		pg_tell_news(batch->pg, batch->news);
	return rc;
}

static enum trl_code
write_batch(trl_batch *batch, const struct pg_record *record, ProtobufCMessage *reply)
{
	struct trl_span span;
	enum trl_code rc;

	if (batch->untold)
		return pg_event_refuse(batch->ctx, batch->pg, batch->untold);
	begin_span(batch, &span);
	rc = write_fitting(batch, record, reply);
	trl_span_end(batch->ctx, &span, rc);
	return rc;
}

enum trl_code
trl_batch_write(trl_batch *batch, ProtobufCMessage *reply)
{
	struct pg_record record;
	enum trl_code rc;

	if (!batch->ctx->idempotency.key)
		return write_batch(batch, NULL, NULL);
	rc = pg_record_make(batch->ctx, batch->pg, reply, &record);
	return rc == TRL_OK ? write_batch(batch, &record, reply) : rc;
}

enum trl_code
trl_batch_write_unrecorded(trl_batch *batch)
{
	return write_batch(batch, NULL, NULL);
}
