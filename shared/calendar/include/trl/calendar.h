/* calendar.h - time zones as values, and the boundaries of periods that repeat.
 * Instants are seconds since 1970, UTC. Pure, but for reading a zone's file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/date.h>

typedef struct trl_zone trl_zone;

/* A zone of /usr/share/zoneinfo (RFC 8536). NULL, or what is wrong. */
const char *trl_zone_open(const char *name, trl_zone **out);
void trl_zone_close(trl_zone **zone);
/* The same from bytes; for tests, and the file's reader. */
const char *trl_zone_read(const uint8_t *data, size_t len, trl_zone **out);
/* Seconds east of UTC at an instant. */
int32_t trl_zone_offset(const trl_zone *zone, int64_t at_s);

/* A local time that the clock skips: at the jump, or as much later as it jumps. */
enum trl_skipped { TRL_SKIPPED_AT_JUMP, TRL_SKIPPED_MOVES_ON };
/* The instant of a local time (seconds since 1970 as if it were UTC): the first, where
 * it comes twice. */
int64_t trl_zone_instant(
    const trl_zone *zone, int64_t local_s, enum trl_skipped skipped);

enum trl_interval { TRL_DAY, TRL_WEEK, TRL_MONTH, TRL_YEAR };

/* The start of period k of count intervals each; period 0 starts at anchor_s, and
 * period k ends where k + 1 starts. Always counted from the anchor, in the local time
 * of zone (NULL: UTC), so a month that has no 31st gives its last day and the next one
 * the 31st again; a skipped local time moves on. So periods tile, each longer than
 * nothing (but for the one day that a zone skipped whole, as Apia did). k may be
 * negative. False: outside of the years 1 to 9999. */
bool trl_period_start(const trl_zone *zone, int64_t anchor_s,
    enum trl_interval interval, unsigned count, int64_t k, int64_t *out);
/* The k of the period that at_s lies in. Errors as above. */
bool trl_period_at(const trl_zone *zone, int64_t anchor_s, enum trl_interval interval,
    unsigned count, int64_t at_s, int64_t *k);
