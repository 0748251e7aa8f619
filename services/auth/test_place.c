/* Whoever tries passwords for an address keeps strangers out, and not its owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static const char good[] = "correct horse battery", fresh[] = "staple trombone lantern";
static const char *const attackers[] = { "198.51.100.1", "198.51.100.2",
	"2001:db8:1::1" };

static enum trl_code
log_in_from(const char *address, const char *email, const char *password)
{
	world.address = address;
	return world_log_in(email, password, NULL);
}

/* Each of three tries a wrong password until they are refused for their number. */
static void
attack(const char *email)
{
	for (size_t i = 0; i < TRL_COUNT(attackers); i++)
		for (int n = 0;; n++) {
			enum trl_code rc =
			    log_in_from(attackers[i], email, "wrong wrong wrong");

			if (rc == TRL_RATE)
				break;
			assert_int_equal(rc, TRL_UNAUTHENTICATED);
			assert_true(n < 20);
		}
}

static int
enter(void **state)
{
	(void)state;
	world_rate_scale("1");
	return 0;
}

static int
leave(void **state)
{
	world_rate_scale("1000");
	return world_forget(state);
}

static void
lets_the_owner_in_while_others_try_passwords(void **state)
{
	const char *email = world_email("ada");
	int in = 0;
	enum trl_code rc = TRL_OK;

	(void)state;
	world.address = "203.0.113.7";
	assert_int_equal(world_sign_up(email, good, NULL), TRL_OK);
	for (int i = 0; i < 30; i++) {
		attack(email);
		in += log_in_from("203.0.113.7", email, good) == TRL_OK;
	}
	assert_int_equal(in, 30);
	/* The own bucket has a bottom. It gains one in two seconds, so on a busy
	 * machine a few are left. */
	for (int n = 0; n < 30 && rc == TRL_OK; n++)
		rc = log_in_from("203.0.113.7", email, good);
	assert_int_equal(rc, TRL_RATE);
	attack(email);
	/* A stranger is limited with the attackers, whatever the password. */
	assert_int_equal(log_in_from("203.0.113.8", email, good), TRL_RATE);
}

/* The record is in PostgreSQL, and Redis may be lost. */
static void
knows_a_household_by_its_network(void **state)
{
	const char *email = world_email("ada");

	(void)state;
	world.address = "2001:db8:7:7::1";
	assert_int_equal(world_sign_up(email, good, NULL), TRL_OK);
	attack(email);
	assert_int_equal(log_in_from("2001:db8:7:7:ffff::2", email, good), TRL_OK);
	assert_int_equal(log_in_from("2001:db8:7:8::1", email, good), TRL_RATE);
}

static enum trl_code
forgot(const char *email)
{
	Auth__V1__ForgotPasswordRequest in = AUTH__V1__FORGOT_PASSWORD_REQUEST__INIT;

	in.email = (char *)email;
	return world_call(NULL, &auth_v1_forgot_password, &in.base, NULL);
}

/* From where nobody signed in before: by mail, whoever else asks for mails. */
static void
lets_the_owner_in_from_anywhere_by_mail(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__ResetPasswordRequest in = AUTH__V1__RESET_PASSWORD_REQUEST__INIT;

	(void)state;
	world.address = "203.0.113.7";
	assert_int_equal(world_sign_up(email, good, NULL), TRL_OK);
	attack(email);
	world.address = attackers[0];
	while (forgot(email) == TRL_OK)
		;
	world.address = "203.0.113.7";
	assert_int_equal(forgot(email), TRL_OK);
	in.token = (char *)world_letter_token(email, 5);
	in.password = (char *)fresh;
	world.address = "203.0.113.99";
	assert_int_equal(log_in_from(world.address, email, good), TRL_RATE);
	assert_int_equal(
	    world_call(NULL, &auth_v1_reset_password, &in.base, NULL), TRL_OK);
	assert_int_equal(log_in_from("203.0.113.99", email, fresh), TRL_OK);
	/* The former places went with the former password. */
	assert_int_equal(log_in_from("203.0.113.7", email, fresh), TRL_RATE);
}

static void
lets_the_owner_change_the_password_meanwhile(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__ChangePasswordRequest in = AUTH__V1__CHANGE_PASSWORD_REQUEST__INIT;
	struct world_caller who;
	auth_signed_in *made;

	(void)state;
	world.address = "203.0.113.7";
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	attack(email);
	world.address = "203.0.113.8";
	who = world_who(made);
	in.current_password = (char *)good;
	in.password = (char *)fresh;
	assert_int_equal(
	    world_call(&who, &auth_v1_change_password, &in.base, NULL), TRL_OK);
}

static void
does_the_same_work_for_known_and_unknown_accounts(void **state)
{
	const char *email = world_email("ada"), *known;

	(void)state;
	world.address = "203.0.113.7";
	assert_int_equal(world_sign_up(email, good, NULL), TRL_OK);
	world_trace_begin();
	assert_int_equal(
	    log_in_from("203.0.113.8", email, "wrong wrong"), TRL_UNAUTHENTICATED);
	known = trl_arena_strdup(world.arena, world_trace());
	world_trace_begin();
	assert_int_equal(
	    log_in_from("203.0.113.8", world_email("nobody"), "wrong wrong"),
	    TRL_UNAUTHENTICATED);
	assert_string_equal(world_trace(), known);
}

static void
remembers_a_bounded_number_of_places_and_no_address(void **state)
{
	const char *email = world_email("ada"), *account;
	auth_signed_in *made;

	(void)state;
	world_rate_scale("1000");
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	account = world_id_text(trl_value_id(made->account->id));
	for (int i = 0; i < 2 * AUTH_PLACES_MAX; i++) {
		world.now_us = trl_wall_us() + i * INT64_C(1000000);
		assert_int_equal(
		    log_in_from(
			trl_arena_printf(world.arena, "203.0.113.%d", i), email, good),
		    TRL_OK);
	}
	assert_string_equal(
	    world_sql("select count(*) from place where account_id = '%s'", account),
	    "16");
	/* The one used last is among them: another login writes nothing. */
	world_trace_begin();
	assert_int_equal(log_in_from(world.address, email, good), TRL_OK);
	assert_non_null(strstr(world_trace(), "limit login, known"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lets_the_owner_in_while_others_try_passwords),
		TEST(knows_a_household_by_its_network),
		TEST(lets_the_owner_in_from_anywhere_by_mail),
		TEST(lets_the_owner_change_the_password_meanwhile),
		TEST(does_the_same_work_for_known_and_unknown_accounts),
		TEST(remembers_a_bounded_number_of_places_and_no_address),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
