/* Tests of what needs no Redis: names, tokens, copies, limits in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "state.h"

const struct trl_config_table *const trl_config_known[] = { NULL };

static struct trl_id
random_id(void)
{
	struct trl_id id;

	randombytes_buf(id.bytes, sizeof id.bytes);
	return id;
}

/* The part Redis Cluster hashes. */
static const char *
tag_of(const struct access_key *key, char out[160])
{
	const char *open = strchr(key->text, '{'), *close = strchr(key->text, '}');

	assert_non_null(open);
	assert_true(close > open + 1);
	memcpy(out, open + 1, (size_t)(close - open - 1));
	out[close - open - 1] = '\0';
	return out;
}

/* Reliability, case 52. */
static void
names_of_different_subjects_never_clash(void **state)
{
	const struct trl_limit *limit = trl_limit_find(TRL_LIMIT_TENANT, "read");
	struct access_key a, b;
	struct trl_id one, other;
	int i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		one = other = random_id();
		other.bytes[i % 16] ^= (uint8_t)(1u << (i % 8));
		access_key_grant(&a, one, one);
		access_key_grant(&b, other, one);
		assert_string_not_equal(a.text, b.text);
		access_key_grant(&b, one, other);
		assert_string_not_equal(a.text, b.text);
		access_key_limit(&a, limit, one);
		access_key_limit(&b, limit, other);
		assert_string_not_equal(a.text, b.text);
	}
	access_key_epoch(&a, 'a', one);
	access_key_epoch(&b, 't', one);
	assert_string_not_equal(a.text, b.text);
}

static void
keys_of_one_script_share_a_tag(void **state)
{
	const struct trl_limit *limit = trl_limit_find(TRL_LIMIT_TENANT, "read");
	struct trl_id tenant = random_id(), account = random_id();
	struct access_key epoch, grant, count;
	char tags[3][160];

	(void)state;
	access_key_epoch(&epoch, 't', tenant);
	access_key_grant(&grant, tenant, account);
	access_key_limit(&count, limit, tenant);
	assert_string_equal(tag_of(&epoch, tags[0]), tag_of(&grant, tags[1]));
	assert_string_equal(tags[0], tag_of(&count, tags[2]));
}

static void
no_text_of_a_client_stands_in_a_name(void **state)
{
	static const char *const texts[] = { "}{x", "a b\r\nFLUSHALL\r\n", "1.2.3.4}",
		"", "::", "2001:db8::1%eth0" };
	const struct trl_limit *address = trl_limit_find(TRL_LIMIT_ADDRESS, NULL);
	const struct trl_limit *name = trl_limit_find(TRL_LIMIT_NAME, "login");
	struct access_key key;
	char tag[160];
	size_t i;

	(void)state;
	for (i = 0; i < TRL_COUNT(texts); i++) {
		access_key_limit_text(&key, address, texts[i]);
		tag_of(&key, tag);
		assert_int_equal(strspn(tag + 1, "0123456789abcdef"), strlen(tag + 1));
		access_key_limit_text(&key, name, texts[i]);
		tag_of(&key, tag);
		assert_int_equal(strspn(tag + 1, "0123456789abcdef"), strlen(tag + 1));
	}
}

static void
an_ipv6_client_is_its_network(void **state)
{
	const struct trl_limit *limit = trl_limit_find(TRL_LIMIT_ADDRESS, NULL);
	struct access_key a, b;

	(void)state;
	access_key_limit_text(&a, limit, "2001:db8:1:2::7");
	access_key_limit_text(&b, limit, "2001:db8:1:2:ffff::9");
	assert_string_equal(a.text, b.text);
	access_key_limit_text(&b, limit, "2001:db8:1:3::7");
	assert_string_not_equal(a.text, b.text);
	access_key_limit_text(&a, limit, "192.0.2.1");
	access_key_limit_text(&b, limit, "::ffff:192.0.2.1");
	assert_string_equal(a.text, b.text);
}

static void
tokens_have_their_form(void **state)
{
	char session[TRL_ACCESS_SESSION_TEXT], key[TRL_ACCESS_KEY_TEXT];
	struct trl_id id = random_id(), read;
	size_t i;

	(void)state;
	trl_access_session_token(session);
	assert_true(trl_access_is_session(session, strlen(session)));
	assert_false(trl_access_is_session(session, strlen(session) - 1));
	trl_access_key_token(id, key);
	assert_int_equal(strlen(key), TRL_ACCESS_KEY_TEXT - 1);
	assert_true(trl_access_key_parse(key, strlen(key), &read));
	assert_true(trl_id_eq(id, read));
	for (i = 0; i < strlen(key); i++) { /* one wrong character anywhere */
		const char was = key[i];

		key[i] = was == '0' ? '1' : '0';
		assert_false(trl_access_key_parse(key, strlen(key), &read));
		key[i] = was;
	}
}

static void
copies_come_back_as_they_were(void **state)
{
	const uint32_t permissions[] = { 1, 70000, UINT32_MAX };
	trl_arena *arena = trl_arena_new(0);
	const struct trl_access_who who = { .kind = TRL_KEY,
		.account = random_id(),
		.session = random_id(),
		.tenant = random_id(),
		.verified = true,
		.expires_at_us = 1234567890123456,
		.epoch = UINT64_MAX - 1,
		.permissions = permissions,
		.n_permissions = 3 };
	const struct trl_access_grant grant = { .tenant = random_id(),
		.role = 4,
		.status = 1,
		.tenant_epoch = 7,
		.account_epoch = 9,
		.quotas = { 600, UINT32_MAX },
		.plan = "team",
		.permissions = permissions,
		.n_permissions = 3 };
	const struct trl_access_grant *grant_again;
	const struct trl_access_who *again;
	struct trl_redis_arg bytes;
	size_t len;

	(void)state;
	assert_true(access_pack_who(arena, &who, &bytes));
	again = access_unpack_who(arena, bytes.data, bytes.len);
	assert_non_null(again);
	assert_true(trl_id_eq(again->tenant, who.tenant) && again->epoch == who.epoch &&
		    again->expires_at_us == who.expires_at_us &&
		    again->n_permissions == 3);
	assert_memory_equal(again->permissions, permissions, sizeof permissions);
	for (len = 0; len < bytes.len; len++)
		assert_null(access_unpack_who(arena, bytes.data, len));
	assert_null(access_unpack_grant(arena, bytes.data, bytes.len));
	assert_true(access_pack_grant(arena, &grant, &bytes));
	grant_again = access_unpack_grant(arena, bytes.data, bytes.len);
	assert_non_null(grant_again);
	assert_true(grant_again->role == 4 && grant_again->tenant_epoch == 7 &&
		    grant_again->account_epoch == 9);
	assert_memory_equal(grant_again->quotas, grant.quotas, sizeof grant.quotas);
	assert_string_equal(grant_again->plan, "team");
	for (len = 0; len < bytes.len; len++)
		assert_null(access_unpack_grant(arena, bytes.data, len));
	trl_arena_free(&arena);
}

static void
of_too_many_permissions_no_copy_is_made(void **state)
{
	static const uint32_t permissions[UINT16_MAX + 1];
	struct trl_access_who who = { .kind = TRL_PERSON,
		.permissions = permissions,
		.n_permissions = UINT16_MAX + 1 };
	struct trl_access_grant grant = { .permissions = permissions,
		.n_permissions = UINT16_MAX + 1 };
	trl_arena *arena = trl_arena_new(0);
	struct trl_redis_arg bytes;

	(void)state;
	assert_false(access_pack_who(arena, &who, &bytes));
	assert_false(access_pack_grant(arena, &grant, &bytes));
	who.n_permissions = grant.n_permissions = UINT16_MAX;
	assert_true(access_pack_who(arena, &who, &bytes));
	assert_non_null(access_unpack_who(arena, bytes.data, bytes.len));
	assert_true(access_pack_grant(arena, &grant, &bytes));
	assert_non_null(access_unpack_grant(arena, bytes.data, bytes.len));
	trl_arena_free(&arena);
}

/* How many of `tries` in a row are let through without Redis. */
static unsigned
let_through(enum trl_limit_subject subject, const char *rate, const char *replicas)
{
	const struct trl_limit *limit = trl_limit_find(subject, rate);
	struct trl_limit_state counted;
	struct access_key key;
	trl_access *access;
	unsigned n = 0, i;

	setenv("TRELLIS_EDGE_REPLICAS", replicas, 1);
	access = trl_access_open(NULL, NULL);
	assert_non_null(access);
	access_key_limit_text(&key, limit, "192.0.2.1");
	for (i = 0; i < 5000; i++) {
		access_count_local(access, &key, limit, 0, &counted);
		n += counted.allowed;
		assert_in_range(
		    counted.next_us, 1, (uint64_t)limit->window_s * 1000000);
	}
	trl_access_close(&access);
	unsetenv("TRELLIS_EDGE_REPLICAS");
	return n;
}

static void
without_redis_a_replica_allows_its_share_and_a_half(void **state)
{
	unsigned n;

	(void)state;
	n = let_through(TRL_LIMIT_ADDRESS, NULL, "2"); /* 1200 / 2 * 1.5 */
	assert_in_range(n, 895, 905);
}

static void
without_redis_sign_in_stays_strict(void **state)
{
	(void)state;
	assert_in_range(
	    let_through(TRL_LIMIT_ADDRESS, "login", "2"), 9, 10); /* 20 / 2 */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_different_subjects_never_clash),
		cmocka_unit_test(keys_of_one_script_share_a_tag),
		cmocka_unit_test(no_text_of_a_client_stands_in_a_name),
		cmocka_unit_test(an_ipv6_client_is_its_network),
		cmocka_unit_test(tokens_have_their_form),
		cmocka_unit_test(copies_come_back_as_they_were),
		cmocka_unit_test(of_too_many_permissions_no_copy_is_made),
		cmocka_unit_test(without_redis_a_replica_allows_its_share_and_a_half),
		cmocka_unit_test(without_redis_sign_in_stays_strict),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
