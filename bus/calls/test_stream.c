/* Bodies beside calls: up, down, both ways, of every size, over every transport; and
 * what each end is told when the other gives up. What is lost on the
 * way is test_stream_loss.c's, what a hostile end says test_stream_hostile.c's. (Over
 * 400 lines: both ends and both directions of each story.) */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "bus.h"
#include "stream.h"
#include "test_body.h"

static struct rig rig;
static struct sample *served;

static const uint64_t sizes[] = { 0, 1, 1000, TRL_STREAM_RIDES, TRL_STREAM_RIDES + 1,
	TRL_STREAM_PIECE, TRL_STREAM_PIECE + 1, 1000003, 3000000 };

static enum trl_code
open_stream(trl_ctx *ctx, enum sample_method method, const char *text, uint64_t num,
    const struct trl_stream_terms *terms, trl_stream **out)
{
	return body_open(ctx, rig.bus, method, text, num, terms, out);
}

static void
go_up(trl_ctx *ctx, uint64_t len)
{
	trl_stream *stream;
	bool wanted = false;
	MUST(open_stream(ctx, SAMPLE_TAKE, "hash", 0, NULL, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	MUST(body_write(ctx, stream, len) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	sample_note *reply = body_reply(ctx, stream);
	MUST(reply->up_ms == len && strcmp(reply->service, body_hash(ctx, len)) == 0);
	trl_stream_close(&stream);
	MUST(stream == NULL);
}

static void
go_up_riding(trl_ctx *ctx, uint64_t len)
{
	uint8_t *bytes = trl_arena_alloc(ctx->arena, (size_t)len);
	struct trl_stream_terms terms = {
		.whole = true, .body = bytes, .len = (size_t)len
	};
	trl_stream *stream;
	bool wanted = true;
	sample_fill(bytes, 0, (size_t)len);
	MUST(open_stream(ctx, SAMPLE_TAKE, "hash", 0, &terms, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && !wanted);
	sample_note *reply = body_reply(ctx, stream);
	MUST(reply->up_ms == len && strcmp(reply->service, body_hash(ctx, len)) == 0);
	trl_stream_close(&stream);
}

static void
go_down(trl_ctx *ctx, const char *how, uint64_t len)
{
	trl_stream *stream;
	struct trl_piece piece;
	uint64_t got;
	MUST(open_stream(ctx, SAMPLE_GIVE, how, len, NULL, &stream) == TRL_OK);
	MUST(strcmp(body_reply(ctx, stream)->service, "given") == 0);
	MUST(body_read(ctx, stream, &got) == TRL_OK && got == len);
	MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len == 0);
	trl_stream_close(&stream);
}

static unsigned told;

static void
count_told(void *self)
{
	(void)self;
	told++;
}

/* Writes a piece and reads what comes back of it, in turns. */
static void
go_both_ways(trl_ctx *ctx, uint64_t len)
{
	trl_stream *stream;
	struct trl_piece piece;
	uint8_t bytes[20000];
	uint64_t sent = 0, got = 0;
	MUST(open_stream(ctx, SAMPLE_TURN, "", 0, NULL, &stream) == TRL_OK);
	told = 0;
	trl_stream_watch(stream, count_told, NULL);
	while (sent < len) {
		size_t n =
		    len - sent < sizeof bytes ? (size_t)(len - sent) : sizeof bytes;
		sample_fill(bytes, sent, n);
		MUST(trl_stream_write(ctx, stream, bytes, n) == TRL_OK);
		sent += n;
		if (sent < 2 * TRL_STREAM_RIDES) /* the callee keeps the first */
			continue;
		if (got == 0)
			body_reply(ctx, stream);
		MUST(told == 0); /* the other end has answered, and reads on */
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
		for (size_t i = 0; i < piece.len; i++)
			MUST(piece.data[i] == sample_byte(got + i));
		got += piece.len;
	}
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	if (got == 0)
		body_reply(ctx, stream);
	while (trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0)
		got += piece.len;
	MUST(got == len);
	trl_stream_close(&stream);
}

static void
all_sizes(trl_ctx *ctx, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < TRL_COUNT(sizes); i++) {
		struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
		go_up(ctx, sizes[i]);
		if (sizes[i] <= TRL_STREAM_RIDES)
			go_up_riding(ctx, sizes[i]);
		go_down(ctx, "", sizes[i]);
		go_down(ctx, "file", sizes[i]);
		go_both_ways(ctx, sizes[i]);
		trl_arena_rewind(ctx->arena, mark);
	}
	go_down(ctx, "none", 0);
}

static void
must_be_clean(void)
{
	MUST(body_none(rig.net));
	MUST(trl_bus_waiting(rig.bus) == 0);
}

static void
carries_all(const char *address)
{
	served = rig_shared();
	rig_open(&rig, "edge", address, served);
	rig_await_peers(&rig, 1);
	rig_run(&rig, all_sizes, NULL);
	must_be_clean();
}

TEST(carries_bodies_of_all_sizes_over_inproc)
{
	carries_all("inproc://sample");
}

TEST(carries_bodies_of_all_sizes_over_tcp)
{
	carries_all(rig_tcp());
	MUST(rig_metric("trellis_bus_streams_total{service=\"edge\",peer=\"sample\","
			"way=\"out\"}") > 30);
	MUST(rig_metric(
		 "trellis_bus_stream_bytes_total{service=\"sample\",peer=\"edge\","
		 "way=\"in\"}") > 9e6);
	MUST(rig_metric(
		 "trellis_bus_stream_bytes_total{service=\"edge\",peer=\"sample\","
		 "way=\"in\"}") ==
	     rig_metric("trellis_bus_stream_bytes_total{service=\"sample\","
			"peer=\"edge\",way=\"out\"}"));
}

TEST(carries_bodies_of_all_sizes_over_tls)
{
	char address[80];
	snprintf(address, sizeof address, "tls+tcp://127.0.0.1:%u", rig_port());
	carries_all(address);
}

static void
be_refused(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	ProtobufCMessage *reply = NULL;
	bool wanted = true;
	(void)arg;
	MUST(open_stream(ctx, SAMPLE_TAKE, "refuse", 0, NULL, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && !wanted);
	MUST(trl_stream_reply(ctx, stream, &reply) == TRL_NOT_FOUND && reply == NULL);
	MUST(strcmp(ctx->err.message, "There is no such note.") == 0);
	trl_stream_close(&stream);
	trl_err_clear(ctx);
	MUST(open_stream(ctx, SAMPLE_GIVE, "refuse", 5, NULL, &stream) == TRL_OK);
	MUST(trl_stream_reply(ctx, stream, &reply) == TRL_NOT_FOUND);
	trl_stream_close(&stream);
}

/* The callee answers after one piece; a writer that goes on is told, and asks. */
static void
be_answered_in_mid_body(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	(void)arg;
	MUST(open_stream(ctx, SAMPLE_TAKE, "half", 0, NULL, &stream) == TRL_OK);
	MUST(body_write(ctx, stream, 20000000) == TRL_UNAVAILABLE);
	sample_note *reply = body_reply(ctx, stream);
	MUST(reply->up_ms > 0 && reply->up_ms <= TRL_STREAM_PIECE);
	trl_stream_close(&stream);
}

static void
wake(void *self)
{
	told++;
	(void)trl_wake(*(struct trl_ticket *)self);
}

/* Who waits elsewhere for what it would write hears of the answer, or is told so where
 * it begins to watch afterwards; never of what nobody watches any more. */
static void
watch_for_an_answer(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_ticket ticket;
	bool wanted;
	(void)arg;
	told = 0;
	MUST(open_stream(ctx, SAMPLE_TAKE, "half", 0, NULL, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	ticket = (struct trl_ticket){ 0 };
	trl_stream_watch(stream, wake, &ticket);
	MUST(told == 0 && body_write(ctx, stream, 1000) == TRL_OK);
	while (told == 0) {
		ticket = trl_park_begin(ctx);
		MUST(trl_park_for(ctx, ticket, "an answer", 2000) == TRL_OK);
	}
	MUST(body_reply(ctx, stream)->up_ms == 1000);
	trl_stream_watch(stream, count_told, NULL);
	MUST(told == 2);
	trl_stream_watch(stream, NULL, NULL);
	trl_stream_close(&stream);
	MUST(told == 2);
}

static void
see_bodies_break_off(trl_ctx *ctx, void *arg)
{
	static const char *const ways[] = { "break", "forget" };
	trl_stream *stream;
	ProtobufCMessage *reply;
	uint64_t got;
	(void)arg;
	for (size_t i = 0; i < TRL_COUNT(ways); i++) {
		/* One that would have ridden is an error in place of a reply. */
		MUST(open_stream(ctx, SAMPLE_GIVE, ways[i], 1000, NULL, &stream) ==
		     TRL_OK);
		MUST(trl_stream_reply(ctx, stream, &reply) == TRL_INTERNAL);
		trl_stream_close(&stream);
		trl_err_clear(ctx);
		MUST(open_stream(ctx, SAMPLE_GIVE, ways[i], 2000000, NULL, &stream) ==
		     TRL_OK);
		body_reply(ctx, stream);
		MUST(body_read(ctx, stream, &got) == TRL_UNAVAILABLE);
		trl_stream_close(&stream);
		trl_err_clear(ctx);
	}
}

static void
may_not_be_called_plainly(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	(void)arg;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_GIVE], "", 1, &out) ==
	     TRL_INTERNAL);
}

TEST(tells_each_end_how_the_other_ended)
{
	served = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), served);
	rig_await_peers(&rig, 1);
	rig_run(&rig, be_refused, NULL);
	rig_run(&rig, be_answered_in_mid_body, NULL);
	rig_run(&rig, watch_for_an_answer, NULL);
	rig_run(&rig, see_bodies_break_off, NULL);
	rig_run(&rig, may_not_be_called_plainly, NULL);
	must_be_clean();
}

static bool
has_ended(void *self)
{
	return served->bodies >= *(unsigned *)self && trl_bus_running(rig.here) == 0;
}

/* The callee hears of it within a moment, and not at its deadline. */
static void
must_hear_of_it(unsigned bodies)
{
	MUST(trl_loop_run_until(rig.loop, has_ended, &bodies, 10000));
	MUST(served->body_ended == TRL_UNAVAILABLE);
	must_be_clean();
}

static void
give_up_before_a_piece(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	bool wanted;
	(void)arg;
	MUST(open_stream(ctx, SAMPLE_TAKE, "", 0, NULL, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	trl_stream_close(&stream);
}

static void
give_up_in_mid_body(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	(void)arg;
	MUST(open_stream(ctx, SAMPLE_TAKE, "", 0, NULL, &stream) == TRL_OK);
	MUST(body_write(ctx, stream, 3000000) == TRL_OK);
	trl_stream_close(&stream);
}

static void
give_up_before_reading(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	(void)arg;
	MUST(open_stream(ctx, SAMPLE_GIVE, "", 50000000, NULL, &stream) == TRL_OK);
	body_reply(ctx, stream);
	trl_stream_close(&stream);
}

static void
give_up_while_reading(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_piece piece;
	(void)arg;
	MUST(open_stream(ctx, SAMPLE_GIVE, "", 50000000, NULL, &stream) == TRL_OK);
	body_reply(ctx, stream);
	for (int i = 0; i < 20; i++)
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
	trl_stream_close(&stream);
}

TEST(tells_a_callee_that_its_caller_gave_up)
{
	void (*const points[])(trl_ctx * ctx, void *arg) = { give_up_before_a_piece,
		give_up_in_mid_body, give_up_before_reading, give_up_while_reading };
	served = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), served);
	rig_await_peers(&rig, 1);
	for (unsigned i = 0; i < TRL_COUNT(points); i++) {
		rig_run(&rig, points[i], NULL);
		must_hear_of_it(i + 1);
	}
}

static unsigned slow_calls;

static void
call_meanwhile(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	(void)arg;
	for (unsigned i = 0; i < 300; i++) {
		uint64_t since = trl_mono_us();
		MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_ECHO], "x", 1,
			 &out) == TRL_OK);
		uint64_t took = trl_mono_us() - since;
		slow_calls += took > 100000;
	}
}

/* Opens a body and reads no more of it while others call. */
static void
read_slowly(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_piece piece;
	(void)arg;
	MUST(open_stream(ctx, SAMPLE_GIVE, "", 50000000, NULL, &stream) == TRL_OK);
	body_reply(ctx, stream);
	MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
	rig_start(&rig, call_meanwhile, NULL);
	MUST(trl_sleep(ctx, 300) == TRL_OK);
	/* What is on its way is what it has memory for. */
	MUST(served->gave <= 2 * TRL_STREAM_PIECE + TRL_STREAM_RIDES + 65536);
	MUST(body_memory(rig.net) <= TRL_STREAM_PIECE);
	trl_stream_close(&stream);
}

TEST(delays_no_call_for_a_slow_reader)
{
	served = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), served);
	rig_await_peers(&rig, 1);
	rig_run(&rig, read_slowly, NULL);
	MUST(slow_calls < 30); /* of 300: some may be the machine's */
	MUST(rig_metric("trellis_bus_stream_waits_total{service=\"sample\",peer="
			"\"edge\"}") >= 1);
}

enum { MANY = 600, SLOW = 50, MIB = 1 << 20 };
static unsigned opened, busy;
static bool enough;
static trl_stream *slow[SLOW];

/* Opens files that it does not read on; then all that may be on its way has come. */
static void
open_slow_ones(trl_ctx *ctx, void *arg)
{
	struct trl_piece piece;
	(void)arg;
	for (unsigned i = 0; i < SLOW; i++) {
		MUST(open_stream(ctx, SAMPLE_GIVE, "file", 8 * MIB, NULL, &slow[i]) ==
		     TRL_OK);
		body_reply(ctx, slow[i]);
		MUST(trl_stream_read(ctx, slow[i], &piece) == TRL_OK && piece.len > 0);
	}
	for (unsigned i = 0; i < SLOW; i++)
		while (slow[i]->in.granted - slow[i]->in.spent >= BUS_PIECE_LEAST)
			MUST(trl_sleep(ctx, 1) == TRL_OK);
}

static void
close_slow_ones(trl_ctx *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	for (unsigned i = 0; i < SLOW; i++)
		trl_stream_close(&slow[i]);
}

static size_t
in_use(void)
{
	struct mallinfo2 now = mallinfo2(); /* none with the sanitizers' */
	return now.uordblks + now.hblkhd;
}

/* Of a file the writer reads no piece before its reader has room for it. */
TEST(keeps_no_piece_of_a_file_for_a_slow_reader)
{
	served = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), served);
	rig_await_peers(&rig, 1);
	size_t before = in_use();
	rig_run(&rig, open_slow_ones, NULL);
	/* Both ends are here: what has come, and two actors' stacks and buffers. */
	MUST(in_use() < before + body_memory(rig.net) + SLOW * 64 * 1024);
	rig_run(&rig, close_slow_ones, NULL);
}

static bool
is_enough(void *self)
{
	(void)self;
	return opened + busy == MANY;
}

static void
hold_one(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_piece piece;
	(void)arg;
	static const struct trl_stream_terms patient = { .call.timeout_ms = 15000 };
	enum trl_code rc =
	    open_stream(ctx, SAMPLE_GIVE, "same", 300000, &patient, &stream);
	if (rc != TRL_OK) {
		MUST(rc == TRL_BUSY && ctx->err.retry_after_ms > 0);
		busy++;
		return;
	}
	opened++;
	MUST(rig.net->asked_for.shares.used <= BUS_ASKED_FOR / 4 * 3);
	while (!enough)
		MUST(trl_sleep(ctx, 5) == TRL_OK);
	body_reply(ctx, stream);
	while (trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0)
		MUST(rig.net->asked_for.shares.used <= BUS_ASKED_FOR / 4 * 3);
	MUST(ctx->err.code == TRL_OK);
	trl_stream_close(&stream);
}

TEST(shares_its_memory_among_many_and_has_an_end)
{
	served = rig_shared();
	rig_open(&rig, "edge", "inproc://sample", served);
	rig_await_peers(&rig, 1);
	for (unsigned i = 0; i < MANY; i++)
		rig_start(&rig, hold_one, NULL);
	MUST(trl_loop_run_until(rig.loop, is_enough, NULL, 10000));
	MUST(opened >= 128 && busy > 0 && opened + busy == MANY);
	enough = true;
	rig_wait(&rig, 30000);
	must_be_clean();
}

static void
hold_one_that_rides(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	uint64_t got;
	(void)arg;
	if (open_stream(ctx, SAMPLE_GIVE, "same", TRL_STREAM_RIDES, NULL, &stream) !=
	    TRL_OK) {
		MUST(ctx->err.code == TRL_BUSY);
		busy++;
		return;
	}
	body_reply(ctx, stream);
	opened++;
	while (!enough)
		MUST(trl_sleep(ctx, 5) == TRL_OK);
	MUST(body_read(ctx, stream, &got) == TRL_OK && got == TRL_STREAM_RIDES);
	trl_stream_close(&stream);
}

static bool was_called;

static void
call_once(trl_ctx *ctx, void *arg)
{
	sample_note *out;
	(void)arg;
	MUST(sample_call(ctx, rig.bus, sample_methods[SAMPLE_ECHO], "x", 1, &out) ==
	     TRL_OK);
	was_called = true;
}

static bool
called(void *self)
{
	(void)self;
	return was_called;
}

/* What rides was reserved when it was asked for; and who wants no memory is served when
 * there is none. */
TEST(has_room_for_what_rides_and_sheds_no_call_without_a_body)
{
	served = rig_shared();
	rig_open(&rig, "edge", "inproc://sample", served);
	rig_await_peers(&rig, 1);
	for (unsigned round = 0; round < 3; round++) {
		opened = busy = 0;
		for (unsigned i = 0; i < MANY; i++)
			rig_start(&rig, hold_one_that_rides, NULL);
		MUST(trl_loop_run_until(rig.loop, is_enough, NULL, 10000));
		MUST(rig.net->asked_for.shares.used <= BUS_ASKED_FOR / 4 * 3 &&
		     busy > 0);
	}
	MUST(rig.net->asked_for.shares.used > BUS_ASKED_FOR / 4 * 3 - TRL_STREAM_RIDES);
	rig_start(&rig, call_once, NULL);
	MUST(trl_loop_run_until(rig.loop, called, NULL, 10000));
	enough = true;
	rig_wait(&rig, 30000);
	must_be_clean();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_bodies_of_all_sizes_over_inproc),
		cmocka_unit_test(carries_bodies_of_all_sizes_over_tcp),
		cmocka_unit_test(carries_bodies_of_all_sizes_over_tls),
		cmocka_unit_test(tells_each_end_how_the_other_ended),
		cmocka_unit_test(tells_a_callee_that_its_caller_gave_up),
		cmocka_unit_test(delays_no_call_for_a_slow_reader),
		cmocka_unit_test(keeps_no_piece_of_a_file_for_a_slow_reader),
		cmocka_unit_test(shares_its_memory_among_many_and_has_an_end),
		cmocka_unit_test(
		    has_room_for_what_rides_and_sheds_no_call_without_a_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
