/* notify.ListSuppressions, LiftSuppression, LiftSuppressions - the addresses that
 * mail.c leaves alone, for the operator. They are the installation's and not an
 * organisation's: that a server does not know an address is true for all, and whoever
 * may look would learn which addresses others write to. So no right in an organisation
 * reaches them, nor does the application's role; it is the _sys role that reads and
 * deletes here. */
#include "mail/mail.h"

enum { LIMIT = 100 };

/* Errors: none but faults. */
enum trl_code
notify_list_suppressions(struct notify *self, trl_ctx *ctx,
    const Notify__V1__ListSuppressionsRequest *in,
    Notify__V1__ListSuppressionsReply *out)
{
	return trl_batch_get_one(ctx, self->sys, TRL_SCOPE_NOBODY,
	    &notify_sql_suppressions_list, NULL, &out->base,
	    TRL_ARG_TEXT("email", in->email ? in->email : ""),
	    TRL_ARG_TEXT("after", in->after ? in->after : ""),
	    TRL_ARG_INT("limit", in->has_limit ? in->limit : LIMIT),
	    TRL_ARG_TIME("now", trl_now(ctx)));
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT. */
enum trl_code
notify_lift_suppression(struct notify *self, trl_ctx *ctx,
    const Notify__V1__LiftSuppressionRequest *in, Trellis__Empty *out)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);

	trl_batch_add(work, &notify_sql_suppression_lift, &in->base,
	    TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_INVALID (nothing says which), TRL_CONFLICT. */
enum trl_code
notify_lift_suppressions(struct notify *self, trl_ctx *ctx,
    const Notify__V1__LiftSuppressionsRequest *in, Trellis__Empty *out)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, TRL_SCOPE_NOBODY);

	if (!in->reason && !in->domain && !in->since)
		return trl_fail(ctx, TRL_INVALID,
		    "Say which: give reason, domain or since, or several of them.");
	trl_batch_add(work, &notify_sql_suppressions_lift, NULL,
	    TRL_ARG_TEXT("reason", in->reason ? in->reason : ""),
	    TRL_ARG_TEXT("domain", in->domain ? in->domain : ""),
	    TRL_ARG_TIME("since", in->since ? trl_value_time_us(in->since) : 0),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	return trl_batch_write(work, &out->base);
}
