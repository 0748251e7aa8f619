/* Mails to people outside: who may cause one, and against whose limit it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static struct trl_id tenant, invited;
static const struct world_person *owner, *bob;

static void
begin(bool verified)
{
	owner = world_person_new("owner", verified);
	bob = world_person_new("bob", true);
	tenant = world_tenant_new(owner);
	invited = trl_id_new();
	world_sql("insert into invitation (tenant_id, id, email, role, status, "
		  "token_hash, expires_at, version, created_at, updated_at) values "
		  "('%s', '%s', 'z@example.test', 'viewer', 'pending', sha256('x'), "
		  "now() + interval '1 day', 1, now(), now())",
	    world_id_text(tenant), world_id_text(invited));
	ground.counted[0] = '\0';
	ground.limited = NULL;
}

static int
after_each(void **state)
{
	world.n_people = 0;
	ground.limited = NULL;
	return world_forget(state);
}

enum { INVITE, RESEND, ADD, WAYS };
static const char *const to[WAYS] = { "new@example.test", "z@example.test", NULL };

static enum trl_code
reach(const struct world_caller *who, int way)
{
	Tenants__V1__CreateInvitationRequest invite =
	    TENANTS__V1__CREATE_INVITATION_REQUEST__INIT;
	Tenants__V1__ResendInvitationRequest resend =
	    TENANTS__V1__RESEND_INVITATION_REQUEST__INIT;
	Tenants__V1__AddMemberRequest add = TENANTS__V1__ADD_MEMBER_REQUEST__INIT;

	invite.has_tenant_id = resend.has_tenant_id = add.has_tenant_id = true;
	invite.tenant_id = resend.tenant_id = add.tenant_id =
	    (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t)who->tenant.bytes };
	invite.has_role = add.has_role = resend.has_invitation_id = true;
	invite.role = add.role = TENANTS__V1__MEMBER__ROLE__viewer;
	invite.email = (char *)(uintptr_t)to[INVITE];
	add.email = (char *)(uintptr_t)bob->email;
	resend.invitation_id = (ProtobufCBinaryData){ 16, invited.bytes };
	return way == INVITE
		   ? world_call(who, &tenants_v1_create_invitation, &invite.base, NULL)
	       : way == RESEND
		   ? world_call(who, &tenants_v1_resend_invitation, &resend.base, NULL)
		   : world_call(who, &tenants_v1_add_member, &add.base, NULL);
}

static const char *const all[] = { "tenants.invitation.create",
	"tenants.invitation.resend", "tenants.member.add", NULL };

static void
nobody_is_written_to_before_the_senders_address_is_proven(void **state)
{
	(void)state;
	for (int key = 0; key < 2; key++) {
		unsigned mails;

		begin(false);
		mails = world_mails();
		for (int way = 0; way < WAYS; way++) {
			const struct world_caller who = { .person = owner,
				.tenant = tenant,
				.key = key,
				.may = all };

			assert_int_equal(reach(&who, way), TRL_DENIED);
		}
		assert_int_equal(world_mails(), mails);
		assert_string_equal(ground.counted, "");
	}
}

static void
an_accounts_mails_count_together_whichever_tenant_or_key(void **state)
{
	struct world_caller who = { .may = all };

	(void)state;
	begin(true);
	for (int way = 0; way < WAYS; way++) {
		who = (struct world_caller){ .person = owner,
			.tenant = way == INVITE ? world_tenant_new(owner) : tenant,
			.key = way == RESEND,
			.may = all };
		ground.counted[0] = '\0';
		assert_int_equal(reach(&who, way), TRL_OK);
		assert_string_equal(ground.counted,
		    trl_arena_printf(world.arena, "invite:%s invite:%s ",
			world_id_text(owner->account), to[way] ? to[way] : bob->email));
	}
}

static void
whose_limit_is_reached_causes_no_mail(void **state)
{
	struct world_caller who;

	(void)state;
	begin(true);
	who = (struct world_caller){ .person = owner, .tenant = tenant };
	for (int way = 0; way < WAYS; way++) {
		unsigned mails = world_mails();

		ground.limited = to[way] ? to[way] : bob->email;
		assert_int_equal(reach(&who, way), TRL_RATE);
		ground.limited = world_id_text(owner->account);
		assert_int_equal(reach(&who, way), TRL_RATE);
		assert_int_equal(world_mails(), mails);
	}
	/* What was done already is answered again, and is not counted. */
	ground.limited = NULL;
	who.idempotency_key = "once";
	assert_int_equal(reach(&who, INVITE), TRL_OK);
	ground.limited = to[INVITE];
	assert_int_equal(reach(&who, INVITE), TRL_OK);
	assert_true(world.replayed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, after_each)
		TEST(nobody_is_written_to_before_the_senders_address_is_proven),
		TEST(an_accounts_mails_count_together_whichever_tenant_or_key),
		TEST(whose_limit_is_reached_causes_no_mail),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
