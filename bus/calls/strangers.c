/* strangers.c - connections whose HELLO was not believed, or has not come. They are not
 * cut off at once, so that whoever dials again and again is slowed: nothing they say is
 * heard any more, and guests.c ends them when their time is up. One that goes on
 * talking goes sooner. */
#include "server.h"

enum {
	SAID_MAX = 256, /* more than a caller may have queued for the process before */
};

static struct bus_stranger *
find(struct bus_server *server, uint32_t pipe)
{
	for (size_t i = 0; i < TRL_COUNT(server->strangers); i++)
		if (server->strangers[i].pipe == pipe)
			return &server->strangers[i];
	return NULL;
}

static struct bus_stranger *
find_or_add(struct bus_server *server, uint32_t pipe)
{
	struct bus_stranger *stranger = find(server, pipe);
	if (stranger != NULL)
		return stranger;
	stranger = &server->strangers[server->next_stranger];
	server->next_stranger =
	    (server->next_stranger + 1) % TRL_COUNT(server->strangers);
	*stranger = (struct bus_stranger){ .pipe = pipe };
	return stranger;
}

bool
bus_stranger_heard(struct bus_server *server, nng_pipe pipe)
{
	struct bus_stranger *stranger =
	    find_or_add(server, (uint32_t)nng_pipe_id(pipe));
	struct bus_ends ends;
	if (++stranger->said == SAID_MAX && bus_ends_of_pipe(pipe, &ends))
		bus_guests_end(server->bus->net->guests, &ends, pipe);
	return !stranger->refused;
}

void
bus_stranger_refuse(struct bus_server *server, uint32_t pipe)
{
	find_or_add(server, pipe)->refused = true;
}

void
bus_stranger_forget(struct bus_server *server, uint32_t pipe)
{
	struct bus_stranger *stranger = find(server, pipe);
	if (stranger != NULL)
		*stranger = (struct bus_stranger){ 0 };
}
