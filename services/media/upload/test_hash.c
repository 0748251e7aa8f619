/* A hash that goes on where another process left it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "upload/hash.h"

static uint8_t bytes[1000];

static void
hash_whole(size_t len, char text[HASH_TEXT])
{
	uint8_t hash[32];

	crypto_hash_sha256(hash, bytes, len);
	sodium_bin2hex(text, HASH_TEXT, hash, sizeof hash);
}

static void
goes_on_from_its_state_at_every_offset(void **state)
{
	char wanted[HASH_TEXT], found[HASH_TEXT];

	(void)state;
	hash_whole(sizeof bytes, wanted);
	for (size_t at = 0; at <= sizeof bytes; at++) {
		uint8_t kept[HASH_STATE];
		SHA256_CTX one, two;

		hash_init(&one);
		hash_add(&one, bytes, at);
		hash_save(&one, kept);
		assert_true(hash_load(&two, kept, sizeof kept, at));
		hash_add(&two, bytes + at, sizeof bytes - at);
		hash_text(&two, found);
		assert_string_equal(found, wanted);
		hash_whole(at, wanted);
		hash_text(&one, found); /* a copy's: it may go on */
		assert_string_equal(found, wanted);
		hash_whole(sizeof bytes, wanted);
	}
}

static void
counts_beyond_4_gib(void **state)
{
	const uint64_t far = 5ull << 30;
	uint8_t kept[HASH_STATE], again[HASH_STATE];
	SHA256_CTX hash;

	(void)state;
	hash_init(&hash);
	hash_save(&hash, kept);
	for (int i = 0; i < 8; i++)
		kept[33 + i] = (uint8_t)(far >> (56 - 8 * i));
	assert_true(hash_load(&hash, kept, sizeof kept, far));
	hash_add(&hash, bytes, 64);
	hash_save(&hash, again);
	assert_true(hash_load(&hash, again, sizeof again, far + 64));
}

static void
refuses_what_is_no_state(void **state)
{
	uint8_t kept[HASH_STATE];
	SHA256_CTX hash;

	(void)state;
	hash_init(&hash);
	hash_add(&hash, bytes, 70);
	hash_save(&hash, kept);
	assert_true(hash_load(&hash, NULL, 0, 0));
	assert_false(hash_load(&hash, NULL, 0, 1));
	assert_false(hash_load(&hash, kept, sizeof kept, 71));
	assert_false(hash_load(&hash, kept, sizeof kept - 1, 70));
	kept[0]++;
	assert_false(hash_load(&hash, kept, sizeof kept, 70));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_from_its_state_at_every_offset),
		cmocka_unit_test(counts_beyond_4_gib),
		cmocka_unit_test(refuses_what_is_no_state),
	};

	if (sodium_init() < 0)
		return 1;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 31);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
