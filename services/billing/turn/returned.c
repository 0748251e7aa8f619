/* returned.c - see returned.h. In the ledger a refund stands against the account
 * refunds until a credit note, the balance or a void invoice does; so what is left
 * there is what was given back and not credited (above 0), or has still to be given
 * back (below 0). */
#include "turn/returned.h"

static int64_t
least(int64_t a, int64_t b)
{
	int64_t smaller = a < b ? a : b;

	return smaller > 0 ? smaller : 0;
}

static void
note(struct turn *turn, struct trl_id row, int64_t amount)
{
	if (amount != 0)
		trl_batch_add(turn->work, &billing_sql_payment_off_refunds, NULL,
		    TRL_ARG_ID("tenant_id", turn->account.tenant),
		    TRL_ARG_ID("id", row), TRL_ARG_INT("amount", amount));
}

/* To the balance, or, below 0, from it. */
static void
move(struct turn *turn, struct turn_invoice *at, struct trl_id row, int64_t amount)
{
	const char *currency = at->invoice->currency;

	account_give(&turn->account, currency, amount);
	at->in_balance += amount;
	ledger_add(turn->ctx, turn->work, currency, turn->account.now, "balance", row,
	    (const struct ledger_entry[]){
		{ "refunds", amount }, { "credit", -amount } },
	    2);
}

static bool
is_void(const struct turn_invoice *at)
{
	return at->invoice->status == BILLING__V1__INVOICE__STATUS__void;
}

void
returned_goes(
    struct turn *turn, struct turn_invoice *at, struct trl_id row, int64_t amount)
{
	const struct account *account = &turn->account;
	int64_t from = least(amount, at->in_balance);

	from = account_has_other(account, at->invoice->currency)
		   ? 0
		   : least(from, account->row->balance);
	move(turn, at, row, -from);
	note(turn, row, from);
	if (!is_void(at)) /* that has given all back that it will */
		at->returned += amount - from;
	at->changed = true;
}

void
returned_comes_back(struct turn *turn, struct turn_invoice *at,
    const Billing__V1__Payment *row, int64_t off_refunds)
{
	struct trl_id id = trl_value_id(row->id);
	int64_t rest = row->amount - off_refunds, known = least(rest, at->returned);
	int64_t owed = off_refunds + (is_void(at) ? known : rest - known);

	at->changed = true;
	if (!is_void(at))
		at->returned -= known;
	if (account_takes(&turn->account, at->invoice->currency)) {
		move(turn, at, id, owed);
		note(turn, id, -owed);
		return;
	}
	if (!is_void(at))
		at->returned -= owed;
}

int64_t
returned_covers(struct turn_invoice *at, int64_t amount)
{
	int64_t gone = least(amount, at->returned);

	at->returned -= gone;
	return gone;
}

int64_t
returned_surplus(struct turn *turn, struct turn_invoice *at, struct trl_id payment,
    const char *currency, int64_t amount)
{
	if (amount == 0)
		return 0;
	at->changed = true;
	if (account_takes(&turn->account, currency)) {
		account_give(&turn->account, currency, amount);
		at->in_balance += amount;
		return amount;
	}
	if (!is_void(at))
		at->returned -= amount;
	note(turn, payment, amount);
	return 0;
}
