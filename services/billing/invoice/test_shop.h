/* test_shop.h - what tests of invoices sell, to whom, and what they look at. */
#pragma once

#include "test_ground.h"

enum { SHOP_HOUR = 3600, SHOP_DAY = 24 * SHOP_HOUR };

/* ground_open with a catalogue of its own. The seller is in Austria and has a VAT id.
 *   team   per seat, EUR: 900 a month, 9000 a year
 *   big    fixed, EUR: 5000 a month
 *   gross  fixed, EUR: 1000 a month with tax in it
 *   book   fixed, EUR: 999 a month, of the tax class "reduced"
 *   tiny   fixed, EUR: 30 a month; tiny-usd; nil 0
 *   yen, shilling, krona   fixed: 500 JPY, 5 UGX, 5000 ISK a month
 * Taxes: AT 20 (reduced 10), DE 19, CA GST 5 and in CA-QC QST 9.975; CH 0.
 * Coupons: HALF (50 %, once), QUARTER (25 %, 2 periods), ALL (100 %, for ever), FLAT
 * (5000 EUR, once), DOLLAR (100 USD), CAPPED (10 %, once, 3 organisations), OVER (until
 * 2020), TEAMS (50 %, for ever, only team). */
int shop_open(void **state);
/* The same with other settings of its seller: "\"one_series\":true,". */
void shop_sells(const char *seller);

/* An organisation with a good card, a test clock and a profile of these fields
 * ("\"country\":\"AT\""). */
struct world_caller shop_customer(const char *profile);
void shop_profile(const struct world_caller *who, const char *profile);
void shop_subscribe(const struct world_caller *who, const char *change);
Billing__V1__Preview *shop_preview(const struct world_caller *who, const char *change);
/* The newest invoice, or the one n before it, with its lines. */
Billing__V1__Invoice *shop_invoice(const struct world_caller *who, unsigned n);
size_t shop_count(const struct world_caller *who);
/* "{"tenant_id": ..., "invoice_id": ... rest}" for the operator's methods. */
const char *shop_about(const struct world_caller *who,
    const Billing__V1__Invoice *invoice, const char *rest);
/* A column of the organisation's subscription. */
int64_t shop_number(const struct world_caller *who, const char *column);
/* The ledger adds up and holds against the rows, account by account. */
void shop_books_agree(const struct world_caller *who);
