/* What a service of which notify knows nothing tells people: by its contract and its
 * words, tests/contract/sample.proto and sample/words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sample.trl.h"
#include "test_ground.h"

static char text[200000];

static void
give(struct trl_id tenant, Sample__V1__Thing__Kind kind, struct trl_id to,
    struct trl_id by)
{
	struct trl_id id = trl_id_new();
	Sample__V1__Thing thing = SAMPLE__V1__THING__INIT;
	Sample__V1__ThingEvent told = SAMPLE__V1__THING_EVENT__INIT;

	thing.has_id = thing.has_kind = told.has_to = told.has_by = true;
	thing.id = world_bytes(&id);
	thing.name = (char *)(uintptr_t) "A <plate>";
	thing.kind = kind;
	thing.code = (char *)(uintptr_t) "sesame";
	told.thing = &thing;
	told.to = world_bytes(&to);
	told.by = world_bytes(&by);
	world_hear(&sample_event_thing_given, tenant, id, &told.base, 1);
	world_settle();
}

static const char *
titles_of(struct trl_id account)
{
	return world_sql("select coalesce(string_agg(kind || ': ' || title, ', ' order "
			 "by kind), '') from notification where account_id = '%s'",
	    world_id_text(account));
}

static void
its_person_is_told_in_their_language_with_its_link(void **state)
{
	struct trl_id by = world_person("by@stranger.example", NULL, true);
	struct trl_id ada = world_person("ada@stranger.example", "de-AT", true);
	struct trl_id acme = world_tenant("Acme");

	(void)state;
	give(acme, SAMPLE__V1__THING__KIND__very_flat, ada, by);
	assert_int_equal(world_mails("ada@stranger.example", text, sizeof text), 1);
	assert_non_null(strstr(text, "von Acme geh"));
	assert_non_null(strstr(text, "https://trellis.test/things/0"));
	assert_non_null(strstr(text, ">A &lt;plate&gt;</strong>"));
	assert_null(strstr(text, "sesame"));
	assert_string_equal(titles_of(ada), "thing_given: A <plate> gehört Ihnen");
}

static void
its_condition_and_who_did_it_decide_who_is_told(void **state)
{
	struct trl_id ada = world_person("ada@decide.example", NULL, true);
	struct trl_id bob = world_person("bob@decide.example", NULL, true);
	struct trl_id eve = world_person("eve@decide.example", NULL, true);
	struct trl_id acme = world_tenant("Acme");

	(void)state;
	world_member(acme, ada, TENANTS__V1__MEMBER__ROLE__owner, trl_id_nil);
	world_member(acme, eve, TENANTS__V1__MEMBER__ROLE__member, trl_id_nil);
	give(acme, SAMPLE__V1__THING__KIND__round, bob, ada);
	assert_string_equal(titles_of(bob), "");
	assert_string_equal(titles_of(ada), "thing_moved: A <plate> has moved");
	assert_string_equal(titles_of(eve), "");
	give(acme, SAMPLE__V1__THING__KIND__very_flat, ada, ada);
	assert_string_equal(titles_of(ada), "thing_moved: A <plate> has moved, "
					    "thing_moved: A <plate> has moved");
	assert_int_equal(world_mails("ada@decide.example", text, sizeof text), 0);
}

static const Notify__V1__Choice *
choice_of(const Notify__V1__Preferences *all, const char *kind)
{
	for (size_t i = 0; i < all->n_choices; i++)
		if (strcmp(all->choices[i]->kind, kind) == 0)
			return all->choices[i];
	return NULL;
}

static void
its_kinds_stand_among_the_preferences_and_can_be_turned_off(void **state)
{
	struct trl_id ada = world_person("ada@choose.example", NULL, true);
	struct trl_id by = world_person("by@choose.example", NULL, true);
	const struct world_caller who = { .account = ada };
	Notify__V1__GetPreferencesRequest get =
	    NOTIFY__V1__GET_PREFERENCES_REQUEST__INIT;
	Notify__V1__PutPreferencesRequest put =
	    NOTIFY__V1__PUT_PREFERENCES_REQUEST__INIT;
	Notify__V1__Choice off = NOTIFY__V1__CHOICE__INIT, *choices[] = { &off };
	Notify__V1__Preferences *all;
	const Notify__V1__Choice *found;

	(void)state;
	assert_int_equal(
	    world_call(&who, &notify_v1_get_preferences, &get.base, &all), TRL_OK);
	found = choice_of(all, "thing_given");
	assert_non_null(found);
	assert_int_equal(found->channel, NOTIFY__V1__CHOICE__CHANNEL__email);
	assert_true(found->enabled);
	found = choice_of(all, "thing_moved");
	assert_int_equal(found->channel, NOTIFY__V1__CHOICE__CHANNEL__inbox);

	off.kind = (char *)(uintptr_t) "thing_given";
	off.has_channel = off.has_enabled = true;
	off.channel = NOTIFY__V1__CHOICE__CHANNEL__email;
	put.choices = choices;
	put.n_choices = 1;
	assert_int_equal(
	    world_call(&who, &notify_v1_put_preferences, &put.base, NULL), TRL_OK);
	give(world_tenant("Acme"), SAMPLE__V1__THING__KIND__very_flat, ada, by);
	assert_int_equal(world_mails("ada@choose.example", text, sizeof text), 0);
	assert_string_equal(titles_of(ada), "thing_given: A <plate> is yours");
}

static enum trl_code
put_words(struct trl_id tenant, const char *kind, const char *subject)
{
	const struct world_caller who = { .tenant = tenant, .account = trl_id_new() };
	Notify__V1__PutTemplateRequest in = NOTIFY__V1__PUT_TEMPLATE_REQUEST__INIT;

	in.kind = (char *)(uintptr_t)kind;
	in.locale = (char *)(uintptr_t) "en";
	in.subject = (char *)(uintptr_t)subject;
	in.text = (char *)(uintptr_t) "{{event.thing.name}}";
	in.html = (char *)(uintptr_t) "<p>{{event.thing.name}}</p>";
	return world_call(&who, &notify_v1_put_template, &in.base, NULL);
}

static void
an_organisation_has_own_words_where_the_contract_says_so(void **state)
{
	struct trl_id ada = world_person("ada@own.example", NULL, true);
	struct trl_id acme = world_tenant("Acme");

	(void)state;
	world_member(acme, ada, TENANTS__V1__MEMBER__ROLE__owner, trl_id_nil);
	assert_int_equal(put_words(acme, "thing_given", "x"), TRL_INVALID);
	assert_int_equal(
	    put_words(acme, "thing_moved", "Ours: {{event.thing.name}}"), TRL_OK);
	give(acme, SAMPLE__V1__THING__KIND__round, ada, trl_id_nil);
	assert_string_equal(titles_of(ada), "thing_moved: Ours: A <plate>");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    its_person_is_told_in_their_language_with_its_link, ground_settle),
		cmocka_unit_test_teardown(
		    its_condition_and_who_did_it_decide_who_is_told, ground_settle),
		cmocka_unit_test_teardown(
		    its_kinds_stand_among_the_preferences_and_can_be_turned_off,
		    ground_settle),
		cmocka_unit_test_teardown(
		    an_organisation_has_own_words_where_the_contract_says_so,
		    ground_settle),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
