/* reply.c - Redis' answer, copied into the message's arena. */
#include "client.h"

#include <string.h>

enum { DEPTH_MAX = 7 }; /* hiredis refuses deeper ones itself */

static bool
copy(trl_arena *arena, const redisReply *from, struct trl_redis_reply *to, int depth)
{
	struct trl_redis_reply *items;
	char *text;

	memset(to, 0, sizeof *to);
	switch (from->type) {
	case REDIS_REPLY_INTEGER:
		to->type = TRL_REDIS_INT;
		to->num = from->integer;
		return true;
	case REDIS_REPLY_STATUS:
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_ERROR:
		to->type =
		    from->type == REDIS_REPLY_ERROR ? TRL_REDIS_ERROR : TRL_REDIS_DATA;
		text = trl_arena_try(arena, (size_t)from->len + 1);
		if (!text)
			return false;
		memcpy(text, from->str, (size_t)from->len);
		text[from->len] = '\0';
		to->data = text;
		to->len = (size_t)from->len;
		return true;
	case REDIS_REPLY_ARRAY:
		to->type = TRL_REDIS_LIST;
		if (depth == DEPTH_MAX || from->elements > 1u << 20)
			return false;
		items = trl_arena_try(arena, from->elements * sizeof *items);
		if (!items)
			return false;
		for (size_t i = 0; i < from->elements; i++) {
			if (!copy(arena, from->element[i], &items[i], depth + 1))
				return false;
		}
		to->items = items;
		to->n_items = from->elements;
		return true;
	default:
		to->type = TRL_REDIS_NIL;
		return true;
	}
}

bool
trl_redis_copy(
    trl_arena *arena, const struct redisReply *from, struct trl_redis_reply *to)
{
	return copy(arena, from, to, 0);
}
