/* permission.c - whether who calls may call this method; the service checks again. */
#include <trellis/tenants/v1/tenants.trl.h>

#include "edge.h"

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
		return trl_fail(ctx, TRL_DENIED, "This is for a person who signed in.");
	case TRL_AUTH_TENANT:
		if (method->permission && trl_may(ctx, method->permission))
			return TRL_OK;
		/* An owner lacks nothing but while it is being deleted. */
		if (ctx->principal.kind == TRL_PERSON &&
		    request->grant->status != TENANTS__V1__TENANT__STATUS__active)
			return trl_fail(ctx, TRL_CONFLICT,
			    "This organisation is being deleted. Until it is restored, "
			    "it can only be read and restored.");
		return trl_fail(ctx, TRL_DENIED, "The permission %s is missing.",
		    method->permission_name);
	default:
		return trl_fail(
		    ctx, TRL_DENIED, "This is not open to callers by HTTP.");
	}
}
