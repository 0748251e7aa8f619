/* clock.c - the two clocks. */
#include <trl/clock.h>

#include <time.h>

uint64_t
trl_mono_us(void)
{
	struct timespec t;
	uint64_t us;

	clock_gettime(CLOCK_MONOTONIC, &t);
	us = (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
	return us ? us : 1;
}

int64_t
trl_wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
