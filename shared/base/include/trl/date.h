/* date.h - days and dates, in the proleptic Gregorian calendar. Pure. */
#pragma once

#include <stdint.h>

/* a / b rounded down, b above 0: which day a second before 1970 lies in. */
static inline int64_t
trl_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of a date (month 1 to 12) and back. */
int64_t trl_days_of(int64_t year, unsigned month, unsigned day);
void trl_date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned trl_month_days(int64_t year, unsigned month);
