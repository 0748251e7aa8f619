/* What a file is by its bytes: of the two or three that matter of each family, of those
 * that are two things at once, of garbage; and the same from the confined program. */
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "sniff/sniff.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1
#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0\x1f\x15\xc4\x89"
#define JPEG "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
#define ZIP "PK\3\4\24\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.txt"

static const char *program;

static const struct {
	const uint8_t *head;
	size_t len;
	const char *type;
} samples[] = {
	{ BYTES(PNG), "image/png" },
	{ BYTES(JPEG), "image/jpeg" },
	{ BYTES("GIF89a\1\0\1\0\0\0\0;"), "image/gif" },
	{ BYTES("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\1\0\x9d\1\x2a\1\0\1\0"),
	    "image/webp" },
	{ BYTES("\0\0\0\x1c"
		"ftypavif\0\0\0\0avifmif1miaf"),
	    "image/avif" },
	{ BYTES("\0\0\0\x18"
		"ftypheic\0\0\0\0mif1heic"),
	    "image/heic" },
	{ BYTES("\0\0\0\x18"
		"ftypisom\0\0\2\0isommp41"),
	    "video/mp4" },
	{ BYTES("\0\0\0\x14"
		"ftypqt  \0\0\2\0qt  "),
	    "video/quicktime" },
	/* Cameras, and a brand of which libmagic says nothing. */
	{ BYTES("\0\0\0\x14"
		"ftypXAVC\0\0\0\1XAVC"),
	    "video/mp4" },
	{ BYTES("\0\0\0\x08wide\0\0\0\x10mdat"), "video/mp4" },
	{ BYTES("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "application/pdf" },
	{ BYTES(ZIP), "application/zip" },
	{ BYTES("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "application/zip" },
	{ BYTES("<!DOCTYPE html><html><body>x"), "text/html" },
	{ BYTES("<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
	    "image/svg+xml" },
	{ BYTES("<?xml version=\"1.0\"?><a/>"), "text/xml" },
	{ BYTES("a line of text\n"), "text/plain" },
	{ BYTES("{\"a\": 1}"), "application/json" },
	/* A test of scanners, harmless. */
	{ BYTES(
	      "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"),
	    "text/plain" },
	/* Two things at once are what they begin as. */
	{ BYTES("GIF89a=1;/*\0*/alert(1)"), "image/gif" },
	{ BYTES("%PDF-1.4\n<html><script>alert(1)</script>"), "application/pdf" },
	{ BYTES(JPEG "\xff\xd9" ZIP), "image/jpeg" },
	/* Nothing that anybody knows. */
	{ BYTES("\1\2\3\4\5\6\7\10"), "application/octet-stream" },
	{ BYTES("\0"), "application/octet-stream" },
};

static void
a_file_is_what_its_bytes_say(void **state)
{
	struct trl_buf reply = { 0 };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(samples); i++) {
		trl_buf_clear(&reply);
		sniff_answer(samples[i].head, samples[i].len, &reply);
		trl_buf_add(&reply, "", 1);
		assert_string_equal((const char *)reply.data, samples[i].type);
	}
	trl_buf_fini(&reply);
}

/* Each sample cut at each byte, and with each byte turned over. */
static void
whatever_comes_has_a_type(void **state)
{
	struct trl_buf reply = { 0 };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(samples); i++)
		for (size_t j = 0; j < samples[i].len; j++) {
			uint8_t turned[256];

			assert_true(samples[i].len <= sizeof turned);
			memcpy(turned, samples[i].head, samples[i].len);
			turned[j] ^= 0xff;
			trl_buf_clear(&reply);
			sniff_answer(turned, samples[i].len, &reply);
			assert_true(reply.len > 2 && reply.len <= SNIFF_TYPE_MAX);
			trl_buf_clear(&reply);
			sniff_answer(samples[i].head, j + 1, &reply);
			assert_true(reply.len > 2 && reply.len <= SNIFF_TYPE_MAX);
			assert_non_null(memchr(reply.data, '/', reply.len));
		}
	trl_buf_fini(&reply);
}

static void
start(pid_t *pid, int *socket_to)
{
	char *const words[] = { (char *)(uintptr_t)program, NULL };
	/* Its checker would trace a process that nobody may trace. */
	char *const environment[] = { (char *)(uintptr_t) "ASAN_OPTIONS=detect_leaks=0",
		NULL };
	posix_spawn_file_actions_t actions;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 0), 0);
	assert_int_equal(
	    posix_spawn(pid, program, &actions, NULL, words, environment), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	*socket_to = ends[0];
}

static void
the_confined_program_says_the_same(void **state)
{
	uint8_t version;
	pid_t pid;
	int end, status;

	(void)state;
	start(&pid, &end);
	assert_int_equal(recv(end, &version, 1, 0), 1);
	for (size_t i = 0; i < TRL_COUNT(samples); i++) {
		const size_t len = samples[i].len, type_len = strlen(samples[i].type);
		const uint8_t head[4] = { (uint8_t)len, (uint8_t)(len >> 8), 0, 0 };
		uint8_t back[4 + SNIFF_TYPE_MAX];

		assert_int_equal(write(end, head, 4), 4);
		assert_int_equal(write(end, samples[i].head, len), len);
		assert_int_equal(recv(end, back, 4, MSG_WAITALL), 4);
		assert_int_equal(back[0], type_len);
		assert_int_equal(
		    recv(end, back, type_len, MSG_WAITALL), (ssize_t)type_len);
		assert_memory_equal(back, samples[i].type, type_len);
	}
	close(end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int
open_all(void **state)
{
	(void)state;
	sniff_open();
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	sniff_close();
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_what_its_bytes_say),
		cmocka_unit_test(whatever_comes_has_a_type),
		cmocka_unit_test(the_confined_program_says_the_same),
	};

	trl_assert(argc == 2);
	program = argv[1];
	return cmocka_run_group_tests(tests, open_all, close_all);
}
