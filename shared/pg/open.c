/* open.c - a service's pool from its options: the connection string, the first
 * connection with its checks, the metrics; and the end of all that. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <trl/complain.h>
#include <trl/loop_uv.h>

#include "check.h"
#include "url.h"

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

/* The connection string, taken apart. */
static const char *
read_url(trl_pg *pg)
{
	char *why = NULL;
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
		pg->keywords[n] = o->keyword;
		pg->values[n++] = o->val;
		trl_assert(n < 56);
	}
	pg->keywords[n] = "application_name";
	pg->values[n++] = pg->sql->service;
	pg->keywords[n] = "client_encoding";
	pg->values[n++] = "UTF8";
	/* Those that lie idle are asked whether they are there. */
	pg->keywords[n] = "keepalives_idle";
	pg->values[n++] = "5";
	pg->keywords[n] = "keepalives_interval";
	pg->values[n++] = "2";
	pg->keywords[n] = "keepalives_count";
	pg->values[n++] = "2";
	pg->keywords[n] = "tcp_user_timeout";
	pg->values[n++] = "5000";
	pg->keywords[n] = "connect_timeout";
	pg->values[n++] = "3";
	return NULL;
}

static void
open_metrics(trl_pg *pg)
{
	const char *name = pg->label;
	trl_metric *m = trl_histogram_new(TRL_SCALE_DECADE, "trellis_pg_batch_seconds",
	    "Batches from submitting to their Sync", "schema", "kind", NULL);

	pg->m.read = trl_series_at(m, name, "read");
	pg->m.write = trl_series_at(m, name, "write");
	pg->m.tx = trl_series_at(m, name, "tx");
	m = trl_histogram_new(TRL_SCALE_DECADE, "trellis_pg_pool_wait_seconds",
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
	m = trl_gauge_new("trellis_pg_pipelined",
	    "Groups of reads sent and not yet answered, over all pipelines", "schema",
	    NULL);
	pg->m.pipelined = trl_series_at(m, name);
	m = trl_gauge_new("trellis_pg_waiting",
	    "Batches without a connection, in the queues of the pool", "schema", "kind",
	    NULL);
	pg->m.reads_wait = trl_series_at(m, name, "read");
	pg->m.writes_wait = trl_series_at(m, name, "write");
}

static double
takes_no_writes(void *self)
{
	return ((const trl_pg *)self)->refusal != NULL;
}

/* What there may be of each, beside what there is. */
static void
open_limits(trl_pg *pg)
{
	trl_metric *m = trl_gauge_new("trellis_pg_connections_limit",
	    "Connections that the pool makes", "schema", NULL);

	trl_series_set(
	    trl_series_at(m, pg->label), (double)(pg->n_reads + pg->n_writes));
	m = trl_gauge_new("trellis_pg_writes_limit",
	    "Those of them that are for writes and transactions", "schema", NULL);
	trl_series_set(trl_series_at(m, pg->label), (double)pg->n_writes);
	m = trl_gauge_new("trellis_pg_read_only",
	    "1 while PostgreSQL takes no writes: read-only, or its disk is full",
	    "schema", NULL);
	trl_series_ask(trl_series_at(m, pg->label), takes_no_writes, pg);
	m = trl_gauge_new("trellis_pg_clock_offset_seconds",
	    "How far our clock is ahead of PostgreSQL's, as asked once a second",
	    "schema", NULL);
	pg->m.clock_offset = trl_series_at(m, pg->label);
}

static enum trl_code
start(trl_pg *pg)
{
	struct pg_conn *conn = &pg->writes[0];
	const char *why = pg_conn_start_now(conn);

	if (why) {
		trl_complain("%s: PostgreSQL does not answer: %s%s", pg->sql->service,
		    why, pg_url_advice(why));
		return TRL_UNAVAILABLE;
	}
	why = pg_session_open(conn);
	if (why) {
		trl_complain("%s: the first connection to PostgreSQL: %s",
		    pg->sql->service, why);
		return TRL_INTERNAL;
	}
	if (!pg_check_session(conn->pq, pg->sql))
		return TRL_INTERNAL;
	why = pg_conn_learn(conn);
	if (why) {
		if (why[0])
			trl_complain("%s: %s", pg->sql->service, why);
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
	pg->audit_told = options->audit_told;
	pg->url = strdup(options->url);
	pg->label = strdup(options->label ? options->label : pg->sql->service);
	if (options->seal_key)
		pg->seal_key = trl_secret_new(options->seal_key, 32);
	pg->n_reads = options->read_connections ? options->read_connections : 2;
	pg->n_writes = options->write_connections ? options->write_connections : 8;
	pg->reads = calloc(pg->n_reads, sizeof *pg->reads);
	pg->writes = calloc(pg->n_writes, sizeof *pg->writes);
	pg->n_statements = trl_framework.n_statements + pg->sql->n_statements;
	pg->statements = calloc(pg->n_statements, sizeof *pg->statements);
	pg->timer = calloc(1, sizeof *pg->timer);
	pg->patience = calloc(1, sizeof *pg->patience);
	pg->asking = calloc(1, sizeof *pg->asking);
	trl_assert(pg->reads && pg->writes && pg->statements && pg->timer &&
		   pg->patience && pg->asking);
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
	trl_assert(uv_timer_init(trl_loop_uv(loop), pg->patience) == 0);
	trl_assert(uv_timer_init(trl_loop_uv(loop), pg->asking) == 0);
	pg->timer->data = pg->patience->data = pg->asking->data = pg;
	open_metrics(pg);
	open_limits(pg);
	trl_loop_on_flush(loop, pg_flush_reads, pg);
	why = read_url(pg);
	if (why)
		trl_complain("%s: the connection string of PostgreSQL: %s",
		    pg->sql->service, why);
	rc = why ? TRL_INTERNAL : start(pg);
	if (rc != TRL_OK) {
		trl_pg_close(&pg);
		return rc;
	}
	pg_connect_next(pg);
	pg_health_start(pg);
	*out = pg;
	return TRL_OK;
}

void
trl_pg_on_news(trl_pg *pg, enum trl_pg_news kind, void (*fn)(void *self, uint32_t mask),
    void *self)
{
	pg->news[kind].fn = fn;
	pg->news[kind].self = self;
}

void
pg_tell_news(trl_pg *pg, const uint32_t news[TRL_PG_NEWS])
{
	for (int i = 0; i < TRL_PG_NEWS; i++)
		if (news[i] && pg->news[i].fn)
			pg->news[i].fn(pg->news[i].self, news[i]);
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
	trl_metric_callback_drop(pg);
	trl_loop_off_flush(pg->loop, pg);
	uv_timer_stop(pg->timer);
	uv_close((uv_handle_t *)pg->timer, on_timer_closed);
	uv_timer_stop(pg->patience);
	uv_close((uv_handle_t *)pg->patience, on_timer_closed);
	uv_timer_stop(pg->asking);
	uv_close((uv_handle_t *)pg->asking, on_timer_closed);
	for (size_t i = 0; i < pg->n_reads; i++)
		pg_conn_close(&pg->reads[i]);
	for (size_t i = 0; i < pg->n_writes; i++)
		pg_conn_close(&pg->writes[i]);
	pg_fail_all(&pg->reading);
	pg_fail_all(&pg->writing);
	for (size_t i = 0; i < pg->n_statements; i++)
		pg_statement_fini(&pg->statements[i]);
	PQconninfoFree(pg->info);
	free(pg->keywords);
	free(pg->values);
	free(pg->lead_read);
	free(pg->lead_write);
	free(pg->statements);
	free(pg->reads);
	free(pg->writes);
	free(pg->url);
	free(pg->label);
	trl_secret_free(&pg->seal_key);
	free(pg);
}
