/* Files of settings that change as a kubelet changes them: a link beside them is
 * swapped, and all of them are others at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/config.h>

struct settings {
	trl_secret *key;
	const char *word;
};
static const struct trl_config_var vars[] = {
	TRL_CONFIG_SECRET(struct settings, key, "TRELLIS_PROBE_KEY", "a key"),
	TRL_CONFIG_STR(struct settings, word, "TRELLIS_PROBE_WORD", NULL, "a word"),
};
static const struct trl_config_table table = TRL_CONFIG_TABLE("probe", vars);
const struct trl_config_table *const trl_config_known[] = { &table, NULL };

static char folder[] = "/tmp/trl_files_XXXXXX";
static char seen[400];
static int version;

static const char *
path_of(const char *name)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A new folder of both files takes the place of the one before. */
static void
swap(const char *key, const char *word)
{
	char name[40], made[60], *from;

	snprintf(name, sizeof name, "..%d", ++version);
	assert_int_equal(mkdir(path_of(name), 0700), 0);
	snprintf(made, sizeof made, "%s/key", name);
	write_file(made, key);
	snprintf(made, sizeof made, "%s/word", name);
	write_file(made, word);
	assert_int_equal(symlink(name, path_of("..data_tmp")), 0);
	from = strdup(path_of("..data_tmp"));
	assert_int_equal(rename(from, path_of("..data")), 0);
	free(from);
}

static void
note(void *self, const char *name, bool differs)
{
	(void)self;
	strcat(seen, name + sizeof "TRELLIS_PROBE_" - 1);
	strcat(seen, differs ? "! " : " ");
}

/* "KEY! WORD " - looked at since the last time, and which differ. */
static const char *
look(void)
{
	seen[0] = '\0';
	trl_config_look(note, NULL);
	return seen;
}

static void
what_differs_from_what_is_used_is_said_once(void **state)
{
	struct settings settings = { 0 };
	trl_secret *anew;

	(void)state;
	assert_true(trl_config_read(&table, &settings));
	assert_string_equal(look(), "WORD KEY ");
	assert_string_equal(look(), "");
	swap("one\n", "apple"); /* the same again */
	assert_string_equal(look(), "WORD KEY ");
	swap("two\n", "apple");
	assert_false(trl_config_differs(NULL));
	assert_string_equal(look(), "WORD KEY! ");
	assert_string_equal(look(), "");
	assert_true(trl_config_differs(NULL));
	assert_true(trl_config_differs("TRELLIS_PROBE_KEY"));
	assert_false(trl_config_differs("TRELLIS_PROBE_WORD"));
	anew = trl_config_secret_anew("TRELLIS_PROBE_KEY");
	assert_int_equal(trl_secret_len(anew), 3);
	assert_memory_equal(trl_secret_bytes(anew), "two", 3);
	trl_secret_free(&anew);
	assert_false(trl_config_differs(NULL));
	swap("two", "pear");
	assert_string_equal(look(), "WORD! KEY ");
	swap("one", "apple"); /* back to what is used no more, and what still is */
	assert_string_equal(look(), "WORD KEY! ");
	trl_secret_free(&settings.key);
}

static void
a_file_that_cannot_be_read_is_looked_at_again(void **state)
{
	(void)state;
	assert_int_equal(unlink(path_of("..data")), 0);
	assert_string_equal(look(), "");
	swap("three", "apple");
	assert_string_equal(look(), "WORD KEY! ");
	swap("", "apple");
	assert_string_equal(look(), "WORD KEY! ");
	assert_null(trl_config_secret_anew("TRELLIS_PROBE_KEY"));
}

static int
begin(void **state)
{
	char path[300];

	(void)state;
	assert_true(sodium_init() >= 0);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(symlink("..data/key", path_of("key")), 0);
	assert_int_equal(symlink("..data/word", path_of("word")), 0);
	swap("one", "apple");
	snprintf(path, sizeof path, "%s", path_of("key"));
	setenv("TRELLIS_PROBE_KEY_FILE", path, 1);
	snprintf(path, sizeof path, "%s", path_of("word"));
	setenv("TRELLIS_PROBE_WORD_FILE", path, 1);
	return 0;
}

static int
end(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_from_what_is_used_is_said_once),
		cmocka_unit_test(a_file_that_cannot_be_read_is_looked_at_again),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
