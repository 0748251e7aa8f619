/* server.c - listening, accepting, draining. At the limit of connections the one
 * that has come is not accepted yet, by which libuv stops listening; the next that ends
 * lets it in, and one that waits for its client is ended for it, so that connections
 * that nobody uses keep nobody out. Out of descriptors libuv closes what comes and goes
 * on. */
#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netdb.h>
#include <sys/stat.h>

#include <trl/complain.h>
#include <trl/log.h>

static void on_connection(uv_stream_t *listener, int status);

/* IPv4 whole, of IPv6 the network of 64 bits that one customer gets. */
static bool
address_of(struct trl_http_conn *conn, uint8_t key[16])
{
	struct sockaddr_storage storage;
	const struct sockaddr_in *v4 = (const void *)&storage;
	const struct sockaddr_in6 *v6 = (const void *)&storage;
	int len = sizeof storage;

	memset(key, 0, 16);
	if (conn->server->is_unix ||
	    uv_tcp_getpeername(&conn->uv.tcp, (struct sockaddr *)&storage, &len))
		return false;
	if (storage.ss_family == AF_INET) {
		(void)uv_ip4_name(v4, conn->address, sizeof conn->address);
		key[0] = 4;
		memcpy(key + 12, &v4->sin_addr, 4);
		return true;
	}
	(void)uv_ip6_name(v6, conn->address, sizeof conn->address);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memmove(conn->address, strrchr(conn->address, ':') + 1,
		    strlen(strrchr(conn->address, ':')));
		key[0] = 4;
		memcpy(key + 12, v6->sin6_addr.s6_addr + 12, 4);
	} else {
		memcpy(key, v6->sin6_addr.s6_addr, 8);
		key[15] = 6;
	}
	return true;
}

static struct http_address **
address_slot(trl_http_server *server, const uint8_t key[16])
{
	struct http_address **at;
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < 16; i++)
		hash = (hash ^ key[i]) * 16777619u;
	at = &server->addresses[hash % TRL_HTTP_ADDRESSES];
	while (*at && memcmp((*at)->key, key, 16) != 0)
		at = &(*at)->next;
	return at;
}

/* Counts the connection with its address. False: the address has too many. */
static bool
count_address(struct trl_http_conn *conn)
{
	trl_http_server *server = conn->server;
	struct http_address **at;
	uint8_t key[16];

	if (!address_of(conn, key) || !server->options.max_per_address)
		return true;
	at = address_slot(server, key);
	if (!*at) {
		*at = calloc(1, sizeof **at);
		trl_assert(*at);
		memcpy((*at)->key, key, 16);
	}
	if ((*at)->count >= server->options.max_per_address)
		return false;
	(*at)->count++;
	conn->address_count = *at;
	return true;
}

static void
accept_one(trl_http_server *server)
{
	struct trl_http_conn *conn = calloc(1, sizeof *conn);
	int rc;

	trl_assert(conn);
	conn->server = server;
	conn->uv.handle.data = conn;
	rc = server->is_unix
		 ? uv_pipe_init(trl_loop_uv(server->loop), &conn->uv.pipe, 0)
		 : uv_tcp_init(trl_loop_uv(server->loop), &conn->uv.tcp);
	trl_assert(rc == 0);
	server->n_conns++;
	server->refs++;
	rc = uv_accept(&server->listener.stream, &conn->uv.stream);
	trl_http_conn_start(server, conn);
	if (rc)
		trl_http_conn_close(conn);
	else if (!count_address(conn))
		trl_http_refuse(
		    conn, NULL, 503, "This address has too many connections.");
}

static void
on_connection(uv_stream_t *listener, int status)
{
	trl_http_server *server = listener->data;

	if (status < 0)
		return;
	if (server->n_conns < server->options.max_connections) {
		accept_one(server);
		return;
	}
	server->accept_waits = true;
	trl_http_make_room(server);
}

void
trl_http_forget(struct trl_http_conn *conn)
{
	trl_http_server *server = conn->server;
	struct http_address *address = conn->address_count, **at;

	if (address && --address->count == 0) {
		at = address_slot(server, address->key);
		*at = address->next;
		free(address);
	}
	if (conn->next)
		conn->next->prev = conn->prev;
	*(conn->prev ? &conn->prev->next : &server->conns) = conn->next;
	trl_http_stream_forget(conn);
	trl_buf_fini(&conn->in);
	trl_buf_fini(&conn->out);
	trl_buf_fini(&conn->body.data);
	free(conn);
	server->n_conns--;
	if (server->accept_waits && server->listening) {
		server->accept_waits = false;
		accept_one(server);
	}
	trl_http_unref(server);
}

/* A service's name, or a number that is a port: getaddrinfo() would take 65536 and
 * more, modulo 65536. */
static bool
is_port(const char *text)
{
	const size_t len = strlen(text);

	if (strspn(text, "0123456789") < len)
		return true;
	return len && len <= 5 && strtoul(text, NULL, 10) <= 65535;
}

static struct addrinfo *
resolve(const char *listen)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(listen, ':');
	struct addrinfo *found = NULL;
	char host[256];
	size_t len;

	if (!colon || !is_port(colon + 1) ||
	    (len = (size_t)(colon - listen)) >= sizeof host)
		return NULL;
	memcpy(host, listen, len);
	host[len] = '\0';
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	if (getaddrinfo(host[0] && strcmp(host, "*") ? host : "0.0.0.0", colon + 1,
		&hints, &found))
		return NULL;
	return found;
}

static int
bind_unix(trl_http_server *server, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	return uv_pipe_bind(&server->listener.pipe, path);
}

static int
bind_tcp(trl_http_server *server, const char *listen)
{
	struct addrinfo *found = resolve(listen);
	int rc;

	if (!found)
		return UV_EINVAL;
	rc = uv_tcp_bind(&server->listener.tcp, found->ai_addr, 0);
	freeaddrinfo(found);
	if (!rc) /* the connections inherit it */
		rc = uv_tcp_nodelay(&server->listener.tcp, 1);
	return rc;
}

static const char *
advice_on(int rc)
{
	switch (rc) {
	case UV_EADDRINUSE:
		return "; stop what uses it or choose another port";
	case UV_EINVAL:
		return "; it has to be address:port with a port up to 65535";
	default:
		return "";
	}
}

static void
set_defaults(trl_http_server *server)
{
	struct trl_http_options *o = &server->options;

	o->max_connections = o->max_connections ? o->max_connections : 10000;
	o->max_waiting_bytes = o->max_waiting_bytes ? o->max_waiting_bytes : 64 << 20;
	o->max_head_bytes = o->max_head_bytes ? o->max_head_bytes : 16384;
	o->max_uri_bytes = o->max_uri_bytes ? o->max_uri_bytes : 8192;
	o->head_timeout_ms = o->head_timeout_ms ? o->head_timeout_ms : 10000;
	o->body_timeout_ms = o->body_timeout_ms ? o->body_timeout_ms : 30000;
	o->idle_timeout_ms = o->idle_timeout_ms ? o->idle_timeout_ms : 75000;
	o->handler_timeout_ms = o->handler_timeout_ms ? o->handler_timeout_ms : 30000;
	o->max_piece_bytes = o->max_piece_bytes ? o->max_piece_bytes : 16 << 20;
	o->piece_timeout_ms = o->piece_timeout_ms ? o->piece_timeout_ms : 30000;
	o->floor_ms = o->floor_ms ? o->floor_ms : 60000;
	o->floor_bytes = o->floor_bytes ? o->floor_bytes : 60 << 10;
	server->pace = (struct http_pace_limits){ o->piece_timeout_ms, o->floor_ms,
		o->floor_bytes };
	server->limits =
	    (struct trl_http_limits){ o->max_head_bytes, o->max_uri_bytes };
	server->waits[HTTP_HEAD].ms = o->head_timeout_ms;
	server->waits[HTTP_BODY].ms = o->body_timeout_ms;
	server->waits[HTTP_IDLE].ms = o->idle_timeout_ms;
	server->waits[HTTP_WRITE].ms = o->body_timeout_ms;
	server->waits[HTTP_LINGER].ms = TRL_HTTP_LINGER_MS;
}

enum trl_code
trl_http_open(trl_loop *loop, const struct trl_http_options *options,
    const struct trl_http_handler *handler, trl_http_server **out)
{
	trl_http_server *server = calloc(1, sizeof *server);
	uv_loop_t *uv = trl_loop_uv(loop);
	int rc;

	trl_assert(server);
	server->loop = loop;
	server->options = *options;
	server->handler = *handler;
	server->is_unix = !strncmp(options->listen, "unix:", 5);
	server->scratch = trl_arena_new(0);
	server->refs = 2; /* the listener and the timer */
	server->listening = true;
	set_defaults(server);
	rc = server->is_unix ? uv_pipe_init(uv, &server->listener.pipe, 0)
			     : uv_tcp_init(uv, &server->listener.tcp);
	trl_assert(rc == 0);
	trl_assert(uv_timer_init(uv, &server->timer) == 0);
	server->listener.handle.data = server;
	server->timer.data = server;
	trl_loop_on_flush(loop, trl_http_flush, server);
	server->files = (struct trl_offload){ .name = "http_files",
		.slots = TRL_HTTP_FILES,
		.queue = TRL_HTTP_FILES_WAIT,
		.retry_after_ms = 1000 };
	trl_offload_init(loop, &server->files);
	rc = server->is_unix ? bind_unix(server, options->listen + 5)
			     : bind_tcp(server, options->listen);
	if (!rc)
		rc = uv_listen(&server->listener.stream, 1024, on_connection);
	if (rc) {
		trl_complain("http: cannot listen on %s: %s%s", options->listen,
		    uv_strerror(rc), advice_on(rc));
		trl_http_close(&server);
		return TRL_UNAVAILABLE;
	}
	*out = server;
	return TRL_OK;
}

void
trl_http_unref(trl_http_server *server)
{
	if (--server->refs)
		return;
	trl_offload_fini(&server->files);
	trl_arena_free(&server->scratch);
	free(server);
}

static void
on_handle_closed(uv_handle_t *handle)
{
	trl_http_unref(handle->data);
}

static void
stop_listening(trl_http_server *server)
{
	if (!server->listening)
		return;
	server->listening = false;
	uv_close(&server->listener.handle, on_handle_closed);
}

void
trl_http_leave(trl_http_server *server)
{
	server->leaving = true;
}

void
trl_http_drain(trl_http_server *server)
{
	struct trl_http_conn *conn, *next;

	server->leaving = server->draining = true;
	stop_listening(server);
	for (conn = server->conns; conn; conn = next) {
		next = conn->next;
		if (conn->state == HTTP_READING && conn->in.len == 0 &&
		    conn->out.len == 0 && !conn->writing)
			trl_http_conn_close(conn);
		else
			trl_http_stream_end(conn);
	}
}

size_t
trl_http_connections(const trl_http_server *server)
{
	return server->n_conns;
}

bool
trl_http_drained(const trl_http_server *server)
{
	return server->draining && server->n_conns == 0;
}

void
trl_http_close(trl_http_server **server_at)
{
	trl_http_server *server = TRL_TAKE(*server_at);
	struct trl_http_conn *conn, *next;

	if (!server)
		return;
	server->draining = true;
	server->closing = true;
	stop_listening(server);
	for (conn = server->conns; conn; conn = next) {
		next = conn->next;
		trl_http_conn_close(conn);
		if (conn->actor)
			trl_cancel(conn->actor);
	}
	trl_loop_off_flush(server->loop, server);
	uv_close((uv_handle_t *)&server->timer, on_handle_closed);
}

unsigned
trl_http_port(const trl_http_server *server)
{
	struct sockaddr_storage storage;
	int len = sizeof storage;

	if (server->is_unix || uv_tcp_getsockname(&server->listener.tcp,
				   (struct sockaddr *)&storage, &len))
		return 0;
	return ntohs(storage.ss_family == AF_INET
			 ? ((struct sockaddr_in *)&storage)->sin_port
			 : ((struct sockaddr_in6 *)&storage)->sin6_port);
}
