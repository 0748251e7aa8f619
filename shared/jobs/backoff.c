/* backoff.c - how long a job that failed waits: the kind's table, or the fourth power
 * of the attempt in seconds (as River does), at most an hour; jitter of 10 %, so that
 * what failed together does not come back together. */
#include "worker.h"

#include <sodium.h>

enum { MOST_S = 3600 };

int64_t
jobs_backoff_ms(const struct trl_job_kind *kind, unsigned attempt)
{
	int64_t s = MOST_S, ms;

	if (attempt == 0)
		attempt = 1;
	if (kind->delays_s && kind->n_delays > 0)
		s = kind->delays_s[attempt < kind->n_delays ? attempt - 1
							    : kind->n_delays - 1];
	else if (attempt < 8) /* 8^4 s are over an hour */
		s = (int64_t)attempt * attempt * attempt * attempt;
	ms = s * 1000;
	return ms - ms / 10 + randombytes_uniform((uint32_t)(ms / 5) + 1);
}
