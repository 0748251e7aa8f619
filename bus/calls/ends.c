/* ends.c - see ends.h. */
#include "ends.h"

#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void
set_v4(struct bus_end *end, const void *host, uint16_t port)
{
	memcpy(end->host, mapped, sizeof mapped);
	memcpy(end->host + sizeof mapped, host, 4);
	end->port = port;
}

static bool
from_nng(const nng_sockaddr *address, struct bus_end *out)
{
	if (address->s_family == NNG_AF_INET) {
		set_v4(out, &address->s_in.sa_addr, address->s_in.sa_port);
	} else if (address->s_family == NNG_AF_INET6) {
		memcpy(out->host, address->s_in6.sa_addr, sizeof out->host);
		out->port = address->s_in6.sa_port;
	} else {
		return false;
	}
	return true;
}

static bool
from_kernel(const struct sockaddr_storage *address, struct bus_end *out)
{
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;
		set_v4(out, &in->sin_addr, in->sin_port);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
		memcpy(out->host, &in6->sin6_addr, sizeof out->host);
		out->port = in6->sin6_port;
	} else {
		return false;
	}
	return true;
}

bool
bus_ends_of_pipe(nng_pipe pipe, struct bus_ends *out)
{
	nng_sockaddr ours, theirs;
	memset(out, 0, sizeof *out);
	if (nng_pipe_get_addr(pipe, NNG_OPT_LOCADDR, &ours) == 0 &&
	    nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &theirs) == 0 &&
	    from_nng(&ours, &out->ours) && from_nng(&theirs, &out->theirs))
		return true;
	memset(out, 0, sizeof *out);
	return false;
}

bool
bus_pipe_is_inproc(nng_pipe pipe)
{
	nng_sockaddr address;
	return nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) == 0 &&
	       address.s_family == NNG_AF_INPROC;
}

bool
bus_ours_of_socket(int fd, struct bus_end *out)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	memset(out, 0, sizeof *out);
	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	       from_kernel(&address, out);
}

void
bus_theirs_of_socket(int fd, struct bus_end *out)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	memset(out, 0, sizeof *out);
	if (getpeername(fd, (struct sockaddr *)&address, &len) != 0 ||
	    !from_kernel(&address, out))
		memset(out, 0, sizeof *out);
}

bool
bus_end_of_listener(nng_listener listener, struct bus_end *out)
{
	nng_sockaddr address;
	memset(out, 0, sizeof *out);
	return nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &address) == 0 &&
	       from_nng(&address, out);
}

bool
bus_ends_equal(const struct bus_ends *a, const struct bus_ends *b)
{
	return a->ours.port != 0 && memcmp(a, b, sizeof *a) == 0;
}

bool
bus_end_is_at(const struct bus_end *ours, const struct bus_end *place)
{
	static const uint8_t any_v6[16] = { 0 },
			     any_v4[16] = { [10] = 0xff, [11] = 0xff };
	return place->port != 0 && ours->port == place->port &&
	       (memcmp(place->host, ours->host, sizeof place->host) == 0 ||
		   memcmp(place->host, any_v6, sizeof any_v6) == 0 ||
		   memcmp(place->host, any_v4, sizeof any_v4) == 0);
}
