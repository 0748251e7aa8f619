/* test_times.h - what a test's rows name; a test fails where there is no such thing. */
#pragma once

#include <stdint.h>

#include <trl/calendar.h>

/* Seconds since 1970 of a time such as 2026-01-31T23:59:30Z. */
int64_t test_instant(const char *text);
/* NULL: UTC, which is NULL, too. */
trl_zone *test_zone(const char *name);
