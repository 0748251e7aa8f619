/* See pace.h. */
#include "pace.h"

static uint64_t
less(uint64_t of_ms, uint64_t gone_us)
{
	return of_ms * 1000 > gone_us ? of_ms * 1000 - gone_us : 0;
}

uint32_t
trl_http_pace_ms(const struct http_pace *pace, const struct http_pace_limits *limits)
{
	const uint64_t idle = less(limits->idle_ms, pace->idle_us),
		       window = less(limits->floor_ms, pace->window_us);

	return (uint32_t)((idle < window ? idle : window) / 1000) + 1;
}

bool
trl_http_pace_slow(struct http_pace *pace, const struct http_pace_limits *limits,
    uint64_t waited_us, size_t moved)
{
	bool slow;

	pace->idle_us = moved ? 0 : pace->idle_us + waited_us;
	pace->window_us += waited_us;
	pace->moved += moved;
	if (pace->idle_us >= (uint64_t)limits->idle_ms * 1000)
		return true;
	if (pace->window_us < (uint64_t)limits->floor_ms * 1000)
		return false;
	slow = pace->moved < limits->floor_bytes;
	pace->window_us = pace->moved = 0;
	return slow;
}
