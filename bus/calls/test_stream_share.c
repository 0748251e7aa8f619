/* Organisations share a process's memory for bodies: one that has as many slow ones as
 * it can keeps no other's out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bus.h"
#include "test_body.h"

enum { MANY = 600, LEN = 300000 };

static struct rig rig;
static unsigned opened, busy;
static bool enough, worked;
static const struct trl_id slow = { { 1 } }, other = { { 2 } };

static bool
are_all_there(void *self)
{
	(void)self;
	return opened + busy == MANY;
}

static enum trl_code
open_for(trl_ctx *ctx, struct trl_id tenant, enum sample_method method,
    const char *text, uint64_t num, trl_stream **out)
{
	static const struct trl_stream_terms patient = { .call.timeout_ms = 15000 };
	ctx->tenant = tenant;
	return body_open(ctx, rig.bus, method, text, num, &patient, out);
}

static void
must_be_busy(const trl_ctx *ctx, enum trl_code rc)
{
	MUST(rc == TRL_BUSY && ctx->err.retry_after_ms > 0);
	busy++;
}

static void
hold(trl_ctx *ctx)
{
	opened++;
	while (!enough)
		MUST(trl_sleep(ctx, 5) == TRL_OK);
}

static void
send_slowly(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	ProtobufCMessage *out;
	bool wanted;
	(void)arg;
	MUST(open_for(ctx, slow, SAMPLE_TAKE, "hash", 0, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK);
	if (wanted) {
		hold(ctx);
		MUST(trl_stream_end(ctx, stream) == TRL_OK);
		body_reply(ctx, stream);
	} else {
		must_be_busy(ctx, trl_stream_reply(ctx, stream, &out));
	}
	trl_stream_close(&stream);
}

static void
read_slowly(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_piece piece;
	(void)arg;
	enum trl_code rc = open_for(ctx, slow, SAMPLE_GIVE, "same", LEN, &stream);
	if (rc != TRL_OK) {
		must_be_busy(ctx, rc);
		return;
	}
	body_reply(ctx, stream);
	hold(ctx);
	do
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK);
	while (piece.len > 0);
	trl_stream_close(&stream);
}

static void
work_of_another(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	uint64_t got;
	(void)arg;
	MUST(open_for(ctx, other, SAMPLE_TAKE, "hash", 0, &stream) == TRL_OK);
	MUST(body_write(ctx, stream, LEN) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	MUST(body_reply(ctx, stream)->up_ms == LEN);
	trl_stream_close(&stream);
	MUST(open_for(ctx, other, SAMPLE_GIVE, "", LEN, &stream) == TRL_OK);
	body_reply(ctx, stream);
	MUST(body_read(ctx, stream, &got) == TRL_OK && got == LEN);
	trl_stream_close(&stream);
	worked = true;
}

static bool
has_worked(void *self)
{
	(void)self;
	return worked;
}

static void
keeps_no_other_out(void (*slowly)(trl_ctx *ctx, void *arg))
{
	rig_open(&rig, "edge", "inproc://sample", rig_shared());
	rig_await_peers(&rig, 1);
	opened = busy = 0;
	enough = worked = false;
	for (unsigned i = 0; i < MANY; i++)
		rig_start(&rig, slowly, NULL);
	MUST(trl_loop_run_until(rig.loop, are_all_there, NULL, 15000));
	MUST(opened >= 128 && busy > 0);
	MUST(rig.net->asked_for.shares.used <= BUS_ASKED_FOR / 4 * 3);
	MUST(rig.net->served.shares.used <= BUS_SERVED / 2);
	rig_start(&rig, work_of_another, NULL);
	MUST(trl_loop_run_until(rig.loop, has_worked, NULL, 15000));
	enough = true;
	rig_wait(&rig, 30000);
	MUST(body_none(rig.net));
}

TEST(slow_senders_of_one_keep_no_other_out)
{
	keeps_no_other_out(send_slowly);
}

TEST(slow_readers_of_one_keep_no_other_out)
{
	keeps_no_other_out(read_slowly);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_senders_of_one_keep_no_other_out),
		cmocka_unit_test(slow_readers_of_one_keep_no_other_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
