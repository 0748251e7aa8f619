/* What a compromised neighbour may say of bodies: each is refused under its own reason,
 * both its connections end, and the others are served as before. The neighbour is two
 * raw sockets that speak the bus by hand; they are left open (test_hostile.c). (Over
 * 400 lines: it speaks the bus itself, so as to speak it wrongly.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <sodium.h>

#include "bus.h"
#include "mac.h"
#include "server.h"
#include "stream.h"
#include "test_body.h"

enum { CALL_ID = 77, FIRST = 256 << 10 };

/* A connection spoken by hand. */
struct raw {
	nng_socket socket;
	struct bus_mac mac;
	uint8_t token[BUS_TOKEN];
};

static struct rig rig;
static struct sample *served;
static char address[80];
static struct bus_keyring ring;
static struct raw calls, bulk;

static bool
never(void *self)
{
	(void)self;
	return false;
}

static void
send_frames(
    struct raw *raw, uint8_t flags, const uint8_t *key, const struct trl_buf *frames)
{
	struct bus_envelope envelope = { .flags = flags | BUS_TAGGED,
		.kid = ring.keys[0].kid,
		.counter = flags & BUS_GREETING ? 0 : ++raw->mac.sent };
	size_t len = BUS_ENVELOPE + frames->len;
	nng_msg *msg;
	MUST(nng_msg_alloc(&msg, len + BUS_TAG) == 0);
	uint8_t *body = nng_msg_body(msg);
	bus_envelope_put(body, &envelope);
	memcpy(body + BUS_ENVELOPE, frames->data, frames->len);
	if (raw->mac.for_long)
		bus_mac_tag_long(key, body, len, body + len);
	else
		bus_mac_tag(key, body, len, body + len);
	MUST(nng_msg_header_append_u32(msg, 0x80000001) == 0);
	MUST(nng_sendmsg(raw->socket, msg, 0) == 0);
}

static void
say(struct raw *raw, const struct bus_frame *frame)
{
	struct trl_buf out = { 0 };
	MUST(bus_frame_put(&out, frame, NULL));
	send_frames(raw, 0, raw->mac.out, &out);
	trl_buf_fini(&out);
}

/* The next frame that is said to it, while the server's loop turns. */
static void
hear(struct raw *raw, nng_msg **msg, struct bus_frame *out)
{
	size_t at = BUS_ENVELOPE;
	*msg = NULL;
	for (unsigned i = 0; i < 500 && *msg == NULL; i++) {
		trl_loop_run_until(rig.loop, never, NULL, 10);
		if (nng_recvmsg(raw->socket, msg, NNG_FLAG_NONBLOCK) != 0)
			*msg = NULL;
		else if (nng_msg_len(*msg) == BUS_ENVELOPE + BUS_TAG) {
			nng_msg_free(*msg); /* acknowledges */
			*msg = NULL;
		}
	}
	MUST(*msg != NULL);
	MUST(bus_frame_get(nng_msg_body(*msg), nng_msg_len(*msg) - BUS_TAG, &at, out) ==
	     NULL);
}

/* Connects and greets as edge would; token NULL: as a first connection. */
static void
greet(struct raw *raw, const uint8_t *token)
{
	static const uint8_t nonce[16] = "a neighbour's 16";
	struct bus_frame hello = { .kind = BUS_HELLO,
		.name = bus_text("edge"),
		.nonce = nonce,
		.boot = 1,
		.token = token };
	struct trl_buf out = { 0 };
	nng_msg *msg;
	memset(raw, 0, sizeof *raw);
	MUST(nng_req0_open_raw(&raw->socket) == 0);
	nng_socket_set_size(raw->socket, NNG_OPT_RECVMAXSZ, BUS_MESSAGE_MAX);
	nng_socket_set_ms(raw->socket, NNG_OPT_SENDTIMEO, 1000);
	MUST(nng_dial(raw->socket, address, NULL, 0) == 0);
	MUST(bus_frame_put(&out, &hello, NULL));
	send_frames(raw, BUS_GREETING, ring.keys[0].bytes, &out);
	trl_buf_fini(&out);
	if (token != NULL && token[0] == 0xee) /* to be refused */
		return;
	hear(raw, &msg, &hello);
	MUST(hello.kind == BUS_HELLO);
	if (hello.token != NULL)
		memcpy(raw->token, hello.token, sizeof raw->token);
	bus_mac_derive(
	    &raw->mac, &ring.keys[0], true, nonce, hello.nonce, "edge", "sample");
	raw->mac.for_long = token != NULL;
	nng_msg_free(msg);
	if (token != NULL)
		return;
	hear(raw, &msg, &hello);
	MUST(hello.kind == BUS_PING); /* its readiness */
	nng_msg_free(msg);
}

/* A call of SAMPLE_TAKE, whose handler reads: its credit has come. */
static void
begin(const char *text, uint64_t rests_ms)
{
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	struct bus_frame frame = { .kind = BUS_CALL,
		.call_id = CALL_ID,
		.method = sample_methods[SAMPLE_TAKE]->id,
		.time_left_ms = 5000,
		.key = bus_text("a key") };
	struct trl_buf out = { 0 };
	nng_msg *msg;
	greet(&calls, NULL);
	greet(&bulk, calls.token);
	in.service = (char *)(uintptr_t)text;
	in.has_up_ms = true;
	in.up_ms = rests_ms;
	MUST(bus_frame_put(&out, &frame, &in.base));
	send_frames(&calls, 0, calls.mac.out, &out);
	trl_buf_fini(&out);
	hear(&calls, &msg, &frame);
	MUST(frame.kind == BUS_CREDIT && frame.call_id == CALL_ID &&
	     frame.credit == FIRST);
	nng_msg_free(msg);
}

static void
say_chunk(uint64_t call_id, size_t len)
{
	static const uint8_t bytes[TRL_STREAM_PIECE + 1];
	struct bus_frame chunk = { .kind = BUS_CHUNK,
		.call_id = call_id,
		.payload = bytes,
		.payload_len = len };
	say(&bulk, &chunk);
}

static void
say_end(uint64_t length)
{
	struct bus_frame end = {
		.kind = BUS_END, .call_id = CALL_ID, .length = length
	};
	say(&calls, &end);
}

static void
say_credit(uint32_t n)
{
	struct bus_frame credit = {
		.kind = BUS_CREDIT, .call_id = CALL_ID, .credit = n
	};
	say(&calls, &credit);
}

static void
take_one(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "hash", 0, NULL, &stream) == TRL_OK);
	MUST(body_write(ctx, stream, 400000) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	MUST(body_reply(ctx, stream)->up_ms == 400000);
	trl_stream_close(&stream);
}

static double
refused(const char *reason)
{
	char name[96];
	snprintf(name, sizeof name, "trellis_bus_refused_total{reason=\"%s\"}", reason);
	return rig_metric(name);
}

static const char *awaited;

static bool
was_refused(void *self)
{
	return refused(awaited) > *(double *)self;
}

static bool
has_gone(void *self)
{
	(void)self;
	return trl_bus_running(rig.here) == 0 && body_memory(rig.net) == 0;
}

/* What was said before it was wrong, for this reason: the call that it was said of has
 * ended, and others go on. */
static void
must_be_refused(const char *reason, double before)
{
	awaited = reason;
	if (!trl_loop_run_until(rig.loop, was_refused, &before, 2000)) {
		fprintf(stderr, "not refused as %s\n", reason);
		_exit(1);
	}
	MUST(trl_loop_run_until(rig.loop, has_gone, NULL, 10000));
	rig_run(&rig, take_one, NULL);
}

static void
open_rig(void)
{
	served = rig_shared();
	MUST(bus_keyring_parse(&ring, rig_key));
	snprintf(address, sizeof address, "%s", rig_tcp());
	rig_open(&rig, "edge", address, served);
	rig_await_peers(&rig, 1);
}

static void
more_than_its_credit(void)
{
	/* Its reader takes one, gives as much again, and then rests. */
	for (unsigned i = 0; i < 16; i++)
		say_chunk(CALL_ID, TRL_STREAM_PIECE / 2);
}

/* A piece costs something, however short it is. */
static void
a_flood_of_single_bytes(void)
{
	for (unsigned i = 0; i < FIRST / BUS_PIECE_LEAST + 2; i++) {
		say_chunk(CALL_ID, 1);
		if (i % 16 == 0)
			trl_loop_run_until(rig.loop, never, NULL, 1);
	}
}

static void
a_chunk_too_long(void)
{
	say_chunk(CALL_ID, TRL_STREAM_PIECE + 1);
}

static void
an_empty_chunk(void)
{
	say_chunk(CALL_ID, 0);
}

static void
a_chunk_of_an_unknown_call(void)
{
	say_chunk(CALL_ID + 1, 10);
}

/* The two connections are heard in any order. */
static bool
has_come(void *self)
{
	const struct trl_stream *s = rig.here->server->conns->bulk.streams;
	(void)self;
	return s->in.came > 0 || s->in.length != UINT64_MAX;
}

static void
a_chunk_after_the_end(void)
{
	say_end(10);
	MUST(trl_loop_run_until(rig.loop, has_come, NULL, 10000));
	say_chunk(CALL_ID, 10);
	say_chunk(CALL_ID, 10);
}

static void
an_end_twice(void)
{
	say_end(500);
	say_end(500);
}

static void
an_end_before_what_came(void)
{
	say_chunk(CALL_ID, 100);
	MUST(trl_loop_run_until(rig.loop, has_come, NULL, 10000));
	say_end(99);
}

static void
an_end_without_end(void)
{
	say_end(UINT64_MAX);
}

static void
no_credit(void)
{
	say_credit(0);
}

static void
credit_over_all_bounds(void)
{
	say_credit(4 << 20);
	say_credit(1);
}

static const struct wrong {
	const char *text;
	uint64_t rests_ms; /* the reader, after each piece */
	void (*say)(void);
	const char *reason;
} wrongs[] = {
	{ "wait", 200, more_than_its_credit, "over_credit" },
	{ "wait", 1, a_flood_of_single_bytes, "over_credit" },
	{ "", 0, a_chunk_too_long, "bad_chunk" },
	{ "", 0, an_empty_chunk, "bad_chunk" },
	{ "", 0, a_chunk_of_an_unknown_call, "chunk_of_nobody" },
	{ "wait", 200, a_chunk_after_the_end, "chunk_after_end" },
	{ "", 0, an_end_twice, "second_end" },
	{ "wait", 200, an_end_before_what_came, "bad_end" },
	{ "", 0, an_end_without_end, "bad_end" },
	{ "", 0, no_credit, "bad_credit" },
	{ "", 0, credit_over_all_bounds, "bad_credit" },
};

TEST(each_wrong_word_ends_both_connections_of_who_says_it)
{
	open_rig();
	for (size_t i = 0; i < TRL_COUNT(wrongs); i++) {
		double before = refused(wrongs[i].reason);
		begin(wrongs[i].text, wrongs[i].rests_ms);
		wrongs[i].say();
		must_be_refused(wrongs[i].reason, before);
	}
}

static bool
is_reading(void *self)
{
	(void)self;
	return served->runs > 0 && trl_bus_running(rig.here) == 1;
}

static bool done;

static void
hold_one(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "hash", 0, NULL, &stream) == TRL_OK);
	while (!done)
		MUST(trl_sleep(ctx, 5) == TRL_OK);
	MUST(body_write(ctx, stream, 1000) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	MUST(strcmp(body_reply(ctx, stream)->service, body_hash(ctx, 1000)) == 0);
	trl_stream_close(&stream);
}

/* Call ids are of one connection: another's cannot be spoken of. */
TEST(nobody_reaches_another_connections_body)
{
	open_rig();
	rig_start(&rig, hold_one, NULL);
	MUST(trl_loop_run_until(rig.loop, is_reading, NULL, 10000));
	struct bus_serving *theirs = rig.here->server->conns->calls;
	MUST(theirs != NULL);
	double before = refused("chunk_of_nobody");
	greet(&calls, NULL);
	greet(&bulk, calls.token);
	struct bus_frame end = {
		.kind = BUS_END, .call_id = theirs->frame.call_id, .length = 5
	};
	say(&calls, &end); /* of nobody's: late, as far as this one can know */
	say_chunk(theirs->frame.call_id, 10);
	awaited = "chunk_of_nobody";
	MUST(trl_loop_run_until(rig.loop, was_refused, &before, 10000));
	done = true;
	rig_wait(&rig, 5000);
}

TEST(a_token_is_believed_of_its_own_connection_only)
{
	static uint8_t wrong[BUS_TOKEN] = { 0xee };
	open_rig();
	double before = refused("unknown_token");
	greet(&calls, NULL);
	greet(&bulk, wrong);
	awaited = "unknown_token";
	MUST(trl_loop_run_until(rig.loop, was_refused, &before, 10000));
	rig_run(&rig, take_one, NULL);
}

static bool
one_has_ended(void *self)
{
	(void)self;
	return served->bodies == 1;
}

/* Who recorded a bulk connection's HELLO says it again while that one lives, and then
 * what cannot be believed. */
TEST(a_recorded_hello_takes_no_body_from_its_connection)
{
	static const struct bus_frame ping = { .kind = BUS_PING };
	static const uint8_t none[32];
	struct raw recorded;
	open_rig();
	begin("hash", 0);
	say_chunk(CALL_ID, 1000);
	MUST(trl_loop_run_until(rig.loop, has_come, NULL, 10000));
	greet(&recorded, calls.token);
	say_chunk(CALL_ID, 1000);
	recorded.mac.out = none; /* it has no key */
	double before = refused("bad_mac");
	say(&recorded, &ping);
	awaited = "bad_mac";
	MUST(trl_loop_run_until(rig.loop, was_refused, &before, 10000));
	say_chunk(CALL_ID, 1000);
	say_end(3000);
	MUST(trl_loop_run_until(rig.loop, one_has_ended, NULL, 10000));
	MUST(served->body_ended == TRL_OK && served->took == 3000);
	rig_run(&rig, take_one, NULL);
}

/* What a callee is told, its caller could be told as well. */
TEST(a_caller_believes_no_more_than_a_callee_does)
{
	open_rig();
	rig_run(&rig, take_one, NULL);
	struct bus_conn *conn = rig.here->server->conns;
	double before = refused("chunk_of_nobody");
	MUST(conn->bulk.by != NULL);
	MUST(conn->bulk.by->send(&conn->bulk, 123456, "x", 1) == 1);
	awaited = "chunk_of_nobody";
	MUST(trl_loop_run_until(rig.loop, was_refused, &before, 10000));
	rig_await_peers(&rig, 1);
	rig_run(&rig, take_one, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_word_ends_both_connections_of_who_says_it),
		cmocka_unit_test(nobody_reaches_another_connections_body),
		cmocka_unit_test(a_token_is_believed_of_its_own_connection_only),
		cmocka_unit_test(a_recorded_hello_takes_no_body_from_its_connection),
		cmocka_unit_test(a_caller_believes_no_more_than_a_callee_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
