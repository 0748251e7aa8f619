/* handshake.c - what a new connection says before anybody may use it: AUTH,
 * SELECT and the scripts. SCRIPT LOAD answers the SHA-1 by which they are called
 * from then on. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include <trl/log.h>

struct step {
	struct redis_link *link;
	struct trl_redis_script *script; /* or NULL */
};

static void
on_step(redisAsyncContext *ac, void *answer, void *data)
{
	struct step *step = data;
	struct redis_link *link = step->link;
	struct trl_redis_script *script = step->script;
	const redisReply *reply = answer;
	struct trl_redis *redis = link->redis;

	(void)ac;
	free(step);
	if (!reply || !redis)
		return; /* the connection is ending */
	if (reply->type == REDIS_REPLY_ERROR) {
		trl_log(TRL_LOG_ERROR, NULL, "redis: refused while connecting",
		    TRL_LOG_STR("why", reply->str),
		    TRL_LOG_STR("script", script ? script->name : ""));
		if (!script) /* not ready: the handshake's timer ends the link */
			return;
	} else if (script && reply->type == REDIS_REPLY_STRING &&
		   (size_t)reply->len == sizeof script->sha1 - 1) {
		memcpy(script->sha1, reply->str, sizeof script->sha1);
	}
	if (--link->handshake)
		return;
	uv_timer_stop(&redis->timer);
	if (redis->complained)
		trl_log(TRL_LOG_INFO, NULL, "redis: connected again",
		    TRL_LOG_INT("db", redis->url.db));
	redis->ready = true;
	trl_series_add(redis->connects, 1);
	redis->complained = false;
	redis->backoff_ms = TRL_REDIS_BACKOFF_MIN_MS;
}

static void
say(struct redis_link *link, struct trl_redis_script *script, int n, const char **words)
{
	struct step *step = malloc(sizeof *step);

	trl_assert(step);
	*step = (struct step){ .link = link, .script = script };
	link->handshake++;
	if (redisAsyncCommandArgv(link->ac, on_step, step, n, words, NULL) != REDIS_OK)
		free(step);
}

void
trl_redis_handshake(struct redis_link *link)
{
	const struct trl_redis_url *url = &link->redis->url;
	char db[16];

	if (url->password && url->user)
		say(link, NULL, 3,
		    (const char *[]){ "AUTH", url->user, url->password });
	else if (url->password)
		say(link, NULL, 2, (const char *[]){ "AUTH", url->password });
	snprintf(db, sizeof db, "%d", url->db);
	say(link, NULL, 2, (const char *[]){ "SELECT", db });
	for (size_t i = 0; link->redis->scripts && link->redis->scripts[i]; i++) {
		struct trl_redis_script *script = link->redis->scripts[i];

		say(link, script, 3,
		    (const char *[]){ "SCRIPT", "LOAD", script->text });
	}
}
