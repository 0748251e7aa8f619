/* loop_uv.h - the libuv loop beneath, for the modules that own descriptors
 * (actor, pg, redis, http, bus). No service includes it. */
#pragma once

#include <uv.h>

#include <trl/actor.h>

uv_loop_t *trl_loop_uv(trl_loop *loop);
