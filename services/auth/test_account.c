/* Signing up, proving an address, logging in, one's own account. (Over 400 lines: what
 * one person does in a row.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static const char good[] = "correct horse battery";

static void
signs_up_with_a_session_and_a_letter(void **state)
{
	const char *email = world_email("Ada"), *small = "a";
	Auth__V1__ResolvedSession *who;
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	small = trl_arena_printf(world.arena, "a%s", email + 1);
	assert_string_equal(made->account->email, small);
	assert_false(made->account->email_verified);
	assert_int_equal(made->account->version, 1);
	assert_int_equal(world_resolve(made->session->token, &who), TRL_OK);
	assert_memory_equal(who->account_id.data, made->account->id.data, 16);
	assert_false(who->verified);
	assert_int_equal(world_letters(small), 1);
	assert_string_equal(
	    world_sql("select count(*) from session s join session_directory "
		      "d using (token_hash) where s.account_id = '%s'",
		world_id_text(trl_value_id(made->account->id))),
	    "1");
}

static void
keeps_no_password_and_no_token_in_clear(void **state)
{
	const char *email = world_email("ada");
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	assert_string_equal(
	    world_sql("select count(*) from account where password_hash not like "
		      "'$argon2id$v=19$m=19456,t=2,p=1$%%'"),
	    "0");
	/* The stored reply of the record holds the token: sealed. */
	assert_string_equal(
	    world_sql("select count(*) from idempotency where position('%s'::bytea "
		      "in reply) > 0 or not sealed",
		made->session->token),
	    "0");
}

static void
refuses_a_taken_address_after_the_same_work(void **state)
{
	const char *email = world_email("ada");
	uint64_t hashes;
	const char *first;

	(void)state;
	world_trace_begin();
	assert_int_equal(world_sign_up(email, good, NULL), TRL_OK);
	first = trl_arena_strdup(world.arena, world_trace());
	hashes = world_auth()->passwords.hashes;
	world_trace_begin();
	assert_int_equal(world_sign_up(email, "another good one", NULL), TRL_EXISTS);
	assert_string_equal(world.err.field, "email");
	assert_string_equal(world_trace(), first);
	assert_int_equal(world_auth()->passwords.hashes, hashes + 1);
	assert_int_equal(world_letters(email), 1);
	assert_string_equal(
	    world_sql("select count(*) from account where email = '%s'", email), "1");
}

/* Reliability, case 48. */
static void
refuses_a_weak_or_endless_password(void **state)
{
	char *endless = trl_arena_zalloc(world.arena, 1 << 18);
	char *wide = trl_arena_zalloc(world.arena, 2002);

	(void)state;
	memset(endless, 'x', (1 << 18) - 1);
	for (size_t i = 0; i < 2000; i += 2)
		memcpy(wide + i, "\xc3\xa9", 2);
	assert_int_equal(
	    world_sign_up(world_email("ada"), "password1", NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "password");
	assert_int_equal(world_sign_up(world_email("ada"), "short", NULL), TRL_INVALID);
	assert_int_equal(world_sign_up(world_email("ada"), endless, NULL), TRL_INVALID);
	assert_int_equal(world_sign_up(world_email("ada"), wide, NULL), TRL_INVALID);
	assert_int_equal(world_sign_up("not an address", good, NULL), TRL_INVALID);
}

static void
runs_once_under_one_idempotency_key_even_at_the_same_time(void **state)
{
	Auth__V1__SignUpRequest in = AUTH__V1__SIGN_UP_REQUEST__INIT;
	struct world_run runs[2] = { { .method = &auth_v1_sign_up },
		{ .method = &auth_v1_sign_up } };
	struct world_run *both[] = { &runs[0], &runs[1] };
	struct world_caller same = { .idempotency_key = "once-and-only-once" };
	int good_ones = 0;
	auth_signed_in *first, *again;

	(void)state;
	in.email = (char *)world_email("ada");
	in.password = (char *)good;
	in.display_name = "Ada";
	for (int i = 0; i < 2; i++) {
		runs[i].in = &in.base;
		runs[i].who = same;
		world_start(&runs[i]);
	}
	world_wait(both, 2);
	for (int i = 0; i < 2; i++) {
		if (runs[i].rc == TRL_OK)
			good_ones++;
		else
			assert_int_equal(runs[i].rc, TRL_CONFLICT);
	}
	assert_true(good_ones >= 1);
	assert_string_equal(
	    world_sql("select count(*) from account where email = '%s'", in.email),
	    "1");
	first = (auth_signed_in *)(runs[0].rc == TRL_OK ? runs[0].out : runs[1].out);
	assert_int_equal(world_call(&same, &auth_v1_sign_up, &in.base, &again), TRL_OK);
	assert_true(world.replayed);
	assert_string_equal(again->session->token, first->session->token);
	in.display_name = "Eve";
	assert_int_equal(
	    world_call(&same, &auth_v1_sign_up, &in.base, NULL), TRL_INVALID);
	assert_int_equal(world_letters(in.email), 1);
}

static enum trl_code
resend(const char *email)
{
	Auth__V1__ResendVerificationRequest in =
	    AUTH__V1__RESEND_VERIFICATION_REQUEST__INIT;

	in.email = (char *)email;
	return world_call(NULL, &auth_v1_resend_verification, &in.base, NULL);
}

/* By whoever signed up (NULL: nobody), with a password or without. */
static enum trl_code
verify(const auth_signed_in *by, const char *token, const char *password)
{
	Auth__V1__VerifyEmailRequest in = AUTH__V1__VERIFY_EMAIL_REQUEST__INIT;
	struct world_caller who = { 0 };

	if (by)
		who = world_who(by);
	in.token = (char *)token;
	in.password = (char *)password;
	return world_call(&who, &auth_v1_verify_email, &in.base, NULL);
}

static void
proves_an_address_once(void **state)
{
	const char *email = world_email("ada"), *token;
	Auth__V1__FindAccountRequest find = AUTH__V1__FIND_ACCOUNT_REQUEST__INIT;
	Auth__V1__ResolvedSession *who;
	Auth__V1__AccountFacts *facts;
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	token = world_letter_token(email, 1);
	world_trace_begin();
	assert_int_equal(verify(made, token, NULL), TRL_OK);
	assert_non_null(strstr(world_trace(), "bump account"));
	assert_int_equal(world_resolve(made->session->token, &who), TRL_OK);
	assert_true(who->verified);
	find.email = (char *)email;
	assert_int_equal(
	    world_call(NULL, &auth_v1_find_account, &find.base, &facts), TRL_OK);
	assert_true(facts->verified);
	assert_memory_equal(facts->account_id.data, made->account->id.data, 16);
	assert_int_equal(verify(made, token, NULL), TRL_MALFORMED);
	assert_int_equal(verify(made, "trm_nonsense", NULL), TRL_MALFORMED);
}

static void
refuses_an_expired_verification(void **state)
{
	const char *email = world_email("ada"), *token;
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	token = world_letter_token(email, 1);
	world.now_us = trl_wall_us() + (AUTH_VERIFY_HOURS + 1) * INT64_C(3600000000);
	assert_int_equal(verify(made, token, NULL), TRL_MALFORMED);
}

/* Somebody signed up with the address of another and waits there. */
static void
lets_nobody_wait_in_an_account_that_its_owner_confirms(void **state)
{
	const char *email = world_email("boss"), *first, *second;
	auth_signed_in *waiting, *other;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &waiting), TRL_OK);
	assert_int_equal(world_sign_up(world_email("eve"), good, &other), TRL_OK);
	assert_int_equal(resend(email), TRL_OK);
	first = world_letter_token(email, 2);
	assert_int_equal(resend(email), TRL_OK);
	second = world_letter_token(email, 3);
	/* Neither a bare click nor a session of another account proves anything. */
	assert_int_equal(verify(NULL, first, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "password");
	assert_int_equal(verify(other, first, NULL), TRL_INVALID);
	assert_int_equal(verify(NULL, first, "password1"), TRL_INVALID);
	assert_int_equal(world_resolve(waiting->session->token, NULL), TRL_OK);
	assert_string_equal(
	    world_sql("select email_verified from account where email = '%s'", email),
	    "f");
	/* A password chosen by the link's reader does, and ends all that was. */
	assert_int_equal(verify(NULL, first, "the boss chose this"), TRL_OK);
	assert_string_equal(
	    world_sql("select email_verified from account where email = '%s'", email),
	    "t");
	assert_int_equal(world_resolve(waiting->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_log_in(email, good, NULL), TRL_UNAUTHENTICATED);
	assert_int_equal(world_log_in(email, "the boss chose this", NULL), TRL_OK);
	assert_int_equal(verify(NULL, second, "chosen once more"), TRL_MALFORMED);
	assert_int_equal(world_log_in(email, "the boss chose this", NULL), TRL_OK);
}

/* A link sent earlier is no way to set a password once the address is proven. */
static void
voids_the_other_links_of_a_proven_address(void **state)
{
	const char *email = world_email("ada"), *first;
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	first = world_letter_token(email, 1);
	assert_int_equal(resend(email), TRL_OK);
	assert_int_equal(verify(made, world_letter_token(email, 2), NULL), TRL_OK);
	assert_int_equal(world_resolve(made->session->token, NULL), TRL_OK);
	assert_int_equal(verify(NULL, first, "set by an old link"), TRL_MALFORMED);
	assert_int_equal(verify(made, first, NULL), TRL_MALFORMED);
}

static void
resends_alike_for_known_unknown_and_proven(void **state)
{
	const char *email = world_email("ada"), *known;
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	world.address = "203.0.113.8"; /* not where it was signed up */
	world_trace_begin();
	assert_int_equal(resend(email), TRL_OK);
	known = trl_arena_strdup(world.arena, world_trace());
	assert_int_equal(world_letters(email), 2);
	world_trace_begin();
	assert_int_equal(resend(world_email("nobody")), TRL_OK);
	assert_string_equal(world_trace(), known);
	assert_int_equal(verify(made, world_letter_token(email, 2), NULL), TRL_OK);
	world_trace_begin();
	assert_int_equal(resend(email), TRL_OK);
	assert_string_equal(world_trace(), known);
	assert_int_equal(world_letters(email), 2);
}

/* Reliability, case 43. */
static void
refuses_unknown_and_wrong_alike_after_the_same_work(void **state)
{
	const char *email = world_email("ada"), *known;
	uint64_t hashes, start;
	struct trl_err wrong;

	(void)state;
	assert_int_equal(world_sign_up(email, good, NULL), TRL_OK);
	world.address = "203.0.113.8"; /* not where it was signed up */
	hashes = world_auth()->passwords.hashes;
	world_trace_begin();
	start = trl_mono_us();
	assert_int_equal(world_log_in(email, "wrong", NULL), TRL_UNAUTHENTICATED);
	print_message("wrong password: %d us\n", (int)(trl_mono_us() - start));
	known = trl_arena_strdup(world.arena, world_trace());
	wrong = world.err;
	assert_int_equal(world_auth()->passwords.hashes, hashes + 1);
	world_trace_begin();
	start = trl_mono_us();
	assert_int_equal(
	    world_log_in(world_email("nobody"), "wrong", NULL), TRL_UNAUTHENTICATED);
	print_message("unknown address: %d us\n", (int)(trl_mono_us() - start));
	assert_string_equal(world_trace(), known);
	assert_int_equal(world_auth()->passwords.hashes, hashes + 2);
	assert_string_equal(world.err.message, wrong.message);
	assert_string_equal(world.err.field, wrong.field);
}

static void
logs_in_by_any_case_of_the_address_and_the_exact_password(void **state)
{
	const char *email = world_email("ada");
	char *loud = trl_arena_strdup(world.arena, email);
	auth_signed_in *first, *second;

	(void)state;
	loud[0] = 'A';
	assert_int_equal(world_sign_up(email, " spaced out ", &first), TRL_OK);
	assert_int_equal(world_log_in(loud, "spaced out", NULL), TRL_UNAUTHENTICATED);
	assert_int_equal(world_log_in(loud, " spaced out ", &second), TRL_OK);
	assert_string_not_equal(first->session->token, second->session->token);
	assert_memory_equal(first->account->id.data, second->account->id.data, 16);
}

static void
hashes_again_when_the_costs_have_changed(void **state)
{
	const char *email = world_email("ada");

	(void)state;
	assert_int_equal(world_sign_up(email, good, NULL), TRL_OK);
	world_auth()->passwords.passes = 3;
	assert_int_equal(world_log_in(email, good, NULL), TRL_OK);
	assert_string_equal(
	    world_sql("select count(*) from account where email = '%s' and "
		      "password_hash like '$argon2id$v=19$m=19456,t=3,%%'",
		email),
	    "1");
	world_auth()->passwords.passes = 2;
	assert_int_equal(world_log_in(email, good, NULL), TRL_OK);
}

static void
slows_down_who_guesses_at_one_account(void **state)
{
	const char *email = world_email("ada"), *other = world_email("bob");
	int tries = 0;

	(void)state;
	world_rate_scale("1");
	while (world_log_in(email, "wrong", NULL) == TRL_UNAUTHENTICATED && tries < 20)
		tries++;
	assert_int_equal(world.err.code, TRL_RATE);
	assert_true(world.err.retry_after_ms > 0);
	assert_in_range(tries, 5, 6);
	assert_int_equal(world_log_in(other, "wrong", NULL), TRL_UNAUTHENTICATED);
	world_rate_scale("1000");
}

static void
changes_at_once_all_count(void **state)
{
	enum { N = 20 };
	Auth__V1__UpdateMeRequest in[N];
	struct world_run run[N], *runs[N];
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(world_email("ada"), good, &made), TRL_OK);
	for (int i = 0; i < N; i++) {
		auth__v1__update_me_request__init(&in[i]);
		in[i].display_name = trl_arena_printf(world.arena, "Ada %d", i);
		run[i] = (struct world_run){ .who = world_who(made),
			.method = &auth_v1_update_me,
			.in = &in[i].base };
		runs[i] = &run[i];
		world_start(&run[i]);
	}
	world_wait(runs, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(run[i].rc, TRL_OK);
	assert_string_equal(
	    world_sql("select version from account where account_id = '%s'",
		world_id_text(trl_value_id(made->account->id))),
	    "21");
}

static void
shows_and_changes_ones_own_account(void **state)
{
	Auth__V1__GetMeRequest get = AUTH__V1__GET_ME_REQUEST__INIT;
	Auth__V1__UpdateMeRequest update = AUTH__V1__UPDATE_ME_REQUEST__INIT;
	Auth__V1__Account *account;
	Auth__V1__Me *me;
	auth_signed_in *made;
	struct world_caller who;
	char csrf[TRL_ACCESS_CSRF_TEXT];
	uint8_t hash[TRL_ACCESS_HASH];
	char *clear[] = { "locale" };

	(void)state;
	assert_int_equal(world_sign_up(world_email("ada"), good, &made), TRL_OK);
	who = world_who(made);
	assert_int_equal(world_call(&who, &auth_v1_get_me, &get.base, &me), TRL_OK);
	trl_access_hash(made->session->token, strlen(made->session->token), hash);
	trl_access_csrf(hash, csrf);
	assert_string_equal(me->csrf_token, csrf);
	update.display_name = "Ada L.";
	update.locale = "en-GB";
	trl_set(&who, if_version, 1);
	assert_int_equal(
	    world_call(&who, &auth_v1_update_me, &update.base, &account), TRL_OK);
	assert_int_equal(account->version, 2);
	assert_string_equal(account->locale, "en-GB");
	assert_int_equal(
	    world_call(&who, &auth_v1_update_me, &update.base, NULL), TRL_PRECONDITION);
	who.has_if_version = false;
	/* What is there already is no change, and nobody is told. */
	assert_int_equal(
	    world_call(&who, &auth_v1_update_me, &update.base, &account), TRL_OK);
	assert_int_equal(account->version, 2);
	assert_string_equal(account->display_name, "Ada L.");
	assert_string_equal(
	    world_sql("select count(*) from outbox where subject_id = '%s' and type = "
		      "'auth.account.updated'",
		world_id_text(trl_value_id(account->id))),
	    "1");
	update.display_name = update.locale = NULL;
	update.clear = clear;
	update.n_clear = 1;
	assert_int_equal(
	    world_call(&who, &auth_v1_update_me, &update.base, &account), TRL_OK);
	assert_null(account->locale);
	assert_string_equal(account->display_name, "Ada L.");
}

static void
names_the_accounts_that_exist(void **state)
{
	Auth__V1__ListAccountsRequest in = AUTH__V1__LIST_ACCOUNTS_REQUEST__INIT;
	Auth__V1__FindAccountRequest find = AUTH__V1__FIND_ACCOUNT_REQUEST__INIT;
	struct trl_id nobody = trl_id_new();
	ProtobufCBinaryData ids[3];
	Auth__V1__ListAccountsReply *out;
	auth_signed_in *ada, *bob;

	(void)state;
	assert_int_equal(world_sign_up(world_email("ada"), good, &ada), TRL_OK);
	assert_int_equal(world_sign_up(world_email("bob"), good, &bob), TRL_OK);
	ids[0] = ada->account->id;
	ids[1] = (ProtobufCBinaryData){ 16, nobody.bytes };
	ids[2] = bob->account->id;
	in.account_ids = ids;
	in.n_account_ids = 3;
	assert_int_equal(
	    world_call(NULL, &auth_v1_list_accounts, &in.base, &out), TRL_OK);
	assert_int_equal(out->n_items, 2);
	trl_set(&find, account_id, ids[1]);
	assert_int_equal(
	    world_call(NULL, &auth_v1_find_account, &find.base, NULL), TRL_NOT_FOUND);
}

#define TEST(f) cmocka_unit_test_teardown(f, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signs_up_with_a_session_and_a_letter),
		TEST(keeps_no_password_and_no_token_in_clear),
		TEST(refuses_a_taken_address_after_the_same_work),
		TEST(refuses_a_weak_or_endless_password),
		TEST(runs_once_under_one_idempotency_key_even_at_the_same_time),
		TEST(proves_an_address_once),
		TEST(refuses_an_expired_verification),
		TEST(lets_nobody_wait_in_an_account_that_its_owner_confirms),
		TEST(voids_the_other_links_of_a_proven_address),
		TEST(resends_alike_for_known_unknown_and_proven),
		TEST(refuses_unknown_and_wrong_alike_after_the_same_work),
		TEST(logs_in_by_any_case_of_the_address_and_the_exact_password),
		TEST(hashes_again_when_the_costs_have_changed),
		TEST(slows_down_who_guesses_at_one_account),
		TEST(changes_at_once_all_count),
		TEST(shows_and_changes_ones_own_account),
		TEST(names_the_accounts_that_exist),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
