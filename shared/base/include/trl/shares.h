/* shares.h - what there is only so much of (memory for bodies, transfers at once), and
 * who holds how much of it: time held is shared, not only the number of things. Each
 * holder may take as long as it holds no more than it leaves to the others: half of all
 * at most, and the next one half of what is then left. So however much one takes, and
 * however long it keeps it, another gets some at once; nothing has to be taken back.
 * The dynamic threshold of A. Choudhury and E. Hahne ("Dynamic Queue Length Thresholds
 * for Shared-Memory Packet Switches", IEEE/ACM ToN 6(2), 1998), with a factor of one
 * where no other is set.
 *
 * Loop thread. */
#pragma once

#include <trl/ctx.h>

enum { TRL_SHARES_BUCKETS = 64 };

struct trl_shares {
	uint64_t size;   /* of all; set before the first share is taken */
	unsigned factor; /* so many times what it leaves one may hold; 0 is 1 */
	uint64_t used;
	struct trl_share *holders[TRL_SHARES_BUCKETS];
};

/* What one holder has, while it is there. */
typedef struct trl_share trl_share;

/* Who holds what a message holds: its organisation, else the account, else the client's
 * address (of IPv6 its /64). */
struct trl_id trl_holder(
    struct trl_id tenant, struct trl_id account, const char *address, size_t len);
struct trl_id trl_holder_of(const trl_ctx *ctx);

/* How much more the holder may take. */
uint64_t trl_shares_left(const struct trl_shares *shares, struct trl_id holder);

/* Takes so much, or NULL: it may not. What was taken so is given back whole. */
trl_share *trl_share_take(struct trl_shares *shares, struct trl_id holder, uint64_t n);
void trl_share_give(trl_share **share, uint64_t n);

/* For what grows and shrinks. Joins with nothing, and leaves with nothing. */
trl_share *trl_share_join(struct trl_shares *shares, struct trl_id holder);
void trl_share_leave(trl_share **share);
uint64_t trl_share_left(const trl_share *share);
/* Something of the holder's that took `was` takes `now` from here on, whether or not
 * the holder may have so much. */
void trl_share_change(trl_share *share, uint64_t was, uint64_t now);
