/* test_batch.c - batches on a real PostgreSQL: guards, constraints, row security, and
 * pipelines that many share. */
#include "test_world.h"

static void
guard(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, tenant, "a"),
		      *b = world_thing(ctx, tenant, "b");
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_add(batch, &pgtest_sql_thing_insert, &b->base);
	trl_batch_add(
	    batch, &pgtest_sql_thing_rename, &a->base, TRL_ARG_INT("old_version", 99));
	enum trl_code rc = trl_batch_write(batch, NULL);
	CHECK(rc == TRL_PRECONDITION);
	CHECK(strcmp(ctx->err.message, "Somebody was faster.") == 0);
	trl_err_clear(ctx);
	CHECK(world_count(ctx, tenant) == 1); /* b went with it */
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_add(batch, &pgtest_sql_thing_insert, &b->base);
	trl_batch_add(batch, &pgtest_sql_thing_with, NULL, TRL_ARG_ID("id", tenant));
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_NOT_FOUND);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_add(batch, &pgtest_sql_thing_insert, &b->base);
	trl_batch_add(batch, &pgtest_sql_thing_get, NULL, TRL_ARG_ID("id", tenant));
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_NOT_FOUND);
	CHECK(world_count(ctx, tenant) == 1);
}

static void
a_missed_guard_rolls_the_whole_batch_back(void **state)
{
	(void)state;
	world_run(guard);
}

static void
guard_met(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, tenant, "a"), out = PGTEST__THING__INIT;
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	trl_batch_add(
	    batch, &pgtest_sql_thing_rename, &a->base, TRL_ARG_INT("old_version", 1));
	trl_batch_get(batch, &pgtest_sql_thing_grow, &a->base, &answer.base);
	trl_batch_get(batch, &pgtest_sql_thing_lock, &a->base, &out.base);
	trl_batch_add(batch, &pgtest_sql_thing_with, &a->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	CHECK(answer.n == 1 && out.version == 2 && strcmp(out.name, "a") == 0);
}

static void
a_met_guard_gives_its_columns(void **state)
{
	(void)state;
	world_run(guard_met);
}

static void
missing_row(trl_ctx *ctx)
{
	Pgtest__Thing out = PGTEST__THING__INIT;
	trl_batch *batch =
	    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(trl_new_id(ctx)));

	trl_batch_get(batch, &pgtest_sql_thing_get, NULL, &out.base,
	    TRL_ARG_ID("id", trl_new_id(ctx)));
	CHECK_CODE(trl_batch_read(batch), TRL_NOT_FOUND);
}

static void
a_read_without_its_row_says_so(void **state)
{
	(void)state;
	world_run(missing_row);
}

static void
constraints(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, tenant, "same"),
		      *b = world_thing(ctx, tenant, "same");
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	enum trl_code rc;

	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &b->base);
	rc = trl_batch_write(batch, NULL);
	CHECK(rc == TRL_EXISTS && strcmp(ctx->err.field, "name") == 0);
	CHECK(strcmp(ctx->err.message, "This name is taken.") == 0);
	trl_err_clear(ctx);
	CHECK(world_count(ctx, tenant) == 0);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	a->has_size = 1;
	a->size = 13; /* a check that nobody declared */
	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	rc = trl_batch_write(batch, NULL);
	CHECK(rc == TRL_INTERNAL && strstr(ctx->err.message, "thing_size_check"));
}

static void
a_constraint_means_what_its_table_says_and_else_internal(void **state)
{
	(void)state;
	world_run(constraints);
}

static void
commit_fails(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, tenant, "fails at commit");
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	trl_batch_get(batch, &pgtest_sql_thing_grow, &a->base, &answer.base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_CONFLICT);
	CHECK(!answer.has_n); /* each statement said OK, the Sync did not */
	CHECK(world_count(ctx, tenant) == 0);
}

static void
a_deferred_constraint_that_fails_at_commit_is_an_error(void **state)
{
	(void)state;
	world_run(commit_fails);
}

static void
tenants_apart(trl_ctx *ctx)
{
	struct trl_id mine = trl_new_id(ctx), other = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, mine, "a"),
		      *forged = world_thing(ctx, mine, "b");
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(mine));

	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	CHECK(world_count(ctx, mine) == 1);
	CHECK(world_count(ctx, other) == 0);
	CHECK(world_count(ctx, trl_id_nil) == 0); /* no tenant: no rows */
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(other));
	trl_batch_add(batch, &pgtest_sql_thing_insert, &forged->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_INTERNAL);
	batch = trl_batch_new(ctx, world.pg, (struct trl_scope){ 0 });
	trl_batch_add(batch, &pgtest_sql_thing_insert, &forged->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_INTERNAL);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(other));
	trl_batch_add(
	    batch, &pgtest_sql_thing_rename, &a->base, TRL_ARG_INT("old_version", 1));
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_PRECONDITION);
	CHECK(world_count(ctx, mine) == 1);
}

/* Reliability, case 29. */
static void
a_tenant_sees_and_writes_its_own_rows_alone(void **state)
{
	(void)state;
	world_run(tenants_apart);
}

static void
persons_apart(trl_ctx *ctx)
{
	struct trl_id me = trl_new_id(ctx), other = trl_new_id(ctx);
	struct trl_id who[] = { me, other };
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_ACCOUNT(me));

	trl_batch_add(batch, &pgtest_sql_note_insert, NULL, TRL_ARG_ID("account", me),
	    TRL_ARG_ID("id", trl_new_id(ctx)), TRL_ARG_TEXT("text", "x"));
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	for (int i = 0; i < 2; i++) {
		Pgtest__Answer answer = PGTEST__ANSWER__INIT;

		batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_ACCOUNT(who[i]));
		trl_batch_get(batch, &pgtest_sql_note_count, NULL, &answer.base);
		CHECK_CODE(trl_batch_read(batch), TRL_OK);
		CHECK(answer.n == 1 - i);
	}
}

static void
a_person_sees_its_own_rows_alone(void **state)
{
	(void)state;
	world_run(persons_apart);
}

enum { ROUNDS = 300 };

/* Errors of one tenant between reads of another, on the same two pipelines. */
static void
fail_often(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);

	for (int i = 0; i < ROUNDS; i++) {
		trl_batch *batch =
		    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
		Pgtest__Answer answer = PGTEST__ANSWER__INIT;

		trl_batch_get(batch, &pgtest_sql_fails, NULL, &answer.base,
		    TRL_ARG_INT("zero", 0));
		CHECK_CODE(trl_batch_read(batch), TRL_INTERNAL);
	}
}

static void
read_between(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	char text[TRL_ID_TEXT];

	trl_batch_add(
	    batch, &pgtest_sql_thing_insert, &world_thing(ctx, tenant, "mine")->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	trl_id_format(tenant, text);
	for (int i = 0; i < ROUNDS; i++) {
		Pgtest__Answer n = PGTEST__ANSWER__INIT, set = PGTEST__ANSWER__INIT;

		batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
		trl_batch_get(batch, &pgtest_sql_thing_count, NULL, &n.base);
		trl_batch_get(batch, &pgtest_sql_settings, NULL, &set.base);
		CHECK_CODE(trl_batch_read(batch), TRL_OK);
		CHECK(n.n == 1 && strcmp(set.text, text) == 0);
	}
}

/* Reliability, case 53. */
static void
a_pipeline_reused_after_an_error_shows_each_its_own(void **state)
{
	(void)state;
	world_run_two(fail_often, read_between);
}

enum { CROWD = 48, TENANTS = 3, CROWD_ROUNDS = 40 };

static struct trl_id crowd_tenants[TENANTS];

static void
fill_crowd(trl_ctx *ctx)
{
	for (int i = 0; i < TENANTS; i++) {
		trl_batch *batch;

		crowd_tenants[i] = trl_new_id(ctx);
		batch =
		    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(crowd_tenants[i]));
		for (int n = 0; n <= i; n++)
			trl_batch_add(batch, &pgtest_sql_thing_insert,
			    &world_thing(ctx, crowd_tenants[i],
				trl_arena_printf(ctx->arena, "n%d", n))
				 ->base);
		CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	}
}

/* One of many that read in the same turns, so that their batches share Syncs:
 * neighbours have the same tenant, another, none, or a failing statement. */
static void
read_in_crowd(trl_ctx *ctx)
{
	static unsigned born;
	unsigned me = born++;

	for (unsigned round = 0; round < CROWD_ROUNDS; round++) {
		unsigned turn = (me / (1 + round % 3) + round) % (TENANTS + 2);
		struct trl_id tenant =
		    turn < TENANTS ? crowd_tenants[turn] : trl_id_nil;
		Pgtest__Answer n = PGTEST__ANSWER__INIT, set = PGTEST__ANSWER__INIT;
		char text[TRL_ID_TEXT] = "";
		trl_batch *batch =
		    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

		if (turn == TENANTS + 1 && round % 4 == 0) {
			trl_batch_get(batch, &pgtest_sql_fails, NULL, &n.base,
			    TRL_ARG_INT("zero", 0));
			CHECK_CODE(trl_batch_read(batch), TRL_INTERNAL);
			continue;
		}
		if (turn < TENANTS)
			trl_id_format(tenant, text);
		trl_batch_get(batch, &pgtest_sql_thing_count, NULL, &n.base);
		trl_batch_get(batch, &pgtest_sql_settings, NULL, &set.base);
		CHECK_CODE(trl_batch_read(batch), TRL_OK);
		CHECK(n.n == (turn < TENANTS ? turn + 1 : 0));
		CHECK(strcmp(set.text ? set.text : "", text) == 0);
	}
}

static void
reads_that_share_a_sync_keep_to_their_tenants(void **state)
{
	body *crowd[CROWD];

	(void)state;
	world_run(fill_crowd);
	for (int i = 0; i < CROWD; i++)
		crowd[i] = read_in_crowd;
	world_run_many(crowd, CROWD);
}

static void
write_in_read(trl_ctx *ctx)
{
	trl_batch *batch =
	    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(trl_new_id(ctx)));

	trl_batch_add(
	    batch, &pgtest_sql_thing_lock, NULL, TRL_ARG_ID("id", trl_new_id(ctx)));
	CHECK_CODE(trl_batch_read(batch), TRL_INTERNAL);
}

static void
a_read_batch_refuses_to_write(void **state)
{
	(void)state;
	world_run(write_in_read);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missed_guard_rolls_the_whole_batch_back),
		cmocka_unit_test(a_met_guard_gives_its_columns),
		cmocka_unit_test(a_read_without_its_row_says_so),
		cmocka_unit_test(
		    a_constraint_means_what_its_table_says_and_else_internal),
		cmocka_unit_test(
		    a_deferred_constraint_that_fails_at_commit_is_an_error),
		cmocka_unit_test(a_tenant_sees_and_writes_its_own_rows_alone),
		cmocka_unit_test(a_person_sees_its_own_rows_alone),
		cmocka_unit_test(a_pipeline_reused_after_an_error_shows_each_its_own),
		cmocka_unit_test(reads_that_share_a_sync_keep_to_their_tenants),
		cmocka_unit_test(a_read_batch_refuses_to_write),
	};

	return cmocka_run_group_tests_name("batch", tests, world_open, world_close);
}
