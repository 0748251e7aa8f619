/* ready.c - whether a process may be sent anybody: not before it has seen that its
 * store is the one that the rows are about, and answers. Asked by the readiness check,
 * again and again until it is so, and then never more: that a store is away later is no
 * reason to take all replicas out. */
#include "inside.h"

#include <stdio.h>

#include <trl/log.h>
#include <trl/metrics.h>
#include <trl/ops.h>

enum { ASK_US = 200000, ASK_MS = 10000 };

static void
tell(const media_store *store)
{
	trl_series_set(
	    trl_series_at(store->is_refused, NULL), store->refused[0] != '\0' ? 1 : 0);
}

void
store_refuse(media_store *store, const char *why)
{
	snprintf(store->refused, sizeof store->refused, "%s", why);
	tell(store);
}

void
store_is_sure(media_store *store)
{
	store->sure = true;
	store->lost = false;
	store->refused[0] = store->why[0] = '\0';
	tell(store);
}

static void
ask(trl_ctx *ctx, void *self)
{
	media_store *store = self;
	enum trl_code rc = TRL_OK;

	if (!store->sure && !store->closed) /* then nobody's settings are there */
		rc = store->way->make_sure(ctx, store);

	if (rc != TRL_OK) {
		snprintf(store->why, sizeof store->why,
		    "it is not known yet whose store this is: %s", ctx->err.message);
		if (store->refused[0] == '\0' && !store->told)
			trl_log_err(ctx);
	}
	store->told = rc != TRL_OK;
	store->asking = false;
	if (store->closed)
		store->way->close(store);
}

/* Asked again with later looks, so that a folder that is mounted meanwhile, or a bucket
 * whose rules were mended, is taken. */
const char *
store_unready(void *self)
{
	media_store *store = self;
	const struct trl_spawn spawn = {
		.name = "media store", .run = ask, .arg = store, .timeout_ms = ASK_MS
	};
	const uint64_t now_us = trl_mono_us();

	if (store->sure)
		return NULL;
	if (!store->asking && now_us - store->asked_us >= ASK_US) {
		store->asked_us = now_us;
		store->asking = trl_spawn(store->loop, &spawn) == TRL_OK;
	}
	if (store->refused[0] != '\0')
		return store->refused;
	return store->why[0] != '\0' ? store->why
				     : "it is not known yet whose store this is";
}

void
store_watch(media_store *store, const struct trl_host *host)
{
	store->loop = host->loop;
	store->is_refused = trl_gauge_new("trellis_media_store_refused",
	    "1: the store is not the one that the rows are about, so it is not used",
	    NULL);
	tell(store);
	if (host->ops != NULL)
		trl_ops_check(host->ops, "media store", store_unready, store);
}

void
store_close(media_store **store)
{
	media_store *it = TRL_TAKE(*store);

	if (it == NULL)
		return;
	it->closed = true;
	if (!it->asking)
		it->way->close(it);
}
