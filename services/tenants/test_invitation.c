/* Invitations: made, sent again, taken back, accepted once by the right person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static enum trl_code
accept_as(
    const struct world_caller *who, const char *token, Tenants__V1__MyTenant **out)
{
	Tenants__V1__AcceptInvitationRequest ask =
	    TENANTS__V1__ACCEPT_INVITATION_REQUEST__INIT;

	ask.token = (char *)token;
	return world_call(who, &tenants_v1_accept_invitation, &ask.base, out);
}

static enum trl_code
take_up(const struct world_person *by, const char *token, Tenants__V1__MyTenant **out)
{
	struct world_caller who = { .person = by };

	return accept_as(&who, token, out);
}

static const char *
role_of(const struct world_person *person)
{
	return world_sql(
	    "select role from membership where tenant_id = '%s' and account_id = '%s'",
	    world_id_text(home), world_id_text(person->account));
}

static void
the_invited_accepts_once(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	Tenants__V1__MyTenant *joined;
	tenants_invitation *made;
	char *token;
	unsigned mails = world_mails();

	(void)state;
	assert_int_equal(
	    invite(founder, "Bob2@example.test", ROLE(admin), &made), TRL_OK);
	assert_string_equal(made->email, bob->email);
	assert_int_equal(made->status, TENANTS__V1__INVITATION__STATUS__pending);
	assert_true(trl_id_eq(trl_value_id(made->invited_by), founder->account));
	assert_int_equal(world_mails(), mails + 1);
	token = world_letter_token();
	assert_int_equal(take_up(bob, token, &joined), TRL_OK);
	assert_int_equal(joined->role, ROLE(admin));
	assert_true(trl_id_eq(trl_value_id(joined->id), home));
	assert_string_equal(role_of(bob), "admin");
	assert_int_equal(take_up(bob, token, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "token");
	assert_string_equal(
	    world_sql("select status from invitation where tenant_id = '%s'",
		world_id_text(home)),
	    "accepted");
}

static void
a_repeated_acceptance_is_answered_and_not_repeated(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	struct world_caller who = { .person = bob, .idempotency_key = "accept-1" };
	Tenants__V1__MyTenant *first, *again;
	char *token;

	(void)state;
	assert_int_equal(invite(founder, bob->email, ROLE(member), NULL), TRL_OK);
	token = world_letter_token();
	assert_int_equal(accept_as(&who, token, &first), TRL_OK);
	assert_int_equal(accept_as(&who, token, &again), TRL_OK);
	assert_true(world.replayed);
	assert_int_equal(
	    trl_value_time_us(first->joined_at), trl_value_time_us(again->joined_at));
}

static void
an_invitation_ends_with_its_inviters_right(void **state)
{
	const struct world_person *carl = world_person_new("carl", true),
				  *bob = world_person_new("bob", true),
				  *eve = world_person_new("eve", true);
	tenants_invitation *made;
	char *token;

	(void)state;
	world_join(home, carl, "admin");
	assert_int_equal(invite(carl, bob->email, ROLE(admin), &made), TRL_OK);
	token = world_letter_token();
	world_sql("update membership set role = 'member' where account_id = '%s'",
	    world_id_text(carl->account));
	assert_int_equal(take_up(bob, token, NULL), TRL_INVALID);
	assert_string_equal(world.err.field, "token");
	world_sql("delete from membership where account_id = '%s'",
	    world_id_text(carl->account));
	assert_int_equal(take_up(bob, token, NULL), TRL_INVALID);
	/* Somebody who may sends it again, and so invites. */
	assert_int_equal(resend(founder, made, &made), TRL_OK);
	assert_true(trl_id_eq(trl_value_id(made->invited_by), founder->account));
	assert_int_equal(take_up(bob, world_letter_token(), NULL), TRL_OK);
	assert_string_equal(role_of(bob), "admin");
	/* An admin that an owner became reaches to admins. */
	world_join(home, carl, "owner");
	assert_int_equal(invite(carl, eve->email, ROLE(owner), &made), TRL_OK);
	token = world_letter_token();
	world_sql("update membership set role = 'admin' where account_id = '%s'",
	    world_id_text(carl->account));
	assert_int_equal(take_up(eve, token, NULL), TRL_INVALID);
}

static void
a_stray_token_is_refused_in_the_same_words(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	const struct world_person *eve = world_person_new("eve", true);
	const struct world_person *late = world_person_new("late", false);
	tenants_invitation *made;
	char message[sizeof world.err.message], *token, *forged;

	(void)state;
	assert_int_equal(take_up(eve, "tri_nonsense", NULL), TRL_INVALID);
	memcpy(message, world.err.message, sizeof message);

	assert_int_equal(invite(founder, bob->email, ROLE(member), &made), TRL_OK);
	token = world_letter_token();
	assert_int_equal(take_up(eve, token, NULL), TRL_INVALID); /* another's */
	assert_string_equal(world.err.message, message);
	forged = trl_arena_strdup(world.arena, token);
	forged[60] = forged[60] == 'A' ? 'B' : 'A';
	assert_int_equal(take_up(bob, forged, NULL), TRL_INVALID); /* a bit changed */
	assert_string_equal(world.err.message, message);
	world.now_us = trl_wall_us() + 8LL * 86400 * 1000000;
	assert_int_equal(take_up(bob, token, NULL), TRL_INVALID); /* expired */
	assert_string_equal(world.err.message, message);
	world.now_us = 0;
	assert_int_equal(revoke(founder, made), TRL_OK);
	assert_int_equal(take_up(bob, token, NULL), TRL_INVALID); /* revoked */
	assert_string_equal(world.err.message, message);
	assert_int_equal(invite(founder, late->email, ROLE(member), NULL), TRL_OK);
	assert_int_equal(
	    take_up(late, world_letter_token(), NULL), TRL_INVALID); /* unproven */
	assert_string_equal(world.err.message, message);
	assert_string_equal(role_of(bob), "");
	assert_string_equal(role_of(eve), "");
	assert_string_equal(role_of(late), "");
}

static void
two_at_once_use_a_token_once(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	Tenants__V1__AcceptInvitationRequest ask =
	    TENANTS__V1__ACCEPT_INVITATION_REQUEST__INIT;
	struct world_run run[2];
	struct world_run *const runs[] = { &run[0], &run[1] };

	(void)state;
	assert_int_equal(invite(founder, bob->email, ROLE(member), NULL), TRL_OK);
	ask.token = world_letter_token();
	for (int i = 0; i < 2; i++) {
		run[i] = (struct world_run){ .who = { .person = bob },
			.method = &tenants_v1_accept_invitation,
			.in = &ask.base };
		world_start(&run[i]);
	}
	world_wait(runs, 2);
	assert_int_equal((run[0].rc == TRL_OK) + (run[1].rc == TRL_OK), 1);
	assert_string_equal(
	    world_sql("select count(*) from audit where tenant_id = '%s' "
		      "and action = 'tenants.invitation.accept'",
		world_id_text(home)),
	    "1");
}

static void
an_address_is_invited_once_at_a_time(void **state)
{
	tenants_invitation *first;

	(void)state;
	assert_int_equal(
	    invite(founder, "new@example.test", ROLE(viewer), &first), TRL_OK);
	assert_int_equal(
	    invite(founder, "NEW@example.test", ROLE(viewer), NULL), TRL_EXISTS);
	assert_string_equal(world.err.field, "email");
	world.now_us = trl_wall_us() + 8LL * 86400 * 1000000;
	assert_int_equal(
	    invite(founder, "new@example.test", ROLE(viewer), NULL), TRL_OK);
	assert_string_equal(
	    world_sql("select status from invitation where tenant_id = '%s' "
		      "and id = '%s'",
		world_id_text(home), world_id_text(trl_value_id(first->id))),
	    "expired");
}

static void
known_and_unknown_addresses_are_answered_alike(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	tenants_invitation *known, *unknown;

	(void)state;
	assert_int_equal(invite(founder, bob->email, ROLE(viewer), &known), TRL_OK);
	assert_int_equal(
	    invite(founder, "new@example.test", ROLE(viewer), &unknown), TRL_OK);
	assert_int_equal(known->status, unknown->status);
	assert_int_equal(known->version, unknown->version);
}

static void
a_resent_letter_voids_the_former_link(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	tenants_invitation *made, *again;
	char *former;

	(void)state;
	assert_int_equal(invite(founder, bob->email, ROLE(member), &made), TRL_OK);
	former = world_letter_token();
	assert_int_equal(resend(founder, made, &again), TRL_OK);
	assert_int_equal(again->version, made->version + 1);
	assert_string_not_equal(former, world_letter_token());
	assert_int_equal(take_up(bob, former, NULL), TRL_INVALID);
	assert_int_equal(take_up(bob, world_letter_token(), NULL), TRL_OK);
	assert_int_equal(resend(founder, made, NULL), TRL_NOT_FOUND);
	assert_int_equal(revoke(founder, made), TRL_NOT_FOUND);
}

static void
a_repeated_invitation_sends_no_second_letter(void **state)
{
	struct world_caller who = {
		.person = founder, .tenant = home, .idempotency_key = "invite-1"
	};
	unsigned mails = world_mails();

	(void)state;
	assert_int_equal(
	    invite_as(&who, "new@example.test", ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(
	    invite_as(&who, "new@example.test", ROLE(viewer), NULL), TRL_OK);
	assert_true(world.replayed);
	assert_int_equal(world_mails(), mails + 1);
}

static void
admins_invite_up_to_their_rank(void **state)
{
	const struct world_person *admin = world_person_new("admin", true);
	const struct world_person *member = world_person_new("member", true);
	tenants_invitation *owners;

	(void)state;
	world_join(home, admin, "admin");
	world_join(home, member, "member");
	assert_int_equal(
	    invite(admin, "a@example.test", ROLE(owner), NULL), TRL_DENIED);
	assert_int_equal(invite(admin, "a@example.test", ROLE(admin), NULL), TRL_OK);
	assert_int_equal(
	    invite(member, "b@example.test", ROLE(viewer), NULL), TRL_DENIED);
	assert_int_equal(
	    invite(founder, "c@example.test", ROLE(owner), &owners), TRL_OK);
	assert_int_equal(resend(admin, owners, NULL), TRL_DENIED);
	assert_int_equal(revoke(admin, owners), TRL_DENIED);
	assert_int_equal(revoke(founder, owners), TRL_OK);
}

static void
who_is_a_member_already_keeps_his_role(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	Tenants__V1__MyTenant *joined;

	(void)state;
	world_join(home, bob, "admin");
	assert_int_equal(invite(founder, bob->email, ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(take_up(bob, world_letter_token(), &joined), TRL_OK);
	assert_int_equal(joined->role, ROLE(admin));
	assert_string_equal(role_of(bob), "admin");
}

static void
only_waiting_invitations_are_listed_and_no_token(void **state)
{
	Tenants__V1__ListInvitationsRequest ask =
	    TENANTS__V1__LIST_INVITATIONS_REQUEST__INIT;
	Tenants__V1__ListInvitationsReply *page;
	struct world_caller who = { .person = founder, .tenant = home };
	tenants_invitation *gone;

	(void)state;
	assert_int_equal(invite(founder, "a@example.test", ROLE(viewer), NULL), TRL_OK);
	assert_int_equal(
	    invite(founder, "b@example.test", ROLE(viewer), &gone), TRL_OK);
	assert_int_equal(revoke(founder, gone), TRL_OK);
	trl_set(&ask, tenant_id, world_bytes(&home));
	assert_int_equal(
	    world_call(&who, &tenants_v1_list_invitations, &ask.base, &page), TRL_OK);
	assert_int_equal(page->n_items, 1);
	assert_string_equal(page->items[0]->email, "a@example.test");
	assert_null(page->next_page_token);
	assert_string_equal(
	    world_sql("select count(*) from invitation where tenant_id = "
		      "'%s' and encode(token_hash, 'escape') like '%%tri%%'",
		world_id_text(home)),
	    "0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ground_found, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_invited_accepts_once),
		TEST(a_repeated_acceptance_is_answered_and_not_repeated),
		TEST(a_stray_token_is_refused_in_the_same_words),
		TEST(an_invitation_ends_with_its_inviters_right),
		TEST(two_at_once_use_a_token_once),
		TEST(an_address_is_invited_once_at_a_time),
		TEST(known_and_unknown_addresses_are_answered_alike),
		TEST(a_resent_letter_voids_the_former_link),
		TEST(a_repeated_invitation_sends_no_second_letter),
		TEST(admins_invite_up_to_their_rank),
		TEST(who_is_a_member_already_keeps_his_role),
		TEST(only_waiting_invitations_are_listed_and_no_token),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
