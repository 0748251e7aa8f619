/* What an upload's row keeps for a bucket, and the XML that comes from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/s3_state.h"
#include "store/s3_xml.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

static void
parts_are_as_small_as_ten_thousand_allow(void **state)
{
	static const struct {
		uint64_t length, part;
	} rows[] = {
		{ 0, 8 * MIB },
		{ 5 * GIB, 8 * MIB }, /* 640 of them */
		{ 10000 * 8 * MIB, 8 * MIB },
		{ 10000 * 8 * MIB + 1, 9 * MIB },
		{ 5 * 1024 * GIB, 525 * MIB },
		{ 5 * 1024 * GIB + 1, 0 },
		{ UINT64_MAX, 16 * MIB },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_int_equal(s3_part_bytes(8 * MIB, rows[i].length), rows[i].part);
	assert_true(5 * 1024 * GIB <= 10000 * s3_part_bytes(8 * MIB, 5 * 1024 * GIB));
}

static void
same_etag(void *self, uint32_t number, const char *etag)
{
	static const char *const etags[] = { "\"9b2cf535f27731c974343645a3985328\"",
		"\"9B2CF535F27731C974343645A3985328\"", "\"a<b>-2\"", "x" };
	uint32_t *seen = self;

	assert_int_equal(number, ++*seen);
	if (number <= TRL_COUNT(etags))
		assert_string_equal(etag, etags[number - 1]);
}

static void
fill(struct s3_state *state)
{
	*state = (struct s3_state){ .part_bytes = 8 * MIB,
		.id = "2~VXA-/+ id",
		.tail_bytes = 77,
		.tail_generation = 12,
		.tails = true };
	assert_true(
	    s3_state_add_part(state, "\"9b2cf535f27731c974343645a3985328\"", 8 * MIB));
	assert_true(
	    s3_state_add_part(state, "\"9B2CF535F27731C974343645A3985328\"", 8 * MIB));
	assert_true(s3_state_add_part(state, "\"a<b>-2\"", 8 * MIB));
	assert_true(s3_state_add_part(state, "x", 5));
}

static void
a_state_is_read_as_it_was_written(void **state)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf kept = { .len = 0 };
	struct s3_state was, is;
	uint32_t seen = 0;

	(void)state;
	fill(&was);
	s3_state_write(&was, &kept);
	assert_true(s3_state_read(&is, kept.data, kept.len));
	assert_int_equal(is.part_bytes, was.part_bytes);
	assert_int_equal(is.bytes, 24 * MIB + 5);
	assert_int_equal(is.n_parts, 4);
	assert_int_equal(is.tail_bytes, 77);
	assert_int_equal(is.tail_generation, 12);
	assert_true(is.tails);
	assert_string_equal(is.id, was.id);
	s3_state_each(&is, same_etag, &seen);
	assert_int_equal(seen, 4);
	/* Cut off, or longer, it is none. */
	for (size_t len = 0; len < kept.len; len++) {
		struct s3_state none;

		assert_false(s3_state_read(&none, kept.data, len));
		assert_null(none.etags.data);
	}
	trl_buf_add(&kept, "", 1);
	s3_state_fini(&is);
	assert_false(s3_state_read(&is, kept.data, kept.len));
	s3_state_fini(&was);
}

static void
all_parts_fit_into_a_row(void **state)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf kept = { .len = 0 };
	struct s3_state whole = { .part_bytes = 8 * MIB, .id = "id" };
	char etag[S3_ETAG_BYTES + 2];
	uint32_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < S3_PARTS; i++) {
		snprintf(etag, sizeof etag, "\"%032x\"", i);
		assert_true(s3_state_add_part(&whole, etag, 8 * MIB));
	}
	assert_false(s3_state_add_part(&whole, etag, 8 * MIB));
	s3_state_write(&whole, &kept);
	assert_in_range(kept.len, 170000, 171000);
	s3_state_fini(&whole);
	assert_true(s3_state_read(&whole, kept.data, kept.len));
	assert_int_equal(whole.n_parts, S3_PARTS);
	s3_state_fini(&whole);
	/* Long ones are taken as long as there is room. */
	whole = (struct s3_state){ .part_bytes = 8 * MIB, .id = "id" };
	memset(etag, 'e', sizeof etag);
	etag[S3_ETAG_BYTES + 1] = '\0';
	assert_false(s3_state_add_part(&whole, etag, 8 * MIB));
	etag[S3_ETAG_BYTES] = '\0';
	while (s3_state_add_part(&whole, etag, 8 * MIB))
		seen++;
	assert_in_range(seen, 3000, 3200);
	kept.len = 0;
	s3_state_write(&whole, &kept);
	assert_in_range(kept.len, 1, 262144);
	s3_state_fini(&whole);
}

static void
what_is_asked_for_is_found_in_an_answer(void **state)
{
	static const struct {
		const char *text, *root, *name, *want;
	} rows[] = {
		{ "<a><b>x</b></a>", "a", "b", "x" },
		{ " \n\n<?xml version=\"1.0\"?>\n<!-- c --><n:a xmlns:n='&lt;>'><n:b "
		  "c=\"/\">"
		  "x&amp;&lt;&gt;&quot;&apos;&#65;&#x42;&#xE9;&#x1F389;</n:b></n:a>",
		    "a", "b", "x&<>\"'AB\xc3\xa9\xf0\x9f\x8e\x89" },
		{ "<a><c><b>no</b></c><b><![CDATA[<x>&]]>y</b></a>", "a", "b",
		    "<x>&y" },
		{ "<a><b/></a>", "a", "b", "" },
		{ "<a><b>1</b><b>2</b></a>", NULL, "b", "1" },
		{ "<a><b>x</b></a>", "z", "b", NULL },
		{ "<a><c>x</c></a>", "a", "b", NULL },
		{ "<!DOCTYPE a [<!ENTITY e 'x'>]><a><b>&e;</b></a>", "a", "b", NULL },
		{ "<a><b>&e;</b></a>", "a", "b", NULL },
		{ "<a><b>&#0;</b></a>", "a", "b", NULL },
		{ "<a><b>&#xd800;</b></a>", "a", "b", NULL },
		{ "<a><b>&#99999999999;</b></a>", "a", "b", NULL },
		{ "<a><c></b><b>x</b></a>", "a", "b", NULL },
		{ "<a><b>x", "a", "b", NULL },
		{ "<a", "a", "b", NULL },
		{ "<a><", "a", "b", NULL },
		{ "<a><b>123456789012345678901234567890123456789012345678901</b></a>",
		    "a", "b", NULL },
		{ "<1><2><3><4><5><6><7><8><9><b>x</b></9></8></7></6></5></4></3></2>"
		  "</1>",
		    NULL, "b", NULL },
		{ "", "a", "b", NULL },
		{ "plain", "a", "b", NULL },
	};
	char out[50];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const bool found = s3_xml_find(rows[i].text, strlen(rows[i].text),
		    rows[i].root, rows[i].name, out, sizeof out);

		if (found != (rows[i].want != NULL))
			fail_msg("%s", rows[i].text);
		if (found)
			assert_string_equal(out, rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_as_small_as_ten_thousand_allow),
		cmocka_unit_test(a_state_is_read_as_it_was_written),
		cmocka_unit_test(all_parts_fit_into_a_row),
		cmocka_unit_test(what_is_asked_for_is_found_in_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
