/* provider.h - who moves money. One is built in, "test" (builtin.c), with the
 * card numbers of Stripe's documentation; it works only where the operator chose it,
 * for with it a paid plan costs nothing. Each call is made under a key of ours, so that
 * made again it moves no money twice, and answers as it did. What a provider says by
 * itself is a job of ours, provider_news_job, so that it is kept until it is applied,
 * in whatever order it comes. */
#pragma once

#include <stdio.h>

#include <trl/jobs.h>

#include "billing.h"

enum provider_outcome {
	PROVIDER_DONE,
	PROVIDER_PENDING, /* it is heard later */
	PROVIDER_ACTION,  /* the payer has to go to url first */
	PROVIDER_REFUSED, /* code says why (decline.h) */
	PROVIDER_CANCELED /* by us: it will not come to anything */
};

struct provider_answer {
	enum provider_outcome outcome;
	char reference[64]; /* what the provider knows it by */
	char code[40];      /* "insufficient_funds" */
	char url[200];
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
	/* Errors of each: TRL_UNAVAILABLE, TRL_UNCERTAIN: call again under the key;
	 * TRL_INTERNAL: the key was used for something else. The key of a way to pay,
	 * a payment or a refund is its id. */
	enum trl_code (*set_up)(struct billing *self, trl_ctx *ctx, const char *key,
	    const struct provider_card *card, struct provider_method *out);
	/* payer_is_there: somebody waits who can answer their bank; else what needs
	 * them is refused. */
	enum trl_code (*charge)(struct billing *self, trl_ctx *ctx, const char *key,
	    const char *method_reference, const char *currency, int64_t amount,
	    bool payer_is_there, struct provider_answer *out);
	/* What waits for its payer, or was never asked for, shall not be paid any
	 * more. The answer is what became of it: PROVIDER_DONE where money moved. */
	enum trl_code (*cancel)(struct billing *self, trl_ctx *ctx, const char *key,
	    struct provider_answer *out);
	enum trl_code (*refund)(struct billing *self, trl_ctx *ctx, const char *key,
	    const char *payment_reference, const char *currency, int64_t amount,
	    struct provider_answer *out);
	/* Answers a dispute with evidence. What comes of it is heard. */
	enum trl_code (*contest)(struct billing *self, trl_ctx *ctx,
	    const char *dispute_reference, const char *evidence);
};

/* Hears what a provider says by itself (turn/news.c); its payload is ProviderNews,
 * its tenant the one it is about. */
extern const struct trl_job_kind provider_news_job;

extern const struct provider provider_test;
/* Of the provider "test" only: what waits under key for its payer is answered. Errors:
 * TRL_CONFLICT (another answer came at the same moment), those of a provider. What does
 * not wait stays as it is, and out says how. */
enum trl_code provider_test_answer(struct billing *self, trl_ctx *ctx, const char *key,
    bool pass, struct provider_answer *out) TRL_MUST_CHECK;
