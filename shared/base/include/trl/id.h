/* id.h - UUIDs (RFC 9562), 16 bytes inside a process, 36 characters outside.
 * Version 7 is ours to lay out: 48 bits of Unix milliseconds, then a counter
 * that keeps ids of one process rising within a millisecond, then random. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct trl_id {
	uint8_t bytes[16];
};

enum { TRL_ID_TEXT = 37 }; /* with the final NUL */

static const struct trl_id trl_id_nil = { { 0 } };

/* A new version 7 id, rising within this process also when the clock steps back. */
struct trl_id trl_id_new(void);
/* A random version 4 id (libuuid). */
struct trl_id trl_id_random(void);
void trl_id_format(struct trl_id id, char text[TRL_ID_TEXT]);
/* Exactly 36 characters of hexadecimal and hyphens, either case; and not the nil UUID.
 * That one stands for the absence of an id inside (RFC 9562, 5.9), so no text from
 * outside is read as it: naming it would be the same as naming nothing. */
bool trl_id_parse(const char *text, size_t len, struct trl_id *out);
/* The Unix milliseconds inside a version 7 id. */
int64_t trl_id_ms(struct trl_id id);

static inline bool
trl_id_eq(struct trl_id a, struct trl_id b)
{
	return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}
static inline bool
trl_id_is_nil(struct trl_id a)
{
	return trl_id_eq(a, trl_id_nil);
}
