/* config.c - what billing can be told. */
#include "config.h"

static const struct trl_config_var vars[] = {
	TRL_CONFIG_STR(struct billing_config, provider, "TRELLIS_BILLING_PROVIDER",
	    NULL,
	    "the payment provider: test (built in: test cards and no money, so a paid "
	    "plan costs nothing); unset: none, and only the operator records payments"),
};

const struct trl_config_table billing_config_table =
    TRL_CONFIG_SERVICE_TABLE("billing", vars);
