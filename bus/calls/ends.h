/* ends.h - both ends of a TCP connection as the kernel names them. nng shows no
 * descriptor of a connection; by its ends one is found. Private to bus/calls. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <nng/nng.h>

struct bus_end {
	uint8_t host[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;    /* in network order */
};

/* Zeroed: unknown, of a connection within the process or of one that has gone. */
struct bus_ends {
	struct bus_end ours, theirs;
};

/* False: unknown, and *out is zeroed. */
bool bus_ends_of_pipe(nng_pipe pipe, struct bus_ends *out);
/* Whether it stays within the process, and so has no descriptor. */
bool bus_pipe_is_inproc(nng_pipe pipe);
/* Our end of a descriptor, and the other (zeroed where it is not connected any more).
 * False: it is no TCP socket. */
bool bus_ours_of_socket(int fd, struct bus_end *out);
void bus_theirs_of_socket(int fd, struct bus_end *out);
/* Where it listens; false: not over TCP. */
bool bus_end_of_listener(nng_listener listener, struct bus_end *out);

bool bus_ends_equal(const struct bus_ends *a, const struct bus_ends *b);
/* Whether who listens at place has accepted a connection whose end is ours. */
bool bus_end_is_at(const struct bus_end *ours, const struct bus_end *place);
