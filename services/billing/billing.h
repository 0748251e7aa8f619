/* billing.h - the billing service's state, and what its files share. */
#pragma once

#include <trl/batch.h>
#include <trl/child.h>
#include <trl/service.h>
#include <trl/value.h>
#include <billing_v1.server.h>

#include "billing_sql.h"

struct billing {
	trl_pg *pg, *sys;
	trl_bus *bus;
	const struct provider *provider; /* provider/provider.h; NULL: there is none */
	trl_child *pdf;                  /* invoice/pdf.c */
	struct catalogue_kept *kept;     /* catalogue/kept.h */
};

extern const struct trl_service billing_service;

/* Short names for the generated ones that many files use. */
typedef Billing__V1__Catalogue billing_catalogue;
typedef Billing__V1__Plan billing_plan;
typedef Billing__V1__Price billing_price;
typedef Billing__V1__Feature billing_feature;
typedef Billing__V1__Subscription billing_subscription;
typedef Billing__V1__Profile billing_profile;
typedef Billing__V1__Invoice billing_invoice;
