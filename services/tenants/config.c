/* config.c - what tenants can be told; apart, because every process of the build
 * knows all names. */
#include "tenants.h"

static const struct trl_config_var vars[] = {
	TRL_CONFIG_INT(struct tenants_config, grace_days, "TRELLIS_TENANT_GRACE_DAYS",
	    "30", 0, 3650, "days in which an owner may restore a deleted organisation"),
	TRL_CONFIG_INT(struct tenants_config, invitation_days,
	    "TRELLIS_INVITATION_DAYS", "7", 1, 90,
	    "days after which an invitation's link expires"),
	TRL_CONFIG_SECRET(struct tenants_config, seal_key, "TRELLIS_SEAL_KEY",
	    "64 hexadecimal digits: seals stored replies, signs invitations"),
};

const struct trl_config_table tenants_config_table =
    TRL_CONFIG_SERVICE_TABLE("tenants", vars);
