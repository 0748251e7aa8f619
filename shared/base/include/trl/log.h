/* log.h - JSON lines on stderr, one call a line, with OpenTelemetry's names (its data
 * model of logs): timestamp, severity_text, severity_number, service.name, body,
 * trace_id, span_id, then typed fields, which are attributes. Escaped, at most 8 KiB,
 * never blocks (what stderr does not take is counted in trl_log_dropped_total). Any
 * thread.
 *
 *   trl_log(TRL_LOG_INFO, ctx, "peer ejected", TRL_LOG_STR("peer", addr),
 *       TRL_LOG_INT("misses", 3));
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/id.h>

struct trl_ctx;

enum trl_log_level { TRL_LOG_DEBUG, TRL_LOG_INFO, TRL_LOG_WARN, TRL_LOG_ERROR };

struct trl_log_field {
	const char *name; /* NULL ends the list */
	enum { TRL_LOG_T_STR, TRL_LOG_T_INT, TRL_LOG_T_ID } type;
	const char *str;
	int64_t num;
	struct trl_id id;
};

#define TRL_LOG_STR(n, v)                                                              \
	((struct trl_log_field){ .name = (n), .type = TRL_LOG_T_STR, .str = (v) })
#define TRL_LOG_INT(n, v)                                                              \
	((struct trl_log_field){                                                       \
	    .name = (n), .type = TRL_LOG_T_INT, .num = (int64_t)(v) })
#define TRL_LOG_ID(n, v)                                                               \
	((struct trl_log_field){ .name = (n), .type = TRL_LOG_T_ID, .id = (v) })

/* ctx may be NULL; from it come method, trace, tenant, account, call id. The
 * list of fields may not be empty. */
#define trl_log(level, ctx, message, ...)                                              \
	trl_log_fields((level), (ctx), (message),                                      \
	    (const struct trl_log_field[]){ __VA_ARGS__, { .name = NULL } })

void trl_log_fields(enum trl_log_level level, const struct trl_ctx *ctx,
    const char *message, const struct trl_log_field *fields);

/* NULL, or why the process cannot log: stderr did not take the last line, nor the one
 * that this call then writes. */
const char *trl_log_unready(void);

/* "debug", "info", "warn" or "error", and back; false: no such level. */
const char *trl_log_level_name(enum trl_log_level level);
bool trl_log_level_named(const char *name, enum trl_log_level *out);
/* The lowest level that is written; may be changed at any time. */
enum trl_log_level trl_log_least(void);
void trl_log_set_least(enum trl_log_level least);

/* Start-up only: the name in every line, and the lowest level that is written. */
void trl_log_init(const char *service, enum trl_log_level least);

/* Logs ctx->err as the end of a message, once. For dispatch loops and main only.
 * Levels, the same in all services:
 *
 * - DEBUG: conditions; part of the contract, and the caller's doing.
 * - WARN: BUSY, UNAVAILABLE, DEADLINE, UNCERTAIN; something is busy, late or
 *   down. Callers without a session can cause these at will, so each kind
 *   (method, code, place) gets ten lines a minute; the next one says how many
 *   were left_out, and trellis_log_left_out_total counts them. Also any error
 *   that another process reported: its own log has the line.
 * - ERROR: INTERNAL that began here; a fault of ours, each one, with its report.
 */
void trl_log_err(const struct trl_ctx *ctx);
/* Start-up: has fn called with each INTERNAL error that trl_log_err logs; it must not
 * park. NULL: nothing is called. */
void trl_log_on_internal(void (*fn)(void *self, const struct trl_ctx *ctx), void *self);
