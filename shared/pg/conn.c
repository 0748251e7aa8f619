/* conn.c - a libpq connection on the loop, always in pipeline mode.
 *
 * Ops are sent in groups, each ended by a Sync, and answered in order. Results of
 * a call are kept in its op; a group is over at its PIPELINE_SYNC and not before,
 * because a deferred constraint fails only there. A connection never sees
 * PQcancel: its answers belong to whoever waits, and nobody waiting is fine. (Over 400
 * lines: a connection's states and libpq's, side by side.) */
#include "conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <trl/loop_uv.h>
#include <trl/log.h>

#include "framework_sql.h"
#include "pool.h"

enum { READS_AT_END = 16 };

static void on_poll(uv_poll_t *poll, int status, int events);

struct pg_op *
pg_op_new(size_t n_calls)
{
	struct pg_op *op = calloc(1, sizeof *op + n_calls * sizeof(PGresult *));

	trl_assert(op != NULL);
	op->holders = 1;
	op->n_calls = n_calls;
	return op;
}

static void
op_clear(struct pg_op *op)
{
	for (size_t i = 0; i < op->n_calls; i++) {
		PQclear(op->results[i]);
		op->results[i] = NULL;
	}
	PQclear(op->error);
	op->error = NULL;
	op->n_done = 0;
	op->led = op->sync_sent = false;
	op->outcome = PG_PENDING;
}

void
pg_op_unref(struct pg_op **pointer)
{
	struct pg_op *op = TRL_TAKE(*pointer);

	if (!op || --op->holders > 0)
		return;
	op_clear(op);
	free(op);
}

static void
on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void
unwatch(struct pg_conn *conn)
{
	uv_poll_t *handle = TRL_TAKE(conn->poll);

	if (!handle)
		return;
	uv_poll_stop(handle);
	uv_close((uv_handle_t *)handle, on_poll_closed);
}

void
pg_conn_watch(struct pg_conn *conn, int events)
{
	int fd = PQsocket(conn->pq);

	if (conn->poll && conn->poll_fd != fd)
		unwatch(conn);
	if (!conn->poll) {
		conn->poll = calloc(1, sizeof *conn->poll);
		trl_assert(conn->poll != NULL);
		trl_assert(
		    uv_poll_init(trl_loop_uv(conn->pg->loop), conn->poll, fd) == 0);
		conn->poll->data = conn;
		conn->poll_fd = fd;
		conn->events = 0;
	}
	if (conn->events == events)
		return;
	trl_assert(uv_poll_start(conn->poll, events, on_poll) == 0);
	conn->events = events;
}

/* The end of a connection. */

/* An error of PostgreSQL's own rolls back; to be told to go (FATAL) does so where it
 * comes before the commit. After a PANIC, and where a pooler tells of a server that it
 * lost (it gives no severity field), the commit may stand. */
static enum pg_outcome
outcome_of_lost(const struct pg_op *op)
{
	const char *severity;

	if (!op->error || op->detached) /* whose calls are gone with their arena */
		return op->sync_sent ? PG_LOST : PG_UNSENT;
	severity = PQresultErrorField(op->error, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity && strcmp(severity, "ERROR") == 0)
		return PG_FAILED;
	if (severity && strcmp(severity, "FATAL") == 0 && op->error_at < op->n_calls &&
	    op->calls[op->error_at].sql != &trl_sql_tx_commit)
		return PG_FAILED;
	return PG_LOST;
}

/* What surely was not committed goes over another connection, without whoever waits
 * for it noticing. */
static void
end_lost(struct pg_conn *conn, struct pg_op *op)
{
	op->outcome = outcome_of_lost(op);
	if (!pg_may_repeat(conn->pg, op) || (op->write && op->outcome == PG_LOST)) {
		pg_op_is_done(op);
		return;
	}
	op_clear(op);
	op->repeats++;
	pg_op_again(conn->pg, op);
}

void
pg_conn_close(struct pg_conn *conn)
{
	struct pg_op *op = TRL_TAKE(conn->first);

	conn->last = conn->current = NULL;
	conn->groups = 0;
	conn->got = conn->retiring = false;
	conn->learned = 0;
	conn->state = PG_DOWN;
	unwatch(conn);
	if (conn->pq)
		PQfinish(conn->pq);
	conn->pq = NULL;
	while (op) {
		struct pg_op *next = op->next;

		op->next = NULL;
		end_lost(conn, op);
		op = next;
	}
}

static void
lost(struct pg_conn *conn)
{
	char why[256];

	snprintf(why, sizeof why, "%s", PQerrorMessage(conn->pq));
	why[strcspn(why, "\n")] = '\0';
	pg_conn_close(conn);
	pg_conn_is_down(conn, why);
}

static void
finish_call(struct pg_conn *conn)
{
	struct pg_op *op = conn->current;

	conn->got = false;
	if (conn->state == PG_PREPARING)
		return;
	if (op && op->led)
		op->led = false;
	else if (op && ++op->n_done == op->n_calls)
		conn->current = op->ends_group ? NULL : op->next;
}

/* The Sync of the oldest group came back. */
static void
finish_group(struct pg_conn *conn)
{
	struct pg_op *op = conn->first, *end = op;
	bool failed = false;

	while (!end->ends_group)
		end = end->next;
	conn->first = end->next;
	if (!conn->first)
		conn->last = NULL;
	conn->current = conn->first;
	conn->groups--;
	conn->since_us = conn->pg->heard_us = trl_loop_now_us(conn->pg->loop);
	end->next = NULL;
	for (struct pg_op *i = op; i; i = i->next) {
		failed |= i->error != NULL;
		if (i->error)
			pg_note_refusal(conn->pg, i);
	}
	while (op) {
		struct pg_op *next = op->next;

		op->next = NULL;
		if ((failed && !op->solo && !op->error) ||
		    (op->error && pg_is_only_old(conn, op))) {
			op_clear(op);
			pg_op_again(conn->pg, op);
		} else {
			op->outcome = op->error ? PG_FAILED : PG_FINE;
			pg_op_is_done(op);
		}
		op = next;
	}
	pg_conn_is_free(conn);
}

/* Keeps or drops a result; false: the connection is lost. */
static bool
take_result(struct pg_conn *conn, PGresult *res)
{
	struct pg_op *op = conn->current;

	switch (PQresultStatus(res)) {
	case PGRES_PIPELINE_SYNC:
		PQclear(res);
		if (conn->state == PG_PREPARING) {
			conn->state = PG_UP;
			pg_learn_end(conn);
			pg_conn_is_up(conn);
		} else {
			finish_group(conn);
		}
		return true;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		conn->got = true;
		if (conn->state == PG_PREPARING)
			return pg_learn_take(conn, res);
		if (op && !op->led && !op->detached &&
		    op->calls[op->n_done].sql == conn->pg->blamed)
			conn->pg->blamed = NULL;
		if (!op || op->led || op->results[op->n_done])
			PQclear(res);
		else
			op->results[op->n_done] = res;
		return true;
	case PGRES_PIPELINE_ABORTED:
		conn->got = true;
		PQclear(res);
		return true;
	default:
		break;
	}
	if (conn->state == PG_PREPARING)
		return pg_learn_take(conn, res);
	if (!PQresultErrorField(res, PG_DIAG_SQLSTATE)) {
		PQclear(res);
		return false;
	}
	if (op) {
		conn->got = true;
	} else { /* at the Sync itself: the commit failed */
		op = conn->first;
		while (op && !op->ends_group)
			op = op->next;
	}
	if (!op || op->error) {
		PQclear(res);
		return true;
	}
	op->error = res;
	op->error_at = op->n_done;
	return true;
}

static void
drain(struct pg_conn *conn)
{
	unsigned empty = 0;

	while (conn->pq && (conn->first || conn->state == PG_PREPARING) &&
	       !PQisBusy(conn->pq)) {
		PGresult *res = PQgetResult(conn->pq);

		if (res) {
			empty = 0;
			if (!take_result(conn, res)) {
				lost(conn);
				return;
			}
		} else if (conn->got) {
			finish_call(conn);
		} else if (++empty > 2) {
			return;
		}
	}
}

void
pg_conn_flush(struct pg_conn *conn)
{
	int left = PQflush(conn->pq);

	if (left < 0) /* what came before the end is still worth reading */
		left = 0;
	pg_conn_watch(conn, UV_READABLE | (left ? UV_WRITABLE : 0));
}

/* Whether op would set again what before, in the same transaction, has set. */
static bool
shares_scope(const struct pg_op *before, const struct pg_op *op)
{
	const struct pg_call *a = before->calls, *b = op->calls;

	if (a->sql != &trl_sql_begin || b->sql != &trl_sql_begin)
		return false;
	for (size_t i = 0; i < b->n_params; i++)
		if (a->lengths[i] != b->lengths[i] ||
		    memcmp(a->values[i], b->values[i], (size_t)b->lengths[i]) != 0)
			return false;
	return true;
}

/* Through a pooler a connection has no session: what it runs under leads each
 * transaction. before: the op ahead of it in its group, or NULL. */
static bool
send_lead(const struct pg_conn *conn, const struct pg_op *before, struct pg_op *op)
{
	bool begins = !op->tied || op->calls[0].sql == &trl_sql_tx_begin;

	if (!conn->pg->pooled || before || !begins)
		return true;
	op->led = true;
	return PQsendQueryParams(
	    conn->pq, pg_conn_lead(conn), 0, NULL, NULL, NULL, NULL, 1);
}

/* By its name, or whole: a pooler's next server may not know the name. */
static bool
send_call(const struct pg_conn *conn, const struct pg_call *call, const int *binary)
{
	struct trl_pg *pg = conn->pg;
	int n = (int)call->n_params;

	if (!pg->pooled)
		return PQsendQueryPrepared(conn->pq, call->sql->name, n, call->values,
		    call->lengths, binary, 1);
	return PQsendQueryParams(conn->pq, pg_conn_text(conn, call->sql), n,
	    pg_statement_of(pg, call->sql)->param_types, call->values, call->lengths,
	    binary, 1);
}

static bool
send_op(struct pg_conn *conn, const struct pg_op *before, struct pg_op *op)
{
	static const int binary[PG_PARAMS_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

	if (before && op->n_calls > 1 && shares_scope(before, op))
		op->n_done = 1; /* its first call counts as answered */
	if (!send_lead(conn, before, op))
		return false;
	for (size_t i = op->n_done; i < op->n_calls; i++)
		if (!send_call(conn, &op->calls[i], binary))
			return false;
	if (op->ends_group && !PQpipelineSync(conn->pq))
		return false;
	return true;
}

void
pg_conn_send(struct pg_conn *conn, struct pg_op *ops)
{
	const struct pg_op *before = NULL;
	bool ok = true;

	trl_assert(conn->state == PG_UP && ops != NULL);
	trl_assert(!conn->retiring || ops->tied);
	if (!conn->first)
		conn->since_us = trl_loop_now_us(conn->pg->loop);
	conn->groups++;
	for (struct pg_op *op = ops, *next; op; op = next) {
		next = op->next;
		trl_assert(op->n_calls > 0);
		op->holders++;
		op->ends_group = next == NULL;
		op->outcome = PG_PENDING;
		if (conn->last)
			conn->last->next = op;
		else
			conn->first = op;
		if (conn->first == op)
			conn->current = op;
		conn->last = op;
		if (ok)
			ok = send_op(conn, before, op);
		before = op;
	}
	if (ok)
		for (struct pg_op *op = ops; op; op = op->next)
			op->sync_sent = true;
	if (ok)
		pg_conn_flush(conn);
	else
		lost(conn);
}

const char *
pg_conn_text(const struct pg_conn *conn, const struct trl_sql *sql)
{
	return (conn->write || sql->writes) && sql->guarded ? sql->guarded : sql->text;
}

static void
step(struct pg_conn *conn)
{
	switch (PQconnectPoll(conn->pq)) {
	case PGRES_POLLING_READING:
		pg_conn_watch(conn, UV_READABLE);
		break;
	case PGRES_POLLING_WRITING:
		pg_conn_watch(conn, UV_WRITABLE);
		break;
	case PGRES_POLLING_OK:
		conn->state = PG_PREPARING;
		if (pg_learn_send(conn))
			pg_conn_flush(conn);
		else
			lost(conn);
		break;
	default:
		lost(conn);
		break;
	}
}

void
pg_conn_start(struct pg_conn *conn)
{
	trl_assert(conn->state == PG_DOWN && !conn->pq);
	conn->pq = PQconnectStartParams(conn->pg->keywords, conn->pg->values, 0);
	trl_assert(conn->pq != NULL);
	conn->state = PG_CONNECTING;
	if (PQstatus(conn->pq) == CONNECTION_BAD)
		lost(conn);
	else
		pg_conn_watch(conn, UV_WRITABLE);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct pg_conn *conn = poll->data;

	if (status != 0) /* at an error libuv has stopped watching */
		conn->events = 0;
	if (conn->state == PG_CONNECTING) {
		step(conn);
		return;
	}
	if (events & UV_WRITABLE)
		pg_conn_flush(conn);
	if (!(events & UV_READABLE) && status == 0)
		return;
	bool alive = PQconsumeInput(conn->pq) == 1;

	/* What came before an error is read, and that is the end. */
	for (int i = 0; status != 0 && alive && i < READS_AT_END; i++)
		alive = PQconsumeInput(conn->pq) == 1;
	alive = alive && status == 0;
	drain(conn);
	if (!alive && conn->poll == poll)
		lost(conn);
}
