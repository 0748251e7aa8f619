/* period.c - the boundaries of periods, counted from their anchor. */
#include <trl/calendar.h>

#include <trl/compiler.h>

enum { DAY_S = 86400, YEARS_MAX = 9999 };

/* The local date of the anchor moved on by n days or months. */
static bool
move(int64_t day, enum trl_interval interval, int64_t n, int64_t *out)
{
	int64_t year, months;
	unsigned month, of_month;

	if (interval == TRL_DAY || interval == TRL_WEEK) {
		*out = day + n * (interval == TRL_WEEK ? 7 : 1);
		return true;
	}
	trl_date_of(day, &year, &month, &of_month);
	months = year * 12 + month - 1 + n * (interval == TRL_YEAR ? 12 : 1);
	year = trl_floor_div(months, 12);
	month = (unsigned)(months - year * 12) + 1;
	if (year < 1 || year > YEARS_MAX)
		return false;
	if (of_month > trl_month_days(year, month))
		of_month = trl_month_days(year, month);
	*out = trl_days_of(year, month, of_month);
	return true;
}

bool
trl_period_start(const trl_zone *zone, int64_t anchor_s, enum trl_interval interval,
    unsigned count, int64_t k, int64_t *out)
{
	const int64_t most = trl_days_of(YEARS_MAX + 1, 1, 1);
	int64_t local = anchor_s + (zone ? trl_zone_offset(zone, anchor_s) : 0);
	int64_t day = trl_floor_div(local, DAY_S), second = local - day * DAY_S, n;

	trl_assert(count > 0);
	if (k == 0) { /* the second of two equal local times stays what it is */
		*out = anchor_s;
		return true;
	}
	if (__builtin_mul_overflow(k, (int64_t)count, &n) || n > most || n < -most ||
	    day > most || day < -most || !move(day, interval, n, &day) || day >= most ||
	    day < trl_days_of(1, 1, 1))
		return false;
	local = day * DAY_S + second;
	*out = zone ? trl_zone_instant(zone, local, TRL_SKIPPED_MOVES_ON) : local;
	return true;
}

bool
trl_period_at(const trl_zone *zone, int64_t anchor_s, enum trl_interval interval,
    unsigned count, int64_t at_s, int64_t *k)
{
	static const int64_t shortest_s[] = { DAY_S - 7200, 7 * DAY_S - 7200,
		27 * INT64_C(86400), 364 * INT64_C(86400) };
	static const int64_t longest_s[] = { DAY_S + 7200, 7 * DAY_S + 7200,
		32 * INT64_C(86400), 367 * INT64_C(86400) };
	int64_t start, span = at_s - anchor_s;
	int64_t low =
	    span / ((span < 0 ? shortest_s : longest_s)[interval] * count) - 2;
	int64_t high =
	    span / ((span < 0 ? longest_s : shortest_s)[interval] * count) + 2;

	while (high - low > 1) { /* low starts at or before at_s, high after it */
		int64_t mid = low + (high - low) / 2;

		if (!trl_period_start(zone, anchor_s, interval, count, mid, &start))
			return false;
		if (start <= at_s)
			low = mid;
		else
			high = mid;
	}
	*k = low;
	return true;
}
