/* out.c - one request to the outside: look at the URL, resolve and look at its
 * addresses, hand it to libcurl, park, read what came. A call that gives up is taken
 * out of libcurl before it returns, so nothing of the actor's memory is used later.
 *
 * What an answer may do is little: no redirect is followed, no cookie kept, nothing
 * unpacked; an answer that trickles ends with the time of the whole. */
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/complain.h>
#include <trl/span.h>

bool
trl_http_out_are_cidrs(const char *cidrs)
{
	struct out_guard guard;

	return out_guard_read(&guard, false, cidrs);
}

/* False: said. */
static bool
check_options(const struct trl_http_out_options *options, struct out_guard *guard)
{
	if (!out_guard_read(guard, options->any_address, options->allow_cidrs)) {
		trl_complain(
		    "\"%s\" is not a list of at most %d address ranges, such as "
		    "127.0.0.0/8,fd00::/8.",
		    options->allow_cidrs, OUT_ALLOW_MAX);
		return false;
	}
	if (options->ca_file != NULL && access(options->ca_file, R_OK) != 0) {
		trl_complain(
		    "The certificate file %s cannot be read.", options->ca_file);
		return false;
	}
	return true;
}

trl_http_out *
trl_http_out_open(trl_loop *loop, const struct trl_http_out_options *options)
{
	struct out_guard guard;
	trl_http_out *out;

	if (!check_options(options, &guard))
		return NULL;
	out = calloc(1, sizeof *out);
	trl_assert(out != NULL);
	out->loop = loop;
	out->guard = guard;
	trl_assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	if (options->ca_file != NULL) {
		out->ca_file = strdup(options->ca_file);
		trl_assert(out->ca_file != NULL);
	}
	trl_assert(out_loop_open(out, options->max_connections));
	out_smtp_open(out);
	return out;
}

void
trl_http_out_close(trl_http_out **out)
{
	if (*out == NULL)
		return;
	trl_assert((*out)->n_calls == 0);
	out_smtp_close(*out);
	out_resolve_leave(*out);
	out_loop_close(*out);
	curl_global_cleanup();
	free((*out)->ca_file);
	free(TRL_TAKE(*out));
}

curl_socket_t
out_open_socket(const struct out_guard *guard, const struct out_url *url,
    const struct curl_sockaddr *to, const char **refused)
{
	struct in6_addr address;
	const char *wrong = "the address is of no known family";

	if (out_address_of(&to->addr, &address))
		wrong = out_url_refused_at(guard, url, &address);
	if (wrong != NULL) {
		*refused = wrong;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void
out_set_common(const trl_http_out *out, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor the environment's */
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* Longer than any call: what was pinned for it is there to its end. */
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 600L);
	/* Of a file libcurl keeps what it read, for all calls; where a folder is named
	 * as well it reads both for each connection, which holds the loop. */
	if (out->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, out->ca_file);
	if (out->ca_file != NULL || curl_version_info(CURLVERSION_NOW)->cainfo != NULL)
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static curl_socket_t
open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct out_call *call = self;

	(void)purpose;
	return out_open_socket(&call->out->guard, call->url, address, &call->refused);
}

bool
out_set_headers(struct out_call *call, const char *const *headers)
{
	/* Without an answer of 100 the body would wait for a second. */
	call->headers = curl_slist_append(NULL, "Expect:");
	for (; headers != NULL && *headers != NULL; headers++) {
		if (strpbrk(*headers, "\r\n") != NULL)
			return false;
		call->headers = curl_slist_append(call->headers, *headers);
	}
	trl_assert(call->headers != NULL);
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	return true;
}

static size_t
on_read(char *to, size_t one, size_t room, void *self)
{
	struct out_call *call = self;
	size_t left = call->in->body_len - call->sent;
	size_t n = room * one < left ? room * one : left;

	memcpy(to, (const char *)call->in->body + call->sent, n);
	call->sent += n;
	return n;
}

/* Where a kept connection dies before an answer comes, libcurl sends the request again,
 * up to five times, and has no option to leave that. But a body that it has read from a
 * function, and cannot seek in, is not sent twice: the call fails. Without a body it
 * would be, so what is not safe to repeat (RFC 9110, 9.2.1) takes a new connection. */
static void
set_body(struct out_call *call, const struct trl_http_call *in)
{
	const bool safe = !strcmp(in->method, "GET") || !strcmp(in->method, "HEAD"),
		   has_length =
		       !strcmp(in->method, "POST") || !strcmp(in->method, "PUT");
	CURL *easy = call->easy;

	if (!strcmp(in->method, "HEAD")) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (in->body_len > 0 || has_length) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)in->body_len);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(easy, CURLOPT_READDATA, call);
	}
	curl_easy_setopt(
	    easy, CURLOPT_FRESH_CONNECT, (long)(!safe && in->body_len == 0));
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, in->method);
}

void
out_set_options(struct out_call *call, const struct trl_http_call *in, const char *list,
    uint32_t timeout_ms)
{
	CURL *easy = call->easy;

	out_set_common(call->out, easy);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_CURLU, call->url->parsed);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)OUT_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, out_on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, out_on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	set_body(call, in);
	if (list != NULL) {
		call->resolve = curl_slist_append(NULL, list);
		trl_assert(call->resolve != NULL);
		curl_easy_setopt(easy, CURLOPT_RESOLVE, call->resolve);
	}
}

void
out_end_call(struct out_call *call)
{
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->resolve);
	trl_buf_fini(&call->body);
}

/* From handing it over to its end, whatever that is. */
static enum trl_code
transfer(trl_ctx *ctx, struct out_call *call, struct trl_http_answer *answer)
{
	trl_http_out *out = call->out;
	enum trl_code rc;

	call->ticket = trl_park_begin(ctx);
	if (curl_multi_add_handle(out->multi, call->easy) != CURLM_OK)
		return trl_fail(ctx, TRL_UNAVAILABLE, "the request cannot be begun");
	out->n_calls++;
	rc = trl_park(ctx, call->ticket, "http out");
	curl_multi_remove_handle(out->multi, call->easy);
	out->n_calls--;
	if (rc == TRL_OK)
		rc = out_judge(ctx, call);
	if (rc == TRL_OK)
		out_give_answer(ctx, call, answer);
	return rc;
}

static uint32_t
left_ms(const trl_ctx *ctx, uint64_t end_us)
{
	uint64_t now = trl_loop_now_us(ctx->loop);

	return now >= end_us ? 0 : (uint32_t)((end_us - now + 999) / 1000);
}

static enum trl_code
call_url(trl_ctx *ctx, trl_http_out *out, const struct out_url *url,
    const struct trl_http_call *in, struct trl_http_answer *answer)
{
	uint32_t timeout_ms = in->timeout_ms > 0 ? in->timeout_ms : OUT_TIMEOUT_MS;
	uint64_t began_us = trl_mono_us();
	uint64_t end_us = trl_loop_now_us(ctx->loop) + (uint64_t)timeout_ms * 1000;
	struct out_call call = { .out = out,
		.in = in,
		.url = url,
		.max_reply = in->max_reply > 0 ? in->max_reply : OUT_REPLY_BYTES };
	const char *list = NULL;
	enum trl_code rc = out_resolve(ctx, out, url, &end_us, &list);

	if (rc != TRL_OK)
		return rc;
	timeout_ms = left_ms(ctx, end_us);
	if (timeout_ms == 0)
		return trl_fail(ctx, TRL_DEADLINE, "out of time for a name's address");
	call.easy = curl_easy_init();
	trl_assert(call.easy != NULL);
	out_set_options(&call, in, list, timeout_ms);
	rc = out_set_headers(&call, in->headers)
		 ? transfer(ctx, &call, answer)
		 : trl_fail(ctx, TRL_DENIED, "A header holds a line break.");
	out_end_call(&call);
	if (rc == TRL_OK)
		answer->took_ms = (uint32_t)((trl_mono_us() - began_us) / 1000);
	return rc;
}

enum trl_code
trl_http_out_call(trl_ctx *ctx, trl_http_out *out, const struct trl_http_call *call,
    struct trl_http_answer *answer)
{
	struct out_url url;
	const char *wrong = out_url_read(call->url, false, &url);
	struct trl_span span;
	enum trl_code rc;

	if (wrong != NULL)
		return trl_fail(ctx, TRL_DENIED, "%s", wrong);
	trl_span_begin(ctx, &span, TRL_SPAN_HTTP, call->method);
	trl_span_text(&span, url.host);
	rc = call_url(ctx, out, &url, call, answer);
	trl_span_number(&span, rc == TRL_OK ? answer->status : 0);
	trl_span_end(ctx, &span, rc);
	out_url_fini(&url);
	return rc;
}
