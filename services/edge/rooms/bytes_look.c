/* bytes_look.c - a transfer acts under the rights that its caller has while it lasts:
 * they are asked for anew every five seconds. Where nobody can say, it goes on for half
 * a minute, so that a restart of auth or tenants cuts nobody off. A transfer may last
 * for days, so whatever a look takes of the arena is given back. */
#include "rooms/bytes.h"

enum {
	LOOK_US = 5000000,
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
	return rc == TRL_OK ? edge_permission(again) : rc;
}

enum trl_code
bytes_look(struct edge_request *request, struct bytes_look *look)
{
	trl_ctx *ctx = request->ctx;
	const uint64_t now = trl_mono_us();
	const struct trl_arena_mark mark = trl_arena_mark(ctx->arena);
	const struct trl_principal principal = ctx->principal;
	const struct trl_id tenant = ctx->tenant;
	struct edge_request again = *request;
	enum trl_code rc;

	if (!look->known_us)
		*look = (struct bytes_look){ now + LOOK_US, now };
	if (request->route->method->auth == TRL_AUTH_PUBLIC || now < look->next_us)
		return TRL_OK;
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
