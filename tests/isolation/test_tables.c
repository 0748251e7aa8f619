/* Every table x verb x context, straight in SQL, and the proof that this suite
 * would see a hole: each table's policy is opened in turn and must be found out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"
#include "tables.h"

static struct scratch scratch;

static int
open_all(void **state)
{
	(void)state;
	if (scratch_open(&scratch, "tables") != 0)
		return -1;
	for (size_t i = 0; i < scratch.n_schemas; i++)
		tables_fill(&scratch.schemas[i]);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	scratch_close(&scratch);
	return 0;
}

static void
every_table_is_declared_and_guarded(void **state)
{
	(void)state;
	for (size_t i = 0; i < scratch.n_schemas; i++) {
		struct leaks leaks = { 0 };

		tables_inspect(&scratch.schemas[i], &leaks);
		if (leaks.n)
			fail_msg("%s: %zu findings, first: %s",
			    scratch.schemas[i].schema, leaks.n, leaks.first);
	}
}

/* Reliability, case 29 and case 50. */
static void
no_verb_reaches_another_tenants_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < scratch.n_schemas; i++) {
		struct leaks leaks = { 0 };

		tables_attack(&scratch.schemas[i], NULL, &leaks);
		print_message(
		    "%s: %zu attacks\n", scratch.schemas[i].schema, leaks.tried);
		assert_true(leaks.tried > 0);
		if (leaks.n)
			fail_msg("%s: %zu leaks, first: %s", scratch.schemas[i].schema,
			    leaks.n, leaks.first);
	}
}

static void
the_suite_finds_every_policy_that_is_opened(void **state)
{
	char names[64][64];

	(void)state;
	for (size_t i = 0; i < scratch.n_schemas; i++) {
		const struct tables_db *db = &scratch.schemas[i];
		size_t n = tables_list(db, names, TRL_COUNT(names));

		assert_true(n > 0);
		for (size_t j = 0; j < n; j++) {
			struct leaks open = { 0 }, closed = { 0 };

			tables_open_wide(db, names[j]);
			tables_attack(db, names[j], &open);
			tables_close_again(db, names[j]);
			tables_attack(db, names[j], &closed);
			if (open.n == 0)
				fail_msg("USING (true) on %s.%s was not found",
				    db->schema, names[j]);
			assert_int_equal(closed.n, 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_is_declared_and_guarded),
		cmocka_unit_test(no_verb_reaches_another_tenants_rows),
		cmocka_unit_test(the_suite_finds_every_policy_that_is_opened),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
