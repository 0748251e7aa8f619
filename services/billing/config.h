/* config.h - what billing can be told; apart, because every process of the build knows
 * all names. */
#pragma once

#include <trl/config.h>

struct billing_config {
	const char *provider;
};

extern const struct trl_config_table billing_config_table;
