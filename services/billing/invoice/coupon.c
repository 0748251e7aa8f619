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

static int64_t
seconds(const Google__Protobuf__Timestamp *time)
{
	return trl_value_time_us(time) / 1000000;
}

/* Charged for a part of the period that a coupon was used for. */
static bool
is_covered(const Billing__V1__CouponCover *cover, const Billing__V1__Line *line)
{
	int64_t from = seconds(line->period_start), to = seconds(line->period_end);

	return from >= cover->from &&
	       (to == cover->until || (line->proration && to < cover->until));
}

/* What of takes off the lines that it is not kept from. An amount is shared by time
 * over the period that it covers: share_from is where these lines begin. */
static bool
take_off(const struct account *account, const coupon *of, int64_t share_from,
    struct bill *bill, int64_t *out)
{
	const Billing__V1__CouponCover *cover = account->cover;
	int64_t amount = of->amount_off;
	trl_int128 percent;

	if (of->percent_off)
		return !trl_decimal_read(of->percent_off, strlen(of->percent_off),
			   RATE_PLACES, &percent) &&
		       bill_percent_off(bill, percent, out);
	if (share_from && !trl_muldiv(cover->amount, cover->until - share_from,
			      cover->until - cover->from, &amount))
		return false;
	return bill_amount_off(bill, amount, out);
}

bool
coupon_discount(const struct account *account, const billing_invoice *invoice,
    struct bill *bill, const char **code, int64_t *out)
{
	const Billing__V1__CouponCover *cover =
	    account->row->coupon ? NULL : account->cover;
	const coupon *held =
	    coupon_find(account, cover ? cover->code : account->row->coupon);
	int64_t share_from = 0;

	*out = 0;
	*code = NULL;
	if (!held || (held->currency && strcmp(held->currency, invoice->currency) != 0))
		return true;
	*code = held->code;
	for (size_t i = 0; i < bill->n_lines; i++) {
		const Billing__V1__Line *line = invoice->lines[i];
		int64_t from = seconds(line->period_start);

		bill->lines[i].undiscounted = !coupon_holds_for(held, line->plan) ||
					      (cover && !is_covered(cover, line));
		if (cover && line->amount > 0 && !bill->lines[i].undiscounted &&
		    (!share_from || from < share_from))
			share_from = from;
	}
	return take_off(account, held, share_from, bill, out);
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

/* The period that it was used for ends with the last line that it holds for. */
static void
cover(trl_ctx *ctx, struct account *account, const coupon *of,
    const billing_invoice *invoice)
{
	Billing__V1__CouponCover *out = billing_v1_coupon_cover_new(ctx);

	out->code = of->code;
	trl_set(out, amount, invoice->discount);
	trl_set(out, invoice_id, invoice->id);
	for (size_t i = 0; i < invoice->n_lines; i++) {
		const Billing__V1__Line *line = invoice->lines[i];
		int64_t until = seconds(line->period_end);

		if (line->discount == 0 || (out->has_until && until <= out->until))
			continue;
		trl_set(out, from, seconds(line->period_start));
		trl_set(out, until, until);
	}
	account->cover = out;
}

/* It charges a whole period that no coupon was used for: the one before is over. */
static bool
is_beyond(const Billing__V1__CouponCover *cover, const billing_invoice *invoice)
{
	for (size_t i = 0; i < invoice->n_lines; i++)
		if (!invoice->lines[i]->proration &&
		    !is_covered(cover, invoice->lines[i]))
			return true;
	return false;
}

/* Charged later for a period that another invoice used it for. */
static bool
is_for_cover(const struct account *account, const billing_invoice *invoice)
{
	const Billing__V1__CouponCover *cover = account->cover;

	return cover && strcmp(cover->code, invoice->coupon) == 0 &&
	       !trl_id_eq(trl_value_id(cover->invoice_id), trl_value_id(invoice->id)) &&
	       !is_beyond(cover, invoice);
}

void
coupon_use(trl_ctx *ctx, struct account *account, const billing_invoice *lines)
{
	Billing__V1__SubscriptionRow *row = account->row;
	const coupon *held = lines->coupon ? coupon_find(account, row->coupon) : NULL;

	if (account->cover && is_beyond(account->cover, lines))
		account->cover = NULL;
	if (!held || !row->has_coupon_left || !is_use(held, lines) ||
	    is_for_cover(account, lines))
		return;
	cover(ctx, account, held, lines);
	if (--row->coupon_left > 0)
		return;
	row->coupon = NULL;
	row->has_coupon_left = 0;
}

void
coupon_give_back(struct account *account, const billing_invoice *lines)
{
	Billing__V1__SubscriptionRow *row = account->row;
	const coupon *used = coupon_find(account, lines->coupon);

	if (!used || !is_use(used, lines) || is_for_cover(account, lines))
		return;
	account->cover = NULL;
	if (!row->coupon) {
		row->coupon = used->code;
		trl_set(row, coupon_left, 1);
	} else if (strcmp(row->coupon, used->code) == 0 && row->has_coupon_left) {
		row->coupon_left++;
	}
}
