/* words.c - finding the words of a kind in a person's language, or the nearest. */
#include "words/words.h"

#include <string.h>

void
notify_locales(const char *locale, char buffer[64], const char *out[NOTIFY_LOCALES])
{
	size_t n = 0, len = locale ? strlen(locale) : 0, language;

	if (len > 0 && len < 40) {
		memcpy(buffer, locale, len + 1);
		out[n++] = buffer;
		language = strcspn(locale, "-_");
		if (language < len) {
			memcpy(buffer + len + 1, locale, language);
			buffer[len + 1 + language] = '\0';
			out[n++] = buffer + len + 1;
		}
	}
	if (n == 0 || strcmp(out[n - 1], "en") != 0)
		out[n++] = "en";
	out[n] = NULL;
}

const struct notify_words *
notify_words_of(const char *kind, const char *locale)
{
	for (size_t i = 0; i < notify_words_built_in_count; i++)
		if (strcmp(notify_words_built_in[i].kind, kind) == 0 &&
		    strcmp(notify_words_built_in[i].locale, locale) == 0)
			return &notify_words_built_in[i];
	return NULL;
}
