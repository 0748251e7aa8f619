/* permit.c - who may call what. Caller x method is decided by the contract only, and
 * so is principal x method; what neither allows is refused.
 *
 * The operator's command ("ctl", a caller with keys of its own) stands outside that
 * table: it may call every method, as the operator and as nobody else. What it does in
 * a tenant it does under that tenant's row security, like everybody, and the audit
 * names the operator. Such a principal is believed from the operator's command, and
 * from a service that the method lists and that handles the operator's call; never from
 * the edge. */
#include "server.h"

#include <string.h>

/* "*" is every service but the edge, which strangers reach first. */
static bool
lists(const struct trl_method *method, const char *caller)
{
	for (size_t i = 0; method->callers != NULL && method->callers[i] != NULL; i++)
		if (strcmp(method->callers[i], caller) == 0 ||
		    (strcmp(method->callers[i], "*") == 0 &&
			strcmp(caller, "edge") != 0))
			return true;
	return false;
}

static bool
is_operators(const char *caller)
{
	return strcmp(caller, "ctl") == 0;
}

bool
bus_may_call(const struct trl_method *method, const char *caller)
{
	if (is_operators(caller))
		return method->auth != TRL_AUTH_NONE;
	switch (method->auth) {
	case TRL_AUTH_PUBLIC:
	case TRL_AUTH_SESSION:
	case TRL_AUTH_TENANT:
		if (strcmp(caller, "edge") == 0 && method->verb != TRL_VERB_NONE)
			return true;
		return lists(method, caller);
	case TRL_AUTH_MESH:
		return lists(method, caller);
	default:
		return false;
	}
}

/* The operator names the one acted for, where the method is somebody's. */
static enum trl_code
check_operator(trl_ctx *ctx, const struct trl_method *method)
{
	if (!is_operators(ctx->caller) &&
	    (strcmp(ctx->caller, "edge") == 0 || !lists(method, ctx->caller)))
		return trl_fail(
		    ctx, TRL_DENIED, "The operator comes only by the trellis command.");
	if (method->auth == TRL_AUTH_TENANT && trl_id_is_nil(ctx->tenant))
		return trl_fail(
		    ctx, TRL_MALFORMED, "Say in which tenant: this method is one's.");
	if (method->auth == TRL_AUTH_SESSION && trl_id_is_nil(ctx->principal.account))
		return trl_fail(
		    ctx, TRL_MALFORMED, "Say for which account: this method is one's.");
	return TRL_OK;
}

enum trl_code
bus_check_principal(trl_ctx *ctx, const struct trl_method *method)
{
	enum trl_principal_kind kind = ctx->principal.kind;
	if (kind == TRL_OPERATOR)
		return check_operator(ctx, method);
	if (is_operators(ctx->caller))
		return trl_fail(ctx, TRL_DENIED, "This is for the operator.");
	switch (method->auth) {
	case TRL_AUTH_PUBLIC:
	case TRL_AUTH_MESH:
		return TRL_OK;
	case TRL_AUTH_SESSION:
	case TRL_AUTH_TENANT:
		break;
	default:
		return trl_fail(ctx, TRL_DENIED, "This is not served.");
	}
	if (kind == TRL_SERVICE && lists(method, ctx->caller))
		return TRL_OK;
	if (kind != TRL_PERSON && kind != TRL_KEY)
		return trl_fail(ctx, TRL_UNAUTHENTICATED, "Sign in first.");
	if (method->auth == TRL_AUTH_SESSION)
		return kind == TRL_PERSON ? TRL_OK
					  : trl_fail(ctx, TRL_DENIED,
						"This needs a person's session.");
	if (method->feature && !trl_may(ctx, method->feature_id)) {
		trl_err_quota(ctx, method->feature, "", 0, 0);
		return trl_fail(
		    ctx, TRL_QUOTA, "The plan does not have %s.", method->feature);
	}
	if (trl_id_is_nil(ctx->tenant) || !trl_may(ctx, method->permission))
		return trl_fail(ctx, TRL_DENIED, "This needs the permission %s.",
		    method->permission_name ? method->permission_name
					    : "of an operator");
	return TRL_OK;
}

bool
bus_settle_tenant(
    trl_ctx *ctx, const struct trl_method *method, const ProtobufCMessage *in)
{
	const ProtobufCFieldDescriptor *field;
	const ProtobufCBinaryData *id;

	if ((method->auth != TRL_AUTH_TENANT && method->auth != TRL_AUTH_OPERATOR) ||
	    method->tenant_field < 0)
		return true;
	field = &method->in->descriptor->fields[method->tenant_field];
	id = (const void *)((const char *)in + field->offset);
	if (method->auth == TRL_AUTH_OPERATOR) {
		if (id->len == sizeof ctx->tenant.bytes)
			memcpy(ctx->tenant.bytes, id->data, id->len);
		return true;
	}
	return id->len == sizeof ctx->tenant.bytes &&
	       memcmp(id->data, ctx->tenant.bytes, id->len) == 0;
}
