/* sentry_limits.c - how much is told: our own bound by the minute, and what Sentry asks
 * for. */
#include "sentry_inside.h"

#include <stdlib.h>
#include <string.h>

enum { MINUTE_S = 60, UNSAID_S = 60, LONGEST_S = 86400 };

bool
sentry_limits_take(struct sentry_limits *l, uint64_t now_us, const char *file, int line)
{
	size_t i = 0;

	if (now_us < l->silent_until_us)
		return false;
	if (l->minute_us == 0 || now_us - l->minute_us >= MINUTE_S * 1000000ull) {
		l->minute_us = now_us;
		l->n = 0;
		l->n_same = 0;
	}
	if (l->n == SENTRY_A_MINUTE)
		return false;
	while (i < l->n_same && (l->same[i].file != file || l->same[i].line != line))
		i++;
	if (i == l->n_same) {
		l->same[i].file = file;
		l->same[i].line = line;
		l->same[i].n = 0;
		l->n_same++;
	}
	if (l->same[i].n == SENTRY_SAME_A_MINUTE)
		return false;
	l->same[i].n++;
	l->n++;
	return true;
}

/* Whether a list "default;error;security" is about events, ours among them. */
static bool
is_about_us(const char *list, size_t len)
{
	static const char ours[] = "error";

	if (len == 0)
		return true;
	for (const char *at = list, *end = list + len; at < end;) {
		const char *stop = memchr(at, ';', (size_t)(end - at));
		size_t n = (size_t)((stop != NULL ? stop : end) - at);

		if (n == sizeof ours - 1 && memcmp(at, ours, n) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

/* One limit: "2700:default;error:organization:reason". Seconds; 0: not for us. */
static uint64_t
read_limit(const char *text, size_t len)
{
	char one[256], *colon, *end;
	double seconds;
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < sizeof one; i++)
		if (text[i] != ' ' && text[i] != '\t')
			one[n++] = text[i];
	one[n] = '\0';
	colon = strchr(one, ':');
	seconds = strtod(one, &end);
	if (colon == NULL || end != colon || colon == one || !(seconds > 0) ||
	    !is_about_us(colon + 1, strcspn(colon + 1, ":")))
		return 0;
	return seconds > LONGEST_S ? LONGEST_S : (uint64_t)seconds + 1;
}

bool
sentry_limits_note(struct sentry_limits *l, uint64_t now_us, unsigned status,
    const char *header, uint32_t retry_after_s)
{
	uint64_t seconds = 0;

	if (header[0] != '\0') {
		for (const char *at = header; *at != '\0'; at += *at == ',') {
			size_t len = strcspn(at, ",");
			uint64_t asked = read_limit(at, len);

			seconds = asked > seconds ? asked : seconds;
			at += len;
		}
	} else if (status == 429) {
		seconds = retry_after_s != 0 ? retry_after_s : UNSAID_S;
	}
	if (seconds != 0 && now_us + seconds * 1000000 > l->silent_until_us)
		l->silent_until_us = now_us + seconds * 1000000;
	return now_us < l->silent_until_us;
}
