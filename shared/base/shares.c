/* shares.c - see shares.h. */
#include <trl/shares.h>

#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include <trl/compiler.h>

struct trl_share {
	struct trl_share *next;
	struct trl_shares *shares;
	struct trl_id holder;
	uint64_t used;
	unsigned refs;
};

/* No address is an id: at byte 6 text has no digit of version 7, and a /64 no variant
 * at byte 8. */
struct trl_id
trl_holder(struct trl_id tenant, struct trl_id account, const char *address, size_t len)
{
	struct trl_id holder = trl_id_nil;
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr ip;

	if (!trl_id_is_nil(tenant))
		return tenant;
	if (!trl_id_is_nil(account))
		return account;
	if (address == NULL || len == 0 || len >= sizeof text)
		return holder;
	memcpy(text, address, len);
	if (inet_pton(AF_INET6, text, &ip) == 1)
		memcpy(holder.bytes, ip.s6_addr, 8);
	else
		memcpy(holder.bytes, text, sizeof holder.bytes);
	return holder;
}

struct trl_id
trl_holder_of(const trl_ctx *ctx)
{
	const char *address = ctx->principal.address;

	return trl_holder(ctx->tenant, ctx->principal.account, address,
	    address != NULL ? strlen(address) : 0);
}

static size_t
bucket_of(struct trl_id holder)
{
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof holder.bytes; i++)
		sum = sum * 31 + holder.bytes[i];
	return sum % TRL_SHARES_BUCKETS;
}

static trl_share *
find(const struct trl_shares *shares, struct trl_id holder)
{
	trl_share *share = shares->holders[bucket_of(holder)];

	while (share != NULL && !trl_id_eq(share->holder, holder))
		share = share->next;
	return share;
}

/* The most that may be taken for what is held then not to pass what is left then. */
static uint64_t
left(const struct trl_shares *shares, uint64_t own)
{
	const uint64_t all =
	    shares->used < shares->size ? shares->size - shares->used : 0;

	const unsigned factor = shares->factor > 0 ? shares->factor : 1;

	return own < factor * all ? (factor * all - own) / (factor + 1) : 0;
}

uint64_t
trl_shares_left(const struct trl_shares *shares, struct trl_id holder)
{
	const trl_share *share = find(shares, holder);

	return left(shares, share != NULL ? share->used : 0);
}

uint64_t
trl_share_left(const trl_share *share)
{
	return left(share->shares, share->used);
}

trl_share *
trl_share_join(struct trl_shares *shares, struct trl_id holder)
{
	trl_share *share = find(shares, holder);
	trl_share **bucket = &shares->holders[bucket_of(holder)];

	if (share == NULL) {
		share = calloc(1, sizeof *share);
		trl_assert(share != NULL);
		*share =
		    (trl_share){ .next = *bucket, .shares = shares, .holder = holder };
		*bucket = share;
	}
	share->refs++;
	return share;
}

void
trl_share_leave(trl_share **at)
{
	trl_share *share = TRL_TAKE(*at), **link;

	if (share == NULL || --share->refs > 0)
		return;
	trl_assert(share->used == 0);
	link = &share->shares->holders[bucket_of(share->holder)];
	while (*link != share)
		link = &(*link)->next;
	*link = share->next;
	free(share);
}

void
trl_share_change(trl_share *share, uint64_t was, uint64_t now)
{
	trl_assert(share->used >= was);
	share->used = share->used - was + now;
	share->shares->used = share->shares->used - was + now;
}

trl_share *
trl_share_take(struct trl_shares *shares, struct trl_id holder, uint64_t n)
{
	trl_share *share;

	if (trl_shares_left(shares, holder) < n)
		return NULL;
	share = trl_share_join(shares, holder);
	trl_share_change(share, 0, n);
	return share;
}

void
trl_share_give(trl_share **share, uint64_t n)
{
	if (*share == NULL)
		return;
	trl_share_change(*share, n, 0);
	trl_share_leave(share);
}
