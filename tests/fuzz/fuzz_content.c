/* What anybody may say of the bytes that they want: its first byte says which header
 * field it is, or that it is a file's name or a signed path. Parts lie within the whole
 * and are no more than it, a name is one plain line with two quotes, and nothing has
 * our signature. */
#include <stdint.h>
#include <string.h>

#include <trl/arena.h>
#include <trl/compiler.h>
#include <trl/disposition.h>

#include "content/condition.h"
#include "content/range.h"
#include "link/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "bytes=", "0-0", ",", "-5", "0-", "-",
	"18446744073709551615", "4294967296", " ", "W/", "\"a\"", "\"", "*",
	"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
	"Sun Nov  6 08:49:37 1994", "GMT", "\r\n", "..", "/", "\\", "%", "\xe2\x80\xae",
	"\xc3\xa9", "\xff", "/-/-", "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21", NULL };

static void
check_range(const char *text, uint64_t size)
{
	struct content_span spans[CONTENT_SPANS_MAX];
	uint64_t left = size;
	size_t n = 0;

	if (content_range_read(text, size, spans, &n) != CONTENT_SPANS)
		return;
	trl_assert(n > 0 && n <= CONTENT_SPANS_MAX);
	for (size_t i = 0; i < n; i++) {
		trl_assert(spans[i].first <= spans[i].last && spans[i].last < size);
		trl_assert(spans[i].last - spans[i].first < left);
		left -= spans[i].last - spans[i].first + 1;
	}
}

static void
check_conditions(const char *text)
{
	const struct content_conditions each[] = { { .if_match = text },
		{ .if_none_match = text }, { .if_range = text },
		{ .if_modified_since = text }, { .if_unmodified_since = text } };
	int64_t seconds = 0;

	for (size_t i = 0; i < TRL_COUNT(each); i++)
		(void)content_judge(&each[i], "\"a\"", 784111777);
	if (content_date_read(text, &seconds)) /* of the years 1 to 9999 */
		trl_assert(seconds > INT64_C(-62135596801) &&
			   seconds <= INT64_C(253402300800));
}

static void
check_name(trl_arena *arena, const char *name)
{
	const char *text = trl_disposition(arena, name, false);
	size_t quotes = 0;

	trl_assert(strlen(text) < 1200);
	for (; *text; text++) {
		trl_assert(*text >= ' ' && *text <= '~' && *text != '\\');
		quotes += *text == '"';
	}
	trl_assert(quotes == (*name ? 2 : 0));
}

static void
check_path(trl_arena *arena, const char *text)
{
	static const uint8_t seal_key[32] = { 7 };
	const char *parts[7];
	struct link_claim claim;
	link_keys *keys = NULL;
	char *save = NULL, *at = trl_arena_strdup(arena, text);

	for (size_t i = 0; i < TRL_COUNT(parts); i++) {
		const char *part = strtok_r(i ? NULL : at, "/", &save);

		parts[i] = part ? part : "";
	}
	trl_assert(link_keys_read(NULL, seal_key, &keys));
	trl_assert(!link_read(keys,
	    &(const struct link_path){
		parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6] },
	    &claim));
	link_keys_free(&keys);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_arena *arena;
	const char *text;
	uint64_t size = 0;

	if (len < 1 + sizeof size || len > 20000)
		return 0;
	arena = trl_arena_new(0);
	memcpy(&size, data + 1, sizeof size);
	text = trl_arena_strndup(
	    arena, (const char *)data + 1 + sizeof size, len - 1 - sizeof size);
	switch (data[0] % 4) {
	case 0:
		check_range(text, data[0] & 4 ? size : size % 100);
		break;
	case 1:
		check_conditions(text);
		break;
	case 2:
		check_name(arena, text);
		break;
	default:
		check_path(arena, text);
	}
	trl_arena_free(&arena);
	return 0;
}
