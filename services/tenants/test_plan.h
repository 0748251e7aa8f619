/* test_plan.h - what billing tells, told. */
#pragma once

#include <trl/id.h>

enum { PLAN_NO_LIMIT = -1 };

/* A plan with the features seats, api-reads-per-minute, and the switch sso, which is on
 * in every plan but the fallback. */
void hear_plan(
    const char *key, int64_t version, bool fallback, int64_t seats, int64_t reads);
/* plan NULL: the fallback; seats: that are paid for, 0: none are counted. */
void hear_entitlements(
    struct trl_id tenant, int64_t version, const char *plan, unsigned seats);
/* The fallback plan, and a number of the operator's. */
void hear_override(
    struct trl_id tenant, int64_t version, const char *feature, int64_t number);
