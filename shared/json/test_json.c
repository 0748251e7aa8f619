/* JSON of messages: round trips, and what reading refuses (reliability section 5,
 * case 13, case 14, case 15, case 16, case 17 and case 18). Over 400 lines: a short
 * case for each rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/timestamp.pb-c.h>

#include <trl/json.h>
#include <trl/wire.h>

#include "sample.trl.h"

#define FULL                                                                           \
	"{\"id\":\"01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21\",\"version\":3,"              \
	"\"name\":\"a \\\"b\\\" \\\\ \\n \\u0001 \xc3\xa4 \xf0\x9f\x90\x99\","         \
	"\"kind\":\"very_flat\",\"created_at\":\"2026-01-31T12:00:00.123456Z\","       \
	"\"small\":-5,\"large\":-9007199254740992,\"unsigned\":9007199254740992,"      \
	"\"count\":4294967295,\"ratio\":0.1,\"flag\":false,\"data\":\"AAEC/w==\","     \
	"\"tags\":[\"x\",\"\"],\"labels\":{\"k/1\":\"v\",\"\":\"e\"},"                 \
	"\"counts\":{\"-7\":1},\"parts\":[{\"name\":\"p\",\"count\":1},{}],"           \
	"\"part\":{},\"code\":\"c\",\"numbers\":[1,-2],\"kinds\":[\"round\"],"         \
	"\"right\":7}"

static trl_ctx ctx;
static struct trl_buf buf;

static int
setup(void **state)
{
	(void)state;
	ctx = (trl_ctx){ .arena = trl_arena_new(0) };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	trl_arena_free(&ctx.arena);
	trl_buf_fini(&buf);
	return 0;
}

static enum trl_code
decode(const struct trl_message *rules, const char *text, size_t len,
    ProtobufCMessage **out)
{
	/* A copy of the exact size, so that a sanitizer sees any read beyond. */
	char *copy = malloc(len ? len : 1);
	enum trl_code rc;

	memcpy(copy, text, len);
	ctx.err = (struct trl_err){ .code = TRL_OK };
	*out = trl_message_new(ctx.arena, rules->descriptor);
	rc = trl_json_decode(&ctx, rules, copy, len, *out);
	free(copy);
	assert_int_equal(rc, ctx.err.code);
	return rc;
}

static const char *
encoded(const struct trl_message *rules, const ProtobufCMessage *message, bool redact)
{
	trl_buf_clear(&buf);
	trl_json_encode(&buf, rules, message, redact);
	trl_buf_add(&buf, "", 1);
	return (const char *)buf.data;
}

static void
writes_what_it_read(void **state)
{
	ProtobufCMessage *thing;

	(void)state;
	if (decode(&sample_v1_thing_rules, FULL, strlen(FULL), &thing) != TRL_OK)
		fail_msg("%s: %s", ctx.err.violations[0].pointer,
		    ctx.err.violations[0].detail);
	assert_string_equal(encoded(&sample_v1_thing_rules, thing, false), FULL);
}

static void
shows_empty_lists_and_leaves_out_what_is_absent(void **state)
{
	Sample__V1__ListThingsReply reply = SAMPLE__V1__LIST_THINGS_REPLY__INIT;

	(void)state;
	assert_string_equal(
	    encoded(&sample_v1_list_things_reply_rules, &reply.base, false),
	    "{\"items\":[]}");
}

static void
hides_secrets_when_asked_and_internal_fields_always(void **state)
{
	Sample__V1__Thing thing = SAMPLE__V1__THING__INIT;
	const char *text;

	(void)state;
	thing.code = (char *)"hunter2";
	thing.place = (char *)"cellar";
	text = encoded(&sample_v1_thing_rules, &thing.base, true);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "\"code\":\"(secret)\""));
	text = encoded(&sample_v1_thing_rules, &thing.base, false);
	assert_non_null(strstr(text, "\"code\":\"hunter2\""));
	assert_null(strstr(text, "cellar"));
}

struct row {
	const char *text;
	enum trl_code code;
	const char *pointer; /* of the one violation, or NULL: none */
};

static const struct row rows[] = {
	/* 13: a doubled name */
	{ "{\"slug\":\"ab\",\"slug\":\"cd\"}", TRL_MALFORMED, NULL },
	{ "{\"thing\":{\"tags\":[],\"tags\":[]}}", TRL_MALFORMED, NULL },
	/* 15: numbers */
	{ "{\"thing\":{\"ratio\":1e400}}", TRL_INVALID, NULL },
	{ "{\"thing\":{\"ratio\":NaN}}", TRL_INVALID, NULL },
	{ "{\"thing\":{\"ratio\":-Infinity}}", TRL_INVALID, NULL },
	{ "{\"thing\":{\"large\":9007199254740993}}", TRL_INVALID, "/thing/large" },
	{ "{\"thing\":{\"large\":-9007199254740993}}", TRL_INVALID, "/thing/large" },
	{ "{\"thing\":{\"large\":9223372036854775808}}", TRL_INVALID, NULL },
	{ "{\"thing\":{\"large\":1.5}}", TRL_INVALID, "/thing/large" },
	{ "{\"thing\":{\"unsigned\":-1}}", TRL_INVALID, "/thing/unsigned" },
	{ "{\"thing\":{\"small\":2147483648}}", TRL_INVALID, "/thing/small" },
	{ "{\"thing\":{\"count\":4294967296}}", TRL_INVALID, "/thing/count" },
	{ "{\"thing\":{\"numbers\":[1,9007199254740993]}}", TRL_INVALID,
	    "/thing/numbers/1" },
	/* 16: text */
	{ "{\"slug\":\"\\ud800\"}", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"\\udc00\\ud800\"}", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"a\\u0000b\"}", TRL_INVALID, "/slug" },
	{ "{\"thing\":{\"tags\":[\"\",\"\\u0000\"]}}", TRL_INVALID, "/thing/tags/1" },
	{ "{\"thing\":{\"kind\":\"round\\u0000\"}}", TRL_INVALID, "/thing/kind" },
	{ "{\"thing\":{\"id\":\"01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b2\\u0000\"}}",
	    TRL_INVALID, "/thing/id" },
	{ "{\"slug\":\"\\u0000\\ud800\"}", TRL_MALFORMED, NULL },
	{ "{\"a\\u0000b\":1}", TRL_MALFORMED, NULL },
	{ "\xef\xbb\xbf{}", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"\xff\"}", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"\xc0\xaf\"}", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"\xed\xa0\x80\"}", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"a\nb\"}", TRL_MALFORMED, NULL },
	/* 17: what is not a field */
	{ "{\"role\":\"owner\"}", TRL_MALFORMED, "/role" },
	{ "{\"thing\":{\"place\":\"here\"}}", TRL_MALFORMED, "/thing/place" },
	{ "{\"thing\":{\"a/b~\":1}}", TRL_MALFORMED, "/thing/a~1b~0" },
	{ "{\"number\":1}", TRL_MALFORMED, "/number" },
	/* 18: not one object of JSON */
	{ "", TRL_MALFORMED, NULL },
	{ " ", TRL_MALFORMED, NULL },
	{ "{} {}", TRL_MALFORMED, NULL },
	{ "{}x", TRL_MALFORMED, NULL },
	{ "[]", TRL_MALFORMED, NULL },
	{ "null", TRL_MALFORMED, NULL },
	{ "{'a':1}", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"ab\",}", TRL_MALFORMED, NULL },
	{ "{\"slug\":01}", TRL_MALFORMED, NULL },
	{ "{\"slug\":", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"ab", TRL_MALFORMED, NULL },
	{ "{\"slug\":\"\\", TRL_MALFORMED, NULL },
	/* types */
	{ "{\"slug\":1}", TRL_MALFORMED, "/slug" },
	{ "{\"slug\":true}", TRL_MALFORMED, "/slug" },
	{ "{\"thing\":[]}", TRL_MALFORMED, "/thing" },
	{ "{\"thing\":{\"flag\":0}}", TRL_MALFORMED, "/thing/flag" },
	{ "{\"thing\":{\"small\":\"1\"}}", TRL_MALFORMED, "/thing/small" },
	{ "{\"thing\":{\"tags\":\"x\"}}", TRL_MALFORMED, "/thing/tags" },
	{ "{\"thing\":{\"tags\":[1]}}", TRL_MALFORMED, "/thing/tags/0" },
	{ "{\"thing\":{\"labels\":[]}}", TRL_MALFORMED, "/thing/labels" },
	{ "{\"thing\":{\"labels\":{\"k\":1}}}", TRL_MALFORMED, "/thing/labels/k" },
	{ "{\"thing\":{\"counts\":{\"x\":1}}}", TRL_INVALID, "/thing/counts/x" },
	{ "{\"thing\":{\"parts\":[{\"count\":\"x\"}]}}", TRL_MALFORMED,
	    "/thing/parts/0/count" },
	/* forms */
	{ "{\"thing\":{\"id\":\"x\"}}", TRL_INVALID, "/thing/id" },
	{ "{\"thing\":{\"id\":\"00000000-0000-0000-0000-000000000000\"}}", TRL_INVALID,
	    "/thing/id" },
	{ "{\"thing\":{\"data\":\"AAE\"}}", TRL_INVALID, "/thing/data" },
	{ "{\"thing\":{\"data\":\"AAF=\"}}", TRL_INVALID, "/thing/data" },
	{ "{\"thing\":{\"data\":\"A=E=\"}}", TRL_INVALID, "/thing/data" },
	{ "{\"thing\":{\"data\":\"====\"}}", TRL_INVALID, "/thing/data" },
	{ "{\"thing\":{\"kind\":\"square\"}}", TRL_INVALID, "/thing/kind" },
	{ "{\"thing\":{\"kind\":2}}", TRL_MALFORMED, "/thing/kind" },
	{ "{\"thing\":{\"kinds\":[\"round\",\"\"]}}", TRL_INVALID, "/thing/kinds/1" },
	{ "{\"expires_at\":\"2026-02-30T00:00:00Z\"}", TRL_INVALID, "/expires_at" },
	{ "{\"expires_at\":\"yesterday\"}", TRL_INVALID, "/expires_at" },
	{ "{\"expires_at\":1}", TRL_MALFORMED, "/expires_at" },
	{ "{\"slug\":null}", TRL_INVALID, "/slug" },
	{ "{\"thing\":{\"left\":\"a\",\"right\":1}}", TRL_MALFORMED, "/thing/right" },
	{ "{\"thing\":{\"tags\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}}", TRL_INVALID,
	    "/thing/tags" },
	/* fine */
	{ "{}", TRL_OK, NULL },
	{ " { \"slug\" : \"ab\" } \n", TRL_OK, NULL },
	{ "{\"expires_at\":\"0001-01-01T00:00:00Z\"}", TRL_OK, NULL },
	{ "{\"thing\":{\"data\":\"\",\"ratio\":1,\"tags\":[],\"labels\":{}}}", TRL_OK,
	    NULL },
	{ "{\"slug\":\"\\ud83d\\ude00 {[NaN\"}", TRL_OK, NULL },
};

static void
a_name_that_is_none_is_told_those_that_are(void **state)
{
	static const char text[] = "{\"thing\":{\"kind\":\"square\"}}";
	ProtobufCMessage *out;

	(void)state;
	assert_int_equal(
	    decode(&sample_v1_make_thing_request_rules, text, strlen(text), &out),
	    TRL_INVALID);
	assert_string_equal(
	    ctx.err.violations[0].detail, "should be round or very_flat");
}

static void
reads_only_what_the_contract_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		ProtobufCMessage *out;
		enum trl_code rc = decode(&sample_v1_make_thing_request_rules,
		    rows[i].text, strlen(rows[i].text), &out);

		if (rc != rows[i].code)
			fail_msg("%s: %s (%s)", rows[i].text, trl_code_name(rc),
			    ctx.err.message);
		if (!rows[i].pointer)
			continue;
		assert_int_equal(ctx.err.n_violations, 1);
		assert_string_equal(ctx.err.violations[0].pointer, rows[i].pointer);
	}
}

/* 14: 33 deep, and the depth that ends a recursive parser. */
static void
refuses_depth_before_parsing(void **state)
{
	static char text[200000];
	ProtobufCMessage *out;

	(void)state;
	memset(text, '[', sizeof text);
	assert_int_equal(
	    decode(&sample_v1_thing_rules, text, sizeof text, &out), TRL_MALFORMED);
	assert_string_equal(ctx.err.message, "The text is nested more than 32 deep.");
	memset(text + 32, ']', 32);
	assert_int_equal(decode(&sample_v1_thing_rules, text, 64, &out), TRL_MALFORMED);
	assert_string_equal(ctx.err.message, "The body is not a JSON object.");
}

static void
gathers_all_that_is_wrong(void **state)
{
	static const char text[] = "{\"x\":1,\"slug\":5,\"thing\":{\"small\":1.5}}";
	ProtobufCMessage *out;

	(void)state;
	assert_int_equal(
	    decode(&sample_v1_make_thing_request_rules, text, strlen(text), &out),
	    TRL_MALFORMED);
	assert_int_equal(ctx.err.n_violations, 3);
}

static void
clears_by_null_what_may_be_cleared(void **state)
{
	ProtobufCMessage *out;
	Sample__V1__UpdateThingRequest *update;

	(void)state;
	assert_int_equal(
	    decode(&sample_v1_update_thing_request_rules, "{\"note\":null}", 13, &out),
	    TRL_OK);
	update = (Sample__V1__UpdateThingRequest *)out;
	assert_int_equal(update->n_clear, 1);
	assert_string_equal(update->clear[0], "note");
	assert_null(update->name);
	assert_int_equal(
	    decode(&sample_v1_update_thing_request_rules, "{\"name\":null}", 13, &out),
	    TRL_INVALID);
	assert_int_equal(decode(&sample_v1_update_thing_request_rules,
			     "{\"clear\":[\"note\"]}", 18, &out),
	    TRL_MALFORMED);
}

static void
tells_an_empty_list_from_none_where_it_may(void **state)
{
	ProtobufCMessage *out;
	Sample__V1__UpdateThingRequest *update;

	(void)state;
	assert_int_equal(
	    decode(&sample_v1_update_thing_request_rules, "{\"marks\":[]}", 12, &out),
	    TRL_OK);
	update = (Sample__V1__UpdateThingRequest *)out;
	assert_int_equal(update->n_clear, 1);
	assert_string_equal(update->clear[0], "marks");
	assert_int_equal(decode(&sample_v1_update_thing_request_rules,
			     "{\"marks\":[\"a\"]}", 15, &out),
	    TRL_OK);
	update = (Sample__V1__UpdateThingRequest *)out;
	assert_int_equal(update->n_clear, 0);
	assert_int_equal(update->n_marks, 1);
}

static enum trl_code
set(const struct trl_message *rules, ProtobufCMessage *message, const char *name,
    const char *text)
{
	ctx.err = (struct trl_err){ .code = TRL_OK };
	return trl_json_set_text(&ctx, rules, message, name, text, strlen(text));
}

static void
sets_fields_from_path_and_query(void **state)
{
	const struct trl_message *rules = &sample_v1_list_things_request_rules;
	Sample__V1__ListThingsRequest list = SAMPLE__V1__LIST_THINGS_REQUEST__INIT;

	(void)state;
	assert_int_equal(set(rules, &list.base, "page_size", "20"), TRL_OK);
	assert_int_equal(list.page_size, 20);
	assert_int_equal(set(rules, &list.base, "page_size", "20"), TRL_MALFORMED);
	assert_string_equal(ctx.err.violations[0].detail, "is given twice");
	for (int i = 0; i < 9; i++)
		assert_int_equal(
		    set(rules, &list.base, "kinds", i % 2 ? "round" : "very_flat"),
		    TRL_OK);
	assert_int_equal(list.n_kinds, 9);
	assert_int_equal(list.kinds[7], SAMPLE__V1__THING__KIND__round);
	assert_int_equal(list.kinds[8], SAMPLE__V1__THING__KIND__very_flat);
	assert_int_equal(set(rules, &list.base, "kinds", "oval"), TRL_INVALID);
	assert_int_equal(set(rules, &list.base, "flat", "yes"), TRL_INVALID);
	assert_int_equal(set(rules, &list.base, "flat", "true"), TRL_OK);
	assert_int_equal(
	    set(rules, &list.base, "after", "2026-01-31T12:00:00Z"), TRL_OK);
	assert_true(list.after->seconds == 1769860800);
	assert_int_equal(set(rules, &list.base, "sort", "name"), TRL_MALFORMED);
	assert_string_equal(ctx.err.violations[0].pointer, "/sort");
	/* without clearing the error: gathered */
	assert_int_equal(trl_json_set_text(&ctx, rules, &list.base, "kinds", "oval", 4),
	    TRL_MALFORMED);
	assert_int_equal(
	    trl_json_set_text(&ctx, rules, &list.base, "kinds", "round", 5),
	    TRL_MALFORMED);
	assert_int_equal(ctx.err.n_violations, 2);
	assert_string_equal(ctx.err.violations[1].pointer, "/kinds");
	assert_string_equal(ctx.err.message, "2 fields are not acceptable.");
	assert_int_equal(set(rules, &list.base, "page_token", "\xff"), TRL_MALFORMED);
}

static void
refuses_numbers_that_are_not_plain(void **state)
{
	static const char *const texts[] = { "", "-", "+1", "01", "1.0", "1e3", " 1",
		"1 ", "0x10", "99999999999999999999", "4294967296", "-1" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(texts); i++) {
		Sample__V1__ListThingsRequest list =
		    SAMPLE__V1__LIST_THINGS_REQUEST__INIT;

		assert_int_equal(set(&sample_v1_list_things_request_rules, &list.base,
				     "page_size", texts[i]),
		    TRL_INVALID);
		assert_false(list.has_page_size);
	}
}

/* What the path gave, the body may not give again. */
static void
refuses_a_field_twice_over_path_and_body(void **state)
{
	static const char text[] =
	    "{\"thing_id\":\"01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21\"}";
	Sample__V1__UpdateThingRequest update = SAMPLE__V1__UPDATE_THING_REQUEST__INIT;
	const struct trl_message *rules = &sample_v1_update_thing_request_rules;

	(void)state;
	assert_int_equal(set(rules, &update.base, "thing_id",
			     "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b22"),
	    TRL_OK);
	assert_int_equal(trl_json_decode(&ctx, rules, text, strlen(text), &update.base),
	    TRL_MALFORMED);
	assert_string_equal(ctx.err.violations[0].pointer, "/thing_id");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(writes_what_it_read),
		T(shows_empty_lists_and_leaves_out_what_is_absent),
		T(hides_secrets_when_asked_and_internal_fields_always),
		T(a_name_that_is_none_is_told_those_that_are),
		T(reads_only_what_the_contract_has),
		T(refuses_depth_before_parsing),
		T(gathers_all_that_is_wrong),
		T(clears_by_null_what_may_be_cleared),
		T(tells_an_empty_list_from_none_where_it_may),
		T(sets_fields_from_path_and_query),
		T(refuses_numbers_that_are_not_plain),
		T(refuses_a_field_twice_over_path_and_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
