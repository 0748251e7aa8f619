/* log.c - JSON lines on stderr, each by one write(2).
 *
 * A full pipe must not stop the loop: a pipe is opened anew through /proc, which
 * gives a description of our own that may be non-blocking without changing it
 * for whoever shares stderr; anything else is asked by poll first. What is not
 * taken is counted, never waited for. */
#include <trl/log.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trl/ctx.h>
#include <trl/method.h>
#include <trl/metrics.h>

#include "json_line.h"
#include "often.h"

static struct {
	const char *service;
	atomic_int least; /* enum trl_log_level */
	int fd;
	bool own_fd;                            /* non-blocking and ours */
	atomic_bool torn;                       /* the last line was taken in part */
	atomic_bool lost;                       /* the last line was not taken */
	atomic_ullong lines[TRL_LOG_ERROR + 1]; /* by level */
	atomic_ullong dropped;
} sink = { .service = "trellis", .least = TRL_LOG_INFO, .fd = STDERR_FILENO };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

const char *
trl_log_level_name(enum trl_log_level level)
{
	return level_names[level];
}

bool
trl_log_level_named(const char *name, enum trl_log_level *out)
{
	for (size_t i = 0; i < TRL_COUNT(level_names); i++)
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum trl_log_level)i;
			return true;
		}
	return false;
}

enum trl_log_level
trl_log_least(void)
{
	return (enum trl_log_level)atomic_load(&sink.least);
}

void
trl_log_set_least(enum trl_log_level least)
{
	atomic_store(&sink.least, (int)least);
}

static double
lines(void *self)
{
	return (double)atomic_load((const atomic_ullong *)self);
}

static void
show_lines(void)
{
	trl_metric *m =
	    trl_counter_new("trellis_log_lines_total", "Log lines", "level", NULL);

	for (size_t i = 0; i < TRL_COUNT(level_names); i++)
		trl_series_ask(trl_series_at(m, level_names[i]), lines, &sink.lines[i]);
}

static double
dropped(void *self)
{
	(void)self;
	return (double)atomic_load(&sink.dropped);
}

static double
left_out(void *self)
{
	(void)self;
	return (double)often_left_out();
}

void
trl_log_init(const char *service, enum trl_log_level least)
{
	struct stat st;
	int fd;

	sink.service = service;
	atomic_store(&sink.least, (int)least);
	if (sink.own_fd)
		close(sink.fd);
	sink.own_fd = false;
	sink.fd = STDERR_FILENO;
	if (fstat(STDERR_FILENO, &st) == 0 && S_ISFIFO(st.st_mode)) {
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0) {
			sink.fd = fd;
			sink.own_fd = true;
		}
	}
	show_lines();
	trl_metric_callback_drop(&sink);
	trl_metric_callback("trellis_log_dropped_total",
	    "Log lines that stderr did not take", true, dropped, &sink);
	often_forget();
	trl_metric_callback("trellis_log_left_out_total",
	    "Log lines of faults that had just been logged as often as they are", true,
	    left_out, &sink);
}

static void
emit(const struct trl_line *line)
{
	struct pollfd ready = { .fd = sink.fd, .events = POLLOUT };
	ssize_t n = -1;

	if (sink.own_fd || (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT))) {
		if (atomic_exchange(&sink.torn, false) && write(sink.fd, "\n", 1) < 0)
			atomic_store(&sink.torn, true);
		do
			n = write(sink.fd, line->text, line->len);
		while (n < 0 && errno == EINTR);
	}
	atomic_store(&sink.lost, n != (ssize_t)line->len);
	if (n == (ssize_t)line->len)
		return;
	if (n > 0)
		atomic_store(&sink.torn, true);
	atomic_fetch_add(&sink.dropped, 1);
}

static void
add_id(struct trl_line *line, const char *name, struct trl_id id)
{
	char text[TRL_ID_TEXT];

	trl_id_format(id, text);
	trl_line_str(line, name, text);
}

/* Nothing where it is all zeros. */
static void
add_hex(struct trl_line *line, const char *name, const uint8_t *bytes, size_t len)
{
	static const uint8_t none[16];
	char hex[2 * sizeof none + 1];

	trl_assert(len <= sizeof none);
	if (memcmp(bytes, none, len) == 0)
		return;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	trl_line_str(line, name, hex);
}

static void
add_ctx(struct trl_line *line, const struct trl_ctx *ctx)
{
	if (ctx->method != NULL)
		trl_line_str(line, "method", ctx->method->name);
	add_hex(line, "trace_id", ctx->trace.trace_id, sizeof ctx->trace.trace_id);
	add_hex(line, "span_id", ctx->trace.span_id, sizeof ctx->trace.span_id);
	if (ctx->trace.flags != 0) /* its spans are recorded */
		add_hex(line, "trace_flags", &ctx->trace.flags, 1);
	if (!trl_id_is_nil(ctx->tenant))
		add_id(line, "tenant", ctx->tenant);
	if (!trl_id_is_nil(ctx->principal.account))
		add_id(line, "account", ctx->principal.account);
	if (ctx->caller != NULL)
		trl_line_str(line, "caller", ctx->caller);
	if (!trl_id_is_nil(ctx->job))
		add_id(line, "job", ctx->job);
	if (ctx->call_id != 0)
		trl_line_int(line, "call_id", (int64_t)ctx->call_id);
}

static void
add_fields(struct trl_line *line, const struct trl_log_field *fields)
{
	for (; fields->name != NULL; fields++) {
		switch (fields->type) {
		case TRL_LOG_T_STR:
			trl_line_str(line, fields->name, fields->str);
			break;
		case TRL_LOG_T_INT:
			trl_line_int(line, fields->name, fields->num);
			break;
		case TRL_LOG_T_ID:
			add_id(line, fields->name, fields->id);
			break;
		}
	}
}

void
trl_log_fields(enum trl_log_level level, const struct trl_ctx *ctx, const char *message,
    const struct trl_log_field *fields)
{
	static const struct {
		const char *text;
		int number;
	} severities[] = { { "DEBUG", 5 }, { "INFO", 9 }, { "WARN", 13 },
		{ "ERROR", 17 } };
	/* Not on the stack: an actor has 64 KiB of it. */
	static _Thread_local struct trl_line line;
	char time[TRL_TIME_TEXT];

	if ((int)level < atomic_load_explicit(&sink.least, memory_order_relaxed))
		return;
	trl_time_format(trl_wall_us(), time);
	trl_line_begin(&line);
	trl_line_str(&line, "timestamp", time);
	trl_line_str(&line, "severity_text", severities[level].text);
	trl_line_int(&line, "severity_number", severities[level].number);
	trl_line_str(&line, "service.name",
	    ctx != NULL && ctx->service != NULL ? ctx->service : sink.service);
	trl_line_str(&line, "body", message);
	if (ctx != NULL)
		add_ctx(&line, ctx);
	add_fields(&line, fields);
	trl_line_end(&line);
	atomic_fetch_add(&sink.lines[level], 1);
	emit(&line);
}

const char *
trl_log_unready(void)
{
	if (atomic_load(&sink.lost)) /* perhaps there is room again */
		trl_log(TRL_LOG_ERROR, NULL, "log lines were lost before this one",
		    TRL_LOG_INT("dropped", (int64_t)atomic_load(&sink.dropped)));
	return atomic_load(&sink.lost) ? "log lines are lost: stderr takes none" : NULL;
}

static struct {
	void (*fn)(void *self, const struct trl_ctx *ctx);
	void *self;
} told_internal;

void
trl_log_on_internal(void (*fn)(void *self, const struct trl_ctx *ctx), void *self)
{
	told_internal.fn = fn;
	told_internal.self = self;
}

/* See log.h. What another process told has no place in this one's code. */
static enum trl_log_level
level_of(const struct trl_err *err)
{
	if (!trl_is_fault(err->code))
		return TRL_LOG_DEBUG;
	return err->code == TRL_INTERNAL && err->file ? TRL_LOG_ERROR : TRL_LOG_WARN;
}

static bool
is_left_out(const struct trl_ctx *ctx, uint64_t *others)
{
	const struct often_kind kind = { .method = ctx->method,
		.service = ctx->service,
		.file = ctx->err.file,
		.line = ctx->err.line,
		.code = ctx->err.code };

	return !often_may(&kind, trl_mono_us(), others);
}

void
trl_log_err(const struct trl_ctx *ctx)
{
	const struct trl_err *err = &ctx->err;
	const enum trl_log_level level = level_of(err);
	struct trl_log_field fields[7] = { 0 };
	uint64_t others = 0;
	size_t n = 0;

	if (err->code == TRL_OK || (level == TRL_LOG_WARN && is_left_out(ctx, &others)))
		return;
	fields[n++] = TRL_LOG_STR("code", trl_code_name(err->code));
	fields[n++] = TRL_LOG_STR("detail", err->message);
	if (err->field[0] != '\0')
		fields[n++] = TRL_LOG_STR("field", err->field);
	if (err->file != NULL) {
		fields[n++] = TRL_LOG_STR("code.file.path", err->file);
		fields[n++] = TRL_LOG_INT("code.line.number", err->line);
	}
	if (others > 0)
		fields[n++] = TRL_LOG_INT("left_out", (int64_t)others);
	trl_log_fields(level, ctx, "message failed", fields);
	if (err->code == TRL_INTERNAL && told_internal.fn != NULL)
		told_internal.fn(told_internal.self, ctx);
}
