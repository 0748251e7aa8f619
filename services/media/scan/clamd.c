/* clamd.c - see clamd.h. Replies end with NUL (commands that begin with z). Of a file
 * that is too large clamd says so and closes while we still send: so before each piece
 * we look whether it has answered. */
#include "scan/clamd.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <trl/utf8.h>

enum {
	SLOTS = 8,
	CONNECT_MS = 5000,
	WAIT_MS = 10000, /* of a thread; it may take several */
	REPLY_MAX = 1024,
	AGAIN_MS = 10000
};

struct trl_offload clamd_slots = { .name = "clamd",
	.slots = SLOTS,
	.queue = 64,
	.retry_after_ms = 1000,
	.waits = true };

struct clamd_talk {
	int socket; /* -1: none */
	char reply[REPLY_MAX];
	size_t reply_len;
	bool replied; /* a whole reply is there */
	bool closed;  /* by clamd */
	bool ended;   /* it has had all of the file, and knows it */
	/* One step, on its thread. */
	const struct clamd_address *address;
	const char *command;
	const uint8_t *data;
	size_t len;
	int error; /* errno; of a name EHOSTUNREACH */
};

/* Threads. */

/* 0, or ETIMEDOUT. */
static int
await(int socket, short events, int ms)
{
	struct pollfd one = { .fd = socket, .events = events };
	int n;

	do
		n = poll(&one, 1, ms);
	while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : n == 0 ? ETIMEDOUT : errno;
}

/* The socket is not blocking. 0, or an errno. */
static int
connect_to(int socket, const struct sockaddr *to, socklen_t len)
{
	socklen_t error_len = sizeof(int);
	int error = 0;

	if (connect(socket, to, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno; /* EAGAIN: a unix socket whose queue is full */
	error = await(socket, POLLOUT, CONNECT_MS);
	if (error)
		return error;
	if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0)
		return errno;
	return error;
}

static int
try_one(struct clamd_talk *talk, int family, const struct sockaddr *to, socklen_t len)
{
	int error;

	talk->socket = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (talk->socket < 0)
		return errno;
	error = connect_to(talk->socket, to, len);
	if (error) {
		close(talk->socket);
		talk->socket = -1;
	}
	return error;
}

static int
connect_tcp(struct clamd_talk *talk)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found, *at;
	int error = EHOSTUNREACH;

	if (getaddrinfo(talk->address->host, talk->address->port, &hints, &found) != 0)
		return error;
	for (at = found; at && error; at = at->ai_next)
		error = try_one(talk, at->ai_family, at->ai_addr, at->ai_addrlen);
	freeaddrinfo(found);
	return error;
}

static int
connect_unix(struct clamd_talk *talk)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, talk->address->path, strlen(talk->address->path) + 1);
	return try_one(talk, AF_UNIX, (const struct sockaddr *)&to, sizeof to);
}

/* What has come of a reply; never waits. */
static void
read_reply(struct clamd_talk *talk)
{
	while (!talk->replied && !talk->closed) {
		const ssize_t n = recv(talk->socket, talk->reply + talk->reply_len,
		    REPLY_MAX - talk->reply_len, MSG_DONTWAIT);

		if (n > 0) {
			talk->reply_len += (size_t)n;
			talk->replied =
			    memchr(talk->reply, '\0', talk->reply_len) != NULL;
			talk->closed = !talk->replied && talk->reply_len == REPLY_MAX;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			return;
		} else {
			talk->closed = true;
		}
	}
}

/* All of it, or what can be before clamd has answered or left. 0, or an errno. */
static int
send_all(struct clamd_talk *talk, const void *data, size_t len, bool *sent)
{
	const uint8_t *at = data;
	int error = 0;

	while (len > 0 && !error) {
		ssize_t n;

		read_reply(talk);
		if (talk->replied || talk->closed)
			break;
		n = send(talk->socket, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			error = await(
			    talk->socket, POLLIN | POLLOUT, talk->address->send_ms);
		} else if (errno != EINTR) {
			read_reply(talk); /* what it said before it closed */
			talk->closed = true;
		}
	}
	*sent = len == 0 && !error;
	return error;
}

static void
open_on_thread(void *arg)
{
	struct clamd_talk *talk = arg;
	bool sent;

	talk->error = talk->address->tcp ? connect_tcp(talk) : connect_unix(talk);
	if (!talk->error)
		talk->error =
		    send_all(talk, talk->command, strlen(talk->command) + 1, &sent);
}

/* A chunk: its length and its bytes; of no bytes the end. */
static void
send_on_thread(void *arg)
{
	struct clamd_talk *talk = arg;
	const uint8_t head[4] = { (uint8_t)(talk->len >> 24),
		(uint8_t)(talk->len >> 16), (uint8_t)(talk->len >> 8),
		(uint8_t)talk->len };

	bool sent = false;

	talk->error = send_all(talk, head, sizeof head, &sent);
	if (!talk->error && sent)
		talk->error = send_all(talk, talk->data, talk->len, &sent);
	talk->ended = sent && talk->len == 0;
}

static void
answer_on_thread(void *arg)
{
	struct clamd_talk *talk = arg;

	read_reply(talk);
	if (!talk->replied && !talk->closed) {
		(void)await(talk->socket, POLLIN,
		    talk->address->answer_ms < WAIT_MS ? talk->address->answer_ms
						       : WAIT_MS);
		read_reply(talk);
	}
}

/* Actors. */

static enum trl_code
away(trl_ctx *ctx, const char *what)
{
	enum trl_code rc = trl_fail(ctx, TRL_UNAVAILABLE, "clamd %s", what);

	trl_err_retry_after(ctx, AGAIN_MS);
	return rc;
}

static enum trl_code
step(trl_ctx *ctx, struct clamd_talk *talk, void (*on_thread)(void *arg))
{
	enum trl_code rc = trl_offload(ctx, &clamd_slots, on_thread, talk);

	if (rc == TRL_OK && talk->error)
		rc = away(ctx, trl_arena_printf(ctx->arena, "cannot be reached: %s",
				   strerror(talk->error)));
	return rc;
}

static enum trl_code
begin(trl_ctx *ctx, const struct clamd_address *address, const char *command,
    clamd_talk **out)
{
	clamd_talk *talk = calloc(1, sizeof *talk);
	enum trl_code rc;

	trl_assert(talk);
	talk->socket = -1;
	talk->address = address;
	talk->command = command;
	rc = step(ctx, talk, open_on_thread);
	if (rc != TRL_OK)
		clamd_close(&talk);
	*out = talk;
	return rc;
}

enum trl_code
clamd_open(trl_ctx *ctx, const struct clamd_address *address, clamd_talk **out)
{
	return begin(ctx, address, "zINSTREAM", out);
}

enum trl_code
clamd_send(trl_ctx *ctx, clamd_talk *talk, const void *data, size_t len, bool *answered)
{
	enum trl_code rc;

	talk->data = data;
	talk->len = len;
	rc = step(ctx, talk, send_on_thread);
	*answered = talk->replied || talk->closed;
	return rc;
}

/* Waits for a reply, which is NUL-ended then. */
static enum trl_code
await_reply(trl_ctx *ctx, clamd_talk *talk)
{
	const uint64_t until_us =
	    trl_mono_us() + (uint64_t)talk->address->answer_ms * 1000;
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && !talk->replied && !talk->closed) {
		if (trl_mono_us() > until_us)
			return away(ctx, "gave no answer in time");
		rc = step(ctx, talk, answer_on_thread);
	}
	if (rc == TRL_OK && !talk->replied)
		rc = away(ctx, "broke off without an answer");
	return rc;
}

/* "stream: NAME FOUND": the name, or NULL. */
static char *
name_found(char *reply)
{
	static const char before[] = "stream: ", after[] = " FOUND";
	const size_t len = strlen(reply);
	char *name = reply + strlen(before);

	if (strncmp(reply, before, strlen(before)) != 0 ||
	    len <= strlen(before) + strlen(after) ||
	    strcmp(reply + len - strlen(after), after) != 0)
		return NULL;
	reply[len - strlen(after)] = '\0';
	return name;
}

static enum trl_code
judge(trl_ctx *ctx, char *reply, struct clamd_verdict *out)
{
	/* With AlertExceedsMax; without it clamd calls clean what it did not read. */
	static const char exceeded[] = "Heuristics.Limits.Exceeded";
	/* The same by its version 0.105, which has no name for a file's size. */
	static const char nameless[] = "(null)";
	char *name;

	*out = (struct clamd_verdict){ .kind = CLAMD_CLEAN };
	if (strcmp(reply, "stream: OK") == 0)
		return TRL_OK;
	if (strstr(reply, "size limit exceeded")) {
		out->kind = CLAMD_UNSCANNED;
		return TRL_OK;
	}
	name = name_found(reply);
	if (!name)
		return away(
		    ctx, trl_arena_printf(ctx->arena, "said \"%.200s\"", reply));
	out->kind = strncmp(name, exceeded, strlen(exceeded)) == 0 ||
			    strcmp(name, nameless) == 0
			? CLAMD_UNSCANNED
			: CLAMD_INFECTED;
	(void)snprintf(out->found, sizeof out->found, "%s", name);
	trl_utf8_clean(out->found, strlen(out->found), "");
	return TRL_OK;
}

enum trl_code
clamd_end(trl_ctx *ctx, clamd_talk *talk, struct clamd_verdict *out)
{
	bool answered = talk->replied || talk->closed;
	enum trl_code rc = TRL_OK;

	if (!answered)
		rc = clamd_send(ctx, talk, NULL, 0, &answered);
	if (rc == TRL_OK)
		rc = await_reply(ctx, talk);
	if (rc == TRL_OK)
		rc = judge(ctx, talk->reply, out);
	if (rc == TRL_OK && out->kind == CLAMD_CLEAN && !talk->ended)
		rc = away(ctx, "calls clean what it has not seen the end of");
	return rc;
}

enum trl_code
clamd_ping(trl_ctx *ctx, const struct clamd_address *address)
{
	clamd_talk *talk;
	enum trl_code rc = begin(ctx, address, "zPING", &talk);

	if (rc == TRL_OK)
		rc = await_reply(ctx, talk);
	if (rc == TRL_OK && strcmp(talk->reply, "PONG") != 0)
		rc = away(ctx, "does not answer a PING");
	clamd_close(&talk);
	return rc;
}

void
clamd_close(clamd_talk **talk)
{
	clamd_talk *self = TRL_TAKE(*talk);

	if (!self)
		return;
	if (self->socket >= 0)
		close(self->socket);
	free(self);
}
