/* inbound.c - a received message, kept until each call inside it has been decoded. */
#include "server.h"

#include <stdlib.h>

struct bus_inbound *
bus_inbound_keep(struct bus_server *server, nng_msg *msg)
{
	struct bus_inbound *inbound = server->free_inbounds;
	if (inbound != NULL)
		server->free_inbounds = inbound->next_free;
	else
		inbound = malloc(sizeof *inbound);
	trl_assert(inbound != NULL);
	*inbound = (struct bus_inbound){ .msg = msg, .refs = 1 };
	return inbound;
}

void
bus_inbound_drop(struct bus_server *server, struct bus_inbound *inbound)
{
	if (--inbound->refs > 0)
		return;
	nng_msg_free(inbound->msg);
	inbound->next_free = server->free_inbounds;
	server->free_inbounds = inbound;
}
