/* test_body_rig.h - handlers that read and write bodies in pieces, and what they have
 * seen of them; on the rig of the other tests. */
#pragma once

#include <trl/http_body.h>

#include "test_http_rig.h"

#define HEAD(path, fields) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n\r\n"
#define NEXT "GET /other HTTP/1.1\r\nHost: a\r\n\r\n"

enum { BLOCK = 300000, BLOCKS = 3 };

/* What the handlers are told, and what they saw; a process has one world at a time. */
struct seen {
	uint64_t most;    /* of a body; 0: not said */
	int fd;           /* a file, */
	uint64_t at, len; /* and the part of it that is sent */
	unsigned pieces, bodies, written_bodies;
	size_t bytes, largest;
	uint8_t differs;             /* 0: it was what a test sends */
	enum trl_code read, written; /* the last */
	uint32_t retry_after_ms;
	unsigned holding, nudges;
	struct trl_http_request *reads; /* while it does */
	struct trl_ticket tickets[4];   /* of those that hold a piece */
};
extern struct seen seen;

/* /in reads all, /in/holds waits with each piece in its hands until it is woken by
 * seen.tickets, /in/once reads one piece, /in/refuse none. Those with nudged in the
 * path nudge themselves before the first piece; with stops, a nudge is the last it
 * reads. /out writes BLOCKS blocks of BLOCK bytes; with these words in the path it does
 * otherwise: chunked (no length), short (promises one byte more), break (does not
 * finish), small (ten bytes a write), file (a part of seen.fd), parts (of the file,
 * with some from memory), much (a hundred megabytes, of no pattern). */
int set_up(void **state);
/* Times of some tenths of a second. */
int set_up_quick(void **state);
/* Two pieces in all; one an address. */
int set_up_small(void **state);
int set_up_shares(void **state);

uint8_t byte_at(size_t i);
uint8_t *pattern(size_t len);
bool is_pattern(const char *bytes, size_t at, size_t len);
/* A file of holes and, behind them, of the pattern. */
int sparse(uint64_t holes, size_t len);

/* Sends it at the pace of the server. False: it broke off. */
bool send_all(struct world *world, int fd, const void *data, size_t len);
void says(int fd, const char *text);
/* Of what was got. */
const char *body_of(const struct world *world);
/* Asks, and hears an answer whose head has want and whose body has so many bytes, which
 * are returned. */
const char *ask(
    struct world *world, int fd, const char *line, const char *want, size_t len);
/* As a client that dies does. */
void reset(int fd);
/* For trl_loop_run_until: all handlers and connections are at an end. */
bool is_quiet(void *self);
bool is_held(void *self);
/* Lets the n-th that holds a piece go on. */
void let_go(unsigned n);
void let_pass(struct world *world, uint32_t ms);

/* Turns the loop until so many bytes or bodies were seen, or pieces are held. */
struct until {
	size_t bytes;
	unsigned bodies, holding, nudges;
};
void await(struct world *world, struct until until);
/* A client whose handler reads, and waits. */
int say_head(struct world *world, const char *head);
