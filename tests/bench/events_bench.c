/* events_bench.c - from a fact's write to its event's commit at a subscriber, idle; and
 * how many events a second reach three subscribers, beside a bare loop of the same
 * statements over libpq in the same run. tools/bench runs it; by hand, with
 * TRELLIS_TEST_PG_ADMIN_URL set.
 *
 * The bare loop is one connection that does for a hundred events at a time what all
 * processes do together: outbox, log with numbers, and for each of three readers the
 * reading, the inbox, the effect and the cursor; pipelined as far as results allow. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <trl/clock.h>

#include "../events/world.h"

enum {
	RATE = 15000,
	PROBES = 100,
	SECONDS = 8,
	PER_TX = 20,
	BARE_S = 4,
	BARE_BATCH = 200
};

static void
rest(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000,
		      .tv_nsec = (long)(ms % 1000) * 1000000 },
	    NULL);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* ---- idle */

static void
measure_idle(void)
{
	world.shared->per_tx = 1;
	for (int i = 0; i < 20; i++) {
		write_events(1, 1);
		rest(20);
	}
	world.shared->n_waits = 0;
	for (int i = 0; i < PROBES; i++) {
		write_events(1, 1);
		rest(20);
	}
	rest(500);
	unsigned n = world.shared->n_waits;
	qsort(world.shared->waits_ms, n, sizeof(double), by_value);
	printf("events: idle, fact written -> applied elsewhere: median %.2f ms, p99 "
	       "%.2f ms (%u events)\n",
	    world.shared->waits_ms[n / 2], world.shared->waits_ms[n * 99 / 100], n);
}

/* ---- sustained */

static uint64_t
least_applied(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < REPLICAS; i++)
		if (world.shared->applied[i] < least)
			least = world.shared->applied[i];
	return least;
}

/* Offers RATE events a second, whatever comes of them. */
static void
write_at_rate(unsigned seconds)
{
	uint64_t from = trl_mono_us(), until = from + seconds * 1000000ull, now;
	unsigned base = world.shared->to_write;

	while ((now = trl_mono_us()) < until) {
		world.shared->to_write =
		    base + (unsigned)((now - from) * (RATE / PER_TX) / 1000000);
		rest(1);
	}
}

static double
measure_sustained(void)
{
	uint64_t from, before, now, written;
	double rate;

	world.shared->per_tx = PER_TX;
	world.shared->to_write = world.shared->written[0];
	write_at_rate(1);
	from = trl_mono_us();
	before = least_applied();
	write_at_rate(SECONDS);
	now = least_applied();
	rate = (double)(now - before) * 1e6 / (double)(trl_mono_us() - from);
	written = (uint64_t)number("select sum(last_seq) from fact.event_head");
	printf(
	    "events: %d/s offered; at three subscribers, the slowest of them: %.0f/s, "
	    "%.2f s behind\n",
	    RATE, rate, (double)(written - now) / rate);
	return rate;
}

/* ---- the same statements, bare */

static const char *const bare_setup =
    "create schema bare; set search_path = bare; create table outbox (like fact.outbox "
    "including all); create table event_log (like fact.event_log including all); "
    "create table head (lane smallint primary key, last_seq bigint); create table fact "
    "(like fact.fact including all); insert into head values (1, 0); create table "
    "inbox "
    "(like seen.inbox including all); create table seen (like seen.seen including "
    "all); "
    "create table cursor (subscription text, lane int, seq bigint, primary key "
    "(subscription, lane)); insert into cursor values ('a', 1, 0), ('b', 1, 0), ('c', "
    "1, "
    "0)";

static const char *const bare_write =
    "begin; insert into fact values (gen_random_uuid(), gen_random_uuid(), 1); insert "
    "into outbox (lane, tenant_id, event_id, subject_id, type, at, trace, payload) "
    "select 1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), "
    "'auth.account.updated', now(), '\\x00', '\\x0102030405060708090a' from "
    "generate_series(1, 20); commit";

static const char *const bare_move =
    "with head as materialized (select lane, last_seq from head where lane = 1 for "
    "update skip locked), taken as (delete from outbox o using (select ctid from "
    "outbox where lane = 1 order by id limit 1000) n where o.ctid = n.ctid returning "
    "o.*), told as (insert into event_log select t.lane, h.last_seq + row_number() "
    "over "
    "(order by t.id), current_date, t.tenant_id, t.event_id, t.subject_id, t.type, "
    "t.at, "
    "t.trace, t.payload from taken t, head h returning seq) update head set last_seq = "
    "(select max(seq) from told)";

static const char *const bare_apply =
    "begin; select seq from cursor where subscription = '%s' and lane = 1 for update "
    "skip "
    "locked; select * from event_log where lane = 1 and seq > %lld order by seq limit "
    "200; with fresh as (insert into inbox select '%s', event_id, lane, seq from "
    "event_log where lane = 1 and seq > %lld and seq <= %lld on conflict do nothing "
    "returning event_id, lane, seq) insert into seen (tenant_id, event_id, subject_id, "
    "lane, seq, n, who) select event_id, event_id, event_id, lane, seq, 1, 1 from "
    "fresh; "
    "update cursor set seq = %lld where subscription = '%s' and lane = 1; commit";

static void
run_bare(PGconn *pq, const char *sql)
{
	PGresult *res = PQexec(pq, sql);
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(pq));
		exit(1);
	}
	PQclear(res);
}

static double
measure_bare(void)
{
	static const char *const readers[] = { "a", "b", "c" };
	PGconn *pq = PQconnectdb(world.db.admin);
	uint64_t from = trl_mono_us(), until = from + BARE_S * 1000000ull;
	long long done = 0;
	char sql[1024];
	double rate;

	run_bare(pq, bare_setup);
	while (trl_mono_us() < until) {
		for (int i = 0; i < BARE_BATCH / PER_TX; i++)
			run_bare(pq, bare_write);
		run_bare(pq, bare_move);
		for (int i = 0; i < 3; i++) {
			snprintf(sql, sizeof sql, bare_apply, readers[i], done,
			    readers[i], done, done + BARE_BATCH, done + BARE_BATCH,
			    readers[i]);
			run_bare(pq, sql);
		}
		done += BARE_BATCH;
	}
	rate = (double)done * 1e6 / (double)(trl_mono_us() - from);
	PQfinish(pq);
	printf("events: the same statements in a bare loop of one connection: %.0f/s\n",
	    rate);
	return rate;
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (world_open(NULL) != 0)
		return 1;
	world.shared->bench = true;
	produce(0);
	for (unsigned i = 0; i < REPLICAS; i++)
		subscribe(i);
	await_sql(10, "select count(*) = 3 from seen.event_subscription");
	measure_idle();
	double mesh = measure_sustained();
	world.shared->to_write = 0;
	for (int i = 0; i < REPLICAS; i++) {
		end(&world.producers[i]);
		end(&world.subscribers[i]);
	}
	double bare = measure_bare();
	printf("events: %.2f of the bare loop\n", mesh / bare);
	world_close(NULL);
	return 0;
}
