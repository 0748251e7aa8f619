/* What contractgen makes of sample.proto: terms, catalogue, routes, thunks, and the
 * bytes a message has on the wire for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/timestamp.pb-c.h>
#include <trellis/empty.pb-c.h>

#include <trl/routes.h>
#include <trl/wire.h>

#include "sample.server.h"

/* The service of this test: it notes which handler ran. */
struct sample {
	const char *ran;
};

#define HANDLER(name, in_type, out_type)                                               \
	enum trl_code name(                                                            \
	    struct sample *self, trl_ctx *ctx, const in_type *in, out_type *out)       \
	{                                                                              \
		(void)ctx;                                                             \
		(void)in;                                                              \
		(void)out;                                                             \
		self->ran = #name;                                                     \
		return TRL_OK;                                                         \
	}
HANDLER(sample_make_thing, Sample__V1__MakeThingRequest, Sample__V1__Thing)
HANDLER(sample_list_things, Sample__V1__ListThingsRequest, Sample__V1__ListThingsReply)
HANDLER(
    sample_list_my_things, Sample__V1__ListThingsRequest, Sample__V1__ListThingsReply)
HANDLER(sample_update_thing, Sample__V1__UpdateThingRequest, Sample__V1__Thing)
HANDLER(sample_get_thing, Sample__V1__GetThingRequest, Sample__V1__Thing)
HANDLER(sample_drop_thing, Sample__V1__GetThingRequest, Trellis__Empty)

static void
gives_a_method_its_terms(void **state)
{
	const struct trl_method *update = &sample_v1_update_thing;

	(void)state;
	assert_string_equal(update->name, "sample.v1.Sample.UpdateThing");
	assert_string_equal(update->service, "sample");
	assert_int_equal(update->auth, TRL_AUTH_TENANT);
	assert_int_equal(update->effect, TRL_WRITE);
	assert_int_equal(update->timeout_ms, 5000);
	assert_string_equal(update->rate, "write");
	assert_int_equal(update->verb, TRL_PATCH);
	assert_int_equal(update->status, 200);
	assert_true(update->if_match);
	assert_int_equal(update->errors, 1u << TRL_NOT_FOUND | 1u << TRL_PRECONDITION |
					     1u << TRL_CONFLICT | 1u << TRL_INVALID |
					     1u << TRL_QUOTA);
	assert_int_equal(update->in->clear_field, 3);
	assert_true(update->in->fields[0].required); /* it is in the path */
	assert_int_equal(sample_v1_make_thing.status, 201);
	assert_int_equal(sample_v1_drop_thing.verb, TRL_VERB_NONE);
	assert_string_equal(sample_v1_drop_thing.callers[0], "tenants");
	assert_null(sample_v1_drop_thing.callers[1]);
	assert_true(sample_v1_make_thing_request_rules.has_secret);
	assert_false(sample_v1_update_thing_request_rules.has_secret);
}

static void
finds_methods_and_permissions(void **state)
{
	(void)state;
	assert_int_equal(trl_methods_count, 6);
	for (size_t i = 0; i < trl_methods_count; i++) {
		const struct trl_method *method = trl_methods[i];

		assert_ptr_equal(trl_method_by_id(method->id), method);
		assert_ptr_equal(trl_method_by_name(method->name), method);
		assert_true(i == 0 || trl_methods[i - 1]->id < method->id);
	}
	assert_null(trl_method_by_name("sample.v1.Sample.Nothing"));
	assert_null(trl_method_by_id(0));
	assert_int_equal(trl_permissions_count, 2);
	assert_int_equal(
	    trl_permission_by_name("sample.thing.update")->role, TRL_MEMBER);
	assert_int_equal(trl_permission_by_name("sample.thing.update")->id,
	    sample_v1_update_thing.permission);
	assert_null(trl_permission_by_name("sample.thing"));
	assert_int_equal(trl_features_count, 1);
	assert_string_equal(trl_features[0].name, "thing-editing");
	assert_string_equal(sample_v1_update_thing.feature, "thing-editing");
	assert_int_equal(sample_v1_update_thing.feature_id, trl_features[0].id);
	assert_true(sample_v1_update_thing.errors & UINT64_C(1) << TRL_QUOTA);
	assert_null(sample_v1_get_thing.feature);
	assert_int_equal(sample_v1_get_thing.feature_id, 0);
}

static void
puts_words_before_variables(void **state)
{
	size_t mine = 0, one = 0;

	(void)state;
	assert_int_equal(trl_routes_count, 5);
	for (size_t i = 0; i < trl_routes_count; i++) {
		if (trl_routes[i] == &sample_v1_list_my_things)
			mine = i;
		if (trl_routes[i] == &sample_v1_get_thing)
			one = i;
	}
	assert_true(mine < one);
}

static void
calls_the_handler_behind_each_thunk(void **state)
{
	static const char *const handlers[] = { "sample_make_thing",
		"sample_list_things", "sample_list_my_things", "sample_update_thing",
		"sample_get_thing", "sample_drop_thing" };
	struct sample self = { NULL };

	(void)state;
	assert_int_equal(sample_v1_server.n_methods, TRL_COUNT(handlers));
	for (size_t i = 0; i < sample_v1_server.n_methods; i++) {
		assert_int_equal(
		    sample_v1_server.thunks[i](&self, NULL, NULL, NULL), TRL_OK);
		assert_string_equal(self.ran, handlers[i]);
	}
}

/* If these bytes change, running services and stored replies cannot be read. */
static void
keeps_its_bytes_on_the_wire(void **state)
{
	static const uint8_t golden[] = "\x0a\x10"
					"0123456789abcdef"
					"\x10\x03"
					"\x1a\x04"
					"acme"
					"\x20\x02"
					"\x2a\x08\x08\x80\xd2\x93\xad\x06\x10\x07"
					"\x30\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01"
					"\x51\x00\x00\x00\x00\x00\x00\xe0\x3f"
					"\x58\x01"
					"\x6a\x01"
					"x"
					"\x6a\x01"
					"y"
					"\x72\x06\x0a\x01"
					"k"
					"\x12\x01"
					"v"
					"\xa2\x01\x03\x01\xac\x02";
	Sample__V1__Thing thing = SAMPLE__V1__THING__INIT;
	Sample__V1__Thing__LabelsEntry label = SAMPLE__V1__THING__LABELS_ENTRY__INIT;
	Sample__V1__Thing__LabelsEntry *labels[] = { &label };
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	char *tags[] = { (char *)"x", (char *)"y" };
	int64_t numbers[] = { 1, 300 };
	trl_arena *arena = trl_arena_new(0);
	const uint8_t *data;
	size_t len;

	(void)state;
	thing.has_id = thing.has_version = thing.has_kind = thing.has_small = 1;
	thing.has_ratio = thing.has_flag = 1;
	thing.id =
	    (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t) "0123456789abcdef" };
	thing.version = 3;
	thing.name = (char *)"acme";
	thing.kind = SAMPLE__V1__THING__KIND__very_flat;
	time.seconds = 1705306368;
	time.nanos = 7;
	thing.created_at = &time;
	thing.small = -5;
	thing.ratio = 0.5;
	thing.flag = 1;
	thing.tags = tags;
	thing.n_tags = 2;
	label.key = (char *)"k";
	label.value = (char *)"v";
	thing.labels = labels;
	thing.n_labels = 1;
	thing.numbers = numbers;
	thing.n_numbers = 2;
	trl_wire_encode(arena, &thing.base, &data, &len);
	assert_int_equal(len, sizeof golden - 1);
	assert_memory_equal(data, golden, len);
	trl_arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_a_method_its_terms),
		cmocka_unit_test(finds_methods_and_permissions),
		cmocka_unit_test(puts_words_before_variables),
		cmocka_unit_test(calls_the_handler_behind_each_thunk),
		cmocka_unit_test(keeps_its_bytes_on_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
