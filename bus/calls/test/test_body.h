/* test_body.h - streams of the sample's methods, for tests: opened, written and
 * checked.
 */
#pragma once

#include <trl/stream.h>

#include "net.h"
#include "test_rig.h"

/* Calls with a text and a number; terms may be NULL. */
enum trl_code body_open(trl_ctx *ctx, trl_bus *bus, enum sample_method method,
    const char *text, uint64_t num, const struct trl_stream_terms *terms,
    trl_stream **out) TRL_MUST_CHECK;
/* Writes len of the sample's bytes. */
enum trl_code body_write(trl_ctx *ctx, trl_stream *stream, uint64_t len) TRL_MUST_CHECK;
/* Reads to the end, and checks each byte. */
enum trl_code body_read(trl_ctx *ctx, trl_stream *stream, uint64_t *len) TRL_MUST_CHECK;
/* The reply, which is there. */
sample_note *body_reply(trl_ctx *ctx, trl_stream *stream);
/* What SAMPLE_TAKE answers to "hash" of len bytes. */
const char *body_hash(trl_ctx *ctx, uint64_t len);
/* What all bodies that come to an end's process count for, of either side. */
static inline uint64_t
body_memory(const trl_bus_net *net)
{
	return net->asked_for.shares.used + net->served.shares.used;
}

/* Nobody waits for one. */
static inline bool
body_none(const trl_bus_net *net)
{
	return body_memory(net) == 0 && net->asked_for.readers == 0 &&
	       net->served.readers == 0;
}
