/* test_plan.h - what tenants would say of the plan, for tests of media: include it once
 * in a test's program. Without a word of the test's there are no plans. */
#pragma once

#include <tenants_v1.trl.h>

#include <trl/value.h>

static struct {
	enum trl_code rc; /* not TRL_OK: tenants is away */
	bool known, unlimited;
	int64_t number;
	const char *plan;
	unsigned asked;
	const char *why; /* of rc */
} plan_says;

enum trl_code
tenants_call_get_entitlement_with(trl_ctx *ctx, trl_bus *bus,
    const Tenants__V1__GetEntitlementRequest *in, const struct trl_call_terms *terms,
    Tenants__V1__GetEntitlementReply **out)
{
	Tenants__V1__GetEntitlementReply *reply =
	    tenants_v1_get_entitlement_reply_new(ctx);

	(void)bus, (void)in, (void)terms;
	trl_assert(!trl_key_held(ctx)); /* as the bus wants it */
	plan_says.asked++;
	if (plan_says.rc != TRL_OK)
		return trl_fail(ctx, plan_says.rc, "%s",
		    plan_says.why ? plan_says.why : "tenants is away");
	trl_set(reply, known, plan_says.known);
	reply->plan = (char *)(uintptr_t)plan_says.plan;
	if (plan_says.known && plan_says.unlimited)
		trl_set(reply, unlimited, true);
	else if (plan_says.known)
		trl_set(reply, number, plan_says.number);
	*out = reply;
	return TRL_OK;
}
