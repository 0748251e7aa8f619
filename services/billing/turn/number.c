/* number.c - see number.h. An organisation's numbers lie in its row, behind its
 * version. Those of the installation are one row a series, and whoever takes one waits
 * for those before: in this process by a queue, from the reading to the commit; another
 * process's commit in between is seen by the row's value, and the turn is begun anew.
 */
#include "turn/number.h"

#include <trl/change.h>

/* The queue's key; no organisation has this id. */
static const struct trl_id one_series = { .bytes = { 's', 'e', 'r', 'i', 'e', 's' } };

static bool
is_one(const struct turn *turn)
{
	const Billing__V1__Seller *seller = turn->account.catalogue->seller;

	return seller && seller->one_series;
}

static enum trl_code
read_series(struct turn *turn)
{
	Billing__V1__SeriesRow row = BILLING__V1__SERIES_ROW__INIT;
	enum trl_code rc = TRL_OK;

	if (turn->series_queue.ctx)
		return TRL_OK;
	rc = trl_change_begin(&turn->series_queue, turn->ctx, one_series);
	if (rc == TRL_OK)
		rc = trl_batch_get_one(turn->ctx, turn->self->pg,
		    TRL_SCOPE_TENANT(turn->ctx->tenant), &billing_sql_series_get, NULL,
		    &row.base);
	if (rc != TRL_OK)
		return rc;
	turn->series_was[SERIES_INVOICE] = row.invoice;
	turn->series_was[SERIES_CREDIT_NOTE] = row.credit_note;
	turn->series_taken[SERIES_INVOICE] = turn->series_taken[SERIES_CREDIT_NOTE] = 0;
	return TRL_OK;
}

/* The time of the number, for what has no test clock. */
static int64_t
time_of(const struct turn *turn)
{
	int64_t now = trl_now(turn->ctx) / 1000000;

	return turn->account.row->clock_at || now < turn->account.now
		   ? turn->account.now
		   : now;
}

enum trl_code
number_take(
    struct turn *turn, enum turn_series series, char **number, int64_t *issued_at)
{
	static const char *const marks[] = { "", "C" };
	const Billing__V1__Seller *seller = turn->account.catalogue->seller;
	Billing__V1__SubscriptionRow *row = turn->account.row;
	const char *prefix = seller && seller->prefix ? seller->prefix : "";
	trl_arena *arena = turn->ctx->arena;
	enum trl_code rc;

	*issued_at = turn->account.now;
	*number = NULL;
	if (turn->is_preview)
		return TRL_OK;
	if (is_one(turn)) {
		rc = read_series(turn);
		if (rc != TRL_OK)
			return rc;
		*issued_at = time_of(turn);
		*number = trl_arena_printf(arena, "%s%s%06lld", prefix, marks[series],
		    (long long)(turn->series_was[series] +
				++turn->series_taken[series]));
		return TRL_OK;
	}
	account_begin_row(turn->ctx, &turn->account);
	*number =
	    trl_arena_printf(arena, "%s%s-%s%06lld", prefix, row->prefix, marks[series],
		(long long)(series == SERIES_INVOICE ? row->next_invoice++
						     : row->next_credit_note++));
	return TRL_OK;
}

void
number_put(struct turn *turn)
{
	static const char *const kinds[] = { "invoice", "credit_note" };

	for (size_t i = 0; turn->series_queue.ctx && i < TRL_COUNT(kinds); i++) {
		if (turn->series_taken[i] == 0)
			continue;
		trl_batch_add(turn->work, &billing_sql_series_put, NULL,
		    TRL_ARG_TEXT("kind", kinds[i]),
		    TRL_ARG_INT("was", turn->series_was[i]),
		    TRL_ARG_INT("last", turn->series_was[i] + turn->series_taken[i]));
	}
}
