/* From an event to what people have in hand: mails, the inbox, digests.
 *
 * Over 400 lines: each case wants an event of its own, built field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static char text[200000];

static void
ask_for_letter(const char *email, const char *locale, const char *token, bool nobody)
{
	Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
	Auth__V1__LetterEvent told = AUTH__V1__LETTER_EVENT__INIT;
	struct trl_id id = trl_id_new();

	trl_set(&account, id, world_bytes(&id));
	account.email = (char *)(uintptr_t)email;
	account.display_name = (char *)(uintptr_t) "Ada";
	account.locale = (char *)(uintptr_t)locale;
	told.account = &account;
	told.has_purpose = told.has_sealed_token = true;
	told.purpose = nobody ? AUTH__V1__LETTER_EVENT__PURPOSE__none
			      : AUTH__V1__LETTER_EVENT__PURPOSE__verify;
	told.sealed_token.data = trl_seal(
	    ground.letters, world.arena, token, strlen(token), &told.sealed_token.len);
	world_hear(&auth_event_letter_requested, trl_id_nil, id, &told.base, 1);
	world_settle();
}

static void
a_letter_has_its_link_and_its_token_is_in_no_row(void **state)
{
	(void)state;
	ask_for_letter("verify@example.com", NULL, "trm_sesame", false);
	assert_int_equal(world_mails("verify@example.com", text, sizeof text), 1);
	assert_non_null(strstr(
	    text, "\r\nhttps://trellis.test/auth/email/verify#token=trm_sesame\r\n"));
	assert_non_null(strstr(text, "\r\nSubject: Confirm your address\r\n"));
	assert_null(strstr(text, "List-Unsubscribe"));
	assert_string_equal(world_sql("select status from delivery where address = "
				      "'verify@example.com'"),
	    "sent");
	assert_string_equal(
	    world_sql("select count(*) from job where position('sesame'::bytea in "
		      "payload) > 0"),
	    "0");
}

static void
a_letter_for_nobody_is_not_written(void **state)
{
	(void)state;
	ask_for_letter("nobody@example.com", NULL, "x", true);
	assert_int_equal(world_mails("nobody@example.com", text, sizeof text), 0);
}

static void
the_language_is_the_persons_or_the_nearest(void **state)
{
	static const struct {
		const char *locale, *subject;
	} rows[] = {
		{ "de-AT", "Subject: =?UTF-8?B?QWRyZXNzZSBiZXN0w6R0aWdlbg==?=" },
		{ "de", "Subject: =?UTF-8?B?QWRyZXNzZSBiZXN0w6R0aWdlbg==?=" },
		{ "fr-CH", "Subject: Confirm your address" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		char *to = trl_arena_printf(world.arena, "lang%zu@example.com", i);

		ask_for_letter(to, rows[i].locale, "t", false);
		assert_int_equal(world_mails(to, text, sizeof text), 1);
		assert_non_null(strstr(text, rows[i].subject));
	}
}

static void
a_member_who_was_added_is_told_by_mail_and_inbox(void **state)
{
	struct trl_id by = world_person("boss@example.com", NULL, true);
	struct trl_id ada = world_person("added@example.com", NULL, true);
	struct trl_id acme = world_tenant("Acme & <i>Sons</i>");
	unsigned notices = ground.notices;

	(void)state;
	world_member(acme, ada, TENANTS__V1__MEMBER__ROLE__admin, by);
	world_settle();
	assert_int_equal(world_mails("added@example.com", text, sizeof text), 1);
	assert_non_null(strstr(text, "\r\nFrom: \"Trellis\" <noreply@"));
	assert_non_null(strstr(text, "with the role admin"));
	assert_non_null(strstr(text, "List-Unsubscribe: <https://trellis.test/api/v1/"
				     "unsubscribe/tru_"));
	assert_non_null(strstr(text, "https://trellis.test/unsubscribe#tru_"));
	assert_non_null(strstr(text, "Acme &amp; &lt;i&gt;Sons&lt;/i&gt;"));
	assert_null(strstr(strstr(text, "text/html"), "<b>Lovelace"));
	assert_int_equal(world_mails("boss@example.com", text, sizeof text), 0);
	assert_string_equal(
	    world_sql("select title from notification where account_id = '%s'",
		world_id_text(ada)),
	    "You joined Acme & <i>Sons</i>");
	assert_true(ground.notices > notices);
}

/* Members of the least role that the catalogue names, the one who did it excepted. */
static void
an_audience_is_told_but_for_the_one_who_did_it(void **state)
{
	struct trl_id owner = world_person("o@aud.example", NULL, true);
	struct trl_id other = world_person("p@aud.example", NULL, true);
	struct trl_id viewer = world_person("v@aud.example", NULL, true);
	struct trl_id acme = world_tenant("Acme");
	Auth__V1__ApiKey key = AUTH__V1__API_KEY__INIT;
	Auth__V1__ApiKeyEvent told = AUTH__V1__API_KEY_EVENT__INIT;
	char *permissions[] = { (char *)(uintptr_t) "tenants.tenant.read" };

	(void)state;
	world_member(acme, owner, TENANTS__V1__MEMBER__ROLE__owner, trl_id_nil);
	world_member(acme, other, TENANTS__V1__MEMBER__ROLE__admin, trl_id_nil);
	world_member(acme, viewer, TENANTS__V1__MEMBER__ROLE__viewer, trl_id_nil);
	key.name = (char *)(uintptr_t) "reporting";
	key.permissions = permissions;
	key.n_permissions = 1;
	told.api_key = &key;
	trl_set(&told, by, world_bytes(&owner));
	world_hear(&auth_event_api_key_created, acme, trl_id_new(), &told.base, 1);
	world_settle();
	assert_int_equal(world_mails("o@aud.example", text, sizeof text), 0);
	assert_int_equal(world_mails("v@aud.example", text, sizeof text), 0);
	assert_int_equal(world_mails("p@aud.example", text, sizeof text), 1);
	assert_non_null(strstr(text, "- tenants.tenant.read"));
}

/* More than one job adds at once. What the jobs would write is no concern here: they
 * wait. */
static void
an_audience_of_thousands_has_a_job_each_once(void **state)
{
	struct trl_id acme = world_tenant("Acme");
	Auth__V1__ApiKey key = AUTH__V1__API_KEY__INIT;
	Auth__V1__ApiKeyEvent told = AUTH__V1__API_KEY_EVENT__INIT;

	(void)state;
	world_sql("create function later() returns trigger language plpgsql as $$ "
		  "begin new.run_at := now() + interval '1 day'; new.state := "
		  "'scheduled'; return new; end $$; create trigger later before insert "
		  "on job for each row when (new.kind = 'tell') execute function "
		  "later()");
	world_sql("insert into membership_copy (tenant_id, account_id, role, version) "
		  "select '%s', md5('many' || n)::uuid, 'admin', 1 from "
		  "generate_series(1, 1400) n",
	    world_id_text(acme));
	key.name = (char *)(uintptr_t) "reporting";
	told.api_key = &key;
	world_hear(&auth_event_api_key_created, acme, trl_id_new(), &told.base, 1);
	world_settle();
	/* Field 3 of each is the account. */
	assert_string_equal(
	    world_sql(
		"select (select count(*) from job where kind = 'tell' and "
		"tenant_id = m.tenant_id) || ' ' || count(*) from membership_copy "
		"m where tenant_id = '%s' and exists (select from job where kind "
		"= 'tell' and position(decode('1a10', 'hex') || uuid_send(account_id) "
		"in payload) > 0) group by m.tenant_id",
		world_id_text(acme)),
	    "1400 1400");
	world_sql("drop trigger later on job; drop function later; delete from job "
		  "where kind = 'tell'");
}

static void
who_is_removed_is_told_and_forgotten(void **state)
{
	struct trl_id by = world_person("b@rem.example", NULL, true);
	struct trl_id ada = world_person("a@rem.example", NULL, true);
	struct trl_id acme = world_tenant("Acme");
	Tenants__V1__Member member = TENANTS__V1__MEMBER__INIT;
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;

	(void)state;
	world_member(acme, ada, TENANTS__V1__MEMBER__ROLE__member, trl_id_nil);
	trl_set(&member, account_id, world_bytes(&ada));
	told.member = &member;
	trl_set(&told, by, world_bytes(&by));
	world_hear(&tenants_event_member_removed, acme, ada, &told.base, 2);
	world_settle();
	assert_int_equal(world_mails("a@rem.example", text, sizeof text), 1);
	assert_string_equal(
	    world_sql("select count(*) from membership_copy where account_id = '%s'",
		world_id_text(ada)),
	    "0");
}

static void
what_a_snapshot_shows_is_kept_and_told_to_nobody(void **state)
{
	struct trl_id ada = world_person("snap@example.com", NULL, true);
	struct trl_id acme = world_tenant("Acme");

	(void)state;
	world_member(acme, ada, TENANTS__V1__MEMBER__ROLE__admin, trl_id_nil);
	world_settle();
	assert_int_equal(world_mails("snap@example.com", text, sizeof text), 0);
	assert_string_equal(
	    world_sql("select role from membership_copy where account_id = '%s'",
		world_id_text(ada)),
	    "admin");
}

static void
an_older_event_does_not_undo_a_newer_one(void **state)
{
	struct trl_id ada = world_person("old@example.com", NULL, true);

	(void)state;
	world_sql("update account_copy set version = 5, email = 'new@example.com' "
		  "where account_id = '%s'",
	    world_id_text(ada));
	{
		Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
		Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;

		account.has_id = account.has_version = true;
		account.id = world_bytes(&ada);
		account.version = 4;
		account.email = (char *)(uintptr_t) "old@example.com";
		told.account = &account;
		world_hear(&auth_event_account_updated, trl_id_nil, ada, &told.base, 1);
	}
	assert_string_equal(
	    world_sql("select email from account_copy where account_id = '%s'",
		world_id_text(ada)),
	    "new@example.com");
}

static void
an_address_that_is_not_proven_gets_nothing_that_may_wait(void **state)
{
	struct trl_id by = world_person("b@un.example", NULL, true);
	struct trl_id ada = world_person("a@un.example", NULL, false);

	(void)state;
	world_member(world_tenant("Acme"), ada, TENANTS__V1__MEMBER__ROLE__member, by);
	world_settle();
	assert_int_equal(world_mails("a@un.example", text, sizeof text), 0);
	assert_string_equal(
	    world_sql("select count(*) from notification where account_id = '%s'",
		world_id_text(ada)),
	    "1");
}

/* Nor is it known at once what the other service has heard. */
static void
an_address_that_is_proven_a_moment_later_gets_it_then(void **state)
{
	static const char *const proofs[] = { "false", "true" };
	struct trl_id by = world_person("b@late.example", NULL, true);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(proofs); i++) {
		const char *to = i ? "proven@late.example" : "unproven@late.example";
		struct trl_id ada = world_person(to, NULL, false);

		world_member(
		    world_tenant("Acme"), ada, TENANTS__V1__MEMBER__ROLE__member, by);
		world_settle();
		assert_int_equal(world_mails(to, text, sizeof text), 0);
		world_sql("update account_copy set verified = %s where email = '%s'",
		    proofs[i], to);
		world_sql("update job set run_at = now() where kind = 'mail'");
		world_settle();
		assert_int_equal(world_mails(to, text, sizeof text), i);
		assert_string_equal(world_sql("select status || ': ' || detail from "
					      "delivery where address = '%s'",
					to),
		    i ? "sent: " : "suppressed: the address is not proven");
	}
}

static void
a_held_address_is_left_alone(void **state)
{
	(void)state;
	world_sql("insert into suppression (email, reason, created_at, until) values "
		  "('held@example.com', '550', now(), now() + interval '1 day')");
	ask_for_letter("held@example.com", NULL, "t", false);
	assert_int_equal(world_mails("held@example.com", text, sizeof text), 0);
	assert_string_equal(world_sql("select status from delivery where address = "
				      "'held@example.com'"),
	    "suppressed");
}

/* Nothing that a name can hold becomes a header or a second recipient. */
static void
hostile_names_and_addresses_reach_no_header(void **state)
{
	struct trl_id by = world_person("b@host.example", NULL, true);
	struct trl_id ada = world_person("a@host.example", NULL, true);
	struct trl_id acme =
	    world_tenant("X\" <evil@example.com>\r\nBcc: evil@example.com\r\n\r\nhi");

	(void)state;
	world_member(acme, ada, TENANTS__V1__MEMBER__ROLE__member, by);
	world_settle();
	assert_int_equal(world_mails("a@host.example", text, sizeof text), 1);
	assert_null(strstr(text, "\nBcc:"));
	assert_non_null(strstr(text, "\r\n\r\n--=_"));
	ask_for_letter("a@b.example,evil@example.com", NULL, "t", false);
	assert_string_equal(
	    world_sql("select status from delivery where address like '%%,%%'"),
	    "refused");
}

static void
prefer(struct trl_id account, const char *columns, const char *values)
{
	world_sql("insert into preference (account_id, version, updated_at, digest, "
		  "time_zone %s) values ('%s', 1, now(), %s)",
	    columns, world_id_text(account), values);
}

static void
change_role(struct trl_id tenant, struct trl_id account, struct trl_id by)
{
	Tenants__V1__Member member = TENANTS__V1__MEMBER__INIT;
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;

	member.has_account_id = member.has_version = member.has_role = true;
	member.account_id = world_bytes(&account);
	member.version = 2;
	member.role = TENANTS__V1__MEMBER__ROLE__admin;
	told.member = &member;
	told.has_by = told.has_former_role = true;
	told.by = world_bytes(&by);
	told.former_role = TENANTS__V1__MEMBER__ROLE__member;
	world_hear(&tenants_event_member_updated, tenant, account, &told.base, 2);
	world_settle();
}

static void
what_was_turned_off_is_not_sent(void **state)
{
	struct trl_id by = world_person("b@off.example", NULL, true);
	struct trl_id ada = world_person("a@off.example", NULL, true);
	struct trl_id acme = world_tenant("Acme");

	(void)state;
	world_sql("insert into preference_choice values ('%s', 'member_updated', "
		  "'email', false), ('%s', 'member_updated', 'inbox', false)",
	    world_id_text(ada), world_id_text(ada));
	change_role(acme, ada, by);
	assert_int_equal(world_mails("a@off.example", text, sizeof text), 0);
	assert_string_equal(
	    world_sql("select count(*) from notification where account_id = '%s'",
		world_id_text(ada)),
	    "0");
}

static void
a_digest_gathers_and_is_one_mail(void **state)
{
	struct trl_id by = world_person("b@dig.example", NULL, true);
	struct trl_id ada = world_person("a@dig.example", NULL, true);
	struct trl_id acme = world_tenant("Acme"), bcme = world_tenant("Bcme");

	(void)state;
	prefer(ada, "", "'hourly', 'UTC'");
	change_role(acme, ada, by);
	change_role(bcme, ada, by);
	assert_int_equal(world_mails("a@dig.example", text, sizeof text), 0);
	assert_string_equal(
	    world_sql("select count(*) from digest_entry where due_at = "
		      "date_trunc('hour', due_at, 'UTC') and due_at between now() - "
		      "interval '1 minute' and now() + interval '1 hour'"),
	    "2");
	world_sql("update digest_entry set due_at = now()");
	world_job("digests");
	world_settle();
	assert_int_equal(world_mails("a@dig.example", text, sizeof text), 1);
	assert_non_null(strstr(text, "\r\nSubject: 2 new in Trellis\r\n"));
	assert_non_null(strstr(text, "* Your role in Acme changed"));
	assert_non_null(strstr(text, "* Your role in Bcme changed"));
	assert_string_equal(world_sql("select count(*) from digest_entry"), "0");
	assert_string_equal(
	    world_sql("select status from delivery where kind = 'digest'"), "sent");
}

/* However many there are; the first are shown. */
static void
a_digest_of_many_is_one_mail_with_their_number(void **state)
{
	struct trl_id ada = world_person("a@many.example", NULL, true);

	(void)state;
	world_sql("insert into digest_entry (tenant_id, account_id, due_at, id, kind, "
		  "title, body, created_at) select '%s', '%s', now(), "
		  "gen_random_uuid(), 'member_updated', 'Thing ' || n, 'x', now() "
		  "from generate_series(1, 173) n",
	    world_id_text(trl_id_nil), world_id_text(ada));
	for (int i = 0; i < 2; i++) {
		world_job("digests");
		world_settle();
		assert_int_equal(world_mails("a@many.example", text, sizeof text), 1);
	}
	assert_non_null(strstr(text, "\r\nSubject: 173 new in Trellis\r\n"));
	assert_non_null(strstr(text, "And 123 more, in your inbox."));
	assert_string_equal(world_sql("select count(*) from digest_entry"), "0");
}

/* tzdata renames zones, and a database may be of another age than we. */
static void
a_zone_that_is_not_known_any_more_silences_nobody(void **state)
{
	static const struct {
		const char *to, *digest;
	} rows[] = { { "now@zone.example", "immediate" },
		{ "later@zone.example", "hourly" } };
	struct trl_id by = world_person("b@zone.example", NULL, true);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_id ada = world_person(rows[i].to, NULL, true);
		struct trl_id acme = world_tenant("Acme");

		prefer(ada, ", quiet_from_minute, quiet_until_minute",
		    trl_arena_printf(world.arena,
			"'%s', 'Atlantis/Gone', (extract(hour from now() at time zone "
			"'UTC') * 60 + 120)::integer %% 1440, (extract(hour from now() "
			"at time zone 'UTC') * 60 + 180)::integer %% 1440",
			rows[i].digest));
		change_role(acme, ada, by);
		world_sql("update digest_entry set due_at = now()");
		world_job("digests");
		world_settle();
		assert_int_equal(world_mails(rows[i].to, text, sizeof text), 1);
	}
}

/* Ids are made before their commits, by clocks that differ. */
static void
an_entry_that_comes_while_a_digest_is_written_is_in_the_next_one(void **state)
{
	struct trl_id by = world_person("b@late.example", NULL, true);
	struct trl_id ada = world_person("a@late.example", NULL, true);

	(void)state;
	prefer(ada, "", "'hourly', 'UTC'");
	change_role(world_tenant("Acme"), ada, by);
	world_sql("update digest_entry set due_at = now()");
	world_sql("create function come_late() returns trigger language plpgsql "
		  "security definer set search_path from current as $$begin "
		  "insert into digest_entry select tenant_id, account_id, due_at, "
		  "'00000000-0000-7000-8000-000000000001', kind, 'Came late', body, "
		  "link, created_at from digest_entry where account_id = "
		  "new.account_id; return new; end$$; "
		  "create trigger come_late after insert on delivery for each row "
		  "when (new.kind = 'digest') execute function come_late()");
	world_job("digests");
	world_settle();
	world_sql("drop function come_late cascade");
	assert_int_equal(world_mails("a@late.example", text, sizeof text), 1);
	assert_null(strstr(text, "Came late"));
	world_job("digests");
	world_settle();
	assert_int_equal(world_mails("a@late.example", text, sizeof text), 2);
	assert_non_null(strstr(text, "* Came late"));
	assert_string_equal(world_sql("select count(*) from digest_entry"), "0");
}

static void
quiet_hours_hold_back_what_may_wait_until_they_end(void **state)
{
	/* now in minutes of the zone, the hours, whether they are quiet now */
	static const struct {
		const char *from, *until;
		bool waits;
	} rows[] = {
		{ "(m + 1430) % 1440", "(m + 60) % 1440", true },
		{ "(m + 10) % 1440", "(m + 60) % 1440", false },
		{ "(m + 2) % 1440", "m", false }, /* the minute may turn meanwhile */
	};
	struct trl_id by = world_person("b@qui.example", NULL, true);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		char *to = trl_arena_printf(world.arena, "q%zu@qui.example", i);
		struct trl_id ada = world_person(to, NULL, true);

		world_sql(
		    "insert into preference (account_id, version, updated_at, digest, "
		    "time_zone, quiet_from_minute, quiet_until_minute) select '%s', 1, "
		    "now(), 'immediate', 'Asia/Kathmandu', %s, %s from (select "
		    "(extract(hour from t) * 60 + extract(minute from t))::integer as "
		    "m from (select now() at time zone 'Asia/Kathmandu' as t) t) n",
		    world_id_text(ada), rows[i].from, rows[i].until);
		change_role(world_tenant("Acme"), ada, by);
		assert_int_equal(
		    world_mails(to, text, sizeof text), rows[i].waits ? 0 : 1);
		if (!rows[i].waits)
			continue;
		assert_string_equal(
		    world_sql("select count(*) from job where kind = 'mail' and run_at "
			      "between now() + interval '58 minutes' and now() + "
			      "interval '60 minutes'"),
		    "1");
		world_sql("update job set run_at = now() where kind = 'mail'");
		world_settle();
		assert_int_equal(world_mails(to, text, sizeof text), 1);
	}
}

static void
what_is_turned_off_while_a_mail_waits_is_not_sent(void **state)
{
	static const struct {
		const char *to, *then, *status;
	} rows[] = {
		{ "off@wait.example",
		    "insert into preference_choice select account_id, "
		    "'member_updated', 'email', false from account_copy "
		    "where email = 'off@wait.example'",
		    "suppressed" },
		{ "unproven@wait.example",
		    "update account_copy set verified = false "
		    "where email = 'unproven@wait.example'",
		    "suppressed" },
		{ "on@wait.example", "select", "sent" },
	};
	struct trl_id by = world_person("b@wait.example", NULL, true);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct trl_id ada = world_person(rows[i].to, NULL, true);

		prefer(ada, ", quiet_from_minute, quiet_until_minute",
		    "'immediate', 'UTC', (extract(hour from now()) * 60 + "
		    "1430)::integer "
		    "% 1440, (extract(hour from now()) * 60 + 120)::integer % 1440");
		change_role(world_tenant("Acme"), ada, by);
		assert_int_equal(world_mails(rows[i].to, text, sizeof text), 0);
		world_sql("%s", rows[i].then);
		world_sql("update job set run_at = now() where kind = 'mail'");
		world_settle();
		assert_string_equal(
		    world_sql("select status from delivery where account_id = '%s' and "
			      "kind = 'member_updated'",
			world_id_text(ada)),
		    rows[i].status);
		assert_int_equal(world_mails(rows[i].to, text, sizeof text),
		    strcmp(rows[i].status, "sent") == 0);
	}
}

/* Killed after the mail and before its record: the same mail, not another. */
static void
a_mail_that_is_sent_again_is_the_same_file(void **state)
{
	struct trl_id by = world_person("b@twice.example", NULL, true);
	struct trl_id ada = world_person("a@twice.example", NULL, true);

	(void)state;
	/* As it is added: once it is there it may run at any time. */
	world_sql("create table kept (like job)");
	world_sql("create function keep() returns trigger language plpgsql security "
		  "definer set search_path from current as $$begin insert into kept "
		  "select new.*; return null; end$$");
	world_sql("create trigger keep after insert on job for each row when (new.kind "
		  "= 'tell') execute function keep()");
	world_member(world_tenant("Acme"), ada, TENANTS__V1__MEMBER__ROLE__member, by);
	world_settle();
	assert_string_equal(world_sql("select count(*) from kept"), "1");
	world_sql("drop function keep cascade");
	world_sql("insert into job select * from kept");
	world_settle();
	world_sql("drop table kept");
	assert_int_equal(world_mails("a@twice.example", text, sizeof text), 1);
	assert_string_equal(
	    world_sql("select count(*) from notification where account_id = '%s'",
		world_id_text(ada)),
	    "1");
}

static void
an_organisations_own_words_stand_for_the_built_in_ones(void **state)
{
	struct trl_id by = world_person("b@own.example", NULL, true);
	struct trl_id ada = world_person("a@own.example", "de-AT", true);
	struct trl_id acme = world_tenant("Acme");

	(void)state;
	world_sql(
	    "insert into template values ('%s', 'member_updated', 'de', 1, false, "
	    "'Servus {{account.display_name}}', '', '', 'eigen {{event.member."
	    "role}}', '<p>eigen</p>', now())",
	    world_id_text(acme));
	change_role(acme, ada, by);
	assert_int_equal(world_mails("a@own.example", text, sizeof text), 1);
	assert_non_null(strstr(text, "\r\nSubject: Servus Ada <b>Lovelace</b>\r\n"));
	assert_non_null(strstr(text, "eigen admin"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_letter_has_its_link_and_its_token_is_in_no_row, ground_settle),
		cmocka_unit_test_teardown(
		    a_letter_for_nobody_is_not_written, ground_settle),
		cmocka_unit_test_teardown(
		    the_language_is_the_persons_or_the_nearest, ground_settle),
		cmocka_unit_test_teardown(
		    a_member_who_was_added_is_told_by_mail_and_inbox, ground_settle),
		cmocka_unit_test_teardown(
		    an_audience_is_told_but_for_the_one_who_did_it, ground_settle),
		cmocka_unit_test_teardown(
		    an_audience_of_thousands_has_a_job_each_once, ground_settle),
		cmocka_unit_test_teardown(
		    who_is_removed_is_told_and_forgotten, ground_settle),
		cmocka_unit_test_teardown(
		    what_a_snapshot_shows_is_kept_and_told_to_nobody, ground_settle),
		cmocka_unit_test_teardown(
		    an_older_event_does_not_undo_a_newer_one, ground_settle),
		cmocka_unit_test_teardown(
		    an_address_that_is_not_proven_gets_nothing_that_may_wait,
		    ground_settle),
		cmocka_unit_test_teardown(
		    an_address_that_is_proven_a_moment_later_gets_it_then,
		    ground_settle),
		cmocka_unit_test_teardown(a_held_address_is_left_alone, ground_settle),
		cmocka_unit_test_teardown(
		    hostile_names_and_addresses_reach_no_header, ground_settle),
		cmocka_unit_test_teardown(
		    what_was_turned_off_is_not_sent, ground_settle),
		cmocka_unit_test_teardown(
		    a_digest_gathers_and_is_one_mail, ground_settle),
		cmocka_unit_test_teardown(
		    a_digest_of_many_is_one_mail_with_their_number, ground_settle),
		cmocka_unit_test_teardown(
		    a_zone_that_is_not_known_any_more_silences_nobody, ground_settle),
		cmocka_unit_test_teardown(
		    an_entry_that_comes_while_a_digest_is_written_is_in_the_next_one,
		    ground_settle),
		cmocka_unit_test_teardown(
		    quiet_hours_hold_back_what_may_wait_until_they_end, ground_settle),
		cmocka_unit_test_teardown(
		    what_is_turned_off_while_a_mail_waits_is_not_sent, ground_settle),
		cmocka_unit_test_teardown(
		    a_mail_that_is_sent_again_is_the_same_file, ground_settle),
		cmocka_unit_test_teardown(
		    an_organisations_own_words_stand_for_the_built_in_ones,
		    ground_settle),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
