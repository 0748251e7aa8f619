/* Erasing a tenant on a real PostgreSQL: broken off by kill -9, while its jobs run,
 * while a transaction that does not know of it is under way, and heard again. (Over 400
 * lines: a service, its worker and another process stand in for the skeleton.) */
#include "test_world.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <libpq-fe.h>

#include <trl/events.h>
#include <trl/jobs_open.h>
#include <trl/log.h>

#include <empty.trl.h>

#include "erase.h"

#define A "00000000-0000-7000-8000-00000000000a"
#define B "00000000-0000-7000-8000-00000000000b"

enum { THINGS = 40000, LEASE_MS = 600, WAIT_MS = 30000 };

static struct {
	trl_pg *sys;
	trl_jobs *worker;
	struct trl_host host;
	struct trl_service service;
	struct erase erase;
	void *self;
	pid_t child;
	unsigned hooks, fails; /* calls of erase_tenant, of which so many fail */
	unsigned more;         /* or have more to do */
	bool open;             /* lets the jobs that wait go on */
	unsigned waiting;
} rig;

static struct trl_id tenant_a;

static enum trl_code
hook(void *self, trl_ctx *ctx, struct trl_id tenant)
{
	trl_assert(self == &rig && trl_id_eq(tenant, tenant_a) &&
		   trl_id_eq(ctx->tenant, tenant_a));
	if (rig.hooks < rig.more) {
		rig.hooks++;
		return trl_job_again(ctx, trl_now(ctx));
	}
	return rig.hooks++ < rig.fails
		   ? trl_fail(ctx, TRL_UNAVAILABLE, "as the test wants")
		   : TRL_OK;
}

static enum trl_code
wait_open(void *self, trl_ctx *ctx, const struct trl_job *job)
{
	enum trl_code rc = TRL_OK;

	(void)self;
	(void)job;
	rig.waiting++;
	while (!rig.open && rc == TRL_OK)
		rc = trl_sleep(ctx, 5);
	return rc;
}

static const struct trl_job_kind waits = {
	.name = "waits", .message = &trellis_empty_rules, .run = wait_open
};

static void
open_sys(const char *url)
{
	trl_assert(trl_pg_open(world.loop,
		       &(struct trl_pg_options){ .url = url, .sql = &pgtest_sql },
		       &rig.sys) == TRL_OK);
	rig.host =
	    (struct trl_host){ .loop = world.loop, .pg = world.pg, .sys = rig.sys };
	rig.service = (struct trl_service){
		.name = "pgtest", .sql = &pgtest_sql, .erase_tenant = hook
	};
	rig.self = &rig;
	erase_open(&rig.erase, &rig.service, &rig.host, &rig.self);
}

static void
work(void)
{
	const struct trl_job_kind *const kinds[] = { &rig.erase.kind, &waits, NULL };
	struct trl_jobs_options options = { .service = "pgtest",
		.sys = rig.sys,
		.kinds = kinds,
		.self = &world,
		.lease_ms = LEASE_MS,
		.idle_poll_ms = 50,
		.release_ms = 50 };

	trl_assert(trl_jobs_open(world.loop, &options, &rig.worker) == TRL_OK);
}

static bool
is_drained(void *arg)
{
	(void)arg;
	return trl_jobs_drained(rig.worker);
}

static void
stop(void)
{
	if (!rig.worker)
		return;
	trl_jobs_drain(rig.worker);
	trl_assert(trl_loop_run_until(world.loop, is_drained, NULL, 10000));
	trl_jobs_close(&rig.worker);
}

/* Another process of the service. */
static void
start_child(void)
{
	char url[512];

	snprintf(url, sizeof url, "%s", test_db_as(&world.db, "pgtest_sys"));
	rig.child = fork();
	trl_assert(rig.child >= 0);
	if (rig.child > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	world.pg = NULL;
	world.loop = trl_loop_new(NULL);
	open_sys(url);
	work();
	trl_loop_run(world.loop);
	_exit(0);
}

static void
kill_child(void)
{
	kill(rig.child, SIGKILL);
	waitpid(rig.child, NULL, 0);
	rig.child = 0;
}

static int
open_all(void **state)
{
	char url[512];

	if (world_open(state) != 0)
		return -1;
	world.db.schema = "pgtest";
	snprintf(url, sizeof url, "%s", test_db_as(&world.db, "pgtest_sys"));
	open_sys(url);
	return trl_id_parse(A, strlen(A), &tenant_a) ? 0 : -1;
}

static int
close_all(void **state)
{
	trl_pg_close(&rig.sys);
	return world_close(state);
}

static int
fill(void **state)
{
	(void)state;
	test_db_sql(&world.db,
	    "truncate thing, thing_directory, job, erasure, parked, idempotency; "
	    "insert into thing (tenant_id, id, name) select t::uuid, "
	    "gen_random_uuid(), "
	    "i::text from (values ('" A "', 3000), ('" B "', 100)) v (t, n), "
	    "generate_series(1, n) i; "
	    "insert into thing_directory values ('a', '" A "'), ('b', '" B "')");
	rig.open = true;
	rig.hooks = rig.fails = rig.more = rig.waiting = 0;
	return 0;
}

static int
clear(void **state)
{
	(void)state;
	rig.open = true;
	stop();
	return 0;
}

struct sql_wait {
	const char *sql;
	uint64_t next_us;
	bool yes; /* once it was so */
};

static bool
sql_is_true(void *arg)
{
	struct sql_wait *it = arg;

	if (!it->yes && trl_mono_us() >= it->next_us) {
		it->yes = strcmp(test_db_sql(&world.db, "%s", it->sql), "t") == 0;
		it->next_us = trl_mono_us() + 10000;
	}
	return it->yes;
}

/* In short spans: a loop in which nothing happens asks nobody. */
static void
await(const char *sql)
{
	struct sql_wait it = { .sql = sql };
	uint64_t until = trl_mono_us() + WAIT_MS * 1000ULL;

	while (trl_mono_us() < until)
		if (trl_loop_run_until(world.loop, sql_is_true, &it, 10))
			return;
	fail_msg("never: %s; jobs: %s", sql,
	    test_db_sql(&world.db, "select string_agg(concat_ws(' ', "
				   "right(tenant_id::text, 1), kind, state, "
				   "attempt, cancel, run_at - now(), lease_until - "
				   "now(), error), '; ') from "
				   "job"));
}

#define FINISHED                                                                       \
	"select count(*) = 1 and not exists (select from job where tenant_id = '" A    \
	"') from erasure where finished_at is not null"

/* As the subscription does it, in the transaction that applies the event. */
static void
hear_body(trl_ctx *ctx)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	const struct trl_event event = { .tenant = tenant_a, .id = trl_new_id(ctx) };
	const struct trl_subscription *hears = erase_hears(&rig.service);

	CHECK(hears != NULL);
	CHECK_CODE(trl_tx_open(ctx, rig.sys, TRL_SCOPE_TENANT(tenant_a), &tx), TRL_OK);
	CHECK_CODE(hears->apply(NULL, ctx, tx, &event, 1), TRL_OK);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_OK);
}

struct act {
	body *fn;
	bool over;
};

static void
act_body(trl_ctx *ctx, void *arg)
{
	struct act *act = arg;

	act->fn(ctx);
	act->over = true;
}

static bool
act_is_over(void *arg)
{
	return ((struct act *)arg)->over;
}

/* As world_run, beside actors that go on. */
static void
act(body *fn)
{
	struct act act = { .fn = fn };
	const struct trl_spawn spec = {
		.name = "test", .run = act_body, .arg = &act, .timeout_ms = 20000
	};

	assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
	assert_true(trl_loop_run_until(world.loop, act_is_over, &act, 20000));
}

static void
hear(void)
{
	act(hear_body);
}

static const char *
left(void)
{
	return test_db_sql(&world.db,
	    "select concat_ws(' ', (select count(*) from thing where tenant_id = '" A
	    "'), (select count(*) from thing where tenant_id = '" B
	    "'), (select string_agg(name, '') from thing_directory), (select gone from "
	    "erasure))");
}

static void
killed_amid_it_another_process_goes_on_to_the_end(void **state)
{
	PGconn *holder = PQconnectdb(world.db.admin);
	char *of_b;

	(void)state;
	test_db_sql(&world.db,
	    "insert into thing (tenant_id, id, name) select '" A
	    "', gen_random_uuid(), "
	    "'more ' || i from generate_series(3001, %d) i",
	    THINGS);
	of_b = strdup(
	    test_db_sql(&world.db, "select md5(string_agg(t::text, '' order by "
				   "id)) from thing t where tenant_id = '" B "'"));
	/* Somebody holds a row, so that nobody comes to the end before. */
	PQclear(PQexec(holder, "begin; select from pgtest.thing where tenant_id = '" A
			       "' and name = 'more 30000' for update"));
	hear();
	start_child();
	await("select gone >= 3000 from erasure");
	kill_child();
	start_child();
	await("select error like 'BUSY%' or attempt > 2 from job");
	kill_child();
	assert_string_equal(
	    "t", test_db_sql(&world.db,
		     "select count(*) between 1 and %d from thing where "
		     "tenant_id = '" A "'",
		     THINGS - 3000));
	PQfinish(holder);
	test_db_sql(
	    &world.db, "update job set run_at = now() where state = 'scheduled'");
	work();
	await(FINISHED);
	assert_string_equal("0 100 b 40001", left());
	assert_string_equal(of_b,
	    test_db_sql(&world.db, "select md5(string_agg(t::text, '' order by "
				   "id)) from thing t where tenant_id = '" B "'"));
	free(of_b);
}

static void
its_jobs_end_before_its_rows_go_and_others_run(void **state)
{
	(void)state;
	rig.open = false;
	test_db_sql(&world.db,
	    "insert into job (id, tenant_id, kind, state, priority, run_at, attempt, "
	    "attempts, payload, trace, made_at) select gen_random_uuid(), t::uuid, k, "
	    "s, "
	    "0, now() + interval '1 hour' * (s = 'scheduled')::int, 0, 3, '', '', "
	    "now() "
	    "from (values ('" A "', 'waits', 'ready'), ('" A
	    "', 'waits', 'scheduled'), "
	    "('" A "', 'waits', 'dead'), ('" A "', 'of no kind known here', 'ready'), "
	    "('" B "', 'waits', 'ready'), ('" B
	    "', 'waits', 'scheduled')) v (t, k, s)");
	work();
	await("select count(*) = 2 from job where state = 'running'");
	hear();
	await(FINISHED);
	assert_string_equal("0 100 b 3001", left());
	assert_int_equal(rig.waiting, 2);
	assert_string_equal("running scheduled",
	    test_db_sql(
		&world.db, "select string_agg(state, ' ' order by state) from job"));
}

/* A transaction that looked before anything was heard commits a row of the tenant. */
static void
what_did_not_know_yet_is_waited_for(void **state)
{
	PGconn *early = PQconnectdb(world.db.admin);

	(void)state;
	PQclear(PQexec(early,
	    "begin; set search_path = pgtest; set local role pgtest_sys; set local "
	    "trellis.tenant_id = '" A "'; select from erasure"));
	hear();
	work();
	await("select error like 'BUSY%' or state = 'scheduled' from job");
	assert_string_equal("3000 100 ab 0", left());
	PQclear(PQexec(early, "insert into thing (tenant_id, id, name) values ('" A
			      "', gen_random_uuid(), 'late')"));
	assert_string_equal("", PQerrorMessage(early));
	PQclear(PQexec(early, "commit"));
	PQfinish(early);
	await(FINISHED);
	assert_string_equal("0 100 b 3002", left());
}

static void
the_services_own_part_comes_first_and_is_tried_again(void **state)
{
	(void)state;
	rig.fails = UINT_MAX;
	hear();
	work();
	await("select error = 'UNAVAILABLE: as the test wants' from job");
	assert_string_equal("3000 100 ab 0", left());
	rig.fails = 0;
	test_db_sql(
	    &world.db, "update job set run_at = now() where state = 'scheduled'");
	await(FINISHED);
	assert_true(rig.hooks >= 2);
	assert_string_equal("0 100 b 3001", left());
}

static void
what_takes_many_turns_fails_in_none(void **state)
{
	(void)state;
	rig.more = 50;
	hear();
	work();
	await(FINISHED);
	assert_int_equal(rig.hooks, rig.more + 1);
	assert_string_equal("0 100 b 3001", left());
}

static void
heard_again_it_does_no_harm(void **state)
{
	char *at;

	(void)state;
	work();
	hear();
	await(FINISHED);
	at = strdup(test_db_sql(&world.db, "select finished_at from erasure"));
	hear();
	await("select not exists (select from job)");
	assert_string_equal(
	    at, test_db_sql(&world.db, "select finished_at from erasure"));
	assert_string_equal("0 100 b 3001", left());
	free(at);
}

static void
show_body(trl_ctx *ctx)
{
	struct erase_state is;

	CHECK_CODE(erase_show(&rig.host, ctx, trl_id_nil, &is), TRL_OK);
	CHECK(!is.begun);
	CHECK_CODE(erase_show(&rig.host, ctx, tenant_a, &is), TRL_OK);
	CHECK(is.begun && is.began_at_us > 0 && is.finished_at_us >= is.began_at_us);
	CHECK(is.rows == 3001);
}

static void
it_says_how_far_it_is(void **state)
{
	(void)state;
	hear();
	work();
	await(FINISHED);
	act(show_body);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fill, clear)
	const struct CMUnitTest tests[] = {
		T(killed_amid_it_another_process_goes_on_to_the_end),
		T(its_jobs_end_before_its_rows_go_and_others_run),
		T(what_did_not_know_yet_is_waited_for),
		T(the_services_own_part_comes_first_and_is_tried_again),
		T(what_takes_many_turns_fails_in_none),
		T(heard_again_it_does_no_harm),
		T(it_says_how_far_it_is),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
