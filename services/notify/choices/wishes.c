/* wishes.c - what a person wants of a kind, and when: the choice, or what the kind says
 * where there is none. */
#include <string.h>

#include "choices/choices.h"

enum trl_code
notify_wishes_read(struct notify *self, trl_ctx *ctx, struct trl_id account,
    const char *kind, Notify__V1__Wishes *out)
{
	notify__v1__wishes__init(out);
	return trl_batch_get_one(ctx, self->sys, TRL_SCOPE_ACCOUNT(account),
	    &notify_sql_wishes_get, NULL, &out->base, TRL_ARG_ID("account_id", account),
	    TRL_ARG_TEXT("kind", kind), TRL_ARG_TIME("now", trl_now(ctx)));
}

bool
notify_wants(
    const struct trl_told_kind *kind, enum trl_offer offer, bool chosen, bool choice)
{
	if (offer == TRL_OFFER_NONE)
		return false;
	if (kind->mandatory || !chosen)
		return offer == TRL_OFFER_ON;
	return choice;
}

bool
notify_wants_mail(
    const struct trl_told_kind *kind, const Notify__V1__Wishes *wishes, bool proven)
{
	return notify_wants(kind, kind->email, wishes->has_email, wishes->email) &&
	       (kind->mandatory || proven);
}
