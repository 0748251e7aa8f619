/* What clamd says of bytes, from the real one with a signature of our own; and one that
 * hangs, breaks off, or says what is no answer. Whatever happens, nothing is clean that
 * it has not seen to its end. */
#include <poll.h>
#include <pthread.h>

#include "scan/test_clamd.h"

enum { PIECE = 65536 };

static trl_loop *loop;

/* Actors. */

struct asked {
	const struct clamd_address *address;
	const char *data; /* and zeroes, to len */
	size_t len;
	enum trl_code rc;
	struct clamd_verdict verdict;
};

static void
ask(trl_ctx *ctx, void *arg)
{
	struct asked *asked = arg;
	char *piece = trl_arena_zalloc(ctx->arena, PIECE);
	const size_t begin = strlen(asked->data);
	clamd_talk *talk = NULL;
	bool answered = false;

	memcpy(piece, asked->data, begin);
	asked->rc = clamd_open(ctx, asked->address, &talk);
	for (size_t at = 0; asked->rc == TRL_OK && !answered && at < asked->len;
	     at += PIECE) {
		const size_t n = asked->len - at < PIECE ? asked->len - at : PIECE;

		asked->rc = clamd_send(ctx, talk, piece, n, &answered);
		memset(piece, 0, begin);
	}
	if (asked->rc == TRL_OK)
		asked->rc = clamd_end(ctx, talk, &asked->verdict);
	clamd_close(&talk);
}

static void
ping(trl_ctx *ctx, void *arg)
{
	struct asked *asked = arg;

	asked->rc = clamd_ping(ctx, asked->address);
}

static bool
nobody_is_left(void *self)
{
	return trl_actors_alive(self) == 0;
}

static void
act(void (*run)(trl_ctx *, void *), struct asked *asked)
{
	const struct trl_spawn spawn = {
		.name = "test", .run = run, .arg = asked, .timeout_ms = START_MS
	};

	assert_int_equal(trl_spawn(loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(loop, nobody_is_left, loop, START_MS));
}

/* The real one. */

static struct clamd_address real;

static void
the_real_one_tells_clean_from_infected(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		int kind;
		const char *found;
	} rows[] = {
		{ "hello", 5, CLAMD_CLEAN, "" },
		{ "", 0, CLAMD_CLEAN, "" },
		{ "", 3 * PIECE + 1, CLAMD_CLEAN, "" },
		{ EICAR, 68, CLAMD_INFECTED, "Test.Eicar.UNOFFICIAL" },
		{ EICAR, 3 * PIECE, CLAMD_INFECTED, "Test.Eicar.UNOFFICIAL" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct asked asked = {
			.address = &real, .data = rows[i].data, .len = rows[i].len
		};

		act(ask, &asked);
		assert_int_equal(asked.rc, TRL_OK);
		assert_int_equal(asked.verdict.kind, rows[i].kind);
		assert_string_equal(asked.verdict.found, rows[i].found);
	}
}

static void
more_than_its_limits_is_unscanned_and_never_clean(void **state)
{
	/* Over what it reads of a file; over what it takes; both, and infected. */
	static const struct asked rows[] = {
		{ .data = "", .len = LIMIT / 2 + 1 },
		{ .data = "", .len = LIMIT + 1 },
		{ .data = "", .len = 64 * (size_t)LIMIT },
		{ .data = EICAR, .len = 4 * (size_t)LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct asked asked = rows[i];

		asked.address = &real;
		act(ask, &asked);
		assert_int_equal(asked.rc, TRL_OK);
		assert_int_equal(asked.verdict.kind, CLAMD_UNSCANNED);
	}
}

/* One that stands in for it. */

static struct {
	int listener;
	pthread_t thread;
	struct clamd_address address;
	/* Of each connection: reads so many bytes, says that, and then hangs until the
	 * other end is closed, or closes. */
	size_t reads;
	const char *says;
	size_t says_len;
	bool hangs;
} other;

static void *
stand_in(void *arg)
{
	char bytes[4096];
	size_t left = other.reads;
	const int end = accept(other.listener, NULL, NULL);

	(void)arg;
	while (end >= 0 && left > 0) {
		const ssize_t n =
		    recv(end, bytes, left < sizeof bytes ? left : sizeof bytes, 0);

		if (n <= 0)
			break;
		left -= (size_t)n;
	}
	if (other.says_len)
		(void)send(end, other.says, other.says_len, MSG_NOSIGNAL);
	if (other.hangs) { /* until the other end is closed */
		struct pollfd one = { .fd = end, .events = POLLRDHUP };

		(void)poll(&one, 1, START_MS);
	}
	close(end);
	return NULL;
}

static void
open_other(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char address[96];

	(void)snprintf(address, sizeof address, "unix:%s/other", clamd_folder);
	assert_true(clamd_address_read(address, &other.address));
	other.address.send_ms = other.address.answer_ms = 200;
	memcpy(at.sun_path, other.address.path, strlen(other.address.path) + 1);
	other.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(other.listener, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(other.listener, 8), 0);
}

static int
check_other(size_t reads, const char *says, size_t says_len, bool hangs, size_t len,
    const char *error)
{
	struct asked asked = { .address = &other.address, .data = "x", .len = len };

	other.reads = reads;
	other.says = says;
	other.says_len = says_len;
	other.hangs = hangs;
	assert_int_equal(pthread_create(&other.thread, NULL, stand_in, NULL), 0);
	act(ask, &asked);
	assert_int_equal(pthread_join(other.thread, NULL), 0);
	assert_int_equal(asked.rc, error ? TRL_UNAVAILABLE : TRL_OK);
	return (int)asked.verdict.kind;
}

#define SAYS(text) (text), sizeof(text)
enum { ALL = 10 + 4 + 5 + 4 }; /* the command, five bytes, the end */

static void
what_is_no_answer_is_none(void **state)
{
	char much[2000];

	(void)state;
	memset(much, 'a', sizeof much);
	(void)check_other(ALL, SAYS("stream: OK"), false, 5, NULL);
	/* Nothing, in the middle and at the end. */
	(void)check_other(0, NULL, 0, false, 5, "");
	(void)check_other(12, NULL, 0, false, 5, "");
	(void)check_other(ALL, NULL, 0, false, 5, "");
	(void)check_other(ALL, "stream: OK", 10, false, 5, "");
	/* For ever. */
	(void)check_other(ALL, NULL, 0, true, 5, "");
	(void)check_other(0, NULL, 0, true, 64 << 20, "");
	/* Something else. */
	(void)check_other(ALL, SAYS("stream: OK "), false, 5, "");
	(void)check_other(ALL, SAYS("OK"), false, 5, "");
	(void)check_other(ALL, SAYS(""), false, 5, "");
	(void)check_other(ALL, SAYS(" FOUND"), false, 5, "");
	(void)check_other(ALL, SAYS("stream:  FOUND"), false, 5, "");
	(void)check_other(ALL, SAYS("stream: broken. ERROR"), false, 5, "");
	(void)check_other(ALL, much, sizeof much, false, 5, "");
	/* Clean, before it has seen the end. */
	(void)check_other(10, SAYS("stream: OK"), false, 64 << 20, "");
}

/* Its versions have more than one word for that they have not read a file. */
static void
what_names_no_signature_is_unscanned(void **state)
{
	static const struct {
		const char *says;
		int kind;
	} rows[] = {
		{ "stream: (null) FOUND", CLAMD_UNSCANNED },
		{ "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
		    CLAMD_UNSCANNED },
		{ "stream: Heuristics.Limits.Exceeded FOUND", CLAMD_UNSCANNED },
		{ "INSTREAM size limit exceeded. ERROR", CLAMD_UNSCANNED },
		{ "stream: Heuristics.Encrypted.Zip FOUND", CLAMD_INFECTED },
		{ "stream: Win.Test.EICAR_HDB-1 FOUND", CLAMD_INFECTED },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_int_equal(check_other(ALL, rows[i].says,
				     strlen(rows[i].says) + 1, false, 5, NULL),
		    rows[i].kind);
}

static void
one_that_is_not_there_is_away(void **state)
{
	static const char *const places[] = { "unix:/nowhere/at/all",
		"tcp://127.0.0.1:1", "tcp://no.such.host.invalid:3310" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(places); i++) {
		struct clamd_address address;
		struct asked asked = { .address = &address, .data = "", .len = 1 };

		assert_true(clamd_address_read(places[i], &address));
		act(ask, &asked);
		assert_int_equal(asked.rc, TRL_UNAVAILABLE);
		act(ping, &asked);
		assert_int_equal(asked.rc, TRL_UNAVAILABLE);
	}
}

/* A byte more than a socket's address has room for. */
#define TEN "0123456789"
#define LONG_PATH "unix:/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456"

static void
an_address_is_read_or_refused(void **state)
{
	static const char *const bad[] = { "", "/run/clamd", "unix:clamd",
		"unix:", "tcp://", "tcp://host", "tcp://host:", "tcp://host:0",
		"tcp://host:65536", "tcp://host:12x", "tcp://:3310", "tcp://[::1]",
		"tcp://[::1:3310", "http://host:80", LONG_PATH };
	struct clamd_address address;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(bad); i++)
		assert_false(clamd_address_read(bad[i], &address));
	assert_true(clamd_address_read("unix:/run/clamd.sock", &address));
	assert_string_equal(address.path, "/run/clamd.sock");
	assert_true(clamd_address_read("tcp://clamd.local:3310", &address));
	assert_string_equal(address.host, "clamd.local");
	assert_string_equal(address.port, "3310");
	assert_true(clamd_address_read("tcp://[::1]:3310", &address));
	assert_string_equal(address.host, "::1");
	assert_string_equal(address.port, "3310");
}

static int
open_all(void **state)
{
	char address[96];

	(void)state;
	clamd_make_folder();
	loop = trl_loop_new(NULL);
	trl_offload_init(loop, &clamd_slots);
	open_other();
	clamd_start(address);
	assert_true(clamd_address_read(address, &real));
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	clamd_stop();
	close(other.listener);
	trl_offload_fini(&clamd_slots);
	trl_loop_free(&loop);
	return clamd_remove_folder();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_real_one_tells_clean_from_infected),
		cmocka_unit_test(more_than_its_limits_is_unscanned_and_never_clean),
		cmocka_unit_test(what_is_no_answer_is_none),
		cmocka_unit_test(what_names_no_signature_is_unscanned),
		cmocka_unit_test(one_that_is_not_there_is_away),
		cmocka_unit_test(an_address_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
