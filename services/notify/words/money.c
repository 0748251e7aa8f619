/* money.c - amounts in words: the number as the reader's language writes it, and the
 * currency by its code, which everybody reads alike. */
#include <string.h>

#include <trl/money.h>

#include "words/template.h"

/* Those of CLDR whose default decimal sign is a comma. */
static const char comma[] =
    " af az be bg bs ca cs da de el es et eu fi fo fr gl hr hu hy id is it ka kk ky lt "
    "lv mk nb nl nn no pl pt ro ru sk sl sq sr sv tr uk uz vi ";

bool
notify_has_comma(const char *locale)
{
	const size_t len = locale ? strcspn(locale, "-") : 0;
	char word[8] = " ";

	if (len < 2 || len > 3)
		return false;
	memcpy(word + 1, locale, len);
	strcat(word, " ");
	return strstr(comma, word) != NULL;
}

void
notify_value_add_money(trl_arena *arena, struct notify_value *parent, const char *name,
    int64_t minor, const char *code)
{
	static const char space[] = "\u00a0";
	const struct trl_currency *currency = trl_currency_of(code);
	char digits[32], text[128], *to = text; /* a space takes two bytes */
	size_t whole;

	if (!currency)
		return;
	trl_money_write(minor, currency, digits, sizeof digits);
	whole = strcspn(digits, ".");
	for (size_t i = 0; digits[i]; i++) {
		const size_t left = whole - i;

		if (i > 0 && i < whole && left % 3 == 0 && digits[i - 1] != '-' &&
		    whole > 4)
			to = stpcpy(to, space);
		*to++ = digits[i];
	}
	stpcpy(stpcpy(to, space), currency->code);
	notify_value_add_text(arena, parent, name, trl_arena_strdup(arena, text));
	parent->last->decimal = true;
}
