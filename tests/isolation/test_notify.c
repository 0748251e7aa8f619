/* Every method of notify, from the catalogue, with everything before the handler
 * failing to look: under tenant B's context, with every permission and A's ids in the
 * request, no reply holds anything of A and nothing of A is changed; under no tenant
 * there are no rows. The same for what is a person's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <test_ground.h>

#include "request.h"

static const char mark[] = "alpha-secret"; /* in every text of A's */

static struct trl_id a, ada, eve, endpoint, delivery, notification;

static int
open_world(void **state)
{
	Notify__V1__CreateWebhookEndpointRequest ask =
	    NOTIFY__V1__CREATE_WEBHOOK_ENDPOINT_REQUEST__INIT;
	Notify__V1__WebhookEndpoint *made;
	struct world_caller who;

	if (ground_open(state) != 0)
		return -1;
	ada = trl_id_new();
	eve = trl_id_new();
	a = trl_id_new();
	delivery = trl_id_new();
	notification = trl_id_new();
	who = (struct world_caller){ .account = ada, .tenant = a };
	ask.url = (char *)(uintptr_t) "https://alpha-secret.example.com/hook";
	ask.description = (char *)(uintptr_t)mark;
	assert_int_equal(
	    world_call(&who, &notify_v1_create_webhook_endpoint, &ask.base, &made),
	    TRL_OK);
	endpoint = trl_value_id(made->id);
	world_sql("insert into settings (tenant_id, version, sender_name, updated_at) "
		  "values ('%s', 1, '%s', now())",
	    world_id_text(a), mark);
	world_sql(
	    "insert into template values ('%s', 'member_updated', 'en', 1, false, "
	    "'%s', '%s', '%s', '%s', '%s', now())",
	    world_id_text(a), mark, mark, mark, mark, mark);
	world_sql(
	    "insert into notification (account_id, id, about_tenant, kind, title, "
	    "body, event_id, created_at) values ('%s', '%s', '%s', 'member_updated', "
	    "'%s', '%s', gen_random_uuid(), now())",
	    world_id_text(ada), world_id_text(notification), world_id_text(a), mark,
	    mark);
	world_sql("insert into preference (account_id, version, digest, time_zone, "
		  "updated_at) values ('%s', 7, 'daily', 'Asia/Kathmandu', now())",
	    world_id_text(ada));
	return 0;
}

/* All rows of A's and of Ada's, whatever tables there are. */
static const char *
fingerprint(void)
{
	return world_sql(
	    "select md5(string_agg(query_to_xml(format('select t::text from notify.%%I "
	    "t "
	    "where %%I = %%L order by 1', c.relname, k.attname, case k.attname when "
	    "'tenant_id' then '%s' else '%s' end), true, false, '')::text, '' order by "
	    "c.relname, k.attname)) from pg_class c join pg_attribute k on k.attrelid "
	    "= "
	    "c.oid and k.attname in ('tenant_id', 'account_id') where c.relnamespace = "
	    "'notify'::regnamespace and c.relkind = 'r' and c.relname <> 'idempotency'",
	    world_id_text(a), world_id_text(ada));
}

static bool
holds(const uint8_t *data, size_t len, const void *what, size_t what_len)
{
	return memmem(data, len, what, what_len) != NULL;
}

static void
assert_nothing_of_a(const struct trl_method *method, const ProtobufCMessage *out)
{
	size_t len = protobuf_c_message_get_packed_size(out);
	uint8_t *data = trl_arena_alloc(world.arena, len);

	protobuf_c_message_pack(out, data);
	if (holds(data, len, mark, strlen(mark)) || holds(data, len, ada.bytes, 16) ||
	    holds(data, len, "Kathmandu", 9) || holds(data, len, endpoint.bytes, 16) ||
	    holds(data, len, notification.bytes, 16))
		fail_msg("%s tells something of A", method->name);
}

static enum trl_code
attack(const struct trl_method *method, const struct world_caller *who, bool known)
{
	const struct request_id ids[] = {
		{ "tenant_id", a },
		{ known ? "account_id" : "", ada },
		{ known ? "endpoint_id" : "", endpoint },
		{ known ? "delivery_id" : "", delivery },
		{ known ? "notification_id" : "", notification },
		{ NULL, trl_id_nil },
	};
	ProtobufCMessage *out = NULL;
	enum trl_code rc =
	    world_call(who, method, request_new(world.arena, method, ids), &out);

	if (rc == TRL_OK)
		assert_nothing_of_a(method, out);
	return rc;
}

static size_t
attack_all(const struct world_caller *who)
{
	const char *before = fingerprint();
	size_t n = 0;

	for (size_t i = 0; i < notify_v1_server.n_methods; i++) {
		const struct trl_method *method = notify_v1_server.methods[i];
		struct trl_err err;
		enum trl_code rc;

		/* MESH methods name their tenant, and the edge alone may call them. */
		if (method->auth != TRL_AUTH_TENANT && method->auth != TRL_AUTH_SESSION)
			continue;
		rc = attack(method, who, true);
		err = world.err;
		if (rc != TRL_OK && request_has_object(method)) {
			assert_int_equal(attack(method, who, false), rc);
			assert_string_equal(err.message, world.err.message);
		}
		if (strcmp(before, fingerprint()) != 0)
			fail_msg("%s changed something of A", method->name);
		n++;
	}
	return n;
}

/* Reliability, cases 50 and 51. */
static void
a_request_that_names_a_under_bs_context_reaches_nothing(void **state)
{
	const struct world_caller who = { .account = eve, .tenant = trl_id_new() };

	(void)state;
	assert_true(attack_all(&who) >= 20);
}

/* Reliability, case 29. */
static void
without_a_tenant_there_are_no_rows(void **state)
{
	const struct world_caller who = { .account = eve };

	(void)state;
	assert_true(attack_all(&who) >= 20);
}

/* By its true name, which a request out of rules does not guess. */
static void
the_words_of_a_are_nobody_elses(void **state)
{
	struct world_caller who = { .account = ada, .tenant = a };
	Notify__V1__GetTemplateRequest ask = NOTIFY__V1__GET_TEMPLATE_REQUEST__INIT;
	Notify__V1__PreviewTemplateRequest preview =
	    NOTIFY__V1__PREVIEW_TEMPLATE_REQUEST__INIT;
	Notify__V1__Template *seen;
	Notify__V1__Preview *shown;

	(void)state;
	ask.kind = preview.kind = (char *)(uintptr_t) "member_updated";
	ask.locale = preview.locale = (char *)(uintptr_t) "en";
	assert_int_equal(
	    world_call(&who, &notify_v1_get_template, &ask.base, &seen), TRL_OK);
	assert_string_equal(seen->subject, mark);
	who = (struct world_caller){ .account = eve, .tenant = trl_id_new() };
	assert_int_equal(
	    world_call(&who, &notify_v1_get_template, &ask.base, &seen), TRL_OK);
	assert_false(seen->custom);
	assert_nothing_of_a(&notify_v1_get_template, &seen->base);
	assert_int_equal(
	    world_call(&who, &notify_v1_preview_template, &preview.base, &shown),
	    TRL_OK);
	assert_nothing_of_a(&notify_v1_preview_template, &shown->base);
}

/* The suite would see it: Ada's own call does show the mark. */
static void
what_is_looked_for_is_there(void **state)
{
	const struct world_caller who = { .account = ada, .tenant = a };
	Notify__V1__GetSettingsRequest ask = NOTIFY__V1__GET_SETTINGS_REQUEST__INIT;
	Notify__V1__Settings *seen;

	(void)state;
	assert_int_equal(
	    world_call(&who, &notify_v1_get_settings, &ask.base, &seen), TRL_OK);
	assert_string_equal(seen->sender_name, mark);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_looked_for_is_there, ground_forget),
		cmocka_unit_test_teardown(
		    a_request_that_names_a_under_bs_context_reaches_nothing,
		    ground_forget),
		cmocka_unit_test_teardown(
		    the_words_of_a_are_nobody_elses, ground_forget),
		cmocka_unit_test_teardown(
		    without_a_tenant_there_are_no_rows, ground_forget),
	};

	return cmocka_run_group_tests(tests, open_world, ground_close);
}
