/* A look over the text before jansson parses it: jansson's own bound of depth is
 * 2,048, more than an actor's stack holds. It also tells the words for numbers that
 * JSON does not have from plain nonsense. */
#include <string.h>

#include "private.h"

enum { DEPTH_MAX = 32 };

static bool
is_word(const char *text, size_t left, const char *word)
{
	size_t len = strlen(word);

	return left >= len && memcmp(text, word, len) == 0;
}

const char *
json_scan(const char *text, size_t len, enum trl_code *code)
{
	unsigned depth = 0;
	bool quoted = false;

	*code = TRL_MALFORMED;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return "The text begins with a byte order mark.";
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > DEPTH_MAX)
				return "The text is nested more than 32 deep.";
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (is_word(text + i, len - i, "NaN") ||
			   is_word(text + i, len - i, "Infinity")) {
			*code = TRL_INVALID;
			return "NaN and Infinity are no numbers of JSON.";
		}
	}
	return NULL;
}
