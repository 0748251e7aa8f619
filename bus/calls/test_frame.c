/* Frames and tags: what is written by hand is what protoc-c reads, and the other
 * way round; hostile bytes are refused. (Over 400 lines: one frame with all its fields,
 * looked at from every side.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "frame.h"
#include "frame.pb-c.h"
#include "mac.h"

static const uint32_t permissions[] = { 3, 70000, 0xfffffff0 };

static struct bus_frame
full_frame(void)
{
	static const struct trl_violation violations[] = { { "/slug", "is taken" },
		{ "/name", "is too long" } };
	static const uint8_t nonce[16] = "0123456789abcdef",
			     echo[16] = "fedcba9876543210";
	struct bus_frame f = {
		.kind = BUS_CALL,
		.call_id = 0x1122334455667788,
		.method = 0xdeadbeef,
		.time_left_ms = 4980,
		.attempt = 2,
		.has_trace = true,
		.has_principal = true,
		.has_tenant = true,
		.has_if_version = true,
		.if_version = -1,
		.now_us = 1234567890123456,
		.key = bus_text("key-1"),
		.from_client = true,
		.is_retry = true,
		.has_error = true,
		.code = TRL_EXISTS,
		.message = bus_text("This slug is taken."),
		.field = bus_text("slug"),
		.retry_after_ms = 1500,
		.violations = violations,
		.n_violations = 2,
		.feature = bus_text("seats"),
		.plan = bus_text("team"),
		.limit = 5,
		.used = 8,
		.name = bus_text("edge"),
		.nonce = nonce,
		.echo = echo,
		.token = echo,
		.bulk = bus_text("/run/bulk/sample.1"),
		.boot = 77,
		.notices = bus_text("tcp://127.0.0.1:7111"),
		.answer = true,
		.replayed = true,
		.credit = 300,
		.address = bus_text("2001:db8::1"),
		.user_agent = bus_text("curl/8 \xc3\xa4"),
	};
	memset(&f.trace, 0xab, sizeof f.trace.trace_id + sizeof f.trace.span_id);
	f.trace.flags = 1;
	f.principal.kind = TRL_PERSON;
	f.principal.verified = true;
	f.principal.role = 3;
	f.principal.permissions = permissions;
	f.principal.n_permissions = 3;
	memset(&f.principal.account, 1, 16);
	memset(&f.principal.session, 2, 16);
	memset(&f.tenant, 3, 16);
	memset(f.scope, 4, sizeof f.scope);
	memset(f.request, 5, sizeof f.request);
	return f;
}

static void
what_is_written_protobuf_reads(void **state)
{
	(void)state;
	struct bus_frame f = full_frame();
	struct trl_buf out = { 0 };
	f.payload = (const uint8_t *)"payload";
	f.payload_len = 7;
	assert_true(bus_frame_put(&out, &f, NULL));
	assert_int_equal(bus_frame_len(out.data), out.len);
	size_t header_len = out.len - 8 - 7;
	Trellis__Bus__Frame *p =
	    trellis__bus__frame__unpack(NULL, header_len, out.data + 8);
	assert_non_null(p);
	assert_int_equal(p->base.n_unknown_fields, 0);
	assert_true(p->call_id == f.call_id && p->method == f.method);
	assert_int_equal(p->time_left_ms, 4980);
	assert_int_equal(p->trace.len, 25);
	assert_int_equal(p->trace.data[24], 1);
	assert_int_equal(p->principal->n_permissions, 3);
	assert_int_equal(p->principal->permissions[2], 0xfffffff0);
	assert_string_equal(p->principal->user_agent, "curl/8 \xc3\xa4");
	assert_string_equal(p->idempotency->key, "key-1");
	assert_int_equal(p->idempotency->request.len, 32);
	assert_int_equal(p->error->code, TRL_EXISTS);
	assert_int_equal(p->error->n_violations, 2);
	assert_string_equal(p->error->violations[1]->detail, "is too long");
	assert_string_equal(p->error->feature, "seats");
	assert_string_equal(p->error->plan, "team");
	assert_true(p->error->limit == 5 && p->error->used == 8);
	assert_true(p->if_version == -1 && p->now_us == f.now_us);
	assert_string_equal(p->hello->notices, "tcp://127.0.0.1:7111");
	assert_true(p->answer && p->replayed && p->credit == 300);
	assert_int_equal(p->hello->token.len, 16);
	assert_string_equal(p->hello->bulk, "/run/bulk/sample.1");
	assert_false(p->has_body || p->has_length);
	trellis__bus__frame__free_unpacked(p, NULL);
	trl_buf_fini(&out);
}

static void
a_body_rides_behind_its_message(void **state)
{
	(void)state;
	static const uint8_t payload[] = "message", body[] = "and its body";
	struct trl_buf out = { 0 };
	struct bus_frame f = { .kind = BUS_REPLY,
		.payload = payload,
		.payload_len = 7,
		.has_body = true,
		.body = body,
		.body_len = 12 },
			 g;
	for (unsigned i = 0; i < 2; i++, f.body_len = 0) {
		size_t at = 0;
		trl_buf_clear(&out);
		assert_true(bus_frame_put(&out, &f, NULL));
		assert_int_equal(bus_frame_len(out.data), out.len);
		size_t behind = 7 + f.body_len;
		Trellis__Bus__Frame *p = trellis__bus__frame__unpack(
		    NULL, out.len - 8 - behind, out.data + 8);
		assert_non_null(p);
		assert_true(p->has_body && p->body == f.body_len);
		trellis__bus__frame__free_unpacked(p, NULL);
		assert_null(bus_frame_get(out.data, out.len, &at, &g));
		assert_true(g.has_body && g.raw == out.data && g.raw_len == out.len);
		assert_int_equal(g.payload_len, 7);
		assert_memory_equal(g.payload, payload, 7);
		assert_int_equal(g.body_len, f.body_len);
		assert_memory_equal(g.body, body, g.body_len);
	}
	trl_buf_fini(&out);
}

static void
an_end_says_how_long_it_was(void **state)
{
	(void)state;
	struct trl_buf out = { 0 };
	struct bus_frame f = { .kind = BUS_END, .call_id = 3, .length = 1ull << 40 }, g;
	size_t at = 0;
	assert_true(bus_frame_put(&out, &f, NULL));
	Trellis__Bus__Frame *p =
	    trellis__bus__frame__unpack(NULL, out.len - 8, out.data + 8);
	assert_non_null(p);
	assert_true(p->has_length && p->length == 1ull << 40);
	trellis__bus__frame__free_unpacked(p, NULL);
	assert_null(bus_frame_get(out.data, out.len, &at, &g));
	assert_true(g.kind == BUS_END && g.length == 1ull << 40 && !g.has_body);
	trl_buf_fini(&out);
}

/* Texts from outside, and such as a buffer cut: their readers would give up the
 * connection at what is not plain. */
static void
what_is_not_plain_is_written_with_question_marks(void **state)
{
	(void)state;
	struct trl_violation cut = { "/\xe2\x82", "a\nb" };
	struct bus_frame f = full_frame(), g;
	struct bus_text pointer, detail;
	struct trl_buf out = { 0 };
	size_t at = 0, v = 0;

	f.user_agent = bus_text("caf\xe9");
	f.key = bus_text("k\x80");
	f.message = bus_text("cut within \xe2\x82");
	f.field = bus_text("\xf0\x9f\x98");
	f.violations = &cut;
	f.n_violations = 1;
	assert_true(bus_frame_put(&out, &f, NULL));
	assert_null(bus_frame_get(out.data, out.len, &at, &g));
	assert_true(bus_text_eq(g.user_agent, "caf?") && bus_text_eq(g.key, "k?"));
	assert_true(bus_text_eq(g.message, "cut within ??"));
	assert_true(bus_text_eq(g.field, "???"));
	assert_true(bus_next_violation(&g, &v, &pointer, &detail));
	assert_true(bus_text_eq(pointer, "/??") && bus_text_eq(detail, "a?b"));
	trl_buf_fini(&out);
}

static void
what_is_written_is_read_back(void **state)
{
	(void)state;
	struct bus_frame f = full_frame(), g;
	struct bus_text pointer, detail;
	struct trl_buf out = { 0 };
	size_t at = 0, v = 0;
	trl_arena *arena = trl_arena_new(0);

	assert_true(bus_frame_put(&out, &f, NULL));
	assert_null(bus_frame_get(out.data, out.len, &at, &g));
	assert_int_equal(at, out.len);
	assert_true(g.kind == f.kind && g.call_id == f.call_id && g.method == f.method);
	assert_memory_equal(&g.trace, &f.trace, sizeof g.trace);
	assert_memory_equal(&g.principal.account, &f.principal.account, 16);
	assert_memory_equal(
	    bus_permissions(arena, &g), permissions, sizeof permissions);
	assert_true(
	    bus_text_eq(g.address, "2001:db8::1") && bus_text_eq(g.key, "key-1"));
	assert_true(
	    g.from_client && g.is_retry && g.has_if_version && g.if_version == -1);
	assert_true(g.has_error && g.code == TRL_EXISTS && g.retry_after_ms == 1500);
	assert_true(bus_next_violation(&g, &v, &pointer, &detail));
	assert_true(bus_text_eq(pointer, "/slug") && bus_text_eq(detail, "is taken"));
	assert_true(bus_next_violation(&g, &v, &pointer, &detail));
	assert_false(bus_next_violation(&g, &v, &pointer, &detail));
	assert_true(bus_text_eq(g.feature, "seats") && bus_text_eq(g.plan, "team"));
	assert_true(g.limit == 5 && g.used == 8);
	assert_int_equal(g.credit, 300);
	trl_arena_free(&arena);
	trl_buf_fini(&out);
}

static void
a_frame_over_the_limit_is_not_written(void **state)
{
	(void)state;
	struct bus_frame f = { .kind = BUS_REPLY };
	struct trl_buf out = { 0 };
	uint8_t *much = calloc(1, BUS_MESSAGE_MAX);
	f.payload = much;
	f.payload_len = BUS_FRAME_MAX;
	assert_false(bus_frame_put(&out, &f, NULL));
	assert_int_equal(out.len, 0);
	free(much);
	trl_buf_fini(&out);
}

/* Reliability, case 23. */
static void
truncated_at_any_byte_it_is_refused_or_shorter(void **state)
{
	(void)state;
	struct bus_frame f = full_frame(), g;
	struct trl_buf out = { 0 };
	assert_true(bus_frame_put(&out, &f, NULL));
	for (size_t len = 0; len < out.len; len++) {
		uint8_t *exact = malloc(len + 1); /* so that ASan sees a step too far */
		size_t at = 0;
		memcpy(exact, out.data, len);
		assert_non_null(bus_frame_get(exact, len, &at, &g));
		free(exact);
	}
	trl_buf_fini(&out);
}

static void
hostile_headers_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "no kind", "\x10\x01", 2 },
		{ "kind out of range", "\x08\x63", 2 },
		{ "endless varint", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		    12 },
		{ "field 0", "\x00\x01", 2 },
		{ "group", "\x0b\x0c", 2 },
		{ "length past the end", "\x3a\x7f\x00", 3 },
		{ "length near 2^64", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		    11 },
		{ "tenant of 15 bytes",
		    "\x42\x0f"
		    "123456789012345",
		    17 },
		{ "NUL in an address", "\x3a\x03\x3a\x01\x00", 5 },
		{ "bad UTF-8 in an address", "\x3a\x04\x3a\x02\xc0\xaf", 6 },
		{ "surrogate in an address", "\x3a\x05\x3a\x03\xed\xa0\x80", 7 },
		{ "newline in an agent", "\x3a\x03\x42\x01\n", 5 },
		{ "principal kind out of range", "\x3a\x02\x08\x09", 4 },
		{ "permissions of 3 bytes", "\x3a\x05\x2a\x03\x01\x02\x03", 7 },
		{ "wrong wire type", "\x12\x01\x00", 3 },
		{ "credit over 32 bits", "\x08\x08\x80\x01\xff\xff\xff\xff\x1f", 9 },
		{ "negative credit",
		    "\x08\x08\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 14 },
		{ "body longer than the payload", "\x08\x02\x88\x01\x01", 5 },
		{ "body longer than rides", "\x08\x02\x88\x01\x81\x80\x08", 7 },
		{ "length of another type", "\x08\x07\x92\x01\x01\x00", 6 },
		{ "token of 15 bytes",
		    "\x08\x01\x6a\x11\x32\x0f"
		    "123456789012345",
		    21 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t data[64] = { 0 };
		struct bus_frame f;
		size_t at = 0;
		data[3] = (uint8_t)cases[i].len;
		memcpy(data + 8, cases[i].bytes, cases[i].len);
		if (bus_frame_get(data, 8 + cases[i].len, &at, &f) == NULL)
			fail_msg("accepted: %s", cases[i].what);
	}
}

/* Reliability, case 19. */
static void
a_deep_header_costs_no_stack(void **state)
{
	(void)state;
	/* Principal inside principal inside ...: the reader knows two levels. */
	size_t n = 30000;
	uint8_t *data = calloc(1, 8 + n);
	struct bus_frame f;
	size_t at = 0;
	data[2] = (uint8_t)(n >> 8);
	data[3] = (uint8_t)n;
	memset(data + 8, 0x3a, n);
	assert_non_null(bus_frame_get(data, 8 + n, &at, &f));
	free(data);
}

static void
more_fields_than_a_header_has_are_refused(void **state)
{
	(void)state;
	uint8_t data[8 + 400] = { 0 };
	struct bus_frame f;
	size_t at = 0;
	data[2] = 400 >> 8;
	data[3] = 400 & 255;
	for (size_t i = 0; i < 400; i += 2) {
		data[8 + i] = 0x08;
		data[9 + i] = BUS_CALL;
	}
	assert_non_null(bus_frame_get(data, sizeof data, &at, &f));
}

static void
an_envelope_of_another_version_is_refused(void **state)
{
	(void)state;
	struct bus_envelope e = { .flags = BUS_TAGGED,
		.kid = 7,
		.counter = 9,
		.ack = 4 },
			    g;
	uint8_t data[64];
	bus_envelope_put(data, &e);
	assert_true(bus_envelope_get(data, sizeof data, &g));
	assert_true(g.flags == e.flags && g.kid == 7 && g.counter == 9 && g.ack == 4);
	assert_false(bus_envelope_get(data, BUS_ENVELOPE + BUS_TAG - 1, &g));
	assert_false(bus_envelope_get(data, BUS_MESSAGE_MAX + 1, &g));
	data[0] = 2;
	assert_false(bus_envelope_get(data, sizeof data, &g));
	data[0] = 1;
	data[1] = 8;
	assert_false(bus_envelope_get(data, sizeof data, &g));
}

static const char two_keys[] =
    "# the newer "
    "first\n2:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
    "1:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

static void
two_keys_of_a_pair_overlap(void **state)
{
	(void)state;
	struct bus_keyring ring;
	assert_true(bus_keyring_parse(&ring, two_keys));
	assert_int_equal(ring.n, 2);
	assert_int_equal(ring.keys[0].kid, 2);
	assert_int_equal(bus_keyring_find(&ring, 1)->bytes[0], 0xff);
	assert_null(bus_keyring_find(&ring, 3));
	bus_keyring_fini(&ring);
	assert_false(bus_keyring_parse(&ring, ""));
	assert_false(bus_keyring_parse(&ring, "1:abcd\n"));
	assert_false(
	    bus_keyring_parse(&ring, "0:00112233445566778899aabbccddeeff00112233445566"
				     "778899aabbccddeeff\n"));
	assert_false(bus_keyring_parse(&ring, "x\n"));
}

/* Reliability, case 24. */
static void
both_ends_derive_the_same_keys_and_other_challenges_others(void **state)
{
	(void)state;
	struct bus_keyring ring;
	struct bus_mac a, b, c;
	static const uint8_t nonce[16] = { 1 }, challenge[16] = { 2 },
			     other[16] = { 3 };
	assert_true(bus_keyring_parse(&ring, two_keys));
	bus_mac_derive(&a, &ring.keys[0], true, nonce, challenge, "edge", "auth");
	bus_mac_derive(&b, &ring.keys[0], false, nonce, challenge, "edge", "auth");
	bus_mac_derive(&c, &ring.keys[0], false, nonce, other, "edge", "auth");
	assert_memory_equal(a.out, b.in, 32);
	assert_memory_equal(a.in, b.out, 32);
	assert_memory_not_equal(a.out, a.in, 32);
	assert_memory_not_equal(b.in, c.in, 32);

	uint8_t message[80] = "frames";
	bus_mac_tag(a.out, message, 64, message + 64);
	assert_true(bus_mac_check(b.in, message, sizeof message));
	assert_false(bus_mac_check(c.in, message, sizeof message));
	message[3] ^= 1;
	assert_false(bus_mac_check(b.in, message, sizeof message));
	bus_mac_fini(&a);
	bus_mac_fini(&b);
	bus_mac_fini(&c);
	bus_keyring_fini(&ring);
}

/* Reliability, case 25. */
static void
a_long_messages_tag_holds_every_byte_and_its_counter(void **state)
{
	(void)state;
	uint8_t key[32] = { 1 }, other[32] = { 2 }, data[BUS_ENVELOPE + 300 + BUS_TAG];
	struct bus_envelope envelope = { .flags = BUS_TAGGED, .kid = 1, .counter = 5 };
	size_t len = sizeof data - BUS_TAG;
	uint8_t first[BUS_TAG];
	memset(data, 7, sizeof data);
	bus_envelope_put(data, &envelope);
	bus_mac_tag_long(key, data, len, data + len);
	assert_true(bus_mac_check_long(key, data, sizeof data));
	assert_false(bus_mac_check_long(other, data, sizeof data));
	for (size_t i = 0; i < sizeof data; i++) {
		data[i] ^= 1;
		assert_false(bus_mac_check_long(key, data, sizeof data));
		data[i] ^= 1;
	}
	memcpy(first, data + len, BUS_TAG);
	envelope.counter = 6; /* another key altogether */
	bus_envelope_put(data, &envelope);
	bus_mac_tag_long(key, data, len, data + len);
	assert_memory_not_equal(first, data + len, BUS_TAG);
}

static void
a_counter_is_taken_once(void **state)
{
	(void)state;
	struct bus_mac mac = { 0 };
	assert_false(bus_mac_fresh(&mac, 0));
	assert_true(bus_mac_fresh(&mac, 1));
	assert_false(bus_mac_fresh(&mac, 1));
	assert_true(bus_mac_fresh(&mac, 5));
	assert_true(bus_mac_fresh(&mac, 3));
	assert_false(bus_mac_fresh(&mac, 3));
	assert_true(bus_mac_fresh(&mac, 200));
	assert_false(bus_mac_fresh(&mac, 5));
	assert_false(bus_mac_fresh(&mac, 100)); /* too old to tell */
	assert_true(bus_mac_fresh(&mac, 137));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_protobuf_reads),
		cmocka_unit_test(a_body_rides_behind_its_message),
		cmocka_unit_test(an_end_says_how_long_it_was),
		cmocka_unit_test(what_is_not_plain_is_written_with_question_marks),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_frame_over_the_limit_is_not_written),
		cmocka_unit_test(truncated_at_any_byte_it_is_refused_or_shorter),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(a_deep_header_costs_no_stack),
		cmocka_unit_test(more_fields_than_a_header_has_are_refused),
		cmocka_unit_test(an_envelope_of_another_version_is_refused),
		cmocka_unit_test(two_keys_of_a_pair_overlap),
		cmocka_unit_test(
		    both_ends_derive_the_same_keys_and_other_challenges_others),
		cmocka_unit_test(a_long_messages_tag_holds_every_byte_and_its_counter),
		cmocka_unit_test(a_counter_is_taken_once),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
