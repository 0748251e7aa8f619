/* test_event.c - events in the outbox with their fact, and statements that gather in a
 * transaction. */
#include "test_world.h"

#include <trl/event.h>

static const struct trl_field no_rules[40];
static const struct trl_message rules = {
	.descriptor = &pgtest__thing__descriptor, .fields = no_rules, .clear_field = -1
};
static const struct trl_event_type made = {
	.name = "pgtest.thing.made", .service = "pgtest", .message = &rules
};

static int heard;
static uint32_t heard_lanes;

static void
hear(void *self, uint32_t lanes)
{
	(void)self;
	heard++;
	heard_lanes = lanes;
}

/* How many events wait, of a tenant; by the administrator, for the app may not read. */
static long
waiting(struct trl_id tenant)
{
	char text[TRL_ID_TEXT];

	trl_id_format(tenant, text);
	return atol(test_db_sql(&world.db,
	    "select count(*) from pgtest.outbox where tenant_id = '%s'", text));
}

static void
write_some(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	char text[TRL_ID_TEXT];

	trl_pg_on_news(world.pg, TRL_PG_EVENTS, hear, NULL);
	for (int n = 1; n <= 3; n++) {
		trl_batch *batch =
		    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
		Pgtest__Thing *thing = world_thing(
		    ctx, tenant, trl_arena_printf(ctx->arena, "thing %d", n));

		for (int i = 0; i < n; i++)
			trl_batch_event(batch, &made, tenant, &thing->base);
		trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
		CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
		CHECK(heard == n);
		CHECK(heard_lanes == 1u << trl_event_lane(tenant, tenant));
	}
	CHECK(waiting(tenant) == 6);
	trl_id_format(tenant, text);
	/* Ids rise in the order in which they were told. */
	CHECK(strcmp(test_db_sql(&world.db,
			 "select bool_and(event_id > before) from (select event_id, "
			 "lag(event_id) over (order by id) as before from "
			 "pgtest.outbox where tenant_id = '%s') x where before is not "
			 "null",
			 text),
		  "t") == 0);
	trl_pg_on_news(world.pg, TRL_PG_EVENTS, NULL, NULL);
}

static void
events_leave_with_the_batch_in_order_and_are_heard_of(void **state)
{
	(void)state;
	world_run(write_some);
}

static void
tell_too_much(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *thing = world_thing(ctx, tenant, "a"),
		      *large = world_thing(ctx, tenant, "b");
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_tx *tx = NULL;

	large->name = trl_arena_printf(ctx->arena, "%0*d", TRL_EVENT_MAX_BYTES, 0);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
	trl_batch_event(batch, &made, tenant, &large->base);
	trl_batch_event(batch, &made, tenant, &thing->base);
	CHECK(trl_batch_write(batch, NULL) == TRL_INVALID);
	CHECK(strstr(ctx->err.message, "pgtest.thing.made") != NULL);
	trl_err_clear(ctx);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	trl_tx_add(tx, &pgtest_sql_thing_insert, &thing->base);
	trl_tx_event(tx, &made, tenant, &large->base);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_INVALID);
	trl_tx_rollback(&tx);
	CHECK(waiting(tenant) == 0);
	CHECK(world_count(ctx, tenant) == 0);
}

static void
an_event_that_is_too_large_refuses_the_write(void **state)
{
	(void)state;
	world_run(tell_too_much);
}

static void
tell_anothers(trl_ctx *ctx)
{
	static const struct trl_event_type anothers = {
		.name = "zoo.thing.made", .service = "zoo", .message = &rules
	};
	static const char said[] =
	    "pgtest tells zoo.thing.made, an event of zoo: declare one of its own in "
	    "proto/trellis/pgtest/v1/pgtest.proto, and tell that";
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *thing = world_thing(ctx, tenant, "a");
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_tx *tx = NULL;

	trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
	trl_batch_event(batch, &anothers, tenant, &thing->base);
	CHECK(trl_batch_write(batch, NULL) == TRL_INTERNAL);
	CHECK(strcmp(ctx->err.message, said) == 0);
	trl_err_clear(ctx);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	trl_tx_add(tx, &pgtest_sql_thing_insert, &thing->base);
	trl_tx_event(tx, &anothers, tenant, &thing->base);
	CHECK(trl_tx_commit(&tx, NULL) == TRL_INTERNAL);
	CHECK(strcmp(ctx->err.message, said) == 0);
	trl_tx_rollback(&tx);
	CHECK(waiting(tenant) == 0);
	CHECK(world_count(ctx, tenant) == 0);
}

static void
an_event_of_another_service_refuses_the_write(void **state)
{
	(void)state;
	world_run(tell_anothers);
}

static void
fail_and_repeat(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *thing = world_thing(ctx, tenant, "a");

	for (int i = 0; i < 3; i++) {
		trl_batch *batch =
		    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

		/* The same key thrice: once it is written, and twice replayed. */
		world_key(ctx, "the key of events", 1);
		if (i == 0)
			thing = world_thing(ctx, tenant, "a");
		trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
		trl_batch_event(batch, &made, tenant, &thing->base);
		CHECK_CODE(trl_batch_write(batch, &thing->base), TRL_OK);
		CHECK(ctx->idempotency.replayed == (i > 0));
		CHECK(waiting(tenant) == 1);
	}
	ctx->idempotency = (struct trl_idempotency){ 0 };
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_event(batch, &made, tenant, &thing->base);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base); /* again */
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_INTERNAL);
	CHECK(waiting(tenant) == 1);
}

static void
a_replay_or_a_failure_tells_nothing(void **state)
{
	(void)state;
	world_run(fail_and_repeat);
}

static void
gather(trl_ctx *ctx)
{
	struct trl_id one = trl_new_id(ctx), other = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, one, "a"),
		      *b = world_thing(ctx, other, "b"), out = PGTEST__THING__INIT;
	trl_tx *tx = NULL;

	CHECK_CODE(trl_tx_open(ctx, world.pg, TRL_SCOPE_TENANT(one), &tx), TRL_OK);
	trl_tx_add(tx, &pgtest_sql_thing_insert, &a->base);
	trl_tx_event(tx, &made, one, &a->base);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_lock, &a->base, &out.base), TRL_OK);
	CHECK(strcmp(out.name, "a") == 0);
	trl_tx_event(tx, &made, one, &a->base);
	trl_tx_scope(tx, TRL_SCOPE_TENANT(other));
	trl_tx_add(tx, &pgtest_sql_thing_insert, &b->base);
	trl_tx_event(tx, &made, other, &b->base);
	trl_tx_event(tx, &made, other, &b->base);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_OK);
	CHECK(world_count(ctx, one) == 1 && world_count(ctx, other) == 1);
	CHECK(waiting(one) == 2 && waiting(other) == 2);
	/* A gathered one that fails is the commit's error, and all is undone. */
	CHECK_CODE(trl_tx_open(ctx, world.pg, TRL_SCOPE_TENANT(one), &tx), TRL_OK);
	trl_tx_event(tx, &made, one, &a->base);
	trl_tx_add(tx, &pgtest_sql_thing_insert, &a->base);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_INTERNAL);
	CHECK(waiting(one) == 2);
	/* One that cannot be bound is the next run's. */
	CHECK_CODE(trl_tx_open(ctx, world.pg, TRL_SCOPE_TENANT(one), &tx), TRL_OK);
	trl_tx_add(tx, &pgtest_sql_thing_lock, NULL);
	CHECK_CODE(
	    trl_tx_run(tx, &pgtest_sql_thing_lock, &a->base, &out.base), TRL_INTERNAL);
	trl_tx_rollback(&tx);
	CHECK(world_count(ctx, one) == 1);
}

static void
a_transaction_gathers_statements_and_changes_its_scope(void **state)
{
	(void)state;
	world_run(gather);
}

static void
a_lane_depends_on_the_tenant_or_on_the_platforms_subject(void **state)
{
	struct trl_id tenant = trl_id_new(), a = trl_id_new(), b;
	uint32_t seen = 0;

	(void)state;
	assert_int_equal(
	    trl_event_lane(tenant, a), trl_event_lane(tenant, trl_id_new()));
	assert_int_equal(trl_event_lane(trl_id_nil, a), trl_event_lane(a, trl_id_nil));
	for (int i = 0; i < 1000; i++) {
		b = trl_id_new();
		seen |= 1u << trl_event_lane(b, b);
	}
	assert_int_equal(seen, 0xffff); /* they spread */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_leave_with_the_batch_in_order_and_are_heard_of),
		cmocka_unit_test(an_event_that_is_too_large_refuses_the_write),
		cmocka_unit_test(an_event_of_another_service_refuses_the_write),
		cmocka_unit_test(a_replay_or_a_failure_tells_nothing),
		cmocka_unit_test(
		    a_transaction_gathers_statements_and_changes_its_scope),
		cmocka_unit_test(
		    a_lane_depends_on_the_tenant_or_on_the_platforms_subject),
	};

	return cmocka_run_group_tests_name("event", tests, world_open, world_close);
}
