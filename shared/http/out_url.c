/* out_url.c - URLs that may be called. They are taken apart by libcurl's own parser,
 * and what it made of them is what is called later, so that no second reading can see
 * another host. It writes the odd forms of an IPv4 address (0x7f.1, 2130706433) as the
 * usual one; a host that still ends like a number and is no address is refused. */
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

static bool
get(CURLU *parsed, CURLUPart part, char *out, size_t size)
{
	char *text = NULL;
	bool fits;

	if (curl_url_get(parsed, part, &text, 0) != CURLUE_OK)
		return false;
	fits = strlen(text) < size;
	if (fits)
		strcpy(out, text);
	curl_free(text);
	return fits;
}

static bool
has(CURLU *parsed, CURLUPart part)
{
	char *text = NULL;
	bool there = curl_url_get(parsed, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return there;
}

/* Letters, digits, hyphens, underscores in labels of 1 to 63 (RFC 1035, 2.3.1), and
 * a last one that is no number (as the WHATWG's URL Standard has it). */
static bool
is_name(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *label = host;

	for (;;) {
		size_t len = strspn(label, allowed);

		if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
			return false;
		if (label[len] == '\0')
			break;
		if (label[len] != '.')
			return false;
		label += len + 1;
	}
	return strspn(label, "0123456789") != strlen(label) &&
	       strncasecmp(label, "0x", 2) != 0;
}

static const char *
read_host(struct out_url *url)
{
	char host[OUT_HOST_MAX + 3];
	size_t len;

	if (!get(url->parsed, CURLUPART_HOST, host, sizeof host))
		return "the URL has no host, or one that is too long";
	len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
		url->literal = inet_pton(AF_INET6, host, &url->address) == 1;
		if (!url->literal || has(url->parsed, CURLUPART_ZONEID))
			return "the host is no IPv6 address";
	} else {
		struct sockaddr_in v4 = { .sin_family = AF_INET };

		url->literal = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
		if (url->literal)
			(void)out_address_of((struct sockaddr *)&v4, &url->address);
		else if (strlen(host) > OUT_HOST_MAX || !is_name(host))
			return "the host is neither a name nor an address (a name with "
			       "other letters is written in its xn-- form)";
	}
	strcpy(url->host, host);
	return NULL;
}

static const char *
read_scheme(struct out_url *url, bool smtp)
{
	char scheme[16];

	if (!get(url->parsed, CURLUPART_SCHEME, scheme, sizeof scheme))
		return "the URL has no scheme";
	url->smtp = smtp;
	url->plain = !strcmp(scheme, smtp ? "smtp" : "http");
	if (!url->plain && strcmp(scheme, smtp ? "smtps" : "https") != 0)
		return smtp ? "the URL is neither smtp:// nor smtps://"
			    : "the URL is neither https:// nor http://";
	return NULL;
}

static const char *
read_parts(const char *text, bool smtp, struct out_url *url)
{
	char port[8], *end;
	char *number = NULL;
	const char *wrong, *colon;

	if (strlen(text) > OUT_URL_MAX)
		return "the URL is longer than 2,048 characters";
	/* libcurl bears one slash and three. */
	colon = strchr(text, ':');
	if (colon == NULL || strncmp(colon, "://", 3) != 0 || colon[3] == '/' ||
	    curl_url_set(url->parsed, CURLUPART_URL, text, 0) != CURLUE_OK)
		return "this is not a URL";
	wrong = read_scheme(url, smtp);
	if (wrong != NULL)
		return wrong;
	if (has(url->parsed, CURLUPART_USER) || has(url->parsed, CURLUPART_PASSWORD))
		return "the URL holds a user or a password";
	if (has(url->parsed, CURLUPART_FRAGMENT))
		return "the URL holds a fragment (#...)";
	wrong = read_host(url);
	if (wrong != NULL)
		return wrong;
	if (curl_url_get(url->parsed, CURLUPART_PORT, &number, CURLU_DEFAULT_PORT) !=
		CURLUE_OK ||
	    strlen(number) >= sizeof port)
		wrong = "the URL's port is none";
	else
		strcpy(port, number);
	curl_free(number);
	if (wrong != NULL)
		return wrong;
	url->port = (uint16_t)strtoul(port, &end, 10);
	return url->port == 0 ? "the URL's port is none" : NULL;
}

const char *
out_url_read(const char *text, bool smtp, struct out_url *url)
{
	const char *wrong;

	*url = (struct out_url){ .parsed = curl_url() };
	trl_assert(url->parsed != NULL);
	wrong = read_parts(text, smtp, url);
	if (wrong != NULL)
		out_url_fini(url);
	return wrong;
}

void
out_url_fini(struct out_url *url)
{
	curl_url_cleanup(TRL_TAKE(url->parsed));
}

/* What holds for public addresses. */
static const char *
refused_in_public(const struct out_url *url)
{
	if (url->smtp)
		return NULL;
	if (url->plain)
		return "http:// is not allowed here; use https://";
	if (url->port != 80 && url->port != 443 && url->port != 8080 &&
	    url->port != 8443)
		return "the port is none of 443, 8443, 80 and 8080";
	return NULL;
}

const char *
out_url_refused_at(const struct out_guard *guard, const struct out_url *url,
    const struct in6_addr *address)
{
	switch (out_guard_judge(guard, address)) {
	case OUT_ALLOWED:
		return NULL;
	case OUT_PUBLIC:
		return refused_in_public(url);
	case OUT_REFUSED:
		break;
	}
	return "the host's address is not a public one";
}

static bool
is_localhost(const char *host)
{
	size_t len = strlen(host);

	return !strcasecmp(host, "localhost") ||
	       (len > 10 && !strcasecmp(host + len - 10, ".localhost"));
}

const char *
trl_http_url_refused(const char *text)
{
	struct out_url url;
	const char *wrong = out_url_read(text, false, &url);

	if (wrong == NULL)
		out_url_fini(&url);
	return wrong;
}

const char *
trl_http_out_refused(const trl_http_out *out, const char *text)
{
	struct out_url url;
	const char *wrong = out_url_read(text, false, &url);

	if (wrong != NULL)
		return wrong;
	if (url.literal)
		wrong = out_url_refused_at(&out->guard, &url, &url.address);
	else if (!out->guard.any && out->guard.n_allow == 0) /* RFC 6761, 6.3 */
		wrong = is_localhost(url.host)
			    ? "the host's address is not a public one"
			    : refused_in_public(&url);
	out_url_fini(&url);
	return wrong;
}
