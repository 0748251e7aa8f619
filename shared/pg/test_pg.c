/* test_pg.c - binding, batches, guards, constraints, row security and audit, on a
 * real PostgreSQL. */
#include "test_world.h"

#include "framework_sql.h"

/* ---- binding */

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

/* ---- guards and constraints */

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

/* ---- row security */

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

/* ---- audit */

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

/* ---- transactions */

static void
transact(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, tenant, "a"), out = PGTEST__THING__INIT;
	trl_tx *tx = NULL;

	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_insert, &a->base, NULL), TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_lock, &a->base, &out.base), TRL_OK);
	CHECK(strcmp(out.name, "a") == 0);
	trl_tx_rollback(&tx);
	CHECK(world_count(ctx, tenant) == 0);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_insert, &a->base, NULL), TRL_OK);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_OK);
	CHECK(world_count(ctx, tenant) == 1);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	CHECK_CODE(
	    trl_tx_run(tx, &pgtest_sql_thing_insert, &a->base, NULL), TRL_INTERNAL);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_INTERNAL);
	CHECK(tx == NULL && world_count(ctx, tenant) == 1);
}

static void
a_transaction_commits_or_leaves_nothing(void **state)
{
	(void)state;
	world_run(transact);
}

static struct trl_id contended;
static struct trl_id contended_tenant;

static void
hold_lock(trl_ctx *ctx)
{
	Pgtest__Thing *a = world_thing(ctx, contended_tenant, "held");
	trl_batch *batch =
	    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(contended_tenant));
	trl_tx *tx = NULL;

	memcpy(contended.bytes, a->id.data, 16);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(contended_tenant), &tx),
	    TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_lock, &a->base, NULL), TRL_OK);
	CHECK_CODE(trl_sleep(ctx, 300), TRL_OK);
	trl_tx_rollback(&tx);
}

static void
want_lock(trl_ctx *ctx)
{
	trl_batch *batch =
	    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(contended_tenant));

	CHECK_CODE(trl_sleep(ctx, 100), TRL_OK);
	trl_batch_add(batch, &pgtest_sql_thing_grow, NULL, TRL_ARG_ID("id", contended));
	enum trl_code rc = trl_batch_write(batch, NULL);
	CHECK(rc == TRL_BUSY && ctx->err.retry_after_ms > 0);
}

static void
a_lock_held_elsewhere_is_busy_and_not_a_wait(void **state)
{
	(void)state;
	contended_tenant = trl_id_new();
	world_run_two(hold_lock, want_lock);
}

static enum trl_code
clash(trl_ctx *ctx, struct trl_id tenant, const char *name, long *attempts)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	enum trl_code rc;

	(void)test_db_sql(&world.db, "select setval('pgtest.clash', 1, false)");
	trl_batch_add(
	    batch, &pgtest_sql_thing_insert, &world_thing(ctx, tenant, name)->base);
	rc = trl_batch_write(batch, NULL);
	*attempts = atol(test_db_sql(&world.db, "select last_value from pgtest.clash"));
	return rc;
}

static void
clash_and_try_again(trl_ctx *ctx)
{
	struct trl_id tenant = trl_id_new();
	long attempts;

	CHECK_CODE(clash(ctx, tenant, "clashes 1", &attempts), TRL_OK);
	CHECK(attempts == 2);
	CHECK_CODE(clash(ctx, tenant, "clashes 3 deadlock", &attempts), TRL_OK);
	CHECK(attempts == 4 && world_count(ctx, tenant) == 2);
	enum trl_code rc = clash(ctx, tenant, "clashes 100", &attempts);
	CHECK(rc == TRL_CONFLICT && ctx->err.retry_after_ms > 0);
	trl_err_clear(ctx);
	CHECK(attempts == 4 && world_count(ctx, tenant) == 2);
}

/* Reliability, case 30. */
static void
a_clash_is_tried_three_times_more_and_then_a_conflict(void **state)
{
	(void)state;
	world_run(clash_and_try_again);
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
		cmocka_unit_test(an_audit_chain_verifies_and_shows_a_tampered_entry),
		cmocka_unit_test(the_service_cannot_change_its_audit),
		cmocka_unit_test(a_transaction_commits_or_leaves_nothing),
		cmocka_unit_test(a_lock_held_elsewhere_is_busy_and_not_a_wait),
		cmocka_unit_test(a_clash_is_tried_three_times_more_and_then_a_conflict),
	};

	return cmocka_run_group_tests_name("pg", tests, world_open, world_close);
}
