/* seats.c - see seats.h. */
#include "seats.h"

void
tenants_seats_of(const struct tenants_entitled *entitled, struct tenants_seats *out)
{
	const Billing__V1__Entitlement *seats =
	    entitled->known ? tenants_entitled_to(entitled, TENANTS_SEATS) : NULL;

	*out = (struct tenants_seats){ .plan = entitled->plan };
	if (!seats || !seats->has_number)
		return;
	out->limited = true;
	out->limit = seats->number;
}

enum trl_code
tenants_seats_read(
    struct tenants *self, trl_ctx *ctx, struct trl_id tenant, struct tenants_seats *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(tenant));
	struct tenants_entitled entitled;
	Tenants__V1__EntitledRow row;
	enum trl_code rc;

	tenants_entitled_get(work, tenant, &row);
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = tenants_entitled_read(ctx, &row, &entitled);
	if (rc == TRL_OK)
		tenants_seats_of(&entitled, out);
	return trl_fold(ctx, rc);
}

void
tenants_seats_want(
    trl_batch *work, struct trl_id tenant, const struct tenants_seats *seats)
{
	if (seats->limited)
		trl_batch_add(work, &tenants_sql_seat_room, NULL,
		    TRL_ARG_ID("tenant_id", tenant),
		    TRL_ARG_TIME("now", trl_now(trl_batch_ctx(work))),
		    TRL_ARG_INT("allowed", seats->limit));
}

enum trl_code
tenants_seats_end(struct tenants *self, trl_ctx *ctx, struct trl_id tenant,
    const struct tenants_seats *seats, enum trl_code rc)
{
	Tenants__V1__SeatsRow row = TENANTS__V1__SEATS_ROW__INIT;
	struct trl_err other = ctx->err;
	enum trl_code read;

	if (rc != TRL_QUOTA || !seats->limited)
		return rc;
	trl_err_clear(ctx);
	read = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(tenant),
	    &tenants_sql_seats_used, NULL, &row.base, TRL_ARG_ID("tenant_id", tenant),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	if (read != TRL_OK)
		return trl_fold(ctx, read);
	if (row.used < seats->limit) { /* another limit; or it is free by now */
		ctx->err = other;
		return rc;
	}
	trl_err_quota(ctx, TENANTS_SEATS, seats->plan, seats->limit, row.used);
	return trl_fail(ctx, TRL_QUOTA,
	    "The plan has %lld seats, and %lld are taken by members and open "
	    "invitations.",
	    (long long)seats->limit, (long long)row.used);
}
