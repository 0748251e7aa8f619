/* time.c - wall time as text, RFC 3339, without the C library's calendar: its
 * parsers follow locale and zone and forgive what is wrong. */
#include <trl/clock.h>

#include <string.h>

#include <trl/date.h>

static const int64_t second_us = 1000000;
static const int64_t first_us = -62135596800 * 1000000;         /* 0001-01-01 */
static const int64_t last_us = 253402300799 * 1000000 + 999999; /* 9999-12-31 */

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
	int64_t days, rest, y;
	unsigned m, d, seconds, fraction;
	char *p = text;

	if (us < first_us)
		us = first_us;
	if (us > last_us)
		us = last_us;
	days = trl_floor_div(us, 86400 * second_us);
	rest = us - days * 86400 * second_us;
	trl_date_of(days, &y, &m, &d);
	seconds = (unsigned)(rest / second_us);
	fraction = (unsigned)(rest % second_us);
	p = put(p, (unsigned)y, 4);
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
	unsigned m, d;
	int64_t y;

	if (unix_seconds % 86400 != 0)
		return false;
	trl_date_of(unix_seconds / 86400, &y, &m, &d);
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
	    d > trl_month_days(y, mo) || h > 23 || mi > 59 || s > 60)
		return false;
	seconds += trl_days_of(y, mo, d) * 86400 + (int64_t)(h * 3600 + mi * 60 + s);
	if (s == 60 && !may_be_leap(seconds))
		return false;
	value = seconds * second_us + us;
	if (value < first_us || value > last_us)
		return false;
	*wall_us = value;
	return true;
}
