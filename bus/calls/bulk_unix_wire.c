/* bulk_unix_wire.c - see bulk_unix.h: a message, out and in. Bytes go from the writer's
 * memory to the kernel, and from there to the piece that the stream's reader gets. */
#include "bulk_unix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"
#include "octets.h"

enum { SPARES = 16 };

struct head {
	unsigned kind;
	uint64_t call_id, offset, size;
};

static void
put_head(uint8_t *out, const struct head *head)
{
	memset(out, 0, BULK_UNIX_HEAD);
	out[0] = (uint8_t)head->kind;
	put_be(out + 8, head->call_id, 8);
	put_be(out + 16, head->offset, 8);
	put_be(out + 24, head->size, 8);
}

/* Room for one descriptor, and to see that there were more. */
union rights {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(2 * sizeof(int))];
};

static void
add_fd(struct msghdr *msg, union rights *rights, int fd)
{
	memset(rights, 0, sizeof *rights);
	msg->msg_control = rights;
	msg->msg_controllen = CMSG_SPACE(sizeof fd);
	rights->header.cmsg_level = SOL_SOCKET;
	rights->header.cmsg_type = SCM_RIGHTS;
	rights->header.cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(&rights->header), &fd, sizeof fd);
}

enum outcome {
	SENT,
	FULL,
	GONE, /* the other end, which is heard where it is read */
	USELESS,
};

static enum outcome
outcome(ssize_t n)
{
	if (n >= 0)
		return SENT;
	switch (errno) {
	case EAGAIN:
	case ENOBUFS:
		return FULL;
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
		return GONE;
	default: /* there would be room for it at once, and again */
		return USELESS;
	}
}

static enum outcome
send_message(
    struct bulk_unix *u, const struct head *head, const void *data, size_t len, int fd)
{
	uint8_t bytes[BULK_UNIX_HEAD];
	union rights rights;
	struct iovec parts[] = { { bytes, sizeof bytes },
		{ (void *)(uintptr_t)data, len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = len > 0 ? 2 : 1 };
	ssize_t n;
	put_head(bytes, head);
	if (fd >= 0)
		add_fd(&msg, &rights, fd);
	do {
		n = sendmsg(u->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return outcome(n);
}

static bool
send_or_wait(
    struct bulk_unix *u, const struct head *head, const void *data, size_t len, int fd)
{
	switch (send_message(u, head, data, len, fd)) {
	case SENT:
		return true;
	case FULL:
		u->full = true;
		bulk_unix_watch(u);
		return false;
	case GONE:
		return false;
	default:
		bulk_unix_useless(u, strerror(errno));
		return false;
	}
}

size_t
bulk_unix_send(struct bus_bulk *bulk, uint64_t call_id, const void *data, size_t len)
{
	struct bulk_unix *u = bulk->by_unix;
	const struct head head = { .kind = BUS_CHUNK, .call_id = call_id };
	size_t n = len < u->most ? len : u->most;
	return send_or_wait(u, &head, data, n, -1) ? n : 0;
}

bool
bulk_unix_send_file(
    struct bus_bulk *bulk, uint64_t call_id, int fd, uint64_t offset, uint64_t len)
{
	const struct head head = {
		.kind = BULK_UNIX_FILE,
		.call_id = call_id,
		.offset = offset,
		.size = len,
	};
	return send_or_wait(bulk->by_unix, &head, NULL, 0, fd);
}

bool
bulk_unix_greet(struct bulk_unix *u, const void *hello, size_t len)
{
	return send_message(u, &(struct head){ .kind = BUS_HELLO }, hello, len, -1) ==
	       SENT;
}

struct piece {
	struct bus_piece base; /* first */
	trl_bus_net *net;      /* NULL: not to be used again */
	uint8_t bytes[];
};

/* A long one has room for the longest, and is used again: what malloc is given back at
 * this size it gives to the kernel, and to fault its pages in anew costs more than to
 * receive into them. A tick ends that. */
static struct piece *
new_piece(trl_bus_net *net, size_t len)
{
	bool is_long = len > TRL_STREAM_PIECE / 2;
	struct piece *piece = (struct piece *)net->spares;
	if (is_long && piece != NULL) {
		net->spares = piece->base.next;
		net->n_spares--;
		return piece;
	}
	piece = malloc(sizeof *piece + (is_long ? TRL_STREAM_PIECE : len));
	trl_assert(piece != NULL);
	piece->net = is_long ? net : NULL;
	return piece;
}

static void
free_piece(struct piece *piece)
{
	trl_bus_net *net = piece->net;
	if (net == NULL || net->n_spares == SPARES) {
		free(piece);
		return;
	}
	piece->base.next = net->spares;
	net->spares = &piece->base;
	net->n_spares++;
}

void
bulk_unix_spares_free(trl_bus_net *net)
{
	for (struct bus_piece *piece; (piece = net->spares) != NULL; free(piece))
		net->spares = piece->next;
	net->n_spares = 0;
}

static void
drop_piece(struct bus_piece *piece)
{
	if (piece->what.fd >= 0)
		close(piece->what.fd);
	free_piece((struct piece *)piece);
}

/* What came beside the bytes: *fd, -1 if nothing. All others are closed. */
static unsigned
take_fds(struct msghdr *msg, int *fd)
{
	unsigned n = 0;
	*fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t len = c->cmsg_len - CMSG_LEN(0);
		for (size_t at = 0; at + sizeof(int) <= len; at += sizeof(int), n++) {
			int other = *fd;
			memcpy(fd, CMSG_DATA(c) + at, sizeof *fd);
			if (other >= 0)
				close(other);
		}
	}
	return n;
}

static bool
is_file(int fd, const struct head *head)
{
	struct stat st;
	return head->size > 0 && head->offset <= INT64_MAX &&
	       head->size <= INT64_MAX - head->offset && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

/* The piece is taken over, with its descriptor. */
static const char *
take_piece(struct bulk_unix *u, const struct head *head, struct piece *piece)
{
	struct trl_piece *what = &piece->base.what;
	const char *why = NULL;
	bool chunk = head->kind == BUS_CHUNK, file = head->kind == BULK_UNIX_FILE;

	if (chunk && what->fd >= 0)
		why = "stray_file";
	else if (file && (what->fd < 0 || what->len > 0 || !is_file(what->fd, head)))
		why = "bad_file";
	else if (!u->greeted && head->kind != BUS_HELLO)
		why = "no_hello";
	else if (head->kind == BUS_HELLO)
		why = bulk_unix_greeted(u, piece->bytes, what->len);
	if (why != NULL || !(chunk || file)) { /* others: of a later release */
		drop_piece(&piece->base);
		return why;
	}
	if (file) {
		what->offset = head->offset;
		what->size = head->size;
	} else {
		what->data = piece->bytes;
	}
	return bus_bulk_came(u->bulk, head->call_id, &piece->base);
}

static enum bulk_unix_news
failed(void)
{
	if (errno == EAGAIN || errno == EINTR)
		return BULK_UNIX_NOTHING;
	return BULK_UNIX_LOST;
}

static enum bulk_unix_news
take_message(struct bulk_unix *u, struct piece *piece, size_t len, const char **why)
{
	uint8_t bytes[BULK_UNIX_HEAD];
	union rights rights;
	struct iovec parts[] = { { bytes, sizeof bytes }, { piece->bytes, len } };
	struct msghdr msg = {
		.msg_iov = parts,
		.msg_iovlen = len > 0 ? 2 : 1,
		.msg_control = &rights,
		.msg_controllen = sizeof rights,
	};
	ssize_t n = recvmsg(u->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0) {
		enum bulk_unix_news news = failed();
		free_piece(piece);
		return news;
	}
	const struct head head = {
		.kind = bytes[0],
		.call_id = get_be(bytes + 8, 8),
		.offset = get_be(bytes + 16, 8),
		.size = get_be(bytes + 24, 8),
	};
	piece->base = (struct bus_piece){ .drop = drop_piece };
	unsigned fds = take_fds(&msg, &piece->base.what.fd);
	piece->base.what.len = len;
	trl_assert((size_t)n == sizeof bytes + len);
	if (fds <= 1 && (msg.msg_flags & MSG_CTRUNC)) { /* this process has no more */
		drop_piece(&piece->base);
		return BULK_UNIX_LOST;
	}
	*why = fds > 1 ? "too_many_files" : NULL;
	if (*why != NULL)
		drop_piece(&piece->base);
	else
		*why = take_piece(u, &head, piece);
	return *why != NULL ? BULK_UNIX_BAD : BULK_UNIX_SOMETHING;
}

enum bulk_unix_news
bulk_unix_take(struct bulk_unix *u, const char **why)
{
	uint8_t first;
	/* How long the next one is, whatever of it is asked for. */
	ssize_t n = recv(u->fd, &first, 1, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
	if (n < 0)
		return failed();
	if (n == 0)
		return BULK_UNIX_LOST;
	if (n < BULK_UNIX_HEAD || n > BULK_UNIX_MOST) {
		*why = "malformed";
		return BULK_UNIX_BAD;
	}
	size_t len = (size_t)n - BULK_UNIX_HEAD;
	return take_message(u, new_piece(u->bus->net, len), len, why);
}
