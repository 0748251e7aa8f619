/* cron.c - see cron.h. The next time is sought in local time, day by day: those of the
 * date's fields first, then the hour and minute; what is found is mapped to an
 * instant, and the first one that lies behind the time asked about is it. The mapping
 * never falls, so the search may start at that time's own local minute. */
#include "cron.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	FIELD_MAX = 128,
	/* 29 February of 2096 is eight years before the next. */
	DAYS_MAX = 9 * 366,
	ALL_HOURS = (1 << 24) - 1
};

struct field {
	const char *name;
	unsigned least, most;
	const char *const *names; /* of values from least on, or NULL */
};

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
	"aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat",
	NULL };
static const struct field fields[] = {
	{ "the minute is not one of 0 to 59", 0, 59, NULL },
	{ "the hour is not one of 0 to 23", 0, 23, NULL },
	{ "the day is not one of 1 to 31 or l", 1, 31, NULL },
	{ "the month is not one of 1 to 12 or jan to dec", 1, 12, months },
	{ "the weekday is not one of 0 to 7 or sun to sat", 0, 7, weekdays },
};

static bool
read_number(const struct field *field, const char **at, unsigned *out)
{
	const char *p = *at;
	unsigned n = 0, digits = 0;

	for (; isdigit((unsigned char)*p) && digits < 3; p++, digits++)
		n = 10 * n + (unsigned)(*p - '0');
	for (unsigned i = 0; digits == 0 && field->names && field->names[i]; i++)
		if (strncasecmp(p, field->names[i], 3) == 0) {
			n = field->least + i;
			digits = 1;
			p += 3;
			break;
		}
	*at = p;
	*out = n;
	return digits > 0 && n >= field->least && n <= field->most;
}

/* One part of a list: a star, a number or a range, and a step. */
static bool
read_part(const struct field *field, const char **at, uint64_t *bits)
{
	unsigned from = field->least, to = field->most, step = 1;
	static const struct field steps = { "", 1, 59, NULL };
	bool range = true;

	if (**at == '*') {
		++*at;
	} else {
		if (!read_number(field, at, &from))
			return false;
		range = **at == '-';
		if (range) {
			++*at;
			if (!read_number(field, at, &to) || to < from)
				return false;
		}
	}
	if (**at == '/') {
		++*at;
		if (!read_number(&steps, at, &step))
			return false;
	} else if (!range) {
		to = from;
	}
	for (unsigned i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;
	return true;
}

static bool
read_field(const struct field *field, const char *text, uint64_t *bits)
{
	const char *at = text;

	*bits = 0;
	if (field == &fields[2] && strcasecmp(text, "l") == 0) {
		*bits = 1;
		return true;
	}
	do {
		if (!read_part(field, &at, bits))
			return false;
	} while (*at == ',' && at++);
	return *at == '\0';
}

const char *
cron_parse(const char *text, struct cron_spec *out)
{
	char copy[FIELD_MAX], *rest = copy, *word;
	uint64_t bits[5];
	bool star[5];
	size_t n = 0;
	int64_t at;

	if (strnlen(text, sizeof copy) == sizeof copy)
		return "it is too long";
	memcpy(copy, text, strlen(text) + 1);
	while ((word = strtok_r(rest, " \t", &rest))) {
		if (n == 5)
			return "it has more than five fields";
		if (!read_field(&fields[n], word, &bits[n]))
			return fields[n].name;
		star[n++] = word[0] == '*';
	}
	if (n < 5)
		return "it has less than five fields: minute hour day month weekday";
	*out = (struct cron_spec){
		.minutes = bits[0],
		.hours = (uint32_t)bits[1],
		.days = (uint32_t)bits[2],
		.months = (uint16_t)bits[3],
		.weekdays = (uint8_t)(bits[4] | (bits[4] >> 7 & 1)) & 0x7f,
		.any_day = star[2],
		.any_weekday = star[4],
	};
	return cron_next(out, NULL, 0, &at) ? NULL : "it never comes";
}

static bool
is_day(const struct cron_spec *spec, int64_t days)
{
	unsigned month, day, weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
	int64_t year;
	bool by_day, by_weekday = spec->weekdays >> weekday & 1;

	trl_date_of(days, &year, &month, &day);
	if ((spec->months >> month & 1) == 0)
		return false;
	by_day = (spec->days >> day & 1) ||
		 ((spec->days & 1) && day == trl_month_days(year, month));
	return spec->any_day || spec->any_weekday ? by_day && by_weekday
						  : by_day || by_weekday;
}

static bool
is_time(const struct cron_spec *spec, int64_t minute)
{
	return (spec->hours >> (minute / 60) & 1) &&
	       (spec->minutes >> (minute % 60) & 1);
}

/* Every hour is meant: minute after minute of real time. */
static bool
next_of_every_hour(
    const struct cron_spec *spec, const trl_zone *zone, int64_t after_s, int64_t *out)
{
	int64_t at = trl_floor_div(after_s, 60) * 60 + 60,
		end = at + DAYS_MAX * INT64_C(86400);

	while (at < end) {
		int64_t local = at + (zone ? trl_zone_offset(zone, at) : 0);
		int64_t day = trl_floor_div(local, 86400), second = local - day * 86400;

		if (!is_day(spec, day)) {
			/* On to midnight, but not past a jump of the clock. */
			at += second < 79200 ? 79200 - second : 60;
			at = trl_floor_div(at, 60) * 60;
			continue;
		}
		if (is_time(spec, second / 60)) {
			*out = at;
			return true;
		}
		at += 60;
	}
	return false;
}

bool
cron_next(
    const struct cron_spec *spec, const trl_zone *zone, int64_t after_s, int64_t *out)
{
	int64_t local = after_s + (zone ? trl_zone_offset(zone, after_s) : 0);
	int64_t day = trl_floor_div(local, 86400), minute = (local - day * 86400) / 60;

	if (spec->hours == ALL_HOURS)
		return next_of_every_hour(spec, zone, after_s, out);
	for (int64_t end = day + DAYS_MAX; day < end; day++, minute = 0) {
		if (!is_day(spec, day))
			continue;
		for (; minute < 1440; minute++) {
			int64_t at = day * 86400 + minute * 60;

			if (!is_time(spec, minute))
				continue;
			if (zone)
				at = trl_zone_instant(zone, at, TRL_SKIPPED_AT_JUMP);
			if (at > after_s) {
				*out = at;
				return true;
			}
		}
	}
	return false;
}
