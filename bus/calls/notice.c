/* notice.c - see notice.h. One SUB socket a process: its dialers come and go, it
 * is never closed, cancelled or timed out (in this version of nng that corrupts
 * its lists), so its one receive is always out and ends with the process. */
#include "bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>

#include <trl/complain.h>
#include <trl/crash.h>
#include <trl/log.h>

enum { IDS = 32, TOPIC_MAX = 40, NOTICE_MAX = 128, SEND_QUEUE = 1024 };
enum { REDIAL_SOURCE_MS = 2000 };

struct notice {
	trl_bus_net *net;
	char topic[TOPIC_MAX + 1];
	struct trl_id tenant, subject;
};

static void
deliver(void *arg)
{
	struct notice *n = arg;
	for (trl_bus *bus = n->net->buses; bus != NULL && !n->net->drop_notices;
	     bus = bus->next)
		for (struct bus_watch *w = bus->watches; w != NULL; w = w->next)
			if (strcmp(w->topic, n->topic) == 0)
				w->fn(w->self, n->tenant, n->subject);
	free(n);
}

static struct notice *
read_notice(trl_bus_net *net, const uint8_t *data, size_t len)
{
	size_t topic_len = len > IDS ? len - IDS - 1 : 0;
	if (topic_len == 0 || topic_len > TOPIC_MAX || data[topic_len] != '\0' ||
	    memchr(data, '\0', topic_len) != NULL)
		return NULL;
	struct notice *n = calloc(1, sizeof *n);
	trl_assert(n != NULL);
	n->net = net;
	memcpy(n->topic, data, topic_len);
	memcpy(n->tenant.bytes, data + topic_len + 1, 16);
	memcpy(n->subject.bytes, data + topic_len + 17, 16);
	return n;
}

/* On a thread of nng's. */
static void
heard(void *arg)
{
	trl_bus_net *net = arg;
	trl_crash_thread("bus");
	if (nng_aio_result(net->sub_aio) != 0)
		return;
	nng_msg *msg = nng_aio_get_msg(net->sub_aio);
	struct notice *n = read_notice(net, nng_msg_body(msg), nng_msg_len(msg));
	nng_msg_free(msg);
	if (n != NULL)
		trl_loop_post(net->loop, deliver, n);
	nng_recv_aio(net->sub, net->sub_aio);
}

static bool
open_sub(trl_bus_net *net)
{
	if (net->has_sub)
		return true;
	if (nng_sub0_open(&net->sub) != 0)
		return false;
	nng_socket_set_size(net->sub, NNG_OPT_RECVMAXSZ, NOTICE_MAX);
	nng_socket_set(net->sub, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	nng_aio_alloc(&net->sub_aio, heard, net);
	nng_aio_set_timeout(net->sub_aio, NNG_DURATION_INFINITE);
	net->has_sub = true;
	nng_recv_aio(net->sub, net->sub_aio);
	return true;
}

/* The callee says where it listens, which may be 0.0.0.0; we know its host. */
static void
make_address(const char *peer, struct bus_text notices, char *out, size_t size)
{
	char said[300];
	snprintf(said, sizeof said, "%.*s", (int)notices.n, notices.s);
	const char *host = strstr(peer, "://"), *port = strrchr(said, ':');
	const char *host_end = host ? strrchr(host + 3, ':') : NULL;
	const char *scheme_end = strstr(said, "://");
	if (bus_is_inproc(said) || host_end == NULL || scheme_end == NULL ||
	    port == NULL) {
		snprintf(out, size, "%s", said);
		return;
	}
	snprintf(out, size, "%.*s://%.*s%s", (int)(scheme_end - said), said,
	    (int)(host_end - host - 3), host + 3, port);
}

struct bus_notice_source *
bus_notice_learn(trl_bus_net *net, const char *peer, struct bus_text address)
{
	char at[600], host[256];
	make_address(peer, address, at, sizeof at);
	if (strncmp(at, "tcp://", 6) != 0 && strncmp(at, "tls+tcp://", 10) != 0)
		return NULL;
	for (struct bus_notice_source *s = net->sources; s != NULL; s = s->next)
		if (strcmp(s->address, at) == 0) {
			s->peers++;
			return s;
		}
	if (!open_sub(net))
		return NULL;
	struct bus_notice_source *source = calloc(1, sizeof *source);
	trl_assert(source != NULL);
	source->address = strdup(at);
	source->peers = 1;
	source->next = net->sources;
	net->sources = source;
	const char *from = strstr(at, "://") + 3;
	snprintf(host, sizeof host, "%.*s", (int)strcspn(from, ":"), from);
	int rv = bus_socket_dial(&net->sockets, net->sub, at, host, &source->dialer);
	if (rv != 0)
		trl_log(TRL_LOG_WARN, NULL, "cannot hear notices",
		    TRL_LOG_STR("address", at),
		    TRL_LOG_STR("reason", nng_strerror(rv)));
	else /* a replica that has gone for good is asked for seldom */
		nng_dialer_set_ms(source->dialer, NNG_OPT_RECONNMAXT, REDIAL_SOURCE_MS);
	return source;
}

void
bus_notice_unlearn(trl_bus_net *net, struct bus_notice_source **source)
{
	struct bus_notice_source *s = TRL_TAKE(*source), **at = &net->sources;
	if (s == NULL || --s->peers > 0)
		return;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	nng_dialer_close(s->dialer); /* the socket stays, and what it waits for */
	free(s->address);
	free(s);
}

void
bus_notice_forget(trl_bus_net *net)
{
	while (net->sources != NULL) {
		struct bus_notice_source *s = net->sources;
		net->sources = s->next;
		free(s->address);
		free(s);
	}
}

enum trl_code
bus_notice_listen(trl_bus *bus, const char *address)
{
	nng_listener listener;
	int rv = nng_pub0_open(&bus->pub);
	if (rv == 0) {
		bus->has_pub = true;
		nng_socket_set_size(bus->pub, NNG_OPT_RECVMAXSZ, NOTICE_MAX);
		nng_socket_set_int(bus->pub, NNG_OPT_SENDBUF, SEND_QUEUE);
		rv =
		    bus_socket_listen(&bus->net->sockets, bus->pub, address, &listener);
	}
	if (rv == 0 && !bus_is_inproc(address) &&
	    !bus_end_of_listener(listener, &bus->pub_end))
		rv = NNG_ENOTSUP;
	if (rv == 0)
		return TRL_OK;
	trl_complain("%s: cannot publish notices at %s: %s", bus->service, address,
	    nng_strerror(rv));
	return TRL_UNAVAILABLE;
}

void
trl_bus_notify(
    trl_bus *bus, const char *topic, struct trl_id tenant, struct trl_id subject)
{
	uint8_t data[TOPIC_MAX + 1 + IDS];
	size_t n = strlen(topic);
	nng_msg *msg;

	trl_assert(n > 0 && n <= TOPIC_MAX);
	memcpy(data, topic, n + 1);
	memcpy(data + n + 1, tenant.bytes, 16);
	memcpy(data + n + 17, subject.bytes, 16);
	n += 1 + IDS;
	trl_loop_post(bus->net->loop, deliver, read_notice(bus->net, data, n));
	if (!bus->has_pub || nng_msg_alloc(&msg, 0) != 0)
		return;
	if (nng_msg_append(msg, data, n) != 0 ||
	    !bus_socket_send(&bus->net->sockets, bus->pub, msg))
		nng_msg_free(msg);
}

void
trl_bus_watch(trl_bus *bus, const char *topic,
    void (*fn)(void *self, struct trl_id tenant, struct trl_id subject), void *self)
{
	struct bus_watch *watch = calloc(1, sizeof *watch);
	trl_assert(watch != NULL && strlen(topic) <= TOPIC_MAX);
	strcpy(watch->topic, topic);
	watch->fn = fn;
	watch->self = self;
	watch->next = bus->watches;
	bus->watches = watch;
}

void
trl_bus_drop_notices(trl_bus_net *net, bool drop)
{
	net->drop_notices = drop;
}

void
bus_notice_close(trl_bus *bus)
{
	while (bus->watches != NULL) {
		struct bus_watch *w = bus->watches;
		bus->watches = w->next;
		free(w);
	}
	if (bus->has_pub)
		nng_close(bus->pub);
	bus->has_pub = false;
}
