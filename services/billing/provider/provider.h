/* provider.h - who moves money. One is built in, "test" (cards.c), with the
 * card numbers of Stripe's documentation; it works only where the operator chose it,
 * for with it a paid plan costs nothing. Each call is made under a key of ours, so that
 * made again it moves no money twice. */
#pragma once

#include <stdio.h>

#include "billing.h"

enum provider_outcome {
	PROVIDER_DONE,
	PROVIDER_PENDING, /* provider_heard comes later */
	PROVIDER_ACTION,  /* the payer has to go to url first */
	PROVIDER_REFUSED  /* code says why; hard: never again with this way to pay */
};

struct provider_answer {
	enum provider_outcome outcome;
	char reference[64]; /* what the provider knows it by */
	char code[40];      /* "insufficient_funds" */
	char url[200];
	bool hard;
};

struct provider_card {
	const char *number, *cvc;
	unsigned expiry_month, expiry_year;
};

struct provider_method { /* of provider_set_up */
	struct provider_answer answer;
	char brand[20], last4[5];
};

struct provider {
	const char *name;
	/* Errors of each: TRL_UNAVAILABLE, TRL_UNCERTAIN: call again under the key. */
	enum trl_code (*set_up)(struct billing *self, trl_ctx *ctx, const char *key,
	    const struct provider_card *card, struct provider_method *out);
	enum trl_code (*charge)(struct billing *self, trl_ctx *ctx, const char *key,
	    const char *method_reference, const char *currency, int64_t amount,
	    bool payer_is_there, struct provider_answer *out);
	enum trl_code (*refund)(struct billing *self, trl_ctx *ctx, const char *key,
	    const char *payment_reference, const char *currency, int64_t amount,
	    struct provider_answer *out);
};

extern const struct provider provider_test;
