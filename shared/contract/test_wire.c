/* The walk before decoding: what protobuf-c would not survive never reaches it
 * (reliability section 5, case 19 to case 23). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <google/protobuf/descriptor.pb-c.h>

#include <trl/member.h>
#include <trl/wire.h>

#include "sample.trl.h"

static const ProtobufCMessageDescriptor *const thing = &sample__v1__thing__descriptor;

static int
setup(void **state)
{
	trl_ctx *ctx = calloc(1, sizeof *ctx);

	ctx->arena = trl_arena_new(0);
	*state = ctx;
	return 0;
}

static int
teardown(void **state)
{
	trl_ctx *ctx = *state;

	trl_arena_free(&ctx->arena);
	free(ctx);
	return 0;
}

static void
refused(trl_ctx *ctx, const void *data, size_t len, const char *wanted)
{
	ProtobufCMessage *out = NULL;

	assert_int_equal(trl_wire_decode(ctx, thing, data, len, &out), TRL_MALFORMED);
	assert_null(out);
	assert_string_equal(ctx->err.message, wanted);
	trl_err_clear(ctx);
}

/* Reliability, case 23. */
static void
refuses_what_is_cut_off_at_every_byte(void **state)
{
	trl_ctx *ctx = *state;
	static const uint8_t whole[] = { 0x0a, 0x03, 'a', 'b', 'c', 0x10, 0x96, 0x01,
		0x8a, 0x01, 0x05, 0x0a, 0x01, 'x', 0x10, 0x02 };
	size_t fine = 0;

	for (size_t n = 0; n <= sizeof whole; n++)
		fine += trl_wire_check(thing, whole, n) == NULL;
	assert_int_equal(fine, 4); /* nothing, and after each of three fields */
	refused(ctx, whole, 2, "The message is cut off.");
}

/* Reliability, case 19. */
static void
refuses_a_depth_of_ten_thousand(void **state)
{
	static uint8_t data[40000];
	size_t at = sizeof data, inner = 0;

	/* No contract recurses; protobuf's own DescriptorProto does, in field 3.
	 * Written from the inside out. */
	(void)state;
	while (inner < 30000) {
		uint8_t head[5] = { 0x1a };
		size_t n = 1;

		for (size_t v = inner; n == 1 || v > 0; v >>= 7)
			head[n++] = (uint8_t)((v & 0x7f) | (v >= 0x80 ? 0x80 : 0));
		at -= n;
		memcpy(data + at, head, n);
		inner += n;
	}
	assert_string_equal(
	    trl_wire_check(
		&google__protobuf__descriptor_proto__descriptor, data + at, inner),
	    "the message is nested too deeply");
}

/* Reliability, case 20. */
static void
refuses_half_a_million_empty_messages(void **state)
{
	size_t len = 524288 * 3;
	uint8_t *data = malloc(len);

	for (size_t i = 0; i < len; i += 3)
		memcpy(data + i, "\x82\x01\x00", 3);
	refused(*state, data, len, "The message has too many elements.");
	free(data);
}

static void
refuses_more_memory_than_it_may_take(void **state)
{
	size_t n = 3 << 20, len = n + 6;
	uint8_t *data = calloc(1, len);

	/* Packed numbers: three million of one byte each become eight bytes. */
	memcpy(data, "\xa2\x01\x80\x80\xc0\x01", 6);
	refused(*state, data, len, "The message has too many elements.");
	free(data);
}

/* Reliability, case 21. */
static void
refuses_text_that_is_not_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = { { "a\0b", 3 }, { "\xff", 1 }, { "\xc0\x80", 2 },
		{ "\xed\xa0\x80", 3 }, { "\xf4\x90\x80\x80", 4 }, { "\xe2\x82", 2 },
		{ "abcdefgh\x80", 9 } };

	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		uint8_t data[16] = { 0x1a, (uint8_t)rows[i].len };

		memcpy(data + 2, rows[i].text, rows[i].len);
		refused(*state, data, rows[i].len + 2,
		    "A text is not UTF-8, or has a NUL.");
	}
}

/* Reliability, case 22. */
static void
refuses_what_the_type_does_not_have(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *wanted;
	} rows[] = {
		{ "\x20\x63", 2, "an enum has a value that is not known" },
		{ "\x20\x00", 2, "an enum has a value that is not known" },
		{ "\xa8\x01\x09", 3, "an enum has a value that is not known" },
		{ "\xaa\x01\x02\x01\x03", 5, "an enum has a value that is not known" },
		{ "\x08\x01", 2, "A field has another type on the wire." },
		{ "\x12\x01\x31", 3, "A field has another type on the wire." },
		{ "\x00\x01", 2, "a field has a number that cannot be" },
		{ "\x0b\x0c", 2, "a field has a type that is not used" },
		{ "\x0f", 1, "a field has a type that is not used" },
		{ "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12,
		    "The message is cut off." },
		{ "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10,
		    "The message is cut off." },
	};

	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		refused(*state, rows[i].bytes, rows[i].len, rows[i].wanted);
}

static void
reads_what_it_writes_and_keeps_unknown_fields(void **state)
{
	trl_ctx *ctx = *state;
	Sample__V1__Thing made = SAMPLE__V1__THING__INIT, *again;
	ProtobufCMessage *out = NULL;
	int64_t numbers[] = { 1, -1, INT64_MAX };
	uint8_t extended[200];
	const uint8_t *data;
	size_t len;

	made.name = (char *)"Gr\xc3\xbc\xc3\x9f"
			    "e \xf0\x9f\x90\x99";
	made.numbers = numbers;
	made.n_numbers = 3;
	made.has_kind = 1;
	made.kind = SAMPLE__V1__THING__KIND__very_flat;
	trl_wire_encode(ctx->arena, &made.base, &data, &len);
	memcpy(extended, data, len);
	memcpy(extended + len, "\xf8\x3f\x05", 3); /* field 1023 = 5 */
	assert_int_equal(trl_wire_decode(ctx, thing, extended, len + 3, &out), TRL_OK);
	again = (Sample__V1__Thing *)out;
	assert_string_equal(again->name, made.name);
	assert_int_equal(again->n_numbers, 3);
	assert_true(again->numbers[2] == INT64_MAX);
	assert_int_equal(again->kind, made.kind);
	assert_int_equal(out->n_unknown_fields, 1);
}

static void
makes_an_empty_message_of_no_bytes(void **state)
{
	trl_ctx *ctx = *state;
	ProtobufCMessage *out = NULL;

	assert_int_equal(trl_wire_decode(ctx, thing, NULL, 0, &out), TRL_OK);
	assert_ptr_equal(out->descriptor, thing);
	assert_null(((Sample__V1__Thing *)out)->name);
	out = trl_message_new(ctx->arena, thing);
	assert_false(((Sample__V1__Thing *)out)->has_id);
}

static void
copies_what_two_messages_have_alike(void **state)
{
	Sample__V1__UpdateThingRequest from = SAMPLE__V1__UPDATE_THING_REQUEST__INIT;
	Sample__V1__Thing to = SAMPLE__V1__THING__INIT;
	Sample__V1__Part part = SAMPLE__V1__PART__INIT;

	(void)state;
	to.name = (char *)"stays";
	to.has_version = true;
	trl_member_copy_all(&from.base, &to.base);
	assert_string_equal(to.name, "stays");
	from.name = (char *)"new";
	trl_member_copy_all(&from.base, &to.base);
	assert_string_equal(to.name, "new");
	assert_true(to.has_version);
	part.has_count = true; /* int32, and a thing's is uint32 */
	part.count = 3;
	trl_member_copy_all(&part.base, &to.base);
	assert_false(to.has_count);
	assert_string_equal(to.name, "new");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    refuses_what_is_cut_off_at_every_byte, setup, teardown),
		cmocka_unit_test(refuses_a_depth_of_ten_thousand),
		cmocka_unit_test_setup_teardown(
		    refuses_half_a_million_empty_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refuses_more_memory_than_it_may_take, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refuses_text_that_is_not_utf8, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refuses_what_the_type_does_not_have, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    reads_what_it_writes_and_keeps_unknown_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    makes_an_empty_message_of_no_bytes, setup, teardown),
		cmocka_unit_test(copies_what_two_messages_have_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
