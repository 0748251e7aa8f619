/* permission.c - whether the caller may call this method; the service checks again. */
#include <tenants_v1.trl.h>

#include "rooms/rooms.h"

/* Errors: TRL_DENIED. A token that could do it would have to be of another scope. */
static enum trl_code
lacks_scope(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	trl_ctx *ctx = request->ctx;

	if (request->credential == EDGE_BEARER)
		request->challenge = trl_arena_printf(ctx->arena,
		    EDGE_CHALLENGE ", error=\"insufficient_scope\"%s%s%s",
		    method->permission_name ? ", scope=\"" : "",
		    method->permission_name ? method->permission_name : "",
		    method->permission_name ? "\"" : "");
	if (method->auth == TRL_AUTH_SESSION)
		return trl_fail(
		    ctx, TRL_DENIED, "Only a person who has signed in can do this.");
	return trl_fail(
	    ctx, TRL_DENIED, "The permission %s is missing.", method->permission_name);
}

/* Errors: TRL_QUOTA. */
static enum trl_code
has_feature(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	const char *plan = request->grant->plan;

	if (!method->feature || trl_may(request->ctx, method->feature_id))
		return TRL_OK;
	trl_err_quota(request->ctx, method->feature, plan, 0, 0);
	return trl_fail(request->ctx, TRL_QUOTA, "The plan %s does not have %s.", plan,
	    method->feature);
}

enum trl_code
edge_permission(struct edge_request *request)
{
	const struct trl_method *method = request->route->method;
	trl_ctx *ctx = request->ctx;

	switch (method->auth) {
	case TRL_AUTH_PUBLIC:
		return TRL_OK;
	case TRL_AUTH_SESSION:
		if (ctx->principal.kind == TRL_PERSON)
			return TRL_OK;
		return lacks_scope(request);
	case TRL_AUTH_TENANT:
		if (method->permission && trl_may(ctx, method->permission))
			return has_feature(request);
		/* An owner lacks nothing but while it is being deleted. */
		if (ctx->principal.kind == TRL_PERSON &&
		    request->grant->status != TENANTS__V1__TENANT__STATUS__active)
			return trl_fail(ctx, TRL_CONFLICT,
			    "This organisation is being deleted. Until it is restored, "
			    "you can only restore it and read its invoices.");
		return lacks_scope(request);
	default:
		return trl_fail(
		    ctx, TRL_DENIED, "This method cannot be called over HTTP.");
	}
}
