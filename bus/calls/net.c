/* net.c - see net.h. */
#include "net.h"

#include <stdlib.h>

#include <trl/log.h>

#include "bulk_unix.h"
#include "notice.h"

void
bus_net_hold(trl_bus_net *net)
{
	net->holds++;
}

void
bus_net_release(trl_bus_net *net)
{
	if (--net->holds > 0)
		return;
	bus_sockets_fini(&net->sockets);
	trl_offload_fini(&net->files);
	bus_notice_forget(net);
	bus_guests_free(&net->guests);
	bulk_unix_spares_free(net);
	free(net->run_dir);
	free(net);
}

void
bus_net_refused(
    trl_bus_net *net, const char *service, const char *peer, const char *why)
{
	static const uint64_t second_us = 1000000;
	uint64_t now = trl_loop_now_us(net->loop);
	trl_series_add(trl_series_at(net->m.refused, why), 1);
	if (now - net->refused_since > second_us) {
		net->refused_since = now;
		net->refused_logged = 0;
	}
	if (net->refused_logged++ >= 10)
		return;
	trl_log(TRL_LOG_WARN, NULL, "bus message refused",
	    TRL_LOG_STR("service", service), TRL_LOG_STR("peer", peer),
	    TRL_LOG_STR("reason", why));
}
