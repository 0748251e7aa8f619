/* bulk_unix.c - see bulk_unix.h: a connection from its greeting to its end, at either
 * end. An end that dies is told by the kernel at once, and one that hangs by the first
 * connection. */
#include "bulk_unix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

#include "peer.h"
#include "server.h"

enum {
	SNDBUF = 2 * BULK_UNIX_MOST, /* one is read while the next is written */
	OVERHEAD = 4096,             /* of a message, as the kernel counts it */
	AT_ONCE = 16,                /* messages before others have their turn */
};

static bool
is_of_our_user(int fd)
{
	struct ucred who;
	socklen_t len = sizeof who;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       who.uid == geteuid();
}

/* How long a piece may be; the kernel's limits may allow less than we ask for. */
static size_t
most_of(int fd)
{
	int size = SNDBUF;
	socklen_t len = sizeof size;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) != 0 ||
	    size < BULK_UNIX_HEAD + 2 * OVERHEAD)
		return OVERHEAD / 2;
	size_t room = (size_t)size - BULK_UNIX_HEAD - OVERHEAD;
	return room < TRL_STREAM_PIECE ? room : TRL_STREAM_PIECE;
}

struct bulk_unix *
bulk_unix_open(trl_bus *bus, int fd)
{
	struct bulk_unix *u = calloc(1, sizeof *u);
	trl_assert(u != NULL);
	if (!is_of_our_user(fd)) {
		bus_net_refused(bus->net, bus->service, "", "foreign_user");
	} else if (uv_poll_init(trl_loop_uv(bus->net->loop), &u->poll, fd) == 0) {
		u->fd = fd;
		u->bus = bus;
		u->most = most_of(fd);
		u->poll.data = u;
		bus_hold(bus);
		bulk_unix_watch(u);
		return u;
	}
	close(fd);
	free(u);
	return NULL;
}

static void
closed(uv_handle_t *handle)
{
	struct bulk_unix *u = handle->data;
	bus_release(&u->bus);
	free(u);
}

void
bulk_unix_close(struct bulk_unix *u)
{
	if (u->door != NULL)
		bulk_unix_leave(u);
	if (u->bulk != NULL && u->bulk->by_unix == u)
		u->bulk->by_unix = NULL;
	uv_poll_stop(&u->poll);
	close(u->fd);
	u->fd = -1;
	uv_close((uv_handle_t *)&u->poll, closed);
}

/* The callee's: whose it is. */
static const char *
take_token(struct bulk_unix *u, const uint8_t *hello, size_t len)
{
	struct bus_text caller = { (const char *)hello + BUS_TOKEN, len - BUS_TOKEN };
	struct bus_bulk *bulk =
	    len > BUS_TOKEN ? bus_bulk_of_token(u->bus, caller, hello) : NULL;
	if (bulk == NULL)
		return "unknown_token";
	bus_bulk_down(bulk); /* it has lost that one, and dialled again */
	if (bulk->by_unix != NULL)
		bulk_unix_close(bulk->by_unix);
	bulk_unix_leave(u);
	u->bulk = bulk;
	bulk->by_unix = u;
	return NULL;
}

const char *
bulk_unix_greeted(struct bulk_unix *u, const uint8_t *hello, size_t len)
{
	const char *why;
	if (u->greeted)
		return "second_hello";
	if (u->bulk == NULL) {
		if ((why = take_token(u, hello, len)) != NULL)
			return why;
		if (!bulk_unix_greet(u, NULL, 0))
			return "no_room";
	} else if (len != 0) {
		return "bad_hello";
	}
	u->greeted = true;
	bus_bulk_up(u->bulk, &bulk_unix_carrier);
	return NULL;
}

static void
lost(struct bulk_unix *u)
{
	struct bus_bulk *bulk = u->bulk;
	bool was_up = u->greeted;
	bulk_unix_close(u);
	if (was_up)
		bus_bulk_down(bulk);
	else if (bulk != NULL)
		bus_bulk_next(bulk, &bulk_unix_carrier);
}

/* A callee's caller dials again, which a callee cannot. */
void
bulk_unix_useless(struct bulk_unix *u, const char *why)
{
	struct bus_bulk *bulk = u->bulk;
	trl_log(TRL_LOG_WARN, NULL, "a socket for bodies cannot send",
	    TRL_LOG_STR("service", u->bus->service), TRL_LOG_STR("peer", bulk->to),
	    TRL_LOG_STR("reason", why));
	bus_bulk_down(bulk);
	if (bulk->peer != NULL)
		bus_bulk_next(bulk, &bulk_unix_carrier);
}

static void
refuse(struct bulk_unix *u, const char *why)
{
	struct bus_bulk *bulk = u->bulk;
	if (bulk == NULL)
		bus_net_refused(u->bus->net, u->bus->service, "", why);
	bulk_unix_close(u);
	if (bulk != NULL)
		bus_bulk_refuse(bulk, why);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct bulk_unix *u = poll->data;
	const char *why = NULL;
	enum bulk_unix_news news = BULK_UNIX_SOMETHING;

	if (events & UV_WRITABLE) {
		u->full = false;
		bulk_unix_watch(u);
		if (u->bulk != NULL)
			bus_bulk_room(u->bulk);
	}
	for (unsigned n = 0; u->fd >= 0 && news == BULK_UNIX_SOMETHING && n < AT_ONCE;
	     n++)
		news = bulk_unix_take(u, &why);
	if (news == BULK_UNIX_BAD)
		refuse(u, why);
	else if (u->fd >= 0 && (news == BULK_UNIX_LOST || status < 0))
		lost(u);
}

void
bulk_unix_watch(struct bulk_unix *u)
{
	int events = UV_READABLE | UV_DISCONNECT | (u->full ? UV_WRITABLE : 0);
	trl_assert(uv_poll_start(&u->poll, events, on_poll) == 0);
}

static int
connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	if (path[0] != '/' || len >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, path, len);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
dial(struct bus_bulk *bulk)
{
	uint8_t hello[BUS_TOKEN + TRL_BUS_NAME_MAX + 1];
	const char *name = bulk->bus->service;
	if (bulk->by_unix != NULL)
		return true;
	int fd = bulk->path[0] != '\0' ? connect_to(bulk->path) : -1;
	struct bulk_unix *u = fd >= 0 ? bulk_unix_open(bulk->bus, fd) : NULL;
	if (u == NULL)
		return false;
	memcpy(hello, bulk->token, BUS_TOKEN);
	memcpy(hello + BUS_TOKEN, name, strlen(name));
	if (!bulk_unix_greet(u, hello, BUS_TOKEN + strlen(name))) {
		bulk_unix_close(u);
		return false;
	}
	u->bulk = bulk;
	bulk->by_unix = u;
	return true;
}

static void
drop(struct bus_bulk *bulk)
{
	if (bulk->by_unix != NULL)
		bulk_unix_close(bulk->by_unix);
}

const struct bus_carrier bulk_unix_carrier = {
	.name = "unix",
	.dial = dial,
	.send = bulk_unix_send,
	.send_file = bulk_unix_send_file,
	.drop = drop,
	.close = drop,
};
