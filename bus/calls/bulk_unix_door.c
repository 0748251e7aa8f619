/* bulk_unix_door.c - see bulk_unix.h: where a callee listens, RUN/bulk/SERVICE.RANDOM.
 * The name is random, so that a path which can be reached is that process's and no
 * other's, in whatever folder a container has at the same place. What a process that
 * was killed left behind, the next one removes. */
#include "bulk_unix.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <sodium.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

#include "server.h"

enum { STRANGERS = 32, BACKLOG = 128 };

struct bulk_unix_door {
	uv_poll_t poll; /* first */
	int fd;
	trl_bus *bus;
	struct sockaddr_un at;
	struct bulk_unix *strangers; /* newest first */
	unsigned n_strangers;
	bool rests; /* until the next tick */
};

static int
open_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* False: it is longer than an address may be. */
static bool
put_path(struct sockaddr_un *at, const char *folder, const char *name)
{
	at->sun_family = AF_UNIX;
	return (size_t)snprintf(at->sun_path, sizeof at->sun_path, "%s/%s", folder,
		   name) < sizeof at->sun_path;
}

/* Nobody listens there any more. One that is being made has a name with a dot. */
static void
sweep(const char *folder)
{
	DIR *dir = opendir(folder);
	struct sockaddr_un at;
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		int fd = e->d_name[0] != '.' && put_path(&at, folder, e->d_name)
			     ? open_socket()
			     : -1;
		if (fd < 0)
			continue;
		if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0 &&
		    errno == ECONNREFUSED)
			unlink(at.sun_path);
		close(fd);
	}
	if (dir != NULL)
		closedir(dir);
}

/* Appears under its name only once it listens, and as 0600 from the first. */
static const char *
listen_at(struct bulk_unix_door *door, const char *folder)
{
	char name[TRL_BUS_NAME_MAX + 20], id[17];
	struct sockaddr_un hidden;
	uint8_t random[8];
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(id, sizeof id, random, sizeof random);
	snprintf(name, sizeof name, ".%s.%s", door->bus->service, id);
	if (!put_path(&hidden, folder, name))
		return "the path is too long for a socket";
	trl_assert(put_path(&door->at, folder, name + 1));
	if (fchmod(door->fd, 0600) == 0 &&
	    bind(door->fd, (struct sockaddr *)&hidden, sizeof hidden) == 0) {
		if (listen(door->fd, BACKLOG) == 0 &&
		    rename(hidden.sun_path, door->at.sun_path) == 0)
			return NULL;
		int error = errno;
		unlink(hidden.sun_path);
		errno = error;
	}
	return strerror(errno);
}

static const char *
open_door(struct bulk_unix_door *door, const char *run_dir)
{
	char folder[sizeof door->at.sun_path];
	char *run = realpath(run_dir, NULL);
	if (run == NULL)
		return strerror(errno);
	int n = snprintf(folder, sizeof folder, "%s/bulk", run);
	free(run);
	if (n >= (int)sizeof folder)
		return "the path is too long for a socket";
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return strerror(errno);
	sweep(folder);
	if ((door->fd = open_socket()) < 0)
		return strerror(errno);
	return listen_at(door, folder);
}

/* There is room for few that say nothing: the oldest goes. */
static void
make_room(struct bulk_unix_door *door)
{
	struct bulk_unix *oldest = door->strangers;
	if (door->n_strangers < STRANGERS)
		return;
	while (oldest->next != NULL)
		oldest = oldest->next;
	bulk_unix_close(oldest);
}

static void
let_in(uv_poll_t *poll, int status, int events)
{
	struct bulk_unix_door *door = poll->data;
	int fd;
	(void)status;
	(void)events;
	while (
	    (fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct bulk_unix *u = bulk_unix_open(door->bus, fd);
		if (u == NULL)
			continue;
		make_room(door);
		u->door = door;
		u->next = door->strangers;
		door->strangers = u;
		door->n_strangers++;
	}
	/* Who waits stays there, and would be told of again and again. */
	door->rests = errno != EAGAIN && errno != ECONNABORTED && errno != EINTR;
	if (door->rests)
		uv_poll_stop(&door->poll);
}

void
bulk_unix_listen_again(struct bulk_unix_door *door)
{
	if (door == NULL || !door->rests)
		return;
	door->rests = false;
	uv_poll_start(&door->poll, UV_READABLE, let_in);
}

void
bulk_unix_leave(struct bulk_unix *u)
{
	struct bulk_unix_door *door = TRL_TAKE(u->door);
	struct bulk_unix **at = &door->strangers;
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	door->n_strangers--;
}

void
bulk_unix_listen(struct bus_server *server)
{
	trl_bus *bus = server->bus;
	if (bus->net->run_dir == NULL)
		return;
	struct bulk_unix_door *door = calloc(1, sizeof *door);
	trl_assert(door != NULL);
	door->fd = -1;
	door->bus = bus;
	const char *why = open_door(door, bus->net->run_dir);
	if (why == NULL) {
		trl_assert(uv_poll_init(trl_loop_uv(bus->net->loop), &door->poll,
			       door->fd) == 0);
		door->poll.data = door;
		uv_poll_start(&door->poll, UV_READABLE, let_in);
		bus_hold(bus);
		server->unix_door = door;
		return;
	}
	trl_log(TRL_LOG_WARN, NULL, "no socket for bodies from this host",
	    TRL_LOG_STR("service", bus->service), TRL_LOG_STR("reason", why));
	if (door->fd >= 0)
		close(door->fd);
	free(door);
}

static void
closed(uv_handle_t *handle)
{
	struct bulk_unix_door *door = handle->data;
	bus_release(&door->bus);
	free(door);
}

void
bulk_unix_unlisten(struct bulk_unix_door **door)
{
	struct bulk_unix_door *d = TRL_TAKE(*door);
	if (d == NULL)
		return;
	while (d->strangers != NULL)
		bulk_unix_close(d->strangers);
	unlink(d->at.sun_path);
	uv_poll_stop(&d->poll);
	close(d->fd);
	uv_close((uv_handle_t *)&d->poll, closed);
}

const char *
bulk_unix_path(const struct bulk_unix_door *door)
{
	return door != NULL ? door->at.sun_path : "";
}
