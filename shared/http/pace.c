/* pace.c - whether a client moves its bytes fast enough. Only the time in which it is
 * waited for counts: one that has to wait for us is not slow. */
#include "conn.h"

static uint64_t
less(uint64_t of_ms, uint64_t gone_us)
{
	return of_ms * 1000 > gone_us ? of_ms * 1000 - gone_us : 0;
}

uint32_t
trl_http_pace_ms(const struct http_pace *pace, const struct trl_http_options *options)
{
	const uint64_t idle = less(options->piece_timeout_ms, pace->idle_us),
		       window = less(options->floor_ms, pace->window_us);

	return (uint32_t)((idle < window ? idle : window) / 1000) + 1;
}

bool
trl_http_pace_slow(struct http_pace *pace, const struct trl_http_options *options,
    uint64_t waited_us, size_t moved)
{
	bool slow;

	pace->idle_us = moved ? 0 : pace->idle_us + waited_us;
	pace->window_us += waited_us;
	pace->moved += moved;
	if (pace->idle_us >= (uint64_t)options->piece_timeout_ms * 1000)
		return true;
	if (pace->window_us < (uint64_t)options->floor_ms * 1000)
		return false;
	slow = pace->moved < options->floor_bytes;
	pace->window_us = pace->moved = 0;
	return slow;
}
