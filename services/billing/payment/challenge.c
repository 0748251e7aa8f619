/* billing.AnswerChallenge - the page of a payer's bank, which the provider "test" has
 * none of: whoever may pay says here whether its question was answered rightly. */
#include "payment/payment.h"

/* Errors: TRL_NOT_FOUND (nothing waits for it), TRL_CONFLICT (no provider "test"). */
enum trl_code
billing_answer_challenge(struct billing *self, trl_ctx *ctx,
    const Billing__V1__AnswerChallengeRequest *in, Trellis__Empty *out)
{
	struct trl_id id = trl_value_id(in->challenge_id);
	struct provider_answer answer;
	Billing__V1__MethodRow method;
	char key[TRL_ID_TEXT];
	enum trl_code rc;

	if (self->provider != &provider_test)
		return trl_fail(ctx, TRL_CONFLICT,
		    "Only cards of the provider \"test\" are answered here.");
	rc = method_get(self, ctx, id, &method);
	if (rc != TRL_OK)
		return rc;
	trl_id_format(id, key);
	rc = provider_test_answer(self, ctx, key, in->pass, &answer);
	if (rc != TRL_OK)
		return rc;
	return method_settle(self, ctx, id, answer.outcome == PROVIDER_DONE, out);
}
