/* What can be set of auth. A file of its own, for every process of the build must
 * know the names of all. */
#include <trl/config.h>

#include "config.h"

static const struct trl_config_var vars[] = {
	TRL_CONFIG_INT(struct auth_config, session_idle_minutes,
	    "TRELLIS_SESSION_IDLE_MINUTES", "30", 2, 525600,
	    "a session ends after this long without use"),
	TRL_CONFIG_INT(struct auth_config, session_hours, "TRELLIS_SESSION_HOURS", "24",
	    1, 8760, "a session ends this long after signing in"),
	TRL_CONFIG_INT(struct auth_config, password.memory_kib,
	    "TRELLIS_ARGON2_MEMORY_KIB", "65536", 19456, 1048576,
	    "memory of one password hash (OWASP asks for 19456)"),
	TRL_CONFIG_INT(struct auth_config, password.passes, "TRELLIS_ARGON2_PASSES",
	    "2", 2, 100, "passes of one password hash"),
	TRL_CONFIG_INT(struct auth_config, password.slots, "TRELLIS_ARGON2_SLOTS", "0",
	    0, 256, "password hashes at once; 0: as many as there are cores"),
	TRL_CONFIG_INT(struct auth_config, password.queue, "TRELLIS_ARGON2_QUEUE", "16",
	    0, 10000, "password hashes that may wait; beyond that the answer is 503"),
	TRL_CONFIG_SECRET(struct auth_config, password.pepper,
	    "TRELLIS_PASSWORD_PEPPER",
	    "kid:key[,kid:key], newest first: mixed into passwords before they are "
	    "hashed"),
};

const struct trl_config_table auth_config_table =
    TRL_CONFIG_SERVICE_TABLE("auth", vars);
