/* How amounts, prices and days are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pdf/locale.h"
#include "test_arena.h"

#define NB "\xc2\xa0"
#define LRM "\xe2\x80\x8e"
/* 2026-03-01 12:00. */
enum { DAY = 1772366400 };

static void
each_language_has_its_own(void **state)
{
	static const struct {
		const char *tag, *money, *date;
	} rows[] = {
		{ NULL, "EUR" NB "1,234,567.89", "2026-03-01" },
		{ "", "EUR" NB "1,234,567.89", "2026-03-01" },
		{ "xx-YY", "EUR" NB "1,234,567.89", "2026-03-01" },
		{ "en", "EUR" NB "1,234,567.89", "1 March 2026" },
		{ "en-GB", "EUR" NB "1,234,567.89", "1 March 2026" },
		{ "en-US", "EUR" NB "1,234,567.89", "March 1, 2026" },
		{ "EN-us", "EUR" NB "1,234,567.89", "March 1, 2026" },
		{ "de", "1.234.567,89" NB "EUR", "01.03.2026" },
		{ "de-AT", "1.234.567,89" NB "EUR", "01.03.2026" },
		{ "de-CH",
		    "EUR" NB "1\xe2\x80\x99"
		    "234\xe2\x80\x99"
		    "567.89",
		    "01.03.2026" },
		{ "fr",
		    "1\xe2\x80\xaf"
		    "234\xe2\x80\xaf"
		    "567,89" NB "EUR",
		    "01/03/2026" },
		{ "pl", "1" NB "234" NB "567,89" NB "EUR", "01.03.2026" },
		{ "es", "1.234.567,89" NB "EUR", "01/03/2026" },
		{ "es-MX", "EUR" NB "1,234,567.89", "01/03/2026" },
		{ "it", "1.234.567,89" NB "EUR", "01/03/2026" },
		{ "nl", "EUR" NB "1.234.567,89", "01-03-2026" },
		{ "pt", "EUR" NB "1.234.567,89", "01/03/2026" },
		{ "pt-PT", "1" NB "234" NB "567,89" NB "EUR", "01/03/2026" },
		{ "ja", "EUR" NB "1,234,567.89", "2026年3月1日" },
		{ "zh-Hant-TW", "EUR" NB "1,234,567.89", "2026年3月1日" },
		{ "ar", LRM "1,234,567.89" NB "EUR", LRM "01/03/2026" },
		{ "dex", "EUR" NB "1,234,567.89", "2026-03-01" },
	};
	const struct trl_currency *euro = trl_currency_of("EUR");

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		struct locale locale;

		locale_of(rows[i].tag, &locale);
		assert_string_equal(
		    locale_money(&locale, arena, 123456789, euro), rows[i].money);
		assert_string_equal(locale_date(&locale, arena, DAY), rows[i].date);
	}
}

static void
amounts_have_the_places_of_their_currency(void **state)
{
	static const struct {
		const char *currency;
		int64_t amount;
		const char *wanted;
	} rows[] = { { "EUR", 0, "0,00" }, { "EUR", -5, "-0,05" },
		{ "EUR", 100000, "1.000,00" }, { "EUR", -99999, "-999,99" },
		{ "JPY", 1000, "1.000" }, { "KWD", 1234567, "1.234,567" },
		{ "EUR", INT64_MAX, "92.233.720.368.547.758,07" },
		{ "EUR", INT64_MIN, "-92.233.720.368.547.758,08" } };
	struct locale locale;

	(void)state;
	locale_of("de", &locale);
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_string_equal(locale_amount(&locale, arena, rows[i].amount,
					trl_currency_of(rows[i].currency)),
		    rows[i].wanted);
}

static void
prices_are_shown_whole(void **state)
{
	static const struct {
		const char *currency, *minor, *wanted;
	} rows[] = { { "EUR", "900", "9,00" }, { "EUR", "0.25", "0,0025" },
		{ "EUR", "1", "0,01" }, { "EUR", "0", "0,00" },
		{ "EUR", "123456.5", "1.234,565" }, { "JPY", "0.5", "0,5" },
		{ "JPY", "1200", "1.200" },
		{ "EUR", "0.000000000001", "0,00000000000001" },
		{ "EUR", "1,5", "1,5" } /* no decimal: as it is */ };
	struct locale locale;

	(void)state;
	locale_of("de", &locale);
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_string_equal(locale_price(&locale, arena, rows[i].minor,
					trl_currency_of(rows[i].currency)),
		    rows[i].wanted);
	assert_string_equal(locale_decimal(&locale, arena, "12.50"), "12,5");
	assert_string_equal(locale_decimal(&locale, arena, "x"), "x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_language_has_its_own),
		cmocka_unit_test(amounts_have_the_places_of_their_currency),
		cmocka_unit_test(prices_are_shown_whole),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
