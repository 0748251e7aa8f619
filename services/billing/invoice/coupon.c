/* coupon.c - see coupon.h. */
#include "invoice/coupon.h"

#include <string.h>

typedef Billing__V1__Coupon coupon;

const coupon *
coupon_find(const struct account *account, const char *code)
{
	const billing_catalogue *catalogue = account->catalogue;

	for (size_t i = 0; code && i < catalogue->n_coupons; i++)
		if (strcmp(catalogue->coupons[i]->code, code) == 0)
			return catalogue->coupons[i];
	return NULL;
}

bool
coupon_holds_for(const coupon *of, const char *plan)
{
	for (size_t i = 0; i < of->n_plans; i++)
		if (strcmp(of->plans[i], plan) == 0)
			return true;
	return of->n_plans == 0;
}

bool
coupon_discount(const struct account *account, const billing_invoice *invoice,
    struct bill *bill, int64_t *out)
{
	const coupon *held = coupon_find(account, account->row->coupon);
	trl_int128 percent;

	*out = 0;
	if (!held || (held->currency && strcmp(held->currency, invoice->currency) != 0))
		return true;
	for (size_t i = 0; i < bill->n_lines; i++)
		bill->lines[i].undiscounted =
		    !coupon_holds_for(held, invoice->lines[i]->plan);
	if (!held->percent_off)
		return bill_amount_off(bill, held->amount_off, out);
	return !trl_decimal_read(held->percent_off, strlen(held->percent_off),
		   RATE_PLACES, &percent) &&
	       bill_percent_off(bill, percent, out);
}

/* Of several periods, what charges a whole one is a use, and not a change amid. */
static bool
is_use(const coupon *of, const billing_invoice *invoice)
{
	if (of->duration != BILLING__V1__COUPON__DURATION__several)
		return of->duration == BILLING__V1__COUPON__DURATION__once;
	for (size_t i = 0; i < invoice->n_lines; i++)
		if (!invoice->lines[i]->proration)
			return true;
	return false;
}

void
coupon_use(struct account *account, const billing_invoice *lines)
{
	Billing__V1__SubscriptionRow *row = account->row;
	const coupon *held = coupon_find(account, row->coupon);

	if (!held || !row->has_coupon_left || !is_use(held, lines) ||
	    --row->coupon_left > 0)
		return;
	row->coupon = NULL;
	row->has_coupon_left = 0;
}

void
coupon_give_back(struct account *account, const billing_invoice *lines)
{
	Billing__V1__SubscriptionRow *row = account->row;
	const coupon *used = coupon_find(account, lines->coupon);

	if (!used || !is_use(used, lines))
		return;
	if (!row->coupon) {
		row->coupon = used->code;
		trl_set(row, coupon_left, 1);
	} else if (strcmp(row->coupon, used->code) == 0 && row->has_coupon_left) {
		row->coupon_left++;
	}
}
