/* sentry_dsn.c - a DSN taken apart, strictly: one that is wrong sends nothing, ever. */
#include "sentry_inside.h"

#include <stdio.h>
#include <string.h>

#include <trl/sender.h>

enum { DSN_MAX = 512, PROJECT_MAX = 20 };

#define DIGITS "0123456789"
#define WORDS DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

static const char *
read_key(const char *from, const char *at, struct sentry_dsn *out)
{
	size_t n = strspn(from, WORDS);
	const char *rest = from + n;

	if (n == 0 || n >= sizeof out->key)
		return "has no public key before the @";
	if (*rest == ':') /* a secret of old */
		rest += 1 + strspn(rest + 1, WORDS);
	if (rest != at)
		return "has a key with characters that no key has";
	memcpy(out->key, from, n);
	out->key[n] = '\0';
	return NULL;
}

const char *
sentry_dsn_read(const char *dsn, size_t len, struct sentry_dsn *out)
{
	char text[DSN_MAX + 1], *scheme_end, *at, *project;
	const char *why;

	while (len > 0 && (dsn[len - 1] == '\n' || dsn[len - 1] == '\r'))
		len--;
	if (len > DSN_MAX || memchr(dsn, '\0', len) != NULL)
		return "is longer than a DSN";
	memcpy(text, dsn, len);
	text[len] = '\0';
	scheme_end = strstr(text, "://");
	if (scheme_end == NULL ||
	    (strncmp(text, "https:", 6) != 0 && strncmp(text, "http:", 5) != 0))
		return "does not begin with https:// or http://";
	at = strchr(text, '@');
	if (at == NULL)
		return "has no public key before the @";
	why = read_key(scheme_end + 3, at, out);
	if (why != NULL)
		return why;
	if (at[1 + strspn(at + 1, WORDS "-.~:/[]")] != '\0')
		return "has characters behind the host that no DSN has";
	project = strrchr(at, '/');
	if (project == NULL || project[1] == '\0' ||
	    strlen(project + 1) > PROJECT_MAX ||
	    project[1 + strspn(project + 1, DIGITS)] != '\0')
		return "has no project number at its end";
	*project = '\0';
	snprintf(out->url, sizeof out->url, "%.*s://%s/api/%s/envelope/",
	    (int)(scheme_end - text), text, at + 1, project + 1);
	return trl_sender_refused(out->url);
}
