/* often.c - see often.h. A kind's window begins with its first line. Kinds are few (a
 * place in the code, of a method); where there are more than fit, the one whose window
 * is the oldest makes room. */
#include "often.h"

#include <pthread.h>
#include <string.h>

static struct {
	pthread_mutex_t lock;
	struct often_seen {
		struct often_kind kind;
		uint64_t since_us, left_out;
		unsigned lines; /* 0: the place is free */
	} seen[OFTEN_KINDS];
	uint64_t left_out;
} often = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool
is_same(const struct often_kind *a, const struct often_kind *b)
{
	return a->method == b->method && a->service == b->service &&
	       a->file == b->file && a->line == b->line && a->code == b->code;
}

static struct often_seen *
place_of(const struct often_kind *kind)
{
	struct often_seen *oldest = &often.seen[0];

	for (struct often_seen *at = often.seen; at < often.seen + OFTEN_KINDS; at++) {
		if (at->lines && is_same(&at->kind, kind))
			return at;
		if (oldest->lines && (!at->lines || at->since_us < oldest->since_us))
			oldest = at;
	}
	*oldest = (struct often_seen){ .kind = *kind };
	return oldest;
}

bool
often_may(const struct often_kind *kind, uint64_t now_us, uint64_t *left_out)
{
	struct often_seen *at;
	bool may;

	pthread_mutex_lock(&often.lock);
	at = place_of(kind);
	if (!at->lines || now_us - at->since_us >= OFTEN_WINDOW_US) {
		at->since_us = now_us;
		at->lines = 0;
	}
	may = at->lines < OFTEN_LINES;
	if (may) {
		at->lines++;
		*left_out = at->left_out;
		at->left_out = 0;
	} else {
		at->left_out++;
		often.left_out++;
	}
	pthread_mutex_unlock(&often.lock);
	return may;
}

uint64_t
often_left_out(void)
{
	uint64_t n;

	pthread_mutex_lock(&often.lock);
	n = often.left_out;
	pthread_mutex_unlock(&often.lock);
	return n;
}

void
often_forget(void)
{
	pthread_mutex_lock(&often.lock);
	memset(often.seen, 0, sizeof often.seen);
	often.left_out = 0;
	pthread_mutex_unlock(&often.lock);
}
