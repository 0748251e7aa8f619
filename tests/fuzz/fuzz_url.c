/* A URL that somebody wants called, and behind a line feed the ranges that are allowed.
 * What is let through is a name that no resolver would take for an address, or an
 * address that the guard lets through by itself; and it reads the same when it is
 * written down and read again. */
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>

#include <trl/arena.h>

#include "out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "https://", "http://", "smtp://", "smtps://",
	"127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "10.0.0.1",
	"[::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[fe80::1%25eth0]", "%31",
	"\xef\xbc\x91", "localhost", "example.com", "user:pass@", "@", ":443", ":8443",
	":0", "/", "//", "\\", "?", "#", ".", "..", "%00", "\n10.0.0.0/8", ",fd00::/8",
	"/32", NULL };

static void
check_name(const struct out_url *url)
{
	const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found = NULL;
	struct in_addr v4;

	trl_assert(strpbrk(url->host, "@/\\:?#%[] ,\r\n") == NULL);
	trl_assert(inet_aton(url->host, &v4) == 0);
	trl_assert(getaddrinfo(url->host, NULL, &numeric, &found) != 0);
}

/* As libcurl would call it. */
static void
check_again(const struct out_url *url)
{
	struct out_url again;
	char *text = NULL;

	trl_assert(curl_url_get(url->parsed, CURLUPART_URL, &text, 0) == CURLUE_OK);
	/* Normalising may lengthen it past the limit; nothing else may change. */
	if (strlen(text) <= OUT_URL_MAX) {
		trl_assert(out_url_read(text, url->smtp, &again) == NULL);
		trl_assert(!strcmp(again.host, url->host) && again.port == url->port &&
			   again.literal == url->literal && again.plain == url->plain);
		trl_assert(!memcmp(&again.address, &url->address, sizeof url->address));
		out_url_fini(&again);
	}
	curl_free(text);
}

static void
check(const char *text, bool smtp)
{
	struct out_url url;
	const char *wrong = out_url_read(text, smtp, &url);

	if (wrong != NULL) {
		trl_assert(wrong[0] != '\0' && url.parsed == NULL);
		return;
	}
	trl_assert(url.port != 0 && url.host[0] != '\0');
	if (!url.literal)
		check_name(&url);
	check_again(&url);
	out_url_fini(&url);
}

/* Whoever may be called without a list is public, over TLS, at a usual port. */
static void
check_strict(const char *text)
{
	const trl_http_out strict = { 0 };
	struct out_url url;

	if (trl_http_out_refused(&strict, text) != NULL)
		return;
	trl_assert(out_url_read(text, false, &url) == NULL);
	trl_assert(!url.plain && (url.port == 443 || url.port == 8443 ||
				     url.port == 80 || url.port == 8080));
	if (url.literal)
		trl_assert(out_guard_judge(&strict.guard, &url.address) == OUT_PUBLIC);
	out_url_fini(&url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_arena *arena = trl_arena_new(0);
	char *text = trl_arena_strndup(arena, (const char *)data, len);
	char *allow = strchr(text, '\n');
	trl_http_out some = { 0 };

	if (allow != NULL)
		*allow++ = '\0';
	check(text, false);
	check(text, true);
	check_strict(text);
	if (allow != NULL && out_guard_read(&some.guard, false, allow))
		(void)trl_http_out_refused(&some, text);
	trl_arena_free(&arena);
	return 0;
}
