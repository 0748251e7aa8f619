/* Jobs that are cancelled or moved by their key, in the transaction of a fact: while
 * they wait, while they run, and while a worker takes them. (Over 400 lines: all of it
 * asks through one batch.) */
#include "test_rig.h"

#include <libpq-fe.h>

static struct trl_id tenant_a, tenant_b;

#define HOUR_US (INT64_C(3600) * 1000000)

/* One batch: what is asked for, in this order. */
struct ask {
	const struct trl_job_kind *kind;
	struct trl_id tenant;
	const char *key;
	bool cancel, add, moves, fails, by_tx;
	int64_t at_us;
	enum trl_code rc;
	bool over;
};

static struct trl_job_terms
terms_of(const struct ask *ask)
{
	return (struct trl_job_terms){
		.key = ask->key, .moves = ask->moves, .run_at_us = ask->at_us
	};
}

static void
ask_batch(trl_ctx *ctx, struct ask *ask)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(ask->tenant));
	struct trl_job_terms terms = terms_of(ask);
	Pgtest__Thing thing = PGTEST__THING__INIT;

	thing.name = (char *)"fine";
	if (ask->cancel)
		trl_batch_job_cancel(batch, ask->kind, ask->key);
	if (ask->add)
		trl_batch_job(batch, ask->kind, &terms, &thing.base);
	if (ask->fails)
		trl_batch_add(batch, &pgtest_sql_fails, NULL, TRL_ARG_INT("zero", 0));
	ask->rc = trl_batch_write(batch, NULL);
}

static void
ask_tx(trl_ctx *ctx, struct ask *ask)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	struct trl_job_terms terms = terms_of(ask);
	Pgtest__Thing thing = PGTEST__THING__INIT;

	thing.name = (char *)"fine";
	ask->rc = trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(ask->tenant), &tx);
	if (ask->rc != TRL_OK)
		return;
	if (ask->cancel)
		trl_tx_job_cancel(tx, ask->kind, ask->key);
	if (ask->add)
		trl_tx_job(tx, ask->kind, &terms, &thing.base);
	ask->rc = trl_tx_commit(&tx, NULL);
}

static void
run_ask(trl_ctx *ctx, void *arg)
{
	struct ask *ask = arg;

	do { /* a worker has the row for a moment */
		trl_err_clear(ctx);
		if (ask->by_tx)
			ask_tx(ctx, ask);
		else
			ask_batch(ctx, ask);
	} while (ask->rc == TRL_BUSY);
	ask->over = true;
}

static void
act(struct ask ask)
{
	rig_act(run_ask, &ask);
	assert_int_equal(ask.rc, TRL_OK);
}

static void
add_later(const struct trl_job_kind *kind, struct trl_id tenant, const char *key)
{
	rig_add(kind, tenant, "fine",
	    &(struct trl_job_terms){
		.key = key, .run_at_us = trl_wall_us() + HOUR_US });
}

static const char *
states(void)
{
	return test_db_sql(&world.db, "select coalesce(string_agg(coalesce(ending, "
				      "state), ' ' order by id), '') from pgtest.job");
}

static void
one_that_waits_is_cancelled_and_its_kind_told(void **state)
{
	(void)state;
	for (int by_tx = 0; by_tx < 2; by_tx++) {
		rig_reset(state);
		rig_work(1, NULL);
		add_later(&rig_task, tenant_a, "k");
		act((struct ask){ .kind = &rig_task,
		    .tenant = tenant_a,
		    .key = "k",
		    .cancel = true,
		    .by_tx = by_tx });
		rig_wait_sql("cancelled", "select state from pgtest.job where ended_at "
					  "is not null and lease_token is null");
		assert_int_equal(rig.told, 1);
		assert_int_equal(rig.n_runs, 0);
	}
}

static void
nothing_else_is_cancelled(void **state)
{
	(void)state;
	add_later(&rig_narrow, tenant_a, "k");
	add_later(&rig_narrow, tenant_a, "l");
	add_later(&rig_narrow, tenant_b, "k");
	add_later(&rig_narrow, trl_id_nil, "k");
	add_later(&rig_outside, tenant_a, "k");
	rig_add(&rig_narrow, tenant_a, "fine", NULL);
	act((struct ask){
	    .kind = &rig_narrow, .tenant = tenant_a, .key = "k", .cancel = true });
	assert_string_equal(
	    states(), "cancelled scheduled scheduled scheduled scheduled ready");
	act((struct ask){ /* once more: there is none */
	    .kind = &rig_narrow,
	    .tenant = tenant_a,
	    .key = "k",
	    .cancel = true });
	act((struct ask){ /* the platform's own */
	    .kind = &rig_narrow,
	    .tenant = trl_id_nil,
	    .key = "k",
	    .cancel = true });
	assert_string_equal(
	    states(), "cancelled scheduled scheduled cancelled scheduled ready");
}

static void
a_batch_that_fails_cancels_and_moves_nothing(void **state)
{
	struct ask ask = {
		.kind = &rig_narrow, .tenant = tenant_a, .key = "k", .fails = true
	};

	(void)state;
	add_later(&rig_narrow, tenant_a, "k");
	ask.cancel = true;
	rig_act(run_ask, &ask);
	assert_int_not_equal(ask.rc, TRL_OK);
	ask.cancel = false;
	ask.add = ask.moves = true;
	rig_act(run_ask, &ask);
	assert_int_not_equal(ask.rc, TRL_OK);
	assert_string_equal(states(), "scheduled");
}

static void
the_key_is_free_for_another_in_the_same_batch(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig.open = false;
	add_later(&rig_task, tenant_a, "k");
	act((struct ask){ .kind = &rig_task,
	    .tenant = tenant_a,
	    .key = "k",
	    .cancel = true,
	    .add = true,
	    .at_us = trl_wall_us() + 2 * HOUR_US });
	rig_wait_sql("cancelled scheduled",
	    "select string_agg(state, ' ' order by id) from pgtest.job where "
	    "lease_token is null");
	assert_int_equal(rig.told, 1);
	assert_string_equal(
	    "k", test_db_sql(&world.db, "select key from pgtest.job where state = "
					"'scheduled' and run_at > now() + interval "
					"'90 minutes'"));
}

static void
one_that_runs_is_cut_off_and_does_not_come_back(void **state)
{
	(void)state;
	rig.idle_poll_ms = 30000; /* this process hears of it at once */
	rig_work(1, NULL);
	rig.open = false;
	rig_add(&rig_task, tenant_a, "waits", &(struct trl_job_terms){ .key = "k" });
	rig_wait_runs(1);
	act((struct ask){
	    .kind = &rig_task, .tenant = tenant_a, .key = "k", .cancel = true });
	rig_wait_sql(
	    "cancelled", "select state from pgtest.job where ended_at is not null");
	assert_int_equal(rig.running, 0);
	assert_int_equal(rig.told, 1);
	assert_int_equal(rig.n_runs, 1);
}

/* The lease is what says whose the outcome is, and cancelling does not touch it. */
static void
one_that_comes_to_its_end_before_is_done(void **state)
{
	(void)state;
	rig_work(1, NULL);
	rig.open = false;
	rig_add(&rig_task, tenant_a, "waits", &(struct trl_job_terms){ .key = "k" });
	rig_wait_runs(1);
	rig.open = true;
	act((struct ask){
	    .kind = &rig_task, .tenant = tenant_a, .key = "k", .cancel = true });
	rig_wait_sql("0", "select count(*) from pgtest.job where ended_at is null");
	assert_int_equal(rig.n_runs, 1);
	assert_true(rig_count("task", "fenced") == 0);
}

static void
one_that_waits_is_moved_and_runs_then(void **state)
{
	(void)state;
	for (int by_tx = 0; by_tx < 2; by_tx++) {
		rig_reset(state);
		rig.idle_poll_ms = 30000;
		rig_work(1, NULL);
		add_later(&rig_task, tenant_a, "k");
		act((struct ask){ .kind = &rig_task,
		    .tenant = tenant_a,
		    .key = "k",
		    .add = true,
		    .moves = true,
		    .by_tx = by_tx,
		    .at_us = trl_wall_us() + 2 * HOUR_US });
		assert_string_equal("t scheduled",
		    test_db_sql(&world.db,
			"select concat_ws(' ', run_at > now() + interval '119 "
			"minutes', state) from pgtest.job"));
		act((struct ask){ .kind = &rig_task,
		    .tenant = tenant_a,
		    .key = "k",
		    .add = true,
		    .moves = true,
		    .by_tx = by_tx });
		rig_wait_runs(1);
		rig_wait_sql("0", "select count(*) from pgtest.job");
	}
}

static void
nothing_else_is_moved(void **state)
{
	(void)state;
	add_later(&rig_task, tenant_b, "k");
	add_later(&rig_narrow, tenant_a, "k");
	add_later(&rig_task, tenant_a, "l");
	act((struct ask){ .kind = &rig_task,
	    .tenant = tenant_a,
	    .key = "k",
	    .add = true,
	    .moves = true });
	assert_string_equal(states(), "scheduled scheduled scheduled ready");
}

/* One waits for that time: whether there was one, none, or one that runs. */
static void
one_waits_for_the_new_time_in_any_case(void **state)
{
	struct ask set = { .kind = &rig_task,
		.tenant = tenant_a,
		.key = "k",
		.add = true,
		.moves = true,
		.at_us = trl_wall_us() + 2 * HOUR_US };
	static const char waits[] = "select count(*) from pgtest.job where state = "
				    "'scheduled' and run_at > now() + interval '119 "
				    "minutes'";

	(void)state;
	act(set);
	assert_string_equal("1", test_db_sql(&world.db, "%s", waits));
	rig_reset(state);
	add_later(&rig_task, tenant_a, "k");
	act(set);
	assert_string_equal("1", test_db_sql(&world.db, "%s", waits));
	assert_string_equal(states(), "scheduled");
	rig_reset(state);
	rig_work(1, NULL);
	rig.open = false;
	rig_add(&rig_task, tenant_a, "waits", &(struct trl_job_terms){ .key = "k" });
	rig_wait_runs(1);
	act(set);
	assert_string_equal(states(), "running scheduled");
	rig.open = true;
	rig_wait_sql("1", "select count(*) from pgtest.job");
	assert_string_equal("1", test_db_sql(&world.db, "%s", waits));
}

/* At the same moment as a claim. */

struct race {
	PGconn *claim; /* has the row, and has not committed */
	struct ask *ask;
};

static bool
waits_or_is_over(void *arg)
{
	struct race *race = arg;

	return race->ask->over ||
	       strcmp(test_db_sql(
			  &world.db, "select count(*) from pg_locks where not granted"),
		   "0") != 0;
}

static bool
is_over(void *arg)
{
	return ((struct race *)arg)->ask->over;
}

static void
race_a_claim(struct ask ask)
{
	struct race race = { PQconnectdb(world.db.admin), &ask };

	rig_add(&rig_task, tenant_a, "fine", &(struct trl_job_terms){ .key = "k" });
	PQclear(PQexec(race.claim,
	    "begin; update pgtest.job set state = 'running', attempt = 1, lease_token "
	    "= gen_random_uuid(), lease_until = now() + interval '1 hour'"));
	assert_int_equal(
	    trl_spawn(world.loop,
		&(struct trl_spawn){
		    .name = "ask", .run = run_ask, .arg = &ask, .timeout_ms = 10000 }),
	    TRL_OK);
	rig_wait(waits_or_is_over, &race);
	PQclear(PQexec(race.claim, "commit"));
	rig_wait(is_over, &race);
	assert_int_equal(ask.rc, TRL_OK);
	PQfinish(race.claim);
}

static void
one_that_is_taken_at_this_moment_is_asked_to_end_or_another_waits(void **state)
{
	static const char sql[] =
	    "select string_agg(concat_ws(' ', state, cancel, run_at <= now(), key), "
	    "',' order by id) from pgtest.job";

	(void)state;
	race_a_claim((struct ask){
	    .kind = &rig_task, .tenant = tenant_a, .key = "k", .cancel = true });
	assert_string_equal("running t t k", test_db_sql(&world.db, "%s", sql));
	rig_reset(state);
	race_a_claim((struct ask){ .kind = &rig_task,
	    .tenant = tenant_a,
	    .key = "k",
	    .add = true,
	    .moves = true,
	    .at_us = trl_wall_us() + HOUR_US });
	assert_string_equal(
	    "running f t k,scheduled f f k", test_db_sql(&world.db, "%s", sql));
}

/* Two workers take them, and each fails once and comes back, while all are cancelled.
 */
static void
cancelled_amid_claims_none_is_left_and_none_runs_afterwards(void **state)
{
	enum { ALL = 120 };
	char keys[ALL][16];

	(void)state;
	for (int i = 0; i < ALL; i++) {
		snprintf(keys[i], sizeof keys[i], "k%d", i);
		rig_add(&rig_task, tenant_a, "fails 1",
		    &(struct trl_job_terms){ .key = keys[i] });
	}
	rig_work(2, NULL);
	for (int i = ALL - 1; i >= 0; i--)
		act((struct ask){ .kind = &rig_task,
		    .tenant = tenant_a,
		    .key = keys[i],
		    .cancel = true });
	rig_wait_sql("0", "select count(*) from pgtest.job where ended_at is null");
	for (size_t i = 0; i < rig.n_runs; i++) {
		char id[TRL_ID_TEXT];

		trl_id_format(rig.runs[i].id, id);
		assert_string_equal("0",
		    test_db_sql(&world.db,
			"select count(*) from pgtest.job where id = '%s' and attempt < "
			"%u",
			id, rig.runs[i].attempt));
	}
	/* Those that ended well were faster; the rest was told of its end, each once.
	 */
	assert_string_equal(test_db_sql(&world.db, "select %u", rig.told),
	    test_db_sql(&world.db, "select count(*) from pgtest.job"));
	assert_true(rig.told > 0);
}

static void
the_application_sees_nothing_of_what_a_job_holds(void **state)
{
	static const char *const columns[] = { "payload", "id", "error",
		"lease_token" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(columns); i++)
		assert_string_equal("f",
		    test_db_sql(&world.db,
			"select has_column_privilege('pgtest_app', 'pgtest.job', '%s', "
			"'select, update')",
			columns[i]));
}

/* What a tenant has waiting, by names of payloads: "one two". */
struct look {
	struct trl_id tenant, after, last;
	char names[200];
};

static void
do_look(trl_ctx *ctx, void *arg)
{
	struct trl_job *jobs =
	    trl_arena_alloc(ctx->arena, TRL_JOBS_WAITING_MAX * sizeof *jobs);
	struct look *look = arg;
	size_t n = 0;

	ctx->tenant = look->tenant;
	assert_int_equal(
	    trl_jobs_waiting(ctx, rig.sys[0], &rig_narrow, look->after, jobs, &n),
	    TRL_OK);
	look->names[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const Pgtest__Thing *thing = (const Pgtest__Thing *)jobs[i].payload;

		assert_true(trl_id_eq(jobs[i].tenant, look->tenant));
		strcat(strcat(look->names, i ? " " : ""), thing->name);
		look->last = jobs[i].id;
	}
}

static struct look
look(struct trl_id tenant, struct trl_id after)
{
	struct look it = { .tenant = tenant, .after = after };

	rig_act(do_look, &it);
	return it;
}

static void
those_of_a_tenant_are_seen_while_they_wait_or_run(void **state)
{
	const struct trl_job_terms later = { .key = "l",
		.run_at_us = trl_wall_us() + HOUR_US };
	struct look all;

	(void)state;
	rig_work(1, NULL);
	rig.open = false;
	rig_add(&rig_narrow, tenant_a, "waits",
	    &(struct trl_job_terms){ .key = "k" }); /* it runs */
	rig_wait_runs(1);
	rig_add(&rig_narrow, tenant_a, "later", &later);
	rig_add(&rig_narrow, tenant_b, "fine", &later);
	rig_add(&rig_outside, tenant_a, "fine", &later);
	all = look(tenant_a, trl_id_nil);
	assert_string_equal(all.names, "waits later");
	assert_string_equal(look(tenant_a, all.last).names, "");
	assert_string_equal(look(trl_id_nil, trl_id_nil).names, "");
	act((struct ask){
	    .kind = &rig_narrow, .tenant = tenant_a, .key = "l", .cancel = true });
	rig.open = true;
	rig_wait_sql("", "select coalesce(string_agg(state, ' '), '') from pgtest.job "
			 "where state = 'running'");
	assert_string_equal(look(tenant_a, trl_id_nil).names, "");
	assert_string_equal(look(tenant_b, trl_id_nil).names, "fine");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_reset, rig_reset)
	const struct CMUnitTest tests[] = {
		T(one_that_waits_is_cancelled_and_its_kind_told),
		T(nothing_else_is_cancelled),
		T(a_batch_that_fails_cancels_and_moves_nothing),
		T(the_key_is_free_for_another_in_the_same_batch),
		T(one_that_runs_is_cut_off_and_does_not_come_back),
		T(one_that_comes_to_its_end_before_is_done),
		T(one_that_waits_is_moved_and_runs_then),
		T(nothing_else_is_moved),
		T(one_waits_for_the_new_time_in_any_case),
		T(one_that_is_taken_at_this_moment_is_asked_to_end_or_another_waits),
		T(cancelled_amid_claims_none_is_left_and_none_runs_afterwards),
		T(the_application_sees_nothing_of_what_a_job_holds),
		T(those_of_a_tenant_are_seen_while_they_wait_or_run),
	};

	tenant_a = trl_id_new();
	tenant_b = trl_id_new();
	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
