/* zone.c - a time zone from its file in /usr/share/zoneinfo, as RFC 8536 has it: the
 * transitions of the 64-bit block, and behind the last one the rule of the footer
 * (POSIX's TZ). libc reads the same files, but for the whole process at once; here a
 * zone is a value. Every count is held against the file's size before it is used. */
#include <trl/calendar.h>

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/compiler.h>

enum { NAME_MAX_LEN = 64, FILE_MAX = 65536, HEADER = 44, DAY_S = 86400 };

/* A rule's date: a month's week's weekday, or a day of the year. */
struct change {
	enum { BY_WEEK, BY_DAY, BY_DAY_NO_LEAP } how;
	int month, week, weekday, day;
	int32_t time_s;
};

struct trl_zone {
	size_t n;
	int64_t *at;
	int32_t *offset;      /* from at[i] on */
	int32_t first_offset; /* before at[0] */
	bool has_rule, has_summer;
	int32_t standard, summer;
	struct change start, end;
};

/* The footer: "CET-1CEST,M3.5.0,M10.5.0/3" */

static bool
read_int(const char **at, int most, int *out)
{
	int n = 0, digits = 0;

	for (; isdigit((unsigned char)**at) && digits < 4; ++*at, digits++)
		n = 10 * n + (**at - '0');
	*out = n;
	return digits > 0 && n <= most;
}

static bool
read_time(const char **at, int32_t *out)
{
	int sign = **at == '-' ? -1 : 1, h, m = 0, s = 0;

	if (**at == '-' || **at == '+')
		++*at;
	if (!read_int(at, 167, &h))
		return false;
	if (**at == ':' && (++*at, !read_int(at, 59, &m)))
		return false;
	if (**at == ':' && (++*at, !read_int(at, 59, &s)))
		return false;
	*out = sign * (h * 3600 + m * 60 + s);
	return true;
}

static bool
skip_name(const char **at)
{
	const char *from = *at;

	if (**at == '<') {
		while (**at && **at != '>')
			++*at;
		return **at == '>' && ++*at;
	}
	while (isalpha((unsigned char)**at))
		++*at;
	return *at - from >= 3;
}

static bool
read_change(const char **at, struct change *out)
{
	*out = (struct change){ .time_s = 7200 };
	if (**at != ',')
		return false;
	++*at;
	if (**at == 'M') {
		++*at;
		if (!read_int(at, 12, &out->month) || *(*at)++ != '.' ||
		    !read_int(at, 5, &out->week) || *(*at)++ != '.' ||
		    !read_int(at, 6, &out->weekday) || out->month < 1 || out->week < 1)
			return false;
	} else {
		out->how = **at == 'J' ? BY_DAY_NO_LEAP : BY_DAY;
		if (**at == 'J')
			++*at;
		if (!read_int(at, 365, &out->day) ||
		    (out->how == BY_DAY_NO_LEAP && out->day < 1))
			return false;
	}
	if (**at != '/')
		return true;
	++*at;
	return read_time(at, &out->time_s);
}

static bool
read_rule(const char *text, trl_zone *zone)
{
	const char *at = text;
	int32_t west;

	if (!skip_name(&at) || !read_time(&at, &west))
		return false;
	zone->standard = -west;
	if (*at != '\0') {
		zone->has_summer = true;
		if (!skip_name(&at))
			return false;
		zone->summer = zone->standard + 3600;
		if (*at != ',') {
			if (!read_time(&at, &west))
				return false;
			zone->summer = -west;
		}
		if (!read_change(&at, &zone->start) || !read_change(&at, &zone->end))
			return false;
	}
	zone->has_rule = true;
	return *at == '\0';
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return be32toh(v);
}

struct block {
	size_t is_ut, is_std, leaps, times, types, chars;
};

/* False: no header. */
static bool
read_header(const uint8_t *data, size_t len, struct block *out)
{
	if (len < HEADER || memcmp(data, "TZif", 4) != 0)
		return false;
	*out = (struct block){ get32(data + 20), get32(data + 24), get32(data + 28),
		get32(data + 32), get32(data + 36), get32(data + 40) };
	return out->is_ut <= FILE_MAX && out->is_std <= FILE_MAX &&
	       out->leaps <= FILE_MAX && out->times <= FILE_MAX &&
	       out->types <= FILE_MAX && out->chars <= FILE_MAX;
}

static size_t
size_of(const struct block *b, size_t time_bytes)
{
	return b->times * (time_bytes + 1) + b->types * 6 + b->chars +
	       b->leaps * (time_bytes + 4) + b->is_std + b->is_ut;
}

static bool
read_times(const uint8_t *data, const struct block *b, trl_zone *zone)
{
	const uint8_t *index = data + b->times * 8, *types = index + b->times;
	uint64_t raw;

	zone->n = b->times;
	zone->at = calloc(b->times + 1, sizeof *zone->at);
	zone->offset = calloc(b->times + 1, sizeof *zone->offset);
	trl_assert(zone->at != NULL && zone->offset != NULL);
	zone->first_offset = (int32_t)get32(types);
	for (size_t i = 0; i < b->times; i++) {
		if (index[i] >= b->types)
			return false;
		memcpy(&raw, data + 8 * i, 8);
		zone->at[i] = (int64_t)be64toh(raw);
		zone->offset[i] = (int32_t)get32(types + (size_t)index[i] * 6);
		if (zone->offset[i] < -26 * 3600 || zone->offset[i] > 26 * 3600 ||
		    (i > 0 && zone->at[i] <= zone->at[i - 1]))
			return false;
	}
	return zone->first_offset >= -26 * 3600 && zone->first_offset <= 26 * 3600;
}

static const char *
read_footer(const uint8_t *data, size_t len, trl_zone *zone)
{
	char text[128];
	const uint8_t *end;

	if (len < 2 || data[0] != '\n')
		return "it has no footer";
	end = memchr(data + 1, '\n', len - 1);
	if (!end || end - data - 1 >= (ptrdiff_t)sizeof text)
		return "its footer does not end";
	memcpy(text, data + 1, (size_t)(end - data - 1));
	text[end - data - 1] = '\0';
	if (text[0] == '\0')
		return NULL;
	return read_rule(text, zone) ? NULL : "its rule cannot be read";
}

const char *
trl_zone_read(const uint8_t *data, size_t len, trl_zone **out)
{
	struct block old, b;
	const char *why;
	size_t at;

	if (len > FILE_MAX || !read_header(data, len, &old))
		return "it is no TZif file";
	if (data[4] < '2')
		return "it is of the first version, without 64-bit times";
	at = HEADER + size_of(&old, 4);
	if (at > len || !read_header(data + at, len - at, &b))
		return "it is cut off";
	at += HEADER;
	if (size_of(&b, 8) > len - at || b.types == 0)
		return "it is cut off";
	if (b.leaps > 0)
		return "it counts leap seconds";
	trl_zone *zone = calloc(1, sizeof *zone);
	trl_assert(zone != NULL);
	why = read_times(data + at, &b, zone) ? NULL : "its transitions make no sense";
	at += size_of(&b, 8);
	if (!why)
		why = read_footer(data + at, len - at, zone);
	if (why)
		trl_zone_close(&zone);
	else
		*out = zone;
	return why;
}

static bool
is_name(const char *name)
{
	if (strnlen(name, NAME_MAX_LEN) == NAME_MAX_LEN || name[0] == '\0' ||
	    name[0] == '/' || strstr(name, ".."))
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("/_+-", *p))
			return false;
	return true;
}

const char *
trl_zone_open(const char *name, trl_zone **out)
{
	char path[NAME_MAX_LEN + 32];
	uint8_t *data;
	const char *why;
	size_t len;
	FILE *file;

	if (!is_name(name))
		return "it is not the name of a zone, as Europe/Berlin is";
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
	file = fopen(path, "rb");
	if (!file)
		return "there is no such file in /usr/share/zoneinfo (package tzdata)";
	data = malloc(FILE_MAX + 1);
	trl_assert(data != NULL);
	len = fread(data, 1, FILE_MAX + 1, file);
	fclose(file);
	why = trl_zone_read(data, len, out);
	free(data);
	return why;
}

void
trl_zone_close(trl_zone **pointer)
{
	trl_zone *zone = TRL_TAKE(*pointer);

	if (!zone)
		return;
	free(zone->at);
	free(zone->offset);
	free(zone);
}

/* The local time of a change in a year, as if it were UTC. */
static int64_t
change_in(const struct change *change, int64_t year)
{
	int64_t first = trl_days_of(year, 1, 1), day;
	unsigned last;

	if (change->how != BY_WEEK) {
		bool leap = trl_month_days(year, 2) == 29;

		day = first + change->day;
		if (change->how == BY_DAY_NO_LEAP) /* 1 to 365, no 29 February */
			day = first + change->day - 1 + (leap && change->day > 59);
		return day * DAY_S + change->time_s;
	}
	first = trl_days_of(year, (unsigned)change->month, 1);
	last = trl_month_days(year, (unsigned)change->month);
	day = first + (change->weekday - ((first + 4) % 7 + 7) % 7 + 7) % 7 +
	      7 * (change->week - 1);
	while (day >= first + last)
		day -= 7;
	return day * DAY_S + change->time_s;
}

static int32_t
by_rule(const trl_zone *zone, int64_t at_s)
{
	int64_t year, start, end;
	unsigned month, day;

	if (!zone->has_summer)
		return zone->standard;
	trl_date_of(trl_floor_div(at_s + zone->standard, DAY_S), &year, &month, &day);
	start = change_in(&zone->start, year) - zone->standard;
	end = change_in(&zone->end, year) - zone->summer;
	if (start < end)
		return at_s >= start && at_s < end ? zone->summer : zone->standard;
	return at_s >= end && at_s < start ? zone->standard : zone->summer;
}

int32_t
trl_zone_offset(const trl_zone *zone, int64_t at_s)
{
	size_t low = 0, high = zone->n;

	if (zone->n == 0 || at_s >= zone->at[zone->n - 1]) {
		if (zone->has_rule)
			return by_rule(zone, at_s);
		return zone->n ? zone->offset[zone->n - 1] : zone->first_offset;
	}
	while (low < high) { /* how many transitions lie at or before at_s */
		size_t mid = (low + high) / 2;

		if (zone->at[mid] <= at_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? zone->offset[low - 1] : zone->first_offset;
}

int64_t
trl_zone_instant(const trl_zone *zone, int64_t local_s, enum trl_skipped skipped)
{
	int64_t low = local_s - 2 * DAY_S, high = local_s + 2 * DAY_S;
	int32_t before = trl_zone_offset(zone, low),
		after = trl_zone_offset(zone, high);

	if (trl_zone_offset(zone, local_s - before) == before)
		return local_s - before;
	if (trl_zone_offset(zone, local_s - after) == after)
		return local_s - after;
	if (skipped == TRL_SKIPPED_MOVES_ON)
		return local_s - before;
	while (high - low > 1) { /* where the offset changes */
		int64_t mid = low + (high - low) / 2;

		if (trl_zone_offset(zone, mid) == before)
			low = mid;
		else
			high = mid;
	}
	return high;
}
