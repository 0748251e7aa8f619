/* What tracing reads of others, by the first byte: T a traceparent of a client, A a
 * collector's answer, H headers of a setting. A trace that was taken is one: written
 * down it is what was read. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/trace.h>

#include "otlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "T", "A", "H", "00-", "ff-", "-01", "-00", "-",
	"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7",
	"00000000000000000000000000000000", "0000000000000000", "\x0a", "\x08", "\x12",
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "=", ",", "%20", "%0d%0a", "%",
	NULL };

static void
put_hex(char *to, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

static void
check_trace(const char *text)
{
	uint8_t packed[TRL_TRACE_BYTES];
	struct trl_trace trace, again;
	char ids[33], span[17];

	if (!trl_trace_parse(text, &trace))
		return;
	put_hex(ids, trace.trace_id, 16);
	put_hex(span, trace.span_id, 8);
	trl_assert(!strncmp(text + 3, ids, 32) && !strncmp(text + 36, span, 16));
	trl_assert(strspn(ids, "0") < 32 && strspn(span, "0") < 16);
	trl_assert(trace.flags <= TRL_TRACE_SAMPLED);
	trl_trace_pack(&trace, packed);
	trl_trace_unpack(packed, &again);
	trl_assert(!memcmp(&trace, &again, sizeof trace));
}

static void
check_headers(const char *text)
{
	struct otlp_headers headers;
	size_t n = 0;

	if (otlp_headers_read(text, &headers) != NULL)
		return;
	for (; headers.lines[n] != NULL; n++)
		trl_assert(strpbrk(headers.lines[n], "\r\n") == NULL &&
			   strstr(headers.lines[n], ": ") != NULL);
	trl_assert(n <= OTLP_HEADERS_MAX);
	free(headers.storage);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_arena *arena = trl_arena_new(0);
	const char *why = NULL;
	char *text;

	if (len > 0 && data[0] == 'A') {
		(void)otlp_rejected(arena, data + 1, len - 1, &why);
		trl_assert(why != NULL);
	} else if (len > 0) {
		text = trl_arena_strndup(arena, (const char *)data + 1, len - 1);
		if (data[0] == 'T')
			check_trace(text);
		else if (data[0] == 'H')
			check_headers(text);
	}
	trl_arena_free(&arena);
	return 0;
}
