/* out_loop.c - libcurl's multi interface on libuv: it says which sockets and which time
 * to wait for, and works only when called from here, on the loop's own stack. A poll
 * handle lives from the socket's first wish to its removal; libcurl closes the socket
 * after that. */
#include "out.h"

#include <stdlib.h>

struct link {
	uv_poll_t poll;
	trl_http_out *out;
	curl_socket_t fd;
	int events; /* what is waited for; 0: removed */
};

/* Wakes the actors whose transfer is over; they take the handle out themselves. */
static void
tell_done(trl_http_out *out)
{
	struct out_call *call;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(out->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		call = NULL;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		call->result = message->data.result;
		call->done = true;
		trl_wake(call->ticket);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void
work(trl_http_out *out, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(out->multi, fd, events, &running);
	tell_done(out);
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct link *link = poll->data;

	/* libuv stops a poll that has an error; libcurl finds out which it is, and may
	 * want to go on with the socket all the same. */
	if (status < 0) {
		uv_poll_start(poll, link->events, on_poll);
		work(link->out, link->fd, CURL_CSELECT_ERR);
		return;
	}
	work(link->out, link->fd,
	    ((events & UV_READABLE) ? CURL_CSELECT_IN : 0) |
		((events & UV_WRITABLE) ? CURL_CSELECT_OUT : 0));
}

/* NULL: there is none. One that libcurl would not give back could never be ended. */
static struct link *
new_link(trl_http_out *out, curl_socket_t fd)
{
	struct link *link = calloc(1, sizeof *link);

	trl_assert(link != NULL);
	link->out = out;
	link->fd = fd;
	link->poll.data = link;
	if (curl_multi_assign(out->multi, fd, link) != CURLM_OK) {
		free(link);
		return NULL;
	}
	if (uv_poll_init_socket(trl_loop_uv(out->loop), &link->poll, fd) != 0) {
		curl_multi_assign(out->multi, fd, NULL);
		free(link);
		return NULL;
	}
	return link;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *data)
{
	trl_http_out *out = self;
	struct link *link = data;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (link != NULL) {
			link->events = 0;
			uv_close((uv_handle_t *)&link->poll, on_closed);
			curl_multi_assign(out->multi, fd, NULL);
		}
		return 0;
	}
	if (link == NULL)
		link = new_link(out, fd);
	if (link == NULL)
		return -1;
	link->events = ((what & CURL_POLL_IN) ? UV_READABLE : 0) |
		       ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0);
	return uv_poll_start(&link->poll, link->events, on_poll) == 0 ? 0 : -1;
}

static void
on_time(uv_timer_t *timer)
{
	work(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_timer(CURLM *multi, long timeout_ms, void *self)
{
	trl_http_out *out = self;

	(void)multi;
	if (timeout_ms < 0) {
		uv_timer_stop(out->timer);
		return 0;
	}
	uv_update_time(trl_loop_uv(out->loop));
	uv_timer_start(out->timer, on_time, (uint64_t)timeout_ms, 0);
	return 0;
}

bool
out_loop_open(trl_http_out *out, size_t max_connections)
{
	long most = max_connections > 0 ? (long)max_connections : 256;

	out->multi = curl_multi_init();
	out->timer = calloc(1, sizeof *out->timer);
	trl_assert(out->multi != NULL && out->timer != NULL);
	trl_assert(uv_timer_init(trl_loop_uv(out->loop), out->timer) == 0);
	out->timer->data = out;
	return curl_multi_setopt(out->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ==
		   CURLM_OK &&
	       curl_multi_setopt(out->multi, CURLMOPT_SOCKETDATA, out) == CURLM_OK &&
	       curl_multi_setopt(out->multi, CURLMOPT_TIMERFUNCTION, on_timer) ==
		   CURLM_OK &&
	       curl_multi_setopt(out->multi, CURLMOPT_TIMERDATA, out) == CURLM_OK &&
	       curl_multi_setopt(out->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) ==
		   CURLM_OK &&
	       curl_multi_setopt(out->multi, CURLMOPT_MAXCONNECTS, most) == CURLM_OK;
}

void
out_loop_close(trl_http_out *out)
{
	/* From 8.9 on it begins to wait for TLS's goodbye: on_socket needs multi. */
	curl_multi_cleanup(out->multi);
	out->multi = NULL;
	uv_timer_stop(out->timer);
	out->timer->data = out->timer;
	uv_close((uv_handle_t *)TRL_TAKE(out->timer), on_closed);
}
