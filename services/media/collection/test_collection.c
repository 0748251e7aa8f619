/* What an installation may say of its collections, and what it is told when it may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collection/collection.h"

static void
has_some_built_in(void **state)
{
	collections *all = NULL;
	size_t n;

	(void)state;
	assert_true(collections_read(NULL, &all));
	assert_string_equal(collections_all(all, &n)[0].name, "files");
	assert_int_equal(n, 3);
	assert_ptr_equal(collections_find(all, ""), collections_all(all, &n));
	assert_int_equal(
	    collections_find(all, "private")->visibility, COLLECTION_PRIVATE);
	assert_string_equal(collections_find(all, "pictures")->types[3], "image/gif");
	assert_null(collections_find(all, "Files"));
	collections_free(&all);
}

static void
takes_what_an_installation_says(void **state)
{
	collections *all = NULL;
	const struct collection *found;

	(void)state;
	assert_true(collections_read(
	    "{\"collections\": [{\"name\": \"a\", \"visibility\": \"public\", "
	    "\"max_bytes\": 1, \"types\": [\"image/*\"], \"variants\": "
	    "[{\"name\": \"t\", \"options\": \"w_1\"}]}]}",
	    &all));
	found = collections_find(all, "a");
	assert_int_equal(found->visibility, COLLECTION_PUBLIC);
	assert_int_equal(found->max_bytes, 1);
	assert_string_equal(found->types[0], "image/*");
	assert_null(found->types[1]);
	assert_int_equal(found->n_variants, 1);
	assert_string_equal(found->variants[0].options, "w_1");
	collections_free(&all);
}

#define ONE(rest) "{\"collections\": [{" rest "}]}"
#define PLAIN "\"name\": \"a\", \"visibility\": \"tenant\", \"max_bytes\": 1"

static void
refuses_what_it_does_not_understand(void **state)
{
	static const char *const rows[] = { "", "[]", "{}", "{\"collections\": []}",
		"{\"collections\": [], \"more\": 1}", "{\"collections\": [1]}",
		ONE("\"name\": \"a\", \"visibility\": \"all\", \"max_bytes\": 1"),
		ONE("\"name\": \"A\", \"visibility\": \"tenant\", \"max_bytes\": 1"),
		ONE("\"name\": \"a\", \"visibility\": \"tenant\", \"max_bytes\": 0"),
		ONE("\"name\": \"a\", \"visibility\": \"tenant\""),
		ONE(PLAIN ", \"types\": []"), ONE(PLAIN ", \"types\": [\"png\"]"),
		ONE(PLAIN ", \"type\": [\"image/png\"]"),
		ONE(PLAIN ", \"variants\": [{\"name\": \"t\"}]"),
		ONE(PLAIN "}, {" PLAIN) };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		collections *all = NULL;

		assert_false(collections_read(rows[i], &all));
		assert_null(all);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_some_built_in),
		cmocka_unit_test(takes_what_an_installation_says),
		cmocka_unit_test(refuses_what_it_does_not_understand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
