/* shares.h - fair shares of a limited resource (memory for bodies, concurrent
 * transfers) that holders may keep for any time. A holder may take more as long as it
 * holds no more than it leaves to the others: half of all at most, and the next one
 * half of what is then left. So however much one takes, and however long it keeps it,
 * another gets some at once; nothing has to be taken back. This is the dynamic
 * threshold of A. Choudhury and E. Hahne ("Dynamic Queue Length Thresholds for
 * Shared-Memory Packet Switches", IEEE/ACM ToN 6(2), 1998), with a factor of one unless
 * another is set.
 *
 * Loop thread. */
#pragma once

#include <trl/ctx.h>

enum { TRL_SHARES_BUCKETS = 64 };

struct trl_shares {
	uint64_t size;   /* of all; set before the first share is taken */
	unsigned factor; /* one may hold this many times what it leaves; 0: 1 */
	uint64_t used;
	struct trl_share *holders[TRL_SHARES_BUCKETS];
};

/* What one holder has, while it is there. */
typedef struct trl_share trl_share;

/* The holder that a message counts for: its organisation, else the account, else the
 * client's address (for IPv6 its /64). */
struct trl_id trl_holder(
    struct trl_id tenant, struct trl_id account, const char *address, size_t len);
struct trl_id trl_holder_of(const trl_ctx *ctx);

/* How much more the holder may take. */
uint64_t trl_shares_left(const struct trl_shares *shares, struct trl_id holder);

/* Takes n, or gives NULL if the holder may not. Give the same n back. */
trl_share *trl_share_take(struct trl_shares *shares, struct trl_id holder, uint64_t n);
void trl_share_give(trl_share **share, uint64_t n);

/* For holdings that grow and shrink: a holder joins with 0 and leaves with 0. */
trl_share *trl_share_join(struct trl_shares *shares, struct trl_id holder);
void trl_share_leave(trl_share **share);
uint64_t trl_share_left(const trl_share *share);
/* Changes one of the holder's holdings from was to now, whether or not it may have as
 * much. */
void trl_share_change(trl_share *share, uint64_t was, uint64_t now);
