/* Protobuf from outside: what the walk lets through, protobuf-c decodes within the
 * arena, and it can be validated, written as JSON and packed. */
#include <stdint.h>

#include <trl/json.h>
#include <trl/validate.h>
#include <trl/wire.h>

#include "sample.trl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_ctx ctx = { .arena = trl_arena_new(0) };
	const struct trl_message *rules = &sample_v1_make_thing_request_rules;
	struct trl_buf text = { 0 };
	ProtobufCMessage *message = NULL;
	const uint8_t *again;
	size_t again_len;

	if (trl_wire_decode(&ctx, rules->descriptor, data, len, &message) == TRL_OK) {
		if (trl_validate(&ctx, rules, message))
			trl_assert(ctx.err.n_violations > 0);
		trl_json_encode(&text, rules, message, true);
		trl_wire_encode(ctx.arena, message, &again, &again_len);
		trl_assert(!trl_wire_check(rules->descriptor, again, again_len));
	}
	trl_buf_fini(&text);
	trl_arena_free(&ctx.arena);
	return 0;
}
