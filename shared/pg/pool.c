/* pool.c - connecting and reconnecting, and who gets which connection.
 *
 * Only one connection of a service is being made at any time, and after a failure
 * the next attempt waits 50 ms to 1 s with jitter, so that a restart of PostgreSQL
 * meets no storm. Write connections beyond the first are made when somebody waits
 * for one. While attempts have failed for half a second and none has succeeded since,
 * calls that find no connection fail at once. (Over 400 lines: reads, writes and
 * reconnecting decide over the same connections.) */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

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
pop_any(struct pg_queue *queue)
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

/* The same; what was bound to types that are no more is for its owner to bind anew. */
static struct pg_op *
pop(const trl_pg *pg, struct pg_queue *queue)
{
	struct pg_op *op;

	while ((op = pop_any(queue)) && !op->lease && op->epoch != pg->epoch) {
		op->outcome = PG_STALE;
		pg_op_is_done(op);
	}
	return op;
}

void
pg_fail_all(struct pg_queue *queue)
{
	struct pg_op *op;

	while ((op = pop_any(queue))) {
		op->outcome = PG_UNSENT;
		pg_op_is_done(op);
	}
}

void
pg_op_is_done(struct pg_op *op)
{
	if (op->heard)
		op->heard(op->self, op);
	else if (!op->detached)
		trl_wake(op->ticket);
	pg_op_unref(&op);
}

void
pg_op_again(trl_pg *pg, struct pg_op *op)
{
	op->solo = true;
	if (!op->detached)
		push(op->write ? &pg->writing : &pg->reading, op, true);
	pg_op_unref(&op);
}

static void give_writes(trl_pg *pg);

/* PostgreSQL ends each statement of a read by its statement_timeout, and one with a
 * time of its own when its actor's is over; a connection that says nothing for three
 * times as long has nobody behind it. */
static bool
is_dead(const struct pg_conn *conn)
{
	return conn->first && (!conn->first->timed || conn->first->detached) &&
	       trl_loop_now_us(conn->pg->loop) - conn->since_us >
		   3ULL * PG_STATEMENT_TIMEOUT_MS * 1000;
}

/* What was sent behind a long statement would wait for it, and where the way is cut be
 * lost as well. */
static bool
is_silent(const struct pg_conn *conn)
{
	return conn->first &&
	       trl_loop_now_us(conn->pg->loop) - conn->since_us > PG_SILENT_MS * 1000;
}

/* Whether it takes new ops. */
static bool
serves(const struct pg_conn *conn)
{
	return conn->state == PG_UP && !conn->retiring &&
	       conn->epoch == conn->pg->epoch;
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
		if (!serves(conn))
			continue;
		*any = true;
		if (!is_silent(conn) && conn->groups < PG_GROUPS_AHEAD &&
		    (!best || conn->groups < best->groups))
			best = conn;
	}
	return best;
}

/* Attempts that fail at first may have been hit by what took the connections before. */
static bool
hopeless(const trl_pg *pg)
{
	return pg->closing ||
	       (pg->failures > 1 && trl_loop_now_us(pg->loop) - pg->failing_since_us >
					PG_HOPE_MS * 1000);
}

/* Whether a group should leave now: beside others only a full one, or where they
 * take long. To wait for them costs little, and the larger groups that come of it
 * save both processes most of their system calls. */
static bool
is_due(const trl_pg *pg)
{
	uint64_t oldest = UINT64_MAX;

	if (pg->reading.len >= PG_GROUP_MAX)
		return true;
	for (size_t i = 0; i < pg->n_reads; i++)
		if (pg->reads[i].groups > 0 && pg->reads[i].since_us < oldest)
			oldest = pg->reads[i].since_us;
	return oldest == UINT64_MAX ||
	       trl_loop_now_us(pg->loop) - oldest >= PG_PATIENCE_MS * 1000;
}

static size_t
gather(trl_pg *pg, struct pg_op **group)
{
	size_t n = 0;

	while (n < PG_GROUP_MAX && !(n > 0 && group[n - 1]->solo)) {
		struct pg_op *op = pop(pg, &pg->reading);

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

/* The queues as a turn leaves them. */
static void
show_queues(trl_pg *pg)
{
	size_t pipelined = 0;

	for (size_t i = 0; i < pg->n_reads; i++)
		pipelined += pg->reads[i].groups;
	trl_series_set(pg->m.pipelined, (double)pipelined);
	trl_series_set(pg->m.reads_wait, (double)pg->reading.len);
	trl_series_set(pg->m.writes_wait, (double)pg->writing.len);
}

static void
on_patience(uv_timer_t *timer)
{
	pg_flush_reads(timer->data);
}

/* At the end of a turn: what gathered leaves, a group a connection. */
void
pg_flush_reads(void *self)
{
	trl_pg *pg = self;
	struct pg_op *group[PG_GROUP_MAX];
	struct pg_conn *conn = NULL;
	bool any = true;

	while (pg->reading.len > 0 && is_due(pg) && (conn = least_busy(pg, &any))) {
		size_t n = gather(pg, group);

		if (n == 0)
			break;
		trl_series_add(pg->m.groups, 1);
		pg_conn_send(conn, group[0]);
		for (size_t i = 0; i < n; i++) /* the queue's holds */
			pg_op_unref(&group[i]);
	}
	if (pg->writing.len > 0) /* what a lost connection left */
		give_writes(pg);
	if (pg->reading.len > 0 && !any && hopeless(pg))
		pg_fail_all(&pg->reading);
	if (pg->reading.len > 0 && !uv_is_active((uv_handle_t *)pg->patience))
		uv_timer_start(pg->patience, on_patience, PG_PATIENCE_MS, 0);
	show_queues(pg);
}

static bool
is_free(const struct pg_conn *conn)
{
	return serves(conn) && !conn->leased && !conn->first;
}

static void
give_writes(trl_pg *pg)
{
	size_t up = 0;

	for (size_t i = 0; i < pg->n_writes && pg->writing.len > 0; i++) {
		struct pg_conn *conn = &pg->writes[i];

		up += serves(conn);
		if (!is_free(conn))
			continue;
		struct pg_op *op = pop(pg, &pg->writing);

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
		pg_fail_all(&pg->writing);
	else
		pg_connect_next(pg);
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
	if (conn->retiring && !conn->first && !conn->leased) {
		pg_conn_close(conn);
		pg_connect_next(conn->pg);
	}
	if (conn->write) {
		give_writes(conn->pg);
		show_use(conn->pg);
	} else if (conn->pg->reading.len > 0)
		pg_flush_reads(conn->pg);
}

void
pg_release(struct pg_conn *conn)
{
	conn->leased = false;
	pg_conn_is_free(conn);
}

static void
drop_if_unheard(struct pg_conn *conn, uint64_t since_us)
{
	if (conn->state != PG_UP || conn->first || conn->leased ||
	    conn->since_us >= since_us)
		return;
	pg_conn_close(conn);
	pg_conn_is_down(conn, "not heard of while another one was silent");
}

/* Somebody gave up on an answer: where the way to PostgreSQL is cut, the idle
 * connections are as dead, and none of them shall cost a call as well. If any of them
 * was heard from meanwhile, only this answer takes long. */
static void
doubt_idle(trl_pg *pg, const struct pg_op *op)
{
	uint64_t since_us = trl_loop_now_us(pg->loop) - PG_SILENT_MS * 1000;

	if (!op->sync_sent || op->queued_us > since_us)
		return;
	for (size_t i = 0; i < pg->n_reads; i++)
		drop_if_unheard(&pg->reads[i], op->queued_us);
	for (size_t i = 0; i < pg->n_writes; i++)
		drop_if_unheard(&pg->writes[i], op->queued_us);
}

/* It is asked once a second how it is, so it says something where it is there. */
static bool
says_nothing(const trl_pg *pg, const struct pg_op *op)
{
	return pg->heard_us < op->queued_us &&
	       trl_loop_now_us(pg->loop) - pg->heard_us > PG_UNHEARD_MS * 1000;
}

static void
give_up_on(struct pg_conn *conn, uint64_t since_us)
{
	if (conn->state != PG_UP || !conn->first || conn->since_us > since_us)
		return;
	pg_conn_close(conn);
	pg_conn_is_down(conn, "nothing was answered by any");
}

/* A way that is cut in silence the kernel finds out after six seconds or nine, and
 * never where somebody in between takes what is sent. A statement that takes long is
 * another thing: beside it the smallest of all is answered, but by a pooler, behind
 * which that waits as well. What was sent to be written waits as long as somebody waits
 * for it, for then nobody knows. */
void
pg_give_up_silent(trl_pg *pg)
{
	const struct pg_op *asked = pg->asked;
	uint64_t since_us = trl_loop_now_us(pg->loop) - PG_GONE_MS * 1000;

	if (pg->pooled || asked->queued || asked->queued_us > since_us ||
	    pg->heard_us > since_us)
		return;
	for (size_t i = 0; i < pg->n_reads; i++)
		give_up_on(&pg->reads[i], since_us);
	for (size_t i = 0; i < pg->n_writes; i++) {
		const struct pg_op *first = pg->writes[i].first;

		if (first && (first->detached || first == asked))
			give_up_on(&pg->writes[i], since_us);
	}
}

/* That PostgreSQL is away is another thing than that it is slow: whoever asked may come
 * again. Of what was sent to be written nobody knows. */
static enum trl_code
blame(trl_ctx *ctx, const trl_pg *pg, const struct pg_op *op, enum trl_code rc)
{
	if (rc != TRL_DEADLINE || (op->write && op->sync_sent) || !says_nothing(pg, op))
		return rc;
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_UNAVAILABLE, "PostgreSQL says nothing");
}

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
	doubt_idle(pg, op);
	return blame(ctx, pg, op, rc);
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
	op->epoch = pg->epoch;
	push(queue, op, false);
	if (op->write)
		give_writes(pg);
	return wait_for(ctx, pg, op);
}

void
pg_submit_heard(trl_pg *pg, struct pg_op *op)
{
	op->queued_us = trl_mono_us();
	op->epoch = pg->epoch;
	push(op->write ? &pg->writing : &pg->reading, op, false);
	if (op->write)
		give_writes(pg);
}

enum trl_code
pg_submit_on(trl_ctx *ctx, struct pg_conn *conn, struct pg_op *op)
{
	op->ticket = trl_park_begin(ctx);
	op->queued_us = trl_mono_us();
	op->write = op->tied = true;
	if (conn->state == PG_UP && conn->epoch == conn->pg->epoch) {
		pg_conn_send(conn, op);
	} else {
		op->outcome = conn->state == PG_UP ? PG_STALE : PG_UNSENT;
		trl_wake(op->ticket);
	}
	return wait_for(ctx, conn->pg, op);
}

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
	pg_connect_next(pg);
}

static uint32_t
backoff_ms(trl_pg *pg)
{
	uint32_t most = pg->failures >= 5 ? 1000 : 50u << pg->failures;

	if (most > 1000)
		most = 1000;
	return most / 2 + randombytes_uniform(most / 2 + 1);
}

/* The first of conns that is down; *serving: how many are not. */
static struct pg_conn *
down_of(struct pg_conn *conns, size_t n, size_t *serving)
{
	struct pg_conn *down = NULL;

	*serving = 0;
	for (size_t i = 0; i < n; i++) {
		*serving += serves(&conns[i]);
		if (!down && conns[i].state == PG_DOWN && !conns[i].leased)
			down = &conns[i];
	}
	return down;
}

/* First one of each kind, then what reads and whoever waits to write want. */
static struct pg_conn *
missing(trl_pg *pg)
{
	size_t reads, writes;
	struct pg_conn *read = down_of(pg->reads, pg->n_reads, &reads);
	struct pg_conn *write = down_of(pg->writes, pg->n_writes, &writes);

	if (read && reads == 0)
		return read;
	if (write && writes == 0)
		return write;
	if (read)
		return read;
	return pg->writing.len > 0 ? write : NULL;
}

void
pg_connect_next(trl_pg *pg)
{
	struct pg_conn *conn;

	if (pg->closing || pg->connecting)
		return;
	if (pg->failures > 0 && uv_is_active((uv_handle_t *)pg->timer))
		return; /* in the backoff */
	conn = missing(pg);
	if (!conn) { /* nor does anybody need what could not be made before */
		pg->failures = 0;
		return;
	}
	pg->connecting = conn;
	uv_timer_start(pg->timer, on_timer, PG_CONNECT_TIMEOUT_MS, 0);
	pg_conn_start(conn);
}

bool
pg_are_up(const trl_pg *pg)
{
	size_t reads = 0, writes = 0;

	for (size_t i = 0; i < pg->n_reads; i++)
		reads += pg->reads[i].state == PG_UP;
	for (size_t i = 0; i < pg->n_writes; i++)
		writes += pg->writes[i].state == PG_UP;
	return reads > 0 && writes > 0;
}

void
pg_connect_soon(trl_pg *pg, uint32_t ms)
{
	uv_timer_start(pg->timer, on_timer, ms, 0);
}

void
pg_conn_is_up(struct pg_conn *conn)
{
	trl_pg *pg = conn->pg;

	pg->connecting = NULL;
	pg->failures = 0;
	pg->heard_us = trl_loop_now_us(pg->loop);
	pg->served |= pg_are_up(pg);
	uv_timer_stop(pg->timer);
	pg_connect_next(pg);
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
		if (pg->failures++ == 0)
			pg->failing_since_us = trl_loop_now_us(pg->loop);
	}
	if (!attempt || pg->failures <= 1 || pg->failures % 16 == 0)
		trl_log(TRL_LOG_WARN, NULL, "connection to PostgreSQL lost",
		    TRL_LOG_STR("why", why), TRL_LOG_STR("schema", pg->sql->service),
		    TRL_LOG_INT("attempt", pg->failures));
	if (!pg->connecting && (attempt || !uv_is_active((uv_handle_t *)pg->timer)))
		pg_connect_soon(pg, attempt ? backoff_ms(pg) : 1);
	if (hopeless(pg)) {
		give_writes(pg);
		pg_flush_reads(pg);
	}
}

/* What is lost and being made again without a failed attempt costs a moment, and the
 * calls wait for it: to say so would turn them away. */
bool
trl_pg_ready(const trl_pg *pg)
{
	return pg_are_up(pg) || (pg->served && !hopeless(pg));
}
