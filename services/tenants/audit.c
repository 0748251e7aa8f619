/* tenants.ListAudit - what happened in an organisation: this service's chain and
 * auth's (the API keys), merged by id, which is their time. Both come newest
 * first, a page of each and one more; the page is the newest of both together, so
 * nothing between two pages is lost. */
#include <string.h>

#include <trl/page.h>
#include <trellis/auth/v1/auth.trl.h>

#include "tenants.h"

static const char list_name[] = "tenants.audit";

/* Ids fall below `before`; nil stands for the end of time. */
static struct trl_id
before_of(const struct trl_page *page)
{
	struct trl_id last;

	if (!trl_id_is_nil(page->after))
		return page->after;
	memset(last.bytes, 0xff, sizeof last.bytes);
	return last;
}

static enum trl_code
read_own(struct tenants *self, trl_ctx *ctx, const struct trl_page *page,
    Tenants__V1__ListAuditReply *out)
{
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));

	trl_batch_get(work, &tenants_sql_audit_list, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant), TRL_ARG_ID("before", before_of(page)),
	    TRL_ARG_INT("limit", page->size + 1));
	return trl_batch_read(work);
}

static enum trl_code
read_auths(struct tenants *self, trl_ctx *ctx, const struct trl_page *page,
    Auth__V1__ListTenantAuditReply **out)
{
	static const struct trl_call_terms as_ourselves = { .as_service = true };
	Auth__V1__ListTenantAuditRequest ask =
	    AUTH__V1__LIST_TENANT_AUDIT_REQUEST__INIT;

	ask.tenant_id = trl_value_bytes(ctx, ctx->tenant);
	ask.has_tenant_id = true;
	ask.before_id = trl_value_bytes(ctx, before_of(page));
	ask.has_before_id = true;
	ask.count = page->size + 1;
	ask.has_count = true;
	return trl_fold(ctx,
	    auth_call_list_tenant_audit_with(ctx, self->bus, &ask, &as_ourselves, out));
}

static Tenants__V1__AuditEntry *
entry_of_auth(trl_ctx *ctx, const Auth__V1__AuditEntry *from)
{
	Tenants__V1__AuditEntry *entry = trl_arena_alloc(ctx->arena, sizeof *entry);

	tenants__v1__audit_entry__init(entry);
	entry->id = from->id;
	entry->has_id = from->has_id;
	entry->created_at = from->created_at;
	entry->chain = trl_arena_strdup(ctx->arena, "auth");
	entry->number = from->number;
	entry->has_number = from->has_number;
	entry->action = from->action;
	entry->actor_kind = (Tenants__V1__AuditEntry__Actor)from->actor_kind;
	entry->has_actor_kind = from->has_actor_kind;
	entry->actor_id = from->actor_id;
	entry->has_actor_id = from->has_actor_id;
	entry->subject_kind = from->subject_kind;
	entry->subject_id = from->subject_id;
	entry->has_subject_id = from->has_subject_id;
	entry->hash = from->hash;
	entry->has_hash = from->has_hash;
	entry->detail = from->detail;
	entry->address = from->address;
	return entry;
}

/* The newest `size` of both lists, into out; whether there is more. */
static bool
merge(trl_ctx *ctx, Tenants__V1__ListAuditReply *out,
    const Auth__V1__ListTenantAuditReply *others, size_t size)
{
	Tenants__V1__AuditEntry **own = out->items;
	size_t n_own = out->n_items, i = 0, j = 0;

	out->items = trl_arena_alloc(ctx->arena, (size + 1) * sizeof out->items[0]);
	out->n_items = 0;
	while (out->n_items < size && (i < n_own || j < others->n_items)) {
		bool take_own = j == others->n_items ||
				(i < n_own && memcmp(own[i]->id.data,
						  others->items[j]->id.data, 16) > 0);

		out->items[out->n_items++] =
		    take_own ? own[i++] : entry_of_auth(ctx, others->items[j++]);
	}
	return i < n_own || j < others->n_items;
}

/* Errors: TRL_INVALID (page_token). */
enum trl_code
tenants_list_audit(struct tenants *self, trl_ctx *ctx,
    const Tenants__V1__ListAuditRequest *in, Tenants__V1__ListAuditReply *out)
{
	Auth__V1__ListTenantAuditReply *others;
	struct trl_page page;
	enum trl_code rc;

	rc = trl_page_open(
	    ctx, list_name, ctx->tenant, in->page_size, in->page_token, &page);
	if (rc == TRL_OK)
		rc = read_own(self, ctx, &page, out);
	if (rc == TRL_OK)
		rc = read_auths(self, ctx, &page, &others);
	if (rc != TRL_OK)
		return rc;
	if (merge(ctx, out, others, page.size))
		out->next_page_token = trl_page_token_id(ctx, list_name, ctx->tenant,
		    trl_value_id(out->items[out->n_items - 1]->id));
	return TRL_OK;
}
