/* test_id.c - ids rise, and their text is exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <trl/clock.h>
#include <trl/compiler.h>
#include <trl/id.h>

static void
ids_of_one_process_rise(void **state)
{
	struct trl_id last = trl_id_new();

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct trl_id id = trl_id_new();

		assert_true(memcmp(last.bytes, id.bytes, sizeof id.bytes) < 0);
		last = id;
	}
	/* So many in so short a time do not run far ahead of the clock. */
	assert_in_range(
	    trl_id_ms(last), trl_wall_us() / 1000 - 1000, trl_wall_us() / 1000 + 1000);
}

static void
version_and_variant_are_those_of_rfc_9562(void **state)
{
	struct trl_id seven = trl_id_new(), four = trl_id_random();

	(void)state;
	assert_int_equal(seven.bytes[6] >> 4, 7);
	assert_int_equal(seven.bytes[8] >> 6, 2);
	assert_int_equal(four.bytes[6] >> 4, 4);
	assert_int_equal(four.bytes[8] >> 6, 2);
	assert_false(trl_id_is_nil(seven));
	assert_true(trl_id_is_nil(trl_id_nil));
}

static void
a_forked_child_makes_other_ids(void **state)
{
	struct trl_id mine, theirs;
	int pipes[2];
	pid_t child;

	(void)state;
	trl_id_new();
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		theirs = trl_id_new();
		_exit(write(pipes[1], &theirs, sizeof theirs) < 0);
	}
	mine = trl_id_new();
	assert_int_equal(read(pipes[0], &theirs, sizeof theirs), sizeof theirs);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(pipes[0]);
	close(pipes[1]);
	assert_memory_not_equal(mine.bytes + 10, theirs.bytes + 10, 6);
}

static void
text_and_bytes_convert_exactly(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} rows[] = {
		{ "0192f0c1-2345-7abc-8def-0123456789ab", true },
		{ "0192F0C1-2345-7ABC-8DEF-0123456789AB", true },
		{ "00000000-0000-0000-0000-000000000000", false },
		{ "00000000-0000-0000-0000-000000000001", true },
		{ "0192f0c1-2345-7abc-8def-0123456789a", false },
		{ "0192f0c1-2345-7abc-8def-0123456789abc", false },
		{ "0192f0c1-2345-7abc-8def-0123456789ag", false },
		{ "0192f0c1-2345-7abc-8def 0123456789ab", false },
		{ "0192f0c12345-7abc-8def--0123456789ab", false },
		{ "{192f0c1-2345-7abc-8def-0123456789a}", false },
		{ " 192f0c1-2345-7abc-8def-0123456789ab", false },
		{ "+192f0c1-2345-7abc-8def-0123456789ab", false },
		{ "0x92f0c1-2345-7abc-8def-0123456789ab", false },
		{ "", false },
	};
	char text[TRL_ID_TEXT];
	struct trl_id id;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_int_equal(trl_id_parse(rows[i].text, strlen(rows[i].text), &id),
		    rows[i].fine);
	assert_true(trl_id_parse(rows[1].text, 36, &id));
	trl_id_format(id, text);
	assert_string_equal(text, rows[0].text);
	assert_int_equal(id.bytes[0], 0x01);
	assert_int_equal(id.bytes[15], 0xab);
	assert_int_equal(trl_id_ms(id), 0x0192f0c12345);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_of_one_process_rise),
		cmocka_unit_test(version_and_variant_are_those_of_rfc_9562),
		cmocka_unit_test(a_forked_child_makes_other_ids),
		cmocka_unit_test(text_and_bytes_convert_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
