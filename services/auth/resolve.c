/* auth.ResolveSession, ResolveKey, ListTenantAudit - what the mesh asks.
 *
 * The edge asks who a credential is when it has no copy that it may believe, which
 * is at most once a minute for a credential in use: that is also when its last use
 * is written. A directory leads from the hash (or the id inside a key) to whose
 * rows may be read; the rows decide. */
#include <stdlib.h>

#include <sodium.h>

#include "auth.h"

/* A last use that is not written is a last use that is a minute old: nobody is
 * refused for it. */
static void
write_last_use(trl_ctx *ctx, trl_batch *work)
{
	if (trl_batch_write_unrecorded(work) != TRL_OK)
		trl_err_clear(ctx);
}

static void
touch_session(struct auth *self, trl_ctx *ctx, const Auth__V1__SessionRow *row)
{
	int64_t now = trl_now(ctx),
		before = now - AUTH_TOUCH_SECONDS * INT64_C(1000000);
	struct trl_id account = trl_value_id(row->account_id);
	trl_batch *work;

	if (trl_value_time_us(row->last_used_at) > before)
		return;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_ACCOUNT(account));
	trl_batch_add(work, &auth_sql_session_touch, &row->base,
	    TRL_ARG_TIME("now", now), TRL_ARG_TIME("before", before));
	write_last_use(ctx, work);
}

/* When a session ends without another use, as of a use that may not be written. */
static int64_t
session_end(const struct auth *self, int64_t now, const Auth__V1__SessionRow *row)
{
	int64_t used = trl_value_time_us(row->last_used_at),
		end = trl_value_time_us(row->expires_at);
	int64_t idle = self->config->session_idle_minutes * 60 * 1000000;

	if (now - used > AUTH_TOUCH_SECONDS * INT64_C(1000000))
		used = now;
	return used + idle < end ? used + idle : end;
}

/* Errors: TRL_NOT_FOUND (also ended). */
enum trl_code
auth_resolve_session(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ResolveSessionRequest *in, Auth__V1__ResolvedSession *out)
{
	Auth__V1__SessionRow row = AUTH__V1__SESSION_ROW__INIT;
	int64_t now = trl_now(ctx);
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_NOBODY,
	    &auth_sql_session_directory_find, &in->base, &row.base);
	if (rc != TRL_OK)
		return rc;
	rc = trl_batch_get_one(ctx, self->pg,
	    TRL_SCOPE_ACCOUNT(trl_value_id(row.account_id)), &auth_sql_session_get,
	    &in->base, &row.base,
	    TRL_ARG_ID("account_id", trl_value_id(row.account_id)),
	    TRL_ARG_ID("session_id", trl_value_id(row.session_id)));
	if (rc != TRL_OK)
		return rc;
	if (trl_value_time_us(row.expires_at) <= now ||
	    trl_value_time_us(row.last_used_at) <= auth_idle_since(self, now))
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such session.");
	touch_session(self, ctx, &row);
	trl_set(out, account_id, row.account_id);
	trl_set(out, session_id, row.session_id);
	trl_set(out, verified, row.email_verified);
	out->expires_at = trl_value_time(ctx, session_end(self, now, &row));
	return TRL_OK;
}

static void
touch_key(
    struct auth *self, trl_ctx *ctx, struct trl_id id, const Auth__V1__KeyRow *row)
{
	int64_t now = trl_now(ctx),
		before = now - AUTH_TOUCH_SECONDS * INT64_C(1000000);
	struct trl_id tenant = trl_value_id(row->tenant_id);
	trl_batch *work;

	if (row->last_used_at && trl_value_time_us(row->last_used_at) > before)
		return;
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_add(work, &auth_sql_key_touch, NULL, TRL_ARG_ID("tenant_id", tenant),
	    TRL_ARG_ID("key_id", id), TRL_ARG_TIME("now", now),
	    TRL_ARG_TIME("before", before));
	write_last_use(ctx, work);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* A permission that a later release no longer knows is one that nobody holds. */
static void
number_permissions(
    trl_ctx *ctx, const Auth__V1__KeyRow *row, Auth__V1__ResolvedKey *out)
{
	uint32_t *ids = trl_arena_alloc(ctx->arena, row->n_permissions * sizeof *ids);
	size_t n = 0;

	for (size_t i = 0; i < row->n_permissions; i++) {
		const struct trl_permission *known =
		    trl_permission_by_name(row->permissions[i]);

		if (known)
			ids[n++] = known->id;
	}
	qsort(ids, n, sizeof *ids, compare);
	out->permissions = ids;
	out->n_permissions = n;
}

/* Reads the key's row: its directory leads to the tenant. Errors: TRL_NOT_FOUND. */
static enum trl_code
read_key(struct auth *self, trl_ctx *ctx, struct trl_id id, Auth__V1__KeyRow *row)
{
	struct trl_id tenant;
	enum trl_code rc;

	rc = trl_batch_get_one(ctx, self->pg, TRL_SCOPE_NOBODY,
	    &auth_sql_key_directory_find, NULL, &row->base, TRL_ARG_ID("key_id", id));
	if (rc != TRL_OK)
		return rc;
	tenant = trl_value_id(row->tenant_id);
	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(tenant),
	    &auth_sql_key_get, NULL, &row->base, TRL_ARG_ID("tenant_id", tenant),
	    TRL_ARG_ID("key_id", id));
}

/* Errors: TRL_NOT_FOUND (also ended, also another secret). */
enum trl_code
auth_resolve_key(struct auth *self, trl_ctx *ctx, const Auth__V1__ResolveKeyRequest *in,
    Auth__V1__ResolvedKey *out)
{
	Auth__V1__KeyRow row = AUTH__V1__KEY_ROW__INIT;
	struct trl_id id = trl_value_id(in->key_id);
	enum trl_code rc;

	rc = read_key(self, ctx, id, &row);
	if (rc != TRL_OK)
		return rc;
	if (row.key_hash.len != in->key_hash.len ||
	    sodium_memcmp(row.key_hash.data, in->key_hash.data, row.key_hash.len) !=
		0 ||
	    (row.expires_at && trl_value_time_us(row.expires_at) <= trl_now(ctx)))
		return trl_fail(ctx, TRL_NOT_FOUND, "There is no such API key.");
	touch_key(self, ctx, id, &row);
	trl_set(out, key_id, trl_value_bytes(ctx, id));
	trl_set(out, tenant_id, row.tenant_id);
	out->has_account_id = row.has_account_id;
	out->account_id = row.account_id;
	out->expires_at = row.expires_at;
	number_permissions(ctx, &row, out);
	return TRL_OK;
}

enum trl_code
auth_list_tenant_audit(struct auth *self, trl_ctx *ctx,
    const Auth__V1__ListTenantAuditRequest *in, Auth__V1__ListTenantAuditReply *out)
{
	struct trl_id tenant = trl_value_id(in->tenant_id);

	return trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(tenant),
	    &auth_sql_audit_list, NULL, &out->base, TRL_ARG_ID("tenant_id", tenant),
	    TRL_ARG_ID("before_id", trl_value_id(in->before_id)),
	    TRL_ARG_INT("limit", in->count));
}
