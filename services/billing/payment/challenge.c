/* billing.AnswerChallenge - the page of a payer's bank, which the provider "test" has
 * none of: whoever may pay says here whether its question was answered rightly. */
#include "payment/payment.h"

#include <trl/change.h>

#include "turn/charge.h"

/* A payment of the tenant's, or a way to pay. */
static enum trl_code
find(struct billing *self, trl_ctx *ctx, struct trl_id id, bool *is_payment)
{
	Billing__V1__PaymentRow payment;
	Billing__V1__MethodRow method;
	enum trl_code rc = payment_get(self, ctx, id, &payment);

	*is_payment = rc == TRL_OK;
	if (rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	return method_get(self, ctx, id, &method);
}

static enum trl_code
settle(struct billing *self, trl_ctx *ctx, struct trl_id id,
    const struct provider_answer *answer, Trellis__Empty *out)
{
	TRL_AUTO(trl_change_end) struct trl_change queue = { 0 };
	trl_batch *work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(ctx->tenant));
	enum trl_code rc = trl_change_begin(&queue, ctx, ctx->tenant);

	if (rc == TRL_OK)
		rc = trl_fold(ctx, payment_settle(self, ctx, id, answer));
	if (rc != TRL_OK)
		return rc;
	trl_batch_audit(work, "billing.challenge.answer", id, "payment", NULL);
	return trl_batch_write(work, &out->base);
}

/* Errors: TRL_NOT_FOUND (nothing waits for it), TRL_CONFLICT (no provider "test"). */
enum trl_code
billing_answer_challenge(struct billing *self, trl_ctx *ctx,
    const Billing__V1__AnswerChallengeRequest *in, Trellis__Empty *out)
{
	struct trl_id id = trl_value_id(in->challenge_id);
	struct provider_answer answer;
	bool is_payment;
	char key[TRL_ID_TEXT];
	enum trl_code rc;

	if (self->provider != &provider_test)
		return trl_fail(ctx, TRL_CONFLICT,
		    "Only cards of the provider \"test\" are answered here.");
	rc = find(self, ctx, id, &is_payment);
	if (rc != TRL_OK)
		return rc;
	trl_id_format(id, key);
	rc = provider_test_answer(self, ctx, key, in->pass, &answer);
	if (rc != TRL_OK)
		return rc;
	return is_payment
		   ? settle(self, ctx, id, &answer, out)
		   : method_settle(self, ctx, id, answer.outcome == PROVIDER_DONE, out);
}
