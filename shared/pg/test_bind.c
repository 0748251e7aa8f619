/* test_bind.c - binding messages to parameters and rows to messages, on a real
 * PostgreSQL. */
#include "test_world.h"

static Pgtest__Thing *
full_thing(trl_ctx *ctx, struct trl_id tenant)
{
	static int64_t numbers[] = { 1, -2, INT64_MAX };
	static uint32_t small[] = { 3, 4 };
	static Pgtest__Thing__State states[] = { PGTEST__THING__STATE__stale,
		PGTEST__THING__STATE__fresh };
	static char *tags[] = { (char *)"a", (char *)"",
		(char *)"it's \\ \"odd\" {}, \xc3\xa4" };
	static Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	static Pgtest__Thing__Inner inner = PGTEST__THING__INNER__INIT;
	static ProtobufCBinaryData ids[2];
	Pgtest__Thing *t = world_thing(ctx, tenant, "'; drop table thing; --");

	t->has_size = t->has_amount = t->has_few = t->has_ok = t->has_ratio = 1;
	t->has_share = t->has_state = t->has_blob = t->has_version = 1;
	t->size = -7;
	t->amount = INT64_MIN;
	t->few = UINT32_MAX;
	t->ok = 1;
	t->ratio = 0.1;
	t->share = 2.5F;
	at.seconds = -1; /* before 1970, too */
	at.nanos = 123456000;
	t->at = &at;
	t->state = PGTEST__THING__STATE__stale;
	t->blob = (ProtobufCBinaryData){ 4, (uint8_t *)"\0\1\2\377" };
	t->tags = tags;
	t->n_tags = 3;
	ids[0] = t->id;
	ids[1] = t->tenant_id;
	t->ids = ids;
	t->n_ids = 2;
	t->numbers = numbers;
	t->n_numbers = 3;
	t->small_numbers = small;
	t->n_small_numbers = 2;
	t->states = states;
	t->n_states = 2;
	inner.text = (char *)"inner";
	inner.has_number = 1;
	inner.number = 5;
	t->inner = &inner;
	t->json = (char *)"{\"a\": 1}";
	t->version = 3;
	return t;
}

static void
bind_everything(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *in = full_thing(ctx, tenant), out = PGTEST__THING__INIT;
	uint8_t want[1024], got[1024];
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert, &in->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_get(batch, &pgtest_sql_thing_get, &in->base, &out.base);
	CHECK_CODE(trl_batch_read(batch), TRL_OK);
	CHECK(protobuf_c_message_get_packed_size(&in->base) ==
	      protobuf_c_message_get_packed_size(&out.base));
	CHECK(protobuf_c_message_pack(&in->base, want) ==
	      protobuf_c_message_pack(&out.base, got));
	CHECK(memcmp(want, got, protobuf_c_message_get_packed_size(&in->base)) == 0);
}

static void
binds_every_type_both_ways(void **state)
{
	(void)state;
	world_run(bind_everything);
}

static void
bind_nothing(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *in = world_thing(ctx, tenant, "bare"),
		      *out = full_thing(ctx, tenant);
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert, &in->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_get(batch, &pgtest_sql_thing_get, &in->base, &out->base);
	CHECK_CODE(trl_batch_read(batch), TRL_OK);
	CHECK(!out->has_size && !out->has_ok && !out->has_state && !out->has_blob);
	CHECK(out->at == NULL && out->json == NULL && out->inner == NULL);
	CHECK(out->n_tags == 0 && out->n_numbers == 0);
	CHECK(out->has_version && out->version == 1);
}

static void
binds_absent_fields_as_null_and_back(void **state)
{
	(void)state;
	world_run(bind_nothing);
}

static void
bind_list(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Things out = PGTEST__THINGS__INIT;
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	for (int i = 0; i < 9; i++)
		trl_batch_add(batch, &pgtest_sql_thing_insert,
		    &world_thing(ctx, tenant, trl_arena_printf(ctx->arena, "n%d", i))
			 ->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_get(batch, &pgtest_sql_thing_list, NULL, &out.base,
	    TRL_ARG_ID("after", trl_id_nil), TRL_ARG_INT("limit", 5));
	CHECK_CODE(trl_batch_read(batch), TRL_OK);
	CHECK(out.n_items == 5);
	for (int i = 0; i < 5; i++)
		CHECK(out.items[i]->name[1] == '0' + i && out.items[i]->id.len == 16);
}

static void
fills_a_list_from_the_rows(void **state)
{
	(void)state;
	world_run(bind_list);
}

static void
bind_nested(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *in = world_thing(ctx, tenant, "nest"), out = PGTEST__THING__INIT;
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(batch, &pgtest_sql_thing_insert, &in->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_get(batch, &pgtest_sql_thing_nested, &in->base, &out.base);
	CHECK_CODE(trl_batch_read(batch), TRL_OK);
	CHECK(out.inner && strcmp(out.inner->text, "nest") == 0 &&
	      !out.inner->has_number);
}

static void
fills_a_nested_field_by_its_alias(void **state)
{
	(void)state;
	world_run(bind_nested);
}

static void
bind_wrongly(trl_ctx *ctx)
{
	trl_batch *batch =
	    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(trl_new_id(ctx)));
	enum trl_code rc;

	trl_batch_get(batch, &pgtest_sql_thing_list, NULL, NULL,
	    TRL_ARG_TEXT("after", "not a uuid"), TRL_ARG_INT("limit", 5));
	rc = trl_batch_read(batch);
	CHECK(
	    rc == TRL_INTERNAL && strstr(ctx->err.message, ":after does not fit uuid"));
	trl_err_clear(ctx);
	batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(trl_new_id(ctx)));
	trl_batch_get(
	    batch, &pgtest_sql_thing_list, NULL, NULL, TRL_ARG_INT("limit", 5));
	rc = trl_batch_read(batch);
	CHECK(rc == TRL_INTERNAL && strstr(ctx->err.message, "nothing gives :after"));
}

static void
names_a_parameter_that_does_not_fit_or_is_missing(void **state)
{
	(void)state;
	world_run(bind_wrongly);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binds_every_type_both_ways),
		cmocka_unit_test(binds_absent_fields_as_null_and_back),
		cmocka_unit_test(fills_a_list_from_the_rows),
		cmocka_unit_test(fills_a_nested_field_by_its_alias),
		cmocka_unit_test(names_a_parameter_that_does_not_fit_or_is_missing),
	};

	return cmocka_run_group_tests_name("bind", tests, world_open, world_close);
}
