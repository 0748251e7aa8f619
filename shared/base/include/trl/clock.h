/* clock.h - the two clocks. Deadlines are on the monotonic one; wall time is for
 * records. A handler asks trl_now(ctx) (<trl/ctx.h>) and not these. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Monotonic microseconds, never 0. */
uint64_t trl_mono_us(void);
/* Microseconds since 1970-01-01T00:00:00Z. */
int64_t trl_wall_us(void);

/* RFC 3339 in UTC with Z and as many decimals (0, 3 or 6) as the value needs. */
enum { TRL_TIME_TEXT = 28 };
void trl_time_format(int64_t wall_us, char text[TRL_TIME_TEXT]);
/* Strict RFC 3339 with any offset, years 0001 to 9999, up to nine decimals
 * (cut to microseconds). False where it is not one. */
bool trl_time_parse(const char *text, size_t len, int64_t *wall_us);
