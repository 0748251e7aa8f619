/* merge.h - what merge.c and compare.c share: two catalogues, and what is said of them.
 */
#pragma once

#include "catalogue/catalogue.h"

struct merge {
	trl_ctx *ctx;
	const billing_catalogue *now;
	billing_catalogue *next;
	const char *under;
	struct catalogue_changes *changes;
	bool fine;
};

void merge_say(struct merge *merge, const char *fmt, ...) TRL_PRINTF(2, 3);
bool merge_is_same(trl_ctx *ctx, const ProtobufCMessage *a, const ProtobufCMessage *b);

/* compare.c: what is another value of a plan's features, of taxes and of coupons. */
void merge_compare_features(
    struct merge *merge, const billing_plan *former, const billing_plan *plan);
void merge_compare_tax(struct merge *merge);
void merge_compare_coupons(struct merge *merge);
