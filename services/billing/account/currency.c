/* currency.c - an organisation pays in one currency at a time: what it has as balance
 * or carries is in that, and so is what runs. It may change once nothing of that is
 * left. */
#include "account/account.h"

#include <string.h>

bool
account_takes(const struct account *account, const char *currency)
{
	const Billing__V1__SubscriptionRow *row = account->row;
	const char *present = account->profile->currency;

	if (account_is_subscribed(account))
		present = account->life.offer->currency;
	if (row->balance || row->carried)
		present = row->currency;
	return !present || strcmp(present, currency) == 0;
}

bool
account_has_other(const struct account *account, const char *currency)
{
	const Billing__V1__SubscriptionRow *row = account->row;

	return (row->balance || row->carried) && row->currency &&
	       strcmp(row->currency, currency) != 0;
}

void
account_give(struct account *account, const char *currency, int64_t amount)
{
	Billing__V1__SubscriptionRow *row = account->row;

	if (amount == 0)
		return;
	row->currency = (char *)(uintptr_t)currency;
	trl_set(row, balance, row->balance + amount);
}

const char *
account_why_not(const struct account *account, const char *currency)
{
	const struct life *life = &account->life;

	if (account_has_other(account, currency))
		return "There is a balance in another currency.";
	for (size_t i = 0; i < account->open->n_items; i++) {
		const Billing__V1__OpenInvoice *open = account->open->items[i];

		if (strcmp(open->invoice->currency, currency) == 0)
			continue;
		if (open->invoice->amount_due > 0)
			return "An invoice in another currency is not settled.";
		if (open->has_payment_id)
			return "A payment in another currency is under way.";
	}
	if (account_is_billed(account) && strcmp(life->offer->currency, currency) != 0)
		return "The subscription is in another currency; cancel it first.";
	return NULL;
}
