/* Forgotten, reset and changed passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static const char old[] = "correct horse battery", fresh[] = "staple trombone lantern";

static enum trl_code
forgot(const char *email)
{
	Auth__V1__ForgotPasswordRequest in = AUTH__V1__FORGOT_PASSWORD_REQUEST__INIT;

	in.email = (char *)email;
	return world_call(NULL, &auth_v1_forgot_password, &in.base, NULL);
}

static enum trl_code
reset_under(const char *key, const char *token, const char *password)
{
	Auth__V1__ResetPasswordRequest in = AUTH__V1__RESET_PASSWORD_REQUEST__INIT;
	struct world_caller who = { .idempotency_key = key };

	in.token = (char *)token;
	in.password = (char *)password;
	return world_call(&who, &auth_v1_reset_password, &in.base, NULL);
}

static enum trl_code
reset(const char *token, const char *password)
{
	return reset_under(NULL, token, password);
}

/* Reliability, case 43. */
static void
answers_alike_for_known_and_unknown_after_the_same_work(void **state)
{
	const char *email = world_email("ada"), *nobody = world_email("nobody"), *known;

	(void)state;
	assert_int_equal(world_sign_up(email, old, NULL), TRL_OK);
	world.address = "203.0.113.8"; /* not where it was signed up */
	world_trace_begin();
	assert_int_equal(forgot(email), TRL_OK);
	known = trl_arena_strdup(world.arena, world_trace());
	world_trace_begin();
	assert_int_equal(forgot(nobody), TRL_OK);
	assert_string_equal(world_trace(), known);
	assert_int_equal(world_letters(email), 2);
	assert_int_equal(world_letters(nobody), 0);
	assert_string_equal(
	    world_sql("select count(*) from letter l left join account a using "
		      "(account_id) where a.account_id is null"),
	    "0");
}

/* Reliability, case 45 and case 46. */
static void
resets_once_ends_all_sessions_and_does_not_sign_in(void **state)
{
	const char *email = world_email("ada"), *token;
	auth_signed_in *first, *second;

	(void)state;
	assert_int_equal(world_sign_up(email, old, &first), TRL_OK);
	assert_int_equal(world_log_in(email, old, &second), TRL_OK);
	assert_int_equal(forgot(email), TRL_OK);
	token = world_letter_token(email, 2);
	world_trace_begin();
	assert_int_equal(reset(token, fresh), TRL_OK);
	assert_non_null(strstr(world_trace(), "bump account"));
	assert_null(strstr(world_trace(), "session_insert"));
	assert_int_equal(world_resolve(first->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_resolve(second->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_log_in(email, old, NULL), TRL_UNAUTHENTICATED);
	assert_int_equal(world_log_in(email, fresh, NULL), TRL_OK);
	assert_int_equal(reset(token, "yet another password"), TRL_MALFORMED);
	assert_int_equal(world_log_in(email, fresh, NULL), TRL_OK);
	assert_int_equal(world_letters(email), 3);
	/* The link went to the address, so it is proven; and only now. */
	assert_string_equal(
	    world_sql("select a.email_verified and d.verified from account a join "
		      "account_directory d using (email) where email = '%s'",
		email),
	    "t");
	assert_string_equal(
	    world_sql(
		"select count(*) from outbox where type = "
		"'auth.account.verified' and position('%s'::bytea in payload) > 0",
		email),
	    "1");
	assert_int_equal(forgot(email), TRL_OK);
	assert_int_equal(
	    reset(world_letter_token(email, 4), "once more, again"), TRL_OK);
	assert_string_equal(
	    world_sql("select version from account where email = '%s'", email), "4");
}

static void
gives_a_retried_reset_its_answer_again(void **state)
{
	const char *email = world_email("ada"), *token;

	(void)state;
	assert_int_equal(world_sign_up(email, old, NULL), TRL_OK);
	assert_int_equal(forgot(email), TRL_OK);
	token = world_letter_token(email, 2);
	assert_int_equal(reset_under("reset-retried", token, fresh), TRL_OK);
	assert_false(world.replayed);
	/* The first run may have been killed between its commit and the epoch. */
	world_trace_begin();
	assert_int_equal(reset_under("reset-retried", token, fresh), TRL_OK);
	assert_true(world.replayed);
	assert_non_null(strstr(world_trace(), "bump account"));
}

/* Reliability, case 46. */
static void
refuses_a_link_that_expired_or_is_for_another_purpose_or_account(void **state)
{
	const char *ada = world_email("ada"), *bob = world_email("bob");
	const char *verification, *token;
	char *forged;

	(void)state;
	assert_int_equal(world_sign_up(ada, old, NULL), TRL_OK);
	verification = world_letter_token(ada, 1);
	assert_int_equal(world_sign_up(bob, old, NULL), TRL_OK);
	assert_int_equal(reset(verification, fresh), TRL_MALFORMED);
	assert_int_equal(forgot(ada), TRL_OK);
	token = world_letter_token(ada, 2);
	/* Ada's secret under Bob's account. */
	forged = trl_arena_strdup(world.arena, world_letter_token(bob, 1));
	strcpy(forged + 4 + 22, token + 4 + 22);
	assert_int_equal(reset(forged, fresh), TRL_MALFORMED);
	assert_int_equal(reset(token, "password1"), TRL_INVALID);
	world.now_us = trl_wall_us() + (AUTH_RESET_MINUTES + 1) * INT64_C(60000000);
	assert_int_equal(reset(token, fresh), TRL_MALFORMED);
	world.now_us = 0;
	assert_int_equal(world_log_in(ada, old, NULL), TRL_OK);
	assert_int_equal(reset(token, fresh), TRL_OK);
}

static void
sets_one_password_when_two_links_are_used_at_once(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__ResetPasswordRequest in[2] = { AUTH__V1__RESET_PASSWORD_REQUEST__INIT,
		AUTH__V1__RESET_PASSWORD_REQUEST__INIT };
	struct world_run runs[2] = { { .method = &auth_v1_reset_password },
		{ .method = &auth_v1_reset_password } };
	struct world_run *both[] = { &runs[0], &runs[1] };
	int done = 0;

	(void)state;
	assert_int_equal(world_sign_up(email, old, NULL), TRL_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(forgot(email), TRL_OK);
		in[i].token = (char *)world_letter_token(email, 2 + i);
		in[i].password = i == 0 ? "the first of both" : "the second of both";
		runs[i].in = &in[i].base;
	}
	world_start(&runs[0]);
	world_start(&runs[1]);
	world_wait(both, 2);
	for (int i = 0; i < 2; i++) {
		done += runs[i].rc == TRL_OK;
		assert_int_equal(world_log_in(email, in[i].password, NULL) == TRL_OK,
		    runs[i].rc == TRL_OK);
	}
	assert_int_equal(done, 1);
}

static enum trl_code
change(const struct world_caller *who, const char *from, const char *to,
    auth_signed_in **out)
{
	Auth__V1__ChangePasswordRequest in = AUTH__V1__CHANGE_PASSWORD_REQUEST__INIT;

	in.current_password = (char *)from;
	in.password = (char *)to;
	return world_call(who, &auth_v1_change_password, &in.base, out);
}

static void
changes_the_password_ends_every_session_and_gives_a_new_one(void **state)
{
	const char *email = world_email("ada"), *link;
	auth_signed_in *mine, *other, *after;
	struct world_caller who;

	(void)state;
	assert_int_equal(world_sign_up(email, old, &mine), TRL_OK);
	assert_int_equal(world_log_in(email, old, &other), TRL_OK);
	assert_int_equal(forgot(email), TRL_OK);
	link = world_letter_token(email, 2);
	who = world_who(mine);
	assert_int_equal(change(&who, "wrong password", fresh, NULL), TRL_DENIED);
	assert_string_equal(world.err.field, "current_password");
	assert_int_equal(change(&who, old, "password1", NULL), TRL_INVALID);
	world_trace_begin();
	assert_int_equal(change(&who, old, fresh, &after), TRL_OK);
	assert_non_null(strstr(world_trace(), "bump account"));
	assert_int_equal(world_resolve(mine->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_resolve(other->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_resolve(after->session->token, NULL), TRL_OK);
	assert_int_equal(world_log_in(email, old, NULL), TRL_UNAUTHENTICATED);
	assert_int_equal(world_log_in(email, fresh, NULL), TRL_OK);
	assert_int_equal(reset(link, "by the old link"), TRL_MALFORMED);
	assert_int_equal(world_letters(email), 3);
}

/* A change may wait for its hashes; whoever ended the session meanwhile ended it, too.
 */
static void
changes_nothing_under_a_session_that_has_ended(void **state)
{
	Auth__V1__RevokeMySessionsRequest all =
	    AUTH__V1__REVOKE_MY_SESSIONS_REQUEST__INIT;
	Auth__V1__UpdateMeRequest rename = AUTH__V1__UPDATE_ME_REQUEST__INIT;
	const char *email = world_email("ada");
	struct world_caller who, owner;
	auth_signed_in *thief, *mine;

	(void)state;
	assert_int_equal(world_sign_up(email, old, &thief), TRL_OK);
	assert_int_equal(world_log_in(email, old, &mine), TRL_OK);
	who = world_who(thief);
	owner = world_who(mine);
	all.has_keep_current = all.keep_current = true;
	assert_int_equal(
	    world_call(&owner, &auth_v1_revoke_my_sessions, &all.base, NULL), TRL_OK);
	assert_int_equal(change(&who, old, fresh, NULL), TRL_UNAUTHENTICATED);
	rename.display_name = "Eve";
	assert_int_equal(world_call(&who, &auth_v1_update_me, &rename.base, NULL),
	    TRL_UNAUTHENTICATED);
	assert_int_equal(
	    world_call(&owner, &auth_v1_update_me, &rename.base, NULL), TRL_OK);
	assert_int_equal(world_log_in(email, old, NULL), TRL_OK);
}

/* What travels to notify holds the token only sealed. */
static void
keeps_no_letters_token_in_clear(void **state)
{
	const char *email = world_email("ada"), *token;

	(void)state;
	assert_int_equal(world_sign_up(email, old, NULL), TRL_OK);
	token = world_letter_token(email, 1);
	assert_string_equal(
	    world_sql("select count(*) from outbox where position('%s'::bytea in "
		      "payload) > 0",
		token),
	    "0");
}

#define TEST(f) cmocka_unit_test_teardown(f, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_alike_for_known_and_unknown_after_the_same_work),
		TEST(resets_once_ends_all_sessions_and_does_not_sign_in),
		TEST(gives_a_retried_reset_its_answer_again),
		TEST(refuses_a_link_that_expired_or_is_for_another_purpose_or_account),
		TEST(sets_one_password_when_two_links_are_used_at_once),
		TEST(changes_the_password_ends_every_session_and_gives_a_new_one),
		TEST(changes_nothing_under_a_session_that_has_ended),
		TEST(keeps_no_letters_token_in_clear),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
