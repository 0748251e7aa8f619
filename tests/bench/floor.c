/* floor.c - what the bench holds the mesh against: one bare process that does for
 * GET /api/v1/tenants/{id} the same HTTP, Redis and PostgreSQL work with the same
 * libraries, and no bus. No other route, no validation, no problem documents.
 *
 *   floor LISTEN PG_URL REDIS_URL TOKEN ACCOUNT TENANT
 *
 * The session and the grant it would ask other services for are its arguments. */
#include <stdio.h>
#include <string.h>

#include <trl/access.h>
#include <trl/batch.h>
#include <trl/http.h>
#include <trl/json.h>
#include <trl/log.h>
#include <trl/wire.h>

#include "tenants_sql.h"
#include "tenants_v1.trl.h"

const struct trl_config_table *const trl_config_known[] = { &trl_access_config_table,
	NULL };

struct floor {
	trl_pg *pg;
	trl_redis *redis;
	trl_access *access;
	uint8_t token_hash[TRL_ACCESS_HASH];
	struct trl_id account, tenant;
};

/* The first round trip; on a miss the copy is made from the arguments. */
static enum trl_code
greet(struct floor *self, trl_ctx *ctx, const struct trl_http_request *request,
    const uint8_t hash[TRL_ACCESS_HASH], struct trl_access_who *made,
    const struct trl_access_who **who, struct trl_access_states *states)
{
	enum trl_code rc;

	rc = trl_access_greet(
	    ctx, self->access, request->peer_address, "read", hash, who, states);
	if (rc != TRL_OK)
		return rc;
	if (*who == NULL) {
		if (memcmp(hash, self->token_hash, TRL_ACCESS_HASH) != 0)
			return trl_fail(ctx, TRL_UNAUTHENTICATED, "unknown token");
		*made = (struct trl_access_who){
			.kind = TRL_PERSON, .account = self->account, .verified = true
		};
		*who = made;
	}
	return TRL_OK;
}

static enum trl_code
read_tenant(struct floor *self, trl_ctx *ctx, const struct trl_http_request *request,
    Tenants__V1__Tenant *out, struct trl_access_states *states)
{
	static const char prefix[] = "/api/v1/tenants/";
	const struct trl_access_who *who;
	struct trl_access_who made;
	struct trl_access_visit visit;
	uint8_t hash[TRL_ACCESS_HASH];
	const char *bearer = trl_http_header(request, "authorization");
	struct trl_id tenant;
	trl_batch *work;
	enum trl_code rc;

	if (strncmp(request->path, prefix, sizeof prefix - 1) != 0 ||
	    !trl_id_parse(request->path + sizeof prefix - 1,
		strlen(request->path + sizeof prefix - 1), &tenant))
		return trl_fail(ctx, TRL_NOT_FOUND, "no such path");
	if (bearer == NULL || strncmp(bearer, "Bearer ", 7) != 0)
		return trl_fail(ctx, TRL_UNAUTHENTICATED, "no token");
	trl_access_hash(bearer + 7, strlen(bearer + 7), hash);
	rc = greet(self, ctx, request, hash, &made, &who, states);
	if (rc != TRL_OK)
		return rc;
	rc = trl_access_arrive(ctx, self->access, who, tenant, "read", &visit, states);
	if (rc != TRL_OK)
		return rc;
	if (who == &made || who->epoch != visit.account_epoch) {
		made = (struct trl_access_who){ .kind = TRL_PERSON,
			.account = self->account,
			.verified = true,
			.epoch = visit.account_epoch };
		trl_access_keep_who(ctx, self->access, hash, &made);
	}
	if (visit.grant == NULL) {
		const struct trl_access_grant grant = { .tenant = self->tenant,
			.role = TRL_OWNER,
			.status = 1,
			.tenant_epoch = visit.tenant_epoch,
			.account_epoch = visit.account_epoch,
			.permissions = &tenants_v1_get_tenant.permission,
			.n_permissions = 1 };

		if (!trl_id_eq(tenant, self->tenant))
			return trl_fail(ctx, TRL_NOT_FOUND, "no such tenant");
		trl_access_keep_grant(ctx, self->access, self->account, &grant);
	}
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(tenant));
	trl_batch_get(work, &tenants_sql_tenant_get, NULL, &out->base,
	    TRL_ARG_ID("tenant_id", tenant));
	return trl_batch_read(work);
}

static void
handle(void *arg, trl_ctx *ctx, struct trl_http_request *request)
{
	struct floor *self = arg;
	struct trl_http_response response = { .status = 200 };
	struct trl_access_states states = { 0 };
	Tenants__V1__Tenant tenant = TENANTS__V1__TENANT__INIT;
	TRL_AUTO(trl_buf_fini) struct trl_buf body = { 0 };
	enum trl_code rc;

	rc = read_tenant(self, ctx, request, &tenant, &states);
	if (rc != TRL_OK) {
		response.status = (uint16_t)trl_code_status(rc);
		response.body = ctx->err.message;
		response.body_len = strlen(ctx->err.message);
		trl_http_reply(ctx, request, &response);
		return;
	}
	trl_json_encode(&body, &tenants_v1_tenant_rules, &tenant.base, false);
	trl_http_add_header(&response, "content-type", "application/json");
	trl_http_add_header(&response, "etag",
	    trl_arena_printf(ctx->arena, "\"%lld\"", (long long)tenant.version));
	trl_http_add_header(&response, "x-content-type-options", "nosniff");
	trl_http_add_header(&response, "referrer-policy", "no-referrer");
	trl_http_add_header(&response, "cache-control", "private, no-cache");
	if (states.n > 0) {
		const struct trl_limit_state *s = &states.state[states.n - 1];

		trl_http_add_header(&response, "ratelimit-policy",
		    trl_arena_printf(ctx->arena, "\"%s\";q=%llu;w=%u", s->limit->name,
			(unsigned long long)s->quota, s->limit->window_s));
		trl_http_add_header(&response, "ratelimit",
		    trl_arena_printf(ctx->arena, "\"%s\";r=%llu;t=%llu", s->limit->name,
			(unsigned long long)s->remaining,
			(unsigned long long)(s->next_us / 1000000)));
	}
	response.body = body.data;
	response.body_len = body.len;
	trl_http_reply(ctx, request, &response);
}

static void
refuse(void *self, trl_arena *arena, const struct trl_http_refusal *refusal,
    struct trl_http_response *out)
{
	(void)self;
	(void)arena;
	*out = (struct trl_http_response){ .status = refusal->status,
		.body = refusal->detail,
		.body_len = strlen(refusal->detail),
		.close = true };
}

int
main(int argc, char **argv)
{
	static struct floor self;
	const struct trl_http_handler handler = {
		.handle = handle, .refuse = refuse, .self = &self
	};
	struct trl_http_options http = { 0 };
	struct trl_pg_options pg = { .sql = &tenants_sql };
	trl_http_server *server;
	trl_loop *loop;

	if (argc != 7 || !trl_id_parse(argv[5], strlen(argv[5]), &self.account) ||
	    !trl_id_parse(argv[6], strlen(argv[6]), &self.tenant)) {
		fprintf(stderr,
		    "usage: floor LISTEN PG_URL REDIS_URL TOKEN ACCOUNT TENANT\n");
		return 2;
	}
	trl_log_init("floor", TRL_LOG_WARN);
	loop = trl_loop_new(NULL);
	http.listen = argv[1];
	pg.url = argv[2];
	self.redis = trl_redis_open(loop, argv[3], trl_access_scripts);
	self.access = trl_access_open(loop, self.redis);
	trl_access_hash(argv[4], strlen(argv[4]), self.token_hash);
	if (self.access == NULL || trl_pg_open(loop, &pg, &self.pg) != TRL_OK ||
	    trl_http_open(loop, &http, &handler, &server) != TRL_OK)
		return 1;
	trl_loop_run(loop);
	return 0;
}
