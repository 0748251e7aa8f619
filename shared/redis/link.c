/* link.c - hiredis on the loop. hiredis' own libuv adapter hangs for good on
 * EPOLLERR and arms EPOLLOUT for every command; this one hands a bad poll status
 * to redisAsyncHandleRead, which finds the error, and sends what a turn gathered
 * at its end, so that commands of a turn share one write. */
#include "client.h"

#include <stdlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sodium.h>

#include <trl/log.h>

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

static void
wait_for(struct redis_link *link, int events)
{
	if (events == link->events)
		return;
	link->events = events;
	if (events)
		(void)uv_poll_start(&link->poll, events, on_poll);
	else
		(void)uv_poll_stop(&link->poll);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct redis_link *link = poll->data;

	if (status < 0 || (events & UV_READABLE)) {
		redisAsyncHandleRead(link->ac);
		/* The context may be gone, and the link with it detached. */
		if (!link->ac)
			return;
	}
	if (status >= 0 && (events & UV_WRITABLE))
		redisAsyncHandleWrite(link->ac);
}

static void
add_read(void *data)
{
	struct redis_link *link = data;

	wait_for(link, link->events | UV_READABLE);
}

static void
del_read(void *data)
{
	struct redis_link *link = data;

	wait_for(link, link->events & ~UV_READABLE);
}

static void
add_write(void *data)
{
	struct redis_link *link = data;

	link->want_write = true;
	if (!link->connected) /* the end of connect(2) shows as writable */
		wait_for(link, link->events | UV_WRITABLE);
}

static void
del_write(void *data)
{
	struct redis_link *link = data;

	link->want_write = false;
	wait_for(link, link->events & ~UV_WRITABLE);
}

static void
on_poll_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Later by half to one and a half of the backoff, so that replicas spread. */
static void
connect_later(struct trl_redis *redis)
{
	uint32_t ms = redis->backoff_ms;

	redis->backoff_ms =
	    ms * 2 > TRL_REDIS_BACKOFF_MAX_MS ? TRL_REDIS_BACKOFF_MAX_MS : ms * 2;
	uv_timer_start(
	    &redis->timer, on_timer, ms / 2 + randombytes_uniform(ms + 1), 0);
}

static void
went_down(struct trl_redis *redis, const char *why)
{
	redis->ready = false;
	if (redis->closing)
		return;
	if (!redis->complained)
		trl_log(TRL_LOG_WARN, NULL, "redis: no connection",
		    TRL_LOG_STR("why", why));
	redis->complained = true;
	connect_later(redis);
}

static void
cleanup(void *data)
{
	struct redis_link *link = data;
	struct trl_redis *redis = link->redis;
	const char *why =
	    link->ac->errstr && link->ac->err ? link->ac->errstr : "closed";

	(void)uv_poll_stop(&link->poll);
	uv_close((uv_handle_t *)&link->poll, on_poll_closed);
	if (redis && redis->link == link) {
		redis->link = NULL;
		went_down(redis, why);
	}
	link->redis = NULL;
	link->ac = NULL;
}

static void
on_connect(const redisAsyncContext *ac, int status)
{
	struct redis_link *link = ac->ev.data;
	int one = 1;

	if (status != REDIS_OK || !link->redis)
		return; /* hiredis frees the context; cleanup follows */
	link->connected = true;
	wait_for(link, UV_READABLE);
	if (!link->redis->url.path)
		(void)setsockopt(ac->c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	trl_redis_handshake(link);
}

void
trl_redis_flush(void *self)
{
	struct trl_redis *redis = self;
	struct redis_link *link = redis->link;

	if (!link || !link->connected || !link->want_write ||
	    (link->events & UV_WRITABLE))
		return;
	link->want_write = false;
	redisAsyncHandleWrite(link->ac);
	if (redis->link == link && link->want_write)
		wait_for(link, link->events | UV_WRITABLE);
}

static void
on_timer(uv_timer_t *timer)
{
	struct trl_redis *redis = timer->data;

	if (redis->link)
		trl_redis_drop(redis, "no answer while connecting");
	else
		trl_redis_connect(redis);
}

void
trl_redis_connect(struct trl_redis *redis)
{
	const struct trl_redis_url *url = &redis->url;
	struct redis_link *link;
	redisAsyncContext *ac;

	ac = url->path ? redisAsyncConnectUnix(url->path)
		       : redisAsyncConnect(url->host, url->port);
	trl_assert(ac);
	if (ac->err) {
		went_down(redis, ac->errstr);
		redisAsyncFree(ac);
		return;
	}
	link = calloc(1, sizeof *link);
	trl_assert(link);
	*link = (struct redis_link){ .redis = redis, .ac = ac };
	link->poll.data = link;
	trl_assert(!uv_poll_init(trl_loop_uv(redis->loop), &link->poll, ac->c.fd));
	redis->link = link;
	ac->ev.data = link;
	ac->ev.addRead = add_read;
	ac->ev.delRead = del_read;
	ac->ev.addWrite = add_write;
	ac->ev.delWrite = del_write;
	ac->ev.cleanup = cleanup;
	uv_timer_start(&redis->timer, on_timer, TRL_REDIS_HANDSHAKE_MS, 0);
	redisAsyncSetConnectCallback(ac, on_connect); /* arms the write event */
}

void
trl_redis_drop(struct trl_redis *redis, const char *why)
{
	struct redis_link *link = redis->link;

	if (!link)
		return;
	/* Detached first: what the callbacks start must not land here. */
	redis->link = NULL;
	link->redis = NULL;
	redisAsyncFree(link->ac);
	went_down(redis, why);
}
