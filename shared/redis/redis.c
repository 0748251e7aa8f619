/* redis.c - the handle, and a run of commands: sent together, parked on once.
 *
 * A run that is out of time leaves its call behind, detached from the actor's
 * memory; replies that come later find nobody and are dropped. When not one
 * reply was heard while it waited, the connection is given up: a server that
 * stands still costs a few callers 250 ms and nobody else anything, since until
 * the next handshake is through all are told UNAVAILABLE at once. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include <trl/span.h>

struct call;

struct slot {
	struct call *call;
	bool again; /* sent a second time, as EVAL */
};

struct call {
	struct trl_redis *redis;
	trl_arena *arena; /* NULL: nobody waits any more */
	const struct trl_redis_command *commands;
	struct trl_redis_reply *replies;
	struct trl_ticket ticket;
	size_t left;
	bool failed;
	struct slot slots[];
};

static void on_reply(redisAsyncContext *ac, void *answer, void *data);

/* "*3\r\n" or "$3\r\n": how many parts there are, or how long one is. */
static void
put_count(struct trl_buf *out, char kind, size_t count)
{
	uint8_t text[24], *end = text + sizeof text, *p = end;

	*--p = '\n';
	*--p = '\r';
	do
		*--p = (uint8_t)('0' + count % 10);
	while (count /= 10);
	*--p = (uint8_t)kind;
	trl_buf_add(out, p, (size_t)(end - p));
}

static void
put_part(struct trl_buf *out, const void *data, size_t len)
{
	put_count(out, '$', len);
	trl_buf_add(out, data, len);
	trl_buf_add(out, "\r\n", 2);
}

/* Written here: hiredis would allocate each command, and print each length. */
static bool
send_command(
    struct redis_link *link, struct slot *slot, const struct trl_redis_command *command)
{
	const struct trl_redis_script *script = command->script;
	const bool by_sha = script && script->sha1[0] && !slot->again;
	const char *verb = !script ? command->verb : by_sha ? "EVALSHA" : "EVAL";
	struct trl_buf *out = &slot->call->redis->command;
	char keys[2];
	size_t n = 0;

	_Static_assert(TRL_REDIS_ARGS_MAX < 100, "n_keys has two digits");
	trl_assert(command->n_args <= TRL_REDIS_ARGS_MAX &&
		   command->n_keys <= command->n_args);
	trl_buf_clear(out);
	put_count(out, '*', command->n_args + (script ? 3 : 1));
	put_part(out, verb, strlen(verb));
	if (script) {
		const char *text = by_sha ? script->sha1 : script->text;

		put_part(out, text, strlen(text));
		if (command->n_keys >= 10)
			keys[n++] = (char)('0' + command->n_keys / 10);
		keys[n++] = (char)('0' + command->n_keys % 10);
		put_part(out, keys, n);
	}
	for (size_t i = 0; i < command->n_args; i++)
		put_part(out, command->args[i].data, command->args[i].len);
	return redisAsyncFormattedCommand(link->ac, on_reply, slot,
		   (const char *)out->data, out->len) == REDIS_OK;
}

static void
one_done(struct call *call)
{
	call->redis->pending--;
	if (--call->left)
		return;
	if (call->arena)
		(void)trl_wake(call->ticket);
	else
		free(call);
}

static void
on_reply(redisAsyncContext *ac, void *answer, void *data)
{
	struct slot *slot = data;
	struct call *call = slot->call;
	struct redis_link *link = ac->ev.data;
	size_t i = (size_t)(slot - call->slots);
	const redisReply *reply = answer;

	if (reply)
		link->heard++;
	if (call->arena && reply) {
		if (reply->type == REDIS_REPLY_ERROR && call->commands[i].script &&
		    !slot->again && !strncmp(reply->str, "NOSCRIPT", 8)) {
			slot->again = true;
			if (send_command(link, slot, &call->commands[i]))
				return;
			call->failed = true;
		} else if (!trl_redis_copy(call->arena, reply, &call->replies[i])) {
			call->failed = true;
		}
	} else {
		call->failed = true;
	}
	one_done(call);
}

static struct call *
start(trl_ctx *ctx, trl_redis *redis, const struct trl_redis_command *commands,
    size_t n, struct trl_redis_reply *replies)
{
	struct call *call = malloc(sizeof *call + n * sizeof call->slots[0]);

	trl_assert(call);
	*call = (struct call){ .redis = redis,
		.arena = ctx->arena,
		.commands = commands,
		.replies = replies,
		.ticket = trl_park_begin(ctx) };
	for (size_t i = 0; i < n; i++) {
		call->slots[i] = (struct slot){ .call = call };
		if (!send_command(redis->link, &call->slots[i], &commands[i])) {
			call->failed = true;
			break;
		}
		call->left++;
		redis->pending++;
	}
	trl_series_add(redis->commands, (double)call->left);
	return call;
}

/* After a failover this connection leads to what is a replica now: it counts nothing,
 * and what it knows is old. A new one may find the other. */
static bool
leads_to_replica(const struct trl_redis_reply *replies, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (replies[i].type == TRL_REDIS_ERROR &&
		    strncmp(replies[i].data, "READONLY", 8) == 0)
			return true;
	return false;
}

static enum trl_code
run(trl_ctx *ctx, trl_redis *redis, const struct trl_redis_command *commands, size_t n,
    struct trl_redis_reply *replies)
{
	bool had_error = ctx->err.code != TRL_OK, ok;
	enum trl_code rc = TRL_OK;
	struct redis_link *link;
	struct call *call;
	uint64_t heard, began;

	if (!redis || !redis->ready || redis->pending + n > TRL_REDIS_PENDING_MAX ||
	    ctx->cancelled) {
		if (redis)
			trl_series_add(redis->failures, 1);
		return TRL_UNAVAILABLE;
	}
	link = redis->link;
	heard = link->heard;
	began = trl_mono_us();
	call = start(ctx, redis, commands, n, replies);
	if (call->left)
		rc = trl_park_for(ctx, call->ticket, "redis", TRL_REDIS_RUN_MS);
	if (rc != TRL_OK && !had_error)
		trl_err_clear(ctx);
	trl_series_observe_us(redis->run_seconds, trl_mono_us() - began);
	ok = rc == TRL_OK && !call->failed;
	if (call->left) {
		/* link is not read unless it is still the one: it may be freed. */
		bool silent = redis->link == link && link->heard == heard;

		call->arena = NULL;
		if (silent && !ctx->cancelled && trl_time_left_ms(ctx) > 0)
			trl_redis_drop(redis, "no answer in time");
	} else {
		free(call);
	}
	if (ok && leads_to_replica(replies, n)) {
		ok = false;
		if (redis->link == link)
			trl_redis_drop(redis, "it is a replica now");
	}
	if (!ok)
		trl_series_add(redis->failures, 1);
	return ok ? TRL_OK : TRL_UNAVAILABLE;
}

enum trl_code
trl_redis_run(trl_ctx *ctx, trl_redis *redis, const struct trl_redis_command *commands,
    size_t n, struct trl_redis_reply *replies)
{
	struct trl_span span;
	enum trl_code rc;

	if (!n)
		return TRL_OK;
	trl_span_begin(ctx, &span, TRL_SPAN_REDIS,
	    commands->script ? commands->script->name : commands->verb);
	trl_span_number(&span, n);
	rc = run(ctx, redis, commands, n, replies);
	trl_span_end(ctx, &span, rc);
	return rc;
}

static double
pending(void *self)
{
	return (double)((struct trl_redis *)self)->pending;
}

static double
connected(void *self)
{
	return ((struct trl_redis *)self)->ready;
}

trl_redis *
trl_redis_open(trl_loop *loop, const char *url, struct trl_redis_script *const *scripts)
{
	struct trl_redis *redis = calloc(1, sizeof *redis);

	trl_assert(redis);
	if (!trl_redis_url_parse(url, &redis->url)) {
		free(redis);
		return NULL;
	}
	redis->loop = loop;
	redis->scripts = scripts;
	redis->backoff_ms = TRL_REDIS_BACKOFF_MIN_MS;
	trl_assert(!uv_timer_init(trl_loop_uv(loop), &redis->timer));
	redis->timer.data = redis;
	redis->commands = trl_series_at(trl_counter_new("trellis_redis_commands_total",
					    "Commands sent to Redis", NULL),
	    NULL);
	redis->failures =
	    trl_series_at(trl_counter_new("trellis_redis_failures_total",
			      "Runs of commands without an answer in time", NULL),
		NULL);
	redis->connects =
	    trl_series_at(trl_counter_new("trellis_redis_connects_total",
			      "Connections to Redis that were made", NULL),
		NULL);
	redis->run_seconds = trl_series_at(
	    trl_histogram_new(TRL_SCALE_FINE, "trellis_redis_run_seconds",
		"Runs of commands, from sending to the last answer", NULL),
	    NULL);
	trl_metric_callback("trellis_redis_pending", "Commands sent and not answered",
	    false, pending, redis);
	trl_metric_callback(
	    "trellis_redis_up", "1 while Redis can be used", false, connected, redis);
	trl_loop_on_flush(loop, trl_redis_flush, redis);
	trl_redis_connect(redis);
	return redis;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct trl_redis *redis = handle->data;

	trl_redis_url_fini(&redis->url);
	trl_buf_fini(&redis->command);
	free(redis);
}

void
trl_redis_close(trl_redis **redis)
{
	struct trl_redis *self = TRL_TAKE(*redis);

	if (!self)
		return;
	self->closing = true;
	trl_loop_off_flush(self->loop, self);
	trl_metric_callback_drop(self);
	trl_redis_drop(self, "closing");
	uv_close((uv_handle_t *)&self->timer, on_timer_closed);
}

bool
trl_redis_ready(const trl_redis *redis)
{
	return redis && redis->ready;
}
