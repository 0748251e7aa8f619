/* fuzz_http.c - the reader of heads and chunked bodies. The first bytes choose how the
 * rest is cut; whatever comes whole must come the same in pieces, and what is
 * accepted must hold what its readers rely on. */
#include <stdlib.h>
#include <string.h>

#include "head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct trl_http_limits limits = { 16384, 8192 };

static uint16_t
scan(const uint8_t *data, size_t len, size_t piece, size_t *end)
{
	size_t seen = 0;
	uint16_t status = 0;

	for (size_t have = 0; !status && have < len;) {
		have = len - have < piece ? len : have + piece;
		status = trl_http_head_scan(&limits, data, have, &seen, end);
	}
	return status;
}

static enum trl_code
feed(const uint8_t *data, size_t len, size_t piece, struct trl_buf *out, bool *done)
{
	struct trl_http_chunks chunks = { .max = 4096 };
	enum trl_code rc = TRL_OK;
	size_t used;

	for (size_t at = 0; at < len && rc == TRL_OK; at += piece)
		rc = trl_http_chunks_feed(&chunks, data + at,
		    len - at < piece ? len - at : piece, &used, out);
	*done = rc == TRL_OK && chunks.state == TRL_CHUNK_DONE;
	return rc;
}

static void
check_accepted(const struct trl_http_request *request)
{
	size_t lengths = 0, codings = 0, hosts = 0;

	trl_assert((request->path[0] == '/' || strcmp(request->path, "*") == 0) &&
		   request->n_headers <= TRL_HTTP_HEADERS_MAX);
	trl_assert(trl_http_is_token(request->method, strlen(request->method)));
	for (size_t i = 0; i < request->n_headers; i++) {
		const struct trl_http_header *h = &request->headers[i];

		trl_assert(trl_http_is_token(h->name, strlen(h->name)));
		trl_assert(
		    strlen(h->value) == h->value_len && !strpbrk(h->value, "\r\n"));
		lengths += !strcmp(h->name, "content-length");
		codings += !strcmp(h->name, "transfer-encoding");
		hosts += !strcmp(h->name, "host");
	}
	trl_assert(lengths + codings <= 1 && hosts <= 1);
	trl_assert((codings == 1) == (request->content_length == UINT64_MAX));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trl_buf whole = { 0 }, cut = { 0 };
	size_t piece, end = 0, end_cut = 0;
	struct trl_http_head head;
	trl_arena *arena;
	bool done, done_cut;
	uint16_t status;

	if (size < 1)
		return 0;
	piece = 1 + data[0] % 64;
	data++;
	size--;
	status = scan(data, size, size ? size : 1, &end);
	trl_assert(status == scan(data, size, piece, &end_cut) && end == end_cut);
	if (status == 200) {
		arena = trl_arena_new(0);
		if (trl_http_head_parse(&limits, arena, data, end, &head) == 200)
			check_accepted(&head.request);
		trl_arena_free(&arena);
		data += end;
		size -= end;
	}
	trl_assert(feed(data, size, size ? size : 1, &whole, &done) ==
		   feed(data, size, piece, &cut, &done_cut));
	trl_assert(done == done_cut && (!done || whole.len == cut.len));
	trl_assert(whole.len <= 4096);
	trl_buf_fini(&whole);
	trl_buf_fini(&cut);
	return 0;
}
