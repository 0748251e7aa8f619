/* client.h - what the files of shared/redis share; nobody else includes it. */
#pragma once

#include <uv.h>
#include <hiredis/async.h>

#include <trl/buf.h>
#include <trl/loop_uv.h>
#include <trl/metrics.h>
#include <trl/redis.h>

enum {
	TRL_REDIS_RUN_MS = 250,        /* the longest a caller waits */
	TRL_REDIS_HANDSHAKE_MS = 1000, /* connect, AUTH, SELECT, SCRIPT LOAD */
	TRL_REDIS_BACKOFF_MIN_MS = 50,
	TRL_REDIS_BACKOFF_MAX_MS = 1000,
	TRL_REDIS_PENDING_MAX = 65536, /* commands sent and not answered */
};

struct trl_redis_url {
	char *path; /* of a unix socket, or NULL */
	char *host;
	int port;
	char *user, *password; /* or NULL */
	int db;
};

/* False: prints what is wrong. Errors leave nothing to free. */
bool trl_redis_url_parse(const char *text, struct trl_redis_url *url);
void trl_redis_url_fini(struct trl_redis_url *url);

/* One connection: hiredis' context and our poll handle. It ends by hiredis'
 * cleanup hook, which is called exactly once however the connection fails. */
struct redis_link {
	struct trl_redis *redis; /* NULL once detached */
	redisAsyncContext *ac;
	uv_poll_t poll;
	int events;      /* what the poll handle waits for */
	bool want_write; /* hiredis has something to send */
	bool connected;
	size_t handshake; /* replies still awaited */
	uint64_t heard;   /* replies received */
};

struct trl_redis {
	trl_loop *loop;
	struct trl_redis_url url;
	struct trl_redis_script *const *scripts;
	struct redis_link *link;
	bool ready;
	bool closing;
	bool complained; /* the outage is in the log */
	uint32_t backoff_ms;
	size_t pending;
	struct trl_buf command; /* the one that is sent */
	uv_timer_t timer;       /* the next attempt, or the handshake's end */
	trl_series *commands, *failures, *connects, *run_seconds;
};

void trl_redis_connect(struct trl_redis *redis);
/* Ends the connection; every outstanding command is answered by nothing. */
void trl_redis_drop(struct trl_redis *redis, const char *why);
/* Sends what hiredis gathered in this turn. */
void trl_redis_flush(void *self);
/* Connected: sends AUTH, SELECT and SCRIPT LOAD. */
void trl_redis_handshake(struct redis_link *link);

/* Copies into the arena. False where it does not fit. */
bool trl_redis_copy(
    trl_arena *arena, const struct redisReply *from, struct trl_redis_reply *to);
