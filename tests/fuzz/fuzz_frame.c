/* Bus messages from outside: envelope, frames and headers are read without a step
 * beyond the end, and what a header says can be written and read again. */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "mac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_details(const struct bus_frame *frame)
{
	struct bus_text pointer, detail;
	size_t at = 0;
	trl_arena *arena = trl_arena_new(0);

	trl_assert(frame->principal.n_permissions <= BUS_PERMISSIONS_MAX);
	(void)bus_permissions(arena, frame);
	while (frame->has_error && bus_next_violation(frame, &at, &pointer, &detail))
		trl_assert(at <= frame->raw_error_len);
	trl_arena_free(&arena);
}

/* What was read writes to something that reads the same. */
static void
write_again(const struct bus_frame *frame)
{
	struct bus_frame copy = *frame, again;
	struct trl_buf out = { 0 };
	size_t at = 0;

	copy.principal.permissions = NULL;
	copy.principal.n_permissions = 0;
	copy.n_violations = 0;
	if (bus_frame_put(&out, &copy, NULL)) {
		trl_assert(bus_frame_get(out.data, out.len, &at, &again) == NULL);
		trl_assert(at == out.len && again.kind == frame->kind);
		trl_assert(
		    again.call_id == frame->call_id && again.method == frame->method);
		trl_assert(again.payload_len == frame->payload_len);
		trl_assert(again.has_body == frame->has_body &&
			   again.body_len == frame->body_len &&
			   again.credit == frame->credit);
		trl_assert(frame->kind != BUS_END || again.length == frame->length);
		trl_assert(frame->token == NULL || frame->name.s == NULL ||
			   memcmp(again.token, frame->token, BUS_TOKEN) == 0);
	}
	trl_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_envelope envelope;
	struct bus_frame frame;
	size_t at = BUS_ENVELOPE;

	if (!bus_envelope_get(data, size, &envelope))
		return 0;
	while (at < size && bus_frame_get(data, size, &at, &frame) == NULL) {
		trl_assert(at <= size);
		read_details(&frame);
		write_again(&frame);
	}
	return 0;
}
