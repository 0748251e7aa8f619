/* auth.RevokeApiKey, RevokeApiKeys - the end of keys: of one, or of all that a person
 * made, and always of those that were made with them, for a key that lives on through
 * its children is not revoked. Which they are is read first, so that each is told and
 * stands in the audit chain; the batch holds them, and begins again where another was
 * made meanwhile. A key's copies carry the epoch of its tenant. */
#include <trl/change.h>
#include <trl/log.h>

#include "auth.h"

/* Whose keys end: of one, or of a person; the other is nil. */
struct seeds {
	struct trl_id tenant, key, maker;
};

static enum trl_code
find(struct auth *self, trl_ctx *ctx, const struct seeds *seeds,
    Auth__V1__ListApiKeysReply *out)
{
	auth__v1__list_api_keys_reply__init(out);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(seeds->tenant),
	    &auth_sql_keys_made, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", seeds->tenant), TRL_ARG_ID("key_id", seeds->key),
	    TRL_ARG_ID("maker", seeds->maker));
}

static void
end_keys(trl_ctx *ctx, trl_batch *work, const struct seeds *seeds,
    const Auth__V1__ListApiKeysReply *found)
{
	struct trl_id *ids =
	    trl_arena_alloc(ctx->arena, (found->n_items + 1) * sizeof *ids);

	for (size_t i = 0; i < found->n_items; i++)
		ids[i] = trl_value_id(found->items[i]->id);
	trl_batch_add(work, &auth_sql_keys_hold, NULL,
	    TRL_ARG_ID("tenant_id", seeds->tenant),
	    TRL_ARG_IDS("key_ids", ids, found->n_items));
	trl_batch_add(work, &auth_sql_keys_still, NULL,
	    TRL_ARG_ID("tenant_id", seeds->tenant), TRL_ARG_ID("key_id", seeds->key),
	    TRL_ARG_ID("maker", seeds->maker),
	    TRL_ARG_INT("number", (int64_t)found->n_items));
	trl_batch_add(work, &auth_sql_keys_delete, NULL,
	    TRL_ARG_ID("tenant_id", seeds->tenant),
	    TRL_ARG_IDS("key_ids", ids, found->n_items));
	trl_batch_add(work, &auth_sql_keys_directory_delete, NULL,
	    TRL_ARG_ID("tenant_id", seeds->tenant),
	    TRL_ARG_IDS("key_ids", ids, found->n_items));
	for (size_t i = 0; i < found->n_items; i++) {
		Auth__V1__ApiKey *gone = auth_v1_api_key_new(ctx);

		trl_set(gone, id, found->items[i]->id);
		auth_tell_key(ctx, work, &auth_event_api_key_revoked, gone);
		trl_batch_audit(work, "auth.key.revoke", ids[i], "key", NULL);
	}
}

/* out NULL: beside another write. Errors: TRL_NOT_FOUND (of a key), TRL_CONFLICT. */
static enum trl_code
revoke(struct auth *self, trl_ctx *ctx, const struct seeds *seeds, Trellis__Empty *out)
{
	TRL_AUTO(trl_change_end) struct trl_change change = { 0 };
	Auth__V1__ListApiKeysReply found;
	enum trl_code rc;

	rc = trl_change_begin(&change, ctx, seeds->tenant);
	if (rc != TRL_OK)
		return rc;
	do {
		trl_batch *work;

		rc = find(self, ctx, seeds, &found);
		if (rc == TRL_OK && found.n_items == 0 && !trl_id_is_nil(seeds->key))
			rc = trl_fail(ctx, TRL_NOT_FOUND, "There is no such API key.");
		if (rc != TRL_OK)
			return rc;
		work =
		    out ? auth_change_new(self, ctx, TRL_SCOPE_TENANT(seeds->tenant))
			: trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(seeds->tenant));
		end_keys(ctx, work, seeds, &found);
		rc = out ? trl_batch_write(work, &out->base)
			 : trl_batch_write_unrecorded(work);
	} while (trl_change_again(&change, &rc));
	return rc;
}

static enum trl_code
revoke_here(
    struct auth *self, trl_ctx *ctx, const struct seeds *seeds, Trellis__Empty *out)
{
	trl_access_changes_tenant(ctx, self->access, ctx->tenant);
	return revoke(self, ctx, seeds, out);
}

/* Errors: TRL_NOT_FOUND, TRL_CONFLICT. */
enum trl_code
auth_revoke_api_key(struct auth *self, trl_ctx *ctx,
    const Auth__V1__RevokeApiKeyRequest *in, Trellis__Empty *out)
{
	return revoke_here(self, ctx,
	    &(struct seeds){ .tenant = ctx->tenant, .key = trl_value_id(in->key_id) },
	    out);
}

/* Errors: TRL_CONFLICT. */
enum trl_code
auth_revoke_api_keys(struct auth *self, trl_ctx *ctx,
    const Auth__V1__RevokeApiKeysRequest *in, Trellis__Empty *out)
{
	return revoke_here(self, ctx,
	    &(struct seeds){
		.tenant = ctx->tenant, .maker = trl_value_id(in->created_by) },
	    out);
}

static enum trl_code
revoke_all(struct auth *self, trl_ctx *ctx, struct trl_id maker)
{
	Auth__V1__KeyRows tenants = AUTH__V1__KEY_ROWS__INIT;
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_NOBODY);
	enum trl_code rc;

	trl_batch_get(work, &auth_sql_key_directory_tenants, NULL, &tenants.base,
	    TRL_ARG_ID("account_id", maker));
	rc = trl_batch_read(work);
	for (size_t i = 0; rc == TRL_OK && i < tenants.n_items; i++) {
		struct trl_id tenant = trl_value_id(tenants.items[i]->tenant_id);

		rc = revoke(self, ctx,
		    &(struct seeds){ .tenant = tenant, .maker = maker }, NULL);
		trl_access_bump_tenant(ctx, self->access, tenant);
	}
	return rc;
}

struct again {
	struct auth *self;
	struct trl_id maker;
};

/* After the commit that ended the maker's sessions: a key that one of them made just
 * before it. None is left in nearly all cases, and nothing hangs on the answer. */
static void
once_more(trl_ctx *ctx, void *arg)
{
	const struct again *again = arg;

	if (revoke_all(again->self, ctx, again->maker) == TRL_OK)
		return;
	trl_log_err(ctx);
	trl_err_clear(ctx);
}

enum trl_code
auth_revoke_everywhere(struct auth *self, trl_ctx *ctx, struct trl_id maker)
{
	struct again *again = trl_arena_alloc(ctx->arena, sizeof *again);

	*again = (struct again){ self, maker };
	trl_after_write(ctx, once_more, again);
	return revoke_all(self, ctx, maker);
}
