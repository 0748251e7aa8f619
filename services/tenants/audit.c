/* tenants.ListAudit - what happened in an organisation: this service's chain and the
 * copies of the others' (events_in.c), one list by id, which is their time. */
#include <string.h>

#include <trl/page.h>

#include "tenants.h"

enum { DETAILS_MAX = 256 * 1024 }; /* in one page; a frame is of 512 KiB */

/* How many of the entries fit into a reply (one at least). */
static size_t
page_of(const Tenants__V1__ListAuditReply *read)
{
	size_t bytes = 0, n = 0;

	for (; n < read->n_items; n++) {
		const char *detail = read->items[n]->detail;

		bytes += detail ? strlen(detail) : 0;
		if (n > 0 && bytes > DETAILS_MAX)
			break;
	}
	return n;
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
tenants_list_audit(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__ListAuditRequest *in, Tenants__V1__ListAuditReply *out)
{
	struct trl_page page;
	enum trl_code rc;

	rc = trl_page_open(
	    ctx, "tenants.audit", ctx->tenant, in->page_size, in->page_token, &page);
	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
	    &tenants_sql_audit_list, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_ID("before", trl_page_before(&page)),
	    TRL_ARG_INT("limit", page.size + 1));
	if (rc == TRL_OK)
		trl_page_cut(ctx, &page, page_of(out), "id", &out->base);
	return rc;
}
