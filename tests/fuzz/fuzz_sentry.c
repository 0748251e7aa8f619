/* What comes from outside to what tells a Sentry: its answer's limits, a DSN, and words
 * of errors that are to lose what may be somebody's. */
#include <stdint.h>
#include <string.h>

#include <trl/arena.h>

#include "sentry_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "60:", "error", "default;error", ":organization",
	",", ";", ":", "1e9", "nan", "inf", "-1", "0x10", "https://", "http://", "key",
	"@", "/", "/42", "\"", "'", "=(", ")", "ada@example.com", "0123456789", " ",
	"[::1]", NULL };

static void
check_limits(const char *text)
{
	struct sentry_limits limits = { 0 };
	bool silent = sentry_limits_note(&limits, 1, 429, text, 0);

	trl_assert(limits.silent_until_us <= 1 + 86400ull * 1000000);
	trl_assert(silent == (limits.silent_until_us > 1));
}

static void
check_dsn(const char *text, size_t len)
{
	struct sentry_dsn dsn;

	if (sentry_dsn_read(text, len, &dsn) != NULL)
		return;
	trl_assert(dsn.key[0] != '\0' && strpbrk(dsn.key, " \r\n\"@") == NULL);
	trl_assert(strpbrk(dsn.url, " \r\n\"@?#") == NULL);
	trl_assert(strstr(dsn.url, "/api/") != NULL);
}

/* In any room it ends, and no address is left. */
static void
check_words(const char *text)
{
	char out[300];

	for (size_t room = 1; room <= sizeof out; room += 13) {
		memset(out, 'x', sizeof out);
		sentry_scrub(out, room, text);
		trl_assert(memchr(out, '\0', room) != NULL);
	}
	trl_assert(strchr(out, '@') == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_arena *arena = trl_arena_new(0);
	char *text = trl_arena_strndup(arena, (const char *)data, len);

	check_limits(text);
	check_dsn((const char *)data, len);
	check_words(text);
	trl_arena_free(&arena);
	return 0;
}
