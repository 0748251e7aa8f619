/* url.c - where Redis is: redis://[[user]:password@]host[:port][/db] or
 * unix:/path[?db=n]. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

static char *
copy(const char *s, size_t n)
{
	char *p = strndup(s, n);

	trl_assert(p);
	return p;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *
decoded(const char *s, size_t n)
{
	char *text = copy(s, n), *to = text;

	for (const char *p = text; *p; p++) {
		if (*p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
			*to++ = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return text;
}

static bool
number(const char *text, long max, int *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > max)
		return false;
	*out = (int)n;
	return true;
}

static bool
unix_form(const char *text, struct trl_redis_url *url)
{
	const char *query = strchr(text, '?');

	url->path = copy(text, query ? (size_t)(query - text) : strlen(text));
	if (url->path[0] != '/')
		return false;
	return !query ||
	       (!strncmp(query, "?db=", 4) && number(query + 4, 9999, &url->db));
}

static bool
tcp_form(const char *text, struct trl_redis_url *url)
{
	const char *slash = strchr(text, '/');
	const char *end = slash ? slash : text + strlen(text);
	const char *at = memrchr(text, '@', (size_t)(end - text));
	const char *host = at ? at + 1 : text, *colon, *host_end;
	char *port;
	bool ok = true;

	if (at) {
		colon = memchr(text, ':', (size_t)(at - text));
		if (!colon)
			return false;
		if (colon > text)
			url->user = decoded(text, (size_t)(colon - text));
		url->password = decoded(colon + 1, (size_t)(at - colon - 1));
	}
	host_end = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : host;
	if (!host_end)
		return false;
	colon = memchr(host_end, ':', (size_t)(end - host_end));
	host_end = colon ? colon : end;
	if (*host == '[')
		url->host = copy(host + 1, (size_t)(host_end - host - 2));
	else
		url->host = copy(host, (size_t)(host_end - host));
	url->port = 6379;
	if (colon) {
		port = copy(colon + 1, (size_t)(end - colon - 1));
		ok = number(port, 65535, &url->port);
		free(port);
	}
	if (ok && slash && slash[1])
		ok = number(slash + 1, 9999, &url->db);
	return ok && url->host[0];
}

bool
trl_redis_url_parse(const char *text, struct trl_redis_url *url)
{
	bool ok = false;

	memset(url, 0, sizeof *url);
	if (!strncmp(text, "unix:", 5))
		ok = unix_form(text + 5, url);
	else if (!strncmp(text, "redis://", 8))
		ok = tcp_form(text + 8, url);
	if (!ok) {
		trl_complain(
		    "TRELLIS_REDIS_URL should be redis://[:password@]host:port/db or "
		    "unix:/path[?db=n].");
		trl_redis_url_fini(url);
	}
	return ok;
}

bool
trl_redis_check_url(const char *text)
{
	struct trl_redis_url url;
	bool ok = trl_redis_url_parse(text, &url);

	trl_redis_url_fini(&url);
	return ok;
}

void
trl_redis_url_fini(struct trl_redis_url *url)
{
	free(url->path);
	free(url->host);
	free(url->user);
	free(url->password);
	memset(url, 0, sizeof *url);
}
