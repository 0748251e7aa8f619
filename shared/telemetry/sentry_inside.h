/* sentry_inside.h - the parts of the way to a Sentry. Private to shared/telemetry. */
#pragma once

#include <trl/buf.h>
#include <trl/crash_file.h>
#include <trl/ctx.h>

/* A DSN (https://develop.sentry.dev/sdk/foundations/transport/authentication/):
 * https://KEY@HOST[:PORT][/PATH]/PROJECT, the key perhaps with :SECRET, which nobody
 * asks for any more. */
struct sentry_dsn {
	char key[65];
	char url[1024]; /* .../api/PROJECT/envelope/ */
};
/* Why it is none, in words; NULL: it is one. */
const char *sentry_dsn_read(const char *text, size_t len, struct sentry_dsn *out);

/* Whose event it is. */
struct sentry_source {
	const char *service, *release, *environment;
	char host[65], build[44];
};

/* Appends the envelope of an INTERNAL answer. */
void sentry_put_internal(
    struct trl_buf *out, const struct sentry_source *source, const trl_ctx *ctx);
/* The same of a crash; its event's id comes of the file, so that one that was sent
 * twice is one. */
void sentry_put_crash(struct trl_buf *out, const struct sentry_source *source,
    const char *file, const struct trl_crash *crash);
/* The place of an error as it groups: without what differs between build folders. */
const char *sentry_place(const char *file);
/* The same text without what may be somebody's: "*" for what stands in quotes or behind
 * an equals sign, and for words with an at sign or many digits. */
void sentry_scrub(char *out, size_t room, const char *text);

/* What may be sent when. */
enum { SENTRY_A_MINUTE = 20, SENTRY_SAME_A_MINUTE = 5 };
struct sentry_limits {
	uint64_t minute_us; /* when the minute began; 0: none has */
	unsigned n;
	struct {
		const char *file;
		int line;
		unsigned n;
	} same[SENTRY_A_MINUTE];
	size_t n_same;
	uint64_t silent_until_us; /* as Sentry asks */
};
/* Whether one more event of this place may be sent now; it then counts. */
bool sentry_limits_take(
    struct sentry_limits *limits, uint64_t now_us, const char *file, int line);
/* What an answer asks for
 * (https://develop.sentry.dev/sdk/foundations/transport/rate-limiting/). True: not to
 * be asked again for a time. */
bool sentry_limits_note(struct sentry_limits *limits, uint64_t now_us, unsigned status,
    const char *header, uint32_t retry_after_s);
