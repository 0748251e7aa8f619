/* cron.h - times by the clock: five fields, in a zone. Private to shared/jobs; pure
 * but for reading a zone's file once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cron_spec {
	uint64_t minutes;
	uint32_t hours;
	uint32_t days; /* bits 1 to 31; bit 0: the month's last */
	uint16_t months;
	uint8_t weekdays;          /* bit 0: Sunday */
	bool any_day, any_weekday; /* the field is a star */
};

typedef struct cron_zone cron_zone;

/* Reads "minute hour day month weekday": numbers, ranges, lists, steps, names of
 * months and weekdays (jan, mon), 7 as Sunday, l for a month's last day. Where day and
 * weekday are both given, either does (as in cron(8)).
 * NULL, or what is wrong. */
const char *cron_parse(const char *text, struct cron_spec *out);
/* The first time after after_s (seconds since 1970, UTC) that spec names; zone NULL:
 * UTC. A local time that a jump of the clock skips comes at the jump; one that comes
 * twice counts the first time. Where every hour is meant, each real hour counts.
 * False: there is none (the 30th of February). */
bool cron_next(
    const struct cron_spec *spec, const cron_zone *zone, int64_t after_s, int64_t *out);

/* A zone of /usr/share/zoneinfo (RFC 8536). NULL, or what is wrong. */
const char *cron_zone_open(const char *name, cron_zone **out);
void cron_zone_close(cron_zone **zone);
/* The same from bytes; for tests, and the file's reader. */
const char *cron_zone_read(const uint8_t *data, size_t len, cron_zone **out);
/* Seconds east of UTC at an instant. */
int32_t cron_zone_offset(const cron_zone *zone, int64_t at_s);
/* The instant of a local time (seconds since 1970 as if it were UTC): the first of
 * two; of one that is skipped, the jump. */
int64_t cron_zone_instant(const cron_zone *zone, int64_t local_s);

/* Days since 1970-01-01 of a date and back. */
int64_t cron_days(int64_t year, unsigned month, unsigned day);
void cron_date(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned cron_month_days(int64_t year, unsigned month);
