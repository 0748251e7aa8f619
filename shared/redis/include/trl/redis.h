/* redis.h - one pipelined connection to Redis on the loop. Nothing here is a
 * record: every caller goes on without Redis, slower or stricter.
 *
 * Commands of one turn travel in one write. An actor that needs several sends
 * them together and parks once:
 *
 *   struct trl_redis_reply replies[2];
 *   const struct trl_redis_command commands[] = {
 *       TRL_REDIS("GET", TRL_REDIS_BYTES(key, key_len)),
 *       TRL_REDIS_SCRIPT(&limit_script, 1, TRL_REDIS_TEXT(tag), ...),
 *   };
 *   rc = trl_redis_run(ctx, redis, commands, 2, replies);
 */
#pragma once

#include <string.h>

#include <trl/actor.h>

typedef struct trl_redis trl_redis;

struct trl_redis_arg {
	const void *data;
	size_t len;
};
#define TRL_REDIS_BYTES(p, n)                                                          \
	(struct trl_redis_arg)                                                         \
	{                                                                              \
		(p), (n)                                                               \
	}
#define TRL_REDIS_TEXT(s) TRL_REDIS_BYTES((s), strlen(s))
#define TRL_REDIS_COUNT(...)                                                           \
	(sizeof((const struct trl_redis_arg[]){ __VA_ARGS__ }) /                       \
	    sizeof(struct trl_redis_arg))
/* A command with at least one argument; a script called with its first args as keys. */
#define TRL_REDIS(verb_, ...)                                                          \
	{                                                                              \
		.verb = (verb_), .n_args = TRL_REDIS_COUNT(__VA_ARGS__), .args = {     \
			__VA_ARGS__                                                    \
		}                                                                      \
	}
#define TRL_REDIS_SCRIPT(script_, n_keys_, ...)                                        \
	{                                                                              \
		.script = (script_), .n_keys = (n_keys_),                              \
		.n_args = TRL_REDIS_COUNT(__VA_ARGS__), .args = {                      \
			__VA_ARGS__                                                    \
		}                                                                      \
	}

/* A Lua script, sent by its SHA-1 and loaded at connect. Static storage. */
struct trl_redis_script {
	const char *name;
	const char *text;
	char sha1[41]; /* filled at connect, from what SCRIPT LOAD answers */
};

enum { TRL_REDIS_ARGS_MAX = 16 };

struct trl_redis_command {
	const char *verb; /* "GET", or NULL with a script */
	const struct trl_redis_script *script;
	size_t n_keys; /* of a script: the first args */
	size_t n_args;
	struct trl_redis_arg args[TRL_REDIS_ARGS_MAX];
};

struct trl_redis_reply {
	enum {
		TRL_REDIS_NIL,
		TRL_REDIS_INT,
		TRL_REDIS_DATA,
		TRL_REDIS_LIST,
		TRL_REDIS_ERROR
	} type;
	int64_t num;
	const char *data; /* in the ctx's arena, NUL behind it */
	size_t len;
	const struct trl_redis_reply *items;
	size_t n_items;
};

/* Whether a URL is of a form that trl_redis_open takes; else trl_complain says so. */
bool trl_redis_check_url(const char *url);

/* Start-up: begins to connect (does not wait) and keeps reconnecting with
 * backoff. scripts: NULL-ended, or NULL. NULL: the URL is none; printed. */
trl_redis *trl_redis_open(
    trl_loop *loop, const char *url, struct trl_redis_script *const *scripts);
void trl_redis_close(trl_redis **redis);
bool trl_redis_ready(const trl_redis *redis);

/* Sends n commands, parks until all are answered (at most 250 ms, or the
 * deadline). An error reply of Redis is a reply of type ERROR.
 * Errors: TRL_UNAVAILABLE (no connection, or no answer in time; ctx->err is not
 * written: callers go on without). */
enum trl_code trl_redis_run(trl_ctx *ctx, trl_redis *redis,
    const struct trl_redis_command *commands, size_t n,
    struct trl_redis_reply *replies) TRL_MUST_CHECK;
