/* document.c - see turn.h: an invoice of a turn with its lines. */
#include "turn/turn.h"

#include <trl/wire.h>

enum trl_code
turn_document(struct turn *turn, struct turn_invoice *at, const billing_invoice **out)
{
	Billing__V1__InvoiceRow row = BILLING__V1__INVOICE_ROW__INIT;
	ProtobufCMessage *message;
	trl_ctx *ctx = turn->ctx;
	enum trl_code rc;

	if (at->is_new || at->is_final_now)
		at->document = at->invoice;
	*out = at->document;
	if (*out)
		return TRL_OK;
	rc = trl_batch_get_one(ctx, turn->self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &billing_sql_invoice_document, NULL, &row.base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("id", trl_value_id(at->invoice->id)));
	if (rc == TRL_OK)
		rc = trl_fold(
		    ctx, trl_wire_decode(ctx, &billing__v1__invoice__descriptor,
			     row.document.data, row.document.len, &message));
	if (rc != TRL_OK)
		return rc;
	*out = at->document = (const billing_invoice *)message;
	return TRL_OK;
}
