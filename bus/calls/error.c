/* error.c - the error of a ctx, on its way from whoever failed to whoever asked. */
#include "frame.h"

#include <stdio.h>

void
bus_error_write(const trl_ctx *ctx, enum trl_code rc, struct bus_frame *out)
{
	const struct trl_err *err = &ctx->err;

	out->has_error = true;
	out->code = rc;
	/* A fault's text is only for this process's log. */
	out->message = bus_text(trl_is_fault(rc) ? NULL : err->message);
	out->field = bus_text(err->field);
	out->retry_after_ms = err->retry_after_ms;
	out->violations = err->violations;
	out->n_violations = err->n_violations;
	out->feature = bus_text(err->quota.feature);
	out->plan = bus_text(err->quota.plan);
	out->limit = err->quota.limit;
	out->used = err->quota.used;
	out->has_reserved = err->quota.feature[0] && err->quota.reserved >= 0;
	out->reserved = err->quota.reserved;
}

static char *
text_of(trl_ctx *ctx, struct bus_text text)
{
	return trl_arena_strndup(ctx->arena, text.s ? text.s : "", text.n);
}

void
bus_error_read(trl_ctx *ctx, const struct bus_frame *frame)
{
	struct bus_text pointer, detail;
	size_t at = 0;

	trl_fail_at(ctx, frame->code, text_of(ctx, frame->field), NULL, 0, "%s",
	    text_of(ctx, frame->message));
	if (frame->retry_after_ms != 0)
		trl_err_retry_after(ctx, frame->retry_after_ms);
	if (frame->feature.s || frame->limit)
		trl_err_quota(ctx, text_of(ctx, frame->feature),
		    text_of(ctx, frame->plan), frame->limit, frame->used);
	if (frame->has_reserved)
		trl_err_reserved(ctx, frame->reserved);
	for (unsigned n = 0; n < TRL_ERR_VIOLATIONS_MAX &&
			     bus_next_violation(frame, &at, &pointer, &detail);
	     n++) {
		trl_err_violation(
		    ctx, text_of(ctx, pointer), "%s", text_of(ctx, detail));
	}
}
