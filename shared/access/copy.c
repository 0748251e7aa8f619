/* copy.c - copies as bytes: a version, fixed fields in little endian, then the
 * permissions. Another version, or a length that does not fit, is no copy. */
#include <string.h>

#include "state.h"

enum { WHO_VERSION = 1, WHO_FIXED = 69, GRANT_FIXED = 46, PLAN_MAX = 255 };

struct cursor {
	uint8_t *at;
};
struct reader {
	const uint8_t *at;
};

static void
put(struct cursor *to, const void *bytes, size_t len)
{
	memcpy(to->at, bytes, len);
	to->at += len;
}

static void
put_number(struct cursor *to, uint64_t value, size_t len)
{
	for (; len; len--, value >>= 8)
		*to->at++ = (uint8_t)value;
}

static void
get(struct reader *from, void *bytes, size_t len)
{
	memcpy(bytes, from->at, len);
	from->at += len;
}

static uint64_t
get_number(struct reader *from, size_t len)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < len; i++)
		value |= (uint64_t)from->at[i] << (8 * i);
	from->at += len;
	return value;
}

static void
put_permissions(struct cursor *to, const uint32_t *permissions, size_t n)
{
	size_t i;

	put_number(to, n, 2);
	for (i = 0; i < n; i++)
		put_number(to, permissions[i], 4);
}

static const uint32_t *
get_permissions(trl_arena *arena, struct reader *from, size_t n)
{
	uint32_t *out = trl_arena_alloc(arena, n * sizeof *out);
	size_t i;

	/* An owner has dozens, and each request reads them: one load each. */
	for (i = 0; i < n; i++, from->at += 4)
		out[i] = (uint32_t)from->at[0] | (uint32_t)from->at[1] << 8 |
			 (uint32_t)from->at[2] << 16 | (uint32_t)from->at[3] << 24;
	return out;
}

bool
access_pack_who(
    trl_arena *arena, const struct trl_access_who *who, struct trl_redis_arg *out)
{
	const size_t len = WHO_FIXED + 4 * who->n_permissions;
	struct cursor to;

	if (who->n_permissions > UINT16_MAX)
		return false;
	to.at = trl_arena_alloc(arena, len);
	*out = (struct trl_redis_arg){ to.at, len };
	put_number(&to, WHO_VERSION, 1);
	put_number(&to, who->kind, 1);
	put_number(&to, who->verified, 1);
	put(&to, who->account.bytes, 16);
	put(&to, who->session.bytes, 16);
	put(&to, who->tenant.bytes, 16);
	put_number(&to, (uint64_t)who->expires_at_us, 8);
	put_number(&to, who->epoch, 8);
	put_permissions(&to, who->permissions, who->n_permissions);
	return true;
}

const struct trl_access_who *
access_unpack_who(trl_arena *arena, const void *data, size_t len)
{
	struct reader from = { data };
	struct trl_access_who *who;

	if (len < WHO_FIXED || get_number(&from, 1) != WHO_VERSION)
		return NULL;
	who = trl_arena_zalloc(arena, sizeof *who);
	who->kind = (enum trl_principal_kind)get_number(&from, 1);
	who->verified = get_number(&from, 1) != 0;
	get(&from, who->account.bytes, 16);
	get(&from, who->session.bytes, 16);
	get(&from, who->tenant.bytes, 16);
	who->expires_at_us = (int64_t)get_number(&from, 8);
	who->epoch = get_number(&from, 8);
	who->n_permissions = (size_t)get_number(&from, 2);
	if (len != WHO_FIXED + 4 * who->n_permissions ||
	    (who->kind != TRL_PERSON && who->kind != TRL_KEY))
		return NULL;
	who->permissions = get_permissions(arena, &from, who->n_permissions);
	return who;
}

bool
access_pack_grant(
    trl_arena *arena, const struct trl_access_grant *grant, struct trl_redis_arg *out)
{
	const char *plan = grant->plan ? grant->plan : "";
	const size_t plan_len = strlen(plan);
	const size_t len = GRANT_FIXED + plan_len + 4 * grant->n_permissions;
	struct cursor to;

	if (grant->n_permissions > UINT16_MAX || plan_len > PLAN_MAX)
		return false;
	to.at = trl_arena_alloc(arena, len);
	*out = (struct trl_redis_arg){ to.at, len };
	put_number(&to, ACCESS_COPY_VERSION, 1);
	put_number(&to, grant->tenant_epoch, 8);
	for (size_t i = 0; i < TRL_COUNT(grant->quotas); i++)
		put_number(&to, grant->quotas[i], 4);
	put_number(&to, grant->role, 1);
	put_number(&to, grant->status, 1);
	put(&to, grant->tenant.bytes, 16);
	put_number(&to, grant->account_epoch, 8);
	put_number(&to, plan_len, 1);
	put(&to, plan, plan_len);
	put_permissions(&to, grant->permissions, grant->n_permissions);
	return true;
}

void
access_read_quotas(struct trl_redis_arg copy, uint32_t quotas[TRL_LIMITS_PLANNED - 1])
{
	struct reader from = { (const uint8_t *)copy.data + ACCESS_QUOTAS_AT };

	for (size_t i = 0; i < TRL_LIMITS_PLANNED - 1; i++)
		quotas[i] = (uint32_t)get_number(&from, 4);
}

const struct trl_access_grant *
access_unpack_grant(trl_arena *arena, const void *data, size_t len)
{
	struct reader from = { data };
	struct trl_access_grant *grant;

	size_t plan_len;

	if (len < GRANT_FIXED || get_number(&from, 1) != ACCESS_COPY_VERSION)
		return NULL;
	grant = trl_arena_zalloc(arena, sizeof *grant);
	grant->tenant_epoch = get_number(&from, 8);
	for (size_t i = 0; i < TRL_COUNT(grant->quotas); i++)
		grant->quotas[i] = (uint32_t)get_number(&from, 4);
	grant->role = (uint8_t)get_number(&from, 1);
	grant->status = (uint8_t)get_number(&from, 1);
	get(&from, grant->tenant.bytes, 16);
	grant->account_epoch = get_number(&from, 8);
	plan_len = (size_t)get_number(&from, 1);
	if (len < GRANT_FIXED + plan_len)
		return NULL;
	grant->plan = trl_arena_strndup(arena, (const char *)from.at, plan_len);
	from.at += plan_len;
	grant->n_permissions = (size_t)get_number(&from, 2);
	if (len != GRANT_FIXED + plan_len + 4 * grant->n_permissions)
		return NULL;
	grant->permissions = get_permissions(arena, &from, grant->n_permissions);
	return grant;
}
