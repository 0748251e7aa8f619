/* test_rig.c - see test_rig.h. */
#include "test_rig.h"

#include <unistd.h>

enum { WAIT_MS = 20000 };

struct rig rig;

static bool
both_ready(void *arg)
{
	(void)arg;
	return trl_pg_ready(rig.sys[0]) && trl_pg_ready(rig.sys[1]);
}

int
rig_open(void **state)
{
	char url[512];

	if (world_open(state) != 0)
		return -1;
	snprintf(url, sizeof url, "%s", test_db_as(&world.db, "pgtest_sys"));
	for (int i = 0; i < 2; i++)
		if (trl_pg_open(world.loop,
			&(struct trl_pg_options){ .url = url,
			    .sql = &pgtest_sql,
			    .read_connections = 1,
			    .write_connections = 3,
			    .label = i ? "pgtest_sys2" : "pgtest_sys" },
			&rig.sys[i]) != TRL_OK)
			return -1;
	return trl_loop_run_until(world.loop, both_ready, NULL, 5000) ? 0 : -1;
}

int
rig_close(void **state)
{
	for (int i = 0; i < 2; i++)
		trl_pg_close(&rig.sys[i]);
	return world_close(state);
}

static bool
is_drained(void *arg)
{
	return trl_jobs_drained(rig.workers[(size_t)arg]);
}

void
rig_stop(size_t i)
{
	if (!rig.workers[i])
		return;
	trl_jobs_drain(rig.workers[i]);
	trl_assert(trl_loop_run_until(world.loop, is_drained, (void *)i, 10000));
	trl_jobs_close(&rig.workers[i]);
}

int
rig_reset(void **state)
{
	(void)state;
	rig.open = true;
	rig_child_end();
	for (size_t i = 0; i < 2; i++)
		rig_stop(i);
	test_db_sql(&world.db,
	    "truncate pgtest.job, pgtest.job_weight, pgtest.cron, pgtest.thing, "
	    "pgtest.idempotency");
	rig = (struct rig){ .sys = { rig.sys[0], rig.sys[1] } };
	return 0;
}

void
rig_work(size_t n, const struct trl_cron *const *crons)
{
	static const struct trl_job_kind *const kinds[] = { &rig_task, &rig_narrow,
		&rig_outside, &rig_tick, NULL };

	for (size_t i = 0; i < n; i++) {
		if (rig.workers[i])
			continue;
		struct trl_jobs_options options = {
			.service = "pgtest",
			.app = i == 0 ? world.pg : NULL,
			.sys = rig.sys[i],
			.kinds = kinds,
			.crons = crons,
			.self = &rig,
			.lease_ms = rig.lease_ms ? rig.lease_ms : 1200,
			.idle_poll_ms = rig.idle_poll_ms ? rig.idle_poll_ms : 100,
			.release_ms = rig.release_ms ? rig.release_ms : 100,
		};
		trl_assert(
		    trl_jobs_open(world.loop, &options, &rig.workers[i]) == TRL_OK);
	}
}

struct act {
	void (*run)(trl_ctx *ctx, void *arg);
	void *arg;
	bool over;
};

static void
act(trl_ctx *ctx, void *arg)
{
	struct act *it = arg;

	it->run(ctx, it->arg);
	it->over = true;
}

static bool
is_over(void *arg)
{
	return ((struct act *)arg)->over;
}

void
rig_act(void (*fn)(trl_ctx *ctx, void *arg), void *arg)
{
	struct act it = { .run = fn, .arg = arg };

	assert_int_equal(
	    trl_spawn(world.loop,
		&(struct trl_spawn){
		    .name = "test", .run = act, .arg = &it, .timeout_ms = 10000 }),
	    TRL_OK);
	assert_true(trl_loop_run_until(world.loop, is_over, &it, 10000));
}

struct add {
	const struct trl_job_kind *kind;
	struct trl_id tenant;
	const char *name;
	const struct trl_job_terms *terms;
	size_t n;
	enum trl_code rc;
};

static void
add(trl_ctx *ctx, void *arg)
{
	struct add *it = arg;
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(it->tenant));
	Pgtest__Thing thing = PGTEST__THING__INIT;

	memset(ctx->trace.trace_id, 0xab, sizeof ctx->trace.trace_id);
	thing.name = (char *)it->name;
	for (size_t i = 0; i < it->n; i++)
		trl_batch_job(batch, it->kind, it->terms, &thing.base);
	it->rc = trl_batch_write(batch, NULL);
}

void
rig_add(const struct trl_job_kind *kind, struct trl_id tenant, const char *name,
    const struct trl_job_terms *terms)
{
	struct add it = { kind, tenant, name, terms, 1, TRL_INTERNAL };

	rig_act(add, &it);
	assert_int_equal(it.rc, TRL_OK);
}

void
rig_add_many(
    const struct trl_job_kind *kind, struct trl_id tenant, const char *name, size_t n)
{
	struct add it = { kind, tenant, name, NULL, n, TRL_INTERNAL };

	rig_act(add, &it);
	assert_int_equal(it.rc, TRL_OK);
}

void
rig_add_to_lane(struct trl_id tenant, struct trl_id lane, const char *name, size_t n)
{
	const struct trl_job_terms terms = { .lane = lane };
	struct add it = { &rig_outside, tenant, name, &terms, n, TRL_INTERNAL };

	rig_act(add, &it);
	assert_int_equal(it.rc, TRL_OK);
}

/* In short spans: a loop in which nothing happens asks nobody. */
static bool
comes_true(bool (*is_so)(void *arg), void *arg)
{
	uint64_t until = trl_mono_us() + WAIT_MS * 1000ULL;
	bool so = false;

	while (!so && trl_mono_us() < until)
		so = trl_loop_run_until(world.loop, is_so, arg, 10);
	return so;
}

void
rig_wait(bool (*is_so)(void *arg), void *arg)
{
	assert_true(comes_true(is_so, arg));
}

static bool
has_runs(void *arg)
{
	return rig.n_runs >= (size_t)arg;
}

void
rig_wait_runs(size_t n)
{
	if (!comes_true(has_runs, (void *)n))
		fail_msg("%zu runs and not %zu", rig.n_runs, n);
}

struct sql_wait {
	const char *want, *sql;
	uint64_t next_us;
	bool yes;
};

static bool
sql_says(void *arg)
{
	struct sql_wait *it = arg;

	if (!it->yes && trl_mono_us() >= it->next_us) {
		it->next_us = trl_mono_us() + 10000;
		it->yes = strcmp(test_db_sql(&world.db, "%s", it->sql), it->want) == 0;
	}
	return it->yes;
}

void
rig_wait_sql(const char *want, const char *sql)
{
	struct sql_wait it = { want, sql, 0, false };

	if (!comes_true(sql_says, &it))
		fail_msg(
		    "%s: %s and not %s", sql, test_db_sql(&world.db, "%s", sql), want);
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

void
rig_idle(uint32_t ms)
{
	trl_loop_run_until(world.loop, never, NULL, ms);
}

double
rig_metric(const char *series)
{
	struct trl_buf text = { 0 };
	double n = 0;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	const char *at = strstr((char *)text.data, series);
	if (at)
		n = atof(at + strlen(series) + 1);
	trl_buf_fini(&text);
	return n;
}

double
rig_count(const char *kind, const char *result)
{
	char series[160];

	snprintf(series, sizeof series,
	    "trellis_jobs_total{service=\"pgtest\",kind=\"%s\",result=\"%s\"}", kind,
	    result);
	return rig_metric(series);
}
