/* dead_letter.c - an event that could not be applied stands aside, and later ones of
 * its subject behind it, in the table parked. The lane's row is locked meanwhile, so
 * that a new event of the subject sees it there. */
#include <trl/value.h>

#include "framework_sql.h"
#include "subscription.h"

void
sub_dead_letter(trl_ctx *ctx, struct subscription *sub, trl_tx *tx,
    const events_row *row, const char *error)
{
	trl_tx_add(tx, &trl_sql_dead_letter_add, NULL,
	    TRL_ARG_TEXT("subscription", sub->name),
	    TRL_ARG_ID("event_id", trl_value_id(row->id)),
	    TRL_ARG_INT("lane", row->lane), TRL_ARG_INT("seq", (int64_t)row->seq),
	    TRL_ARG_ID("tenant_id", trl_value_id(row->tenant_id)),
	    TRL_ARG_ID("subject_id", trl_value_id(row->subject_id)),
	    TRL_ARG_TEXT("type", row->type ? row->type : ""),
	    TRL_ARG_TIME("at", trl_value_time_us(row->at)),
	    TRL_ARG_BYTES("trace", row->trace.data, row->trace.len),
	    TRL_ARG_BYTES("payload", row->payload.data, row->payload.len),
	    TRL_ARG_TEXT("error", error), TRL_ARG_TIME("parked_at", trl_now(ctx)));
	trl_series_add(sub->m.parked, 1);
	trl_series_add(sub->m.parked_now, 1);
}
