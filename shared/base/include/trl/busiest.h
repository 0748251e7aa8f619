/* busiest.h - the tenants that this process works most for, in fixed memory. Tenants
 * are not labels of metrics, because there may be a million of them; this says whom the
 * load comes from (/metrics/tenants, trellis tenants top).
 *
 * Space-Saving by A. Metwally, D. Agrawal and A. El Abbadi, "Efficient Computation of
 * Frequent and Top-k Elements in Data Streams" (ICDT 2005): 256 counters; a tenant
 * without one takes that of the tenant with the least, and begins with its count. So
 * each tenant that made more than a 256th of all is there, and a count is too large by
 * at most what it says (over). Requests, calls and seconds are counted from when a
 * tenant got its counter, and so are never too large.
 *
 * It tells of the last ten to twenty minutes. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/buf.h>
#include <trl/id.h>

enum { TRL_BUSIEST = 50 }; /* how many are shown */

enum trl_busy {
	TRL_BUSY_REQUEST, /* over HTTP, at the door */
	TRL_BUSY_CALL     /* a call or a job */
};

struct trl_busy_tenant {
	struct trl_id tenant;
	uint64_t count, over; /* requests and calls, and by how much that is too many */
	uint64_t n[2], failed[2]; /* by enum trl_busy */
	uint64_t call_us;         /* that calls and jobs took */
};

/* Counts a message of a tenant, which must be one that exists: of a caller who was let
 * in. now_us is monotonic. */
void trl_busiest_count(struct trl_id tenant, enum trl_busy kind, bool failed,
    uint64_t took_us, uint64_t now_us);
/* The first n (at most max) of all counted, the busiest first. */
size_t trl_busiest_top(struct trl_busy_tenant *out, size_t max, uint64_t now_us);
/* Appends the busiest as Prometheus text. */
void trl_busiest_render(struct trl_buf *out, uint64_t now_us);
/* Which process it is, so that nobody adds the same figures twice. */
struct trl_id trl_busiest_process(void);
