/* link.h - one end of a connection between two services, the same for the one
 * that dialled and the one that listens: frames gather, and once a turn travel
 * as few messages; a window of 32 unacknowledged messages each way, because a
 * raw REP socket drops in silence what stands behind 64. Private to bus/calls. */
#pragma once

#include <nng/nng.h>

#include "ends.h"
#include "mac.h"
#include "socket.h"

enum {
	BUS_WINDOW = 32, /* messages in flight towards the other end */
	BUS_ACK_EVERY =
	    8, /* after so many unanswered ones an acknowledgement goes alone */
	BUS_OUT_MAX =
	    8 << 20, /* bytes gathered; beyond that the other end is too slow */
};

/* Those of a process that have something to say. */
struct bus_links {
	struct bus_sockets *sockets;
	struct bus_link *queue; /* at this turn's end */
	struct bus_link *again; /* nng was full: next tick */
};

struct bus_link {
	struct bus_links *links;
	nng_socket socket;
	uint32_t pipe;        /* 0: not connected */
	struct bus_ends ends; /* of the pipe, or of the one before it */
	uint8_t head[8];      /* nng's own header of what we send */
	size_t head_len;
	bool up; /* greeted both ways: frames may go */
	struct bus_mac mac;
	uint64_t sent, acked; /* messages of ours, and how many the other end has */
	uint64_t received, acknowledged; /* of theirs, and how many we said we have */
	bool ack_now;       /* tell at the next flush, whatever the count */
	struct trl_buf out; /* whole frames, from out_at on */
	size_t out_at;
	void (*flushed)(struct bus_link *link); /* some of out was sent; or NULL */
	bool queued;                            /* in one of links' lists */
	struct bus_link *next_queued;
};

/* A new connection stands: all counts from zero, what was gathered is dropped. */
void bus_link_reset(struct bus_link *link, uint32_t pipe);
void bus_link_fini(struct bus_link *link);
/* Has nothing more to say. */
void bus_link_unqueue(struct bus_link *link);
/* Room for a frame? False: BUS_OUT_MAX wait already. */
bool bus_link_has_room(const struct bus_link *link);
/* Something was put into out, or ack_now was set: send at this turn's end. */
void bus_link_touch(struct bus_link *link);
/* Sends what may be sent, of all that were touched. */
void bus_links_flush(struct bus_links *links);
/* Each tick: those that nng was too full for say it at the next flush. */
void bus_links_retry(struct bus_links *links);
/* Everything sent and acknowledged. */
bool bus_link_settled(const struct bus_link *link);
/* Reads the callee's answer to a HELLO of ours with this nonce: connects where it is
 * what service said. NULL: fine, else why not. */
const char *bus_link_greeted(struct bus_link *link, const struct bus_key *key,
    const uint8_t nonce[16], const char *caller, const char *callee,
    const struct bus_envelope *envelope, const uint8_t *data, size_t len,
    struct bus_frame *hello);
/* Sends a HELLO at once, outside the window, tagged under key (NULL: untagged). */
void bus_link_greet(
    struct bus_link *link, const struct bus_frame *hello, const struct bus_key *key);
/* Checks a received message (not a greeting) and counts it; *at is where its
 * frames begin and *end where they end. NULL when fine, else why it is refused. */
const char *bus_link_take(struct bus_link *link, const struct bus_envelope *envelope,
    const uint8_t *data, size_t len, size_t *end);
