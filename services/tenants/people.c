/* Accounts, which are auth's: asked for by address or id, never kept here. Calls
 * go on this service's own behalf; what they find is for our handlers, and what
 * they do not find is a fact and no error. */
#include <string.h>

#include <auth_v1.trl.h>

#include "tenants.h"

static const struct trl_call_terms as_ourselves = { .as_service = true };

static enum trl_code
find(struct tenants *self, trl_ctx *ctx, const Auth__V1__FindAccountRequest *ask,
    struct tenants_person *out, bool *found)
{
	Auth__V1__AccountFacts *facts;
	enum trl_code rc;

	rc = auth_call_find_account_with(ctx, self->bus, ask, &as_ourselves, &facts);
	if (rc == TRL_NOT_FOUND) {
		trl_err_clear(ctx);
		*found = false;
		return TRL_OK;
	}
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	*out = (struct tenants_person){
		.account = trl_value_id(facts->account_id),
		.email = facts->email ? facts->email : "",
		.display_name = facts->display_name ? facts->display_name : "",
		.verified = facts->verified,
	};
	*found = true;
	return TRL_OK;
}

enum trl_code
tenants_person_by_email(struct tenants *self, trl_ctx *ctx, const char *email,
    struct tenants_person *out, bool *found)
{
	Auth__V1__FindAccountRequest ask = AUTH__V1__FIND_ACCOUNT_REQUEST__INIT;

	ask.email = trl_arena_strdup(ctx->arena, email);
	return find(self, ctx, &ask, out, found);
}

enum trl_code
tenants_person_by_id(struct tenants *self, trl_ctx *ctx, struct trl_id account,
    struct tenants_person *out, bool *found)
{
	Auth__V1__FindAccountRequest ask = AUTH__V1__FIND_ACCOUNT_REQUEST__INIT;

	trl_set(&ask, account_id, trl_value_bytes(ctx, account));
	return find(self, ctx, &ask, out, found);
}

static void
name_member(tenants_member *member, const Auth__V1__ListAccountsReply *accounts)
{
	for (size_t i = 0; i < accounts->n_items; i++) {
		const Auth__V1__AccountFacts *facts = accounts->items[i];

		if (!trl_id_eq(trl_value_id(facts->account_id),
			trl_value_id(member->account_id)))
			continue;
		member->email = facts->email;
		member->display_name = facts->display_name;
		return;
	}
}

enum trl_code
tenants_name_members(
    struct tenants *self, trl_ctx *ctx, tenants_member **members, size_t n)
{
	Auth__V1__ListAccountsRequest ask = AUTH__V1__LIST_ACCOUNTS_REQUEST__INIT;
	Auth__V1__ListAccountsReply *accounts;
	enum trl_code rc;

	if (n == 0)
		return TRL_OK;
	ask.account_ids = trl_arena_alloc(ctx->arena, n * sizeof ask.account_ids[0]);
	for (size_t i = 0; i < n; i++)
		ask.account_ids[ask.n_account_ids++] = members[i]->account_id;
	rc = auth_call_list_accounts_with(
	    ctx, self->bus, &ask, &as_ourselves, &accounts);
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	for (size_t i = 0; i < n; i++)
		name_member(members[i], accounts);
	return TRL_OK;
}
