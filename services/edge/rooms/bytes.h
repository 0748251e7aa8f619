/* bytes.h - what the halves of the way of bytes share: bytes.c walks it, bytes_take.c
 * brings the client's body to whoever is called, bytes_give.c the other one back. */
#pragma once

#include <trl/stream.h>

#include "rooms/rooms.h"

/* When the caller's rights were looked at. */
struct bytes_look {
	uint64_t next_us;  /* to look again */
	uint64_t known_us; /* when they were last known */
};

/* bytes_look.c: the rights were looked at now, as they are when a request is walked. */
struct bytes_look bytes_looked(void);
/* Whether the transfer may go on; where the rights were looked at some seconds ago, it
 * may. Errors: as edge_principal, edge_grant and edge_permission; a fault only where
 * nobody has answered for half a minute. */
enum trl_code bytes_look(struct edge_request *request, struct bytes_look *look);
/* The same once all of a body has come and before the callee is told so: then they are
 * those of this moment. */
enum trl_code bytes_look_last(struct edge_request *request, struct bytes_look *look);

/* bytes_take.c: opens the call with whatever body the request has, and waits for the
 * reply, which becomes request->out; it is one of holder's. *stream is the caller's to
 * close. */
enum trl_code bytes_take(
    struct edge_request *request, struct trl_id holder, trl_stream **stream);

/* bytes_give.c: writes the answer, whose head was rendered, with the body that the
 * stream gives. What fails once it has begun breaks the answer off and is logged. */
enum trl_code bytes_give(struct edge_request *request, trl_stream *stream);
