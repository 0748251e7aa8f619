/* The invitation's token: what was made is read, and no bit of it may change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "tenants.h"

static struct tenants self, other;
static struct trl_id tenant, invitation;

static int
before_all(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	randombytes_buf(self.token_key, sizeof self.token_key);
	randombytes_buf(other.token_key, sizeof other.token_key);
	tenant = trl_id_random();
	invitation = trl_id_random();
	return 0;
}

static void
what_was_made_is_read(void **state)
{
	char text[TENANTS_TOKEN_TEXT], second[TENANTS_TOKEN_TEXT];
	uint8_t made[TENANTS_TOKEN_HASH], read[TENANTS_TOKEN_HASH];
	struct trl_id in_tenant, of;

	(void)state;
	tenants_token_new(&self, tenant, invitation, text, made);
	assert_true(tenants_token_read(&self, text, &in_tenant, &of, read));
	assert_true(trl_id_eq(tenant, in_tenant));
	assert_true(trl_id_eq(invitation, of));
	assert_memory_equal(made, read, sizeof made);
	tenants_token_new(&self, tenant, invitation, second, read);
	assert_string_not_equal(text, second);
	assert_memory_not_equal(made, read, sizeof made);
}

/* Reliability, case 49. */
static void
every_changed_character_is_refused(void **state)
{
	char text[TENANTS_TOKEN_TEXT];
	uint8_t hash[TENANTS_TOKEN_HASH];
	struct trl_id a, b;

	(void)state;
	tenants_token_new(&self, tenant, invitation, text, hash);
	for (size_t i = 0; i < strlen(text); i++) {
		char kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		assert_false(tenants_token_read(&self, text, &a, &b, hash));
		text[i] = kept;
	}
	for (size_t n = 0; n < strlen(text); n++) {
		char kept = text[n];

		text[n] = '\0';
		assert_false(tenants_token_read(&self, text, &a, &b, hash));
		text[n] = kept;
	}
	assert_true(tenants_token_read(&self, text, &a, &b, hash));
}

static void
nonsense_and_anothers_key_are_refused(void **state)
{
	char text[TENANTS_TOKEN_TEXT], longer[TENANTS_TOKEN_TEXT + 8];
	uint8_t hash[TENANTS_TOKEN_HASH];
	struct trl_id a, b;

	(void)state;
	tenants_token_new(&self, tenant, invitation, text, hash);
	assert_false(tenants_token_read(&other, text, &a, &b, hash));
	snprintf(longer, sizeof longer, "%sAAAA", text);
	assert_false(tenants_token_read(&self, longer, &a, &b, hash));
	assert_false(tenants_token_read(&self, "", &a, &b, hash));
	assert_false(tenants_token_read(&self, "tri_", &a, &b, hash));
	assert_false(tenants_token_read(&self, "tri_====", &a, &b, hash));
	assert_false(tenants_token_read(&self, text + 4, &a, &b, hash));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_is_read),
		cmocka_unit_test(every_changed_character_is_refused),
		cmocka_unit_test(nonsense_and_anothers_key_are_refused),
	};

	return cmocka_run_group_tests(tests, before_all, NULL);
}
