/* resolve.c - peers from names: nng takes only the first address of a name and
 * asks again only when it redials, so we ask every five seconds ourselves and
 * keep one peer for each address that answers to the name. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

enum { EVERY_MS = 5000, ADDRESSES_MAX = 256 };

struct bus_resolve {
	uv_timer_t timer;
	uv_getaddrinfo_t ask;
	trl_bus *bus;
	struct bus_target *target;
	struct bus_resolve *next;
	char scheme[16], host[256], port[8];
	bool asking, closed;
};

static bool
known(const struct bus_target *target, const char *address)
{
	for (struct bus_peer *p = target->peers; p != NULL; p = p->next)
		if (strcmp(p->address, address) == 0)
			return true;
	return false;
}

static bool
format_address(
    const struct bus_resolve *r, const struct addrinfo *a, char *out, size_t size)
{
	char ip[INET6_ADDRSTRLEN];
	bool v6 = a->ai_family == AF_INET6;
	const void *bytes =
	    v6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)a->ai_addr)
		     ->sin6_addr
	       : (const void *)&((const struct sockaddr_in *)(const void *)a->ai_addr)
		     ->sin_addr;
	if ((!v6 && a->ai_family != AF_INET) ||
	    inet_ntop(a->ai_family, bytes, ip, sizeof ip) == NULL)
		return false;
	snprintf(out, size, "%s://%s%s%s:%s", r->scheme, v6 ? "[" : "", ip,
	    v6 ? "]" : "", r->port);
	return true;
}

/* Adds peers for new addresses, drops those whose address is gone. */
static void
apply(struct bus_resolve *r, const struct addrinfo *list)
{
	char address[128];
	unsigned n = 0;
	for (struct bus_peer *p = r->target->peers; p != NULL; p = p->next)
		p->dropped = true;
	for (const struct addrinfo *a = list; a != NULL && n < ADDRESSES_MAX;
	     a = a->ai_next) {
		if (!format_address(r, a, address, sizeof address))
			continue;
		n++;
		if (!known(r->target, address))
			bus_peer_open(r->bus, r->target, address, r->host);
		for (struct bus_peer *p = r->target->peers; p != NULL; p = p->next)
			if (strcmp(p->address, address) == 0)
				p->dropped = false;
	}
	for (struct bus_peer *p = r->target->peers, *next; p != NULL; p = next) {
		next = p->next;
		if (p->dropped && p->calls == NULL && p->bulk.n_streams == 0)
			bus_peer_close(p);
	}
}

static void
free_resolve(uv_handle_t *handle)
{
	struct bus_resolve *r = handle->data;
	if (r->asking)
		r->closed = true; /* the answer frees it */
	else
		free(r);
}

static void
answered(uv_getaddrinfo_t *ask, int status, struct addrinfo *list)
{
	struct bus_resolve *r = ask->data;
	r->asking = false;
	if (r->closed) {
		free(r);
	} else if (!uv_is_closing((uv_handle_t *)&r->timer)) {
		if (status == 0)
			apply(r, list); /* a failed question changes nothing */
		else
			trl_log(TRL_LOG_WARN, NULL, "cannot resolve a service",
			    TRL_LOG_STR("host", r->host),
			    TRL_LOG_STR("reason", uv_strerror(status)));
	}
	uv_freeaddrinfo(list);
}

static void
ask_again(uv_timer_t *timer)
{
	struct bus_resolve *r = timer->data;
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	if (r->asking)
		return;
	r->ask.data = r;
	r->asking = uv_getaddrinfo(trl_loop_uv(r->bus->net->loop), &r->ask, answered,
			r->host, r->port, &hints) == 0;
}

struct bus_resolve *
bus_resolve_open(trl_bus *bus, struct bus_target *target, const char *scheme,
    const char *host, const char *port)
{
	struct bus_resolve *r = calloc(1, sizeof *r);
	trl_assert(r != NULL);
	r->bus = bus;
	r->target = target;
	snprintf(r->scheme, sizeof r->scheme, "%s", scheme);
	snprintf(r->host, sizeof r->host, "%s", host);
	snprintf(r->port, sizeof r->port, "%s", port);
	uv_timer_init(trl_loop_uv(bus->net->loop), &r->timer);
	r->timer.data = r;
	uv_timer_start(&r->timer, ask_again, 0, EVERY_MS);
	return r;
}

void
bus_resolve_close(struct bus_resolve *resolve)
{
	uv_timer_stop(&resolve->timer);
	uv_close((uv_handle_t *)&resolve->timer, free_resolve);
}
