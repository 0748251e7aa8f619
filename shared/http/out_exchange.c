/* out_exchange.c - a request whose body and answer move in pieces. libcurl asks for the
 * one and brings the other when its socket is ready; where the actor has nothing for
 * it, or has not taken what came, its callback pauses that direction, and the actor
 * resumes it. What comes is gathered in one buffer while the actor holds another. */
#include "out.h"

#include <stdlib.h>
#include <string.h>

#include <trl/span.h>

#include "pace.h"

enum { GRACE_US = 30000000 /* for the next piece */ };

static const struct http_pace_limits defaults = { 30000, 60000, 60 << 10 };

struct trl_http_exchange {
	struct out_call call; /* its body is what came and was not read */
	struct trl_http_call in;
	struct out_url url;
	char *header;
	uint64_t left;       /* of the body that is sent */
	const uint8_t *data; /* of which this is being sent */
	size_t len;
	struct trl_buf given; /* to the reader */
	struct http_pace_limits limits;
	struct http_pace pace;
	uint64_t moved;
	bool send_paused, receive_paused;
	bool headed, begun;
};

static size_t
on_wanted(char *to, size_t one, size_t room, void *self)
{
	trl_http_exchange *x = self;
	const size_t n = room * one < x->len ? room * one : x->len;

	if (n == 0) {
		x->send_paused = x->left > 0;
		return x->send_paused ? CURL_READFUNC_PAUSE : 0;
	}
	memcpy(to, x->data, n);
	x->data += n;
	x->len -= n;
	x->left -= n;
	x->moved += n;
	if (x->len == 0)
		trl_wake(x->call.ticket);
	return n;
}

static size_t
on_body(char *data, size_t one, size_t len, void *self)
{
	trl_http_exchange *x = self;

	(void)one;
	if (x->call.body.len >= OUT_PIECE_BYTES) {
		x->receive_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	trl_buf_add(&x->call.body, data, len);
	x->moved += len;
	trl_wake(x->call.ticket);
	return len;
}

static size_t
on_header(char *line, size_t one, size_t len, void *self)
{
	trl_http_exchange *x = self;

	if (out_on_header(line, one, len, &x->call) != len)
		return 0;
	if (len <= 2 && out_status(&x->call) >= 200) {
		x->headed = true;
		trl_wake(x->call.ticket);
	}
	return len;
}

/* libcurl's work on it begins with the loop's next turn; what it holds back may come
 * within this. */
static void
resume(trl_http_exchange *x)
{
	const bool sends = x->send_paused && x->len > 0,
		   receives = x->receive_paused && x->call.body.len == 0;

	if (x->call.done || (!sends && !receives))
		return;
	x->send_paused = x->send_paused && !sends;
	x->receive_paused = x->receive_paused && !receives;
	(void)curl_easy_pause(
	    x->call.easy, (x->send_paused ? CURLPAUSE_SEND : 0) |
			      (x->receive_paused ? CURLPAUSE_RECV : 0));
}

static void
time_at_least(trl_ctx *ctx, uint64_t until_us)
{
	if (ctx->deadline_us < until_us)
		trl_set_deadline(ctx, until_us);
}

/* Parks until libcurl has something to tell. */
static enum trl_code
wait_for_news(trl_ctx *ctx, trl_http_exchange *x)
{
	const uint64_t began = trl_loop_now_us(ctx->loop), moved = x->moved;
	const uint32_t ms = trl_http_pace_ms(&x->pace, &x->limits);
	enum trl_code rc;

	time_at_least(ctx, began + (uint64_t)ms * 1000 + GRACE_US);
	x->call.ticket = trl_park_begin(ctx);
	rc = trl_park_for(ctx, x->call.ticket, "http out", ms);
	if (rc != TRL_OK && ctx->cancelled)
		return rc;
	time_at_least(ctx, trl_loop_now_us(ctx->loop) + GRACE_US);
	/* Who is woken is told of something, if only of an end. */
	if (trl_http_pace_slow(&x->pace, &x->limits, trl_loop_now_us(ctx->loop) - began,
		(size_t)(x->moved - moved) + (rc == TRL_OK)))
		return trl_fail(ctx, TRL_DEADLINE, "the other side is too slow");
	return TRL_OK;
}

static void
set_exchange(trl_http_exchange *x, const char *list)
{
	CURL *easy = x->call.easy;

	out_set_options(&x->call, &x->in, list, 0);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)OUT_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)OUT_BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)OUT_BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_wanted);
	curl_easy_setopt(easy, CURLOPT_READDATA, x);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
}

static enum trl_code
begin(trl_ctx *ctx, trl_http_exchange *x)
{
	uint64_t end_us = trl_loop_now_us(ctx->loop) + (uint64_t)OUT_CONNECT_MS * 1000;
	const char *list = NULL;
	enum trl_code rc = out_resolve(ctx, x->call.out, &x->url, &end_us, &list);

	if (rc != TRL_OK)
		return rc;
	x->call.easy = curl_easy_init();
	trl_assert(x->call.easy != NULL);
	set_exchange(x, list);
	if (!out_set_headers(&x->call, x->in.headers))
		return trl_fail(ctx, TRL_DENIED, "A header holds a line break.");
	x->in.headers = NULL; /* libcurl has these */
	x->in.url = NULL;
	if (curl_multi_add_handle(x->call.out->multi, x->call.easy) != CURLM_OK)
		return trl_fail(ctx, TRL_UNAVAILABLE, "the request cannot be begun");
	x->call.out->n_calls++;
	x->begun = true;
	return TRL_OK;
}

enum trl_code
trl_http_out_begin(trl_ctx *ctx, trl_http_out *out, const struct trl_http_call *call,
    uint64_t length, trl_http_exchange **exchange)
{
	struct out_url url;
	const char *wrong = out_url_read(call->url, false, &url);
	trl_http_exchange *x;
	enum trl_code rc;

	if (wrong != NULL)
		return trl_fail(ctx, TRL_DENIED, "%s", wrong);
	x = calloc(1, sizeof *x);
	trl_assert(x != NULL);
	x->url = url;
	x->in = *call;
	x->in.body = NULL;
	x->in.body_len = (size_t)length;
	if (call->header != NULL) {
		x->header = strdup(call->header);
		trl_assert(x->header != NULL);
		x->in.header = x->header;
	}
	x->left = length;
	x->limits = defaults;
	if (call->timeout_ms > 0)
		x->limits.idle_ms = call->timeout_ms;
	x->call = (struct out_call){ .out = out, .in = &x->in, .url = &x->url };
	rc = begin(ctx, x);
	if (rc != TRL_OK)
		trl_http_out_end(&x);
	else
		*exchange = x;
	return rc;
}

/* What became of a transfer that ended early. */
static enum trl_code
end_of(trl_ctx *ctx, const trl_http_exchange *x)
{
	enum trl_code rc = out_judge(ctx, &x->call);

	return rc != TRL_OK || x->headed
		   ? rc
		   : trl_fail(ctx, TRL_UNAVAILABLE, "there was no answer");
}

enum trl_code
trl_http_out_write(trl_ctx *ctx, trl_http_exchange *x, const void *data, size_t len)
{
	enum trl_code rc = TRL_OK;

	trl_assert(len <= x->left);
	x->data = data;
	x->len = len;
	resume(x);
	while (rc == TRL_OK && x->len > 0 && !x->headed && !x->call.done)
		rc = wait_for_news(ctx, x);
	x->left -= x->len;
	x->len = 0;
	if (rc == TRL_OK && x->call.done && !x->headed)
		rc = end_of(ctx, x);
	return rc;
}

static enum trl_code
head(trl_ctx *ctx, trl_http_exchange *x, struct trl_http_answer *answer)
{
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && !x->headed && !x->call.done)
		rc = wait_for_news(ctx, x);
	if (rc == TRL_OK && !x->headed)
		rc = end_of(ctx, x);
	if (rc != TRL_OK)
		return rc;
	*answer = (struct trl_http_answer){ .body = "" };
	out_give_head(ctx, &x->call, answer);
	x->pace = (struct http_pace){ 0 };
	return TRL_OK;
}

enum trl_code
trl_http_out_head(trl_ctx *ctx, trl_http_exchange *x, struct trl_http_answer *answer)
{
	struct trl_span span;
	enum trl_code rc;

	trl_span_begin(ctx, &span, TRL_SPAN_HTTP, x->in.method);
	trl_span_text(&span, x->url.host);
	rc = head(ctx, x, answer);
	trl_span_number(&span, rc == TRL_OK ? answer->status : 0);
	trl_span_end(ctx, &span, rc);
	return rc;
}

enum trl_code
trl_http_out_read(trl_ctx *ctx, trl_http_exchange *x, const uint8_t **data, size_t *len)
{
	const struct trl_buf was = x->given;
	enum trl_code rc = TRL_OK;

	trl_assert(x->headed);
	*len = 0;
	while (rc == TRL_OK && x->call.body.len == 0 && !x->call.done)
		rc = wait_for_news(ctx, x);
	if (rc != TRL_OK)
		return rc;
	if (x->call.body.len == 0)
		return out_judge(ctx, &x->call);
	x->given = x->call.body;
	x->call.body = was;
	trl_buf_clear(&x->call.body);
	*data = x->given.data;
	*len = x->given.len;
	resume(x);
	return TRL_OK;
}

void
trl_http_out_end(trl_http_exchange **exchange)
{
	trl_http_exchange *x = TRL_TAKE(*exchange);

	if (x == NULL)
		return;
	if (x->begun) {
		curl_multi_remove_handle(x->call.out->multi, x->call.easy);
		x->call.out->n_calls--;
	}
	out_end_call(&x->call);
	out_url_fini(&x->url);
	trl_buf_fini(&x->given);
	free(x->header);
	free(x);
}
