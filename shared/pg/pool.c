/* pool.c - opening, connecting and reconnecting, and who gets which connection.
 *
 * Only one connection of a service is being made at any time, and after a failure
 * the next attempt waits 50 ms to 1 s with jitter, so that a restart of PostgreSQL
 * meets no storm. Write connections beyond the first are made when somebody waits
 * for one. While an attempt has failed and none has succeeded since, calls that
 * find no connection fail at once. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

#include "check.h"

static void connect_next(trl_pg *pg);
static void flush_reads(void *self);

/* ---- queues ----------------------------------------------------------------- */

static void
push(struct pg_queue *queue, struct pg_op *op, bool front)
{
	op->queued = true;
	op->holders++;
	queue->len++;
	if (front) {
		op->next = queue->first;
		queue->first = op;
		if (!queue->last)
			queue->last = op;
		return;
	}
	op->next = NULL;
	if (queue->last)
		queue->last->next = op;
	else
		queue->first = op;
	queue->last = op;
}

/* The oldest op that somebody waits for; the caller gets the queue's hold. */
static struct pg_op *
pop(struct pg_queue *queue)
{
	while (queue->first) {
		struct pg_op *op = queue->first;

		queue->first = op->next;
		if (!queue->first)
			queue->last = NULL;
		op->next = NULL;
		op->queued = false;
		if (!op->detached) {
			queue->len--;
			return op;
		}
		pg_op_unref(&op);
	}
	return NULL;
}

static void
fail_all(struct pg_queue *queue)
{
	struct pg_op *op;

	while ((op = pop(queue))) {
		op->outcome = PG_UNSENT;
		pg_op_is_done(op);
	}
}

void
pg_op_is_done(struct pg_op *op)
{
	if (!op->detached)
		trl_wake(op->ticket);
	pg_op_unref(&op);
}

void
pg_op_again(trl_pg *pg, struct pg_op *op)
{
	op->solo = true;
	if (!op->detached)
		push(&pg->reading, op, true);
	pg_op_unref(&op);
}

/* ---- reads -------------------------------------------------------------------- */

/* PostgreSQL ends each statement of a read by its statement_timeout; a connection
 * that says nothing for three times as long has nobody behind it. */
static bool
is_dead(const struct pg_conn *conn)
{
	return conn->first && !conn->first->solo &&
	       trl_loop_now_us(conn->pg->loop) - conn->since_us >
		   3ULL * PG_STATEMENT_TIMEOUT_MS * 1000;
}

static struct pg_conn *
least_busy(trl_pg *pg, bool *any)
{
	struct pg_conn *best = NULL;

	*any = false;
	for (size_t i = 0; i < pg->n_reads; i++) {
		struct pg_conn *conn = &pg->reads[i];

		if (conn->state == PG_UP && is_dead(conn)) {
			pg_conn_close(conn);
			pg_conn_is_down(conn, "no answer");
		}
		if (conn->state != PG_UP)
			continue;
		*any = true;
		if (conn->groups < PG_GROUPS_AHEAD &&
		    (!best || conn->groups < best->groups))
			best = conn;
	}
	return best;
}

static bool
hopeless(const trl_pg *pg)
{
	return pg->failures > 0 || pg->closing;
}

static size_t
gather(trl_pg *pg, struct pg_op **group)
{
	size_t share = pg->reading.len, n = 0;

	if (pg->n_reads > 1 && share > 2)
		share = (share + 1) / 2;
	if (share > PG_GROUP_MAX)
		share = PG_GROUP_MAX;
	while (n < share && !(n > 0 && group[n - 1]->solo)) {
		struct pg_op *op = pop(&pg->reading);

		if (!op)
			break;
		if (op->solo && n > 0) {
			push(&pg->reading, op, true);
			pg_op_unref(&op);
			break;
		}
		group[n++] = op;
	}
	for (size_t i = 0; i + 1 < n; i++)
		group[i]->next = group[i + 1];
	return n;
}

/* At the end of a turn: what gathered leaves, a group a connection. */
static void
flush_reads(void *self)
{
	trl_pg *pg = self;
	struct pg_op *group[PG_GROUP_MAX];
	struct pg_conn *conn = NULL;
	bool any = true;

	while (pg->reading.len > 0 && (conn = least_busy(pg, &any))) {
		size_t n = gather(pg, group);

		trl_series_add(pg->m.groups, 1);
		pg_conn_send(conn, group[0]);
		for (size_t i = 0; i < n; i++) /* the queue's holds */
			pg_op_unref(&group[i]);
	}
	if (pg->reading.len > 0 && !any && hopeless(pg))
		fail_all(&pg->reading);
}

/* ---- writes -------------------------------------------------------------------- */

static bool
is_free(const struct pg_conn *conn)
{
	return conn->state == PG_UP && !conn->leased && !conn->first;
}

static void
give_writes(trl_pg *pg)
{
	size_t up = 0;

	for (size_t i = 0; i < pg->n_writes && pg->writing.len > 0; i++) {
		struct pg_conn *conn = &pg->writes[i];

		up += conn->state == PG_UP;
		if (!is_free(conn))
			continue;
		struct pg_op *op = pop(&pg->writing);

		if (!op)
			break;
		trl_series_observe_us(pg->m.wait, trl_mono_us() - op->queued_us);
		if (op->lease) {
			conn->leased = true;
			op->conn = conn;
			op->outcome = PG_FINE;
			pg_op_is_done(op);
			continue;
		}
		pg_conn_send(conn, op);
		pg_op_unref(&op);
	}
	if (pg->writing.len == 0)
		return;
	if (up == 0 && hopeless(pg))
		fail_all(&pg->writing);
	else
		connect_next(pg);
}

static void
show_use(trl_pg *pg)
{
	size_t up = 0, used = 0;

	for (size_t i = 0; i < pg->n_reads; i++)
		up += pg->reads[i].state == PG_UP;
	for (size_t i = 0; i < pg->n_writes; i++) {
		up += pg->writes[i].state == PG_UP;
		used += pg->writes[i].state == PG_UP && !is_free(&pg->writes[i]);
	}
	trl_series_set(pg->m.up, (double)up);
	trl_series_set(pg->m.in_use, (double)used);
}

void
pg_conn_is_free(struct pg_conn *conn)
{
	if (conn->write) {
		give_writes(conn->pg);
		show_use(conn->pg);
	} else if (conn->pg->reading.len > 0)
		flush_reads(conn->pg);
}

void
pg_release(struct pg_conn *conn)
{
	conn->leased = false;
	give_writes(conn->pg);
}

/* ---- submitting ------------------------------------------------------------------ */

static enum trl_code
wait_for(trl_ctx *ctx, trl_pg *pg, struct pg_op *op)
{
	enum trl_code rc = trl_park(ctx, op->ticket, "sql");

	if (op->outcome != PG_PENDING) {
		if (rc != TRL_OK)
			trl_err_clear(ctx); /* the answer came in the same turn */
		return TRL_OK;
	}
	trl_assert(rc != TRL_OK);
	op->detached = true;
	if (op->queued) {
		struct pg_queue *queue = op->write ? &pg->writing : &pg->reading;

		queue->len--;
	}
	return rc;
}

enum trl_code
pg_submit(trl_ctx *ctx, trl_pg *pg, struct pg_op *op)
{
	struct pg_queue *queue = op->write ? &pg->writing : &pg->reading;

	trl_assert(!pg_holds_tx(pg, ctx));
	if (queue->len >= (op->write ? PG_WAITING_MAX : PG_READS_WAITING_MAX)) {
		trl_err_retry_after(ctx, 100);
		return trl_fail(
		    ctx, TRL_BUSY, "too many wait for a connection to PostgreSQL");
	}
	op->ticket = trl_park_begin(ctx);
	op->queued_us = trl_mono_us();
	push(queue, op, false);
	if (op->write)
		give_writes(pg);
	return wait_for(ctx, pg, op);
}

enum trl_code
pg_submit_on(trl_ctx *ctx, struct pg_conn *conn, struct pg_op *op)
{
	op->ticket = trl_park_begin(ctx);
	op->queued_us = trl_mono_us();
	op->write = true;
	if (conn->state == PG_UP) {
		pg_conn_send(conn, op);
	} else {
		op->outcome = PG_UNSENT;
		trl_wake(op->ticket);
	}
	return wait_for(ctx, conn->pg, op);
}

/* ---- connecting --------------------------------------------------------------------
 */

static void
on_timer(uv_timer_t *timer)
{
	trl_pg *pg = timer->data;

	if (pg->connecting) {
		struct pg_conn *conn = pg->connecting;

		pg_conn_close(conn);
		pg_conn_is_down(conn, "no answer");
		return;
	}
	connect_next(pg);
}

static uint32_t
backoff_ms(trl_pg *pg)
{
	uint32_t most = pg->failures >= 5 ? 1000 : 50u << pg->failures;

	if (most > 1000)
		most = 1000;
	return most / 2 + randombytes_uniform(most / 2 + 1);
}

static struct pg_conn *
missing(trl_pg *pg)
{
	size_t up = 0;
	struct pg_conn *write = NULL;

	for (size_t i = 0; i < pg->n_reads; i++)
		if (pg->reads[i].state == PG_DOWN)
			return &pg->reads[i];
	for (size_t i = 0; i < pg->n_writes; i++) {
		up += pg->writes[i].state == PG_UP;
		if (!write && pg->writes[i].state == PG_DOWN && !pg->writes[i].leased)
			write = &pg->writes[i];
	}
	return up == 0 || pg->writing.len > 0 ? write : NULL;
}

static void
connect_next(trl_pg *pg)
{
	struct pg_conn *conn;

	if (pg->closing || pg->connecting)
		return;
	if (pg->failures > 0 && uv_is_active((uv_handle_t *)pg->timer))
		return; /* in the backoff */
	conn = missing(pg);
	if (!conn)
		return;
	pg->connecting = conn;
	uv_timer_start(pg->timer, on_timer, PG_CONNECT_TIMEOUT_MS, 0);
	pg_conn_start(conn);
}

void
pg_conn_is_up(struct pg_conn *conn)
{
	trl_pg *pg = conn->pg;

	pg->connecting = NULL;
	pg->failures = 0;
	uv_timer_stop(pg->timer);
	connect_next(pg);
	show_use(pg);
	pg_conn_is_free(conn);
}

void
pg_conn_is_down(struct pg_conn *conn, const char *why)
{
	trl_pg *pg = conn->pg;
	bool attempt = pg->connecting == conn;

	if (pg->closing)
		return;
	trl_series_add(pg->m.reconnects, 1);
	show_use(pg);
	if (attempt) {
		pg->connecting = NULL;
		pg->failures++;
	}
	if (!attempt || pg->failures <= 1 || pg->failures % 16 == 0)
		trl_log(TRL_LOG_WARN, NULL, "connection to PostgreSQL lost",
		    TRL_LOG_STR("why", why), TRL_LOG_STR("schema", pg->sql->service),
		    TRL_LOG_INT("attempt", pg->failures));
	if (!pg->connecting && !(pg->failures > 0 && !attempt))
		uv_timer_start(pg->timer, on_timer, attempt ? backoff_ms(pg) : 1, 0);
	if (hopeless(pg)) {
		give_writes(pg);
		flush_reads(pg);
	}
}

bool
trl_pg_ready(const trl_pg *pg)
{
	size_t reads = 0, writes = 0;

	for (size_t i = 0; i < pg->n_reads; i++)
		reads += pg->reads[i].state == PG_UP;
	for (size_t i = 0; i < pg->n_writes; i++)
		writes += pg->writes[i].state == PG_UP;
	return reads > 0 && writes > 0;
}

/* ---- opening and closing
 * -------------------------------------------------------------- */

struct pg_statement *
pg_statement_of(trl_pg *pg, const struct trl_sql *sql)
{
	struct pg_statement *st;

	if (sql->index < trl_framework.n_statements &&
	    trl_framework.statements[sql->index] == sql)
		return &pg->statements[sql->index];
	st = &pg->statements[trl_framework.n_statements + sql->index];
	trl_assert(st < pg->statements + pg->n_statements && st->sql == sql);
	return st;
}

/* The connection string with our session settings added to its options. */
static const char *
read_url(trl_pg *pg)
{
	char *why = NULL;
	const char *given = "";
	size_t n = 0;

	pg->info = PQconninfoParse(pg->url, &why);
	if (!pg->info) {
		static char text[200];

		snprintf(text, sizeof text, "%s", why ? why : "cannot be read");
		PQfreemem(why);
		return text;
	}
	pg->keywords = calloc(64, sizeof(char *));
	pg->values = calloc(64, sizeof(char *));
	trl_assert(pg->keywords && pg->values);
	for (PQconninfoOption *o = pg->info; o->keyword; o++) {
		if (!o->val || !o->val[0])
			continue;
		if (strcmp(o->keyword, "options") == 0) {
			given = o->val;
			continue;
		}
		pg->keywords[n] = o->keyword;
		pg->values[n++] = o->val;
		trl_assert(n < 56);
	}
	struct trl_buf text = { 0 };

	trl_buf_printf(&text,
	    "%s -c search_path=%s -c statement_timeout=%d -c lock_timeout=%d "
	    "-c idle_in_transaction_session_timeout=10000 -c jit=off",
	    given, pg->sql->service, PG_STATEMENT_TIMEOUT_MS, PG_LOCK_TIMEOUT_MS);
	pg->options_write = strndup((char *)text.data, text.len);
	trl_buf_adds(&text, " -c default_transaction_read_only=on");
	pg->options_read = strndup((char *)text.data, text.len);
	trl_buf_fini(&text);
	pg->keywords[n] = "application_name";
	pg->values[n++] = pg->sql->service;
	pg->keywords[n] = "client_encoding";
	pg->values[n++] = "UTF8";
	pg->keywords[n] = "tcp_user_timeout";
	pg->values[n++] = "5000";
	pg->keywords[n] = "connect_timeout";
	pg->values[n++] = "3";
	pg->keywords[n] = "options";
	pg->options_at = n;
	return NULL;
}

static void
open_metrics(trl_pg *pg)
{
	const char *name = pg->sql->service;
	trl_metric *m = trl_histogram_new("trellis_pg_batch_seconds",
	    "Batches from submitting to their Sync", "schema", "kind", NULL);

	pg->m.read = trl_series_at(m, name, "read");
	pg->m.write = trl_series_at(m, name, "write");
	pg->m.tx = trl_series_at(m, name, "tx");
	m = trl_histogram_new("trellis_pg_pool_wait_seconds",
	    "Waiting for a write connection", "schema", NULL);
	pg->m.wait = trl_series_at(m, name);
	m = trl_counter_new("trellis_pg_connections_lost_total",
	    "Connections lost and attempts that failed", "schema", NULL);
	pg->m.reconnects = trl_series_at(m, name);
	m = trl_counter_new("trellis_pg_tx_unknown_total",
	    "Writes whose outcome the connection took with it", "schema", NULL);
	pg->m.unknown = trl_series_at(m, name);
	m = trl_counter_new("trellis_pg_rls_denied_total",
	    "Statements that row security or missing rights refused", "schema", NULL);
	pg->m.denied = trl_series_at(m, name);
	m = trl_counter_new("trellis_pg_read_groups_total",
	    "Groups of read batches sent under one Sync", "schema", NULL);
	pg->m.groups = trl_series_at(m, name);
	m = trl_counter_new("trellis_pg_idempotency_total",
	    "Writes under a key: new, hit (replayed), conflict", "schema", "result",
	    NULL);
	pg->m.idem_new = trl_series_at(m, name, "new");
	pg->m.idem_hit = trl_series_at(m, name, "hit");
	pg->m.idem_conflict = trl_series_at(m, name, "conflict");
	m = trl_gauge_new(
	    "trellis_pg_connections", "Connections that are up", "schema", NULL);
	pg->m.up = trl_series_at(m, name);
	m = trl_gauge_new(
	    "trellis_pg_writes_in_use", "Write connections at work", "schema", NULL);
	pg->m.in_use = trl_series_at(m, name);
}

static enum trl_code
start(trl_pg *pg)
{
	struct pg_conn *conn = &pg->writes[0];
	const char *why = pg_conn_start_now(conn);

	if (why) {
		fprintf(stderr, "%s: PostgreSQL does not answer: %s", pg->sql->service,
		    why);
		return TRL_UNAVAILABLE;
	}
	if (!pg_check_session(conn->pq, pg->sql))
		return TRL_INTERNAL;
	why = pg_conn_learn(conn);
	if (why) {
		if (why[0])
			fprintf(stderr, "%s: %s", pg->sql->service, why);
		return TRL_INTERNAL;
	}
	return TRL_OK;
}

enum trl_code
trl_pg_open(trl_loop *loop, const struct trl_pg_options *options, trl_pg **out)
{
	trl_pg *pg = calloc(1, sizeof *pg);
	const char *why;
	enum trl_code rc;

	trl_assert(pg != NULL && sodium_init() >= 0);
	pg->loop = loop;
	pg->sql = options->sql;
	pg->url = strdup(options->url);
	if (options->seal_key) {
		pg->has_seal_key = true;
		memcpy(pg->seal_key, options->seal_key, sizeof pg->seal_key);
	}
	pg->n_reads = options->read_connections ? options->read_connections : 2;
	pg->n_writes = options->write_connections ? options->write_connections : 8;
	pg->reads = calloc(pg->n_reads, sizeof *pg->reads);
	pg->writes = calloc(pg->n_writes, sizeof *pg->writes);
	pg->n_statements = trl_framework.n_statements + pg->sql->n_statements;
	pg->statements = calloc(pg->n_statements, sizeof *pg->statements);
	pg->timer = calloc(1, sizeof *pg->timer);
	trl_assert(pg->reads && pg->writes && pg->statements && pg->timer);
	for (size_t i = 0; i < pg->n_reads; i++)
		pg->reads[i].pg = pg;
	for (size_t i = 0; i < pg->n_writes; i++) {
		pg->writes[i].pg = pg;
		pg->writes[i].write = true;
	}
	for (size_t i = 0; i < trl_framework.n_statements; i++)
		pg->statements[i].sql = trl_framework.statements[i];
	for (size_t i = 0; i < pg->sql->n_statements; i++)
		pg->statements[trl_framework.n_statements + i].sql =
		    pg->sql->statements[i];
	trl_assert(uv_timer_init(trl_loop_uv(loop), pg->timer) == 0);
	pg->timer->data = pg;
	open_metrics(pg);
	trl_loop_on_flush(loop, flush_reads, pg);
	why = read_url(pg);
	if (why)
		fprintf(stderr, "%s: the connection string of PostgreSQL: %s\n",
		    pg->sql->service, why);
	rc = why ? TRL_INTERNAL : start(pg);
	if (rc != TRL_OK) {
		trl_pg_close(&pg);
		return rc;
	}
	connect_next(pg);
	*out = pg;
	return TRL_OK;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void
trl_pg_close(trl_pg **pointer)
{
	trl_pg *pg = TRL_TAKE(*pointer);

	if (!pg)
		return;
	pg->closing = true;
	trl_loop_off_flush(pg->loop, pg);
	uv_timer_stop(pg->timer);
	uv_close((uv_handle_t *)pg->timer, on_timer_closed);
	for (size_t i = 0; i < pg->n_reads; i++)
		pg_conn_close(&pg->reads[i]);
	for (size_t i = 0; i < pg->n_writes; i++)
		pg_conn_close(&pg->writes[i]);
	fail_all(&pg->reading);
	fail_all(&pg->writing);
	for (size_t i = 0; i < pg->n_statements; i++)
		pg_statement_fini(&pg->statements[i]);
	PQconninfoFree(pg->info);
	free(pg->keywords);
	free(pg->values);
	free(pg->options_read);
	free(pg->options_write);
	free(pg->statements);
	free(pg->reads);
	free(pg->writes);
	free(pg->url);
	sodium_memzero(pg->seal_key, sizeof pg->seal_key);
	free(pg);
}
