/* auth.CreateApiKey - what programs show instead of a
 * session. A key is `trl_<id>_<secret><checksum>`; of its text only a hash is
 * kept. It may do what was written into it, never more than its maker could. */
#include <stdlib.h>
#include <string.h>

#include <trl/member.h>

#include "auth.h"

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In order and without doubles. Errors: TRL_DENIED, TRL_INVALID. */
static enum trl_code
take_permissions(
    trl_ctx *ctx, const Auth__V1__CreateApiKeyRequest *in, Auth__V1__CreatedApiKey *out)
{
	size_t n = in->n_permissions, kept = 0;
	char **names = trl_arena_memdup(ctx->arena, in->permissions, n * sizeof *names);

	for (size_t i = 0; i < n; i++) {
		const struct trl_permission *known = trl_permission_by_name(names[i]);

		if (!known)
			return trl_fail_field(ctx, TRL_INVALID, "permissions",
			    "There is no permission %.100s.", names[i]);
		if (!trl_may(ctx, known->id))
			return trl_fail_field(ctx, TRL_DENIED, "permissions",
			    "You do not hold the permission %.100s yourself.",
			    names[i]);
	}
	qsort(names, n, sizeof *names, compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	out->permissions = names;
	out->n_permissions = kept;
	return TRL_OK;
}

static enum trl_code
store_key(
    struct auth *self, trl_ctx *ctx, struct trl_id id, Auth__V1__CreatedApiKey *out)
{
	trl_batch *work = auth_change_new(self, ctx, TRL_SCOPE_TENANT(ctx->tenant));
	uint8_t hash[TRL_ACCESS_HASH];
	Auth__V1__ApiKey *detail = auth_v1_api_key_new(ctx);

	/* What the audit log and the others may know of it: not the key itself. */
	trl_member_copy_all(&out->base, &detail->base);
	trl_access_hash(out->key, strlen(out->key), hash);
	trl_batch_add(work, &auth_sql_key_room, NULL,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_INT("allowed", AUTH_KEYS_MAX));
	if (ctx->principal.kind == TRL_KEY)
		trl_batch_add(work, &auth_sql_key_outlives, &out->base,
		    TRL_ARG_ID("tenant_id", ctx->tenant),
		    TRL_ARG_ID("maker_key_id", ctx->principal.session));
	trl_batch_add(work, &auth_sql_key_insert, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant),
	    TRL_ARG_BYTES("key_hash", hash, sizeof hash));
	trl_batch_add(work, &auth_sql_key_directory_insert, &out->base,
	    TRL_ARG_ID("tenant_id", ctx->tenant));
	auth_tell_key(ctx, work, &auth_event_api_key_created, detail);
	trl_batch_audit(work, "auth.key.create", id, "key", &detail->base);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_DENIED, TRL_INVALID (permissions, expires_at), TRL_QUOTA. */
enum trl_code
auth_create_api_key(struct auth *self, trl_ctx *ctx,
    const Auth__V1__CreateApiKeyRequest *in, Auth__V1__CreatedApiKey *out)
{
	struct trl_id id = trl_new_id(ctx);
	char text[TRL_ACCESS_KEY_TEXT];
	int64_t now = trl_now(ctx);
	enum trl_code rc;

	rc = take_permissions(ctx, in, out);
	if (rc != TRL_OK)
		return rc;
	if (in->expires_at && trl_value_time_us(in->expires_at) <= now)
		return trl_fail_field(ctx, TRL_INVALID, "expires_at",
		    "An API key cannot expire in the past.");
	trl_access_key_token(id, text);
	trl_set(out, id, trl_value_bytes(ctx, id));
	out->name = in->name;
	if (ctx->principal.kind == TRL_PERSON) /* of a key, this is who made that */
		trl_set(out, created_by, trl_value_bytes(ctx, ctx->principal.account));
	else if (ctx->principal.kind == TRL_KEY)
		trl_set(out, made_by_key, trl_value_bytes(ctx, ctx->principal.session));
	out->created_at = trl_value_time(ctx, now);
	out->expires_at = in->expires_at;
	out->key = trl_arena_strdup(ctx->arena, text);
	return store_key(self, ctx, id, out);
}
