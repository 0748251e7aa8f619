/* time.c - wall time as text, RFC 3339, without the C library's calendar: its
 * parsers follow locale and zone and forgive what is wrong.
 *
 * Days from a date and back: Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms". */
#include <trl/clock.h>

#include <string.h>

static const int64_t second_us = 1000000;
static const int64_t first_us = -62135596800 * 1000000;         /* 0001-01-01 */
static const int64_t last_us = 253402300799 * 1000000 + 999999; /* 9999-12-31 */

static int64_t
days_from_date(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned year_of_era, day_of_year, day_of_era;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	year_of_era = (unsigned)(y - era * 400);
	day_of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	day_of_era =
	    year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + (int64_t)day_of_era - 719468;
}

static void
date_from_days(int64_t z, unsigned *y, unsigned *m, unsigned *d)
{
	int64_t era;
	unsigned doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = (unsigned)(z - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (unsigned)((int64_t)yoe + era * 400 + (*m <= 2));
}

static unsigned
days_in_month(unsigned y, unsigned m)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

static char *
put(char *p, unsigned value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		p[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return p + digits;
}

void
trl_time_format(int64_t wall_us, char text[TRL_TIME_TEXT])
{
	int64_t us = wall_us;
	int64_t days, rest;
	unsigned y, m, d, seconds, fraction;
	char *p = text;

	if (us < first_us)
		us = first_us;
	if (us > last_us)
		us = last_us;
	days = us / (86400 * second_us);
	rest = us % (86400 * second_us);
	if (rest < 0) {
		rest += 86400 * second_us;
		days--;
	}
	date_from_days(days, &y, &m, &d);
	seconds = (unsigned)(rest / second_us);
	fraction = (unsigned)(rest % second_us);
	p = put(p, y, 4);
	*p++ = '-';
	p = put(p, m, 2);
	*p++ = '-';
	p = put(p, d, 2);
	*p++ = 'T';
	p = put(p, seconds / 3600, 2);
	*p++ = ':';
	p = put(p, seconds / 60 % 60, 2);
	*p++ = ':';
	p = put(p, seconds % 60, 2);
	if (fraction != 0) {
		*p++ = '.';
		p = fraction % 1000 ? put(p, fraction, 6) : put(p, fraction / 1000, 3);
	}
	*p++ = 'Z';
	*p = '\0';
}

/* A reader over the text: each step clears ok at the first thing out of place. */
struct reader {
	const char *p, *end;
	bool ok;
};

static unsigned
digits(struct reader *r, int n)
{
	unsigned value = 0;

	if (r->end - r->p < n) {
		r->ok = false;
		return 0;
	}
	for (int i = 0; i < n; i++, r->p++) {
		if (*r->p < '0' || *r->p > '9') {
			r->ok = false;
			return 0;
		}
		value = value * 10 + (unsigned)(*r->p - '0');
	}
	return value;
}

static char
one_of(struct reader *r, const char *set)
{
	if (r->ok && r->p < r->end && *r->p != '\0' && strchr(set, *r->p) != NULL)
		return *r->p++;
	r->ok = false;
	return '\0';
}

/* ".123456789" as microseconds; absent is 0. */
static unsigned
fraction_us(struct reader *r)
{
	unsigned value = 0;
	int n = 0;

	if (!r->ok || r->p == r->end || *r->p != '.')
		return 0;
	r->p++;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++, n++)
		if (n < 6)
			value = value * 10 + (unsigned)(*r->p - '0');
	r->ok = n >= 1 && n <= 9;
	for (; n < 6; n++)
		value *= 10;
	return value;
}

static int64_t
offset_seconds(struct reader *r)
{
	char sign = one_of(r, "Zz+-");
	unsigned h, m;

	if (!r->ok || sign == 'Z' || sign == 'z')
		return 0;
	h = digits(r, 2);
	one_of(r, ":");
	m = digits(r, 2);
	r->ok = r->ok && h < 24 && m < 60;
	return (sign == '-' ? -1 : 1) * (int64_t)(h * 3600 + m * 60);
}

/* Whether the second that has just ended was the last of a UTC month: the only
 * place where a leap second may stand. */
static bool
may_be_leap(int64_t unix_seconds)
{
	unsigned y, m, d;

	if (unix_seconds % 86400 != 0)
		return false;
	date_from_days(unix_seconds / 86400, &y, &m, &d);
	return d == 1 && (m == 1 || m == 7);
}

bool
trl_time_parse(const char *text, size_t len, int64_t *wall_us)
{
	struct reader r = { .p = text, .end = text + len, .ok = true };
	unsigned y, mo, d, h, mi, s, us;
	int64_t seconds, value;

	y = digits(&r, 4);
	one_of(&r, "-");
	mo = digits(&r, 2);
	one_of(&r, "-");
	d = digits(&r, 2);
	one_of(&r, "Tt");
	h = digits(&r, 2);
	one_of(&r, ":");
	mi = digits(&r, 2);
	one_of(&r, ":");
	s = digits(&r, 2);
	us = fraction_us(&r);
	seconds = -offset_seconds(&r);
	if (!r.ok || r.p != r.end || y < 1 || mo < 1 || mo > 12 || d < 1 ||
	    d > days_in_month(y, mo) || h > 23 || mi > 59 || s > 60)
		return false;
	seconds += days_from_date(y, mo, d) * 86400 + (int64_t)(h * 3600 + mi * 60 + s);
	if (s == 60 && !may_be_leap(seconds))
		return false;
	value = seconds * second_us + us;
	if (value < first_us || value > last_us)
		return false;
	*wall_us = value;
	return true;
}
