/* Invitations whose time is over: what room they take, and when they are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

/* Puts so many waiting ones there, whose time is over in an interval. */
static void
fill(const char *name, unsigned n, const char *ends_in)
{
	world_sql("insert into invitation (tenant_id, id, email, role, status, "
		  "token_hash, expires_at, version, created_at, updated_at) "
		  "select '%s', gen_random_uuid(), '%s' || i || '@example.test', "
		  "'viewer', 'pending', sha256('x'), now() + interval '%s', 1, now(), "
		  "now() from generate_series(1, %u) i",
	    world_id_text(home), name, ends_in, n);
}

static void
the_expired_take_no_room_until_they_are_sent_again(void **state)
{
	tenants_invitation *made, *again;

	(void)state;
	assert_int_equal(
	    invite(founder, "old@example.test", ROLE(viewer), &made), TRL_OK);
	world_sql("update invitation set expires_at = now() - interval '1 hour' "
		  "where tenant_id = '%s'",
	    world_id_text(home));
	fill("over", TENANTS_INVITATIONS_MAX, "-1 hour");
	fill("open", TENANTS_INVITATIONS_MAX - 1, "1 day");
	assert_int_equal(
	    invite(founder, "last@example.test", ROLE(viewer), &again), TRL_OK);
	assert_int_equal(
	    invite(founder, "more@example.test", ROLE(viewer), NULL), TRL_QUOTA);
	assert_int_equal(resend(founder, made, NULL), TRL_QUOTA);
	assert_int_equal(resend(founder, again, NULL), TRL_OK);
	assert_int_equal(revoke(founder, again), TRL_OK);
	assert_int_equal(resend(founder, made, NULL), TRL_OK);
}

static void
maintain_forgets_what_ended_long_ago(void **state)
{
	const struct world_person *bob = world_person_new("bob", true);
	const char *email = bob->email;
	tenants_invitation *made;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(invite(founder, email, ROLE(viewer), &made), TRL_OK);
		assert_int_equal(revoke(founder, made), TRL_OK);
		if (i == 0)
			world_sql("update invitation set updated_at = now() - interval "
				  "'91 days' where tenant_id = '%s'",
			    world_id_text(home));
	}
	fill("long-over", 2, "-91 days");
	fill("over", 3, "-89 days");
	fill("open", 4, "1 hour");
	world_sql("update invitation set updated_at = now() - interval '91 days' where "
		  "tenant_id = '%s' and email like 'open%%'",
	    world_id_text(home));
	assert_int_equal(tenants_maintain(world.db.admin, world.config), TRL_OK);
	assert_string_equal(
	    world_sql("select string_agg(kind || n, ' ' order by kind) from (select "
		      "status || ' ' || (expires_at > now()) || ' ' as kind, count(*) "
		      "as n from invitation where tenant_id = '%s' group by 1) x",
		world_id_text(home)),
	    "pending false 3 pending true 4 revoked true 1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_expired_take_no_room_until_they_are_sent_again, ground_found,
		    world_forget),
		cmocka_unit_test_setup_teardown(
		    maintain_forgets_what_ended_long_ago, ground_found, world_forget),
	};

	return cmocka_run_group_tests(tests, ground_open, world_close);
}
