/* Requests whose body and answer move in pieces, to our own server on the same loop. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <trl/http_out.h>

#include "test_body_rig.h"

enum { PIECE = 100000 };

static trl_http_out *out;

/* One exchange, made by an actor, and what came of it. */
struct visit {
	struct world *world;
	const char *method, *path;
	uint64_t length; /* of the body that is sent */
	size_t written;  /* of it, by the caller */
	uint32_t timeout_ms;
	size_t pieces_most; /* of the answer that are read; 0: all */
	bool holds;         /* each of them, until it is told */
	bool head_only;     /* the answer is not read */
	struct trl_ticket ticket;
	enum trl_code rc;
	struct trl_http_answer answer;
	size_t got, pieces, largest;
	bool differs, done, held;
};

static enum trl_code
write_all(trl_ctx *ctx, struct visit *visit, trl_http_exchange *exchange)
{
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && visit->written < visit->length) {
		const size_t left = (size_t)visit->length - visit->written,
			     n = left < PIECE ? left : PIECE;
		uint8_t *piece = malloc(n);

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(visit->written + i);
		rc = trl_http_out_write(ctx, exchange, piece, n);
		free(piece);
		visit->written += n;
	}
	return rc;
}

static enum trl_code
read_all(trl_ctx *ctx, struct visit *visit, trl_http_exchange *exchange)
{
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	while ((rc = trl_http_out_read(ctx, exchange, &data, &len)) == TRL_OK && len) {
		if (visit->holds) {
			visit->ticket = trl_park_begin(ctx);
			visit->held = true;
			assert_int_equal(trl_park(ctx, visit->ticket, "test"), TRL_OK);
		}
		visit->differs |= !is_pattern((const char *)data, visit->got, len);
		visit->got += len;
		visit->largest = len > visit->largest ? len : visit->largest;
		if (++visit->pieces == visit->pieces_most)
			break;
	}
	return rc;
}

static void
run(trl_ctx *ctx, void *arg)
{
	struct visit *visit = arg;
	trl_http_exchange *exchange = NULL;
	char url[100];
	struct trl_http_call call = { .method = visit->method,
		.url = url,
		.timeout_ms = visit->timeout_ms,
		.header = "Content-Length" };

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s",
	    trl_http_port(visit->world->server), visit->path);
	visit->rc = trl_http_out_begin(ctx, out, &call, visit->length, &exchange);
	memset(url, 'x', sizeof url - 1);
	if (visit->rc == TRL_OK)
		visit->rc = write_all(ctx, visit, exchange);
	if (visit->rc == TRL_OK)
		visit->rc = trl_http_out_head(ctx, exchange, &visit->answer);
	if (visit->rc == TRL_OK && !visit->head_only)
		visit->rc = read_all(ctx, visit, exchange);
	trl_http_out_end(&exchange);
	assert_null(exchange);
	visit->done = true;
}

static void
begin(struct world *world, struct visit *visit)
{
	const struct trl_spawn spawn = { .name = "visit", .run = run, .arg = visit };

	visit->world = world;
	assert_int_equal(trl_spawn(world->loop, &spawn), TRL_OK);
}

static bool
is_done(void *self)
{
	return ((struct visit *)self)->done;
}

static bool
is_holding(void *self)
{
	return ((struct visit *)self)->held;
}

static void
go(struct world *world, struct visit *visit)
{
	begin(world, visit);
	assert_true(trl_loop_run_until(world->loop, is_done, visit, 10000));
}

static int
open_both(void **state)
{
	(void)set_up(state);
	out = trl_http_out_open(((struct world *)*state)->loop,
	    &(struct trl_http_out_options){ .any_address = true });
	assert_non_null(out);
	return 0;
}

static int
close_both(void **state)
{
	trl_http_out_close(&out);
	return teardown(state);
}

static void
a_body_is_sent_in_pieces_and_its_answer_read(void **state)
{
	static const uint64_t lengths[] = { 0, 1, PIECE, 3000000 };
	struct world *world = *state;

	for (size_t i = 0; i < TRL_COUNT(lengths); i++) {
		struct visit visit = {
			.method = "PUT", .path = "/in", .length = lengths[i]
		};

		seen.bytes = 0;
		go(world, &visit);
		assert_int_equal(visit.rc, TRL_OK);
		assert_int_equal(visit.answer.status, 201);
		assert_int_equal(seen.bytes, lengths[i]);
		assert_int_equal(seen.differs, 0);
		assert_int_equal(visit.got, strtoul(visit.answer.header, NULL, 10));
	}
}

static void
an_answer_is_read_in_pieces_and_the_connection_kept(void **state)
{
	static const char *const paths[] = { "/out", "/out/chunked", "/out/small",
		"/out/chunked/small", "/out/file" };
	struct world *world = *state;

	seen.len = BLOCK * BLOCKS;
	seen.fd = sparse(0, BLOCK * BLOCKS);
	for (size_t i = 0; i < TRL_COUNT(paths); i++) {
		struct visit visit = { .method = "GET", .path = paths[i] };

		go(world, &visit);
		assert_int_equal(visit.rc, TRL_OK);
		assert_int_equal(visit.answer.status, i == 4 ? 206 : 200);
		assert_int_equal(
		    visit.got, strstr(paths[i], "small") ? 10000 : BLOCK * BLOCKS);
		assert_false(visit.differs);
		assert_true(visit.largest <= 2 * TRL_HTTP_PIECE_BYTES);
		assert_int_equal(trl_http_connections(world->server), 1);
	}
	close(seen.fd);
}

static void
an_answer_waits_for_its_reader(void **state)
{
	struct visit visit = { .method = "GET", .path = "/out/much", .holds = true };
	struct world *world = *state;

	begin(world, &visit);
	for (int i = 0; i < 3; i++) {
		visit.held = false;
		assert_true(trl_loop_run_until(world->loop, is_holding, &visit, 10000));
		let_pass(world, 50);
		assert_int_equal(seen.written_bodies, 0); /* of a hundred megabytes */
		assert_true(trl_wake(visit.ticket));
	}
	visit.holds = false;
	if (!trl_loop_run_until(world->loop, is_done, &visit, 200))
		trl_wake(visit.ticket);
	assert_true(trl_loop_run_until(world->loop, is_done, &visit, 10000));
	assert_int_equal(visit.rc, TRL_OK);
	assert_int_equal(visit.got, 100000000);
}

static void
a_body_waits_for_its_server(void **state)
{
	struct visit visit = {
		.method = "PUT", .path = "/in/holds", .length = 50000000
	};
	struct world *world = *state;
	unsigned one = 1;

	begin(world, &visit);
	assert_true(trl_loop_run_until(world->loop, is_held, &one, 10000));
	let_pass(world, 100);
	assert_false(visit.done);
	assert_true(visit.written < 30000000);
	trl_http_close(&world->server);
	assert_true(trl_loop_run_until(world->loop, is_done, &visit, 10000));
	assert_int_equal(visit.rc, TRL_UNAVAILABLE);
}

static void
a_refusal_in_mid_body_is_the_answer(void **state)
{
	struct visit visit = {
		.method = "PUT", .path = "/in/refuse", .length = 50000000
	};
	struct world *world = *state;

	go(world, &visit);
	assert_int_equal(visit.rc, TRL_OK);
	assert_int_equal(visit.answer.status, 423);
	assert_int_equal(seen.bytes, 0);
}

static void
an_answer_that_is_not_all_is_an_error(void **state)
{
	static const char *const paths[] = { "/out/short", "/out/break",
		"/out/chunked/break" };
	struct world *world = *state;

	for (size_t i = 0; i < TRL_COUNT(paths); i++) {
		struct visit visit = { .method = "GET", .path = paths[i] };

		go(world, &visit);
		/* All but its end may have come. */
		assert_int_equal(visit.rc, i == 1 ? TRL_OK : TRL_UNAVAILABLE);
		assert_false(visit.differs);
	}
}

static void
a_server_that_does_nothing_is_given_up_after_the_idle_limit(void **state)
{
	struct world *world = *state;
	const uint64_t began = trl_mono_us();
	struct visit up = { .method = "PUT",
		.path = "/in/holds",
		.length = 50000000,
		.timeout_ms = 300 };
	struct visit answer = {
		.method = "PUT", .path = "/in/holds", .length = 1, .timeout_ms = 300
	};

	go(world, &up);
	assert_int_equal(up.rc, TRL_DEADLINE);
	assert_true(trl_mono_us() - began >= 300000);
	go(world, &answer);
	assert_int_equal(answer.rc, TRL_DEADLINE);
}

/* At each point: with what was not written, or not read. */
static void
what_is_given_up_leaves_nothing(void **state)
{
	static const struct visit visits[] = {
		{ .method = "PUT", .path = "/in", .length = 0, .head_only = true },
		{ .method = "GET", .path = "/out/much", .head_only = true },
		{ .method = "GET", .path = "/out/much", .pieces_most = 1 },
		{ .method = "GET", .path = "/out/much", .pieces_most = 5 },
		{ .method = "PUT", .path = "/in", .length = 10, .written = 10 },
	};
	struct world *world = *state;

	for (size_t i = 0; i < 20 * TRL_COUNT(visits); i++) {
		struct visit visit = visits[i % TRL_COUNT(visits)];

		if (visit.written)
			visit.timeout_ms = 100; /* the body never comes */
		if (visit.written && i >= TRL_COUNT(visits))
			continue;
		go(world, &visit);
		assert_int_equal(visit.rc, visit.written ? TRL_DEADLINE : TRL_OK);
	}
	assert_true(trl_http_connections(world->server) <= 2);
}

static void
what_cannot_be_called_is_not(void **state)
{
	struct world *world = *state;
	struct visit visit = { .method = "GET", .path = " " };

	go(world, &visit);
	assert_int_equal(visit.rc, TRL_DENIED);
	trl_http_close(&world->server);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_both, close_both)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_body_is_sent_in_pieces_and_its_answer_read),
		TEST(an_answer_is_read_in_pieces_and_the_connection_kept),
		TEST(an_answer_waits_for_its_reader),
		TEST(a_body_waits_for_its_server),
		TEST(a_refusal_in_mid_body_is_the_answer),
		TEST(an_answer_that_is_not_all_is_an_error),
		TEST(a_server_that_does_nothing_is_given_up_after_the_idle_limit),
		TEST(what_is_given_up_leaves_nothing),
		TEST(what_cannot_be_called_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
