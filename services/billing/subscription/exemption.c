/* billing.SetExemption - the operator's: an organisation pays no tax from now on, for a
 * reason that stands on its invoices; or does again. */
#include "turn/turn.h"

struct wanted {
	const char *reason;
	billing_profile *out;
};

static enum trl_code
decide(struct turn *turn, void *arg, struct life_outcome *out)
{
	const struct wanted *wanted = arg;
	billing_profile *profile = wanted->out;

	(void)out;
	*profile = *turn->account.profile;
	trl_set(profile, version, profile->version + 1);
	profile->exempt_reason = (char *)(uintptr_t)wanted->reason;
	profile->updated_at = billing_time(turn->ctx, turn->account.now);
	trl_batch_add(turn->work, &billing_sql_exemption_put, &profile->base,
	    TRL_ARG_ID("tenant_id", turn->account.tenant));
	return TRL_OK;
}

static ProtobufCMessage *
show(struct turn *turn, void *arg)
{
	(void)turn;
	return &((struct wanted *)arg)->out->base;
}

/* Errors: none but faults. */
enum trl_code
billing_set_exemption(struct billing *self, trl_ctx *ctx,
    const Billing__V1__SetExemptionRequest *in, Billing__V1__Profile *out)
{
	static const struct turn_kind kind = { "billing.profile.exempt", decide, show };
	struct wanted wanted = { in->reason, out };

	return turn_run(self, ctx, &kind, &wanted);
}
