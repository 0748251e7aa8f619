/* test_http_rig.h - a server and its clients on one loop: the clients are plain
 * sockets, written and read between turns. */
#pragma once

#include <trl/http.h>

struct world {
	trl_loop *loop;
	trl_http_server *server;
	unsigned handled, finished;
	struct trl_ticket ticket; /* of a handler that is at work */
	int fd;
	char got[1 << 20];
	size_t len;
	bool ended;
	const char *want;
	size_t want_len;
};

/* Fixtures: of short times and few connections; for what takes its time without being
 * late; of one actor, and 8,000 bytes that may wait: 1,000 an address. */
int setup(void **state);
int setup_patient(void **state);
int setup_small(void **state);
int teardown(void **state);
/* A server of that handler, whose self is the world. */
void open_with(void **state, struct trl_http_options options, size_t max_actors,
    struct trl_http_handler handler);
/* Fills what a refusal says: its detail, and what was read. */
void refuse(void *self, trl_arena *arena, const struct trl_http_refusal *refusal,
    struct trl_http_response *out);

/* The handler of /work, and of /after when it has answered, waits until it is woken by
 * world->ticket. What /unread refuses is not waited for; /livez is told when no actor
 * is free. The others answer with what they were sent. */
int dial(struct world *world);
void say(int fd, const char *text, size_t len);
/* Turns the loop until want was read or the server closed. */
bool hear(struct world *world, int fd, const char *want, uint32_t ms);
size_t count(const char *text, const char *word);
/* For trl_loop_run_until: the server has closed; not before the time is over; what the
 * handlers do. */
bool over(void *self);
bool never(void *self);
bool has_finished(void *self);
bool is_at_work(void *self);
