/* parked.c - how many events stand aside, looked at twice a minute: whoever redrives or
 * skips them may do so at another replica. */
#include <string.h>

#include "framework_sql.h"
#include "subscription.h"

static int64_t
count_of(const Trellis__Bus__ParkedRows *rows, const char *subscription)
{
	for (size_t i = 0; i < rows->n_rows; i++)
		if (strcmp(rows->rows[i]->subscription, subscription) == 0)
			return rows->rows[i]->n;
	return 0;
}

enum trl_code
events_show_parked(trl_ctx *ctx, struct events *events)
{
	Trellis__Bus__ParkedRows rows = TRELLIS__BUS__PARKED_ROWS__INIT;
	trl_batch *batch;
	enum trl_code rc;

	if (events->subscriptions == NULL)
		return TRL_OK;
	batch = trl_batch_new(ctx, events->sys, (struct trl_scope){ 0 });
	trl_batch_get(batch, &trl_sql_dead_letter_count, NULL, &rows.base);
	rc = trl_batch_read(batch);
	if (rc != TRL_OK)
		return rc;
	for (const struct subscription *s = events->subscriptions; s; s = s->next)
		trl_series_set(s->m.parked_now, (double)count_of(&rows, s->name));
	return TRL_OK;
}
