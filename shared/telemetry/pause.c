/* pause.c - see pause.h. What OTLP/HTTP asks: only these statuses are tried again, and
 * Retry-After is obeyed; what it leaves open is doubled from a second to three, with
 * jitter on top, so that processes that saw one collector die do not return as one. A
 * Retry-After that outlasts the payload ends with it. */
#include "pause.h"

#include <sodium.h>

enum { LEAST_MS = 1000, MOST_MS = 3000 };

bool
sender_tries_again(unsigned status)
{
	return status == 0 || status == 429 || status == 502 || status == 503 ||
	       status == 504;
}

uint32_t
sender_pause_ms(unsigned attempts, uint32_t retry_after_s)
{
	uint32_t ms = attempts < 2 ? LEAST_MS : attempts < 3 ? 2 * LEAST_MS : MOST_MS;

	if (retry_after_s > SENDER_GIVE_UP_S)
		retry_after_s = SENDER_GIVE_UP_S;
	if (retry_after_s > 0)
		ms = retry_after_s * 1000;
	return ms + randombytes_uniform(LEAST_MS / 2);
}
