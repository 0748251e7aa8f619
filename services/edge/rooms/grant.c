/* grant.c - which tenant a request is about and what its caller may do there. The
 * second round trip to Redis brings both epochs, the grant's copy and the limits of
 * person or key and tenant; tenants is asked only where there is no copy. */
#include <string.h>

#include <tenants_v1.trl.h>

#include "rooms/rooms.h"

static enum trl_code
no_tenant(trl_ctx *ctx)
{
	trl_err_clear(ctx);
	return trl_fail(ctx, TRL_NOT_FOUND, "There is no such tenant.");
}

/* The tenant of path, header and key; nil where nothing names one.
 * Errors: TRL_MALFORMED (not an id, or two that differ), TRL_NOT_FOUND (a key of
 * another tenant: as if it did not exist). */
static enum trl_code
name_tenant(struct edge_request *request, struct trl_id *out)
{
	const int segment = request->route->tenant_segment;
	const char *header = trl_http_header(request->http, "x-tenant-id");
	const char *asked =
	    request->route->method->stream ? edge_query(request, "tenant_id") : NULL;
	const bool is_key = request->who->kind == TRL_KEY;
	struct trl_id path = trl_id_nil, named = trl_id_nil;

	if (segment >= 0 && !trl_id_parse(request->segments[segment],
				strlen(request->segments[segment]), &path))
		return no_tenant(request->ctx);
	if (header && !trl_id_parse(header, strlen(header), &named))
		return trl_fail(
		    request->ctx, TRL_MALFORMED, "X-Tenant-Id is not an id.");
	if (asked && !trl_id_parse(asked, strlen(asked), &path)) {
		trl_err_violation(
		    request->ctx, "/tenant_id", "should be an id of 36 characters");
		return trl_fail(request->ctx, TRL_INVALID,
		    "tenant_id should be an id of 36 characters.");
	}
	if (header && asked && !trl_id_eq(path, named))
		return trl_fail(
		    request->ctx, TRL_MALFORMED, "X-Tenant-Id contradicts tenant_id.");
	if (header && segment >= 0 && !trl_id_eq(path, named))
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "X-Tenant-Id contradicts the tenant in the path.");
	if (header && is_key && !trl_id_eq(request->who->tenant, named))
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "X-Tenant-Id contradicts the tenant of the API key.");
	if ((segment >= 0 || asked) && is_key && !trl_id_eq(request->who->tenant, path))
		return no_tenant(request->ctx);
	*out = segment >= 0 || asked ? path : header ? named : request->who->tenant;
	return TRL_OK;
}

/* Asks tenants. tenant nil: the account's only membership. */
static enum trl_code
ask_grant(struct edge_request *request, struct trl_id tenant)
{
	Tenants__V1__GetGrantRequest in = TENANTS__V1__GET_GRANT_REQUEST__INIT;
	const struct trl_access_who *who = request->who;
	struct trl_id subject = who->kind == TRL_KEY ? who->session : who->account;
	const ProtobufCBinaryData id = { sizeof subject.bytes, subject.bytes };
	struct trl_access_grant *grant;
	Tenants__V1__Grant *out;
	enum trl_code rc;

	if (who->kind == TRL_KEY) {
		trl_set(&in, key_id, id);
	} else {
		trl_set(&in, account_id, id);
	}
	in.has_tenant_id = !trl_id_is_nil(tenant);
	in.tenant_id = (ProtobufCBinaryData){ sizeof tenant.bytes, tenant.bytes };
	rc = tenants_call_get_grant_with(request->ctx, request->edge->host->bus, &in,
	    &(const struct trl_call_terms){ .as_service = true }, &out);
	if (rc == TRL_NOT_FOUND)
		return no_tenant(request->ctx);
	if (rc == TRL_CONFLICT) {
		trl_err_clear(request->ctx);
		return trl_fail(request->ctx, TRL_MALFORMED,
		    "You belong to several tenants. Name one of them in X-Tenant-Id.");
	}
	if (rc != TRL_OK)
		return trl_fold(request->ctx, rc);
	if (out->tenant_id.len != sizeof tenant.bytes)
		return trl_fail(
		    request->ctx, TRL_INTERNAL, "tenants gave a grant of no tenant");
	grant = trl_arena_zalloc(request->ctx->arena, sizeof *grant);
	memcpy(grant->tenant.bytes, out->tenant_id.data, sizeof grant->tenant.bytes);
	grant->role = (uint8_t)out->role;
	grant->status = (uint8_t)out->status;
	grant->permissions = out->permissions;
	grant->n_permissions = out->n_permissions;
	grant->plan = out->plan ? out->plan : "";
	if (out->has_api_reads_per_minute)
		grant->quotas[TRL_LIMIT_READS - 1] = trl_access_quota(
		    request->edge->access, (uint64_t)out->api_reads_per_minute);
	if (out->has_api_writes_per_minute)
		grant->quotas[TRL_LIMIT_WRITES - 1] = trl_access_quota(
		    request->edge->access, (uint64_t)out->api_writes_per_minute);
	request->grant = grant;
	return TRL_OK;
}

static void
keep_grant(struct edge_request *request)
{
	const struct trl_access_who *who = request->who;
	struct trl_access_grant copy = *request->grant;

	copy.tenant_epoch = request->tenant_epoch;
	copy.account_epoch = request->account_epoch;
	if (!copy.tenant_epoch || (who->kind == TRL_PERSON && !copy.account_epoch))
		return;
	trl_access_keep_grant(request->ctx, request->edge->access,
	    who->kind == TRL_KEY ? who->session : who->account, &copy);
}

/* A copy of the credential that is not of the present epoch, or has ended. */
static bool
is_stale(const struct edge_request *request)
{
	const struct trl_access_who *who = request->who;
	const uint64_t epoch =
	    who->kind == TRL_KEY ? request->tenant_epoch : request->account_epoch;

	return request->who_is_copy &&
	       (!epoch || who->epoch != epoch ||
		   (who->expires_at_us && who->expires_at_us <= trl_now(request->ctx)));
}

/* Asks auth anew; what it says is newer than the epoch, so it may be kept at once. */
static enum trl_code
refresh(struct edge_request *request)
{
	const struct trl_access_who *was = request->who;
	struct trl_access_who who;
	enum trl_code rc = edge_principal_resolve(request);

	if (rc != TRL_OK)
		return rc;
	who = *request->who;
	if (who.kind != was->kind || !trl_id_eq(who.account, was->account) ||
	    !trl_id_eq(who.tenant, was->tenant))
		return trl_fail(
		    request->ctx, TRL_INTERNAL, "a credential changed its owner");
	who.epoch =
	    who.kind == TRL_KEY ? request->tenant_epoch : request->account_epoch;
	trl_access_keep_who(request->ctx, request->edge->access, request->hash, &who);
	return TRL_OK;
}

/* A key's permissions, and the features of the plan that its tenant has; both rise. */
static void
fill_of_key(struct edge_request *request)
{
	const struct trl_access_who *who = request->who;
	const struct trl_access_grant *grant = request->grant;
	struct trl_principal *principal = &request->ctx->principal;
	const size_t n = who->n_permissions + grant->n_permissions;
	uint32_t *both;

	principal->permissions = who->permissions;
	principal->n_permissions = who->n_permissions;
	if (grant->n_permissions == 0)
		return;
	both = trl_arena_alloc(request->ctx->arena, n * sizeof *both);
	for (size_t i = 0, a = 0, b = 0; i < n; i++)
		both[i] = b == grant->n_permissions ||
				  (a < who->n_permissions &&
				      who->permissions[a] <= grant->permissions[b])
			      ? who->permissions[a++]
			      : grant->permissions[b++];
	principal->permissions = both;
	principal->n_permissions = n;
}

static void
fill_principal(struct edge_request *request)
{
	const struct trl_access_who *who = request->who;
	struct trl_principal *principal = &request->ctx->principal;

	principal->kind = who->kind;
	principal->account = who->account;
	principal->session = who->session;
	principal->verified = who->verified;
	if (!request->grant)
		return;
	request->ctx->tenant = request->grant->tenant;
	principal->role = request->grant->role;
	if (who->kind == TRL_PERSON) {
		principal->permissions = request->grant->permissions;
		principal->n_permissions = request->grant->n_permissions;
	} else if (request->grant->status == TENANTS__V1__TENANT__STATUS__active) {
		fill_of_key(request);
	}
}

/* A caller who asks for a tenant without belonging to it takes nothing of its limit and
 * is not shown it, but counts as outside of any tenant, whichever ids are tried. */
static enum trl_code
was_outside(struct edge_request *request, size_t n_before)
{
	struct trl_access_visit visit;
	enum trl_code rc;

	request->states.n = n_before;
	rc = trl_access_arrive(request->ctx, request->edge->access, request->who,
	    trl_id_nil, request->route->method->rate, &visit, &request->states);
	return rc == TRL_OK ? no_tenant(request->ctx) : rc;
}

/* Where there was no copy: the grant itself, and then the tenant's limit. */
static enum trl_code
enter_tenant(struct edge_request *request, struct trl_id tenant,
    const struct trl_access_visit *visit, size_t n_before)
{
	/* Also where it was asked for already: what is kept is read after its epochs.
	 */
	enum trl_code rc = ask_grant(request, tenant);

	if (rc == TRL_NOT_FOUND)
		return was_outside(request, n_before);
	if (rc != TRL_OK)
		return rc;
	keep_grant(request);
	if (visit->tenant_counted)
		return TRL_OK;
	return trl_access_belongs(request->ctx, request->edge->access, request->grant,
	    request->route->method->rate, &request->states);
}

enum trl_code
edge_grant(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	const bool in_tenant = method->auth == TRL_AUTH_TENANT;
	struct trl_id tenant = trl_id_nil;
	struct trl_access_visit visit;
	const size_t n_before = request->states.n;
	enum trl_code rc;

	if (method->auth == TRL_AUTH_PUBLIC)
		return TRL_OK;
	if (in_tenant || request->who->kind == TRL_KEY) {
		rc = name_tenant(request, &tenant);
		if (rc != TRL_OK)
			return rc;
		if (trl_id_is_nil(tenant)) {
			rc = ask_grant(request, trl_id_nil);
			if (rc != TRL_OK)
				return rc;
			tenant = request->grant->tenant;
		}
	}
	rc = trl_access_arrive(request->ctx, request->edge->access, request->who,
	    tenant, method->rate, &visit, &request->states);
	request->account_epoch = visit.account_epoch;
	request->tenant_epoch = visit.tenant_epoch;
	if (rc != TRL_OK)
		return rc;
	if (is_stale(request)) {
		rc = refresh(request);
		if (rc != TRL_OK)
			return rc;
	}
	if (in_tenant && visit.grant) {
		request->grant = visit.grant;
	} else if (in_tenant) {
		rc = enter_tenant(request, tenant, &visit, n_before);
		if (rc != TRL_OK)
			return rc;
	}
	fill_principal(request);
	return TRL_OK;
}

enum trl_code
edge_grant_renew(struct edge_request *request, struct trl_id tenant)
{
	const struct trl_access_who *was = request->who;
	struct trl_access_visit visit;
	enum trl_code rc;

	/* The epochs first: what the owners say is then newer. */
	trl_access_look(request->ctx, request->edge->access, was, tenant, &visit);
	request->account_epoch = visit.account_epoch;
	request->tenant_epoch = visit.tenant_epoch;
	rc = edge_principal_resolve(request);
	if (rc != TRL_OK)
		return rc;
	if (request->who->kind != was->kind ||
	    !trl_id_eq(request->who->account, was->account))
		return trl_fail(
		    request->ctx, TRL_INTERNAL, "a credential changed its owner");
	request->grant = visit.grant;
	if (!request->grant) {
		rc = ask_grant(request, tenant);
		if (rc != TRL_OK)
			return rc;
		keep_grant(request);
	}
	fill_principal(request);
	return TRL_OK;
}
