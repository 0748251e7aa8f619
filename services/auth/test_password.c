/* Passwords: which are accepted, how they are kept; and the tokens of e-mails. (Over
 * 400 lines: all that hashes runs in the one actor that this file starts.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/metrics.h>

#include "auth.h"
#include "test_folder.h"

const struct trl_config_table *const trl_config_known[] = { NULL };

static void
refuses_the_short_the_long_the_common_and_what_tells_the_person(void **state)
{
	static const struct {
		const char *password;
		bool fine;
	} rows[] = { { "1234567", false }, { "password", false },
		{ "PassWord1", false }, { "1q2w3e4r", false },
		/* nothing, or nearly nothing, again and again */
		{ "        ", false }, { " \t \t \t \t ", false },
		{ "\xc2\xa0\xe2\x80\x83\xe3\x80\x80\xe2\x80\x8b", false },
		{ "\xe3\x85\xa4\xe2\xa0\x80\xe1\xa0\x8e", false },
		{ "zzzzzzzzzzzz", false }, { "abababababab", false },
		{ "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", false },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac"
		  "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac",
		    false },
		/* the person */
		{ "Ada.Lovelace@Example.com", false }, { "Ada Lovelace", false },
		{ "adalovelace", false }, { "lovelace-ada", false },
		{ "LovelaceAda1815", false }, { "Lovelace1!", false },
		{ "ada.lovelace@example.com99", false }, { "ex4mples lovelace", true },
		{ "command7", true }, { "example example", false },
		/* others */
		{ "correct horse battery", true }, { "a lovelace of one's own", true },
		{ "Tr0ub4dor", true }, { "\xf0\x9f\x90\x8e\xf0\x9f\x94\x8b", false },
		{ "\xd0\xb4\xd0\xbb\xd0\xb8\xd0\xbd\xd0\xbd\xd1\x8b\xd0\xb5!", true } };
	char longest[AUTH_PASSWORD_MAX_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (!auth_password_refused(rows[i].password, "ada.lovelace@example.com",
			"Ada Lovelace") != rows[i].fine)
			fail_msg("\"%s\"", rows[i].password);
	assert_null(auth_password_refused("lovelace1", NULL, NULL));
	/* in capitals that are none of ASCII's: Jürgen Łoś, Иван Ђук */
	assert_non_null(auth_password_refused(
	    "J\xc3\x9cRGEN\xc5\x81O\xc5\x9a", NULL, "J\xc3\xbcrgen \xc5\x82o\xc5\x9b"));
	assert_non_null(auth_password_refused(
	    "\xd0\x98\xd0\x92\xd0\x90\xd0\x9d-\xd0\x82\xd0\xa3\xd0\x9a", NULL,
	    "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd \xd0\x82\xd1\x83\xd0\xba"));
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = (char)('a' + i % 26);
	longest[AUTH_PASSWORD_MAX_BYTES + 1] = '\0';
	assert_non_null(auth_password_refused(longest, NULL, NULL));
	longest[AUTH_PASSWORD_MAX_BYTES] = '\0';
	assert_null(auth_password_refused(longest, NULL, NULL));
}

struct work {
	struct auth_passwords passwords;
	void (*run)(trl_ctx *ctx, struct work *work);
	bool done;
};

static void
run_work(trl_ctx *ctx, void *arg)
{
	struct work *work = arg;

	work->run(ctx, work);
	work->done = true;
}

static bool
is_done(void *self)
{
	return ((struct work *)self)->done;
}

static void
in_actor(const char *pepper, void (*run)(trl_ctx *ctx, struct work *work))
{
	trl_loop *loop = trl_loop_new(NULL);
	struct auth_password_config config = {
		.memory_kib = 19456, .passes = 2, .queue = 4
	};
	struct work work = { .run = run };
	struct trl_spawn spec = {
		.name = "test", .run = run_work, .arg = &work, .timeout_ms = 20000
	};

	if (pepper)
		config.pepper = trl_secret_new(pepper, strlen(pepper));
	assert_true(auth_passwords_open(&work.passwords, loop, &config));
	assert_int_equal(trl_spawn(loop, &spec), TRL_OK);
	assert_true(trl_loop_run_until(loop, is_done, &work, 20000));
	auth_passwords_close(&work.passwords);
	trl_secret_free(&config.pepper);
	trl_loop_free(&loop);
}

static void
check(trl_ctx *ctx, struct work *work, const char *kept, const char *password,
    bool want_right, bool want_stale)
{
	bool right, stale;

	assert_int_equal(
	    auth_password_check(ctx, &work->passwords, kept, password, &right, &stale),
	    TRL_OK);
	assert_int_equal(right, want_right);
	assert_int_equal(stale, want_stale);
}

static void
hash_and_check(trl_ctx *ctx, struct work *work)
{
	static const char *const exact[] = { "  spaces around  ",
		"seventy-two bytes and then some, which other functions cut off in "
		"silence: x",
		"seventy-two bytes and then some, which other functions cut off in "
		"silence: y",
		"\xf0\x9f\x90\x8e horse \xc3\xa9", "\x65\xcc\x81 decomposed" };
	char kept[AUTH_PASSWORD_TEXT];

	for (size_t i = 0; i < TRL_COUNT(exact); i++) {
		assert_int_equal(
		    auth_password_hash(ctx, &work->passwords, exact[i], kept), TRL_OK);
		check(ctx, work, kept, exact[i], true, false);
		check(ctx, work, kept, exact[(i + 1) % TRL_COUNT(exact)], false, false);
	}
	assert_non_null(strstr(kept, "$argon2id$v=19$m=19456,t=2,p=1$"));
	check(ctx, work, NULL, exact[0], false, false);
	work->passwords.passes = 3;
	check(ctx, work, kept, exact[TRL_COUNT(exact) - 1], true, true);
}

static void
keeps_passwords_exactly_and_sees_old_costs(void **state)
{
	(void)state;
	in_actor(NULL, hash_and_check);
}

static char kept_plain[AUTH_PASSWORD_TEXT], kept_old[AUTH_PASSWORD_TEXT];

static void
hash_plain(trl_ctx *ctx, struct work *work)
{
	assert_int_equal(
	    auth_password_hash(ctx, &work->passwords, "a good password", kept_plain),
	    TRL_OK);
}

static void
hash_old(trl_ctx *ctx, struct work *work)
{
	assert_int_equal(
	    auth_password_hash(ctx, &work->passwords, "a good password", kept_old),
	    TRL_OK);
	assert_memory_equal(kept_old, "k1$argon2id$", 12);
}

static void
check_rotated(trl_ctx *ctx, struct work *work)
{
	char kept[AUTH_PASSWORD_TEXT];

	check(ctx, work, kept_plain, "a good password", true, true);
	check(ctx, work, kept_old, "a good password", true, true);
	check(ctx, work, kept_old, "a bad password", false, true);
	assert_int_equal(
	    auth_password_hash(ctx, &work->passwords, "a good password", kept), TRL_OK);
	assert_memory_equal(kept, "k2$argon2id$", 12);
	check(ctx, work, kept, "a good password", true, false);
}

static void
check_lost(trl_ctx *ctx, struct work *work)
{
	check(ctx, work, kept_old, "a good password", false, false);
}

#define K1 "k1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define K2 "k2:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void
rotates_peppers_and_knows_nobody_when_one_is_lost(void **state)
{
	(void)state;
	in_actor(NULL, hash_plain);
	in_actor(K1, hash_old);
	in_actor(K2 "," K1 "\n", check_rotated);
	in_actor(K2, check_lost);
}

static void
refuses_a_pepper_of_another_form(void **state)
{
	static const char *const wrong[] = { "secret",
		":0123456789abcdef0123456789abcdef", "k1:short",
		"a$b:0123456789abcdef0123456789abcdef",
		"much-too-long-a-kid:0123456789abcdef0123456789abcdef" };
	trl_loop *loop = trl_loop_new(NULL);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++) {
		struct auth_password_config config = {
			.memory_kib = 19456, .passes = 2, .queue = 4
		};
		struct auth_passwords passwords;

		config.pepper = trl_secret_new(wrong[i], strlen(wrong[i]));
		assert_false(auth_passwords_open(&passwords, loop, &config));
		trl_secret_free(&config.pepper);
	}
	trl_loop_free(&loop);
}

/* The process may map `more` bytes beyond those it has; -1: as many as before. */
static void
bound_memory(long more)
{
	static rlim_t before;
	struct rlimit limit;
	unsigned long pages;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	if (more < 0) {
		limit.rlim_cur = before;
	} else {
		before = limit.rlim_cur;
		limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + (rlim_t)more;
	}
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

/* So much that malloc gives it back after each hash; and less than one takes. */
enum { HASH_BYTES = 64 << 20, NOT_A_HASH = 8 << 20 };

static void
check_without_memory(trl_ctx *ctx, struct work *work)
{
	char kept[AUTH_PASSWORD_TEXT], made[AUTH_PASSWORD_TEXT];
	static const char *const tried[] = { "a good password", "a bad password" };
	bool right, stale;

	work->passwords.memory_bytes = HASH_BYTES;
	assert_int_equal(
	    auth_password_hash(ctx, &work->passwords, "a good password", kept), TRL_OK);
	for (size_t i = 0; i < 3; i++) {
		enum trl_code rc;

		bound_memory(NOT_A_HASH);
		rc = i < 2 ? auth_password_check(
				 ctx, &work->passwords, kept, tried[i], &right, &stale)
			   : auth_password_hash(ctx, &work->passwords, tried[0], made);
		bound_memory(-1);
		assert_int_equal(rc, TRL_BUSY);
		assert_true(ctx->err.retry_after_ms > 0);
		trl_err_clear(ctx);
	}
	check(ctx, work, kept, "a good password", true, false);
	check(ctx, work, kept, "a bad password", false, false);
	assert_int_equal(
	    auth_password_check(ctx, &work->passwords, "$argon2id$v=19$m=broken",
		"a good password", &right, &stale),
	    TRL_INTERNAL);
	trl_err_clear(ctx);
}

/* Neither is a password wrong nor an account impossible because memory is short. */
static void
is_busy_where_a_hash_gets_no_memory(void **state)
{
	struct trl_buf text = { 0 };

	(void)state;
	in_actor(NULL, check_without_memory);
	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	assert_non_null(
	    strstr((char *)text.data, "\ntrellis_argon2_no_memory_total 3\n"));
	trl_buf_fini(&text);
}

static void
does_not_start_where_its_hashes_would_not_fit(void **state)
{
	trl_loop *loop = trl_loop_new(NULL);
	struct auth_password_config config = {
		.memory_kib = 19456, .passes = 2, .queue = 4, .slots = 4
	};
	struct auth_passwords passwords;

	(void)state;
	bound_memory(4 * (19 << 20));
	assert_false(auth_passwords_open(&passwords, loop, &config));
	bound_memory(-1);
	assert_false(auth_memory_fits(4, 64 << 20, 256 << 20));
	assert_true(auth_memory_fits(2, 64 << 20, 256 << 20));
	trl_loop_free(&loop);
}

/* The least of the limits on the way up, of both versions of control groups. */
static void
reads_the_limit_of_its_control_group(void **state)
{
	const char *folder = test_folder_open();
	char groups[200];

	(void)state;
	snprintf(groups, sizeof groups, "%s/groups", folder);
	assert_true(auth_memory_of_group(groups, folder) == SIZE_MAX);
	test_folder_put("groups", "0::/pod/auth\n");
	assert_true(auth_memory_of_group(groups, folder) == SIZE_MAX);
	test_folder_put("pod/auth/memory.max", "max\n");
	assert_true(auth_memory_of_group(groups, folder) == SIZE_MAX);
	test_folder_put("pod/memory.max", "1000000\n");
	assert_int_equal(auth_memory_of_group(groups, folder), 1000000);
	test_folder_put("groups", "4:memory:/pod\n3:cpu,cpuacct:/pod\n");
	test_folder_put("memory/memory.limit_in_bytes", "2000000\n");
	assert_int_equal(auth_memory_of_group(groups, folder), 2000000);
	test_folder_put("groups", "0::/\n");
	test_folder_put("memory.max", "3000000\n");
	assert_int_equal(auth_memory_of_group(groups, folder), 3000000);
	test_folder_close();
}

static void
reads_its_own_tokens_and_no_others(void **state)
{
	struct trl_id account = trl_id_new(), found;
	char text[AUTH_LETTER_TEXT], broken[AUTH_LETTER_TEXT + 8];
	uint8_t hash[AUTH_LETTER_HASH], again[AUTH_LETTER_HASH];
	size_t len;

	(void)state;
	auth_letter_token_new(account, text, hash);
	len = strlen(text);
	assert_true(auth_letter_token_read(text, &found, again));
	assert_true(trl_id_eq(account, found));
	assert_memory_equal(hash, again, sizeof hash);
	for (size_t i = 4; i < len; i++) {
		strcpy(broken, text);
		broken[i] = broken[i] == 'A' ? 'B' : 'A';
		if (auth_letter_token_read(broken, &found, again))
			assert_memory_not_equal(hash, again, sizeof hash);
	}
	strcpy(broken, text);
	broken[len - 1] = '\0';
	assert_false(auth_letter_token_read(broken, &found, again));
	snprintf(broken, sizeof broken, "%sA", text);
	assert_false(auth_letter_token_read(broken, &found, again));
	snprintf(broken, sizeof broken, "%s=", text);
	assert_false(auth_letter_token_read(broken, &found, again));
	assert_false(auth_letter_token_read(text + 4, &found, again));
	assert_false(auth_letter_token_read("", &found, again));
	assert_false(auth_letter_token_read("trm_", &found, again));
}

static void
makes_session_tokens_and_keys_of_the_documented_form(void **state)
{
	char session[TRL_ACCESS_SESSION_TEXT], key[TRL_ACCESS_KEY_TEXT];
	struct trl_id id = trl_id_new(), found;

	(void)state;
	trl_access_session_token(session);
	assert_true(trl_access_is_session(session, strlen(session)));
	assert_int_equal(strlen(session), 47);
	trl_access_key_token(id, key);
	assert_memory_equal(key, "trl_", 4);
	assert_true(trl_access_key_parse(key, strlen(key), &found));
	assert_true(trl_id_eq(id, found));
	key[40] = key[40] == 'A' ? 'B' : 'A';
	assert_false(trl_access_key_parse(key, strlen(key), &found));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    refuses_the_short_the_long_the_common_and_what_tells_the_person),
		cmocka_unit_test(keeps_passwords_exactly_and_sees_old_costs),
		cmocka_unit_test(rotates_peppers_and_knows_nobody_when_one_is_lost),
		cmocka_unit_test(refuses_a_pepper_of_another_form),
		cmocka_unit_test(is_busy_where_a_hash_gets_no_memory),
		cmocka_unit_test(does_not_start_where_its_hashes_would_not_fit),
		cmocka_unit_test(reads_the_limit_of_its_control_group),
		cmocka_unit_test(reads_its_own_tokens_and_no_others),
		cmocka_unit_test(makes_session_tokens_and_keys_of_the_documented_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
