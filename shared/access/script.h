/* script.h - the Lua scripts of this module. */
#pragma once

#include <trl/access.h>

extern struct trl_redis_script access_script_visit;
extern struct trl_redis_script access_script_bump;
extern struct trl_redis_script access_script_keep;
