/* random.c - 4 KiB of random bytes at a time, each handed out once and wiped; a
 * forked child starts with an empty buffer. */
#include "random.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

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
	trl_assert(sodium_init() >= 0);
	trl_assert(pthread_atfork(NULL, NULL, forget) == 0);
}

void
trl_random(void *out, size_t len)
{
	uint8_t *at;

	trl_assert(len <= sizeof pool.bytes);
	pthread_once(&pool.once, start);
	pthread_mutex_lock(&pool.lock);
	if (pool.left < len) {
		randombytes_buf(pool.bytes, sizeof pool.bytes);
		pool.left = sizeof pool.bytes;
	}
	at = pool.bytes + sizeof pool.bytes - pool.left;
	memcpy(out, at, len);
	memset(at, 0, len);
	pool.left -= len;
	pthread_mutex_unlock(&pool.lock);
}
