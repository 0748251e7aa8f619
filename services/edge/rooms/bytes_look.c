/* bytes_look.c - a transfer acts under its caller's present rights: every five seconds
 * they are asked for again, including the permission that the service named for the
 * body. If nobody can say, the transfer goes on for half a minute, so that a restart of
 * auth or tenants cuts nobody off. It may last for days, so each look gives back what
 * it takes of the arena. */
#include "rooms/bytes.h"

enum {
	LOOK_US = 5000000,
	MOMENT_US = 50000, /* a body that arrives within this needs no look */
	RETRY_US = 1000000,
	PATIENCE_US = 30000000,
	ASK_US = 2000000
};

static enum trl_code
ask(struct edge_request *again)
{
	enum trl_code rc;

	if (again->route->method->auth == TRL_AUTH_TENANT)
		rc = edge_grant_renew(again, again->ctx->tenant);
	else
		rc = edge_principal_resolve(again);
	if (rc == TRL_OK)
		rc = edge_permission(again);
	if (rc == TRL_OK && again->permission &&
	    !trl_may(again->ctx, again->permission))
		rc = trl_fail(again->ctx, TRL_DENIED,
		    "The permission that %s asks for here is missing.",
		    again->route->method->name);
	return rc;
}

struct bytes_look
bytes_looked(void)
{
	const uint64_t now = trl_mono_us();

	return (struct bytes_look){ now + LOOK_US, now };
}

static enum trl_code
look_now(struct edge_request *request, struct bytes_look *look)
{
	trl_ctx *ctx = request->ctx;
	const uint64_t now = trl_mono_us();
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	const struct trl_principal principal = ctx->principal;
	const struct trl_id tenant = ctx->tenant;
	struct edge_request again = *request;
	enum trl_code rc;

	trl_set_deadline(ctx, now + ASK_US);
	rc = ask(&again);
	trl_set_deadline(ctx, trl_mono_us() + PATIENCE_US);
	ctx->principal = principal;
	ctx->tenant = tenant;
	if (rc == TRL_OK) {
		*look = (struct bytes_look){ now + LOOK_US, now };
	} else if (trl_is_fault(rc) && now - look->known_us < PATIENCE_US) {
		look->next_us = trl_mono_us() + RETRY_US;
	} else {
		request->challenge = again.challenge;
		request->status = again.status;
		return rc;
	}
	trl_err_clear(ctx);
	trl_arena_rewind(ctx->arena, mark);
	return TRL_OK;
}

static bool
is_public(const struct edge_request *request)
{
	return request->route->method->auth == TRL_AUTH_PUBLIC;
}

enum trl_code
bytes_look(struct edge_request *request, struct bytes_look *look)
{
	return is_public(request) || trl_mono_us() < look->next_us
		   ? TRL_OK
		   : look_now(request, look);
}

enum trl_code
bytes_look_last(struct edge_request *request, struct bytes_look *look)
{
	return is_public(request) || trl_mono_us() < look->known_us + MOMENT_US
		   ? TRL_OK
		   : look_now(request, look);
}
