/* Every TENANT method of the tenants service, from the catalogue: tenant B's people,
 * keys and forged ids against tenant A. What is not there and what is not yours is
 * one answer; nothing of A is changed, and no reply holds anything of A.
 *
 * Behind the checks of edge and dispatch, too: with every permission in hand, a
 * handler under B's context, or under none, still does not reach A.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <test_ground.h>

#include "request.h"

static const char mark[] = "alpha-secret"; /* in every text of A's */

static const struct world_person *ada, *eve;
static struct trl_id a, invitation;

static int
open_world(void **state)
{
	if (ground_open(state) != 0)
		return -1;
	ada = world_person_new(mark, true);
	eve = world_person_new("eve", true);
	a = world_tenant_new(ada);
	invitation = trl_id_new();
	world_sql("update tenant set display_name = '%s'", mark);
	world_sql(
	    "insert into invitation values ('%s', '%s', '%s@example.test', 'viewer', "
	    "'pending', null, sha256('x'), now() + '1 day', 1, now(), now())",
	    world_id_text(a), world_id_text(invitation), mark);
	return 0;
}

/* All of A's rows, whatever tables there are. */
static const char *
fingerprint(void)
{
	return world_sql(
	    "select md5(string_agg(query_to_xml(format('select t::text from "
	    "tenants.%%I t where tenant_id = %%L order by 1', relname, '%s'), "
	    "true, false, '')::text, '' order by relname)) from pg_class c "
	    "where relnamespace = 'tenants'::regnamespace and relkind = 'r' and "
	    "exists (select 1 from pg_attribute where attrelid = c.oid and "
	    "attname = 'tenant_id')",
	    world_id_text(a));
}

static bool
holds(const uint8_t *data, size_t len, const void *what, size_t what_len)
{
	return memmem(data, len, what, what_len) != NULL;
}

/* A reply may repeat ids that the request named; ask is the request's bytes. */
static void
assert_nothing_of_a(const struct trl_method *method, const ProtobufCMessage *out)
{
	size_t len = protobuf_c_message_get_packed_size(out);
	uint8_t *data = trl_arena_alloc(world.arena, len);

	protobuf_c_message_pack(out, data);
	if (holds(data, len, mark, strlen(mark)) ||
	    holds(data, len, ada->account.bytes, 16) ||
	    holds(data, len, invitation.bytes, 16))
		fail_msg("%s tells something of A", method->name);
}

static enum trl_code
attack(const struct trl_method *method, const struct world_caller *who,
    struct trl_id tenant, bool random_objects)
{
	struct request_id ids[] = {
		{ "tenant_id", tenant },
		{ random_objects ? "" : "account_id", ada->account },
		{ random_objects ? "" : "invitation_id", invitation },
		{ NULL, trl_id_nil },
	};
	ProtobufCMessage *out = NULL;
	enum trl_code rc;

	rc = world_call(who, method, request_new(world.arena, method, ids), &out);
	if (rc == TRL_OK)
		assert_nothing_of_a(method, out);
	return rc;
}

static void
for_each_method(void (*fn)(const struct trl_method *method))
{
	size_t n = 0;

	for (size_t i = 0; i < trl_methods_count; i++) {
		const struct trl_method *method = trl_methods[i];
		const char *before, *after;

		if (method->auth != TRL_AUTH_TENANT ||
		    strcmp(method->service, "tenants") != 0)
			continue;
		before = fingerprint();
		fn(method);
		after = fingerprint();
		if (strcmp(before, after) != 0)
			fail_msg("%s changed something of A", method->name);
		n++;
		world_forget(NULL);
	}
	assert_true(n >= 13);
}

/* Two refusals must not be told apart. */
static void
assert_refused_alike(const struct trl_method *method, const struct world_caller *theirs,
    struct trl_id tenant, const struct world_caller *nobodys, struct trl_id nowhere,
    bool random_objects)
{
	struct trl_err err;
	enum trl_code rc = attack(method, theirs, tenant, false);

	err = world.err;
	if (rc != TRL_NOT_FOUND)
		fail_msg("%s answers %s", method->name, trl_code_name(rc));
	rc = attack(method, nobodys, nowhere, random_objects);
	assert_int_equal(rc, TRL_NOT_FOUND);
	assert_string_equal(err.message, world.err.message);
	assert_string_equal(err.field, world.err.field);
}

static void
person_of_b_on_a(const struct trl_method *method)
{
	struct trl_id nowhere = trl_id_random();
	struct world_caller there = { .person = eve, .tenant = a };
	struct world_caller missing = { .person = eve, .tenant = nowhere };

	assert_refused_alike(method, &there, a, &missing, nowhere, true);
}

static void
forged_objects_under_b(const struct trl_method *method)
{
	struct trl_id b = world_tenant_new(eve);
	struct world_caller who = { .person = eve, .tenant = b };

	if (request_has_object(method))
		assert_refused_alike(method, &who, b, &who, b, true);
	else
		(void)attack(method, &who, b, false);
}

static void
key_of_b(const struct trl_method *method)
{
	const char *const permissions[] = { method->permission_name,
		"tenants.member.update", NULL };
	struct trl_id b = world_tenant_new(eve);
	struct world_caller own = {
		.person = eve, .key = true, .tenant = b, .may = permissions
	};

	if (request_has_object(method))
		assert_refused_alike(method, &own, b, &own, b, true);
	/* The key's tenant is B; the request names A: dispatch refuses that, and
	 * behind it the handler works in B, if at all. */
	(void)attack(method, &own, a, false);
}

static void
request_of_a_under_b(const struct trl_method *method)
{
	struct world_caller who = {
		.person = eve, .tenant = world_tenant_new(eve), .behind = true
	};

	(void)attack(method, &who, a, false);
}

static void
request_of_a_under_none(const struct trl_method *method)
{
	struct world_caller who = { .person = eve, .behind = true };
	enum trl_code rc = attack(method, &who, a, false);

	if (method->effect == TRL_WRITE)
		assert_int_not_equal(rc, TRL_OK);
}

/* Reliability, case 50. */
static void
a_person_of_b_learns_and_changes_nothing(void **state)
{
	(void)state;
	for_each_method(person_of_b_on_a);
}

/* Reliability, case 50. */
static void
forged_ids_are_what_random_ids_are(void **state)
{
	(void)state;
	for_each_method(forged_objects_under_b);
}

static void
a_key_of_b_stays_in_b(void **state)
{
	(void)state;
	for_each_method(key_of_b);
}

/* Reliability, case 51. */
static void
a_request_that_names_a_under_bs_context_reaches_nothing(void **state)
{
	(void)state;
	for_each_method(request_of_a_under_b);
}

/* Reliability, case 29. */
static void
without_a_tenant_there_are_no_rows(void **state)
{
	(void)state;
	for_each_method(request_of_a_under_none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_person_of_b_learns_and_changes_nothing, world_forget),
		cmocka_unit_test_teardown(
		    forged_ids_are_what_random_ids_are, world_forget),
		cmocka_unit_test_teardown(a_key_of_b_stays_in_b, world_forget),
		cmocka_unit_test_teardown(
		    a_request_that_names_a_under_bs_context_reaches_nothing,
		    world_forget),
		cmocka_unit_test_teardown(
		    without_a_tenant_there_are_no_rows, world_forget),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
