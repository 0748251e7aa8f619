/* notice.h - wake-ups: a topic and two ids, no payload, no tag. They may be lost;
 * each causes at most one bounded read. Private to bus/calls.
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
/* An address that notices come from. */
struct bus_notice_source {
	struct bus_notice_source *next;
	char *address;
	nng_dialer dialer;
	unsigned peers; /* that publish there and are known */
};

/* A peer told where it publishes. peer: how we reach it ("tcp://a:1"). NULL: that can
 * not be heard. */
struct bus_notice_source *bus_notice_learn(
    trl_bus_net *net, const char *peer, struct bus_text address);
/* A peer is known no more; with the last one of an address its dialer ends. */
void bus_notice_unlearn(trl_bus_net *net, struct bus_notice_source **source);
void bus_notice_forget(trl_bus_net *net);
void bus_notice_close(trl_bus *bus);
