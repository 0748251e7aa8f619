/* test_config.c - what is read, and what each mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <trl/config.h>

struct settings {
	const char *listen;
	const char *url;
	int64_t actors;
	double scale;
	bool loud;
	trl_secret *key;
};

static const struct trl_config_var vars[] = {
	TRL_CONFIG_STR(struct settings, listen, "TRELLIS_HTTP_LISTEN", "127.0.0.1:8080",
	    "address|port people connect to"),
	TRL_CONFIG_STR(
	    struct settings, url, "TRELLIS_PG_URL", NULL, "where PostgreSQL is"),
	TRL_CONFIG_INT(struct settings, actors, "TRELLIS_ACTORS", "4096", 1, 100000,
	    "actors at once"),
	TRL_CONFIG_REAL(struct settings, scale, "TRELLIS_RATE_SCALE", "1", 0.01, 1e6,
	    "multiplies every limit"),
	TRL_CONFIG_BOOL(struct settings, loud, "TRELLIS_LOUD", "false", "says more"),
	TRL_CONFIG_SECRET(struct settings, key, "TRELLIS_SEAL_KEY", "seals replies"),
	TRL_CONFIG_ROLES("TRELLIS_PG_URL_", "_SYS", "the same for one service"),
	TRL_CONFIG_SERVICES("TRELLIS_PEER_", "where one is"),
	TRL_CONFIG_PREFIX("TRELLIS_BUS_KEY_", "keys of whoever calls"),
};
static const struct trl_config_table table = TRL_CONFIG_SERVICE_TABLE("edge", vars);
const struct trl_config_table *const trl_config_known[] = { &table, NULL };

static FILE *said_file;
static int kept_fds[2];

static int
start(void **state)
{
	(void)state;
	clearenv();
	fflush(stdout);
	fflush(stderr);
	said_file = tmpfile();
	kept_fds[0] = dup(STDOUT_FILENO);
	kept_fds[1] = dup(STDERR_FILENO);
	return 0;
}

/* Runs the body with stdout and stderr in said_file. */
static void
listen_in(bool on)
{
	fflush(stdout);
	fflush(stderr);
	dup2(on ? fileno(said_file) : kept_fds[0], STDOUT_FILENO);
	dup2(on ? fileno(said_file) : kept_fds[1], STDERR_FILENO);
}

static int
end(void **state)
{
	(void)state;
	close(kept_fds[0]);
	close(kept_fds[1]);
	fclose(said_file);
	return 0;
}

static const char *
said(void)
{
	static char text[1 << 16];
	size_t n;

	rewind(said_file);
	n = fread(text, 1, sizeof text - 1, said_file);
	text[n] = '\0';
	return text;
}

static bool
reads(struct settings *out)
{
	bool fine;

	*out = (struct settings){ 0 };
	listen_in(true);
	fine = trl_config_read(&table, out);
	listen_in(false);
	return fine;
}

static bool
names_are_fine(void)
{
	static const char *const also[] = { "tenants", NULL };
	bool fine;

	listen_in(true);
	fine = trl_config_check_names(also);
	listen_in(false);
	return fine;
}

static void
nothing_set_gives_the_defaults(void **state)
{
	struct settings s;

	(void)state;
	assert_true(reads(&s));
	assert_true(names_are_fine());
	assert_string_equal(s.listen, "127.0.0.1:8080");
	assert_null(s.url);
	assert_int_equal(s.actors, 4096);
	assert_true(s.scale == 1.0);
	assert_false(s.loud);
	assert_null(s.key);
}

static void
values_come_from_the_environment_and_from_files(void **state)
{
	char path[] = "/tmp/trl_test_config_XXXXXX";
	int fd = mkstemp(path);
	struct settings s;

	(void)state;
	assert_int_equal(write(fd, "from a file\n", 12), 12);
	close(fd);
	setenv("TRELLIS_ACTORS", "17", 1);
	setenv("TRELLIS_RATE_SCALE", "2.5", 1);
	setenv("TRELLIS_LOUD", "yes", 1);
	setenv("TRELLIS_HTTP_LISTEN_FILE", path, 1);
	setenv("TRELLIS_SEAL_KEY_FILE", path, 1);
	assert_true(names_are_fine());
	assert_true(reads(&s));
	unlink(path);
	assert_int_equal(s.actors, 17);
	assert_true(s.scale == 2.5);
	assert_true(s.loud);
	assert_string_equal(s.listen, "from a file");
	assert_int_equal(trl_secret_len(s.key), 11);
	trl_secret_free(&s.key);
}

static void
each_wrong_value_is_named_with_what_would_be_right(void **state)
{
	static const struct {
		const char *name, *value, *says;
	} rows[] = {
		{ "TRELLIS_ACTORS", "0", "whole number from 1 to 100000" },
		{ "TRELLIS_ACTORS", "100001", "whole number from 1 to 100000" },
		{ "TRELLIS_ACTORS", "12x", "whole number from 1 to 100000" },
		{ "TRELLIS_ACTORS", "", "whole number from 1 to 100000" },
		{ "TRELLIS_ACTORS", "99999999999999999999", "whole number" },
		{ "TRELLIS_RATE_SCALE", "nan", "number from 0.01 to 1e+06" },
		{ "TRELLIS_RATE_SCALE", "0", "number from 0.01 to 1e+06" },
		{ "TRELLIS_LOUD", "maybe", "true or false" },
		{ "TRELLIS_SEAL_KEY", "", "is empty" },
		{ "TRELLIS_HTTP_LISTEN_FILE", "/none", "cannot be read: No such file" },
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		clearenv();
		setenv(rows[i].name, rows[i].value, 1);
		assert_int_equal(ftruncate(fileno(said_file), 0), 0);
		lseek(fileno(said_file), 0, SEEK_SET);
		assert_false(reads(&s));
		assert_non_null(strstr(said(), rows[i].name));
		assert_non_null(strstr(said(), rows[i].says));
	}
}

static void
all_problems_are_said_at_once(void **state)
{
	struct settings s;

	(void)state;
	setenv("TRELLIS_ACTORS", "no", 1);
	setenv("TRELLIS_LOUD", "no, thank you", 1);
	setenv("TRELLIS_HTTP_LISTEN", "a", 1);
	setenv("TRELLIS_HTTP_LISTEN_FILE", "b", 1);
	assert_false(reads(&s));
	assert_non_null(strstr(said(), "TRELLIS_ACTORS is \"no\""));
	assert_non_null(strstr(said(), "TRELLIS_LOUD is"));
	assert_non_null(strstr(
	    said(), "TRELLIS_HTTP_LISTEN and TRELLIS_HTTP_LISTEN_FILE are both set"));
}

static void
values_of_all_tables_can_be_checked_without_a_struct(void **state)
{
	bool fine;

	(void)state;
	setenv("TRELLIS_ACTORS", "no", 1);
	setenv("TRELLIS_LOUD", "no, thank you", 1);
	setenv("TRELLIS_SEAL_KEY", "hush", 1);
	setenv("TRELLIS_PEER_EDGE_FILE", "/none", 1);
	listen_in(true);
	fine = trl_config_check_values();
	listen_in(false);
	assert_false(fine);
	assert_non_null(strstr(said(), "TRELLIS_PEER_EDGE_FILE names /none"));
	unsetenv("TRELLIS_PEER_EDGE_FILE");
	assert_non_null(strstr(said(), "TRELLIS_ACTORS is \"no\""));
	assert_non_null(strstr(said(), "TRELLIS_LOUD is"));
	assert_null(strstr(said(), "hush"));
	setenv("TRELLIS_ACTORS", "7", 1);
	setenv("TRELLIS_LOUD", "no", 1);
	assert_true(trl_config_check_values());
}

static void
an_unknown_name_is_refused_with_its_nearest(void **state)
{
	(void)state;
	setenv("TRELLIS_HTTP_LISTN", "x", 1);
	setenv("TRELLIS_PG_ULR_TENANTS", "x", 1);
	setenv("TRELLIS_TEST_ANYTHING", "the tests' own", 1);
	setenv("TRELLIS_FROBNICATION", "near to none", 1);
	assert_false(names_are_fine());
	assert_non_null(strstr(said(), "TRELLIS_FROBNICATION is not a setting\n"));
	assert_non_null(strstr(said(),
	    "TRELLIS_HTTP_LISTN is not a setting; did you mean TRELLIS_HTTP_LISTEN?"));
	assert_non_null(
	    strstr(said(), "TRELLIS_PG_ULR_TENANTS is not a setting; did you mean "
			   "TRELLIS_PG_URL_TENANTS?"));
	assert_null(strstr(said(), "TRELLIS_TEST_"));
}

static void
collect(void *self, const char *rest, const char *value)
{
	sprintf((char *)self + strlen(self), "%s=%s;", rest, value);
}

static void
a_family_gives_its_members_and_not_its_neighbours(void **state)
{
	char all[256] = "";

	(void)state;
	setenv("TRELLIS_PG_URL", "plain", 1);
	setenv("TRELLIS_PG_URL_TENANTS", "t", 1);
	setenv("TRELLIS_PG_URL_AUTH_FILE", "/proc/sys/kernel/ostype", 1);
	setenv("TRELLIS_PG_URL_FILE", "/none", 1);
	assert_true(trl_config_family("TRELLIS_PG_URL_", collect, all));
	assert_non_null(strstr(all, "TENANTS=t;"));
	assert_non_null(strstr(all, "AUTH=Linux;"));
	assert_int_equal(strlen(all), strlen("TENANTS=t;AUTH=Linux;"));
}

static void
a_family_of_services_has_no_other_members(void **state)
{
	static const char *const wrong[][2] = {
		{ "TRELLIS_PEER_EGDE", "TRELLIS_PEER_EDGE" },
		{ "TRELLIS_PEER_TENANST_FILE", "TRELLIS_PEER_TENANTS_FILE" },
		{ "TRELLIS_PEER_EDGE_SYS", "TRELLIS_PG_URL_EDGE_SYS" },
		{ "TRELLIS_PG_URL_EDGE_SSY", "TRELLIS_PG_URL_EDGE_SYS" },
		{ "TRELLIS_BUS_KEY_FILE", "TRELLIS_BUS_KEY_<NAME>_FILE" },
	};
	static const char *const right[] = { "TRELLIS_PEER_EDGE",
		"TRELLIS_PEER_tenants", "TRELLIS_PEER_TENANTS_FILE",
		"TRELLIS_PG_URL_EDGE_SYS", "TRELLIS_PG_URL_TENANTS_SYS_FILE",
		"TRELLIS_BUS_KEY_ANYBODY_FILE" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(right); i++)
		setenv(right[i], "x", 1);
	assert_true(names_are_fine());
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		char line[160];

		setenv(wrong[i][0], "x", 1);
		assert_false(names_are_fine());
		unsetenv(wrong[i][0]);
		snprintf(line, sizeof line, "%s is not a setting; did you mean %s?\n",
		    wrong[i][0], wrong[i][1]);
		assert_non_null(strstr(said(), line));
	}
}

static void
a_member_that_cannot_be_read_is_refused_once(void **state)
{
	char all[256] = "";
	struct settings s;
	bool fine;

	(void)state;
	setenv("TRELLIS_PEER_TENANTS", "t", 1);
	setenv("TRELLIS_PEER_EDGE_FILE", "/none", 1);
	assert_false(reads(&s));
	assert_string_equal(said(),
	    "trellis: TRELLIS_PEER_EDGE_FILE names /none, which cannot be read: No "
	    "such file or directory\n");
	setenv("TRELLIS_PEER_EDGE", "e", 1);
	listen_in(true);
	fine = trl_config_family("TRELLIS_PEER_", collect, all);
	listen_in(false);
	assert_false(fine);
	assert_string_equal(all, "TENANTS=t;");
	const char *once = strstr(said(), "_EDGE_FILE are both set");
	assert_non_null(once);
	assert_null(strstr(once + 1, "_EDGE_FILE are both set"));
}

static void
printing_hides_secrets_and_passwords(void **state)
{
	struct settings s;

	(void)state;
	setenv("TRELLIS_PG_URL", "postgresql://me:hush@host/db", 1);
	setenv("TRELLIS_SEAL_KEY", "hushhush", 1);
	assert_true(reads(&s));
	listen_in(true);
	trl_config_print(&table, &s);
	trl_config_print_markdown();
	listen_in(false);
	trl_secret_free(&s.key);
	assert_non_null(strstr(said(), "TRELLIS_PG_URL=postgresql://me:***@host/db\n"));
	assert_non_null(strstr(said(), "TRELLIS_SEAL_KEY=(set)\n"));
	assert_non_null(strstr(said(), "TRELLIS_ACTORS=4096\n"));
	assert_null(strstr(said(), "hush"));
	assert_non_null(
	    strstr(said(), "| `TRELLIS_HTTP_LISTEN` | edge | `127.0.0.1:8080` | "
			   "address\\|port people connect to |\n"));
}

static void
a_password_is_hidden_wherever_it_stands(void **state)
{
	static const struct {
		const char *url, *shown;
	} rows[] = {
		{ "postgresql://me:hu@sh@host/db", "postgresql://me:***@host/db" },
		{ "postgresql:///db?host=/run&password=hush&user=me",
		    "postgresql:///db?host=/run&password=***&user=me" },
		{ "postgresql://a:hush@h/db?password=hush",
		    "postgresql://a:***@h/db?password=***" },
		{ "host=h password=hush user=me", "host=h password=*** user=me" },
		{ "host=h user=me password='hush hush'",
		    "host=h user=me password=***" },
		{ "postgresql://host:5432/a@b", "postgresql://host:5432/a@b" },
		{ "one\ntwo\x1b[31m", "one two [31m" },
	};
	struct settings s;
	char line[200];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		setenv("TRELLIS_PG_URL", rows[i].url, 1);
		assert_true(reads(&s));
		listen_in(true);
		trl_config_print(&table, &s);
		listen_in(false);
		trl_secret_free(&s.key);
		snprintf(line, sizeof line, "TRELLIS_PG_URL=%s\n", rows[i].shown);
		assert_non_null(strstr(said(), line));
		assert_null(strstr(said(), "hush"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		CONFIG_TEST(nothing_set_gives_the_defaults),
		CONFIG_TEST(values_come_from_the_environment_and_from_files),
		CONFIG_TEST(each_wrong_value_is_named_with_what_would_be_right),
		CONFIG_TEST(all_problems_are_said_at_once),
		CONFIG_TEST(values_of_all_tables_can_be_checked_without_a_struct),
		CONFIG_TEST(an_unknown_name_is_refused_with_its_nearest),
		CONFIG_TEST(a_family_gives_its_members_and_not_its_neighbours),
		CONFIG_TEST(a_family_of_services_has_no_other_members),
		CONFIG_TEST(a_member_that_cannot_be_read_is_refused_once),
		CONFIG_TEST(printing_hides_secrets_and_passwords),
		CONFIG_TEST(a_password_is_hidden_wherever_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
