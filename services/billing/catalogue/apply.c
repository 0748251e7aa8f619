/* billing.ApplyCatalogue - the operator's. The document is written by the _sys role: no
 * right in an organisation reaches what is sold. */
#include "catalogue/catalogue.h"
#include "catalogue/plans.h"

#include <trl/wire.h>

static enum trl_code
put(struct billing *self, trl_ctx *ctx, const billing_catalogue *now,
    const billing_catalogue *next, Billing__V1__ApplyCatalogueReply *out)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, (struct trl_scope){ 0 });
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	trl_wire_encode(ctx->arena, &next->base, &data, &len);
	trl_batch_add(work, &billing_sql_catalogue_insert, NULL,
	    TRL_ARG_INT("version", out->version), TRL_ARG_BYTES("document", data, len),
	    TRL_ARG_TIME("now", trl_now(ctx)));
	rc = plans_tell(ctx, work, now, next, out->version);
	return rc == TRL_OK ? trl_batch_write(work, &out->base) : rc;
}

/* Errors: TRL_INVALID (each fault a violation), TRL_CONFLICT (another was applied
 * meanwhile). */
enum trl_code
billing_apply_catalogue(struct billing *self, trl_ctx *ctx,
    const Billing__V1__ApplyCatalogueRequest *in, Billing__V1__ApplyCatalogueReply *out)
{
	trl_batch *work = trl_batch_new(ctx, self->sys, (struct trl_scope){ 0 });
	Billing__V1__CatalogueRow row;
	struct catalogue_changes changes;
	const billing_catalogue *now;
	enum trl_code rc;

	catalogue_get(work, &row);
	rc = trl_batch_read(work);
	if (rc == TRL_OK)
		rc = catalogue_read(ctx, &row, &now);
	if (rc != TRL_OK)
		return rc;
	if (!catalogue_check(ctx, in->catalogue, "catalogue") ||
	    !catalogue_merge(ctx, now, in->catalogue, "catalogue", &changes))
		return trl_fail(ctx, TRL_INVALID, "The catalogue does not hold.");
	out->changes = changes.sentences;
	out->n_changes = changes.n;
	trl_set(out, version, row.version + (in->apply && changes.n > 0));
	if (!in->apply || changes.n == 0) {
		work = trl_batch_new(ctx, self->sys, (struct trl_scope){ 0 });
		return trl_batch_write(work, &out->base);
	}
	return put(self, ctx, now, in->catalogue, out);
}
