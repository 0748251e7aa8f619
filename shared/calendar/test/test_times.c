/* test_times.c - the instant and the zone that a test names. */
#include "test_times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <trl/clock.h>

int64_t
test_instant(const char *text)
{
	int64_t us;

	if (!trl_time_parse(text, strlen(text), &us))
		fail_msg("%s is no time", text);
	return us / 1000000;
}

trl_zone *
test_zone(const char *name)
{
	trl_zone *zone = NULL;
	const char *why = name ? trl_zone_open(name, &zone) : NULL;

	if (why)
		fail_msg("%s: %s", name, why);
	return zone;
}
