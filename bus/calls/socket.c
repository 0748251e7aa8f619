/* socket.c - see socket.h. All rules about nng 1.5.2 that are not in link.c are here
 * and in peer.c: sizes set before listening, no ipc, no time-outs on SUB, and sockets
 * closed only when no operation of ours is on them. */
#include "socket.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <sodium.h>

#include <trl/loop_uv.h>

#include "frame.h"

/* nng waits a random part of the redial time, which doubles from MIN to MAX: a
 * service that was killed and starts again is found soon after it listens. */
enum { QUEUE = 64, REDIAL_MIN_MS = 10, REDIAL_MAX_MS = 100 };

void
bus_sockets_init(struct bus_sockets *sockets, trl_loop *loop,
    const struct trl_bus_net_options *options)
{
	sockets->loop = loop;
	if (options != NULL && options->tls_ca != NULL && options->tls_cert != NULL &&
	    options->tls_key != NULL) {
		char *key = calloc(1, options->tls_key_len + 1);
		trl_assert(key != NULL);
		memcpy(key, options->tls_key, options->tls_key_len);
		sockets->tls_ca = strdup(options->tls_ca);
		sockets->tls_cert = strdup(options->tls_cert);
		sockets->tls_key = trl_secret_new(key, options->tls_key_len + 1);
		sodium_memzero(key, options->tls_key_len);
		free(key);
	}
	trl_assert(nng_aio_alloc(&sockets->send_aio, NULL, NULL) == 0);
	trl_assert(nng_aio_alloc(&sockets->recv_aio, NULL, NULL) == 0);
	nng_aio_set_timeout(sockets->send_aio, NNG_DURATION_ZERO);
	nng_aio_set_timeout(sockets->recv_aio, NNG_DURATION_ZERO);
	sockets->messages_out = trl_series_at(
	    trl_counter_new("trellis_bus_messages_sent_total", "Messages sent", NULL),
	    NULL);
	sockets->messages_in =
	    trl_series_at(trl_counter_new("trellis_bus_messages_received_total",
			      "Messages received", NULL),
		NULL);
}

void
bus_sockets_fini(struct bus_sockets *sockets)
{
	nng_aio_free(sockets->send_aio);
	nng_aio_free(sockets->recv_aio);
	free(sockets->tls_ca);
	free(sockets->tls_cert);
	trl_secret_free(&sockets->tls_key);
}

bool
bus_is_inproc(const char *address)
{
	return strncmp(address, "inproc://", 9) == 0;
}

bool
bus_socket_open(enum bus_socket_kind kind, nng_socket *out)
{
	int rv = kind == BUS_REQ ? nng_req0_open_raw(out) : nng_rep0_open_raw(out);
	if (rv == 0)
		rv = nng_socket_set_size(*out, NNG_OPT_RECVMAXSZ, BUS_MESSAGE_MAX);
	if (rv == 0)
		rv = nng_socket_set_int(*out, NNG_OPT_SENDBUF, QUEUE);
	if (rv == 0)
		rv = nng_socket_set_int(*out, NNG_OPT_RECVBUF, QUEUE);
	return rv == 0;
}

bool
bus_is_tls(const char *address)
{
	return strncmp(address, "tls+tcp://", 10) == 0;
}

/* A new configuration each time: in this version a live one cannot change. */
static int
tls_config(struct bus_sockets *sockets, nng_tls_mode mode, const char *name,
    nng_tls_config **out)
{
	int rv;
	if (sockets->tls_key == NULL)
		return NNG_ECRYPTO;
	if ((rv = nng_tls_config_alloc(out, mode)) != 0)
		return rv;
	if ((rv = nng_tls_config_ca_chain(*out, sockets->tls_ca, NULL)) == 0 &&
	    (rv = nng_tls_config_own_cert(*out, sockets->tls_cert,
		 (const char *)trl_secret_bytes(sockets->tls_key), NULL)) == 0 &&
	    (rv = nng_tls_config_auth_mode(*out, NNG_TLS_AUTH_MODE_REQUIRED)) == 0 &&
	    name != NULL)
		rv = nng_tls_config_server_name(*out, name);
	if (rv != 0)
		nng_tls_config_free(*out);
	return rv;
}

int
bus_socket_dial(struct bus_sockets *sockets, nng_socket socket, const char *address,
    const char *tls_name, nng_dialer *out)
{
	nng_tls_config *tls = NULL;
	int rv = nng_dialer_create(out, socket, address);
	if (rv != 0)
		return rv;
	if (bus_is_tls(address)) {
		if ((rv = tls_config(sockets, NNG_TLS_MODE_CLIENT, tls_name, &tls)) !=
		    0)
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
bus_socket_listen(struct bus_sockets *sockets, nng_socket socket, const char *address,
    nng_listener *out)
{
	nng_tls_config *tls = NULL;
	int rv = nng_listener_create(out, socket, address);
	if (rv != 0)
		return rv;
	if (bus_is_tls(address)) {
		if ((rv = tls_config(sockets, NNG_TLS_MODE_SERVER, NULL, &tls)) != 0)
			return rv;
		rv = nng_listener_set_ptr(*out, NNG_OPT_TLS_CONFIG, tls);
		nng_tls_config_free(tls);
		if (rv != 0)
			return rv;
	}
	return nng_listener_start(*out, 0);
}

static nng_msg *
receive(struct bus_sockets *sockets, nng_socket socket)
{
	nng_recv_aio(socket, sockets->recv_aio);
	nng_aio_wait(sockets->recv_aio);
	if (nng_aio_result(sockets->recv_aio) != 0)
		return NULL;
	nng_msg *msg = nng_aio_get_msg(sockets->recv_aio);
	nng_aio_set_msg(sockets->recv_aio, NULL);
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
		if ((msg = receive(door->sockets, door->socket)) == NULL)
			return;
		trl_series_add(door->sockets->messages_in, 1);
		door->take(door->self, msg);
	}
}

bool
bus_door_open(struct bus_door *door, struct bus_sockets *sockets, nng_socket socket,
    void (*take)(void *self, nng_msg *msg), void *self)
{
	int fd;
	if (nng_socket_get_int(socket, NNG_OPT_RECVFD, &fd) != 0)
		return false;
	*door = (struct bus_door){ .socket = socket,
		.sockets = sockets,
		.take = take,
		.self = self,
		.open = true };
	uv_poll_init(trl_loop_uv(sockets->loop), &door->poll, fd);
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
bus_socket_close(trl_loop *loop, nng_socket socket, void (*fn)(void *arg), void *arg)
{
	struct closing *closing = malloc(sizeof *closing);
	pthread_t thread;
	trl_assert(closing != NULL);
	*closing = (struct closing){ loop, socket, fn, arg };
	if (pthread_create(&thread, NULL, close_slowly, closing) == 0)
		pthread_detach(thread);
	else
		free(closing); /* the socket stays, as if closing had hung */
}

bool
bus_socket_send(struct bus_sockets *sockets, nng_socket socket, nng_msg *msg)
{
	nng_aio_set_msg(sockets->send_aio, msg);
	nng_send_aio(socket, sockets->send_aio);
	nng_aio_wait(sockets->send_aio);
	int rv = nng_aio_result(sockets->send_aio);
	nng_aio_set_msg(sockets->send_aio, NULL);
	if (rv == 0)
		trl_series_add(sockets->messages_out, 1);
	return rv == 0;
}
