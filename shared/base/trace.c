/* trace.c - see trace.h. A tracestate is not kept: nothing that leaves Trellis carries
 * a trace on, so nobody would ever read it. */
#include <trl/trace.h>

#include <string.h>

#include <sodium.h>

#include <trl/span.h>

#include "random.h"

void
trl_trace_new(struct trl_trace *trace)
{
	trl_random(trace->trace_id, sizeof trace->trace_id);
	trl_random(trace->span_id, sizeof trace->span_id);
	/* All zeros mean no trace; one chance in 2^64 is not worth less. */
	trace->trace_id[0] |= 1;
	trace->span_id[0] |= 1;
	trace->flags = trl_spans_want(trace->trace_id) ? TRL_TRACE_SAMPLED : 0;
}

static bool
read_hex(const char *text, uint8_t *out, size_t len)
{
	return sodium_hex2bin(out, len, text, 2 * len, NULL, NULL, NULL) == 0;
}

bool
trl_trace_parse(const char *text, struct trl_trace *out)
{
	struct trl_trace trace;
	uint8_t version;

	if (strlen(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
	    (text[55] != '\0' && text[55] != '-') ||
	    strspn(text, "0123456789abcdef-") < 55)
		return false;
	if (!read_hex(text, &version, 1) || version == 0xff ||
	    (version == 0 && text[55] != '\0') ||
	    !read_hex(text + 3, trace.trace_id, 16) ||
	    !read_hex(text + 36, trace.span_id, 8) ||
	    !read_hex(text + 53, &trace.flags, 1) ||
	    sodium_is_zero(trace.trace_id, sizeof trace.trace_id) ||
	    sodium_is_zero(trace.span_id, sizeof trace.span_id))
		return false;
	trace.flags &= TRL_TRACE_SAMPLED;
	*out = trace;
	return true;
}

void
trl_trace_pack(const struct trl_trace *trace, uint8_t packed[TRL_TRACE_BYTES])
{
	memcpy(packed, trace->trace_id, 16);
	memcpy(packed + 16, trace->span_id, 8);
	packed[24] = trace->flags;
}

void
trl_trace_unpack(const uint8_t packed[TRL_TRACE_BYTES], struct trl_trace *out)
{
	memcpy(out->trace_id, packed, 16);
	memcpy(out->span_id, packed + 16, 8);
	out->flags = packed[24];
}
