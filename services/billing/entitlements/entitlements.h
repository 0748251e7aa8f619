/* entitlements.h - what the operator gives an organisation (override.c), and plans and
 * entitlements as they are, for whoever begins to listen (snapshot.c). */
#pragma once

#include "account/entitled.h"
#include "catalogue/plans.h"

enum { ENTITLED_OVERRIDES_MAX = 50 };

trl_snapshot_fn billing_snapshot;
