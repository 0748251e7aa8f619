/* words.h - the words of each kind of message: built-in ones, from the folders words/
 * of all services, and an organisation's own in their place. Known within this folder.
 */
#pragma once

#include <stddef.h>

struct notify_words {
	const char *kind, *locale;
	const char *subject, *summary, *action; /* action NULL: no button */
	const char *text, *html;
};

/* Made by embed.py; rising by kind and locale. */
extern const struct notify_words notify_words_built_in[];
extern const size_t notify_words_built_in_count;

enum { NOTIFY_LOCALES = 4 }; /* that one is sought under */

/* Where words for a locale are sought: "de-AT", "de", "en"; NULL-ended. Texts lie in
 * buffer. locale may be NULL. */
void notify_locales(
    const char *locale, char buffer[64], const char *out[NOTIFY_LOCALES]);
/* NULL: there are none in that very locale. */
const struct notify_words *notify_words_of(const char *kind, const char *locale);
