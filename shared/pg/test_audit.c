/* test_audit.c - the audit chain: what is added verifies, what was changed shows, and
 * what is told is what stands in it. */
#include "test_world.h"

#include <trl/event.h>
#include <trl/value.h>

#include "framework_sql.h"
#include "audit_v1.pb-c.h"

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

static const struct trl_field no_rules[16];
static const struct trl_message rules = { .descriptor = &audit__v1__entry__descriptor,
	.fields = no_rules,
	.clear_field = -1 };
static const struct trl_event_type written = {
	.name = "pgtest.audit.written", .service = "pgtest", .message = &rules
};
static trl_pg *telling;
static struct trl_id taken; /* a thing that is there */
static uint32_t heard_lanes;

static void
hear(void *self, uint32_t lanes)
{
	(void)self;
	heard_lanes |= lanes;
}

static void
write_told(trl_ctx *ctx)
{
	Pgtest__Answer detail = PGTEST__ANSWER__INIT;
	Pgtest__Thing *thing;
	trl_batch *batch;
	trl_tx *tx = NULL;

	audited = trl_new_id(ctx);
	ctx->principal.kind = TRL_KEY;
	ctx->principal.session = trl_new_id(ctx);
	ctx->principal.address = "10.0.0.1";
	detail.text = trl_arena_zalloc(ctx->arena, 70000);
	thing = world_thing(ctx, audited, "told");
	for (int i = 0; i < 3; i++) {
		memset(detail.text, 'x', i == 1 ? 69999 : 7);
		detail.text[i == 1 ? 69999 : 7] = '\0';
		batch = trl_batch_new(ctx, telling, TRL_SCOPE_TENANT(audited));
		for (int j = 0; j <= i; j++)
			trl_batch_audit(batch, "pgtest.thing.make",
			    trl_value_id(thing->id), "thing", &detail.base);
		if (i == 0)
			trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
		CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	}
	CHECK(heard_lanes == 1u << trl_event_lane(audited, audited));
	ctx->principal.kind = TRL_NOBODY;
	CHECK_CODE(trl_tx_begin(ctx, telling, TRL_SCOPE_TENANT(audited), &tx), TRL_OK);
	for (int i = 0; i < 16; i++)
		trl_tx_audit(tx, "pgtest.thing.see", trl_id_nil, NULL, NULL);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_OK);

	/* What fails, what no tenant owns, and who declares no event, tells nothing. */
	batch = trl_batch_new(ctx, telling, TRL_SCOPE_TENANT(audited));
	trl_batch_audit(batch, "pgtest.thing.fail", audited, "thing", NULL);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_INTERNAL);
	batch = trl_batch_new(ctx, telling, TRL_SCOPE_ACCOUNT(trl_new_id(ctx)));
	trl_batch_audit(batch, "pgtest.account.make", audited, "account", NULL);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(taken));
	trl_batch_audit(batch, "pgtest.thing.make", audited, "thing", NULL);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
}

/* A value of any length, by the administrator. */
TRL_PRINTF(2, 3)
static const char *
whole(trl_arena *arena, const char *fmt, ...)
{
	const char *value;
	va_list args;

	va_start(args, fmt);
	value = test_db_vsql(&world.db, arena, fmt, args);
	va_end(args);
	return value;
}

/* The nth event that waits, as its message; the caller frees it. */
static Audit__V1__Entry *
told_entry(trl_arena *arena, long n)
{
	const char *hex = whole(arena,
	    "select encode(payload, 'hex') from "
	    "pgtest.outbox order by id offset %ld limit 1",
	    n);
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = trl_arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++) {
		char octet[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = (uint8_t)strtoul(octet, NULL, 16);
	}
	return audit__v1__entry__unpack(NULL, len, bytes);
}

/* The entry as the chain has it: what identifies it, and what of it is told. */
static void
check_told(trl_arena *arena, long n)
{
	Audit__V1__Entry *entry = told_entry(arena, n);
	const char *row;
	char id[TRL_ID_TEXT], got[256];

	assert_non_null(entry);
	trl_id_format(trl_value_id(entry->id), id);
	row = whole(arena,
	    "select concat_ws(' ', seq, action, subject_kind, "
	    "coalesce(subject_id::text, '-'), coalesce(actor_id::text, '-'), "
	    "actor_kind, address, coalesce(length(detail), 0), encode(hash, 'hex')) "
	    "from pgtest.audit where id = '%s'",
	    id);
	snprintf(got, sizeof got, "%s", row);
	assert_int_equal(entry->number, n + 1);
	assert_true(trl_id_eq(trl_value_id(entry->tenant_id), audited));
	assert_int_equal(entry->hash.len, 32);
	for (size_t i = 0; i < 32; i++) {
		char octet[3];

		snprintf(octet, sizeof octet, "%02x", entry->hash.data[i]);
		assert_memory_equal(octet, row + strlen(row) - 64 + 2 * i, 2);
	}
	if (n < 6) {
		assert_string_equal(entry->action, "pgtest.thing.make");
		assert_int_equal(entry->actor_kind, AUDIT__V1__ENTRY__ACTOR__key);
		assert_non_null(strstr(got, " pgtest.thing.make thing "));
		assert_string_equal(entry->subject_kind, "thing");
		assert_string_equal(entry->address, "10.0.0.1");
		/* Of 1, 2 and 3 entries a batch, those of the second are too long. */
		assert_int_equal(entry->detail != NULL, n != 1 && n != 2);
	} else {
		assert_string_equal(entry->action, "pgtest.thing.see");
		assert_false(entry->has_actor_kind || entry->has_subject_id);
	}
	audit__v1__entry__free_unpacked(entry, NULL);
}

static void
what_is_told_of_a_tenants_chain_is_what_stands_in_it(void **state)
{
	const struct trl_pg_options options = {
		.url = world.url, .sql = &pgtest_sql, .audit_told = &written
	};
	trl_arena *arena = trl_arena_new(0);

	(void)state;
	test_db_sql(&world.db, "delete from pgtest.outbox");
	taken = trl_id_new();
	assert_int_equal(trl_pg_open(world.loop, &options, &telling), TRL_OK);
	trl_pg_on_news(telling, TRL_PG_EVENTS, hear, NULL);
	world_run(write_told);
	trl_pg_close(&telling);
	assert_string_equal(
	    test_db_sql(&world.db,
		"select count(*) || ' ' || count(distinct lane) || ' ' || "
		"bool_and(subject_id = tenant_id and type = 'pgtest.audit.written') "
		"from pgtest.outbox"),
	    "22 1 true");
	for (long n = 0; n < 22; n++)
		check_told(arena, n);
	trl_arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_audit_chain_verifies_and_shows_a_tampered_entry),
		cmocka_unit_test(the_service_cannot_change_its_audit),
		cmocka_unit_test(what_is_told_of_a_tenants_chain_is_what_stands_in_it),
	};

	return cmocka_run_group_tests_name("audit", tests, world_open, world_close);
}
