/* Mails to people outside an organisation: in the installation's own frame and words,
 * and no name is a link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"
#include "words/words.h"

static char text[200000];

/* An organisation that would write as somebody else. */
static struct trl_id
pretender(const char *name)
{
	struct trl_id tenant = world_tenant(name);
	static const char *const kinds[] = { "invitation", "member_added",
		"member_removed" };

	for (size_t i = 0; i < TRL_COUNT(kinds); i++)
		world_sql("insert into template values ('%s', '%s', 'en', 1, false, "
			  "'Your bank', 'pretended', 'pretended', 'pretended', "
			  "'<p>pretended</p>', now())",
		    world_id_text(tenant), kinds[i]);
	world_sql("insert into template values ('%s', 'layout', 'en', 1, false, "
		  "'{{subject}}', '', '', 'pretended {{{content}}}', '<p>pretended</p>"
		  "{{{content}}}', now())",
	    world_id_text(tenant));
	world_sql("insert into settings (tenant_id, version, sender_name, reply_to, "
		  "updated_at) values ('%s', 1, 'Your bank', 'bank@evil.example', "
		  "now())",
	    world_id_text(tenant));
	return tenant;
}

static void
name_person(struct trl_id account, const char *name)
{
	world_sql("update account_copy set display_name = '%s' where account_id = '%s'",
	    name, world_id_text(account));
}

static void
assert_plain(const char *subject)
{
	assert_non_null(strstr(text, "\r\nFrom: \"Trellis\" <noreply@trellis.test>"));
	assert_non_null(strstr(
	    text, trl_arena_printf(world.arena, "\r\nSubject: %s\r\n", subject)));
	assert_null(strstr(text, "Reply-To"));
	assert_null(strstr(text, "Your bank"));
	assert_null(strstr(text, "pretended"));
	assert_null(strstr(text, "evil"));
}

static void
invite(struct trl_id tenant, const char *email, struct trl_id by)
{
	Tenants__V1__Invitation invitation = TENANTS__V1__INVITATION__INIT;
	Tenants__V1__InvitationEvent told = TENANTS__V1__INVITATION_EVENT__INIT;

	invitation.email = (char *)(uintptr_t)email;
	trl_set(&invitation, role, TENANTS__V1__MEMBER__ROLE__viewer);
	told.invitation = &invitation;
	told.has_by = told.has_sealed_token = true;
	told.by = world_bytes(&by);
	told.sealed_token.data = trl_seal(ground.invitations, world.arena, "tri_sesame",
	    sizeof "tri_sesame" - 1, &told.sealed_token.len);
	world_hear(
	    &tenants_event_invitation_created, tenant, trl_id_new(), &told.base, 1);
	world_settle();
}

static void
an_invitation_is_the_installations(void **state)
{
	struct trl_id by = world_person("b@out.example", NULL, true);
	struct trl_id acme = pretender("Acme https://evil.example/x evil.example");

	(void)state;
	name_person(by, "Bo www.evil.example bo@evil.example");
	invite(acme, "new@out.example", by);
	assert_int_equal(world_mails("new@out.example", text, sizeof text), 1);
	assert_plain("Join Acme");
	assert_non_null(strstr(text, "Bo invites you to join Acme as viewer."));
	assert_non_null(
	    strstr(text, "https://trellis.test/invitations/accept#token=tri_sesame"));
}

/* Nobody asked Bob, and he is no longer one of them. */
static void
whoever_was_added_or_removed_is_told_in_the_installations_words(void **state)
{
	struct trl_id by = world_person("b@put.example", NULL, true);
	struct trl_id ada = world_person("a@put.example", NULL, true);
	struct trl_id acme = pretender("Acme evil.example");
	Tenants__V1__Member member = TENANTS__V1__MEMBER__INIT;
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;

	(void)state;
	name_person(by, "evil.example");
	world_member(acme, ada, TENANTS__V1__MEMBER__ROLE__member, by);
	world_settle();
	assert_int_equal(world_mails("a@put.example", text, sizeof text), 1);
	assert_plain("You joined Acme");
	trl_set(&member, account_id, world_bytes(&ada));
	told.member = &member;
	trl_set(&told, by, world_bytes(&by));
	world_hear(&tenants_event_member_removed, acme, ada, &told.base, 2);
	world_settle();
	assert_int_equal(world_mails("a@put.example", text, sizeof text), 2);
	assert_null(strstr(text, "evil"));
	assert_null(strstr(text, "pretended"));
}

/* Anybody may sign up with somebody's address. */
static void
a_sign_up_writes_no_link_to_the_address(void **state)
{
	Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
	Auth__V1__LetterEvent told = AUTH__V1__LETTER_EVENT__INIT;
	struct trl_id id = trl_id_new();

	(void)state;
	trl_set(&account, id, world_bytes(&id));
	account.email = (char *)(uintptr_t) "victim@out.example";
	account.display_name = (char *)(uintptr_t) "Win at https://evil.example/";
	told.account = &account;
	told.has_purpose = told.has_sealed_token = true;
	told.purpose = AUTH__V1__LETTER_EVENT__PURPOSE__verify;
	told.sealed_token.data =
	    trl_seal(ground.letters, world.arena, "trm_x", 5, &told.sealed_token.len);
	world_hear(&auth_event_letter_requested, trl_id_nil, id, &told.base, 1);
	world_settle();
	assert_int_equal(world_mails("victim@out.example", text, sizeof text), 1);
	assert_non_null(strstr(text, "Welcome, Win at."));
	assert_null(strstr(text, "evil"));
}

static void
words_that_read_as_links_are_left_out_of_names(void **state)
{
	static const struct {
		const char *name, *plain;
	} rows[] = {
		{ "Ada Lovelace", "Ada Lovelace" },
		{ "Acme Inc.", "Acme Inc." },
		{ "J. R. R. Tolkien", "J. R. R. Tolkien" },
		{ "J.R.R. Tolkien", "J.R.R. Tolkien" },
		{ "Release 3.5", "Release 3.5" },
		{ ".NET users", ".NET users" },
		{ "A/B and C & Sons", "A/B and C & Sons" },
		{ "Ünal Öz", "Ünal Öz" },
		{ "see evil.example now", "see now" },
		{ "see (evil.example)", "see" },
		{ "see EVIL.COM/path?x=1", "see" },
		{ "see www.evil.co.uk.", "see" },
		{ "see http://10.0.0.1/", "see" },
		{ "see //evil", "see" },
		{ "mail bo@localhost", "mail" },
		{ "mail bo＠evil", "mail" },
		{ "see evil。example", "see" },
		{ "see evil．example", "see" },
		{ "see evil﹒example", "see" },
		{ "see bücher.example", "see" },
		{ "see пример.рф", "see" },
		{ "evil.example", "…" },
		{ "! evil.example !", "…" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_string_equal(
		    notify_name_plain(world.arena, rows[i].name), rows[i].plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, ground_settle)
		TEST(an_invitation_is_the_installations),
		TEST(whoever_was_added_or_removed_is_told_in_the_installations_words),
		TEST(a_sign_up_writes_no_link_to_the_address),
		TEST(words_that_read_as_links_are_left_out_of_names),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
