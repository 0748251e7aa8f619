/* Invitations whose time is over: what room they take, and when they are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static struct trl_id tenant;
static const struct world_person *owner;

static int
before_each(void **state)
{
	(void)state;
	world.n_people = 0;
	owner = world_person_new("owner", true);
	tenant = world_tenant_new(owner);
	return 0;
}

static enum trl_code
invite(const char *email, tenants_invitation **out)
{
	Tenants__V1__CreateInvitationRequest ask =
	    TENANTS__V1__CREATE_INVITATION_REQUEST__INIT;
	struct world_caller who = { .person = owner, .tenant = tenant };

	ask.tenant_id = (ProtobufCBinaryData){ 16, tenant.bytes };
	ask.has_tenant_id = true;
	ask.email = (char *)email;
	ask.role = TENANTS__V1__MEMBER__ROLE__viewer;
	ask.has_role = true;
	return world_call(&who, &tenants_v1_create_invitation, &ask.base, out);
}

static enum trl_code
resend(const tenants_invitation *which)
{
	Tenants__V1__ResendInvitationRequest ask =
	    TENANTS__V1__RESEND_INVITATION_REQUEST__INIT;
	struct world_caller who = { .person = owner, .tenant = tenant };

	ask.tenant_id = (ProtobufCBinaryData){ 16, tenant.bytes };
	ask.has_tenant_id = true;
	ask.invitation_id = which->id;
	ask.has_invitation_id = true;
	return world_call(&who, &tenants_v1_resend_invitation, &ask.base, NULL);
}

static enum trl_code
revoke(const tenants_invitation *which)
{
	Tenants__V1__RevokeInvitationRequest ask =
	    TENANTS__V1__REVOKE_INVITATION_REQUEST__INIT;
	struct world_caller who = { .person = owner, .tenant = tenant };

	ask.tenant_id = (ProtobufCBinaryData){ 16, tenant.bytes };
	ask.has_tenant_id = true;
	ask.invitation_id = which->id;
	ask.has_invitation_id = true;
	return world_call(&who, &tenants_v1_revoke_invitation, &ask.base, NULL);
}

/* Puts so many waiting ones there, whose time is over in an interval. */
static void
fill(const char *name, unsigned n, const char *ends_in)
{
	world_sql("insert into invitation (tenant_id, id, email, role, status, "
		  "token_hash, expires_at, version, created_at, updated_at) "
		  "select '%s', gen_random_uuid(), '%s' || i || '@example.test', "
		  "'viewer', 'pending', sha256('x'), now() + interval '%s', 1, now(), "
		  "now() from generate_series(1, %u) i",
	    world_id_text(tenant), name, ends_in, n);
}

static void
the_expired_take_no_room_until_they_are_sent_again(void **state)
{
	tenants_invitation *made, *again;

	(void)state;
	assert_int_equal(invite("old@example.test", &made), TRL_OK);
	world_sql("update invitation set expires_at = now() - interval '1 hour' "
		  "where tenant_id = '%s'",
	    world_id_text(tenant));
	fill("over", TENANTS_INVITATIONS_MAX, "-1 hour");
	fill("open", TENANTS_INVITATIONS_MAX - 1, "1 day");
	assert_int_equal(invite("last@example.test", &again), TRL_OK);
	assert_int_equal(invite("more@example.test", NULL), TRL_QUOTA);
	assert_int_equal(resend(made), TRL_QUOTA);
	assert_int_equal(resend(again), TRL_OK);
	assert_int_equal(revoke(again), TRL_OK);
	assert_int_equal(resend(made), TRL_OK);
}

static void
maintain_forgets_what_ended_long_ago(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	const char *email = bob->email;
	tenants_invitation *made;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(invite(email, &made), TRL_OK);
		assert_int_equal(revoke(made), TRL_OK);
		if (i == 0)
			world_sql("update invitation set updated_at = now() - interval "
				  "'91 days' where tenant_id = '%s'",
			    world_id_text(tenant));
	}
	fill("long-over", 2, "-91 days");
	fill("over", 3, "-89 days");
	fill("open", 4, "1 hour");
	world_sql("update invitation set updated_at = now() - interval '91 days' where "
		  "tenant_id = '%s' and email like 'open%%'",
	    world_id_text(tenant));
	assert_int_equal(tenants_maintain(world.db.admin, world.config), TRL_OK);
	assert_string_equal(
	    world_sql("select string_agg(kind || n, ' ' order by kind) from (select "
		      "status || ' ' || (expires_at > now()) || ' ' as kind, count(*) "
		      "as n from invitation where tenant_id = '%s' group by 1) x",
		world_id_text(tenant)),
	    "pending false 3 pending true 4 revoked true 1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_expired_take_no_room_until_they_are_sent_again, before_each,
		    world_forget),
		cmocka_unit_test_setup_teardown(
		    maintain_forgets_what_ended_long_ago, before_each, world_forget),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
