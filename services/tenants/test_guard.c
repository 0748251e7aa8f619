/* Rights that end between the grant and the commit: whichever method it is, nothing is
 * changed by somebody who no longer may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/wire.h>

#include "test_ground.h"

/* A tenant with its owners, the second of whom is the caller, a member, and somebody
 * invited. */
static struct trl_id invited;
static const struct world_person *caller, *bob, *eve;

static int
before_each(void **state)
{
	ground_found(state);
	caller = world_person_new("caller", true);
	bob = world_person_new("bob", true);
	eve = world_person_new("eve", true);
	world_join(home, caller, "owner");
	world_join(home, bob, "member");
	invited = trl_id_new();
	world_sql("insert into invitation (tenant_id, id, email, role, status, "
		  "token_hash, expires_at, version, created_at, updated_at) values "
		  "('%s', '%s', 'z@example.test', 'viewer', 'pending', sha256('x'), "
		  "now() + interval '1 day', 1, now(), now())",
	    world_id_text(home), world_id_text(invited));
	return 0;
}

/* The request of a method, with every field that one of them has. */
static ProtobufCMessage *
ask(const struct trl_method *method)
{
	ProtobufCMessage *in = trl_message_new(world.arena, method->in->descriptor);
	const struct {
		const char *field;
		ProtobufCBinaryData id;
		const char *text;
	} values[] = {
		{ .field = "tenant_id", .id = world_bytes(&home) },
		{ .field = "account_id", .id = world_bytes(&bob->account) },
		{ .field = "invitation_id", .id = world_bytes(&invited) },
		{ .field = "email", .text = eve->email },
		{ .field = "display_name", .text = "Taken over" },
	};
	const ProtobufCFieldDescriptor *field;

	for (size_t i = 0; i < TRL_COUNT(values); i++) {
		field = protobuf_c_message_descriptor_get_field_by_name(
		    in->descriptor, values[i].field);
		if (!field)
			continue;
		if (values[i].text) {
			*(const char **)((uint8_t *)in + field->offset) =
			    values[i].text;
			continue;
		}
		*(ProtobufCBinaryData *)(void *)((uint8_t *)in + field->offset) =
		    values[i].id;
		*(protobuf_c_boolean *)((uint8_t *)in + field->quantifier_offset) = 1;
	}
	field = protobuf_c_message_descriptor_get_field_by_name(in->descriptor, "role");
	if (field) {
		*(int *)(void *)((uint8_t *)in + field->offset) = ROLE(viewer);
		*(protobuf_c_boolean *)((uint8_t *)in + field->quantifier_offset) = 1;
	}
	return in;
}

static unsigned
entries(void)
{
	return (unsigned)strtoul(
	    world_sql("select count(*) from audit where tenant_id = '%s'",
		world_id_text(home)),
	    NULL, 10);
}

/* Every method that changes something in a tenant, while sql is done by others. */
static void
all_are_refused(const char *sql, enum trl_code code)
{
	struct world_caller who = { .person = caller, .tenant = home };
	const struct trl_contract *all = &tenants_v1_server;
	unsigned n = 0;

	for (size_t i = 0; i < all->n_methods; i++) {
		const struct trl_method *method = all->methods[i];
		unsigned before;

		if (method->effect != TRL_WRITE || method->auth != TRL_AUTH_TENANT)
			continue;
		if (method == &tenants_v1_restore_tenant)
			world_sql("update tenant set status = 'deleting', delete_at = "
				  "now() + interval '1 day' where tenant_id = '%s'",
			    world_id_text(home));
		world_sql("insert into membership values ('%s', '%s', 'owner', 1, "
			  "now(), now()) on conflict (tenant_id, account_id) do update "
			  "set role = 'owner'",
		    world_id_text(home), world_id_text(caller->account));
		before = entries();
		who.meanwhile = trl_arena_printf(world.arena,
		    "%s where account_id = '%s'", sql, world_id_text(caller->account));
		if (world_call(&who, method, ask(method), NULL) != code)
			fail_msg("%s: %s", method->name, world.err.message);
		assert_int_equal(entries(), before);
		world_sql("update tenant set status = 'active', delete_at = null");
		n++;
	}
	assert_true(n >= 9);
}

static void
whoever_is_removed_meanwhile_changes_nothing(void **state)
{
	(void)state;
	all_are_refused("delete from membership", TRL_DENIED);
}

static void
whoever_is_demoted_meanwhile_changes_nothing(void **state)
{
	(void)state;
	all_are_refused("update membership set role = 'viewer'", TRL_DENIED);
}

static void
a_tenant_that_is_deleted_meanwhile_is_not_changed(void **state)
{
	static const struct trl_method *const methods[] = { &tenants_v1_add_member,
		&tenants_v1_update_tenant, &tenants_v1_create_invitation };
	struct world_caller who = { .person = caller, .tenant = home };

	(void)state;
	who.meanwhile = trl_arena_printf(world.arena,
	    "update tenant set status = 'deleting', delete_at = now() + interval '1 "
	    "day' where tenant_id = '%s'",
	    world_id_text(home));
	for (size_t i = 0; i < TRL_COUNT(methods); i++) {
		assert_int_equal(
		    world_call(&who, methods[i], ask(methods[i]), NULL), TRL_NOT_FOUND);
		world_sql("update tenant set status = 'active', delete_at = null");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, before_each, world_forget)
		TEST(whoever_is_removed_meanwhile_changes_nothing),
		TEST(whoever_is_demoted_meanwhile_changes_nothing),
		TEST(a_tenant_that_is_deleted_meanwhile_is_not_changed),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
