/* Product events: what is told of an event, who consents, and what PostHog's answers
 * mean. That each arrives is tests/mesh/analytics.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <billing_v1.trl.h>

#include "analytics/analytics.h"
#include "test_ground.h"

static ProtobufCBinaryData
bytes_of(const struct trl_id *id)
{
	return (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t)id->bytes };
}

static struct trl_id
id_of(uint8_t last)
{
	struct trl_id id = { .bytes = { [6] = 0x70, [8] = 0x80, [15] = last } };

	return id;
}

struct telling {
	struct trl_event event;
	const char *text;
};

static void
tell(trl_ctx *ctx, void *arg)
{
	struct telling *telling = arg;

	assert_true(notify_analytics_wants(&telling->event));
	telling->text =
	    trl_arena_strdup(world.arena, notify_analytics_event(ctx, &telling->event));
}

/* It as PostHog is told of it. */
static const char *
told_of(const struct trl_event_type *type, const ProtobufCMessage *payload)
{
	struct telling telling = { .event = { .id = id_of(1),
				       .seq = 1,
				       .type_name = type->name,
				       .type = type,
				       .tenant = id_of(2),
				       .at_us = 1764288000123456,
				       .payload = payload } };

	world_act(tell, &telling);
	return telling.text;
}

static void
an_event_is_told_by_ids_and_by_what_its_contract_declares(void **state)
{
	const struct trl_id by = id_of(3);
	Tenants__V1__Member member = TENANTS__V1__MEMBER__INIT;
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;

	(void)state;
	member.has_role = told.has_former_role = told.has_by = true;
	member.role = TENANTS__V1__MEMBER__ROLE__admin;
	told.former_role = TENANTS__V1__MEMBER__ROLE__viewer;
	told.member = &member;
	told.by = bytes_of(&by);
	assert_string_equal(told_of(&tenants_event_member_updated, &told.base),
	    "{\"event\":\"tenants.member.updated\","
	    "\"uuid\":\"00000000-0000-7000-8000-000000000001\","
	    "\"distinct_id\":\"00000000-0000-7000-8000-000000000003\","
	    "\"timestamp\":\"2025-11-28T00:00:00.123456Z\",\"properties\":{\"$groups\":"
	    "{"
	    "\"organization\":\"00000000-0000-7000-8000-000000000002\"},"
	    "\"$lib\":\"trellis\",\"$geoip_disable\":true,"
	    "\"member_role\":\"admin\",\"former_role\":\"viewer\"}}");
}

/* A plan's key is the installation's word; a plan's full name is not told. */
static void
a_word_that_the_installation_chose_is_told(void **state)
{
	Billing__V1__Subscription subscription = BILLING__V1__SUBSCRIPTION__INIT;
	Billing__V1__SubscriptionEvent told = BILLING__V1__SUBSCRIPTION_EVENT__INIT;
	const char *text;

	(void)state;
	subscription.plan = (char *)(uintptr_t) "team";
	trl_set(&subscription, seats, 5);
	told.subscription = &subscription;
	told.plan_name = (char *)(uintptr_t) "The team's plan";
	text = told_of(&billing_event_subscription_paused, &told.base);
	assert_non_null(
	    strstr(text, ",\"subscription_plan\":\"team\",\"subscription_seats\":5}}"));
	assert_null(strstr(text, "The team"));
}

/* An API key did it; and what is absent is no property. */
static void
what_nobody_did_is_the_organisations_and_makes_no_profile(void **state)
{
	Tenants__V1__MemberEvent told = TENANTS__V1__MEMBER_EVENT__INIT;
	const char *text = told_of(&tenants_event_member_removed, &told.base);

	(void)state;
	assert_non_null(strstr(text,
	    "\"distinct_id\":\"organization_00000000-0000-7000-8000-000000000002\""));
	assert_non_null(strstr(text, "\"$process_person_profile\":false}}"));
}

static void
neither_name_nor_address_is_told(void **state)
{
	Tenants__V1__Invitation invitation = TENANTS__V1__INVITATION__INIT;
	Tenants__V1__InvitationEvent invited = TENANTS__V1__INVITATION_EVENT__INIT;
	Tenants__V1__Tenant tenant = TENANTS__V1__TENANT__INIT;
	Tenants__V1__TenantEvent founded = TENANTS__V1__TENANT_EVENT__INIT;
	const char *text;

	(void)state;
	invitation.email = (char *)(uintptr_t) "eve@out.example";
	invited.invitation = &invitation;
	text = told_of(&tenants_event_invitation_created, &invited.base);
	assert_null(strstr(text, "@"));
	tenant.display_name = tenant.slug = (char *)(uintptr_t) "acme";
	founded.tenant = &tenant;
	text = told_of(&tenants_event_tenant_created, &founded.base);
	assert_null(strstr(text, "acme"));
}

static void
consent(struct trl_id tenant, const char *yes)
{
	world_sql(
	    "insert into settings (tenant_id, version, updated_at, product_events) "
	    "values ('%s', 1, now(), %s)",
	    world_id_text(tenant), yes);
}

static void
rename_it(struct trl_id tenant, uint64_t seq)
{
	Tenants__V1__TenantEvent told = TENANTS__V1__TENANT_EVENT__INIT;

	world_hear(&tenants_event_tenant_updated, tenant, tenant, &told.base, seq);
}

static const char *
waiting(struct trl_id tenant)
{
	const char *id = world_id_text(tenant);

	return world_sql("select (select count(*) from product_event where tenant_id = "
			 "'%s') || ' ' || (select count(*) from job where tenant_id = "
			 "'%s' and kind = 'product_events')",
	    id, id);
}

static void
only_where_there_is_consent_anything_waits(void **state)
{
	const struct trl_id silent = world_tenant("Silent"),
			    refusing = world_tenant("Refusing"),
			    open = world_tenant("Open");
	Auth__V1__AccountEvent signed_up = AUTH__V1__ACCOUNT_EVENT__INIT;

	(void)state;
	consent(refusing, "false");
	consent(open, "true");
	rename_it(silent, 1);
	rename_it(refusing, 1);
	assert_string_equal(waiting(silent), "0 0");
	assert_string_equal(waiting(refusing), "0 0");
	rename_it(open, 0); /* of a snapshot */
	assert_string_equal(waiting(open), "0 0");
	rename_it(open, 1);
	rename_it(open, 2);
	assert_string_equal(waiting(open), "2 1");
	/* Of no organisation, so that nobody could consent. */
	world_hear(
	    &auth_event_account_created, trl_id_nil, id_of(9), &signed_up.base, 1);
	assert_string_equal(world_sql("select count(*) from product_event"), "2");
}

static void
an_organisation_has_no_more_waiting_than_it_may(void **state)
{
	const struct trl_id full = world_tenant("Full"), other = world_tenant("Other");
	const char *id = world_id_text(full);

	(void)state;
	consent(full, "true");
	consent(other, "true");
	world_sql(
	    "insert into product_event select '%s', gen_random_uuid(), now(), '{}' "
	    "from generate_series(1, %d)",
	    id, NOTIFY_ANALYTICS_WAITING_MAX - 1);
	rename_it(full, 1);
	rename_it(full, 2);
	assert_string_equal(
	    world_sql("select count(*) from product_event where tenant_id "
		      "= '%s'",
		id),
	    "10000");
	rename_it(other, 1);
	assert_string_equal(waiting(other), "1 1");
}

static void
only_posthogs_own_words_are_success(void **state)
{
	static const struct {
		unsigned status;
		const char *body;
		enum notify_analytics_outcome want;
	} rows[] = {
		{ 200, "{\"status\":1}", NOTIFY_ANALYTICS_TAKEN },
		{ 200, " {\"status\": \"Ok\", \"more\": []}\n",
		    NOTIFY_ANALYTICS_TAKEN },
		{ 200, "{\"status\":\"Ok\",\"quota_limited\":[\"recordings\"]}",
		    NOTIFY_ANALYTICS_TAKEN },
		{ 200, "{\"status\":1,\"quota_limited\":[\"events\"]}",
		    NOTIFY_ANALYTICS_OVER_QUOTA },
		{ 200, "{\"status\":0}", NOTIFY_ANALYTICS_FAILED },
		{ 200, "{\"status\":\"ok\"}", NOTIFY_ANALYTICS_FAILED },
		{ 200, "{\"status\":[1]}", NOTIFY_ANALYTICS_FAILED },
		{ 200, "[1]", NOTIFY_ANALYTICS_FAILED },
		{ 200, "1", NOTIFY_ANALYTICS_FAILED },
		{ 200, "", NOTIFY_ANALYTICS_FAILED },
		{ 200, "<html>status: 1</html>", NOTIFY_ANALYTICS_FAILED },
		{ 200, "{\"status\":1}{\"status\":1}", NOTIFY_ANALYTICS_FAILED },
		{ 204, "", NOTIFY_ANALYTICS_FAILED },
		{ 301, "", NOTIFY_ANALYTICS_REFUSED },
		{ 400, "", NOTIFY_ANALYTICS_UNFIT },
		{ 401, "", NOTIFY_ANALYTICS_REFUSED },
		{ 403, "", NOTIFY_ANALYTICS_REFUSED },
		{ 404, "", NOTIFY_ANALYTICS_REFUSED },
		{ 408, "", NOTIFY_ANALYTICS_FAILED },
		{ 413, "", NOTIFY_ANALYTICS_TOO_LARGE },
		{ 429, "", NOTIFY_ANALYTICS_FAILED },
		{ 500, "{\"status\":1}", NOTIFY_ANALYTICS_FAILED },
		{ 503, "", NOTIFY_ANALYTICS_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const struct trl_http_answer answer = { .status = rows[i].status,
			.body = rows[i].body,
			.body_len = strlen(rows[i].body) };
		const struct trl_http_answer cut = { .status = 200,
			.body = "{\"status\":1}",
			.body_len = 12,
			.truncated = true };

		if (notify_analytics_judge(&answer) != rows[i].want)
			fail_msg("%u %s", rows[i].status, rows[i].body);
		assert_int_equal(notify_analytics_judge(&cut), NOTIFY_ANALYTICS_FAILED);
	}
}

static void
a_post_holds_so_many_events_and_bytes(void **state)
{
	static char large[200 << 10], small[] = "{}";
	Notify__V1__ProductEvent one = NOTIFY__V1__PRODUCT_EVENT__INIT,
				 other = NOTIFY__V1__PRODUCT_EVENT__INIT;
	Notify__V1__ProductEvent *events[150];
	struct notify_analytics to = { .key = trl_secret_new("phc_x", 5) };
	trl_secret *key = (trl_secret *)(uintptr_t)to.key;

	(void)state;
	memset(large, ' ', sizeof large - 1);
	one.body = small;
	other.body = large;
	for (size_t i = 0; i < TRL_COUNT(events); i++)
		events[i] = &one;
	assert_int_equal(notify_analytics_fit(&to, events, 150, 100), 100);
	assert_int_equal(notify_analytics_fit(&to, events, 3, 100), 3);
	assert_int_equal(notify_analytics_fit(&to, events, 150, 12), 12);
	for (size_t i = 0; i < TRL_COUNT(events); i++)
		events[i] = &other;
	assert_int_equal(notify_analytics_fit(&to, events, 150, 100), 2);
	assert_int_equal(notify_analytics_fit(&to, events, 150, 1), 1);
	trl_secret_free(&key);
}

static int
open_with_posthog(void **state)
{
	/* Nobody listens there, and nothing is due while a case runs. */
	setenv("TRELLIS_POSTHOG_URL", "http://127.0.0.1:1", 1);
	setenv("TRELLIS_POSTHOG_KEY", "phc_test", 1);
	return ground_open(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_event_is_told_by_ids_and_by_what_its_contract_declares),
		cmocka_unit_test(a_word_that_the_installation_chose_is_told),
		cmocka_unit_test(
		    what_nobody_did_is_the_organisations_and_makes_no_profile),
		cmocka_unit_test(neither_name_nor_address_is_told),
		cmocka_unit_test_teardown(
		    only_where_there_is_consent_anything_waits, ground_forget),
		cmocka_unit_test_teardown(
		    an_organisation_has_no_more_waiting_than_it_may, ground_forget),
		cmocka_unit_test(only_posthogs_own_words_are_success),
		cmocka_unit_test(a_post_holds_so_many_events_and_bytes),
	};

	return cmocka_run_group_tests(tests, open_with_posthog, ground_close);
}
