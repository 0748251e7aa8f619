/* Making, showing, changing, deleting and restoring organisations. (Over 400 lines:
 * stories of the one life of a tenant, which share how it is asked for.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static enum trl_code
create(const struct world_person *person, const char *slug, const char *key,
    tenants_tenant **out)
{
	Tenants__V1__CreateTenantRequest ask = TENANTS__V1__CREATE_TENANT_REQUEST__INIT;
	struct world_caller who = { .person = person, .idempotency_key = key };

	ask.slug = (char *)slug;
	ask.display_name = (char *)"Acme";
	return world_call(&who, &tenants_v1_create_tenant, &ask.base, out);
}

static enum trl_code
get(const struct world_person *person, struct trl_id tenant, tenants_tenant **out)
{
	Tenants__V1__GetTenantRequest ask = TENANTS__V1__GET_TENANT_REQUEST__INIT;
	struct world_caller who = { .person = person, .tenant = tenant };

	trl_set(&ask, tenant_id, world_bytes(&tenant));
	return world_call(&who, &tenants_v1_get_tenant, &ask.base, out);
}

static enum trl_code
rename_to(
    struct world_caller *who, const char *slug, const char *name, tenants_tenant **out)
{
	Tenants__V1__UpdateTenantRequest ask = TENANTS__V1__UPDATE_TENANT_REQUEST__INIT;

	trl_set(&ask, tenant_id, world_bytes(&who->tenant));
	ask.slug = (char *)slug;
	ask.display_name = (char *)name;
	return world_call(who, &tenants_v1_update_tenant, &ask.base, out);
}

static enum trl_code
delete_it(struct world_caller *who, tenants_tenant **out)
{
	Tenants__V1__DeleteTenantRequest ask = TENANTS__V1__DELETE_TENANT_REQUEST__INIT;

	trl_set(&ask, tenant_id, world_bytes(&who->tenant));
	return world_call(who, &tenants_v1_delete_tenant, &ask.base, out);
}

static enum trl_code
restore(struct world_caller *who, tenants_tenant **out)
{
	Tenants__V1__RestoreTenantRequest ask =
	    TENANTS__V1__RESTORE_TENANT_REQUEST__INIT;

	trl_set(&ask, tenant_id, world_bytes(&who->tenant));
	return world_call(who, &tenants_v1_restore_tenant, &ask.base, out);
}

static Tenants__V1__ListMyTenantsReply *
mine(const struct world_person *person, uint32_t page_size, const char *page_token)
{
	Tenants__V1__ListMyTenantsRequest ask =
	    TENANTS__V1__LIST_MY_TENANTS_REQUEST__INIT;
	Tenants__V1__ListMyTenantsReply *reply;
	struct world_caller who = { .person = person };

	ask.page_size = page_size;
	ask.has_page_size = page_size > 0;
	ask.page_token = (char *)page_token;
	assert_int_equal(
	    world_call(&who, &tenants_v1_list_my_tenants, &ask.base, &reply), TRL_OK);
	return reply;
}

static void
a_tenant_is_made_and_its_maker_owns_it(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	tenants_tenant *made, *seen;

	(void)state;
	assert_int_equal(create(ada, "made", NULL, &made), TRL_OK);
	assert_string_equal(made->slug, "made");
	assert_int_equal(made->version, 1);
	assert_int_equal(get(ada, trl_value_id(made->id), &seen), TRL_OK);
	assert_string_equal(seen->display_name, "Acme");
	assert_int_equal(seen->status, TENANTS__V1__TENANT__STATUS__active);
	assert_int_equal(
	    trl_value_time_us(seen->created_at), trl_value_time_us(made->created_at));
	assert_string_equal(
	    world_sql("select role from membership where tenant_id = '%s'",
		world_id_text(trl_value_id(made->id))),
	    "owner");
	assert_string_equal(world_sql("select action from audit where tenant_id = '%s'",
				world_id_text(trl_value_id(made->id))),
	    "tenants.tenant.create");
}

static void
refuses_a_taken_slug_and_writes_nothing(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	const struct world_person *bob = world_person_new("bob", true);
	tenants_tenant *made;

	(void)state;
	assert_int_equal(create(ada, "taken", NULL, &made), TRL_OK);
	assert_int_equal(create(bob, "taken", NULL, NULL), TRL_EXISTS);
	assert_string_equal(world.err.field, "slug");
	assert_string_equal(
	    world_sql("select count(*) from membership where account_id = '%s'",
		world_id_text(bob->account)),
	    "0");
	assert_string_equal(
	    world_sql("select count(*) from founder where account_id = '%s'",
		world_id_text(bob->account)),
	    "0");
	assert_string_equal(
	    world_sql("select count(*) from tenant where slug = 'taken'"), "1");
}

static void
the_same_key_gives_the_same_answer_once(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	tenants_tenant *first, *again;

	(void)state;
	assert_int_equal(create(ada, "repeated", "key-1", &first), TRL_OK);
	assert_int_equal(create(ada, "repeated", "key-1", &again), TRL_OK);
	assert_true(world.replayed);
	assert_true(trl_id_eq(trl_value_id(first->id), trl_value_id(again->id)));
	assert_int_equal(create(ada, "otherwise", "key-1", NULL), TRL_INVALID);
	assert_string_equal(
	    world_sql(
		"select count(*) from tenant where slug in ('repeated', 'otherwise')"),
	    "1");
}

static void
an_unverified_account_makes_one_tenant(void **state)
{
	const struct world_person *eve = world_person_new("eve", false);

	(void)state;
	assert_int_equal(create(eve, "first-of-eve", NULL, NULL), TRL_OK);
	assert_int_equal(create(eve, "second-of-eve", NULL, NULL), TRL_QUOTA);
	assert_string_equal(
	    world_sql(
		"select count(*) from tenant_directory where slug like '%%of-eve'"),
	    "1");
}

static void
a_stranger_gets_what_a_missing_tenant_gives(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	const struct world_person *eve = world_person_new("eve", true);
	struct trl_id tenant = world_tenant_new(ada);
	char message[sizeof world.err.message];

	(void)state;
	assert_int_equal(get(eve, trl_id_random(), NULL), TRL_NOT_FOUND);
	memcpy(message, world.err.message, sizeof message);
	assert_int_equal(get(eve, tenant, NULL), TRL_NOT_FOUND);
	assert_string_equal(message, world.err.message);
}

static void
an_update_keeps_what_is_absent_and_counts(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };
	tenants_tenant *first, *changed, *seen;

	(void)state;
	assert_int_equal(get(ada, who.tenant, &first), TRL_OK);
	assert_int_equal(rename_to(&who, NULL, "New name", &changed), TRL_OK);
	assert_int_equal(changed->version, 2);
	assert_string_equal(changed->slug, first->slug);
	assert_int_equal(rename_to(&who, "renamed", NULL, &changed), TRL_OK);
	assert_int_equal(get(ada, who.tenant, &seen), TRL_OK);
	assert_int_equal(seen->version, 3);
	assert_string_equal(seen->slug, "renamed");
	assert_string_equal(seen->display_name, "New name");
	assert_string_equal(mine(ada, 0, NULL)->items[0]->slug, "renamed");
	/* The former slug is free again. */
	assert_int_equal(create(ada, first->slug, NULL, NULL), TRL_OK);
	assert_int_equal(rename_to(&who, first->slug, NULL, NULL), TRL_EXISTS);
	assert_string_equal(world.err.field, "slug");
}

static void
a_stale_if_match_changes_nothing(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada,
		.tenant = world_tenant_new(ada),
		.has_if_version = true,
		.if_version = 1 };
	tenants_tenant *seen;

	(void)state;
	assert_int_equal(rename_to(&who, NULL, "In time", NULL), TRL_OK);
	assert_int_equal(rename_to(&who, NULL, "Too late", NULL), TRL_PRECONDITION);
	assert_int_equal(delete_it(&who, NULL), TRL_PRECONDITION);
	assert_int_equal(get(ada, who.tenant, &seen), TRL_OK);
	assert_string_equal(seen->display_name, "In time");
	assert_int_equal(seen->status, TENANTS__V1__TENANT__STATUS__active);
}

static void
updates_at_once_all_count(void **state)
{
	enum { N = 20 }; /* more than anybody tries again */
	const struct world_person *ada = world_person_new("ada", true);
	struct trl_id tenant = world_tenant_new(ada);
	Tenants__V1__UpdateTenantRequest ask[N];
	struct world_run run[N], *runs[N];
	tenants_tenant *seen;
	int ok = 0;

	(void)state;
	for (int i = 0; i < N; i++) {
		tenants__v1__update_tenant_request__init(&ask[i]);
		ask[i].tenant_id = (ProtobufCBinaryData){ 16, tenant.bytes };
		ask[i].has_tenant_id = true;
		ask[i].display_name = trl_arena_printf(world.arena, "Name %d", i);
		run[i] = (struct world_run){ .who = { .person = ada, .tenant = tenant },
			.method = &tenants_v1_update_tenant,
			.in = &ask[i].base };
		runs[i] = &run[i];
		world_start(&run[i]);
	}
	world_wait(runs, N);
	for (int i = 0; i < N; i++)
		ok += run[i].rc == TRL_OK;
	assert_int_equal(ok, N);
	assert_int_equal(get(ada, tenant, &seen), TRL_OK);
	assert_int_equal(seen->version, 1 + N);
}

static void
a_deleted_tenant_is_gone_but_for_owners_and_comes_back(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	const struct world_person *bob = world_person_new("bob", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };
	struct world_caller key = { .person = ada,
		.tenant = who.tenant,
		.key = true,
		.may = (const char *const[]){ "tenants.tenant.read", NULL } };
	Tenants__V1__GetTenantRequest ask = TENANTS__V1__GET_TENANT_REQUEST__INIT;
	tenants_tenant *seen;

	(void)state;
	trl_set(&ask, tenant_id, world_bytes(&who.tenant));
	world_join(who.tenant, bob, "admin");
	assert_int_equal(
	    world_call(&key, &tenants_v1_get_tenant, &ask.base, NULL), TRL_OK);
	assert_int_equal(delete_it(&who, &seen), TRL_OK);
	assert_int_equal(seen->status, TENANTS__V1__TENANT__STATUS__deleting);
	assert_in_range(trl_value_time_us(seen->delete_at) -
			    trl_value_time_us(seen->updated_at) + 1000000,
	    30LL * 86400 * 1000000, 30LL * 86400 * 1000000 + 2000000);

	assert_int_equal(get(bob, who.tenant, NULL), TRL_NOT_FOUND);
	assert_int_equal(
	    world_call(&key, &tenants_v1_get_tenant, &ask.base, NULL), TRL_NOT_FOUND);
	assert_int_equal(mine(bob, 0, NULL)->n_items, 0);
	assert_int_equal(get(ada, who.tenant, &seen), TRL_OK);
	assert_int_equal(mine(ada, 0, NULL)->items[0]->status,
	    TENANTS__V1__TENANT__STATUS__deleting);
	assert_int_equal(rename_to(&who, NULL, "No", NULL), TRL_DENIED);
	assert_int_equal(delete_it(&who, NULL), TRL_CONFLICT);

	assert_int_equal(restore(&who, &seen), TRL_OK);
	assert_int_equal(seen->status, TENANTS__V1__TENANT__STATUS__active);
	assert_null(seen->delete_at);
	assert_int_equal(get(bob, who.tenant, NULL), TRL_OK);
	assert_int_equal(restore(&who, NULL), TRL_CONFLICT);
}

static void
past_its_grace_a_tenant_is_gone_for_all(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };

	(void)state;
	assert_int_equal(delete_it(&who, NULL), TRL_OK);
	world.now_us = trl_wall_us() + 31LL * 86400 * 1000000;
	assert_int_equal(get(ada, who.tenant, NULL), TRL_NOT_FOUND);
	assert_int_equal(restore(&who, NULL), TRL_NOT_FOUND);
	assert_int_equal(mine(ada, 0, NULL)->n_items, 0);
}

static void
only_owners_delete_and_only_admins_change(void **state)
{
	static const struct {
		const char *role;
		enum trl_code change, removal;
	} wants[] = {
		{ "viewer", TRL_DENIED, TRL_DENIED },
		{ "member", TRL_DENIED, TRL_DENIED },
		{ "admin", TRL_OK, TRL_DENIED },
		{ "owner", TRL_OK, TRL_OK },
	};
	const struct world_person *ada = world_person_new("ada", true);
	struct trl_id tenant = world_tenant_new(ada);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wants); i++) {
		struct world_caller who = { .person = world_person_new("some", true),
			.tenant = tenant };

		world_join(tenant, who.person, wants[i].role);
		assert_int_equal(get(who.person, tenant, NULL), TRL_OK);
		assert_int_equal(
		    rename_to(&who, NULL, "Renamed", NULL), wants[i].change);
		assert_int_equal(delete_it(&who, NULL), wants[i].removal);
	}
}

static void
my_tenants_come_in_pages_and_are_mine_alone(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	const struct world_person *eve = world_person_new("eve", true);
	Tenants__V1__ListMyTenantsRequest ask =
	    TENANTS__V1__LIST_MY_TENANTS_REQUEST__INIT;
	Tenants__V1__ListMyTenantsReply *page;
	struct world_caller who = { .person = eve };
	struct trl_id made[5];
	char *token = NULL;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(made); i++)
		made[i] = world_tenant_new(ada);
	(void)world_tenant_new(eve);
	do {
		page = mine(ada, 2, token);
		assert_true(page->n_items <= 2);
		for (size_t i = 0; i < page->n_items; i++, n++) {
			assert_true(
			    trl_id_eq(trl_value_id(page->items[i]->id), made[n]));
			assert_int_equal(
			    page->items[i]->role, TENANTS__V1__MEMBER__ROLE__owner);
		}
		token = page->next_page_token;
		if (n == 2) { /* Another's token is refused. */
			ask.page_token = token;
			assert_int_equal(world_call(&who, &tenants_v1_list_my_tenants,
					     &ask.base, NULL),
			    TRL_INVALID);
		}
	} while (token);
	assert_int_equal(n, TRL_COUNT(made));
}

/* ---- the end */

static bool
sql_is_true(void *sql)
{
	return strcmp(world_sql("%s", (const char *)sql), "t") == 0;
}

static void
await(const char *sql)
{
	if (!trl_loop_run_until(world.loop, sql_is_true, (void *)(uintptr_t)sql, 10000))
		fail_msg("never: %s; jobs: %s", sql,
		    world_sql("select coalesce(string_agg(concat_ws(' ', kind, state, "
			      "attempt, run_at - now(), error), '; '), '') from job"));
}

static const char *
jobs_of(struct trl_id tenant)
{
	return world_sql("select coalesce(string_agg(state, ' ' order by made_at), '') "
			 "from job where tenant_id = '%s' and kind = 'end_tenant'",
	    world_id_text(tenant));
}

/* How often its erasing was told, and is in its audit chain. */
static const char *
told_of(struct trl_id tenant)
{
	return world_sql("select count(*) || ' ' || (select count(*) from audit where "
			 "tenant_id = '%s' and action = 'tenants.tenant.erase') from "
			 "outbox where tenant_id = '%s' and subject_id = tenant_id and "
			 "type = 'tenants.tenant.erased'",
	    world_id_text(tenant), world_id_text(tenant));
}

static void
an_hour_past_its_grace_it_is_told_to_be_erased_unless_it_was_restored(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };
	const struct trl_id other = world_tenant_new(ada);
	const char *id = world_id_text(who.tenant);

	(void)state;
	assert_int_equal(delete_it(&who, NULL), TRL_OK);
	assert_string_equal("scheduled", jobs_of(who.tenant));
	assert_string_equal("01:00:00",
	    world_sql("select date_trunc('second', j.run_at - t.delete_at) from job j "
		      "join tenant t using (tenant_id) where tenant_id = '%s'",
		id));
	assert_int_equal(restore(&who, NULL), TRL_OK);
	assert_string_equal("cancelled", jobs_of(who.tenant));
	assert_int_equal(delete_it(&who, NULL), TRL_OK);
	assert_string_equal("cancelled scheduled", jobs_of(who.tenant));
	/* A job whose time comes too early waits on. */
	world_sql("update job set run_at = now() where tenant_id = '%s' "
		  "and state = 'scheduled'",
	    id);
	await(trl_arena_printf(world.arena,
	    "select bool_or(state = 'scheduled' and run_at > now() + interval '30 "
	    "days') "
	    "from job where tenant_id = '%s'",
	    id));
	assert_string_equal("0 0", told_of(who.tenant));
	world_sql("update tenant set delete_at = now() - interval '1 second' where "
		  "tenant_id = '%s'; update job set run_at = now() where state = "
		  "'scheduled' and tenant_id = '%s'",
	    id, id);
	await(trl_arena_printf(world.arena,
	    "select not exists (select from job where tenant_id = '%s' and state <> "
	    "'cancelled')",
	    id));
	assert_string_equal("1 1", told_of(who.tenant));
	assert_string_equal("0 0", told_of(other));
}

static void
maintain_ends_what_is_past_its_grace_and_has_no_job(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada };
	struct trl_id over, resting, live;
	tenants_tenant *made;

	(void)state;
	assert_int_equal(create(ada, "over", NULL, &made), TRL_OK);
	over = who.tenant = trl_value_id(made->id);
	assert_int_equal(delete_it(&who, NULL), TRL_OK);
	assert_int_equal(create(ada, "resting", NULL, &made), TRL_OK);
	resting = who.tenant = trl_value_id(made->id);
	assert_int_equal(delete_it(&who, NULL), TRL_OK);
	assert_int_equal(create(ada, "live", NULL, &made), TRL_OK);
	live = trl_value_id(made->id);
	/* As a release before left them. */
	world_sql("delete from job; update tenant set delete_at = now() - interval '2 "
		  "hours' where tenant_id = '%s'",
	    world_id_text(over));
	assert_int_equal(tenants_maintain(world.db.admin, world.config), TRL_OK);
	assert_string_equal("ready", jobs_of(over));
	assert_int_equal(tenants_maintain(world.db.admin, world.config), TRL_OK);
	await("select not exists (select from job where kind = 'end_tenant')");
	assert_string_equal("1 1", told_of(over));
	assert_string_equal("0 0", told_of(resting));
	assert_string_equal("0 0", told_of(live));
}

/* What maintain deleted before a tenant could be erased is known by its audit chain. */
static void
what_a_release_before_deleted_here_alone_is_erased_everywhere(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };
	const char *id = world_id_text(who.tenant);

	(void)state;
	assert_int_equal(delete_it(&who, NULL), TRL_OK);
	world_sql(
	    "delete from job where tenant_id = '%s'; delete from tenant where "
	    "tenant_id = '%s'; delete from tenant_directory where tenant_id = '%s'",
	    id, id, id);
	world_sql("%s", tenants_sql.migrations[6].text);
	await(trl_arena_printf(world.arena,
	    "select not exists (select from job where tenant_id = '%s')", id));
	assert_string_equal("1 1", told_of(who.tenant));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    what_a_release_before_deleted_here_alone_is_erased_everywhere,
		    world_forget),
		cmocka_unit_test_teardown(
		    a_tenant_is_made_and_its_maker_owns_it, world_forget),
		cmocka_unit_test_teardown(
		    refuses_a_taken_slug_and_writes_nothing, world_forget),
		cmocka_unit_test_teardown(
		    the_same_key_gives_the_same_answer_once, world_forget),
		cmocka_unit_test_teardown(
		    an_unverified_account_makes_one_tenant, world_forget),
		cmocka_unit_test_teardown(
		    a_stranger_gets_what_a_missing_tenant_gives, world_forget),
		cmocka_unit_test_teardown(
		    an_update_keeps_what_is_absent_and_counts, world_forget),
		cmocka_unit_test_teardown(
		    a_stale_if_match_changes_nothing, world_forget),
		cmocka_unit_test_teardown(updates_at_once_all_count, world_forget),
		cmocka_unit_test_teardown(
		    a_deleted_tenant_is_gone_but_for_owners_and_comes_back,
		    world_forget),
		cmocka_unit_test_teardown(
		    past_its_grace_a_tenant_is_gone_for_all, world_forget),
		cmocka_unit_test_teardown(
		    an_hour_past_its_grace_it_is_told_to_be_erased_unless_it_was_restored,
		    world_forget),
		cmocka_unit_test_teardown(
		    maintain_ends_what_is_past_its_grace_and_has_no_job, world_forget),
		cmocka_unit_test_teardown(
		    only_owners_delete_and_only_admins_change, world_forget),
		cmocka_unit_test_teardown(
		    my_tenants_come_in_pages_and_are_mine_alone, world_forget),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
