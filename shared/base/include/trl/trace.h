/* trace.h - the trace that a message is part of, in the forms in which it travels
 * (struct trl_trace is in ctx.h). Any thread. */
#pragma once

#include <trl/ctx.h>

enum {
	TRL_TRACE_SAMPLED = 1, /* of its flags: its spans are recorded (span.h) */
	TRL_TRACE_BYTES = 25   /* ids and flags, as rows and frames have them */
};

/* Reads a traceparent header (W3C Trace Context, 3.2): version 00, or the first fields
 * of a later one; of the flags only whether it is sampled. False: it is none, and *out
 * is as it was. */
bool trl_trace_parse(const char *traceparent, struct trl_trace *out);

void trl_trace_pack(const struct trl_trace *trace, uint8_t packed[TRL_TRACE_BYTES]);
void trl_trace_unpack(const uint8_t packed[TRL_TRACE_BYTES], struct trl_trace *out);
