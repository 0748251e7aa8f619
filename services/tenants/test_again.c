/* A change that is asked for again under its key: answered, not repeated, and ending
 * the copies of what was before once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

/* The first run may have been killed between its commit and the epoch. */
static void
a_change_that_is_answered_again_ends_the_copies_again(void **state)
{
	const struct world_person *owner = world_person_new("owner", true);
	const struct world_person *bob = world_person_new("bob", true);
	struct trl_id tenant = world_tenant_new(owner);
	Tenants__V1__RemoveMemberRequest remove =
	    TENANTS__V1__REMOVE_MEMBER_REQUEST__INIT;
	Tenants__V1__UpdateMemberRequest update =
	    TENANTS__V1__UPDATE_MEMBER_REQUEST__INIT;
	Tenants__V1__DeleteTenantRequest delete =
	    TENANTS__V1__DELETE_TENANT_REQUEST__INIT;
	Tenants__V1__RestoreTenantRequest restore =
	    TENANTS__V1__RESTORE_TENANT_REQUEST__INIT;
	const struct {
		const struct trl_method *method;
		const ProtobufCMessage *in;
	} calls[] = {
		{ &tenants_v1_update_member, &update.base },
		{ &tenants_v1_remove_member, &remove.base },
		{ &tenants_v1_delete_tenant, &delete.base },
		{ &tenants_v1_restore_tenant, &restore.base },
	};
	struct world_caller who = { .person = owner, .tenant = tenant };

	(void)state;
	world_join(tenant, bob, "member");
	remove.has_tenant_id = update.has_tenant_id = true;
	delete.has_tenant_id = restore.has_tenant_id = true;
	remove.tenant_id = update.tenant_id = delete.tenant_id = restore.tenant_id =
	    (ProtobufCBinaryData){ 16, tenant.bytes };
	remove.has_account_id = update.has_account_id = true;
	remove.account_id = update.account_id =
	    (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t)bob->account.bytes };
	trl_set(&update, role, TENANTS__V1__MEMBER__ROLE__viewer);
	for (size_t i = 0; i < TRL_COUNT(calls); i++) {
		unsigned bumps = ground.tenant_bumps, notices = ground.notices;

		who.idempotency_key = calls[i].method->name;
		assert_int_equal(
		    world_call(&who, calls[i].method, calls[i].in, NULL), TRL_OK);
		assert_false(world.replayed);
		assert_int_equal(
		    world_call(&who, calls[i].method, calls[i].in, NULL), TRL_OK);
		assert_true(world.replayed);
		assert_int_equal(ground.tenant_bumps, bumps + 2);
		assert_int_equal(ground.notices, notices + 2);
	}
	who.idempotency_key = NULL;
	unsigned bumps = ground.tenant_bumps;
	assert_int_equal(
	    world_call(&who, &tenants_v1_remove_member, &remove.base, NULL),
	    TRL_NOT_FOUND);
	assert_int_equal(ground.tenant_bumps, bumps);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_that_is_answered_again_ends_the_copies_again),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
