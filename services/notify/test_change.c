/* What is changed after it was read: the slower one begins again from the reading,
 * and loses only where If-Match says that the caller wants to know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

static char sender[] = "Acme", reply_to[] = "answers@acme.test";
static char kind[] = "member_updated", locale[] = "en", zone[] = "Europe/Vienna";

static struct world_caller
somebody(void)
{
	return (struct world_caller){ .account = trl_id_new(), .tenant = trl_id_new() };
}

static Notify__V1__Settings *
settings_of(const struct world_caller *who)
{
	Notify__V1__GetSettingsRequest in = NOTIFY__V1__GET_SETTINGS_REQUEST__INIT;
	Notify__V1__Settings *out;

	assert_int_equal(
	    world_call(who, &notify_v1_get_settings, &in.base, &out), TRL_OK);
	return out;
}

static void
two_changes_of_settings_at_once_are_both_made(void **state)
{
	Notify__V1__UpdateSettingsRequest a = NOTIFY__V1__UPDATE_SETTINGS_REQUEST__INIT,
					  b = a;
	const ProtobufCMessage *in[] = { &a.base, &b.base };
	const struct world_caller who = somebody();
	const Notify__V1__Settings *now;
	enum trl_code rcs[2];

	(void)state;
	a.sender_name = sender;
	b.reply_to = reply_to;
	world_call_both(&who, &notify_v1_update_settings, in, rcs);
	assert_int_equal(rcs[0], TRL_OK);
	assert_int_equal(rcs[1], TRL_OK);
	now = settings_of(&who);
	assert_int_equal(now->version, 2);
	assert_string_equal(now->sender_name, sender);
	assert_string_equal(now->reply_to, reply_to);
}

static void
a_change_of_settings_that_wants_to_know_is_refused_when_stale(void **state)
{
	Notify__V1__UpdateSettingsRequest in =
	    NOTIFY__V1__UPDATE_SETTINGS_REQUEST__INIT;
	struct world_caller who = somebody();

	(void)state;
	in.sender_name = sender;
	assert_int_equal(
	    world_call(&who, &notify_v1_update_settings, &in.base, NULL), TRL_OK);
	who.has_if_version = true;
	assert_int_equal(world_call(&who, &notify_v1_update_settings, &in.base, NULL),
	    TRL_PRECONDITION);
	who.if_version = 1;
	in.reply_to = reply_to;
	assert_int_equal(
	    world_call(&who, &notify_v1_update_settings, &in.base, NULL), TRL_OK);
	assert_int_equal(settings_of(&who)->version, 2);
}

static void
two_choices_of_a_person_at_once_are_both_made(void **state)
{
	Notify__V1__PutPreferencesRequest in =
	    NOTIFY__V1__PUT_PREFERENCES_REQUEST__INIT;
	Notify__V1__GetPreferencesRequest ask =
	    NOTIFY__V1__GET_PREFERENCES_REQUEST__INIT;
	const ProtobufCMessage *both[] = { &in.base, &in.base };
	const struct world_caller who = somebody();
	Notify__V1__Preferences *out;
	enum trl_code rcs[2];

	(void)state;
	in.time_zone = zone;
	world_call_both(&who, &notify_v1_put_preferences, both, rcs);
	assert_int_equal(rcs[0], TRL_OK);
	assert_int_equal(rcs[1], TRL_OK);
	assert_int_equal(
	    world_call(&who, &notify_v1_get_preferences, &ask.base, &out), TRL_OK);
	assert_int_equal(out->version, 2);
	assert_string_equal(out->time_zone, zone);
}

static void
two_versions_of_a_template_at_once_are_both_kept(void **state)
{
	Notify__V1__PutTemplateRequest in = NOTIFY__V1__PUT_TEMPLATE_REQUEST__INIT;
	const ProtobufCMessage *both[] = { &in.base, &in.base };
	const struct world_caller who = somebody();
	enum trl_code rcs[2];

	(void)state;
	in.kind = kind;
	in.locale = locale;
	in.subject = in.text = in.html = sender;
	world_call_both(&who, &notify_v1_put_template, both, rcs);
	assert_int_equal(rcs[0], TRL_OK);
	assert_int_equal(rcs[1], TRL_OK);
	assert_string_equal(world_sql("select string_agg(version::text, ',' order by "
				      "version) from template where tenant_id = '%s'",
				world_id_text(who.tenant)),
	    "1,2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_changes_of_settings_at_once_are_both_made),
		cmocka_unit_test(
		    a_change_of_settings_that_wants_to_know_is_refused_when_stale),
		cmocka_unit_test(two_choices_of_a_person_at_once_are_both_made),
		cmocka_unit_test(two_versions_of_a_template_at_once_are_both_kept),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
