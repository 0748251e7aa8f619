/* sentry.c - see sentry.h. What is sent stands in the sender's queue, and beside it
 * here which of it is a crash's file: that is moved on once Sentry has taken the event,
 * or refused it for good; after silence it is sent again at the next start, under the
 * same id. */
#include <trl/sentry.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/complain.h>
#include <trl/log.h>
#include <trl/metrics.h>
#include <trl/sender.h>

#include "sentry_inside.h"

enum { WAITING_MAX = 32, BYTES_MAX = 2 << 20, CRASHES_MAX = 64 };
enum { MINUTE_S = 60, CRASHES_A_MINUTE = 10 };
enum kind { INTERNAL, CRASH, KINDS };
enum result { SENT, DROPPED, LIMITED, RESULTS };

static const struct trl_config_var vars[] = {
	TRL_CONFIG_SECRET(struct trl_sentry_config, dsn, "TRELLIS_SENTRY_DSN",
	    "DSN of a Sentry project that internal errors and crashes are reported to "
	    "(https://KEY@HOST/PROJECT); unset: none"),
	TRL_CONFIG_STR(struct trl_sentry_config, environment, "TRELLIS_ENVIRONMENT",
	    "production", "the environment named in reports"),
	TRL_CONFIG_STR(struct trl_sentry_config, ca, "TRELLIS_SENTRY_CA", NULL,
	    "PEM file with the authorities that Sentry's certificate must chain to; "
	    "unset: the system's"),
};
const struct trl_config_table trl_sentry_config_table =
    TRL_CONFIG_TABLE("every process", vars);

struct waiting {
	enum kind kind;
	struct trl_crash_entry file; /* of a crash */
};

struct trl_sentry {
	trl_loop *loop;
	const char *crash_dir;
	struct sentry_source source;
	struct sentry_limits limits;
	trl_sender *sender;
	struct waiting
	    waiting[WAITING_MAX]; /* as in the sender's queue, if not later */
	size_t n;
	trl_series *counts[KINDS][RESULTS];
};

static bool
read_dsn(const trl_secret *dsn, struct sentry_dsn *out)
{
	const char *why = sentry_dsn_read(
	    (const char *)trl_secret_bytes(dsn), trl_secret_len(dsn), out);

	if (why != NULL)
		trl_complain("TRELLIS_SENTRY_DSN %s: set the DSN that the project's "
			     "settings show, such as https://KEY@HOST/1",
		    why);
	return why == NULL;
}

bool
trl_sentry_config_read(struct trl_sentry_config *out)
{
	struct sentry_dsn dsn;

	return trl_config_read(&trl_sentry_config_table, out) &&
	       (out->dsn == NULL || read_dsn(out->dsn, &dsn));
}

static void
count_at_0(trl_series *counts[KINDS][RESULTS])
{
	static const char *const kinds[] = { "internal", "crash" };
	static const char *const results[] = { "sent", "dropped", "limited" };
	trl_metric *metric = trl_counter_new("trellis_errors_reported_total",
	    "Events for Sentry by what became of them", "kind", "result", NULL);

	for (size_t i = 0; i < KINDS; i++)
		for (size_t j = 0; j < RESULTS; j++)
			counts[i][j] = trl_series_at(metric, kinds[i], results[j]);
}

/* The first n are done with. */
static void
forget(trl_sentry *s, size_t n, enum result result)
{
	for (size_t i = 0; i < n; i++)
		trl_series_add(s->counts[s->waiting[i].kind][result], 1);
	s->n -= n;
	memmove(s->waiting, s->waiting + n, s->n * sizeof s->waiting[0]);
}

/* What the sender gave up since. */
static void
catch_up(trl_sentry *s, size_t queued)
{
	if (s->n > queued)
		forget(s, s->n - queued, DROPPED);
}

static bool
is_final(unsigned status)
{
	return status / 100 == 2 || (status / 100 == 4 && status != 429);
}

static enum trl_sender_verdict
answered(void *self, const struct trl_sender_answer *answer)
{
	trl_sentry *s = self;
	uint64_t now_us = trl_mono_us();
	bool silent;

	catch_up(s, trl_sender_queued(s->sender));
	silent = sentry_limits_note(
	    &s->limits, now_us, answer->status, answer->header, answer->retry_after_s);
	if (s->n > 0 && is_final(answer->status)) {
		if (s->waiting[0].kind == CRASH &&
		    !trl_crash_move(
			s->crash_dir, &s->waiting[0].file, TRL_CRASH_REPORTED))
			trl_log(TRL_LOG_WARN, NULL, "a crash file cannot be renamed",
			    TRL_LOG_STR("file", s->waiting[0].file.name));
		forget(s, 1, answer->status / 100 == 2 ? SENT : DROPPED);
	}
	if (!silent)
		return TRL_SENDER_BY_STATUS;
	forget(s, s->n, LIMITED); /* what waits would come too early */
	return TRL_SENDER_SILENCED;
}

static void
send_one(trl_sentry *s, const struct waiting *one, const struct trl_buf *envelope)
{
	catch_up(s, trl_sender_queued(s->sender));
	if (s->n == WAITING_MAX ||
	    !trl_sender_add(s->sender, envelope->data, envelope->len))
		trl_series_add(s->counts[one->kind][DROPPED], 1);
	else
		s->waiting[s->n++] = *one;
}

static void
on_internal(void *self, const trl_ctx *ctx)
{
	trl_sentry *s = self;
	struct trl_buf envelope = { 0 };

	if (ctx->err.file == NULL) /* another process's, which tells it itself */
		return;
	if (!sentry_limits_take(
		&s->limits, trl_mono_us(), ctx->err.file, ctx->err.line)) {
		trl_series_add(s->counts[INTERNAL][LIMITED], 1);
		return;
	}
	sentry_put_internal(&envelope, &s->source, ctx);
	send_one(s, &(struct waiting){ .kind = INTERNAL }, &envelope);
	trl_buf_fini(&envelope);
}

static void
send_crash(trl_sentry *s, const struct trl_crash_entry *file, struct trl_crash *crash)
{
	struct waiting one = { .kind = CRASH, .file = *file };
	struct trl_buf envelope = { 0 };

	memset(crash, 0, sizeof *crash);
	if (!trl_crash_read(s->crash_dir, file->name, crash) && errno == ENOENT)
		return;
	if (!sentry_limits_take(
		&s->limits, trl_mono_us(), s->crash_dir, (int)file->number)) {
		trl_series_add(s->counts[CRASH][LIMITED], 1);
		return;
	}
	sentry_put_crash(&envelope, &s->source, file->name, crash);
	send_one(s, &one, &envelope);
	trl_buf_fini(&envelope);
}

/* A process that crashes at once has no minute of its own: what its earlier lives told
 * counts. */
static size_t
told_lately(const struct trl_crash_entry *files, size_t n)
{
	int64_t now_s = trl_wall_us() / 1000000;
	size_t told = 0;

	for (size_t i = 0; i < n; i++)
		told += files[i].state == TRL_CRASH_REPORTED &&
			files[i].at_s > now_s - MINUTE_S;
	return told;
}

static void
send_crashes(trl_sentry *s)
{
	struct trl_crash_entry *files = calloc(CRASHES_MAX, sizeof *files);
	struct trl_crash *crash = calloc(1, sizeof *crash);
	size_t n, told;

	trl_assert(files != NULL && crash != NULL);
	if (s->crash_dir == NULL ||
	    !trl_crash_list(s->crash_dir, s->source.service, files, CRASHES_MAX, &n))
		n = 0;
	told = told_lately(files, n);
	for (size_t i = 0; i < n; i++) {
		if (files[i].state != TRL_CRASH_SEEN)
			continue;
		if (told++ < CRASHES_A_MINUTE)
			send_crash(s, &files[i], crash);
		else
			trl_series_add(s->counts[CRASH][LIMITED], 1);
	}
	free(files);
	free(crash);
}

static bool
open_sender(trl_sentry *s, const struct trl_sentry_config *config)
{
	char auth[256], agent[128];
	const char *headers[] = { auth, agent, NULL };
	struct sentry_dsn dsn;
	struct trl_sender_options options = {
		.name = "errors",
		.url = dsn.url,
		.content_type = "application/x-sentry-envelope",
		.headers = headers,
		.header = "X-Sentry-Rate-Limits",
		.ca_file = config->ca,
		.max_payloads = WAITING_MAX,
		.max_bytes = BYTES_MAX,
		.answered = answered,
		.self = s,
	};

	if (!read_dsn(config->dsn, &dsn))
		return false;
	snprintf(auth, sizeof auth,
	    "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=trellis/%s, "
	    "sentry_key=%s",
	    s->source.release, dsn.key);
	snprintf(agent, sizeof agent, "User-Agent: trellis/%s", s->source.release);
	s->sender = trl_sender_open(s->loop, &options);
	return s->sender != NULL;
}

bool
trl_sentry_open(
    trl_loop *loop, const struct trl_sentry_options *options, trl_sentry **out)
{
	trl_sentry *s = calloc(1, sizeof *s);

	trl_assert(s != NULL);
	count_at_0(s->counts);
	if (options->config->dsn == NULL) {
		free(s);
		return true;
	}
	s->loop = loop;
	s->crash_dir = options->crash_dir;
	s->source.service = options->service;
	s->source.release = options->release;
	s->source.environment = options->config->environment;
	gethostname(s->source.host, sizeof s->source.host - 1);
	trl_build_id_of("/proc/self/exe", s->source.build);
	if (!open_sender(s, options->config)) {
		free(s);
		return false;
	}
	send_crashes(s);
	trl_log_on_internal(on_internal, s);
	*out = s;
	return true;
}

void
trl_sentry_close(trl_sentry **sentry)
{
	trl_sentry *s = TRL_TAKE(*sentry);

	if (s == NULL)
		return;
	trl_log_on_internal(NULL, NULL);
	trl_sender_close(&s->sender);
	free(s);
}
