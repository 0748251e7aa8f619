/* origin.c - see origin.h. What a browser would say otherwise than it stands here is
 * refused and not mended, but for case and port: an origin that never matches is found
 * by nobody. */
#include <trl/origin.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

enum { HOST_MAX = 253, LABEL_MAX = 63 }; /* RFC 1035, 2.3.4 */

/* Labels of letters, digits, hyphens and underscores, with dots between them. */
static size_t
name_len(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = 0;

	for (;;) {
		size_t label = strspn(host + len, allowed);

		if (label == 0 || label > LABEL_MAX)
			return 0;
		len += label;
		if (len > HOST_MAX)
			return 0;
		if (host[len] != '.')
			return len;
		len++;
	}
}

/* An IPv6 address in brackets, RFC 3986, 3.2.2. */
static size_t
bracketed_len(const char *host)
{
	const char *end = strchr(host, ']');
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	size_t len;

	if (!end || (len = (size_t)(end - host) - 1) >= sizeof address)
		return 0;
	memcpy(address, host + 1, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1 ? len + 2 : 0;
}

/* Whether there is none, or a good one: *at is behind it then. */
static bool
read_port(const char **at, unsigned *port)
{
	const char *p = *at;
	size_t n;

	if (*p != ':')
		return true;
	p++;
	n = strspn(p, "0123456789");
	if (n == 0 || n > 5)
		return false;
	for (*port = 0; n > 0; n--)
		*port = *port * 10 + (unsigned)(*p++ - '0');
	*at = p;
	return *port > 0 && *port <= UINT16_MAX;
}

const char *
trl_origin_read(const char *url, char out[TRL_ORIGIN_MAX])
{
	const bool tls = strncasecmp(url, "https://", 8) == 0;
	const unsigned usual = tls ? 443 : 80;
	const char *host = url + (tls ? 8 : 7), *rest;
	unsigned port = usual;
	size_t len, at;

	if (!tls && strncasecmp(url, "http://", 7) != 0)
		return NULL;
	len = *host == '[' ? bracketed_len(host) : name_len(host);
	rest = host + len;
	if (len == 0 || !read_port(&rest, &port) || (*rest && !strchr("/?#", *rest)))
		return NULL;
	at = (size_t)snprintf(out, TRL_ORIGIN_MAX, "%s", tls ? "https://" : "http://");
	for (size_t i = 0; i < len; i++)
		out[at++] = (char)tolower((unsigned char)host[i]);
	out[at] = '\0';
	if (port != usual)
		(void)snprintf(out + at, TRL_ORIGIN_MAX - at, ":%u", port);
	return rest;
}
