/* test_proxy.c - see test_proxy.h. One thread, and a list of what came each way with
 * the time at which it goes on. */
#include "test_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <trl/clock.h>

#include "test_rig.h"

enum { CONNS = 64, AT_ONCE = 262144, WAITING_MAX = 64 << 20 };

struct held {
	struct held *next;
	uint64_t at_us;
	size_t len, sent;
	uint8_t bytes[];
};

/* One way of a connection. */
struct way {
	int from, to;
	struct held *first, **last;
	size_t waiting;
};

struct conn {
	int fds[2];
	struct way ways[2];
	enum { NONE, CARRIES, HUSHED, CUT } state; /* CUT: to be closed */
};

struct proxy {
	int listener;
	unsigned port, to_port, delay_ms;
	pthread_mutex_t lock;
	struct conn conns[CONNS];
	unsigned n;
};

static int
connect_to(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
add(struct proxy *p, int fd)
{
	int other = connect_to(p->to_port);
	if (other < 0 || p->n == CONNS) {
		close(fd);
		close(other);
		return;
	}
	struct conn *c = &p->conns[p->n++];
	*c = (struct conn){ .fds = { fd, other }, .state = CARRIES };
	for (int i = 0; i < 2; i++) {
		setsockopt(
		    c->fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		fcntl(c->fds[i], F_SETFL, O_NONBLOCK);
		c->ways[i] = (struct way){
			.from = c->fds[i], .to = c->fds[!i], .last = &c->ways[i].first
		};
		c->ways[i].last = &c->ways[i].first;
	}
}

static void
end(struct conn *c)
{
	for (int i = 0; i < 2; i++) {
		close(c->fds[i]);
		for (struct held *h; (h = c->ways[i].first) != NULL; free(h))
			c->ways[i].first = h->next;
	}
	c->state = NONE;
}

/* False: it has ended. */
static bool
hear(struct way *way, unsigned delay_ms)
{
	struct held *h = malloc(sizeof *h + AT_ONCE);
	MUST(h != NULL);
	ssize_t n = recv(way->from, h->bytes, AT_ONCE, MSG_DONTWAIT);
	if (n <= 0) {
		free(h);
		return n < 0 && errno == EAGAIN;
	}
	h = realloc(h, sizeof *h + (size_t)n);
	h->next = NULL;
	h->len = (size_t)n;
	h->sent = 0;
	h->at_us = trl_mono_us() + delay_ms * 1000ull;
	*way->last = h;
	way->last = &h->next;
	way->waiting += h->len;
	return true;
}

static bool
say(struct way *way, uint64_t now)
{
	struct held *h;
	while ((h = way->first) != NULL && h->at_us <= now) {
		ssize_t n = send(way->to, h->bytes + h->sent, h->len - h->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		h->sent += (size_t)n;
		if (h->sent < h->len)
			return true;
		way->waiting -= h->len;
		way->first = h->next;
		if (way->first == NULL)
			way->last = &way->first;
		free(h);
	}
	return true;
}

/* What is waited for, in order: the listener, then two of each connection. */
static int
poll_all(struct proxy *p, struct pollfd *polls)
{
	uint64_t now = trl_mono_us();
	int wait_ms = 20;
	polls[0] = (struct pollfd){ .fd = p->listener, .events = POLLIN };
	for (unsigned i = 0; i < p->n; i++)
		for (int w = 0; w < 2; w++) {
			struct conn *c = &p->conns[i];
			struct way *way = &c->ways[w], *back = &c->ways[!w];
			bool on = c->state == CARRIES;
			struct pollfd *f = &polls[1 + 2 * i + w];
			*f = (struct pollfd){ .fd = on ? way->from : -1 };
			if (on && way->waiting < WAITING_MAX)
				f->events |= POLLIN;
			if (on && back->first != NULL && back->first->at_us <= now)
				f->events |= POLLOUT;
			if (on && way->first != NULL && way->first->at_us > now &&
			    way->first->at_us - now < 20000)
				wait_ms =
				    wait_ms < (int)((way->first->at_us - now) / 1000)
					? wait_ms
					: (int)((way->first->at_us - now) / 1000);
		}
	return wait_ms;
}

static void
carry(struct proxy *p, const struct pollfd *polls, unsigned n)
{
	uint64_t now = trl_mono_us();
	for (unsigned i = 0; i < n; i++) {
		struct conn *c = &p->conns[i];
		bool fine = c->state != CUT;
		for (int w = 0; w < 2 && fine && c->state == CARRIES; w++) {
			if (polls[1 + 2 * i + w].revents & (POLLIN | POLLHUP | POLLERR))
				fine = hear(&c->ways[w], p->delay_ms);
			fine = fine && say(&c->ways[w], now);
		}
		if (!fine && c->state != NONE)
			end(c);
	}
}

static void *
run(void *arg)
{
	static struct pollfd polls[1 + 2 * CONNS];
	struct proxy *p = arg;
	for (;;) {
		pthread_mutex_lock(&p->lock);
		int wait_ms = poll_all(p, polls);
		unsigned n = p->n;
		pthread_mutex_unlock(&p->lock);
		poll(polls, 1 + 2 * n, wait_ms);
		pthread_mutex_lock(&p->lock);
		carry(p, polls, n);
		if (polls[0].revents & POLLIN)
			add(p, accept4(p->listener, NULL, NULL, SOCK_CLOEXEC));
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

struct proxy *
proxy_open(unsigned to_port, unsigned delay_ms)
{
	struct proxy *p = calloc(1, sizeof *p);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	pthread_t thread;
	MUST(p != NULL);
	p->to_port = to_port;
	p->delay_ms = delay_ms;
	p->port = rig_port();
	at.sin_port = htons((uint16_t)p->port);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(p->listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	MUST(bind(p->listener, (struct sockaddr *)&at, sizeof at) == 0);
	MUST(listen(p->listener, 16) == 0);
	pthread_mutex_init(&p->lock, NULL);
	MUST(pthread_create(&thread, NULL, run, p) == 0);
	return p;
}

unsigned
proxy_port(const struct proxy *p)
{
	return p->port;
}

unsigned
proxy_count(struct proxy *p)
{
	pthread_mutex_lock(&p->lock);
	unsigned n = p->n;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void
set_state(struct proxy *p, unsigned n, int state)
{
	pthread_mutex_lock(&p->lock);
	MUST(n < p->n && (p->conns[n].state == CARRIES || p->conns[n].state == HUSHED));
	p->conns[n].state = state;
	pthread_mutex_unlock(&p->lock);
}

void
proxy_cut(struct proxy *p, unsigned n)
{
	set_state(p, n, CUT);
}

void
proxy_hush(struct proxy *p, unsigned n)
{
	set_state(p, n, HUSHED);
}

void
proxy_go_on(struct proxy *p, unsigned n)
{
	set_state(p, n, CARRIES);
}
