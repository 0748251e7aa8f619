/* The words of invoices: all there, in all languages, with the same places for values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "invoice/texts.h"

static const char *const locales[] = { "en", "de", "fr", "es", "it", "nl", "pl", "pt",
	"ja", "ar" };

enum { N = sizeof locales / sizeof locales[0] };

static void
every_phrase_is_there_in_every_language(void **state)
{
	(void)state;
	for (int which = 0; which < TEXTS; which++) {
		const char *english = text_of(which, "en");

		for (size_t i = 0; i < N; i++) {
			const char *text = text_of(which, locales[i]);

			if (!text || !*text ||
			    !strstr(text, "{1}") != !strstr(english, "{1}") ||
			    !strstr(text, "{2}") != !strstr(english, "{2}"))
				fail_msg("%s in %s: %s", english, locales[i], text);
		}
	}
}

static void
sentences_differ_by_language(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
			    text_of(TEXT_REVERSE_CHARGE, locales[i]),
			    text_of(TEXT_REVERSE_CHARGE, locales[j]));
}

static void
a_locale_falls_back_to_its_language_and_that_to_english(void **state)
{
	static const struct {
		const char *locale, *want;
	} rows[] = { { NULL, "Invoice" }, { "", "Invoice" }, { "de-AT", "Rechnung" },
		{ "pt-BR", "Fatura" }, { "zh-Hant-TW", "Invoice" }, { "d", "Invoice" },
		{ "deu", "Invoice" }, { "ar-EG", "فاتورة" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(
		    text_of(TEXT_INVOICE, rows[i].locale), rows[i].want);
	assert_true(text_is_rtl("ar-EG"));
	assert_false(text_is_rtl("he")); /* whose words are English */
	assert_false(text_is_rtl(NULL));
}

static void
values_stand_where_the_language_has_them(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(
	    text_fill(out, sizeof out, TEXT_PAGE, "ja", "2", "5"), "2 / 5 ページ");
	assert_string_equal(
	    text_fill(out, sizeof out, TEXT_TAX_RATE, "de", "7.5", NULL),
	    "Steuer 7.5 %");
	assert_string_equal(text_fill(out, sizeof out, TEXT_UNUSED, NULL, "{2}", NULL),
	    "Unused time: {2}");
	assert_string_equal(
	    text_fill(out, sizeof out, TEXT_UNUSED, NULL, NULL, NULL), "Unused time: ");
}

static void
what_is_too_long_is_cut_between_characters(void **state)
{
	char out[8];

	(void)state;
	assert_string_equal(
	    text_fill(out, sizeof out, TEXT_INVOICE, "ja", NULL, NULL), "請求");
	assert_string_equal(
	    text_fill(out, sizeof out, TEXT_CREDIT_OF, "en", "Team", NULL), "Credit:");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_phrase_is_there_in_every_language),
		cmocka_unit_test(sentences_differ_by_language),
		cmocka_unit_test(
		    a_locale_falls_back_to_its_language_and_that_to_english),
		cmocka_unit_test(values_stand_where_the_language_has_them),
		cmocka_unit_test(what_is_too_long_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
