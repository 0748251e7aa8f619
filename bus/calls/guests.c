/* guests.c - see guests.h. Descriptors are asked who they are, each tick: nng tells of
 * no connection before its own handshake is done, and of none that it keeps. The folder
 * they stand in is opened once, because there may be none left to open it with.
 * (Over 400 lines: all of it is about one table of descriptors.) */
#include "guests.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <trl/complain.h>

#include "bulk_link.h"
#include "peer.h"
#include "server.h"

enum {
	GUESTS_MAX = 256,   /* at once, of all addresses */
	GUESTS_AT_ONE = 64, /* of one address */
	NOTICES_MAX = 512,  /* who hears our notices; they never greet */
	LATE_US = 2000000,
	/* On a busy machine a handshake takes its time; one that is cut short nng 1.5.2
	 * takes amiss (peer.c), and those that come to no end it ends itself. */
	TLS_LATE_US = 12000000,
	GONE_US = 5000000, /* what was closed is gone by then */
	GONE_LOOKS = 8,    /* and not only because this process stood still */
	QUIET_LOOKS = 3,   /* after which nng reads no more of what was shut */
	SOON_MS = 50,      /* to the next look where many came */
	MANY = 32,
	READS_AT_END = 16,
	/* So many descriptors that looking costs: seldom, as long as no more come. */
	COSTLY = 1024,
	SELDOM = 8,
	MORE = 64,
};

/* A descriptor as it was at the last look. */
struct seen {
	struct bus_ends ends;
	uint64_t since_us, closed_us; /* closed_us 0: it stands */
	unsigned look, closed_looks;
	uint32_t pipe; /* to be closed once nothing comes any more; or 0 */
	bool shut;     /* by us */
};

struct bus_guests {
	trl_bus_net *net;
	DIR *folder;
	struct seen *seen; /* by descriptor */
	size_t n_seen;
	struct guest {
		int fd;
		uint64_t since_us;
	} * waiting; /* of this look */
	size_t n_waiting, max_waiting;
	unsigned look, skipped, closed, hearers;
	int free_fd; /* at the last look */
	trl_series *now, *late, *many;
};

struct bus_guests *
bus_guests_new(trl_bus_net *net)
{
	struct bus_guests *g = calloc(1, sizeof *g);
	trl_assert(g != NULL);
	g->net = net;
	g->folder = opendir("/proc/self/fd");
	trl_assert(g->folder != NULL);
	g->now = trl_series_at(
	    trl_gauge_new("trellis_bus_guests",
		"Connections to the bus's addresses that have not greeted", NULL),
	    NULL);
	trl_metric *ended = trl_counter_new("trellis_bus_guests_ended_total",
	    "Connections ended before they greeted, by reason: late, many", "reason",
	    NULL);
	g->late = trl_series_at(ended, "late");
	g->many = trl_series_at(ended, "many");
	return g;
}

void
bus_guests_free(struct bus_guests **guests)
{
	struct bus_guests *g = TRL_TAKE(*guests);
	if (g == NULL)
		return;
	closedir(g->folder);
	free(g->waiting);
	free(g->seen);
	free(g);
}

enum whose { NOBODYS, GUEST, HEARER, KNOWN };

static bool
has_greeted(const struct bus_server *server, const struct bus_ends *ends)
{
	for (const struct bus_conn *c = server->conns; c != NULL; c = c->next)
		if (c->proven && bus_ends_equal(&c->link.ends, ends))
			return true;
	return bulk_hear_knows(server, ends);
}

static bool
is_at(const struct bus_link *link, const struct bus_end *ours)
{
	return link->ends.ours.port == ours->port &&
	       memcmp(&link->ends.ours, ours, sizeof *ours) == 0;
}

/* A connection of ours to a peer, that in use or the one before it. */
static bool
is_dialled(const trl_bus *bus, const struct bus_end *ours)
{
	for (struct bus_target *t = bus->targets; t != NULL; t = t->next)
		for (const struct bus_peer *p = t->peers; p != NULL; p = p->next)
			if (is_at(&p->link, ours) ||
			    (p->bulk.link != NULL && is_at(&p->bulk.link->link, ours)))
				return true;
	return false;
}

/* Fills in the other end of what is the bus's. */
static enum whose
whose(const struct bus_guests *g, int fd, struct bus_ends *ends)
{
	for (const trl_bus *bus = g->net->buses; bus != NULL; bus = bus->next) {
		const struct bus_listener *l =
		    bus->server ? bus->server->listeners : NULL;
		while (l != NULL && !bus_end_is_at(&ends->ours, &l->end))
			l = l->next;
		if (l != NULL) {
			bus_theirs_of_socket(fd, &ends->theirs);
			return has_greeted(bus->server, ends) ? KNOWN : GUEST;
		}
		bool hears = bus_end_is_at(&ends->ours, &bus->pub_end);
		if (hears || is_dialled(bus, &ends->ours)) {
			bus_theirs_of_socket(fd, &ends->theirs);
			return hears ? HEARER : KNOWN;
		}
	}
	return NOBODYS;
}

static struct seen *
seen_at(struct bus_guests *g, int fd)
{
	size_t at = (size_t)fd;
	if (at >= g->n_seen) {
		size_t n = at < 256 ? 256 : at * 2;
		g->seen = realloc(g->seen, n * sizeof *g->seen);
		trl_assert(g->seen != NULL);
		memset(g->seen + g->n_seen, 0, (n - g->n_seen) * sizeof *g->seen);
		g->n_seen = n;
	}
	return &g->seen[at];
}

/* What has come and was not read goes, for nng would read it all before the end. */
static void
end_socket(int fd)
{
	shutdown(fd, SHUT_RDWR);
	for (int i = 0; i < READS_AT_END; i++)
		if (recv(fd, NULL, 1 << 24, MSG_TRUNC | MSG_DONTWAIT) <= 0)
			break;
}

/* Under a descriptor of our own, so that the one meant is not another's by now. */
static bool
shut_down(struct bus_guests *g, int fd, const struct bus_ends *ends)
{
	struct bus_ends now;
	int own = dup(fd);
	bool same = own >= 0 && bus_ours_of_socket(own, &now.ours);
	if (same) {
		bus_theirs_of_socket(own, &now.theirs);
		same = bus_ends_equal(&now, ends);
	}
	if (same) {
		struct seen *seen = seen_at(g, fd);
		if (!bus_ends_equal(&seen->ends, ends))
			*seen = (struct seen){ .ends = *ends, .look = g->look };
		seen->shut = true;
		end_socket(own);
	}
	if (own >= 0)
		close(own);
	return same;
}

/* The next descriptor of this process, or -1. */
static int
next_fd(DIR *folder)
{
	struct dirent *entry;
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			return atoi(entry->d_name);
	return -1;
}

void
bus_guests_end(struct bus_guests *g, const struct bus_ends *ends, nng_pipe pipe)
{
	struct bus_end ours;
	const bool tls = g->net->sockets.tls_ca != NULL;
	int at = -1;
	if (BUS_PIPES_GO)
		nng_pipe_close(pipe);
	for (size_t fd = 0; at < 0 && fd < g->n_seen; fd++)
		if (bus_ends_equal(&g->seen[fd].ends, ends) &&
		    shut_down(g, (int)fd, ends))
			at = (int)fd;
	if (at < 0)
		rewinddir(g->folder);
	for (int fd; ends->ours.port != 0 && at < 0 && (fd = next_fd(g->folder)) >= 0;)
		if (bus_ours_of_socket(fd, &ours) && ours.port == ends->ours.port &&
		    shut_down(g, fd, ends))
			at = fd;
	/* Under TLS nng may take the end of its socket for none of the connection. */
	if (at >= 0 && tls && !BUS_PIPES_GO) {
		g->seen[at].pipe = (uint32_t)nng_pipe_id(pipe);
		g->seen[at].closed_looks = 0;
	} else if (at < 0 && !BUS_PIPES_GO && (tls || bus_pipe_is_inproc(pipe))) {
		nng_pipe_close(pipe);
	}
}

static void
add_waiting(struct bus_guests *g, int fd, uint64_t since_us)
{
	if (g->n_waiting == g->max_waiting) {
		g->max_waiting = g->max_waiting ? 2 * g->max_waiting : 64;
		g->waiting = realloc(g->waiting, g->max_waiting * sizeof *g->waiting);
		trl_assert(g->waiting != NULL);
	}
	g->waiting[g->n_waiting++] = (struct guest){ fd, since_us };
}

/* Shut, by us or by nng, which closes a descriptor right after that; and with nothing
 * left in it that nng could be reading. */
static bool
is_over(const struct seen *seen, int fd)
{
	int unread = 0;
	if (ioctl(fd, FIONREAD, &unread) != 0 || unread > 0)
		return false;
	if (seen->shut)
		return true;
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	return info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_FIN_WAIT1 ||
	       info.tcpi_state == TCP_FIN_WAIT2 || info.tcpi_state == TCP_LAST_ACK ||
	       info.tcpi_state == TCP_CLOSING;
}

static void
give_up(void)
{
	trl_complain("the transport (nng %s) has not let go of a closed connection for "
		     "%u s and would never connect again; the process ends, to be "
		     "started anew",
	    nng_version(), GONE_US / 1000000);
	_exit(1);
}

/* Whether the connection was closed and is there all the same. Under TLS that says
 * nothing: nng hears of a peer's end only when it next reads. */
static void
watch_closed(struct bus_guests *g, struct seen *seen, int fd, uint64_t now)
{
	if (seen->pipe != 0) {
		g->closed++;
		if (++seen->closed_looks >= QUIET_LOOKS) {
			nng_pipe_close((nng_pipe){ .id = seen->pipe });
			seen->pipe = 0;
		}
		return;
	}
	if (g->net->sockets.tls_ca != NULL || !is_over(seen, fd)) {
		seen->closed_us = 0;
		return;
	}
	g->closed++;
	if (seen->closed_us == 0) {
		seen->closed_us = now;
		seen->closed_looks = 0;
	}
	if (++seen->closed_looks >= GONE_LOOKS && now - seen->closed_us >= GONE_US)
		give_up();
}

static void
look_at(struct bus_guests *g, int fd, uint64_t now)
{
	struct bus_ends ends = { 0 };
	if (!bus_ours_of_socket(fd, &ends.ours) || ends.ours.port == 0)
		return;
	struct seen *seen = seen_at(g, fd);
	enum whose who = whose(g, fd, &ends);
	bool same = seen->look + 1 == g->look && seen->ends.theirs.port != 0 &&
		    memcmp(&seen->ends.ours, &ends.ours, sizeof ends.ours) == 0;
	if (who == NOBODYS && same && seen->shut)
		bus_theirs_of_socket(fd, &ends.theirs);
	else if (who == NOBODYS)
		return;
	if (ends.theirs.port == 0 && !same)
		return; /* it listens, or was closed before it was looked at */
	if (!same || (ends.theirs.port != 0 && !bus_ends_equal(&seen->ends, &ends)))
		*seen = (struct seen){ .ends = ends, .since_us = now };
	seen->look = g->look;
	watch_closed(g, seen, fd, now);
	if (who == GUEST && !seen->shut && seen->closed_us == 0)
		add_waiting(g, fd, seen->since_us);
	if (who == HEARER && !seen->shut && ++g->hearers > NOTICES_MAX &&
	    shut_down(g, fd, &seen->ends))
		trl_series_add(g->many, 1);
}

static int
youngest_first(const void *a, const void *b)
{
	const struct guest *x = a, *y = b;
	return (x->since_us < y->since_us) - (x->since_us > y->since_us);
}

/* Who came last stays: whoever means it greets at once. */
static void
make_room(struct bus_guests *g, uint64_t now)
{
	const bool tls = g->net->sockets.tls_ca != NULL;
	const uint64_t late_us = tls ? TLS_LATE_US : LATE_US;
	size_t kept = 0;
	if (g->n_waiting > 1)
		qsort(g->waiting, g->n_waiting, sizeof *g->waiting, youngest_first);
	for (size_t i = 0; i < g->n_waiting; i++) {
		struct guest guest = g->waiting[i];
		struct bus_ends *ends = &g->seen[guest.fd].ends;
		unsigned of_one = 0;
		for (size_t j = 0; kept < GUESTS_MAX && j < kept; j++)
			of_one += memcmp(g->seen[g->waiting[j].fd].ends.theirs.host,
				      ends->theirs.host, sizeof ends->theirs.host) == 0;
		bool late = now - guest.since_us >= late_us;
		if (!late && kept < GUESTS_MAX && of_one < GUESTS_AT_ONE)
			g->waiting[kept++] = guest;
		else if (shut_down(g, guest.fd, ends))
			trl_series_add(late ? g->late : g->many, 1);
	}
	trl_series_set(g->now, kept);
}

/* With ten thousand streams a look costs some milliseconds: the lowest free
 * descriptor tells whether more have come. */
static bool
may_skip(struct bus_guests *g)
{
	int fd = dup(STDERR_FILENO);
	if (fd < 0)
		return false;
	close(fd);
	bool skip = fd >= COSTLY && abs(fd - g->free_fd) < MORE && g->closed == 0 &&
		    g->n_waiting == 0 && ++g->skipped < SELDOM;
	if (!skip) {
		g->free_fd = fd;
		g->skipped = 0;
	}
	return skip;
}

static void
look_again(uv_timer_t *timer)
{
	trl_bus_net *net = timer->data;
	bus_guests_look(net->guests);
}

/* Before the next tick. */
static void
look_soon(struct bus_guests *g)
{
	uv_timer_start(&g->net->soon, look_again, SOON_MS, 0);
	uv_unref((uv_handle_t *)&g->net->soon);
}

void
bus_guests_look(struct bus_guests *g)
{
	uint64_t now = trl_mono_us();
	if (may_skip(g))
		return;
	g->look++;
	g->n_waiting = 0;
	g->closed = g->hearers = 0;
	rewinddir(g->folder);
	for (int fd; (fd = next_fd(g->folder)) >= 0;)
		look_at(g, fd, now);
	make_room(g, now);
	if (g->n_waiting > MANY)
		look_soon(g);
}
