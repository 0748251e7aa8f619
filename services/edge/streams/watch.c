/* watch.c - whether a stream may go on. A stream is a copy of what auth and
 * tenants said, like those in Redis: it is believed under the present epochs of its
 * account and tenant, and before something is sent they must have said it within five
 * seconds (shared/access). What one asks, another reads from Redis. An idle stream is
 * looked at as often, by its epochs only. */
#include <stdlib.h>
#include <string.h>

#include "streams/stream.h"

enum {
	TOGETHER = 512,
	WORKERS = 16,
	ASK_MS = 5000,
	FRESH_US = 5000000,
	IDLE_US = 60000000
};

void
stream_learn(struct edge_stream *stream, const struct edge_request *request)
{
	const struct trl_principal *principal = &request->ctx->principal;
	const size_t bytes = principal->n_permissions * sizeof *stream->permissions;

	memcpy(stream->hash, request->hash, sizeof stream->hash);
	stream->account = request->who->account;
	stream->session = request->who->session;
	stream->key = request->key;
	stream->account_epoch = request->account_epoch;
	stream->tenant_epoch = request->tenant_epoch;
	stream->expires_at_us = request->who->expires_at_us;
	free(stream->permissions);
	stream->permissions = malloc(bytes ? bytes : 1);
	trl_assert(stream->permissions);
	memcpy(stream->permissions, principal->permissions, bytes);
	stream->n_permissions = principal->n_permissions;
}

/* Streams whose owners several actors ask. */
struct asking {
	struct edge_stream **streams;
	size_t n, next, workers;
	struct trl_ticket ticket;
	bool waits;
	enum trl_code rc;
};

static void
deny(struct edge_stream *stream)
{
	trl_series_add(stream->all->denied, 1);
	stream_end(stream);
}

static enum trl_code
ask_one(trl_ctx *ctx, struct edge_stream *stream)
{
	const bool is_key = !trl_id_is_nil(stream->key);
	const struct trl_access_who who = { .kind = is_key ? TRL_KEY : TRL_PERSON,
		.account = stream->account,
		.session = stream->session,
		.tenant = stream->in[BY_TENANT].set->id };
	const uint64_t now = trl_mono_us();
	struct edge_request request = {
		.edge = stream->all->edge, .ctx = ctx, .who = &who, .key = stream->key
	};
	enum trl_code rc;

	memcpy(request.hash, stream->hash, sizeof request.hash);
	rc = edge_grant_renew(&request, who.tenant);
	if (!stream->http) /* it went meanwhile */
		return TRL_OK;
	if (rc == TRL_OK && !trl_may(ctx, stream->all->permission))
		rc = TRL_DENIED;
	if (rc == TRL_OK) {
		stream_learn(stream, &request);
		stream->last_asked_us = now;
	} else if (rc < TRL_BUSY) { /* a condition: no session, no member */
		deny(stream);
		rc = TRL_OK;
	}
	return rc;
}

static void
work(trl_ctx *ctx, void *arg)
{
	struct asking *asking = arg;

	ctx->service = "edge";
	while (asking->next < asking->n) {
		struct edge_stream *stream = asking->streams[asking->next++];
		enum trl_code rc;

		if (!stream->http)
			continue;
		trl_set_deadline(ctx, trl_mono_us() + ASK_MS * 1000ull);
		rc = ask_one(ctx, stream);
		if (rc != TRL_OK)
			asking->rc = rc;
		trl_err_clear(ctx);
		memset(&ctx->principal, 0, sizeof ctx->principal);
		trl_arena_reset(ctx->arena);
	}
	if (--asking->workers == 0 && asking->waits)
		(void)trl_wake(asking->ticket);
}

/* Parks until all have been asked. */
static enum trl_code
ask_all(trl_ctx *ctx, struct edge_stream **streams, size_t n)
{
	struct asking asking = { .streams = streams, .n = n };
	const struct trl_spawn spawn = { .name = "stream access",
		.run = work,
		.arg = &asking,
		.timeout_ms = ASK_MS };

	for (size_t i = 0; i < n && i < WORKERS; i++)
		if (trl_spawn(ctx->loop, &spawn) == TRL_OK)
			asking.workers++;
	if (n && !asking.workers)
		return trl_fail(ctx, TRL_BUSY, "no actor is free to ask for access");
	while (asking.workers) { /* they hold this stack */
		trl_set_deadline(ctx, trl_mono_us() + 2 * ASK_MS * 1000ull);
		asking.ticket = trl_park_begin(ctx);
		asking.waits = true;
		if (trl_park(ctx, asking.ticket, "stream access") != TRL_OK)
			trl_err_clear(ctx);
		asking.waits = false;
	}
	if (asking.rc != TRL_OK)
		return trl_fail(
		    ctx, asking.rc, "access of streams cannot be asked for");
	return TRL_OK;
}

/* The epochs of streams: a tenant's is fetched once for those of it that stand
 * together. */
static void
fetch_epochs(trl_ctx *ctx, struct edge_streams *all, struct edge_stream **streams,
    size_t n, uint64_t *accounts, uint64_t *tenants)
{
	trl_access *access = all->edge->access;
	struct trl_id *ids = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *ids);
	struct trl_id *sets = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *sets);
	size_t *which = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *which);
	uint64_t *found = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *found);
	size_t n_sets = 0;

	for (size_t i = 0; i < n; i++) {
		const struct trl_id tenant = streams[i]->in[BY_TENANT].set->id;

		ids[i] = streams[i]->account;
		if (!n_sets || !trl_id_eq(sets[n_sets - 1], tenant))
			sets[n_sets++] = tenant;
		which[i] = n_sets - 1;
	}
	trl_access_account_epochs(ctx, access, ids, n, accounts);
	trl_access_tenant_epochs(ctx, access, sets, n_sets, found);
	for (size_t i = 0; i < n; i++)
		tenants[i] = found[which[i]];
}

/* Where Redis does not tell (0), an idle stream is asked for once a minute. */
static bool
must_ask(const struct edge_stream *stream, uint64_t account, uint64_t tenant,
    int64_t wall_us, bool fresh)
{
	const uint64_t age_us = trl_mono_us() - stream->last_asked_us;
	const bool is_key = !trl_id_is_nil(stream->key);

	if (stream->expires_at_us && stream->expires_at_us <= wall_us)
		return true;
	if (fresh && age_us > FRESH_US)
		return true;
	if (!tenant || (!is_key && !account))
		return fresh || age_us > IDLE_US;
	return tenant != stream->tenant_epoch ||
	       (!is_key && account != stream->account_epoch);
}

static enum trl_code
check_some(trl_ctx *ctx, struct edge_streams *all, struct edge_stream **streams,
    size_t n, bool fresh)
{
	uint64_t *accounts = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *accounts);
	uint64_t *tenants = trl_arena_alloc(ctx->arena, (n + 1) * sizeof *tenants);
	struct edge_stream **ask =
	    trl_arena_alloc(ctx->arena, (n + 1) * sizeof(void *));
	const int64_t wall_us = trl_now(ctx);
	size_t n_ask = 0;

	fetch_epochs(ctx, all, streams, n, accounts, tenants);
	for (size_t i = 0; i < n; i++)
		if (streams[i]->http &&
		    must_ask(streams[i], accounts[i], tenants[i], wall_us, fresh))
			ask[n_ask++] = streams[i];
	return ask_all(ctx, ask, n_ask);
}

enum trl_code
stream_check(
    trl_ctx *ctx, struct edge_streams *all, struct edge_stream *first, bool fresh)
{
	const struct trl_arena_mark start = trl_arena_mark(ctx->arena);
	struct edge_stream **streams, *next = first;
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && next) {
		size_t n = 0;

		streams = trl_arena_alloc(ctx->arena, TOGETHER * sizeof(void *));
		for (; next && n < TOGETHER; next = next->picked)
			streams[n++] = next;
		rc = check_some(ctx, all, streams, n, fresh);
		if (rc == TRL_OK)
			trl_arena_rewind(ctx->arena, start);
	}
	return rc;
}
