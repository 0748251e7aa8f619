/* random.c - 4 KiB of random bytes at a time, each handed out once and wiped; a
 * forked child starts with an empty buffer. */
#include "random.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <trl/compiler.h>

static struct {
	pthread_mutex_t lock;
	pthread_once_t once;
	uint8_t bytes[4096];
	size_t left;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT };

static void
forget(void)
{
	pool.left = 0;
	pthread_mutex_init(&pool.lock, NULL);
}

static void
start(void)
{
	trl_assert(pthread_atfork(NULL, NULL, forget) == 0);
}

static void
fill(void)
{
	size_t have = 0;
	ssize_t n;

	while (have < sizeof pool.bytes) {
		n = getrandom(pool.bytes + have, sizeof pool.bytes - have, 0);
		trl_assert(n > 0 || errno == EINTR);
		have += n > 0 ? (size_t)n : 0;
	}
	pool.left = sizeof pool.bytes;
}

void
trl_random(void *out, size_t len)
{
	uint8_t *at;

	trl_assert(len <= sizeof pool.bytes);
	pthread_once(&pool.once, start);
	pthread_mutex_lock(&pool.lock);
	if (pool.left < len) {
		fill();
	}
	at = pool.bytes + sizeof pool.bytes - pool.left;
	memcpy(out, at, len);
	memset(at, 0, len);
	pool.left -= len;
	pthread_mutex_unlock(&pool.lock);
}
