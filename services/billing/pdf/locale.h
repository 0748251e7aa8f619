/* locale.h - how amounts, decimals and dates are written in a language. Pure. A small
 * table of our own and not the system's locales, which an image does not have and which
 * change with it: an invoice made again must be the same bytes.
 *
 * Digits are the European ones everywhere, so that an amount can be read and looked for
 * by whoever has to pay it; of Arabic, too, where both are in use. A currency is shown
 * by its code (ISO 4217), for a "$" is nobody's in particular. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/arena.h>
#include <trl/money.h>

struct locale {
	const char *decimal, *group;
	const char *date;  /* locale.c says what stands in it */
	bool code_first;   /* EUR 1.00, not 1.00 EUR */
	bool percent_near; /* 20%, not 20 % */
	bool rtl;          /* numbers are marked as written from left to right */
	char language[4];  /* "de" */
};

/* For a language tag (BCP 47: "de-AT"); NULL or an unknown one is written as English,
 * with dates that nobody can misread (2026-12-31). */
void locale_of(const char *tag, struct locale *out);

/* Minor units, "1.234,50"; with its code "1.234,50 EUR". */
char *locale_amount(const struct locale *locale, trl_arena *arena, int64_t amount,
    const struct trl_currency *currency);
char *locale_money(const struct locale *locale, trl_arena *arena, int64_t amount,
    const struct trl_currency *currency);
/* A price, decimal minor units ("0.25"), as major ones with at least the currency's
 * places: "0,0025", "9,00". What is no decimal is given back as it is. */
char *locale_price(const struct locale *locale, trl_arena *arena, const char *minor,
    const struct trl_currency *currency);
/* A decimal as it is: "2,5". */
char *locale_decimal(const struct locale *locale, trl_arena *arena, const char *text);
/* The day of a local time, in seconds since 1970 as if it were UTC. */
char *locale_date(const struct locale *locale, trl_arena *arena, int64_t local_s);
