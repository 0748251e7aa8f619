/* distance.c - Levenshtein's distance, a row at a time ("Binary codes capable of
 * correcting deletions, insertions and reversals", 1966). */
#include <trl/distance.h>

unsigned
trl_distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[TRL_DISTANCE_MAX + 1];

	if (n > TRL_DISTANCE_MAX || m > TRL_DISTANCE_MAX)
		return TRL_DISTANCE_MAX;
	for (unsigned j = 0; j <= m; j++)
		row[j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned corner = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			unsigned best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}
