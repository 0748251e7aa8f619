/* bulk_unix.h - pieces over a unix socket between two processes of one host, where a
 * file's part goes as its descriptor. Private to bus/calls.
 *
 * The callee listens at a path of its own, which its HELLO on the first connection
 * tells; a caller that can reach it connects. Each end asks the kernel who the other
 * is: a process of another user is refused. Nothing is tagged, for what one end
 * writes nobody but the other reads.
 *
 * The socket keeps messages apart (SOCK_SEQPACKET), each sent whole or not at all, so
 * nothing is gathered at either end: what the kernel does not take now, the stream
 * offers again. A message is a header, big-endian, and the piece's bytes:
 *   0  kind (1), as of a frame: HELLO, CHUNK, FILE     1  zero (7)
 *   8  call id (8)     16  of FILE: offset (8)         24  size (8)
 * HELLO comes first, both ways: the caller's with the token (16) and its name, the
 * callee's empty. FILE has one descriptor beside it and no bytes.
 *
 * bulk_unix.c is the life of such a connection, bulk_unix_wire.c its messages,
 * bulk_unix_door.c where the callee listens. */
#pragma once

#include <uv.h>

#include "bulk.h"

struct bus_server;

enum {
	BULK_UNIX_HEAD = 32,
	BULK_UNIX_MOST = BULK_UNIX_HEAD + TRL_STREAM_PIECE,
	BULK_UNIX_FILE = 12, /* beside the kinds of frames */
};

struct bulk_unix_door;

struct bulk_unix {
	uv_poll_t poll; /* first */
	int fd;         /* -1: closed, and freed soon */
	trl_bus *bus;
	struct bus_bulk *bulk; /* NULL: of somebody who has not greeted */
	bool greeted;          /* by the other end */
	bool full;             /* somebody waits for room */
	size_t most;           /* of a piece that the kernel takes */
	/* Of those who have not greeted: */
	struct bulk_unix_door *door;
	struct bulk_unix *next;
};

extern const struct bus_carrier bulk_unix_carrier;

/* bulk_unix.c. Takes fd over. NULL: not of our user, or not to be polled. */
struct bulk_unix *bulk_unix_open(trl_bus *bus, int fd);
void bulk_unix_close(struct bulk_unix *u);
/* NULL: fine, else why the other end is not believed. */
const char *bulk_unix_greeted(
    struct bulk_unix *u, const uint8_t *hello, size_t len) TRL_MUST_CHECK;
/* It cannot send, for this reason: it is closed, and another carrier steps in. */
void bulk_unix_useless(struct bulk_unix *u, const char *why);
/* To be told of what comes, and, if it was full, of room. */
void bulk_unix_watch(struct bulk_unix *u);

/* bulk_unix_wire.c */
enum bulk_unix_news {
	BULK_UNIX_NOTHING, /* now */
	BULK_UNIX_SOMETHING,
	BULK_UNIX_LOST,
	BULK_UNIX_BAD, /* *why says what */
};
size_t bulk_unix_send(
    struct bus_bulk *bulk, uint64_t call_id, const void *data, size_t len);
bool bulk_unix_send_file(
    struct bus_bulk *bulk, uint64_t call_id, int fd, uint64_t offset, uint64_t len);
bool bulk_unix_greet(struct bulk_unix *u, const void *hello, size_t len);
/* The next message, taken to where it belongs. */
enum bulk_unix_news bulk_unix_take(struct bulk_unix *u, const char **why);

/* Of long pieces that were read, for those that come next: each tick, and at the end.
 */
void bulk_unix_spares_free(trl_bus_net *net);

/* bulk_unix_door.c */
/* Listens in a folder of the process's own, where it has one; otherwise there is no
 * door, which is logged, and callers take another carrier. */
void bulk_unix_listen(struct bus_server *server);
/* Each tick: lets in again whom there was no descriptor for. */
void bulk_unix_listen_again(struct bulk_unix_door *door);
void bulk_unix_unlisten(struct bulk_unix_door **door);
/* Who listens there; "" of NULL. */
const char *bulk_unix_path(const struct bulk_unix_door *door);
/* It has greeted, or is closed. */
void bulk_unix_leave(struct bulk_unix *u);
