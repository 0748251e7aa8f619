/* test_memory.c - arenas, buffers, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/arena.h>
#include <trl/buf.h>
#include <trl/secret.h>

static void
memory_is_aligned_and_survives_growth(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	uint8_t *pieces[300];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(pieces); i++) {
		pieces[i] = trl_arena_alloc(arena, i * 7);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i, i * 7);
	}
	for (size_t i = 1; i < TRL_COUNT(pieces); i++) {
		assert_int_equal(pieces[i][0], i & 0xff);
		assert_int_equal(pieces[i][i * 7 - 1], i & 0xff);
	}
}

static void
a_reset_arena_starts_again_at_its_first_block(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	void *first = trl_arena_alloc(arena, 10);

	(void)state;
	trl_arena_alloc(arena, 1 << 20);
	trl_arena_reset(arena);
	assert_int_equal(trl_arena_used(arena), 0);
	assert_ptr_equal(trl_arena_alloc(arena, 10), first);
}

static void
what_was_taken_since_a_mark_is_forgotten_and_what_was_before_stays(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(1 << 20);
	char *kept = trl_arena_strdup(arena, "kept");
	const struct trl_arena_mark outer = trl_arena_mark(arena);
	const size_t used = trl_arena_used(arena);
	void *next = trl_arena_alloc(arena, 100);

	(void)state;
	trl_arena_rewind(arena, outer);
	/* Far more than the arena holds, but little at a time. */
	for (int i = 0; i < 100; i++) {
		const struct trl_arena_mark inner = trl_arena_mark(arena);

		assert_ptr_equal(trl_arena_alloc(arena, 100), next);
		for (size_t size = 1; size < (300 << 10); size *= 3)
			memset(trl_arena_alloc(arena, size), i, size);
		trl_arena_rewind(arena, inner);
		assert_int_equal(trl_arena_used(arena), used);
	}
	assert_string_equal(kept, "kept");
	trl_arena_rewind(arena, outer);
	trl_arena_reset(arena);
	assert_ptr_equal(trl_arena_alloc(arena, 5), kept);
}

static void
a_limit_refuses_what_is_beyond_it(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(64 << 10);
	ProtobufCAllocator *protobuf = trl_arena_protobuf(arena);

	(void)state;
	assert_non_null(trl_arena_try(arena, 32 << 10));
	assert_null(trl_arena_try(arena, 33 << 10));
	assert_null(trl_arena_try(arena, SIZE_MAX));
	assert_null(protobuf->alloc(protobuf->allocator_data, 33 << 10));
	assert_non_null(protobuf->alloc(protobuf->allocator_data, 31 << 10));
}

static void
text_is_copied_and_printed(void **state)
{
	TRL_AUTO(trl_arena_free) trl_arena *arena = trl_arena_new(0);
	char *zeros = trl_arena_zalloc(arena, 100);
	char *text;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(zeros[i], 0);
	assert_string_equal(trl_arena_strdup(arena, "all"), "all");
	assert_string_equal(trl_arena_strndup(arena, "some of it", 4), "some");
	assert_string_equal(trl_arena_strndup(arena, "all", 10), "all");
	assert_string_equal(trl_arena_printf(arena, "%d %s", 7, "seals"), "7 seals");
	text = trl_arena_printf(arena, "%0*d|", 1000, 1);
	assert_int_equal(strlen(text), 1001);
	assert_string_equal(text + 999, "1|");
}

static void
a_buffer_grows_prints_and_shifts(void **state)
{
	struct trl_buf buf = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		trl_buf_printf(&buf, "%04d", i);
	assert_int_equal(buf.len, 4000);
	trl_buf_printf(&buf, "%0*d", 3000, 5);
	assert_int_equal(buf.len, 7000);
	trl_buf_shift(&buf, 3996);
	assert_memory_equal(buf.data, "09990000", 8);
	trl_buf_clear(&buf);
	trl_buf_adds(&buf, "new");
	trl_buf_add(&buf, NULL, 0);
	assert_int_equal(buf.len, 3);
	memcpy(trl_buf_reserve(&buf, 1 << 16), "tail", 4);
	buf.len += 4;
	assert_memory_equal(buf.data, "newtail", 7);
	trl_buf_fini(&buf);
	assert_null(buf.data);
}

static void
secrets_compare_by_content(void **state)
{
	TRL_AUTO(trl_secret_free) trl_secret *a = trl_secret_new("key", 3);
	TRL_AUTO(trl_secret_free) trl_secret *b = trl_secret_new("key", 3);
	TRL_AUTO(trl_secret_free) trl_secret *c = trl_secret_new("kez", 3);
	TRL_AUTO(trl_secret_free) trl_secret *d = trl_secret_new("", 0);

	(void)state;
	assert_true(trl_secret_eq(a, b));
	assert_false(trl_secret_eq(a, c));
	assert_false(trl_secret_eq(a, d));
	assert_int_equal(trl_secret_len(a), 3);
	assert_memory_equal(trl_secret_bytes(a), "key", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_aligned_and_survives_growth),
		cmocka_unit_test(a_reset_arena_starts_again_at_its_first_block),
		cmocka_unit_test(
		    what_was_taken_since_a_mark_is_forgotten_and_what_was_before_stays),
		cmocka_unit_test(a_limit_refuses_what_is_beyond_it),
		cmocka_unit_test(text_is_copied_and_printed),
		cmocka_unit_test(a_buffer_grows_prints_and_shifts),
		cmocka_unit_test(secrets_compare_by_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
