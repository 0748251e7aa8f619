/* test_audit.c - the audit chain: what is added verifies, what was changed shows. */
#include "test_world.h"

#include "framework_sql.h"

static struct trl_id audited;

static void
audit(trl_ctx *ctx)
{
	Pgtest__Answer answer = PGTEST__ANSWER__INIT, detail = PGTEST__ANSWER__INIT;
	trl_batch *batch;
	trl_tx *tx = NULL;

	audited = trl_new_id(ctx);
	ctx->principal.kind = TRL_PERSON;
	ctx->principal.account = trl_new_id(ctx);
	ctx->principal.address = "10.0.0.1";
	detail.has_n = 1;
	detail.n = 4;
	detail.text = (char *)"a \"b\"\n";
	for (int i = 0; i < 5; i++) {
		batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(audited));
		trl_batch_audit(batch, "pgtest.thing.make", trl_new_id(ctx), "thing",
		    i == 2 ? NULL : &detail.base);
		trl_batch_add(batch, &pgtest_sql_thing_insert,
		    &world_thing(ctx, audited, trl_arena_printf(ctx->arena, "t%d", i))
			 ->base);
		CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	}
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(audited), &tx), TRL_OK);
	trl_tx_audit(tx, "pgtest.thing.see", trl_id_nil, "thing", NULL);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_OK);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(audited));
	trl_batch_get(batch, &trl_sql_audit_verify, NULL, &answer.base);
	CHECK_CODE(trl_batch_read(batch), TRL_OK);
	CHECK(answer.entries == 6 && !answer.has_wrong);
}

static void
verify_tampered(trl_ctx *ctx)
{
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(audited));

	trl_batch_get(batch, &trl_sql_audit_verify, NULL, &answer.base);
	CHECK_CODE(trl_batch_read(batch), TRL_OK);
	CHECK(answer.has_wrong && answer.wrong == 3);
}

static void
list_audit(trl_ctx *ctx)
{
	Pgtest__Things out = PGTEST__THINGS__INIT;
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(audited));

	trl_batch_get(batch, &trl_sql_audit_list, NULL, &out.base,
	    TRL_ARG_NULL("before"), TRL_ARG_INT("limit", 4));
	CHECK_CODE(trl_batch_read(batch), TRL_OK);
	CHECK(out.n_items == 4);
	CHECK(memcmp(out.items[0]->id.data, out.items[1]->id.data, 16) > 0);
}

static const char tampering[][160] = {
	"update pgtest.audit set action = 'pgtest.thing.break' where seq = 3",
	"update pgtest.audit set detail = '{}' where seq = 3",
	"update pgtest.audit set actor_id = null where seq = 3",
	"delete from pgtest.audit where seq = 3",
};

static void
an_audit_chain_verifies_and_shows_a_tampered_entry(void **state)
{
	(void)state;
	world_run(audit);
	world_run(list_audit);
	assert_string_equal(
	    test_db_sql(&world.db, "select detail from pgtest.audit where seq = 1"),
	    "{\"n\":4,\"text\":\"a \\\"b\\\"\\u000a\"}");
	for (size_t i = 0; i < TRL_COUNT(tampering); i++) {
		test_db_sql(
		    &world.db, "create table keep as select * from pgtest.audit");
		test_db_sql(&world.db, "%s", tampering[i]);
		world_run(verify_tampered);
		test_db_sql(&world.db,
		    "delete from pgtest.audit; insert into pgtest.audit "
		    "select * from keep; drop table keep");
	}
}

static void
the_service_cannot_change_its_audit(void **state)
{
	(void)state;
	assert_string_equal(
	    "f", test_db_sql(&world.db, "select has_table_privilege('pgtest_app', "
					"'pgtest.audit', 'update, delete, truncate')"));
	assert_string_equal("t",
	    test_db_sql(&world.db,
		"select has_table_privilege('pgtest_app', 'pgtest.audit', 'insert')"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_audit_chain_verifies_and_shows_a_tampered_entry),
		cmocka_unit_test(the_service_cannot_change_its_audit),
	};

	return cmocka_run_group_tests_name("audit", tests, world_open, world_close);
}
