/* config.h - what can be set of auth. For this folder only. */
#pragma once

#include <trl/config.h>

#include "password.h"

struct auth_config {
	int64_t session_idle_minutes;
	int64_t session_hours;
	struct auth_password_config password;
};

extern const struct trl_config_table auth_config_table;
