/* notice.h - wake-ups: a topic and two ids, no payload, no tag. They may be lost;
 * each causes at most one bounded read. Private to bus/.
 *
 * A message is the topic, NUL, 16 bytes tenant, 16 bytes subject. */
#pragma once

#include "net.h"

struct bus_watch {
	struct bus_watch *next;
	char topic[41];
	void (*fn)(void *self, struct trl_id tenant, struct trl_id subject);
	void *self;
};

/* Publishes where the bus listens for it; NULL address: within the process. */
enum trl_code bus_notice_listen(trl_bus *bus, const char *address);
/* A peer told where it publishes. host: how we reach that peer ("tcp://a:1"). */
void bus_notice_learn(trl_bus_net *net, const char *peer, struct bus_text address);
void bus_notice_forget(trl_bus_net *net);
void bus_notice_close(trl_bus *bus);
