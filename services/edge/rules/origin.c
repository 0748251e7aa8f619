/* origin.c - whose pages may read answers and write with the cookie: those of this
 * server as people call it (TRELLIS_PUBLIC_URL), and those of the allow-list. An origin
 * is compared whole, as the browser said it. The Host field is no witness behind a
 * proxy, which may write it anew, nor of the scheme, which it does not hold: a page
 * that somebody slipped in over plain http would pass for ours. */
#include <string.h>
#include <strings.h>

#include <trl/complain.h>

#include "rules/rules.h"

/* The length of a list's next one, at *at; 0: there is none. */
static size_t
find_next(const char **at)
{
	static const char between[] = ", ";

	*at += strspn(*at, between);
	return strcspn(*at, between);
}

/* Writes one of the list as browsers say it. False: it is not just an origin. */
static bool
read_one(const char *text, size_t len, char out[TRL_ORIGIN_MAX])
{
	char one[TRL_ORIGIN_MAX], origin[TRL_ORIGIN_MAX];
	const char *rest;

	if (len >= sizeof one)
		return false;
	memcpy(one, text, len);
	one[len] = '\0';
	rest = trl_origin_read(one, origin);
	if (!rest || *rest)
		return false;
	strcpy(out, origin);
	return true;
}

static bool
check_public_url(const char *url)
{
	char origin[TRL_ORIGIN_MAX];

	if (trl_origin_read(url, origin))
		return true;
	trl_complain("TRELLIS_PUBLIC_URL=%s is not a URL at which browsers can "
		     "reach this server; write one such as https://app.example.",
	    url);
	return false;
}

bool
edge_check_config(const void *values)
{
	const struct edge_config *config = values;
	bool fine = check_public_url(config->public_url);
	const char *at = config->origins;
	char origin[TRL_ORIGIN_MAX];
	size_t len, n;

	for (n = 0; (len = find_next(&at)) > 0; n++, at += len) {
		if (read_one(at, len, origin))
			continue;
		trl_complain(
		    "TRELLIS_CORS_ORIGINS: %.*s is not an origin; write each as "
		    "https://app.example or http://127.0.0.1:3000, with "
		    "nothing after host and port.",
		    (int)(len < TRL_ORIGIN_MAX ? len : TRL_ORIGIN_MAX), at);
		fine = false;
	}
	if (n <= EDGE_ORIGINS_MAX)
		return fine;
	trl_complain("TRELLIS_CORS_ORIGINS names %zu origins; write at most %d.", n,
	    EDGE_ORIGINS_MAX);
	return false;
}

void
edge_origins_read(struct edge *self)
{
	const char *at = self->config->origins;
	size_t len;

	trl_assert(trl_origin_read(self->config->public_url, self->origin));
	self->tls = strncmp(self->origin, "https:", 6) == 0;
	for (; (len = find_next(&at)) > 0; at += len) {
		trl_assert(self->n_origins < EDGE_ORIGINS_MAX &&
			   read_one(at, len, self->origins[self->n_origins]));
		self->n_origins++;
	}
}

/* Without TLS this is a machine of developers: it may be called by any of its names
 * and ports, so what its own pages ask has one name in Origin and Host. */
static bool
is_ours(
    const struct edge *self, const struct trl_http_request *http, const char *origin)
{
	if (strcmp(self->origin, origin) == 0)
		return true;
	return !self->tls && strncmp(origin, "http://", 7) == 0 && *http->host &&
	       strcasecmp(origin + 7, http->host) == 0;
}

bool
edge_origin_allowed(
    const struct edge *self, const struct trl_http_request *http, const char *origin)
{
	size_t i;

	if (is_ours(self, http, origin))
		return true;
	for (i = 0; i < self->n_origins; i++)
		if (strcmp(self->origins[i], origin) == 0)
			return true;
	return false;
}
