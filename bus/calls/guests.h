/* guests.h - the bus's connections as the kernel has them, looked at once a tick. A
 * guest is a connection at one of our addresses that has not greeted: whoever it is, it
 * has two seconds (twelve under TLS), and there is room for few. Private to bus/calls.
 *
 * A connection is ended by its descriptor and not by nng_pipe_close: nng 1.5.2 may lose
 * what it reads while it closes, and then waits for that for ever, with all that is to
 * be closed after it (its issues 1543 and 1813). What is shut ends as if the other end
 * had closed, which it does well; under TLS, where it may not take that for an end, the
 * pipe is closed a little later, when nothing is read any more. From 1.8 on that is
 * mended, and a pipe is closed where there is one. Should nng keep one all the same,
 * the process ends itself, for it would never connect again. */
#pragma once

#include "ends.h"

typedef struct trl_bus_net trl_bus_net;
struct bus_guests;

struct bus_guests *bus_guests_new(trl_bus_net *net);
void bus_guests_free(struct bus_guests **guests);
/* Ends those that are late or too many, and the process if one does not go. */
void bus_guests_look(struct bus_guests *guests);
/* Ends the connection. ends zeroed: it has no descriptor, or is going by itself. */
void bus_guests_end(
    struct bus_guests *guests, const struct bus_ends *ends, nng_pipe pipe);
