/* API keys: made, resolved, listed, revoked. (Over 400 lines: one life of a
 * key after the other.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static const char *const held[] = { "auth.key.create", "auth.key.list",
	"auth.key.revoke", "tenants.tenant.read", NULL };

static struct world_caller
admin_of(struct trl_id tenant)
{
	struct world_caller who;
	auth_signed_in *made;

	assert_int_equal(
	    world_sign_up(world_email("admin"), "correct horse battery", &made),
	    TRL_OK);
	who = world_who(made);
	who.tenant = tenant;
	who.may = held;
	return who;
}

static enum trl_code
create(const struct world_caller *who, const char *permission, int64_t expires_at,
    Auth__V1__CreatedApiKey **out)
{
	Auth__V1__CreateApiKeyRequest in = AUTH__V1__CREATE_API_KEY_REQUEST__INIT;
	Google__Protobuf__Timestamp end = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	char *permissions[] = { (char *)permission, (char *)permission };

	trl_set(&in, tenant_id, world_bytes(&who->tenant));
	in.name = "reporting";
	in.permissions = permissions;
	in.n_permissions = 2;
	end.seconds = expires_at / 1000000;
	if (expires_at)
		in.expires_at = &end;
	return world_call(who, &auth_v1_create_api_key, &in.base, out);
}

static enum trl_code
resolve(const char *key, Auth__V1__ResolvedKey **out)
{
	Auth__V1__ResolveKeyRequest in = AUTH__V1__RESOLVE_KEY_REQUEST__INIT;
	uint8_t hash[TRL_ACCESS_HASH];
	struct trl_id id;

	assert_true(trl_access_key_parse(key, strlen(key), &id));
	trl_access_hash(key, strlen(key), hash);
	in.has_key_id = in.has_key_hash = true;
	in.key_id = (ProtobufCBinaryData){ 16, id.bytes };
	in.key_hash = (ProtobufCBinaryData){ sizeof hash, hash };
	return world_call(NULL, &auth_v1_resolve_key, &in.base, out);
}

static void
makes_a_key_that_says_whose_it_is_and_what_it_may(void **state)
{
	struct world_caller who = admin_of(trl_id_new());
	Auth__V1__CreatedApiKey *made;
	Auth__V1__ResolvedKey *found;

	(void)state;
	assert_int_equal(create(&who, "tenants.tenant.read", 0, &made), TRL_OK);
	assert_int_equal(made->n_permissions, 1);
	assert_int_equal(resolve(made->key, &found), TRL_OK);
	assert_memory_equal(found->tenant_id.data, who.tenant.bytes, 16);
	assert_memory_equal(found->account_id.data, who.account.bytes, 16);
	assert_memory_equal(found->key_id.data, made->id.data, 16);
	assert_int_equal(found->n_permissions, 1);
	assert_int_equal(
	    found->permissions[0], trl_permission_by_name("tenants.tenant.read")->id);
	assert_null(found->expires_at);
	assert_string_equal(
	    world_sql("select last_used_at is not null from api_key where id = '%s'",
		world_id_text(trl_value_id(made->id))),
	    "t");
}

static void
keeps_the_key_nowhere_in_clear(void **state)
{
	struct world_caller who = admin_of(trl_id_new());
	Auth__V1__CreatedApiKey *made;

	(void)state;
	assert_int_equal(create(&who, "tenants.tenant.read", 0, &made), TRL_OK);
	assert_string_equal(
	    world_sql("select (select count(*) from idempotency where "
		      "position('%s'::bytea in reply) > 0) + (select count(*) "
		      "from audit where detail like '%%trl_%%')",
		made->key),
	    "0");
}

/* As the edge has it of a key: its account is its maker's. */
static struct world_caller
program_of(const struct world_caller *maker, const Auth__V1__CreatedApiKey *key)
{
	static const char *const few[] = { "auth.key.create", NULL };
	struct world_caller program = *maker;

	program.key = true;
	program.session = trl_value_id(key->id);
	program.may = few;
	return program;
}

static enum trl_code
revoke(const struct world_caller *who, const Auth__V1__CreatedApiKey *key)
{
	Auth__V1__RevokeApiKeyRequest in = AUTH__V1__REVOKE_API_KEY_REQUEST__INIT;

	in.has_tenant_id = in.has_key_id = true;
	in.tenant_id = (ProtobufCBinaryData){ 16, (uint8_t *)who->tenant.bytes };
	in.key_id = key->id;
	return world_call(who, &auth_v1_revoke_api_key, &in.base, NULL);
}

static void
attributes_what_a_key_made_to_nobody(void **state)
{
	struct world_caller who = admin_of(trl_id_new()), program;
	Auth__V1__CreatedApiKey *maker, *made;
	Auth__V1__ResolvedKey *found;

	(void)state;
	assert_int_equal(create(&who, "auth.key.create", 0, &maker), TRL_OK);
	assert_memory_equal(maker->created_by.data, who.account.bytes, 16);
	program = program_of(&who, maker);
	assert_int_equal(create(&program, "auth.key.create", 0, &made), TRL_OK);
	assert_false(made->has_created_by);
	assert_string_equal(
	    world_sql("select coalesce(created_by::text, 'nobody') from api_key where "
		      "id = '%s'",
		world_id_text(trl_value_id(made->id))),
	    "nobody");
	assert_string_equal(
	    world_sql("select actor_kind || ' ' || actor_id from audit where "
		      "subject_id = '%s'",
		world_id_text(trl_value_id(made->id))),
	    trl_arena_printf(world.arena, "key %s", world_id_text(program.session)));
	assert_int_equal(resolve(made->key, &found), TRL_OK);
	assert_false(found->has_account_id);
}

static void
gives_a_key_that_is_revoked_meanwhile_nothing(void **state)
{
	struct world_caller who = admin_of(trl_id_new()), program;
	Auth__V1__CreatedApiKey *maker;

	(void)state;
	assert_int_equal(create(&who, "auth.key.create", 0, &maker), TRL_OK);
	program = program_of(&who, maker);
	assert_int_equal(create(&program, "auth.key.create", 0, NULL), TRL_OK);
	assert_int_equal(revoke(&who, maker), TRL_OK);
	assert_int_equal(
	    create(&program, "auth.key.create", 0, NULL), TRL_UNAUTHENTICATED);
}

static void
gives_a_key_no_more_than_its_maker_holds(void **state)
{
	struct world_caller who = admin_of(trl_id_new()), program;
	Auth__V1__CreatedApiKey *maker;

	(void)state;
	assert_int_equal(create(&who, "tenants.tenant.delete", 0, NULL), TRL_DENIED);
	assert_int_equal(create(&who, "no.such.thing", 0, NULL), TRL_INVALID);
	assert_int_equal(create(&who, "auth.key.create", 0, &maker), TRL_OK);
	program = program_of(&who, maker);
	assert_int_equal(create(&program, "tenants.tenant.read", 0, NULL), TRL_DENIED);
	assert_int_equal(create(&program, "auth.key.create", 0, NULL), TRL_OK);
}

static void
gives_a_key_no_longer_life_than_the_key_that_makes_it(void **state)
{
	struct world_caller who = admin_of(trl_id_new()), program;
	const int64_t end = (trl_wall_us() / 1000000 + 60) * 1000000;
	Auth__V1__CreatedApiKey *maker;

	(void)state;
	assert_int_equal(create(&who, "auth.key.create", end, &maker), TRL_OK);
	program = program_of(&who, maker);
	assert_int_equal(create(&program, "auth.key.create", 0, NULL), TRL_DENIED);
	assert_int_equal(
	    create(&program, "auth.key.create", end + 1000000, NULL), TRL_DENIED);
	assert_int_equal(create(&program, "auth.key.create", end, NULL), TRL_OK);
	assert_int_equal(create(&who, "auth.key.create", 0, &maker), TRL_OK);
	program.session = trl_value_id(maker->id);
	assert_int_equal(create(&program, "auth.key.create", 0, NULL), TRL_OK);
}

static size_t
count_made_by(const struct world_caller *who, struct trl_id maker)
{
	Auth__V1__ListApiKeysRequest list = AUTH__V1__LIST_API_KEYS_REQUEST__INIT;
	struct trl_id tenant = who->tenant;
	Auth__V1__ListApiKeysReply *page;

	list.has_tenant_id = list.has_created_by = true;
	list.tenant_id = (ProtobufCBinaryData){ 16, tenant.bytes };
	list.created_by = (ProtobufCBinaryData){ 16, maker.bytes };
	assert_int_equal(
	    world_call(who, &auth_v1_list_api_keys, &list.base, &page), TRL_OK);
	return page->n_items;
}

static void
revokes_with_a_key_all_that_it_made(void **state)
{
	struct world_caller who = admin_of(trl_id_new()), program = who;
	Auth__V1__RevokeApiKeyRequest revoke = AUTH__V1__REVOKE_API_KEY_REQUEST__INIT;
	Auth__V1__CreatedApiKey *parent, *child, *grandchild, *other;

	(void)state;
	assert_int_equal(create(&who, "auth.key.create", 0, &parent), TRL_OK);
	assert_int_equal(create(&who, "auth.key.create", 0, &other), TRL_OK);
	program.key = true;
	program.session = trl_value_id(parent->id);
	assert_int_equal(create(&program, "auth.key.create", 0, &child), TRL_OK);
	assert_memory_equal(child->made_by_key.data, parent->id.data, 16);
	program.session = trl_value_id(child->id);
	assert_int_equal(create(&program, "auth.key.create", 0, &grandchild), TRL_OK);
	assert_int_equal(count_made_by(&who, who.account), 4);
	revoke.has_tenant_id = revoke.has_key_id = true;
	revoke.tenant_id = (ProtobufCBinaryData){ 16, who.tenant.bytes };
	revoke.key_id = parent->id;
	assert_int_equal(
	    world_call(&who, &auth_v1_revoke_api_key, &revoke.base, NULL), TRL_OK);
	assert_int_equal(resolve(parent->key, NULL), TRL_NOT_FOUND);
	assert_int_equal(resolve(child->key, NULL), TRL_NOT_FOUND);
	assert_int_equal(resolve(grandchild->key, NULL), TRL_NOT_FOUND);
	assert_int_equal(resolve(other->key, NULL), TRL_OK);
	assert_int_equal(
	    create(&program, "auth.key.create", 0, NULL), TRL_UNAUTHENTICATED);
	assert_string_equal(world_sql("select count(*) from outbox where type = "
				      "'auth.api_key.revoked' and tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "3");
}

static void
revokes_in_one_call_all_that_a_person_made(void **state)
{
	struct world_caller who = admin_of(trl_id_new()), gone = admin_of(who.tenant),
			    program = gone;
	Auth__V1__RevokeApiKeysRequest revoke = AUTH__V1__REVOKE_API_KEYS_REQUEST__INIT;
	Auth__V1__CreatedApiKey *mine, *theirs, *child;

	(void)state;
	assert_int_equal(create(&who, "auth.key.create", 0, &mine), TRL_OK);
	assert_int_equal(create(&gone, "auth.key.create", 0, &theirs), TRL_OK);
	program.key = true;
	program.session = trl_value_id(theirs->id);
	assert_int_equal(create(&program, "auth.key.create", 0, &child), TRL_OK);
	assert_int_equal(count_made_by(&who, gone.account), 2);
	revoke.has_tenant_id = revoke.has_created_by = true;
	revoke.tenant_id = (ProtobufCBinaryData){ 16, who.tenant.bytes };
	revoke.created_by = (ProtobufCBinaryData){ 16, gone.account.bytes };
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    world_call(&who, &auth_v1_revoke_api_keys, &revoke.base, NULL),
		    TRL_OK);
	assert_int_equal(count_made_by(&who, gone.account), 0);
	assert_int_equal(resolve(theirs->key, NULL), TRL_NOT_FOUND);
	assert_int_equal(resolve(child->key, NULL), TRL_NOT_FOUND);
	assert_int_equal(resolve(mine->key, NULL), TRL_OK);
}

/* Whoever signed up with another's address leaves no key behind. */
static void
ends_the_keys_of_an_account_whose_address_is_proven_without_it(void **state)
{
	const char *email = world_email("boss");
	Auth__V1__VerifyEmailRequest in = AUTH__V1__VERIFY_EMAIL_REQUEST__INIT;
	struct world_caller first = admin_of(trl_id_new()),
			    second = admin_of(trl_id_new());
	Auth__V1__CreatedApiKey *one, *other;
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, "correct horse battery", &made), TRL_OK);
	first.account = second.account = trl_value_id(made->account->id);
	first.session = second.session = trl_value_id(made->session->id);
	assert_int_equal(create(&first, "tenants.tenant.read", 0, &one), TRL_OK);
	assert_int_equal(create(&second, "tenants.tenant.read", 0, &other), TRL_OK);
	in.token = (char *)world_letter_token(email, 1);
	in.password = "the boss chose this";
	assert_int_equal(
	    world_call(NULL, &auth_v1_verify_email, &in.base, NULL), TRL_OK);
	assert_int_equal(resolve(one->key, NULL), TRL_NOT_FOUND);
	assert_int_equal(resolve(other->key, NULL), TRL_NOT_FOUND);
}

/* Reliability, case 49. */
static void
refuses_an_expired_a_revoked_and_a_guessed_key(void **state)
{
	struct world_caller who = admin_of(trl_id_new());
	Auth__V1__RevokeApiKeyRequest revoke = AUTH__V1__REVOKE_API_KEY_REQUEST__INIT;
	Auth__V1__CreatedApiKey *short_lived, *lasting;
	char guessed[TRL_ACCESS_KEY_TEXT];
	int64_t now = trl_wall_us();

	(void)state;
	assert_int_equal(
	    create(&who, "tenants.tenant.read", now - 60000000, NULL), TRL_INVALID);
	assert_int_equal(
	    create(&who, "tenants.tenant.read", now + 60000000, &short_lived), TRL_OK);
	assert_int_equal(resolve(short_lived->key, NULL), TRL_OK);
	world.now_us = now + 61000000;
	assert_int_equal(resolve(short_lived->key, NULL), TRL_NOT_FOUND);
	world.now_us = 0;
	assert_int_equal(create(&who, "tenants.tenant.read", 0, &lasting), TRL_OK);
	trl_access_key_token(trl_value_id(lasting->id), guessed);
	assert_int_equal(resolve(guessed, NULL), TRL_NOT_FOUND);
	revoke.has_tenant_id = revoke.has_key_id = true;
	revoke.tenant_id = (ProtobufCBinaryData){ 16, who.tenant.bytes };
	revoke.key_id = lasting->id;
	assert_int_equal(
	    world_call(&who, &auth_v1_revoke_api_key, &revoke.base, NULL), TRL_OK);
	assert_int_equal(resolve(lasting->key, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_call(&who, &auth_v1_revoke_api_key, &revoke.base, NULL),
	    TRL_NOT_FOUND);
}

static void
shows_and_revokes_nothing_of_another_tenant(void **state)
{
	struct world_caller ours = admin_of(trl_id_new()),
			    theirs = admin_of(trl_id_new());
	Auth__V1__RevokeApiKeyRequest revoke = AUTH__V1__REVOKE_API_KEY_REQUEST__INIT;
	Auth__V1__ListApiKeysRequest list = AUTH__V1__LIST_API_KEYS_REQUEST__INIT;
	Auth__V1__CreatedApiKey *made;
	Auth__V1__ListApiKeysReply *page;

	(void)state;
	assert_int_equal(create(&ours, "tenants.tenant.read", 0, &made), TRL_OK);
	revoke.has_tenant_id = revoke.has_key_id = true;
	revoke.tenant_id = (ProtobufCBinaryData){ 16, theirs.tenant.bytes };
	revoke.key_id = made->id;
	assert_int_equal(
	    world_call(&theirs, &auth_v1_revoke_api_key, &revoke.base, NULL),
	    TRL_NOT_FOUND);
	trl_set(&list, tenant_id, revoke.tenant_id);
	assert_int_equal(
	    world_call(&theirs, &auth_v1_list_api_keys, &list.base, &page), TRL_OK);
	assert_int_equal(page->n_items, 0);
	list.tenant_id = (ProtobufCBinaryData){ 16, ours.tenant.bytes };
	assert_int_equal(
	    world_call(&ours, &auth_v1_list_api_keys, &list.base, &page), TRL_OK);
	assert_int_equal(page->n_items, 1);
	assert_string_equal(page->items[0]->name, "reporting");
	assert_string_equal(page->items[0]->permissions[0], "tenants.tenant.read");
	assert_int_equal(resolve(made->key, NULL), TRL_OK);
}

static void
stops_at_the_number_of_keys_a_tenant_may_have(void **state)
{
	struct world_caller who = admin_of(trl_id_new());

	(void)state;
	world_sql("insert into api_key (tenant_id, id, name, permissions, key_hash, "
		  "created_at) "
		  "select '%s', gen_random_uuid(), 'x', '{}', sha256('x'), now() from "
		  "generate_series(1, %d)",
	    world_id_text(who.tenant), AUTH_KEYS_MAX - 1);
	assert_int_equal(create(&who, "tenants.tenant.read", 0, NULL), TRL_OK);
	assert_int_equal(create(&who, "tenants.tenant.read", 0, NULL), TRL_QUOTA);
}

static void
writes_what_was_done_into_the_tenants_chain(void **state)
{
	struct world_caller who = admin_of(trl_id_new());
	Auth__V1__ListTenantAuditRequest in = AUTH__V1__LIST_TENANT_AUDIT_REQUEST__INIT;
	Auth__V1__ListTenantAuditReply *out;

	(void)state;
	assert_int_equal(create(&who, "tenants.tenant.read", 0, NULL), TRL_OK);
	assert_int_equal(create(&who, "auth.key.list", 0, NULL), TRL_OK);
	in.has_tenant_id = in.has_count = true;
	in.tenant_id = (ProtobufCBinaryData){ 16, who.tenant.bytes };
	in.count = 1;
	assert_int_equal(
	    world_call(NULL, &auth_v1_list_tenant_audit, &in.base, &out), TRL_OK);
	assert_int_equal(out->n_items, 1);
	assert_int_equal(out->items[0]->number, 2);
	assert_string_equal(out->items[0]->action, "auth.key.create");
	assert_int_equal(
	    out->items[0]->actor_kind, AUTH__V1__AUDIT_ENTRY__ACTOR__person);
	assert_int_equal(out->items[0]->hash.len, 32);
	assert_non_null(strstr(out->items[0]->detail, "auth.key.list"));
	assert_null(strstr(out->items[0]->detail, "trl_"));
	assert_string_equal(out->items[0]->address, "192.0.2.1");
	trl_set(&in, before_id, out->items[0]->id);
	assert_int_equal(
	    world_call(NULL, &auth_v1_list_tenant_audit, &in.base, &out), TRL_OK);
	assert_int_equal(out->n_items, 1);
	assert_int_equal(out->items[0]->number, 1);
}

#define TEST(f) cmocka_unit_test_teardown(f, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_key_that_says_whose_it_is_and_what_it_may),
		TEST(keeps_the_key_nowhere_in_clear),
		TEST(attributes_what_a_key_made_to_nobody),
		TEST(gives_a_key_that_is_revoked_meanwhile_nothing),
		TEST(gives_a_key_no_more_than_its_maker_holds),
		TEST(revokes_with_a_key_all_that_it_made),
		TEST(revokes_in_one_call_all_that_a_person_made),
		TEST(ends_the_keys_of_an_account_whose_address_is_proven_without_it),
		TEST(gives_a_key_no_longer_life_than_the_key_that_makes_it),
		TEST(refuses_an_expired_a_revoked_and_a_guessed_key),
		TEST(shows_and_revokes_nothing_of_another_tenant),
		TEST(stops_at_the_number_of_keys_a_tenant_may_have),
		TEST(writes_what_was_done_into_the_tenants_chain),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
