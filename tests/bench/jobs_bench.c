/* jobs_bench.c - how many trivial jobs a second one worker runs, beside a bare loop of
 * the same statements over libpq in the same run; how long another tenant's job
 * waits while one floods 1000:1; and how long a job of a kind that waits on somebody
 * outside waits while eight tenants' take nine seconds each, and while another lane of
 * its own tenant's do, with the caps of webhooks and those of mails. tools/bench runs
 * it; by hand, with TRELLIS_TEST_PG_ADMIN_URL set.
 *
 * The bare loop takes jobs under a lease by the simplest claim there is (no tenants, no
 * caps) and deletes them, one batch after the other: what PostgreSQL can do at most
 * for one connection. */
#include "test_world.h"

#include <trl/jobs_open.h>

enum {
	JOBS = 60000,
	SLOTS = 800,
	TENANTS = 50,
	BATCH = 200,
	FLOOD = 100000,
	PROBES = 100, /* FLOOD / 1000 */
	SLOW_TENANTS = 8,
	SLOW_JOBS = 500, /* of each */
	SLOW_MS = 9000,
	PROBE_EVERY_MS = 20
};

static struct bench {
	trl_pg *sys;
	trl_jobs *jobs;
	size_t done;
	struct trl_id quiet; /* the tenant whose waits are taken */
	double waits_ms[2 * PROBES];
	size_t n_waits;
	const struct trl_job_kind *probed;
	struct trl_id lane; /* where the probes are */
} bench;

static const struct trl_field no_rules[32];
static const struct trl_message rules = {
	.descriptor = &pgtest__answer__descriptor, .fields = no_rules, .clear_field = -1
};

static enum trl_code
trivial(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	(void)self;
	bench.done++;
	if (trl_id_eq(ctx->tenant, bench.quiet) && bench.n_waits < 2 * PROBES)
		bench.waits_ms[bench.n_waits++] =
		    (double)(trl_wall_us() - job->run_at_us) / 1000;
	return TRL_OK;
}

/* Of the flood: each takes a while, as real work does. */
static enum trl_code
slow(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	enum trl_code rc = trl_sleep(ctx, 2);

	return rc == TRL_OK ? trivial(self, ctx, job) : rc;
}

/* The probes' tenant has jobs that are quick, and in another case some that are not. */
static enum trl_code
outside(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	enum trl_code rc = TRL_OK;

	if (job->attempts == 1) /* as fill_slow made it */
		rc = trl_sleep(ctx, SLOW_MS);
	else
		rc = trl_sleep(ctx, 2);
	if (rc != TRL_OK || job->attempts == 1)
		return TRL_OK; /* cut off, the worker closes */
	return trivial(self, ctx, job);
}

static const struct trl_job_kind trivial_kind = {
	.name = "trivial",
	.message = &rules,
	.run = trivial,
	.slots = SLOTS,
	.per_tenant = SLOTS,
};
static const struct trl_job_kind slow_kind = {
	.name = "slow",
	.message = &rules,
	.run = slow,
	.slots = 64,
};
/* As webhooks/send.c and mail.c have it. */
static const struct trl_job_kind outside_kinds[] = {
	{ .name = "as webhooks",
	    .message = &rules,
	    .run = outside,
	    .slots = 512,
	    .per_tenant = 64,
	    .per_lane = 16 },
	{ .name = "as mails",
	    .message = &rules,
	    .run = outside,
	    .slots = 24,
	    .per_tenant = 12,
	    .per_lane = 6 },
};
static const struct trl_job_kind *const kinds[] = { &trivial_kind, &slow_kind,
	&outside_kinds[0], &outside_kinds[1], NULL };

/* ---- jobs by the thousand */

static void
fill(const char *kind, int n, int tenants)
{
	test_db_sql(&world.db,
	    "insert into pgtest.job (id, tenant_id, kind, state, priority, run_at, "
	    "attempt,"
	    " attempts, payload, trace, made_at) select gen_random_uuid(),"
	    " md5((i %% %d)::text)::uuid, '%s', 'ready', 0, now(), 0, 25, '', '', now()"
	    " from generate_series(1, %d) i",
	    tenants, kind, n);
	test_db_sql(&world.db, "analyze pgtest.job");
}

static double
bare_loop(void)
{
	char url[512], limit[16];
	PGconn *pq;
	size_t n = 0;
	uint64_t began;

	snprintf(url, sizeof url, "%s", test_db_as(&world.db, "pgtest_sys"));
	pq = PQconnectdb(url);
	snprintf(limit, sizeof limit, "%d", BATCH);
	PQclear(PQexec(pq, "set search_path = pgtest"));
	PQclear(PQprepare(pq, "take",
	    "with pick as materialized (select id from job where state = 'ready' and "
	    "kind = "
	    "'trivial' limit $1 for update skip locked) update job set state = "
	    "'running', "
	    "attempt = attempt + 1, lease_token = gen_random_uuid(), lease_until = "
	    "now() + "
	    "interval '30 seconds' from pick where job.id = pick.id returning job.id, "
	    "tenant_id, attempt, attempts, payload, trace, made_at, run_at",
	    1, NULL));
	PQclear(PQprepare(
	    pq, "drop", "delete from job where id = any($1::uuid[])", 1, NULL));
	began = trl_mono_us();
	for (;;) {
		const char *values[] = { limit };
		PGresult *res = PQexecPrepared(pq, "take", 1, values, NULL, NULL, 0);
		struct trl_buf ids = { 0 };
		int rows = PQntuples(res);

		for (int i = 0; i < rows; i++)
			trl_buf_printf(
			    &ids, "%c%s", i ? ',' : '{', PQgetvalue(res, i, 0));
		PQclear(res);
		if (rows == 0)
			break;
		trl_buf_add(&ids, "}", 2);
		values[0] = (const char *)ids.data;
		PQclear(PQexecPrepared(pq, "drop", 1, values, NULL, NULL, 0));
		trl_buf_fini(&ids);
		n += (size_t)rows;
	}
	PQfinish(pq);
	return (double)n / ((double)(trl_mono_us() - began) / 1e6);
}

static bool
is_ready(void *pg)
{
	return trl_pg_ready(pg);
}

static bool
is_drained(void *jobs)
{
	return trl_jobs_drained(jobs);
}

static bool
are_done(void *n)
{
	return bench.done >= (size_t)n;
}

static void
open_worker(void)
{
	struct trl_jobs_options options = { .service = "pgtest",
		.app = world.pg,
		.sys = bench.sys,
		.kinds = kinds,
		.release_ms = 100 };

	trl_assert(trl_jobs_open(world.loop, &options, &bench.jobs) == TRL_OK);
}

static void
close_worker(void)
{
	trl_jobs_drain(bench.jobs);
	trl_assert(trl_loop_run_until(world.loop, is_drained, bench.jobs, 30000));
	trl_jobs_close(&bench.jobs);
}

static double
worker(size_t n)
{
	uint64_t began = trl_mono_us();

	bench.done = 0;
	open_worker();
	trl_assert(trl_loop_run_until(world.loop, are_done, (void *)n, 60000));
	double rate = (double)n / ((double)(trl_mono_us() - began) / 1e6);
	close_worker();
	return rate;
}

/* ---- another's job */

static void
add_probe(trl_ctx *ctx, void *arg)
{
	const struct trl_job_terms terms = { .lane = bench.lane };
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(bench.quiet));

	(void)arg;
	trl_batch_job(batch, bench.probed, &terms, NULL);
	if (trl_batch_write(batch, NULL) != TRL_OK)
		trl_assert(!"a probe could not be added");
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

static bool
have_waits(void *n)
{
	return bench.n_waits >= (size_t)n;
}

static void
probe(size_t so_far)
{
	for (size_t i = 0; i < PROBES; i++) {
		trl_assert(trl_spawn(world.loop, &(struct trl_spawn){ .name = "probe",
						     .run = add_probe }) == TRL_OK);
		trl_loop_run_until(world.loop, never, NULL, PROBE_EVERY_MS);
	}
	trl_assert(trl_loop_run_until(
	    world.loop, have_waits, (void *)(so_far + PROBES), 30000));
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* ---- rounds */

enum {
	BARE,
	MANY,
	ONE,
	QUIET_P50,
	QUIET_P99,
	FLOOD_P50,
	FLOOD_P99,
	OUTSIDE, /* p99 of each kind: quiet, eight slow tenants, a slow lane */
	FIGURES = OUTSIDE + 3 * TRL_COUNT(outside_kinds),
	ROUNDS = 9
};

static double figures[FIGURES][ROUNDS];

static double
median(int figure, size_t rounds)
{
	qsort(figures[figure], rounds, sizeof(double), by_size);
	return figures[figure][rounds / 2];
}

/* Jobs that take long: of so many tenants, in a lane each, or of the probes' own. */
static void
fill_slow(const char *kind, int tenants)
{
	char quiet[TRL_ID_TEXT];

	trl_id_format(bench.quiet, quiet);
	test_db_sql(&world.db,
	    "insert into pgtest.job (id, tenant_id, kind, state, priority, run_at, "
	    "attempt, attempts, payload, trace, made_at, lane) select "
	    "gen_random_uuid(), case when %d > 0 then md5(t::text)::uuid else '%s' "
	    "end, "
	    "'%s', 'ready', 0, now(), 0, 1, '', '', now(), md5(t::text)::uuid "
	    "from generate_series(1, greatest(1, %d)) t, generate_series(1, %d)",
	    tenants, quiet, kind, tenants, SLOW_JOBS);
	test_db_sql(&world.db, "analyze pgtest.job");
}

static double
p99(double *waits)
{
	qsort(waits, PROBES, sizeof *waits, by_size);
	return waits[PROBES * 99 / 100 - 1];
}

/* The same probes with nobody beside them, and beside those who take long. */
static void
measure_outside(size_t round, size_t kind)
{
	double *out[] = { figures[OUTSIDE + 3 * kind], figures[OUTSIDE + 3 * kind + 1],
		figures[OUTSIDE + 3 * kind + 2] };

	bench.probed = &outside_kinds[kind];
	for (int beside = 0; beside < 3; beside++) {
		test_db_sql(&world.db, "truncate pgtest.job");
		bench.lane = trl_id_new();
		bench.n_waits = 0;
		open_worker();
		if (beside > 0)
			fill_slow(bench.probed->name, beside == 1 ? SLOW_TENANTS : 0);
		trl_loop_run_until(world.loop, never, NULL, 1500);
		probe(0);
		out[beside][round] = p99(bench.waits_ms);
		close_worker();
	}
}

static void
measure(size_t round)
{
	for (size_t i = 0; i < TRL_COUNT(outside_kinds); i++)
		measure_outside(round, i);
	bench.probed = &slow_kind;
	bench.lane = trl_id_nil;
	test_db_sql(&world.db, "truncate pgtest.job");
	fill("trivial", JOBS, TENANTS);
	figures[BARE][round] = bare_loop();
	test_db_sql(&world.db, "truncate pgtest.job");
	fill("trivial", JOBS, TENANTS);
	figures[MANY][round] = worker(JOBS);
	test_db_sql(&world.db, "truncate pgtest.job");
	fill("trivial", JOBS, 1);
	figures[ONE][round] = worker(JOBS);

	bench.n_waits = 0;
	test_db_sql(&world.db, "truncate pgtest.job");
	open_worker();
	trl_loop_run_until(world.loop, never, NULL, 1000);
	probe(0);
	fill("slow", FLOOD, 1);
	probe(PROBES);
	close_worker();
	for (int flood = 0; flood < 2; flood++) {
		double *waits = bench.waits_ms + flood * PROBES;

		qsort(waits, PROBES, sizeof *waits, by_size);
		figures[flood ? FLOOD_P50 : QUIET_P50][round] = waits[PROBES / 2];
		figures[flood ? FLOOD_P99 : QUIET_P99][round] =
		    waits[PROBES * 99 / 100 - 1];
	}
	if (strcmp(test_db_sql(&world.db,
		       "select count(*) > 0 from pgtest.job where kind = 'slow'"),
		"t") != 0)
		printf("  (the flood ended before the probes did)\n");
}

static void
show(size_t rounds)
{
	double bare = median(BARE, rounds), many = median(MANY, rounds);
	double one = median(ONE, rounds), quiet = median(QUIET_P99, rounds);
	double flood = median(FLOOD_P99, rounds);

	printf("  bare loop                %8.0f jobs/s\n", bare);
	printf("  worker, 50 tenants       %8.0f jobs/s   %.2fx   goal 10000\n", many,
	    many / bare);
	printf("  worker, one tenant       %8.0f jobs/s   %.2fx\n", one, one / bare);
	printf("  another's wait, quiet    p50 %6.2f ms   p99 %6.2f ms\n",
	    median(QUIET_P50, rounds), quiet);
	printf("  while one floods 1000:1  p50 %6.2f ms   p99 %6.2f ms   %.2fx   goal "
	       "2x\n",
	    median(FLOOD_P50, rounds), flood, flood / quiet);
	for (size_t i = 0; i < TRL_COUNT(outside_kinds); i++) {
		const int at = OUTSIDE + 3 * (int)i;
		const double alone = median(at, rounds);

		printf("  %-11s p99 of a quick one's wait   alone %6.2f ms   beside %d "
		       "tenants of %d s %.2fx   a lane of its own tenant's %.2fx   "
		       "goal 2x\n",
		    outside_kinds[i].name, alone, SLOW_TENANTS, SLOW_MS / 1000,
		    median(at + 1, rounds) / alone, median(at + 2, rounds) / alone);
	}
}

int
main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	char url[512];

	if (rounds < 1 || rounds > ROUNDS || world_open(NULL) != 0)
		return 1;
	snprintf(url, sizeof url, "%s", test_db_as(&world.db, "pgtest_sys"));
	if (trl_pg_open(world.loop,
		&(struct trl_pg_options){ .url = url,
		    .sql = &pgtest_sql,
		    .read_connections = 1,
		    .write_connections = 6,
		    .label = "pgtest_sys" },
		&bench.sys) != TRL_OK ||
	    !trl_loop_run_until(world.loop, is_ready, bench.sys, 5000))
		return 1;
	bench.quiet = trl_id_new();
	for (size_t i = 0; i < rounds; i++)
		measure(i);
	show(rounds);
	trl_pg_close(&bench.sys);
	return world_close(NULL);
}
