/* The feed: numbers come in the order of commits, and readers see only their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "feed/feed.h"
#include "test_ground.h"

enum { READ_BYTES_MOST = 400000 };

static struct trl_id tenant, other, ada, bob;

static void
settle(void)
{
	world_until_sql("select not exists (select from feed_fresh)");
}

/* Leaves n entries, as a fact's transaction does. account NULL: for all members. */
static void
leave(struct trl_id of, const struct trl_id *account, int n, int bytes)
{
	const char *who =
	    account ? trl_arena_printf(world.arena, "'%s'", world_id_text(*account))
		    : "null";

	world_sql(
	    "insert into feed_fresh (tenant_id, id, account_id, type, permission, "
	    "data) select '%s', gen_random_uuid(), %s, 'a.b.c', null, "
	    "repeat('x', %d) from generate_series(1, %d)",
	    world_id_text(of), who, bytes, n);
}

static int64_t
head(void)
{
	return atoll(world_sql("select number from feed_head_directory"));
}

static const struct trl_id everybody;

/* What is for all members, and for an account or for everybody. */
static Notify__V1__ReadFeedReply *
read_feed(struct trl_id of, const struct trl_id *account, int64_t after, int64_t until)
{
	Notify__V1__ReadFeedRequest in = NOTIFY__V1__READ_FEED_REQUEST__INIT;
	const struct world_caller edge = { .tenant = trl_id_nil };
	ProtobufCBinaryData id = { 16, NULL };
	Notify__V1__ReadFeedReply *out = NULL;

	in.has_tenant_id = !trl_id_is_nil(of);
	in.tenant_id = (ProtobufCBinaryData){ 16, of.bytes };
	trl_set(&in, all_accounts, account == &everybody);
	if (account) {
		id.data = (uint8_t *)(uintptr_t)account->bytes;
		in.n_account_ids = 1;
		in.account_ids = &id;
	}
	in.has_after = in.has_until = true;
	in.after = after;
	in.until = until;
	assert_int_equal(
	    world_call(&edge, &notify_v1_read_feed, &in.base, &out), TRL_OK);
	return out;
}

static int
open_world(void **state)
{
	const int rc = ground_open(state);

	if (rc)
		return rc;
	tenant = trl_id_new();
	other = trl_id_new();
	ada = trl_id_new();
	bob = trl_id_new();
	/* Before the service's first turn, so that it finds it there. */
	world_sql("insert into feed (tenant_id, id, number, type, data, created_at) "
		  "select '%s', gen_random_uuid(), -n, 'a.b.c', '{}', now() - n * "
		  "interval '12 hours 1 second' from generate_series(1, 4) n",
	    world_id_text(tenant));
	world_sql("insert into feed_change_directory (number, tenant_id, created_at) "
		  "select number, tenant_id, created_at from feed");
	return 0;
}

static void
what_is_older_than_a_day_is_forgotten(void **state)
{
	(void)state;
	leave(tenant, NULL, 1, 10);
	settle();
	world_until_sql("select not exists (select from feed where number < -1)");
	assert_string_equal(
	    world_sql("select string_agg(number::text, ',' order by number) from feed"),
	    "-1,1");
	assert_string_equal(world_sql("select string_agg(number::text, ',' order by "
				      "number) from feed_change_directory"),
	    "-1,1");
}

static void
a_late_commit_has_a_later_number(void **state)
{
	PGconn *late = PQconnectdb(world.db.admin);
	const int64_t before = head();

	(void)state;
	PQclear(PQexec(late, "set search_path = notify"));
	PQclear(PQexec(late, "begin"));
	PQclear(PQexec(late,
	    trl_arena_printf(world.arena,
		"insert into feed_fresh (tenant_id, id, type, data) values ('%s', "
		"gen_random_uuid(), 'a.b.late', '{}')",
		world_id_text(tenant))));
	leave(tenant, NULL, 3, 10);
	settle();
	assert_int_equal(head(), before + 3);
	assert_int_equal(read_feed(tenant, NULL, before, head())->n_items, 3);
	PQclear(PQexec(late, "commit"));
	PQfinish(late);
	settle();
	assert_int_equal(read_feed(tenant, NULL, before + 3, head())->n_items, 1);
	assert_string_equal(
	    world_sql("select number from feed where type = 'a.b.late'"),
	    trl_arena_printf(world.arena, "%lld", (long long)before + 4));
}

static void
what_was_fed_already_is_not_fed_again(void **state)
{
	const int64_t before = head();

	(void)state;
	world_sql(
	    "insert into feed_fresh (tenant_id, id, type, data) select tenant_id, id, "
	    "'again', '{}' from feed limit 1");
	settle();
	assert_int_equal(read_feed(tenant, NULL, before, head())->n_items, 0);
	assert_string_equal(
	    world_sql("select count(*) from feed where type = 'again'"), "0");
}

static void
each_reader_sees_what_is_his(void **state)
{
	const int64_t from = head();
	Notify__V1__ReadFeedReply *out;

	(void)state;
	leave(tenant, NULL, 1, 10);
	leave(tenant, &ada, 2, 10);
	leave(tenant, &bob, 4, 10);
	leave(other, NULL, 8, 10);
	leave(other, &ada, 16, 10);
	leave(trl_id_nil, &ada, 32, 10);
	leave(trl_id_nil, &bob, 64, 10);
	settle();
	assert_int_equal(read_feed(tenant, NULL, from, head())->n_items, 1);
	out = read_feed(tenant, &ada, from, head());
	assert_int_equal(out->n_items, 3);
	assert_int_equal(out->through, head());
	assert_int_equal(read_feed(tenant, &everybody, from, head())->n_items, 7);
	assert_int_equal(read_feed(trl_id_nil, NULL, from, head())->n_items, 0);
	assert_int_equal(read_feed(trl_id_nil, &ada, from, head())->n_items, 32);
	assert_int_equal(read_feed(tenant, &ada, from + 1, from + 2)->n_items, 1);
}

static void
a_reply_is_cut_to_its_size_and_says_where(void **state)
{
	const int64_t from = head();
	int64_t after = from;
	size_t n = 0, replies = 0;

	(void)state;
	leave(tenant, NULL, 300, 10);
	leave(tenant, NULL, 30, 30000);
	settle();
	while (after < head()) {
		Notify__V1__ReadFeedReply *out = read_feed(tenant, NULL, after, head());

		assert_in_range(notify__v1__read_feed_reply__get_packed_size(out), 1,
		    READ_BYTES_MOST);
		assert_true(out->n_items > 0 && out->items[0]->number == after + 1);
		assert_true(out->through > after);
		n += out->n_items;
		after = out->through;
		replies++;
	}
	assert_int_equal(n, 330);
	assert_in_range(replies, 4, 8);
}

static void
a_place_is_found_by_who_could_have_seen_it(void **state)
{
	static const struct {
		const char *of, *account, *by;
		bool found;
	} rows[] = {
		{ "tenant", "all", "ada", true },
		{ "tenant", "ada", "ada", true },
		{ "tenant", "bob", "ada", false },
		{ "other", "all", "ada", false },
		{ "none", "ada", "ada", true },
		{ "none", "bob", "ada", false },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		Notify__V1__StreamEventsRequest in =
		    NOTIFY__V1__STREAM_EVENTS_REQUEST__INIT;
		const struct world_caller who = { .account = ada, .tenant = tenant };
		struct trl_id of = rows[i].of[0] == 't'   ? tenant
				   : rows[i].of[0] == 'o' ? other
							  : trl_id_nil;
		const struct trl_id *account = strcmp(rows[i].account, "all") == 0
						   ? NULL
					       : rows[i].account[0] == 'a' ? &ada
									   : &bob;
		Notify__V1__StreamPlace *out = NULL;
		struct trl_id id;
		const char *text;

		leave(of, account, 1, 10);
		settle();
		text = world_sql("select id from feed order by number desc limit 1");
		assert_true(trl_id_parse(text, strlen(text), &id));
		trl_set(&in, last_event_id, world_bytes(&id));
		assert_int_equal(
		    world_call(&who, &notify_v1_stream_events, &in.base, &out), TRL_OK);
		assert_int_equal(out->head, head());
		if (out->has_number != rows[i].found)
			fail_msg("%s %s", rows[i].of, rows[i].account);
		if (rows[i].found)
			assert_int_equal(out->number, head());
	}
}

struct told {
	const char *text;
	bool done;
};

static void
tell(trl_ctx *ctx, void *arg)
{
	struct told *told = arg;
	Auth__V1__LetterEvent event = AUTH__V1__LETTER_EVENT__INIT;
	uint8_t secret[] = "sesame";
	struct trl_id id = { { 1 } };

	trl_set(&event, sealed_token, (ProtobufCBinaryData){ sizeof secret, secret });
	told->text = trl_arena_strdup(world.arena,
	    notify_cloud_event(ctx, &(const struct notify_cloud_event){ .id = id,
					.type = "a.\"b\".c",
					.at_us = 1700000000000000,
					.tenant = id,
					.rules = auth_event_letter_requested.message,
					.payload = &event.base }));
	told->done = true;
}

static bool
is_told(void *arg)
{
	return ((struct told *)arg)->done;
}

static void
a_cloud_event_has_its_attributes_and_nothing_internal(void **state)
{
	struct told told = { 0 };
	const struct trl_spawn spawn = { .name = "test", .run = tell, .arg = &told };

	(void)state;
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
	world_until(is_told, &told);
	assert_string_equal(told.text,
	    "{\"specversion\":\"1.0\",\"id\":\"01000000-0000-0000-0000-000000000000\","
	    "\"source\":\"/a\",\"type\":\"a.\\\"b\\\".c\","
	    "\"time\":\"2023-11-14T22:13:20Z\","
	    "\"tenantid\":\"01000000-0000-0000-0000-000000000000\","
	    "\"datacontenttype\":\"application/json\",\"data\":{}}");
}

static void
permit(trl_ctx *ctx, void *arg)
{
	static const struct {
		const char *type, *permission;
	} rows[] = {
		{ "tenants.tenant.updated", "tenants.tenant.read" },
		{ "tenants.member.added", "tenants.member.list" },
		{ "tenants.invitation.created", "tenants.invitation.list" },
		{ "auth.api_key.created", "auth.key.list" },
		{ "notify.webhook_endpoint.disabled", "notify.webhook.read" },
		{ "auth.password.changed", NULL },
	};
	struct told *told = arg;

	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *found =
		    notify_feed_permission(ctx, trl_event_type_by_name(rows[i].type));

		if (rows[i].permission)
			assert_string_equal(found, rows[i].permission);
		else
			assert_null(found);
	}
	told->done = true;
}

static void
an_event_is_seen_by_who_may_look_at_what_it_is_about(void **state)
{
	struct told told = { 0 };
	const struct trl_spawn spawn = { .name = "test", .run = permit, .arg = &told };

	(void)state;
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
	world_until(is_told, &told);
}

#define CASE(f) cmocka_unit_test_teardown(f, ground_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_older_than_a_day_is_forgotten),
		CASE(a_late_commit_has_a_later_number),
		CASE(what_was_fed_already_is_not_fed_again),
		CASE(each_reader_sees_what_is_his),
		CASE(a_reply_is_cut_to_its_size_and_says_where),
		CASE(a_place_is_found_by_who_could_have_seen_it),
		CASE(a_cloud_event_has_its_attributes_and_nothing_internal),
		CASE(an_event_is_seen_by_who_may_look_at_what_it_is_about),
	};

	return cmocka_run_group_tests(tests, open_world, ground_close);
}
