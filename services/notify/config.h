/* config.h - what notify can be told; apart, because every process of the build knows
 * all names. */
#pragma once

#include <trl/config.h>

struct notify_config {
	const char *public_url;
	const char *mail_folder;
	const char *mail_from;
	const char *smtp_url;
	const char *smtp_helo;
	const char *smtp_user;
	trl_secret *smtp_password;
	const char *smtp_ca;
	const char *webhook_allow_cidrs;
	const char *webhook_ca;
	int64_t webhook_disable_hours;
	const char *posthog_url;
	trl_secret *posthog_key;
};

extern const struct trl_config_table notify_config_table;
