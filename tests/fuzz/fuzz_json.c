/* JSON into messages: whatever the bytes, an answer; and what was read can be
 * written, and the writing read again as the same. */
#include <stdint.h>
#include <string.h>

#include <trl/json.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include "sample.trl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "{\"thing\":", "\"slug\":\"ab\",", "null", "1e400",
	"9007199254740993", "\\u0000", "\\ud800", "[[[[[[[[", "\"tags\":[", "}", "]",
	"\"labels\":{\"a\":\"b\"}", "\"parts\":[{}]", "NaN", "\xef\xbb\xbf",
	"\xed\xa0\x80", "\"2026-01-31T12:00:00Z\"",
	"\"01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21\"", NULL };

static ProtobufCMessage *
decode(trl_ctx *ctx, const struct trl_message *rules, const void *text, size_t len)
{
	ProtobufCMessage *message = trl_message_new(ctx->arena, rules->descriptor);

	if (trl_json_decode(ctx, rules, text, len, message) == TRL_OK)
		return message;
	trl_assert(ctx->err.code == TRL_MALFORMED || ctx->err.code == TRL_INVALID);
	trl_assert(ctx->err.message[0] != '\0');
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_ctx ctx = { .arena = trl_arena_new(1 << 20) };
	struct trl_buf once = { 0 }, twice = { 0 };
	const struct trl_message *rules = &sample_v1_thing_rules;
	ProtobufCMessage *message;

	message = decode(&ctx, &sample_v1_make_thing_request_rules, data, len);
	if (message && trl_validate(&ctx, &sample_v1_make_thing_request_rules, message))
		trl_assert(ctx.err.n_violations > 0);
	ctx.err = (struct trl_err){ .code = TRL_OK };
	message = decode(&ctx, rules, data, len);
	if (message) {
		trl_json_encode(&once, rules, message, false);
		message = decode(&ctx, rules, once.data, once.len);
		trl_assert(message != NULL);
		trl_json_encode(&twice, rules, message, false);
		trl_assert(once.len == twice.len);
		trl_assert(memcmp(once.data, twice.data, once.len) == 0);
	}
	trl_buf_fini(&once);
	trl_buf_fini(&twice);
	trl_arena_free(&ctx.arena);
	return 0;
}
