/* queue.c - how product events begin: in the transaction that applies an event it
 * becomes a row, and a job of its organisation's that posts what has gathered. So each
 * is posted at least once, whatever is killed in between, under the uuid that it always
 * has.
 */
#include "analytics/analytics.h"

static void
add(trl_ctx *ctx, trl_tx *tx, const struct trl_event *event)
{
	trl_tx_add(tx, &notify_sql_product_event_insert, NULL,
	    TRL_ARG_ID("tenant_id", event->tenant), TRL_ARG_ID("id", event->id),
	    TRL_ARG_TIME("added_at", trl_now(ctx)),
	    TRL_ARG_TEXT("body", notify_analytics_event(ctx, event)));
}

enum trl_code
notify_analytics_hear(struct notify *self, trl_ctx *ctx, trl_tx *tx,
    const struct trl_event *events, size_t n)
{
	Notify__V1__ProductState state = NOTIFY__V1__PRODUCT_STATE__INIT;
	const struct trl_job_terms terms = { .key = "post",
		.run_at_us =
		    trl_now(ctx) + NOTIFY_ANALYTICS_GATHER_MS * INT64_C(1000) };
	enum trl_code rc;
	size_t wanted = 0;

	if (!self->analytics)
		return TRL_OK;
	for (size_t i = 0; i < n; i++)
		wanted += notify_analytics_wants(&events[i]);
	if (wanted == 0)
		return TRL_OK;
	rc = trl_tx_run(tx, &notify_sql_product_state, NULL, &state.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("most", NOTIFY_ANALYTICS_WAITING_MAX));
	if (rc != TRL_OK || !state.consents)
		return rc;
	if (state.full) {
		trl_series_add(self->analytics->overflow, (double)wanted);
		return TRL_OK;
	}
	for (size_t i = 0; i < n; i++)
		if (notify_analytics_wants(&events[i]))
			add(ctx, tx, &events[i]);
	trl_tx_job(tx, &notify_analytics_job, &terms, NULL);
	return TRL_OK;
}
