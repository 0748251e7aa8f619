/* origin.c - whose pages may read answers and write with the cookie: those of this
 * server as people call it (TRELLIS_PUBLIC_URL), and those of the allow-list. An origin
 * is compared whole, as the browser said it. The Host field is no witness behind a
 * proxy, which may write it anew, nor of the scheme, which it does not hold: a page
 * that somebody slipped in over plain http would pass for ours. */
#include <string.h>
#include <strings.h>

#include "edge.h"

static const char between[] = ", ";

void
edge_origins_read(struct edge *self)
{
	const char *at = self->config->origins;
	char one[TRL_ORIGIN_MAX];

	if (!trl_origin_read(self->config->public_url, self->origin))
		self->origin[0] = '\0'; /* then no page is ours */
	self->tls = strncmp(self->origin, "https:", 6) == 0;
	for (at += strspn(at, between); *at && self->n_origins < EDGE_ORIGINS_MAX;
	     at += strspn(at, between)) {
		const size_t len = strcspn(at, between);

		if (len < sizeof one) {
			memcpy(one, at, len);
			one[len] = '\0';
			if (trl_origin_read(one, self->origins[self->n_origins]))
				self->n_origins++;
		}
		at += len;
	}
}

/* Without TLS this is a machine of developers: it may be called by any of its names
 * and ports, so what its own pages ask has one name in Origin and Host. */
static bool
is_ours(
    const struct edge *self, const struct trl_http_request *http, const char *origin)
{
	if (*origin && strcmp(self->origin, origin) == 0)
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
