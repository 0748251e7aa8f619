/* coupon.h - coupons: what one takes off an invoice, and how a void invoice gives its
 * use back; subscription/coupon.c takes them. An organisation holds one at a time, and
 * takes each once. One that the catalogue has no more takes nothing off any more.
 *
 * What was used for a period stays off it to its end: a seat more, or another plan, is
 * credited after discount, so what is charged instead has the discount, too (its share
 * of an amount). */
#pragma once

#include "account/account.h"

/* NULL: the catalogue has no such. */
const Billing__V1__Coupon *coupon_find(const struct account *account, const char *code);
bool coupon_holds_for(const Billing__V1__Coupon *coupon, const char *plan);
/* What the account's coupon, or where it has none the one that was used for the period,
 * takes off a bill of these lines: marks those that it does not hold for, and gives the
 * sum and the code (NULL: none). False: it does not fit. */
bool coupon_discount(const struct account *account, const billing_invoice *invoice,
    struct bill *bill, const char **code, int64_t *out);
/* An invoice became final; one that names a coupon became void. lines is the invoice
 * with its lines. */
void coupon_use(trl_ctx *ctx, struct account *account, const billing_invoice *lines);
void coupon_give_back(struct account *account, const billing_invoice *lines);
