/* Grants for the edge, and roles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static enum trl_code
grant(const struct trl_id *account, const struct trl_id *key,
    const struct trl_id *tenant, Tenants__V1__Grant **out)
{
	Tenants__V1__GetGrantRequest ask = TENANTS__V1__GET_GRANT_REQUEST__INIT;
	struct world_caller edge = { 0 };

	if (account) {
		trl_set(&ask, account_id,
		    (ProtobufCBinaryData){ 16, (uint8_t *)account->bytes });
	}
	if (key) {
		trl_set(
		    &ask, key_id, (ProtobufCBinaryData){ 16, (uint8_t *)key->bytes });
	}
	if (tenant) {
		trl_set(&ask, tenant_id,
		    (ProtobufCBinaryData){ 16, (uint8_t *)tenant->bytes });
	}
	return world_call(&edge, &tenants_v1_get_grant, &ask.base, out);
}

static bool
grants(const Tenants__V1__Grant *given, const char *permission)
{
	const struct trl_permission *entry = trl_permission_by_name(permission);

	assert_non_null(entry);
	for (size_t i = 0; i < given->n_permissions; i++)
		if (given->permissions[i] == entry->id)
			return true;
	return false;
}

static void
a_grant_tells_role_permissions_and_status(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	const struct world_person *bob = world_person_new("bob", true);
	struct trl_id tenant = world_tenant_new(ada);
	Tenants__V1__Grant *given;

	(void)state;
	world_join(tenant, bob, "viewer");
	assert_int_equal(grant(&ada->account, NULL, &tenant, &given), TRL_OK);
	assert_int_equal(given->role, TENANTS__V1__MEMBER__ROLE__owner);
	assert_int_equal(given->status, TENANTS__V1__TENANT__STATUS__active);
	assert_int_equal(given->n_permissions, trl_permissions_count);
	for (size_t i = 1; i < given->n_permissions; i++)
		assert_true(given->permissions[i - 1] < given->permissions[i]);
	assert_int_equal(grant(&bob->account, NULL, &tenant, &given), TRL_OK);
	assert_true(grants(given, "tenants.tenant.read"));
	assert_true(grants(given, "tenants.member.leave"));
	assert_false(grants(given, "tenants.member.update"));
	assert_false(grants(given, "tenants.tenant.delete"));
}

static void
of_a_deleting_tenant_owners_restore_it_and_read_its_invoices(void **state)
{
	static const char *const held[] = { "tenants.tenant.read",
		"tenants.tenant.restore", "billing.invoice.list",
		"billing.invoice.read", "billing.creditnote.read" };
	const struct world_person *ada = world_person_new("ada", true);
	struct trl_id tenant = world_tenant_new(ada);
	Tenants__V1__Grant *given;

	(void)state;
	world_sql("update tenant set status = 'deleting', delete_at = now() + interval "
		  "'1 day' where tenant_id = '%s'",
	    world_id_text(tenant));
	assert_int_equal(grant(&ada->account, NULL, &tenant, &given), TRL_OK);
	for (size_t i = 0; i < TRL_COUNT(held); i++)
		assert_true(grants(given, held[i]));
	assert_false(grants(given, "billing.invoice.pay"));
	assert_false(grants(given, "billing.subscription.change"));
	assert_false(grants(given, "tenants.member.list"));
}

static void
without_a_tenant_the_only_membership_counts(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct trl_id first;
	Tenants__V1__Grant *given;

	(void)state;
	assert_int_equal(grant(&ada->account, NULL, NULL, NULL), TRL_NOT_FOUND);
	first = world_tenant_new(ada);
	assert_int_equal(grant(&ada->account, NULL, NULL, &given), TRL_OK);
	assert_true(trl_id_eq(trl_value_id(given->tenant_id), first));
	assert_true(grants(given, "tenants.tenant.delete"));
	(void)world_tenant_new(ada);
	assert_int_equal(grant(&ada->account, NULL, NULL, NULL), TRL_CONFLICT);
}

static void
a_stranger_a_wrong_tenant_and_nonsense_get_none(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	const struct world_person *eve = world_person_new("eve", true);
	struct trl_id tenant = world_tenant_new(ada), other = trl_id_random();

	(void)state;
	assert_int_equal(grant(&eve->account, NULL, &tenant, NULL), TRL_NOT_FOUND);
	assert_int_equal(grant(&ada->account, NULL, &other, NULL), TRL_NOT_FOUND);
	assert_int_equal(grant(NULL, &other, &other, NULL), TRL_NOT_FOUND);
	assert_int_equal(grant(NULL, NULL, &tenant, NULL), TRL_INVALID);
	assert_int_equal(grant(NULL, &other, NULL, NULL), TRL_INVALID);
	assert_int_equal(grant(&ada->account, &other, &tenant, NULL), TRL_INVALID);
}

static void
a_keys_grant_is_its_tenants_status(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	struct trl_id tenant = world_tenant_new(ada), key = trl_id_random();
	Tenants__V1__Grant *given;

	(void)state;
	assert_int_equal(grant(NULL, &key, &tenant, &given), TRL_OK);
	assert_int_equal(given->status, TENANTS__V1__TENANT__STATUS__active);
	assert_false(given->has_role);
	assert_int_equal(given->n_permissions, 0);
}

static void
roles_hold_what_those_before_them_hold(void **state)
{
	const struct world_person *ada = world_person_new("ada", true);
	Tenants__V1__ListRolesRequest ask = TENANTS__V1__LIST_ROLES_REQUEST__INIT;
	Tenants__V1__ListRolesReply *roles;
	struct world_caller who = { .person = ada, .tenant = world_tenant_new(ada) };

	(void)state;
	trl_set(&ask, tenant_id, world_bytes(&who.tenant));
	assert_int_equal(
	    world_call(&who, &tenants_v1_list_roles, &ask.base, &roles), TRL_OK);
	assert_int_equal(roles->n_items, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(roles->items[i]->name, i + 1);
		for (size_t j = 1; j < roles->items[i]->n_permissions; j++)
			assert_true(strcmp(roles->items[i]->permissions[j - 1],
					roles->items[i]->permissions[j]) < 0);
		if (i > 0)
			assert_true(roles->items[i - 1]->n_permissions <=
				    roles->items[i]->n_permissions);
	}
	assert_int_equal(roles->items[3]->n_permissions, trl_permissions_count);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_grant_tells_role_permissions_and_status, world_forget),
		cmocka_unit_test_teardown(
		    of_a_deleting_tenant_owners_restore_it_and_read_its_invoices,
		    world_forget),
		cmocka_unit_test_teardown(
		    without_a_tenant_the_only_membership_counts, world_forget),
		cmocka_unit_test_teardown(
		    a_stranger_a_wrong_tenant_and_nonsense_get_none, world_forget),
		cmocka_unit_test_teardown(
		    a_keys_grant_is_its_tenants_status, world_forget),
		cmocka_unit_test_teardown(
		    roles_hold_what_those_before_them_hold, world_forget),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
