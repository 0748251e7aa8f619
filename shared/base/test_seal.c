/* test_seal.c - what is sealed opens under its key and purpose, whole and unchanged,
 * and in no other way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/seal.h>

static const uint8_t key[TRL_SEAL_KEY] = { 1, 2, 3 };
static const uint8_t other_key[TRL_SEAL_KEY] = { 1, 2, 4 };
static const char token[] = "a token nobody may read";

static void
what_was_sealed_opens_and_ends_with_a_nul(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	TRL_AUTO(trl_sealer_free) trl_sealer *sealer = trl_sealer_new(key, "test");
	TRL_AUTO(trl_sealer_free) trl_sealer *later = trl_sealer_new(key, "test");
	size_t sealed_len, len = 99;
	void *sealed = trl_seal(sealer, arena, token, strlen(token), &sealed_len);

	(void)state;
	assert_null(memmem(sealed, sealed_len, "token", 5));
	assert_string_equal(trl_unseal(later, arena, sealed, sealed_len, &len), token);
	assert_int_equal(len, strlen(token));
	sealed = trl_seal(sealer, arena, NULL, 0, &sealed_len);
	assert_string_equal(trl_unseal(later, arena, sealed, sealed_len, &len), "");
	assert_int_equal(len, 0);
}

static void
the_same_data_seals_differently_each_time(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	TRL_AUTO(trl_sealer_free) trl_sealer *sealer = trl_sealer_new(key, "test");
	size_t len;
	void *once = trl_seal(sealer, arena, token, sizeof token, &len);
	void *again = trl_seal(sealer, arena, token, sizeof token, &len);

	(void)state;
	assert_memory_not_equal(once, again, len);
}

static void
another_key_or_purpose_opens_nothing(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	TRL_AUTO(trl_sealer_free) trl_sealer *sealer = trl_sealer_new(key, "test");
	TRL_AUTO(trl_sealer_free) trl_sealer *key_2 = trl_sealer_new(other_key, "test");
	TRL_AUTO(trl_sealer_free) trl_sealer *purpose_2 = trl_sealer_new(key, "test2");
	size_t len, opened;
	void *sealed = trl_seal(sealer, arena, token, sizeof token, &len);

	(void)state;
	assert_null(trl_unseal(key_2, arena, sealed, len, &opened));
	assert_null(trl_unseal(purpose_2, arena, sealed, len, &opened));
}

static void
a_changed_or_cut_seal_does_not_open(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	TRL_AUTO(trl_sealer_free) trl_sealer *sealer = trl_sealer_new(key, "test");
	size_t len, opened;
	uint8_t *sealed = trl_seal(sealer, arena, token, sizeof token, &len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		sealed[i] ^= 1;
		assert_null(trl_unseal(sealer, arena, sealed, len, &opened));
		sealed[i] ^= 1;
		assert_null(trl_unseal(sealer, arena, sealed, i, &opened));
	}
	assert_non_null(trl_unseal(sealer, arena, sealed, len, &opened));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens_and_ends_with_a_nul),
		cmocka_unit_test(the_same_data_seals_differently_each_time),
		cmocka_unit_test(another_key_or_purpose_opens_nothing),
		cmocka_unit_test(a_changed_or_cut_seal_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
