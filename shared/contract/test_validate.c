/* Messages against their rules; each row one value, its pointer and the verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/validate.h>

#include "sample.trl.h"

static trl_ctx ctx;
static Sample__V1__MakeThingRequest request;

static int
setup(void **state)
{
	(void)state;
	ctx = (trl_ctx){ .arena = trl_arena_new(0) };
	sample__v1__make_thing_request__init(&request);
	request.slug = (char *)"acme";
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	trl_arena_free(&ctx.arena);
	return 0;
}

static void
wants(const char *pointer, const char *detail)
{
	enum trl_code rc =
	    trl_validate(&ctx, &sample_v1_make_thing_request_rules, &request.base);

	if (!pointer) {
		assert_int_equal(rc, TRL_OK);
		return;
	}
	assert_int_equal(rc, TRL_INVALID);
	assert_int_equal(ctx.err.n_violations, 1);
	assert_string_equal(ctx.err.violations[0].pointer, pointer);
	assert_string_equal(ctx.err.violations[0].detail, detail);
	ctx.err = (struct trl_err){ .code = TRL_OK };
}

static void
accepts_what_is_fine(void **state)
{
	(void)state;
	wants(NULL, NULL);
}

static void
asks_for_what_is_required(void **state)
{
	(void)state;
	request.slug = NULL;
	wants("/slug", "is required");
}

static void
bounds_lengths_by_characters_and_not_bytes(void **state)
{
	(void)state;
	request.name =
	    (char *)"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
	wants(NULL, NULL);
	request.name = (char *)"123456789";
	wants("/name", "should have at most 8 characters");
	request.name = (char *)"1";
	wants("/name", "should have at least 2 characters");
	request.slug = (char *)"abcdefghijk";
	request.name = NULL;
	wants("/slug", "should have at most 10 characters");
}

static void
holds_lists_and_their_items(void **state)
{
	int32_t digits[] = { 1, 10, -1 };
	char *permissions[] = { (char *)"sample.thing.read",
		(char *)"sample.thing.eat" };

	(void)state;
	request.digits = digits;
	request.n_digits = 1;
	wants("/digits", "should have at least 2 items");
	request.n_digits = 2;
	wants("/digits/1", "should be at most 9");
	digits[1] = 9;
	request.n_digits = 3;
	wants("/digits/2", "should be at least 0");
	request.n_digits = 0;
	request.permissions = permissions;
	request.n_permissions = 2;
	wants("/permissions/1", "should be a permission of the catalogue");
}

static void
goes_into_messages_and_maps(void **state)
{
	Sample__V1__Thing thing = SAMPLE__V1__THING__INIT;
	Sample__V1__Part part = SAMPLE__V1__PART__INIT, *parts[] = { &part };
	Sample__V1__Thing__LabelsEntry label = SAMPLE__V1__THING__LABELS_ENTRY__INIT;
	Sample__V1__Thing__LabelsEntry *labels[] = { &label };
	char long_text[1030];

	(void)state;
	request.thing = &thing;
	thing.parts = parts;
	thing.n_parts = 1;
	wants("/thing/parts/0/name", "is required");
	part.name = (char *)"wheel";
	part.has_count = 1;
	part.count = 10;
	wants("/thing/parts/0/count", "should be at most 9");
	part.count = 9;
	memset(long_text, 'x', sizeof long_text);
	long_text[1025] = '\0';
	label.key = (char *)"a/b~c";
	label.value = long_text;
	thing.labels = labels;
	thing.n_labels = 1;
	wants("/thing/labels/a~1b~0c/value", "should have at most 1024 characters");
}

static void
bounds_ids_times_enums_and_outputs(void **state)
{
	ProtobufCBinaryData ids[] = { { 15,
	    (uint8_t *)(uintptr_t) "123456789012345" } };
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Sample__V1__Thing thing = SAMPLE__V1__THING__INIT;

	(void)state;
	request.thing_ids = ids;
	request.n_thing_ids = 1;
	wants("/thing_ids/0", "should be an id of 36 characters");
	request.n_thing_ids = 0;
	request.expires_at = &time;
	time.seconds = 253402300800;
	wants("/expires_at", "should be a time between the years 1 and 9999");
	time.seconds = 0;
	time.nanos = 1000000000;
	wants("/expires_at", "should be a time between the years 1 and 9999");
	time.nanos = 0;
	request.thing = &thing;
	thing.has_kind = 1;
	thing.kind = (Sample__V1__Thing__Kind)9;
	wants("/thing/kind", "should be a value that is known");
	request.thing = NULL;
	request.has_number = 1;
	wants("/number", "is set by the service");
}

static void
clears_only_what_may_be_cleared(void **state)
{
	Sample__V1__UpdateThingRequest update = SAMPLE__V1__UPDATE_THING_REQUEST__INIT;
	char *clear[] = { (char *)"note" };

	(void)state;
	update.has_thing_id = 1;
	update.thing_id =
	    (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t) "1234567890123456" };
	update.clear = clear;
	update.n_clear = 1;
	assert_int_equal(
	    trl_validate(&ctx, &sample_v1_update_thing_request_rules, &update.base),
	    TRL_OK);
	update.note = (char *)"both";
	assert_int_equal(
	    trl_validate(&ctx, &sample_v1_update_thing_request_rules, &update.base),
	    TRL_INVALID);
	assert_string_equal(ctx.err.message, "note is both set and cleared.");
	ctx.err = (struct trl_err){ .code = TRL_OK };
	update.note = NULL;
	clear[0] = (char *)"name";
	assert_int_equal(
	    trl_validate(&ctx, &sample_v1_update_thing_request_rules, &update.base),
	    TRL_INVALID);
	assert_string_equal(ctx.err.violations[0].pointer, "/name");
}

static void
gathers_all_that_is_wrong(void **state)
{
	(void)state;
	request.slug = (char *)"A";
	request.email = (char *)"nobody";
	request.name = (char *)" x";
	assert_int_equal(
	    trl_validate(&ctx, &sample_v1_make_thing_request_rules, &request.base),
	    TRL_INVALID);
	assert_int_equal(ctx.err.n_violations, 3);
	assert_string_equal(ctx.err.message, "3 values are not acceptable.");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(accepts_what_is_fine),
		T(asks_for_what_is_required),
		T(bounds_lengths_by_characters_and_not_bytes),
		T(holds_lists_and_their_items),
		T(goes_into_messages_and_maps),
		T(bounds_ids_times_enums_and_outputs),
		T(clears_only_what_may_be_cleared),
		T(gathers_all_that_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
