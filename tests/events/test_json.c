/* Events as CloudEvents JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <trl/events.h>

#include "auth_v1.trl.h"

static const char *
json_of(const struct trl_event *event)
{
	static char text[2048];
	struct trl_buf out = { 0 };

	trl_event_json(&out, event);
	assert_true(out.len < sizeof text);
	memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	trl_buf_fini(&out);
	return text;
}

static struct trl_event
event_of(const struct trl_event_type *type, const ProtobufCMessage *payload)
{
	struct trl_event event = { .lane = 3,
		.seq = 42,
		.type_name = type->name,
		.type = type,
		.payload = payload,
		.at_us = 1700000000123456 };

	memset(event.id.bytes, 0x11, 16);
	memset(event.tenant.bytes, 0x22, 16);
	memset(event.subject.bytes, 0x33, 16);
	return event;
}

static void
it_has_the_attributes_of_cloudevents(void **state)
{
	Auth__V1__Account account = AUTH__V1__ACCOUNT__INIT;
	Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;
	struct trl_event event;

	(void)state;
	account.display_name = (char *)(uintptr_t) "A \"quoted\" name";
	told.account = &account;
	event = event_of(&auth_event_account_created, &told.base);
	assert_string_equal(json_of(&event),
	    "{\"specversion\":\"1.0\",\"id\":\"11111111-1111-1111-1111-111111111111\","
	    "\"source\":\"/auth\",\"type\":\"auth.account.created\","
	    "\"time\":\"2023-11-14T22:13:20.123456Z\","
	    "\"subject\":\"33333333-3333-3333-3333-333333333333\","
	    "\"tenantid\":\"22222222-2222-2222-2222-222222222222\",\"lane\":3,"
	    "\"sequence\":\"00000000000000000042\","
	    "\"datacontenttype\":\"application/json\","
	    "\"data\":{\"account\":{\"display_name\":\"A \\\"quoted\\\" name\"}}}");
}

static void
what_is_the_platforms_or_unknown_has_less(void **state)
{
	Auth__V1__AccountEvent told = AUTH__V1__ACCOUNT_EVENT__INIT;
	struct trl_event event = event_of(&auth_event_account_created, &told.base);

	(void)state;
	event.tenant = trl_id_nil;
	event.seq = 0;
	event.type = NULL;
	event.payload = NULL;
	event.type_name = "later.thing.done";
	assert_null(strstr(json_of(&event), "tenant"));
	assert_null(strstr(json_of(&event), "sequence"));
	assert_null(strstr(json_of(&event), "data"));
	assert_non_null(strstr(json_of(&event), "\"source\":\"/later\""));
}

static void
secrets_and_internal_fields_stay_inside(void **state)
{
	Auth__V1__LetterEvent told = AUTH__V1__LETTER_EVENT__INIT;
	struct trl_event event = event_of(&auth_event_letter_requested, &told.base);
	const ProtobufCMessageDescriptor *type = told.base.descriptor;
	size_t hidden = 0;

	(void)state;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const struct trl_field *rule =
		    &auth_event_letter_requested.message->fields[i];
		char *at = (char *)&told + type->fields[i].offset;

		if (!rule->secret && !rule->internal)
			continue;
		hidden++;
		if (type->fields[i].type == PROTOBUF_C_TYPE_STRING)
			*(const char **)(void *)at = "tell-nobody";
		if (type->fields[i].type == PROTOBUF_C_TYPE_BYTES) {
			*(ProtobufCBinaryData *)(void *)at = (ProtobufCBinaryData){
				.data = (uint8_t *)(uintptr_t) "tell-nobody", .len = 11
			};
			*(protobuf_c_boolean *)(void *)((char *)&told +
							type->fields[i]
							    .quantifier_offset) = 1;
		}
	}
	assert_true(hidden > 0);
	assert_null(strstr(json_of(&event), "tell-nobody"));
	assert_null(strstr(json_of(&event), "dGVsbC1ub2JvZHk"));
	assert_null(strstr(json_of(&event), "secret"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_the_attributes_of_cloudevents),
		cmocka_unit_test(what_is_the_platforms_or_unknown_has_less),
		cmocka_unit_test(secrets_and_internal_fields_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
