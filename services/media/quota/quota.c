/* quota.c - see quota.h. */
#include "quota/quota.h"

#include <string.h>

#include <trl/log.h>
#include <trl/metrics.h>

#include <tenants_v1.trl.h>

static trl_metric *begun, *refused;

/* By plan: which organisation it is a label never says. */
void
quota_open(void)
{
	begun = trl_counter_new("trellis_media_begun_bytes_total",
	    "Bytes of uploads that were begun, by the organisation's plan", "plan",
	    NULL);
	refused = trl_counter_new("trellis_media_refused_total",
	    "Uploads that the organisation's storage had no room for, by its plan",
	    "plan", NULL);
	(void)trl_series_at(begun, "none");
	(void)trl_series_at(refused, "none");
}

enum { UPDATE_MS = 10000 };

/* Who answers at all does so in a moment. */
static const struct trl_call_terms on_own_behalf = { .as_service = true,
	.timeout_ms = 2000 };

static enum trl_code
ask(struct media *self, trl_ctx *ctx, struct quota *out)
{
	Tenants__V1__GetEntitlementRequest ask =
	    TENANTS__V1__GET_ENTITLEMENT_REQUEST__INIT;
	const int64_t own = self->config->storage_bytes;
	Tenants__V1__GetEntitlementReply *said;
	enum trl_code rc;

	ask.feature = (char *)(uintptr_t)QUOTA_FEATURE;
	rc = tenants_call_get_entitlement_with(
	    ctx, self->bus, &ask, &on_own_behalf, &said);
	if (rc == TRL_INTERNAL &&
	    strcmp(ctx->err.message, "no such method here") == 0) {
		/* It is of the release before media's, and is being replaced. */
		trl_err_clear(ctx);
		rc = trl_fail(
		    ctx, TRL_UNAVAILABLE, "tenants is of a release without plans");
		trl_err_retry_after(ctx, UPDATE_MS);
	}
	if (rc != TRL_OK)
		return trl_fold(ctx, rc);
	*out = (struct quota){ .limit = own > 0 ? own : INT64_MAX, .plan = said->plan };
	if (!said->known || !(said->unlimited || said->has_number))
		return TRL_OK;
	out->of_plan = true;
	out->limit = said->unlimited ? INT64_MAX : said->number > 0 ? said->number : 0;
	return TRL_OK;
}

enum trl_code
quota_limit(struct media *self, trl_ctx *ctx, struct quota *out)
{
	enum trl_code rc;

	if (quota_copies_are_all(self->limits) &&
	    quota_copies_get(self->limits, ctx, out))
		return TRL_OK;
	rc = ask(self, ctx, out);
	if (rc == TRL_OK)
		quota_copies_put(self->limits, ctx, out);
	if (!trl_is_fault(rc) || ctx->cancelled ||
	    !quota_copies_get(self->limits, ctx, out))
		return rc;
	trl_log_err(ctx);
	trl_err_clear(ctx);
	quota_copies_away(self->limits);
	return TRL_OK;
}

static struct trl_arg
tenant_of(const trl_batch *work)
{
	return TRL_ARG_ID("tenant_id", trl_batch_ctx(work)->tenant);
}

void
quota_reserve(trl_batch *work, uint64_t bytes, struct quota *quota)
{
	/* No one has as many; and no sum of them leaves the column's type. */
	const int64_t wants = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;

	quota->wants = bytes;
	if (bytes > 0)
		trl_batch_add(work, &media_sql_storage_reserve, NULL, tenant_of(work),
		    TRL_ARG_INT("bytes", wants), TRL_ARG_INT("allowed", quota->limit));
}

static void
move(trl_batch *work, int64_t reserved, int64_t used)
{
	if (reserved != 0 || used != 0)
		trl_batch_add(work, &media_sql_storage_move, NULL, tenant_of(work),
		    TRL_ARG_INT("reserved", reserved), TRL_ARG_INT("used", used));
	if (used != 0)
		quota_tell(work);
}

void
quota_commit(trl_batch *work, uint64_t reserved, uint64_t used)
{
	move(work, -(int64_t)reserved, (int64_t)used);
}

void
quota_release(trl_batch *work, uint64_t reserved)
{
	move(work, -(int64_t)reserved, 0);
}

void
quota_free(trl_batch *work, uint64_t used)
{
	move(work, 0, -(int64_t)used);
}

static trl_series *
series_of(trl_metric *metric, const struct quota *quota)
{
	return trl_series_at(metric, quota->plan ? quota->plan : "none");
}

static enum trl_code
read_storage(struct media *self, trl_ctx *ctx, Media__V1__Storage *out)
{
	return trl_fold(
	    ctx, trl_batch_get_one(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant),
		     &media_sql_storage_get, NULL, &out->base,
		     TRL_ARG_ID("tenant_id", ctx->tenant)));
}

/* The figures are those of GetStorage. */
static enum trl_code
too_large(trl_ctx *ctx, const struct quota *quota, const Media__V1__Storage *now)
{
	trl_series_add(series_of(refused, quota), 1);
	trl_err_quota(ctx, QUOTA_FEATURE, quota->plan ? quota->plan : "", quota->limit,
	    (int64_t)now->used);
	trl_err_reserved(ctx, (int64_t)now->reserved);
	return trl_fail(ctx, TRL_TOO_LARGE,
	    "The %s's storage is %lld bytes; %llu are used, unfinished uploads have "
	    "reserved %llu, and %llu more were asked for.",
	    quota->of_plan ? "plan" : "organisation", (long long)quota->limit,
	    (unsigned long long)now->used, (unsigned long long)now->reserved,
	    (unsigned long long)quota->wants);
}

/* The batch was refused for want of room: says how much there is. */
static enum trl_code
refuse(struct media *self, trl_ctx *ctx, const struct quota *quota)
{
	Media__V1__Storage now = MEDIA__V1__STORAGE__INIT;
	enum trl_code rc;

	trl_err_clear(ctx);
	rc = read_storage(self, ctx, &now);
	if (rc != TRL_OK)
		return rc;
	return too_large(ctx, quota, &now);
}

enum trl_code
quota_look(struct media *self, trl_ctx *ctx, uint64_t bytes)
{
	Media__V1__Storage now = MEDIA__V1__STORAGE__INIT;
	struct quota quota;
	enum trl_code rc = quota_limit(self, ctx, &quota);

	if (rc == TRL_OK && quota.limit != INT64_MAX)
		rc = read_storage(self, ctx, &now);
	if (rc != TRL_OK || quota.limit == INT64_MAX ||
	    bytes + now.used + now.reserved <= (uint64_t)quota.limit)
		return rc;
	quota.wants = bytes;
	return too_large(ctx, &quota, &now);
}

/* Writes wait for each other at the row in any case. In this process they do so before
 * they take a connection, so that nobody runs into lock_timeout. */
static enum trl_code
write_in_turn(struct media *self, trl_batch *work, const struct quota *quota,
    ProtobufCMessage *reply, bool recorded)
{
	trl_ctx *ctx = trl_batch_ctx(work);
	uint8_t key[8 + 16] = "storage";
	enum trl_code rc;

	memcpy(key + 8, ctx->tenant.bytes, 16);
	rc = trl_key_enter(ctx, key, sizeof key);
	if (rc != TRL_OK)
		return rc;
	rc = recorded ? trl_batch_write(work, reply) : trl_batch_write_unrecorded(work);
	trl_key_leave(ctx, key, sizeof key);
	if (!quota)
		return rc;
	if (rc == TRL_OK)
		trl_series_add(series_of(begun, quota), (double)quota->wants);
	return rc == TRL_QUOTA ? refuse(self, ctx, quota) : rc;
}

enum trl_code
quota_write(struct media *self, trl_batch *work, const struct quota *quota,
    ProtobufCMessage *reply)
{
	return write_in_turn(self, work, quota, reply, true);
}

enum trl_code
quota_write_unrecorded(struct media *self, trl_batch *work, const struct quota *quota)
{
	return write_in_turn(self, work, quota, NULL, false);
}
