/* err.c - the one error of a ctx: its origin writes it, the first one stands. */
#include <trl/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <trl/ctx.h>

enum trl_code
trl_fail_at(struct trl_ctx *ctx, enum trl_code code, const char *field,
    const char *file, int line, const char *fmt, ...)
{
	struct trl_err *err = &ctx->err;
	va_list args;

	trl_assert(code != TRL_OK);
	if (err->code != TRL_OK)
		return code;
	err->code = code;
	err->file = file;
	err->line = line;
	snprintf(err->field, sizeof err->field, "%s", field ? field : "");
	va_start(args, fmt);
	vsnprintf(err->message, sizeof err->message, fmt, args);
	va_end(args);
	return code;
}

enum trl_code
trl_fold(struct trl_ctx *ctx, enum trl_code rc)
{
	char message[sizeof ctx->err.message];

	if (rc == TRL_OK || trl_is_fault(rc))
		return rc;
	memcpy(message, ctx->err.message, sizeof message);
	ctx->err.code = TRL_INTERNAL;
	ctx->err.field[0] = '\0';
	ctx->err.retry_after_ms = 0;
	ctx->err.violations = NULL;
	ctx->err.n_violations = 0;
	ctx->err.quota.feature[0] = '\0';
	snprintf(ctx->err.message, sizeof ctx->err.message, "unhandled %s: %.200s",
	    trl_code_name(rc), message);
	return TRL_INTERNAL;
}

void
trl_err_clear(struct trl_ctx *ctx)
{
	ctx->err.code = TRL_OK;
	ctx->err.message[0] = '\0';
	ctx->err.field[0] = '\0';
	ctx->err.retry_after_ms = 0;
	ctx->err.file = NULL;
	ctx->err.line = 0;
	ctx->err.violations = NULL;
	ctx->err.n_violations = 0;
	ctx->err.quota.feature[0] = '\0';
}

void
trl_err_retry_after(struct trl_ctx *ctx, uint32_t ms)
{
	ctx->err.retry_after_ms = ms;
}

void
trl_err_quota(struct trl_ctx *ctx, const char *feature, const char *plan, int64_t limit,
    int64_t used)
{
	struct trl_quota *quota = &ctx->err.quota;

	snprintf(quota->feature, sizeof quota->feature, "%s", feature);
	snprintf(quota->plan, sizeof quota->plan, "%s", plan);
	quota->limit = limit;
	quota->used = used;
	quota->reserved = -1;
}

void
trl_err_reserved(struct trl_ctx *ctx, int64_t reserved)
{
	ctx->err.quota.reserved = reserved;
}

void
trl_err_violation(struct trl_ctx *ctx, const char *pointer, const char *fmt, ...)
{
	struct trl_violation *all = (struct trl_violation *)ctx->err.violations;
	struct trl_violation *one;
	va_list args;

	if (ctx->err.n_violations == TRL_ERR_VIOLATIONS_MAX)
		return;
	if (all == NULL) {
		all = trl_arena_alloc(ctx->arena, TRL_ERR_VIOLATIONS_MAX * sizeof *all);
		ctx->err.violations = all;
	}
	one = &all[ctx->err.n_violations++];
	one->pointer = trl_arena_strdup(ctx->arena, pointer);
	va_start(args, fmt);
	one->detail = trl_arena_vprintf(ctx->arena, fmt, args);
	va_end(args);
}
