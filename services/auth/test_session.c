/* Sessions: resolved, listed, ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static const char good[] = "correct horse battery";
static const int64_t minute = 60000000;

/* Reliability, case 49. */
static void
ends_after_idle_time_and_after_all(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__ResolvedSession *who;
	auth_signed_in *made;
	int64_t start = trl_wall_us(), now;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	assert_int_equal(world_resolve(made->session->token, &who), TRL_OK);
	assert_in_range(trl_value_time_us(who->expires_at), start + 30 * minute,
	    trl_wall_us() + 30 * minute);
	world.now_us = start + 31 * minute;
	assert_int_equal(world_resolve(made->session->token, NULL), TRL_NOT_FOUND);
	/* Used every 20 minutes it lives, until the 24 hours are over. */
	for (now = start + 20 * minute; now < start + 1440 * minute;
	     now += 20 * minute) {
		world.now_us = now;
		assert_int_equal(world_resolve(made->session->token, &who), TRL_OK);
		assert_true(trl_value_time_us(who->expires_at) <=
			    trl_value_time_us(made->session->expires_at));
	}
	world.now_us = start + 1441 * minute;
	assert_int_equal(world_resolve(made->session->token, NULL), TRL_NOT_FOUND);
}

static void
writes_the_last_use_at_most_once_a_minute(void **state)
{
	auth_signed_in *made;
	const char *id;

	(void)state;
	assert_int_equal(world_sign_up(world_email("ada"), good, &made), TRL_OK);
	id = world_id_text(trl_value_id(made->session->id));
	world.now_us = trl_wall_us() + 30000000;
	assert_int_equal(world_resolve(made->session->token, NULL), TRL_OK);
	assert_string_equal(
	    world_sql(
		"select last_used_at = created_at from session where id = '%s'", id),
	    "t");
	world.now_us += minute;
	assert_int_equal(world_resolve(made->session->token, NULL), TRL_OK);
	assert_string_equal(
	    world_sql(
		"select last_used_at > created_at from session where id = '%s'", id),
	    "t");
}

static void
knows_no_token_that_it_did_not_make(void **state)
{
	char token[TRL_ACCESS_SESSION_TEXT];

	(void)state;
	trl_access_session_token(token);
	assert_int_equal(world_resolve(token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_resolve("client-chosen", NULL), TRL_NOT_FOUND);
}

/* Reliability, case 45. */
static void
logs_out_the_session_that_asks(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__LogOutRequest in = AUTH__V1__LOG_OUT_REQUEST__INIT;
	auth_signed_in *mine, *other;
	struct world_caller who;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &mine), TRL_OK);
	assert_int_equal(world_log_in(email, good, &other), TRL_OK);
	who = world_who(mine);
	world_trace_begin();
	assert_int_equal(world_call(&who, &auth_v1_log_out, &in.base, NULL), TRL_OK);
	assert_non_null(strstr(world_trace(), "bump account"));
	assert_int_equal(world_resolve(mine->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_resolve(other->session->token, NULL), TRL_OK);
}

static Auth__V1__ListMySessionsReply *
list(const struct world_caller *who, uint32_t page_size, const char *token)
{
	Auth__V1__ListMySessionsRequest in = AUTH__V1__LIST_MY_SESSIONS_REQUEST__INIT;
	Auth__V1__ListMySessionsReply *out = NULL;

	in.has_page_size = page_size > 0;
	in.page_size = page_size;
	in.page_token = (char *)token;
	assert_int_equal(
	    world_call(who, &auth_v1_list_my_sessions, &in.base, &out), TRL_OK);
	return out;
}

static void
lists_ones_own_in_pages_and_marks_the_present_one(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__ListMySessionsReply *page;
	auth_signed_in *mine, *strange;
	struct world_caller who, other;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &mine), TRL_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(world_log_in(email, good, NULL), TRL_OK);
	assert_int_equal(world_sign_up(world_email("bob"), good, &strange), TRL_OK);
	who = world_who(mine);
	page = list(&who, 3, NULL);
	assert_int_equal(page->n_items, 3);
	assert_true(page->items[0]->current);
	assert_false(page->items[1]->current);
	assert_string_equal(page->items[0]->address, "192.0.2.1");
	page = list(&who, 3, page->next_page_token);
	assert_int_equal(page->n_items, 2);
	assert_null(page->next_page_token);
	other = world_who(strange);
	assert_int_equal(list(&other, 0, NULL)->n_items, 1);
}

static enum trl_code
revoke(const struct world_caller *who, const auth_signed_in *which)
{
	Auth__V1__RevokeMySessionRequest in = AUTH__V1__REVOKE_MY_SESSION_REQUEST__INIT;

	trl_set(&in, session_id, which->session->id);
	return world_call(who, &auth_v1_revoke_my_session, &in.base, NULL);
}

static void
revokes_ones_own_session_and_nobody_elses(void **state)
{
	const char *email = world_email("ada");
	auth_signed_in *mine, *other, *strange;
	struct world_caller who;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &mine), TRL_OK);
	assert_int_equal(world_log_in(email, good, &other), TRL_OK);
	assert_int_equal(world_sign_up(world_email("bob"), good, &strange), TRL_OK);
	who = world_who(mine);
	assert_int_equal(revoke(&who, strange), TRL_NOT_FOUND);
	assert_int_equal(world_resolve(strange->session->token, NULL), TRL_OK);
	assert_int_equal(revoke(&who, other), TRL_OK);
	assert_int_equal(world_resolve(other->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_resolve(mine->session->token, NULL), TRL_OK);
	assert_int_equal(revoke(&who, other), TRL_NOT_FOUND);
}

static void
revokes_all_or_all_others(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__RevokeMySessionsRequest in =
	    AUTH__V1__REVOKE_MY_SESSIONS_REQUEST__INIT;
	auth_signed_in *mine, *other;
	struct world_caller who;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &mine), TRL_OK);
	assert_int_equal(world_log_in(email, good, &other), TRL_OK);
	who = world_who(mine);
	in.has_keep_current = in.keep_current = true;
	assert_int_equal(
	    world_call(&who, &auth_v1_revoke_my_sessions, &in.base, NULL), TRL_OK);
	assert_int_equal(world_resolve(other->session->token, NULL), TRL_NOT_FOUND);
	assert_int_equal(world_resolve(mine->session->token, NULL), TRL_OK);
	in.has_keep_current = in.keep_current = false;
	assert_int_equal(
	    world_call(&who, &auth_v1_revoke_my_sessions, &in.base, NULL), TRL_OK);
	assert_int_equal(world_resolve(mine->session->token, NULL), TRL_NOT_FOUND);
	assert_string_equal(
	    world_sql("select count(*) from session_directory where account_id "
		      "= '%s'",
		world_id_text(who.account)),
	    "0");
}

/* A request may be under way when its session ends: what it asks for is then not done.
 * Here the session is gone as soon as the edge has let it in. */
static void
changes_nothing_for_a_session_that_has_ended_meanwhile(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__ChangePasswordRequest change =
	    AUTH__V1__CHANGE_PASSWORD_REQUEST__INIT;
	Auth__V1__UpdateMeRequest update = AUTH__V1__UPDATE_ME_REQUEST__INIT;
	Auth__V1__RevokeMySessionsRequest all =
	    AUTH__V1__REVOKE_MY_SESSIONS_REQUEST__INIT;
	Auth__V1__CreateApiKeyRequest create = AUTH__V1__CREATE_API_KEY_REQUEST__INIT;
	char *wanted[] = { "tenants.tenant.read" };
	auth_signed_in *stolen, *mine;
	struct world_caller thief;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &stolen), TRL_OK);
	assert_int_equal(world_log_in(email, good, &mine), TRL_OK);
	thief = world_who(mine);
	change.current_password = (char *)good;
	change.password = "a password that is new";
	assert_int_equal(
	    world_call(&thief, &auth_v1_change_password, &change.base, NULL), TRL_OK);
	thief = world_who(stolen);
	thief.tenant = trl_id_new();
	update.display_name = "Eve";
	assert_int_equal(world_call(&thief, &auth_v1_update_me, &update.base, NULL),
	    TRL_UNAUTHENTICATED);
	assert_int_equal(
	    world_call(&thief, &auth_v1_revoke_my_sessions, &all.base, NULL),
	    TRL_UNAUTHENTICATED);
	assert_int_equal(revoke(&thief, mine), TRL_UNAUTHENTICATED);
	change.current_password = change.password;
	change.password = "a password of the thief";
	assert_int_equal(
	    world_call(&thief, &auth_v1_change_password, &change.base, NULL),
	    TRL_UNAUTHENTICATED);
	trl_set(&create, tenant_id, world_bytes(&thief.tenant));
	create.name = "brings me back";
	create.permissions = wanted;
	create.n_permissions = 1;
	assert_int_equal(
	    world_call(&thief, &auth_v1_create_api_key, &create.base, NULL),
	    TRL_UNAUTHENTICATED);
	assert_string_equal(
	    world_sql("select display_name from account where email = '%s'", email),
	    "Ada");
	assert_int_equal(world_log_in(email, "a password that is new", NULL), TRL_OK);
}

static void
drops_ended_sessions_at_the_next_login(void **state)
{
	const char *email = world_email("ada");
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	world.now_us = trl_wall_us() + 40 * minute;
	assert_int_equal(world_log_in(email, good, NULL), TRL_OK);
	assert_string_equal(
	    world_sql("select count(*) from session s join session_directory d "
		      "using (token_hash) where s.account_id = '%s'",
		world_id_text(trl_value_id(made->account->id))),
	    "1");
}

static void
ends_the_oldest_of_more_than_a_hundred(void **state)
{
	const char *email = world_email("ada"), *account;
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(email, good, &made), TRL_OK);
	account = world_id_text(trl_value_id(made->account->id));
	/* 99 older ones; their ids say so */
	world_sql(
	    "insert into session (account_id, id, token_hash, address, user_agent, "
	    "created_at, last_used_at, expires_at) select '%s', ('00000000-0000-7000"
	    "-8000-' || lpad(n::text, 12, '0'))::uuid, sha256(('%s' || n)::bytea), "
	    "'', '', now(), now(), now() + interval '1 day' from "
	    "generate_series(1, 99) n",
	    account, account);
	world_sql(
	    "insert into session_directory (token_hash, account_id, session_id) "
	    "select token_hash, account_id, id from session where account_id = '%s' "
	    "on conflict do nothing",
	    account);
	world_trace_begin();
	assert_int_equal(world_log_in(email, good, NULL), TRL_OK);
	assert_non_null(strstr(world_trace(), "bump account"));
	assert_string_equal(
	    world_sql(
		"select count(*) || ' ' || min(s.id::text) from session s join "
		"session_directory d using (token_hash) where s.account_id = '%s'",
		account),
	    "100 00000000-0000-7000-8000-000000000002");
	assert_int_equal(world_resolve(made->session->token, NULL), TRL_OK);
}

static void
maintain_drops_what_is_over_of_everybody(void **state)
{
	auth_signed_in *live, *old, *idle;
	const char *email = world_email("ada");

	(void)state;
	assert_int_equal(world_sign_up(email, good, &live), TRL_OK);
	assert_int_equal(world_sign_up(world_email("old"), good, &old), TRL_OK);
	assert_int_equal(world_sign_up(world_email("idle"), good, &idle), TRL_OK);
	world_sql("update session set expires_at = now() where id = '%s'",
	    world_id_text(trl_value_id(old->session->id)));
	world_sql(
	    "update session set last_used_at = now() - interval '31 min' where id "
	    "= '%s'",
	    world_id_text(trl_value_id(idle->session->id)));
	world_sql("update letter set used_at = now() where account_id = '%s'",
	    world_id_text(trl_value_id(old->account->id)));
	assert_int_equal(auth_maintain(world.db.admin, world.config), TRL_OK);
	assert_string_equal(
	    world_sql("select count(*) from session where id in ('%s', '%s')",
		world_id_text(trl_value_id(old->session->id)),
		world_id_text(trl_value_id(idle->session->id))),
	    "0");
	assert_string_equal(
	    world_sql("select count(*) from session_directory where session_id = '%s'",
		world_id_text(trl_value_id(old->session->id))),
	    "0");
	assert_string_equal(
	    world_sql("select count(*) from letter where account_id = '%s'",
		world_id_text(trl_value_id(old->account->id))),
	    "0");
	assert_string_equal(
	    world_sql("select count(*) from letter where account_id = '%s'",
		world_id_text(trl_value_id(live->account->id))),
	    "1");
	assert_int_equal(world_resolve(live->session->token, NULL), TRL_OK);
}

static void
shows_one_account_nothing_of_another(void **state)
{
	auth_signed_in *made;

	(void)state;
	assert_int_equal(world_sign_up(world_email("ada"), good, &made), TRL_OK);
	assert_string_equal(
	    world_sql("set role auth_app; select (select count(*) from account) + "
		      "(select count(*) from session) + (select count(*) from "
		      "letter) + (select count(*) from api_key)"),
	    "0");
}

#define TEST(f) cmocka_unit_test_teardown(f, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_after_idle_time_and_after_all),
		TEST(writes_the_last_use_at_most_once_a_minute),
		TEST(knows_no_token_that_it_did_not_make),
		TEST(logs_out_the_session_that_asks),
		TEST(lists_ones_own_in_pages_and_marks_the_present_one),
		TEST(revokes_ones_own_session_and_nobody_elses),
		TEST(revokes_all_or_all_others),
		TEST(changes_nothing_for_a_session_that_has_ended_meanwhile),
		TEST(drops_ended_sessions_at_the_next_login),
		TEST(ends_the_oldest_of_more_than_a_hundred),
		TEST(maintain_drops_what_is_over_of_everybody),
		TEST(shows_one_account_nothing_of_another),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
