/* locale.c - see locale.h. The table follows Unicode's CLDR (release 48: decimal and
 * group, where a currency's code and the percent sign stand, the order of a date), but
 * that a date's day and month are as its invoices usually have them, and that thousands
 * are always apart, as in books, where CLDR leaves four digits whole in some languages.
 */
#include "pdf/locale.h"

#include <stdio.h>
#include <string.h>

#include <trl/date.h>

#define NBSP "\xc2\xa0"
#define NARROW "\xe2\x80\xaf" /* French groups */
#define APOSTROPHE "\xe2\x80\x99"
#define LRM "\xe2\x80\x8e"

/* Dates: d and m have no zero before them, D and M have; B is a month's English name;
 * Y the year. */
#define EN_DATE "d B Y"
#define ISO_DATE "Y-M-D"

static const struct row {
	const char *tag; /* a language, or one with its region */
	const char *decimal, *group, *date;
	bool code_first, percent_near;
} rows[] = {
	{ "en", ".", ",", EN_DATE, true, true },
	{ "en-US", ".", ",", "B d, Y", true, true },
	{ "ar", ".", ",", "D/M/Y", false, true },
	{ "bg", ",", NBSP, "d.M.Y", false, true },
	{ "ca", ",", ".", "d/m/Y", false, false },
	{ "cs", ",", NBSP, "d. m. Y", false, false },
	{ "da", ",", ".", "d.m.Y", false, false },
	{ "de", ",", ".", "D.M.Y", false, false },
	{ "de-CH", ".", APOSTROPHE, "D.M.Y", true, true },
	{ "de-LI", ".", APOSTROPHE, "D.M.Y", true, true },
	{ "el", ",", ".", "d/m/Y", false, true },
	{ "es", ",", ".", "D/M/Y", false, false },
	{ "es-MX", ".", ",", "D/M/Y", true, true },
	{ "et", ",", NBSP, "d.m.Y", false, true },
	{ "fa", ".", ",", "Y/M/D", true, true },
	{ "fi", ",", NBSP, "d.m.Y", false, false },
	{ "fr", ",", NARROW, "D/M/Y", false, false },
	{ "fr-CA", ",", NBSP, ISO_DATE, false, false },
	{ "fr-CH", ",", NARROW, "D.M.Y", false, true },
	{ "he", ".", ",", "d.m.Y", false, true },
	{ "hi", ".", ",", "d/m/Y", true, true },
	{ "hr", ",", ".", "D. M. Y.", false, false },
	{ "hu", ",", NBSP, "Y. M. D.", false, true },
	{ "id", ",", ".", "D/M/Y", true, true },
	{ "it", ",", ".", "D/M/Y", false, true },
	{ "it-CH", ".", APOSTROPHE, "D.M.Y", true, true },
	{ "ja", ".", ",", "Y年m月d日", true, true },
	{ "ko", ".", ",", "Y년 m월 d일", true, true },
	{ "lt", ",", NBSP, ISO_DATE, false, false },
	{ "lv", ",", NBSP, "D.M.Y.", false, true },
	{ "nb", ",", NBSP, "D.M.Y", false, false },
	{ "nl", ",", ".", "D-M-Y", true, true },
	{ "nn", ",", NBSP, "D.M.Y", false, false },
	{ "no", ",", NBSP, "D.M.Y", false, false },
	{ "pl", ",", NBSP, "D.M.Y", false, true },
	{ "pt", ",", ".", "D/M/Y", true, true },
	{ "pt-PT", ",", NBSP, "D/M/Y", false, true },
	{ "ro", ",", ".", "D.M.Y", false, false },
	{ "ru", ",", NBSP, "D.M.Y", false, false },
	{ "sk", ",", NBSP, "d. m. Y", false, false },
	{ "sl", ",", ".", "d. m. Y", false, false },
	{ "sv", ",", NBSP, ISO_DATE, false, false },
	{ "th", ".", ",", "d/m/Y", true, true },
	{ "tr", ",", ".", "D.M.Y", true, true },
	{ "uk", ",", NBSP, "D.M.Y", false, true },
	{ "ur", ".", ",", "d/m/Y", true, true },
	{ "vi", ",", ".", "D/M/Y", false, true },
	{ "zh", ".", ",", "Y年m月d日", true, true },
};
static const struct row unknown = { "", ".", ",", ISO_DATE, true, true };

static const char *const months[] = { "January", "February", "March", "April", "May",
	"June", "July", "August", "September", "October", "November", "December" };

/* Whether the tag is the row's: the same language and, where the row has one, region. A
 * script between them (zh-Hant-TW) is passed over. */
static bool
is_of(const struct row *row, const char *tag, const char *region)
{
	const size_t language = strcspn(row->tag, "-");

	if (strncasecmp(row->tag, tag, language) != 0 ||
	    (tag[language] != '\0' && tag[language] != '-'))
		return false;
	return row->tag[language] == '\0' ||
	       strcasecmp(row->tag + language + 1, region) == 0;
}

/* The subtag of two letters behind the language; "" where there is none. */
static const char *
region_in(const char *tag, char out[3])
{
	const char *at = tag;

	strcpy(out, "");
	while ((at = strchr(at, '-')) != NULL) {
		const size_t len = strcspn(++at, "-");

		if (len == 2) {
			memcpy(out, at, 2);
			out[2] = '\0';
			break;
		}
	}
	return out;
}

void
locale_of(const char *tag, struct locale *out)
{
	static const char *const rtl[] = { "ar", "fa", "he", "ur" };
	const struct row *found = &unknown;
	char region[3];

	if (!tag || !*tag)
		tag = "und";
	region_in(tag, region);
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (is_of(&rows[i], tag, region))
			found = &rows[i]; /* the row with a region comes last */
	*out = (struct locale){ .decimal = found->decimal,
		.group = found->group,
		.date = found->date,
		.code_first = found->code_first,
		.percent_near = found->percent_near };
	(void)snprintf(out->language, sizeof out->language, "%.*s",
	    (int)strcspn(found->tag, "-"), found->tag);
	for (size_t i = 0; i < TRL_COUNT(rtl); i++)
		out->rtl |= strcmp(out->language, rtl[i]) == 0;
}

/* "-1234.5" of digits in groups of three. */
static char *
localized(const struct locale *locale, trl_arena *arena, const char *plain)
{
	const bool negative = plain[0] == '-';
	const char *digits = plain + negative;
	const size_t whole = strcspn(digits, ".");
	char *out = trl_arena_alloc(arena, 16 + 5 * strlen(plain)), *at = out;

	if (locale->rtl)
		at = stpcpy(at, LRM);
	if (negative)
		*at++ = '-';
	for (size_t i = 0; i < whole; i++) {
		if (i > 0 && (whole - i) % 3 == 0)
			at = stpcpy(at, locale->group);
		*at++ = digits[i];
	}
	if (digits[whole] == '.') {
		at = stpcpy(at, locale->decimal);
		at = stpcpy(at, digits + whole + 1);
	}
	*at = '\0';
	return out;
}

char *
locale_amount(const struct locale *locale, trl_arena *arena, int64_t amount,
    const struct trl_currency *currency)
{
	char plain[64];

	trl_money_write(amount, currency, plain, sizeof plain);
	return localized(locale, arena, plain);
}

char *
locale_money(const struct locale *locale, trl_arena *arena, int64_t amount,
    const struct trl_currency *currency)
{
	const char *text = locale_amount(locale, arena, amount, currency);

	return locale->code_first
		   ? trl_arena_printf(arena, "%s" NBSP "%s", currency->code, text)
		   : trl_arena_printf(arena, "%s" NBSP "%s", text, currency->code);
}

char *
locale_price(const struct locale *locale, trl_arena *arena, const char *minor,
    const struct trl_currency *currency)
{
	char plain[80];
	const char *point;
	size_t places;
	trl_int128 value;

	if (trl_decimal_read(minor, strlen(minor), TRL_PRICE_PLACES, &value))
		return trl_arena_strdup(arena, minor);
	trl_decimal_write(
	    value, TRL_PRICE_PLACES + currency->exponent, plain, sizeof plain - 8);
	point = strchr(plain, '.');
	places = point ? strlen(point + 1) : 0;
	if (!point && currency->exponent > 0)
		strcat(plain, ".");
	for (; places < currency->exponent; places++)
		strcat(plain, "0");
	return localized(locale, arena, plain);
}

char *
locale_decimal(const struct locale *locale, trl_arena *arena, const char *text)
{
	trl_int128 value;
	char plain[80];

	if (trl_decimal_read(text, strlen(text), TRL_PRICE_PLACES, &value))
		return trl_arena_strdup(arena, text);
	trl_decimal_write(value, TRL_PRICE_PLACES, plain, sizeof plain);
	return localized(locale, arena, plain);
}

char *
locale_date(const struct locale *locale, trl_arena *arena, int64_t local_s)
{
	char *out = trl_arena_alloc(arena, 96), *at = out;
	unsigned month, day;
	int64_t year;

	trl_date_of(trl_floor_div(local_s, 86400), &year, &month, &day);
	if (locale->rtl)
		at = stpcpy(at, LRM);
	for (const char *p = locale->date; *p; p++) {
		if (*p == 'Y')
			at += sprintf(at, "%04lld", (long long)year);
		else if (*p == 'M' || *p == 'D')
			at += sprintf(at, "%02u", *p == 'M' ? month : day);
		else if (*p == 'm' || *p == 'd')
			at += sprintf(at, "%u", *p == 'm' ? month : day);
		else if (*p == 'B')
			at = stpcpy(at, months[month - 1]);
		else
			*at++ = *p;
	}
	*at = '\0';
	return out;
}
