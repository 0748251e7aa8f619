/* net.c - see net.h. All rules about nng 1.5.2 that are not in link.c are here
 * and in peer.c: sizes set before listening, no ipc, no time-outs on SUB, and
 * sockets closed only when no operation of ours is on them. */
#include "net.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <sodium.h>

#include <trl/log.h>
#include <trl/loop_uv.h>

#include "bus.h"
#include "notice.h"
#include "threads.h"

/* nng waits a random part of the redial time, which doubles from MIN to MAX: a
 * service that was killed and starts again is found soon after it listens. */
enum { TICK_MS = 700, QUEUE = 64, REDIAL_MIN_MS = 10, REDIAL_MAX_MS = 100 };

bool
bus_is_inproc(const char *address)
{
	return strncmp(address, "inproc://", 9) == 0;
}

static void
flush(void *self)
{
	trl_bus_net *net = self;
	while (net->queue != NULL) {
		struct bus_link *link = net->queue;
		net->queue = link->next_queued;
		link->queued = false;
		bus_link_flush(link);
	}
}

static void
tick(uv_timer_t *timer)
{
	trl_bus_net *net = timer->data;
	struct bus_link *again = net->again;
	net->again = NULL;
	while (again != NULL) {
		struct bus_link *link = again;
		again = link->next_queued;
		link->queued = false;
		bus_link_touch(link);
	}
	for (trl_bus *bus = net->buses; bus != NULL; bus = bus->next)
		bus_tick(bus);
	bus_guests_look(net->guests);
	flush(net);
}

static void
look_again(uv_timer_t *timer)
{
	trl_bus_net *net = timer->data;
	bus_guests_look(net->guests);
}

void
bus_net_look_soon(trl_bus_net *net, uint32_t ms)
{
	uv_timer_start(&net->soon, look_again, ms, 0);
	uv_unref((uv_handle_t *)&net->soon);
}

trl_bus_net *
trl_bus_net_open(trl_loop *loop, const struct trl_bus_net_options *options)
{
	trl_bus_net *net = calloc(1, sizeof *net);
	trl_assert(net != NULL && sodium_init() >= 0);
	net->loop = loop;
	net->holds = 1;
	if (options != NULL && options->tls_ca != NULL && options->tls_cert != NULL &&
	    options->tls_key != NULL) {
		char *key = calloc(1, options->tls_key_len + 1);
		trl_assert(key != NULL);
		memcpy(key, options->tls_key, options->tls_key_len);
		net->tls_ca = strdup(options->tls_ca);
		net->tls_cert = strdup(options->tls_cert);
		net->tls_key = trl_secret_new(key, options->tls_key_len + 1);
		sodium_memzero(key, options->tls_key_len);
		free(key);
	}
	randombytes_buf(&net->boot, sizeof net->boot);
	trl_assert(nng_aio_alloc(&net->send_aio, NULL, NULL) == 0);
	trl_assert(nng_aio_alloc(&net->recv_aio, NULL, NULL) == 0);
	nng_aio_set_timeout(net->send_aio, NNG_DURATION_ZERO);
	nng_aio_set_timeout(net->recv_aio, NNG_DURATION_ZERO);
	bus_threads_rest(); /* the aios above started nng */
	bus_metrics_init(&net->m);
	trl_loop_on_flush(loop, flush, net);
	uint32_t ms =
	    options != NULL && options->tick_ms != 0 ? options->tick_ms : TICK_MS;
	uv_timer_init(trl_loop_uv(loop), &net->tick);
	net->tick.data = net;
	uv_timer_start(&net->tick, tick, ms, ms);
	uv_unref((uv_handle_t *)&net->tick);
	uv_timer_init(trl_loop_uv(loop), &net->soon);
	net->soon.data = net;
	net->guests = bus_guests_new(net);
	trl_log(TRL_LOG_INFO, NULL, "the bus's transport",
	    TRL_LOG_STR("nng", nng_version()));
	return net;
}

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
	nng_aio_free(net->send_aio);
	nng_aio_free(net->recv_aio);
	free(net->tls_ca);
	free(net->tls_cert);
	trl_secret_free(&net->tls_key);
	bus_notice_forget(net);
	bus_guests_free(&net->guests);
	free(net);
}

static void
release_net(uv_handle_t *handle)
{
	bus_net_release(handle->data);
}

void
trl_bus_net_close(trl_bus_net **net)
{
	if (*net == NULL)
		return;
	trl_assert((*net)->buses == NULL);
	trl_loop_off_flush((*net)->loop, *net);
	bus_net_hold(*net);
	uv_close((uv_handle_t *)&(*net)->tick, release_net);
	uv_close((uv_handle_t *)&(*net)->soon, release_net);
	*net = NULL;
}

/* ---- sockets ------------------------------------------------------------------ */

bool
bus_net_socket(trl_bus_net *net, enum bus_socket_kind kind, nng_socket *out)
{
	(void)net;
	int rv = kind == BUS_REQ ? nng_req0_open_raw(out) : nng_rep0_open_raw(out);
	if (rv == 0)
		rv = nng_socket_set_size(*out, NNG_OPT_RECVMAXSZ, BUS_MESSAGE_MAX);
	if (rv == 0)
		rv = nng_socket_set_int(*out, NNG_OPT_SENDBUF, QUEUE);
	if (rv == 0)
		rv = nng_socket_set_int(*out, NNG_OPT_RECVBUF, QUEUE);
	return rv == 0;
}

static bool
wants_tls(const char *address)
{
	return strncmp(address, "tls+tcp://", 10) == 0;
}

/* A new configuration each time: in this version a live one cannot change. */
static int
tls_config(trl_bus_net *net, nng_tls_mode mode, const char *name, nng_tls_config **out)
{
	int rv;
	if (net->tls_key == NULL)
		return NNG_ECRYPTO;
	if ((rv = nng_tls_config_alloc(out, mode)) != 0)
		return rv;
	if ((rv = nng_tls_config_ca_chain(*out, net->tls_ca, NULL)) == 0 &&
	    (rv = nng_tls_config_own_cert(*out, net->tls_cert,
		 (const char *)trl_secret_bytes(net->tls_key), NULL)) == 0 &&
	    (rv = nng_tls_config_auth_mode(*out, NNG_TLS_AUTH_MODE_REQUIRED)) == 0 &&
	    name != NULL)
		rv = nng_tls_config_server_name(*out, name);
	if (rv != 0)
		nng_tls_config_free(*out);
	return rv;
}

int
bus_net_dial(trl_bus_net *net, nng_socket socket, const char *address,
    const char *tls_name, nng_dialer *out)
{
	nng_tls_config *tls = NULL;
	int rv = nng_dialer_create(out, socket, address);
	if (rv != 0)
		return rv;
	if (wants_tls(address)) {
		if ((rv = tls_config(net, NNG_TLS_MODE_CLIENT, tls_name, &tls)) != 0)
			return rv;
		rv = nng_dialer_set_ptr(*out, NNG_OPT_TLS_CONFIG, tls);
		nng_tls_config_free(tls);
		if (rv != 0)
			return rv;
	}
	nng_dialer_set_ms(*out, NNG_OPT_RECONNMINT, REDIAL_MIN_MS);
	nng_dialer_set_ms(*out, NNG_OPT_RECONNMAXT, REDIAL_MAX_MS);
	return nng_dialer_start(*out, NNG_FLAG_NONBLOCK);
}

int
bus_net_listen(
    trl_bus_net *net, nng_socket socket, const char *address, nng_listener *out)
{
	nng_tls_config *tls = NULL;
	int rv = nng_listener_create(out, socket, address);
	if (rv != 0)
		return rv;
	if (wants_tls(address)) {
		if ((rv = tls_config(net, NNG_TLS_MODE_SERVER, NULL, &tls)) != 0)
			return rv;
		rv = nng_listener_set_ptr(*out, NNG_OPT_TLS_CONFIG, tls);
		nng_tls_config_free(tls);
		if (rv != 0)
			return rv;
	}
	return nng_listener_start(*out, 0);
}

/* ---- receiving and sending ------------------------------------------------------ */

static nng_msg *
receive(trl_bus_net *net, nng_socket socket)
{
	nng_recv_aio(socket, net->recv_aio);
	nng_aio_wait(net->recv_aio);
	if (nng_aio_result(net->recv_aio) != 0)
		return NULL;
	nng_msg *msg = nng_aio_get_msg(net->recv_aio);
	nng_aio_set_msg(net->recv_aio, NULL);
	return msg;
}

static void
readable(uv_poll_t *poll, int status, int events)
{
	struct bus_door *door = poll->data;
	nng_msg *msg;
	(void)events;
	if (status < 0)
		return;
	for (unsigned n = 0; n < 2 * QUEUE && door->open; n++) {
		if ((msg = receive(door->net, door->socket)) == NULL)
			return;
		trl_series_add(door->net->m.messages_in, 1);
		door->take(door->self, msg);
	}
}

bool
bus_door_open(struct bus_door *door, trl_bus_net *net, nng_socket socket,
    void (*take)(void *self, nng_msg *msg), void *self)
{
	int fd;
	if (nng_socket_get_int(socket, NNG_OPT_RECVFD, &fd) != 0)
		return false;
	*door = (struct bus_door){
		.socket = socket, .net = net, .take = take, .self = self, .open = true
	};
	uv_poll_init(trl_loop_uv(net->loop), &door->poll, fd);
	door->poll.data = door;
	uv_poll_start(&door->poll, UV_READABLE, readable);
	return true;
}

static void
door_closed(uv_handle_t *poll)
{
	struct bus_door *door = poll->data;
	door->done(door);
}

void
bus_door_close(struct bus_door *door, void (*done)(struct bus_door *door))
{
	door->open = false;
	door->done = done;
	uv_poll_stop(&door->poll);
	uv_close((uv_handle_t *)&door->poll, door_closed);
}

struct closing {
	trl_loop *loop;
	nng_socket socket;
	void (*fn)(void *arg);
	void *arg;
};

static void *
close_slowly(void *arg)
{
	struct closing closing = *(struct closing *)arg;
	free(arg);
	nng_close(closing.socket);
	trl_loop_post(closing.loop, closing.fn, closing.arg);
	return NULL;
}

void
bus_net_close(trl_bus_net *net, nng_socket socket, void (*fn)(void *arg), void *arg)
{
	struct closing *closing = malloc(sizeof *closing);
	pthread_t thread;
	trl_assert(closing != NULL);
	*closing = (struct closing){ net->loop, socket, fn, arg };
	if (pthread_create(&thread, NULL, close_slowly, closing) == 0)
		pthread_detach(thread);
	else
		free(closing); /* the socket stays, as if closing had hung */
}

bool
bus_net_send(trl_bus_net *net, nng_socket socket, nng_msg *msg)
{
	nng_aio_set_msg(net->send_aio, msg);
	nng_send_aio(socket, net->send_aio);
	nng_aio_wait(net->send_aio);
	int rv = nng_aio_result(net->send_aio);
	nng_aio_set_msg(net->send_aio, NULL);
	if (rv == 0)
		trl_series_add(net->m.messages_out, 1);
	return rv == 0;
}

void
bus_net_queue(trl_bus_net *net, struct bus_link *link)
{
	link->queued = true;
	link->next_queued = net->queue;
	net->queue = link;
}

void
bus_net_retry(trl_bus_net *net, struct bus_link *link)
{
	if (link->queued)
		return;
	link->queued = true;
	link->next_queued = net->again;
	net->again = link;
}

static void
drop_from(struct bus_link **list, struct bus_link *link)
{
	while (*list != NULL && *list != link)
		list = &(*list)->next_queued;
	if (*list != NULL)
		*list = link->next_queued;
}

void
bus_net_unqueue(trl_bus_net *net, struct bus_link *link)
{
	if (!link->queued)
		return;
	drop_from(&net->queue, link);
	drop_from(&net->again, link);
	link->queued = false;
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
