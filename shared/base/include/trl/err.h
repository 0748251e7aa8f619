/* err.h - how anything fails: one code, and one error that its origin writes.
 *
 * The codes come from proto/trellis/error.proto (enum trl_code in <trl/code.h>).
 * Conditions are part of a method's contract; faults (TRL_BUSY and above) may
 * come from anywhere and pass unchanged. The origin writes the error once, in
 * ctx->err, by trl_fail(); only a dispatch loop or main logs it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/code.h>
#include <trl/compiler.h>

struct trl_ctx;

/* One refused field: an RFC 6901 pointer into the request and what is wrong. */
struct trl_violation {
	const char *pointer;
	const char *detail;
};

enum { TRL_ERR_VIOLATIONS_MAX = 16 };

/* How much of a plan's feature is used; for a switch that is off, limit and used are
 * 0. */
struct trl_quota {
	char feature[64], plan[64]; /* keys; "": no plan's feature, an unknown plan */
	int64_t limit, used;
	int64_t reserved; /* in addition to used; -1: the feature is not reserved */
};

struct trl_err {
	enum trl_code code;
	/* Public where code is a condition; a fault's is only for the log. */
	char message[256];
	/* The constraint's or field's name a condition is about, or "". */
	char field[64];
	uint32_t retry_after_ms; /* 0: unsaid */
	const char *file;        /* of the origin in this process, or NULL */
	int line;
	const struct trl_violation *violations; /* in the arena of the ctx */
	size_t n_violations;
	struct trl_quota quota; /* for TRL_QUOTA, and TRL_TOO_LARGE by a plan; for
				 * TRL_RANGE, limit is how many bytes there are */
};

/* trl_code_name, trl_code_status and trl_code_title come with <trl/code.h>. */
static inline bool
trl_is_fault(enum trl_code code)
{
	return code >= TRL_BUSY;
}

/* Writes the error of ctx and returns code: `return trl_fail(ctx, TRL_EXISTS, ...)`.
 * The first error stands: a later one for the same ctx replaces it only by
 * trl_err_clear. */
#define trl_fail(ctx, code, ...)                                                       \
	trl_fail_at((ctx), (code), NULL, __FILE__, __LINE__, __VA_ARGS__)
/* The same about one field of the request. */
#define trl_fail_field(ctx, code, field, ...)                                          \
	trl_fail_at((ctx), (code), (field), __FILE__, __LINE__, __VA_ARGS__)

enum trl_code trl_fail_at(struct trl_ctx *ctx, enum trl_code code, const char *field,
    const char *file, int line, const char *fmt, ...) TRL_PRINTF(6, 7);

/* Passes TRL_OK and faults; turns a sub-call's unhandled condition into
 * TRL_INTERNAL, so that a neighbour's NOT_FOUND cannot leak as the user's. */
enum trl_code trl_fold(struct trl_ctx *ctx, enum trl_code rc) TRL_MUST_CHECK;

/* Forgets an error that was handled. */
void trl_err_clear(struct trl_ctx *ctx);

/* Asks the caller to wait this long; goes with BUSY, RATE, CONFLICT. */
void trl_err_retry_after(struct trl_ctx *ctx, uint32_t ms);

/* Records what is used up; the caller still fails, with TRL_QUOTA or TRL_TOO_LARGE. */
void trl_err_quota(struct trl_ctx *ctx, const char *feature, const char *plan,
    int64_t limit, int64_t used);
/* Adds how much is reserved, for a feature that is reserved before it is used. */
void trl_err_reserved(struct trl_ctx *ctx, int64_t reserved);

/* Adds a violation; pointer and detail are copied into the arena; beyond
 * TRL_ERR_VIOLATIONS_MAX they are dropped. The caller still calls trl_fail. */
void trl_err_violation(struct trl_ctx *ctx, const char *pointer, const char *fmt, ...)
    TRL_PRINTF(3, 4);
