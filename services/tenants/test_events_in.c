/* What is heard of other services' audit chains, and the list that it becomes part of.
 * What is shown or told again, in whatever mixture, is kept once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <audit_v1.trl.h>

#include "test_ground.h"

static trl_pg *sys;

static int
open_all(void **state)
{
	if (ground_open(state) != 0)
		return -1;
	sys = test_db_open(&world.db, world.loop, &tenants_sql, "sys", NULL);
	return 0;
}

static int
close_all(void **state)
{
	trl_pg_close(&sys);
	return world_close(state);
}

/* Entries of a chain of a tenant, from one number up to another, as of a moment each.
 */
struct told {
	const char *service;
	bool later; /* of a type of a later release */
	struct trl_id tenant;
	int64_t from, to;
	enum trl_code rc;
	bool done;
};

/* An entry's id as its service makes it, some seconds before the tenant's own entries:
 * later ones are greater. An id of version 7 begins with its milliseconds. */
static struct trl_id
id_of(const struct told *told, int64_t number)
{
	struct trl_id id = told->tenant;
	uint64_t ms = 0;

	for (size_t i = 0; i < 6; i++)
		ms = ms << 8 | id.bytes[i];
	ms -= 5000;
	for (size_t i = 6; i-- > 0; ms >>= 8)
		id.bytes[i] = (uint8_t)ms;
	id.bytes[8] = (uint8_t)(0x80 | number);
	id.bytes[9] = (uint8_t)told->service[0];
	return id;
}

static Audit__V1__Entry *
entry_new(trl_ctx *ctx, const struct told *told, int64_t number)
{
	Audit__V1__Entry *entry = audit_v1_entry_new(ctx);

	entry->has_tenant_id = entry->has_id = entry->has_number = entry->has_hash =
	    true;
	entry->tenant_id = trl_value_bytes(ctx, told->tenant);
	entry->id = trl_value_bytes(ctx, id_of(told, number));
	entry->created_at = trl_value_time(ctx, 1700000000000000 + number);
	entry->action = trl_arena_printf(ctx->arena, "%s.thing.do", told->service);
	entry->number = number;
	entry->hash.len = 32;
	entry->hash.data = trl_arena_zalloc(ctx->arena, 32);
	entry->hash.data[0] = (uint8_t)number;
	if (number % 2 == 0)
		return entry;
	entry->has_actor_kind = entry->has_actor_id = entry->has_subject_id = true;
	entry->actor_kind = AUDIT__V1__ENTRY__ACTOR__key;
	entry->actor_id = entry->subject_id = entry->id;
	entry->subject_kind = (char *)(uintptr_t) "thing";
	entry->detail = (char *)(uintptr_t) "{\"n\":1}";
	entry->address = (char *)(uintptr_t) "192.0.2.7";
	return entry;
}

static void
tell_in_actor(trl_ctx *ctx, void *arg)
{
	struct told *told = arg;
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;

	ctx->tenant = told->tenant;
	told->rc = trl_tx_open(ctx, sys, TRL_SCOPE_TENANT(told->tenant), &tx);
	for (int64_t n = told->from; told->rc == TRL_OK && n <= told->to; n++) {
		struct trl_event event = { .type_name = trl_arena_printf(ctx->arena,
					       "%s.audit.written", told->service),
			.tenant = told->tenant,
			.subject = told->tenant };

		if (!told->later) {
			event.type = trl_event_type_by_name(event.type_name);
			event.payload = &entry_new(ctx, told, n)->base;
		}
		told->rc = tenants_hears_audit.apply(world.self, ctx, tx, &event, 1);
	}
	if (told->rc == TRL_OK)
		told->rc = trl_tx_commit(&tx, NULL);
	told->done = true;
}

static bool
is_done(void *arg)
{
	return ((struct told *)arg)->done;
}

static void
tell(struct told told)
{
	struct trl_spawn spec = {
		.name = "test", .run = tell_in_actor, .arg = &told, .timeout_ms = 5000
	};

	assert_int_equal(trl_spawn(world.loop, &spec), TRL_OK);
	world_until(is_done, &told);
	assert_int_equal(told.rc, TRL_OK);
}

static void
tell_auth(struct trl_id tenant, int64_t from, int64_t to)
{
	tell((struct told){ "auth", false, tenant, from, to });
}

static void
tell_notify(struct trl_id tenant, int64_t from, int64_t to)
{
	tell((struct told){ "notify", false, tenant, from, to });
}

/* The whole list in pages of two: chain and number of each entry, the newest first. */
static const char *
list_of(const struct world_caller *who)
{
	Tenants__V1__ListAuditRequest ask = TENANTS__V1__LIST_AUDIT_REQUEST__INIT;
	Tenants__V1__AuditEntry *before = NULL;
	Tenants__V1__ListAuditReply *page;
	const char *text = "";

	ask.tenant_id = (ProtobufCBinaryData){ 16, (uint8_t *)who->tenant.bytes };
	ask.page_size = 2;
	ask.has_tenant_id = ask.has_page_size = true;
	do {
		assert_int_equal(
		    world_call(who, &tenants_v1_list_audit, &ask.base, &page), TRL_OK);
		assert_true(page->n_items <= 2);
		for (size_t i = 0; i < page->n_items; before = page->items[i++]) {
			const Tenants__V1__AuditEntry *entry = page->items[i];

			if (before)
				assert_true(
				    memcmp(before->id.data, entry->id.data, 16) > 0);
			text = trl_arena_printf(world.arena, "%s%s%lld ", text,
			    entry->chain, (long long)entry->number);
		}
		ask.page_token = page->next_page_token;
	} while (ask.page_token);
	return text;
}

static void
the_audit_log_is_one_list_of_all_chains_in_pages(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };
	Tenants__V1__UpdateTenantRequest change =
	    TENANTS__V1__UPDATE_TENANT_REQUEST__INIT;

	(void)state;
	tell_auth(who.tenant, 1, 3);
	tell_notify(who.tenant, 1, 2);
	tell((struct told){ "zoo", false, who.tenant, 1, 1 }); /* any service's */
	tell_auth(world_tenant_new(ada), 1, 9);                /* of another */
	trl_set(&change, tenant_id, world_bytes(&who.tenant));
	for (int i = 0; i < 2; i++) {
		change.display_name = trl_arena_printf(world.arena, "Name %d", i);
		assert_int_equal(
		    world_call(&who, &tenants_v1_update_tenant, &change.base, NULL),
		    TRL_OK);
	}
	assert_string_equal(list_of(&who),
	    "tenants3 tenants2 tenants1 auth3 notify2 auth2 zoo1 notify1 auth1 ");
}

static void
what_comes_again_is_kept_once_as_it_came_first(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };

	(void)state;
	tell_notify(who.tenant, 2, 4); /* told, before a page shows what was before */
	tell_notify(who.tenant, 1, 3);
	tell_notify(who.tenant, 1, 5);
	assert_string_equal(
	    list_of(&who), "tenants1 notify5 notify4 notify3 notify2 notify1 ");
}

static void
an_entry_is_shown_as_its_service_wrote_it(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };
	Tenants__V1__ListAuditRequest ask = TENANTS__V1__LIST_AUDIT_REQUEST__INIT;
	Tenants__V1__ListAuditReply *page;
	const Tenants__V1__AuditEntry *full, *bare;

	(void)state;
	tell_notify(who.tenant, 1, 2);
	trl_set(&ask, tenant_id, world_bytes(&who.tenant));
	assert_int_equal(
	    world_call(&who, &tenants_v1_list_audit, &ask.base, &page), TRL_OK);
	assert_int_equal(page->n_items, 3);
	bare = page->items[1];
	full = page->items[2];
	assert_string_equal(full->chain, "notify");
	assert_string_equal(full->action, "notify.thing.do");
	assert_int_equal(full->actor_kind, TENANTS__V1__AUDIT_ENTRY__ACTOR__key);
	assert_memory_equal(full->actor_id.data, full->id.data, 16);
	assert_memory_equal(full->subject_id.data, full->id.data, 16);
	assert_string_equal(full->subject_kind, "thing");
	assert_string_equal(full->detail, "{\"n\":1}");
	assert_string_equal(full->address, "192.0.2.7");
	assert_int_equal(full->hash.len, 32);
	assert_int_equal(full->hash.data[0], 1);
	assert_int_equal(trl_value_time_us(full->created_at), 1700000000000001);
	assert_false(
	    bare->has_actor_kind || bare->has_actor_id || bare->has_subject_id);
	assert_null(bare->detail);
}

static void
a_type_of_a_later_release_is_passed_over(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };

	(void)state;
	tell((struct told){ "auth", true, who.tenant, 1, 1 });
	assert_string_equal(list_of(&who), "tenants1 ");
}

static void
nobody_changes_a_copy(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(
		    world_sql("select has_table_privilege('tenants_%s', "
			      "'tenants.audit_copy', 'update, delete, truncate')",
			i ? "sys" : "app"),
		    "f");
	assert_string_equal(world_sql("select has_table_privilege('tenants_app', "
				      "'tenants.audit_copy', 'insert')"),
	    "f");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    the_audit_log_is_one_list_of_all_chains_in_pages, world_forget),
		cmocka_unit_test_teardown(
		    what_comes_again_is_kept_once_as_it_came_first, world_forget),
		cmocka_unit_test_teardown(
		    an_entry_is_shown_as_its_service_wrote_it, world_forget),
		cmocka_unit_test_teardown(
		    a_type_of_a_later_release_is_passed_over, world_forget),
		cmocka_unit_test_teardown(nobody_changes_a_copy, world_forget),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
