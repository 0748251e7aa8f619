/* script.h - the Lua scripts of this module. */
#pragma once

#include <trl/access.h>

/* How a grant's copy begins, for the script that reads it: version, the tenant's epoch
 * (8 bytes), quotas (4 bytes each). */
#define ACCESS_COPY_VERSION 66
#define ACCESS_COPY_HEAD 17
#define ACCESS_QUOTAS_AT 9

extern struct trl_redis_script access_script_visit;
extern struct trl_redis_script access_script_bump;
extern struct trl_redis_script access_script_keep;
