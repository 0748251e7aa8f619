/* The reader of heads and chunks: every case gives the same however it is cut. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "head.h"

static const struct trl_http_limits limits = { 16384, 8192 };

#define H "GET / HTTP/1.1\r\nHost: a\r\n"

static const struct {
	const char *text;
	uint16_t status; /* 0: waits for more */
} heads[] = {
	{ H "\r\n", 200 },
	{ "\r\n" H "\r\n", 200 },
	{ "\r\n\r\n" H "\r\n", 400 },
	{ "GET / HTTP/1.0\r\n\r\n", 200 },
	{ "GET http://b:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 200 }, /* the edge answers 405 */
	{ "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400 },
	{ "GET /\r\nHost: a\r\n\r\n", 400 },
	{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
	{ "GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400 },
	{ H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400 },
	{ H "Content-Length: 5, 5\r\n\r\n", 400 },
	{ H "Content-Length: +5\r\n\r\n", 400 },
	{ H "Content-Length: -1\r\n\r\n", 400 },
	{ H "Content-Length: 0x5\r\n\r\n", 400 },
	{ H "Content-Length: 99999999999999999999\r\n\r\n", 400 },
	{ H "Content-Length: \r\n\r\n", 400 },
	{ H "Transfer-Encoding: xchunked\r\n\r\n", 400 },
	{ H "Transfer-Encoding: gzip\r\n\r\n", 400 },
	{ H "Transfer-Encoding: identity\r\n\r\n", 400 },
	{ H "Transfer-Encoding:\r\n\r\n", 400 },
	{ H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
	{ H "Transfer-Encoding: gzip,\tChunked\r\n\r\n", 501 },
	{ H "Transfer-Encoding: chunked, gzip\r\n\r\n", 400 },
	{ H "Transfer-Encoding: chunked, chunked\r\n\r\n", 400 },
	{ H "Transfer-Encoding: chunked,\r\n\r\n", 400 },
	{ H "Transfer-Encoding: chunked;q=1\r\n\r\n", 400 },
	{ H "Transfer-Encoding: chunked, identity\r\n\r\n", 400 },
	{ H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ H "Transfer-Encoding: \x0b"
	    "chunked\r\n\r\n",
	    400 },
	{ H "Transfer-Encoding: CHUNKED\r\n\r\n", 200 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ H "Content-Length : 5\r\n\r\n", 400 },
	{ H ": x\r\n\r\n", 400 },
	{ H "x\r\n\r\n", 400 },
	{ H "A: b\r\n c\r\n\r\n", 400 },
	{ H " A: b\r\n\r\n", 400 },
	{ H "A: b\rc\r\n\r\n", 400 },
	{ H "A: b\x01\r\n\r\n", 400 },
	{ H "A: b\nC: d\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\nHost: a\n\n", 400 },
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
	{ "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /a/%252e%252e/b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /a/..%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /a/..\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /a..b/.c HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /%c0%af HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /%ed%a0%80 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /%c3%a9 HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /%g0 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", 200 },
	{ H "Expect: tea\r\n\r\n", 417 },
	{ H "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n", 400 },
	{ H "Content-Type: a/b\r\nA: b\r\nContent-Type: a/b\r\n\r\n", 400 },
	{ H "Idempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n", 400 },
	{ H "Last-Event-ID: 1\r\nLast-Event-ID: 2\r\n\r\n", 400 },
	{ H "Origin: http://a\r\nOrigin: http://b\r\n\r\n", 400 },
	{ H "X-CSRF-Token: a\r\nX-CSRF-Token: b\r\n\r\n", 400 },
	{ H "X-HTTP-Method-Override: PATCH\r\nX-HTTP-Method-Override: DELETE\r\n\r\n",
	    400 },
	{ H "X-Tenant-Id: a\r\nX-TENANT-ID: a\r\n\r\n", 400 },
	{ H "X-Tenant-Id:\r\nX-Tenant-Id: a\r\n\r\n", 400 },
	{ H "X-Tenant-Id: a\r\nX-Tenant: a\r\nOrigin: b\r\n\r\n", 200 },
	{ H "Accept: a/b\r\nAccept: c/d\r\nCookie: a=b\r\nCookie: c=d\r\n"
	    "If-Match: \"1\"\r\nIf-Match: \"2\"\r\nX-Forwarded-For: a\r\n"
	    "X-Forwarded-For: b\r\n\r\n",
	    200 },
	{ H "A: b\r\n", 0 },
	{ "GET / HTT", 0 },
};

/* As a connection does: after each piece the head so far is looked at. */
static uint16_t
read_in_pieces(
    const uint8_t *data, size_t len, size_t piece, struct trl_http_head *head)
{
	trl_arena *arena = trl_arena_new(0);
	size_t seen = 0, end = 0, have = 0;
	uint16_t status = 0;

	while (!status && have < len) {
		have = have + piece < len ? have + piece : len;
		status = trl_http_head_scan(&limits, data, have, &seen, &end);
	}
	if (status == 200)
		status = trl_http_head_parse(&limits, arena, data, end, head);
	trl_arena_free(&arena);
	return status;
}

static void
each_head_is_taken_or_refused_however_it_is_cut(void **state)
{
	struct trl_http_head head;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(heads); i++) {
		size_t len = strlen(heads[i].text);

		for (size_t piece = 1; piece <= len; piece++) {
			uint16_t got = read_in_pieces(
			    (const uint8_t *)heads[i].text, len, piece, &head);

			if (got != heads[i].status)
				fail_msg("%s in pieces of %zu: %u, not %u",
				    heads[i].text, piece, got, heads[i].status);
		}
	}
}

static uint16_t
read_text(const char *text, size_t len)
{
	struct trl_http_head head;
	uint16_t whole = read_in_pieces((const uint8_t *)text, len, len, &head);

	assert_int_equal(read_in_pieces((const uint8_t *)text, len, 7, &head), whole);
	assert_int_equal(
	    read_in_pieces((const uint8_t *)text, len, 4096, &head), whole);
	return whole;
}

static void
sizes_are_bounded(void **state)
{
	static char text[40000];
	char *p = text;

	(void)state;
	p += sprintf(p, "GET /");
	memset(p, 'a', 8191);
	strcpy(p + 8191, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(read_text(text, strlen(text)), 200);
	memset(p, 'a', 8192);
	strcpy(p + 8192, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(read_text(text, strlen(text)), 414);
	memset(p, 'a', 20000);
	assert_int_equal(read_text(text, 20000), 414);
	p = text + sprintf(text, H "A: ");
	memset(p, 'a', 20000);
	strcpy(p + 20000, "\r\n\r\n");
	assert_int_equal(read_text(text, strlen(text)), 431);
	for (int n = 99; n <= 100; n++) { /* Host is one more */
		p = text + sprintf(text, H);
		for (int i = 0; i < n; i++)
			p += sprintf(p, "A: b\r\n");
		strcpy(p, "\r\n");
		assert_int_equal(read_text(text, strlen(text)), n == 99 ? 200 : 431);
	}
	assert_int_equal(
	    read_text(H "A: b\0c\r\n\r\n", sizeof H "A: b\0c\r\n\r\n" - 1), 400);
}

static const struct {
	const char *text;
	enum trl_code rc;
	const char *body; /* NULL: not at its end */
} bodies[] = {
	{ "3\r\nabc\r\n0\r\n\r\n", TRL_OK, "abc" },
	{ "0\r\n\r\n", TRL_OK, "" },
	{ "1;x=y\r\na\r\n1;\"q\"\r\nb\r\n000\r\nT: u\r\nV: w\r\n\r\n", TRL_OK, "ab" },
	{ "A\r\n0123456789\r\n0\r\n\r\nGET /", TRL_OK, "0123456789" },
	{ "3\nabc\n0\n\n", TRL_MALFORMED, NULL },
	{ "3\r\nabcd\r\n0\r\n\r\n", TRL_MALFORMED, NULL },
	{ "3\r\nabc0\r\n\r\n", TRL_MALFORMED, NULL },
	{ "3 \r\nabc\r\n0\r\n\r\n", TRL_MALFORMED, NULL },
	{ "0x3\r\nabc\r\n", TRL_MALFORMED, NULL },
	{ "-3\r\nabc\r\n", TRL_MALFORMED, NULL },
	{ "\r\nabc\r\n", TRL_MALFORMED, NULL },
	{ "3;a\nb\r\nabc\r\n", TRL_MALFORMED, NULL },
	{ "0\r\n X: y\r\n\r\n", TRL_MALFORMED, NULL },
	{ "0\r\nX: y\n\r\n", TRL_MALFORMED, NULL },
	{ "0\r\nX : y\r\n\r\n", TRL_MALFORMED, NULL },
	{ "0\r\nX Y: y\r\n\r\n", TRL_MALFORMED, NULL },
	{ "0\r\n: y\r\n\r\n", TRL_MALFORMED, NULL },
	{ "0\r\nX\r\n\r\n", TRL_MALFORMED, NULL },
	{ "0\r\nX: a:b\r\nY:\r\n\r\n", TRL_OK, "" },
	{ "ffffffffffffffffff\r\n", TRL_MALFORMED, NULL },
	{ "65\r\n", TRL_QUOTA, NULL },
	{ "fffffffffffffff\r\n", TRL_QUOTA, NULL },
	{ "3\r\nab", TRL_OK, NULL },
};

static void
each_chunked_body_is_read_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(bodies); i++) {
		const uint8_t *text = (const uint8_t *)bodies[i].text;
		size_t len = strlen(bodies[i].text), used;

		for (size_t piece = 1; piece <= len; piece++) {
			struct trl_http_chunks chunks = { .max = 100 };
			struct trl_buf out = { 0 };
			enum trl_code rc = TRL_OK;

			for (size_t at = 0; at < len && rc == TRL_OK; at += piece)
				rc = trl_http_chunks_feed(&chunks, text + at,
				    len - at < piece ? len - at : piece, &used, &out);
			assert_int_equal(rc, bodies[i].rc);
			assert_int_equal(rc == TRL_OK && chunks.state == TRL_CHUNK_DONE,
			    bodies[i].body != NULL);
			if (bodies[i].body) {
				assert_int_equal(out.len, strlen(bodies[i].body));
				if (out.len)
					assert_memory_equal(
					    out.data, bodies[i].body, out.len);
			}
			trl_buf_fini(&out);
		}
	}
}

static void
long_extensions_and_trailers_are_refused(void **state)
{
	static uint8_t text[10000];
	struct trl_http_chunks chunks = { .max = 100 };
	struct trl_buf out = { 0 };
	size_t used;

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "1;", 2);
	assert_int_equal(trl_http_chunks_feed(&chunks, text, sizeof text, &used, &out),
	    TRL_MALFORMED);
	chunks = (struct trl_http_chunks){ .max = 100 };
	memcpy(text, "0\r\n", 3);
	assert_int_equal(trl_http_chunks_feed(&chunks, text, sizeof text, &used, &out),
	    TRL_MALFORMED);
	trl_buf_fini(&out);
}

/* Every byte at every place of a word of eight and around it, also behind another one
 * that is looked at twice. */
static void
of_controls_only_tab_stands_in_a_value(void **state)
{
	enum { LONG = 20 };
	char text[LONG];

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++)
		for (size_t len = 1; len <= LONG; len++)
			for (size_t at = 0; at < len; at++) {
				memset(text, at % 2 ? '\t' : 'a', len);
				text[at] = (char)byte;
				assert_int_equal(trl_http_is_value(text, len),
				    byte == '\t' || (byte >= 0x20 && byte != 0x7f));
			}
	assert_true(trl_http_is_value("", 0));
}

static void
a_token_has_letters_digits_and_fifteen_signs(void **state)
{
	static const char all[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		const char text[] = { 'a', (char)byte };

		assert_int_equal(trl_http_is_token(text, sizeof text),
		    byte && strchr(all, (int)byte) != NULL);
	}
	assert_false(trl_http_is_token("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_head_is_taken_or_refused_however_it_is_cut),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(of_controls_only_tab_stands_in_a_value),
		cmocka_unit_test(a_token_has_letters_digits_and_fifteen_signs),
		cmocka_unit_test(each_chunked_body_is_read_however_it_is_cut),
		cmocka_unit_test(long_extensions_and_trailers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
