/* cron.h - times by the clock: five fields, in a zone. Private to shared/jobs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/calendar.h>

struct cron_spec {
	uint64_t minutes;
	uint32_t hours;
	uint32_t days; /* bits 1 to 31; bit 0: the month's last */
	uint16_t months;
	uint8_t weekdays;          /* bit 0: Sunday */
	bool any_day, any_weekday; /* the field is a star */
};

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
    const struct cron_spec *spec, const trl_zone *zone, int64_t after_s, int64_t *out);
