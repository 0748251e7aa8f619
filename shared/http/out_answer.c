/* out_answer.c - what comes back from a request: heads and body are counted while they
 * come, and cut off where they grow too large; then it is judged, in words for people.
 */
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Of "Retry-After: 120" the value, without white space, where it is the header of this
 * name and the value has room. */
static void
keep_value(const char *line, size_t len, const char *name, char *value, size_t room)
{
	size_t from = strlen(name) + 1;

	if (len < from || strncasecmp(line, name, from - 1) != 0 ||
	    line[from - 1] != ':')
		return;
	while (from < len && (line[from] == ' ' || line[from] == '\t'))
		from++;
	while (len > from && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	if (len - from >= room)
		return;
	memcpy(value, line + from, len - from);
	value[len - from] = '\0';
}

size_t
out_on_header(char *line, size_t one, size_t len, void *self)
{
	struct out_call *call = self;

	(void)one;
	call->n_headers++;
	call->head_bytes += len;
	if (call->n_headers > OUT_HEADERS_MAX || call->head_bytes > OUT_HEAD_BYTES) {
		call->head_too_large = true;
		return 0;
	}
	keep_value(
	    line, len, "Retry-After", call->retry_after, sizeof call->retry_after);
	if (call->in->header != NULL)
		keep_value(
		    line, len, call->in->header, call->header, sizeof call->header);
	return len;
}

size_t
out_on_body(char *data, size_t one, size_t len, void *self)
{
	struct out_call *call = self;
	size_t room = call->max_reply - call->body.len;

	(void)one;
	trl_buf_add(&call->body, data, len < room ? len : room);
	if (len <= room)
		return len;
	call->truncated = true;
	return 0; /* libcurl ends the transfer */
}

unsigned
out_status(const struct out_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (unsigned)status;
}

enum trl_code
out_judge(trl_ctx *ctx, const struct out_call *call)
{
	const char *why =
	    call->error[0] != '\0' ? call->error : curl_easy_strerror(call->result);

	if (call->refused != NULL)
		return trl_fail(ctx, TRL_DENIED, "%s", call->refused);
	if (call->head_too_large)
		return trl_fail(ctx, TRL_UNAVAILABLE, "the answer's head is too large");
	if (call->result == CURLE_OK && out_status(call) == 0)
		return trl_fail(ctx, TRL_UNAVAILABLE, "there was no answer");
	if (call->result == CURLE_OK ||
	    (call->result == CURLE_WRITE_ERROR && call->truncated))
		return TRL_OK;
	if (call->result == CURLE_OPERATION_TIMEDOUT)
		return trl_fail(ctx, TRL_DEADLINE, "%.200s", why);
	if (call->result == CURLE_SEND_FAIL_REWIND)
		why = "a kept connection was closed before an answer came";
	return trl_fail(ctx, TRL_UNAVAILABLE, "%.200s", why);
}

/* Seconds, or a date (RFC 9110, 10.2.3); what is neither says nothing. */
static uint32_t
retry_after_s(const char *text)
{
	long long s = 0;

	if (*text != '\0' && text[strspn(text, "0123456789")] == '\0')
		s = strtoll(text, NULL, 10);
	else if (*text != '\0')
		s = (long long)curl_getdate(text, NULL) - time(NULL);
	return s < 0 ? 0 : s < OUT_RETRY_AFTER_S ? (uint32_t)s : OUT_RETRY_AFTER_S;
}

/* It may hold zeros. */
static const char *
keep_body(trl_arena *arena, const struct trl_buf *body)
{
	char *copy = trl_arena_alloc(arena, body->len + 1);

	if (body->len > 0)
		memcpy(copy, body->data, body->len);
	copy[body->len] = '\0';
	return copy;
}

void
out_give_head(trl_ctx *ctx, struct out_call *call, struct trl_http_answer *answer)
{
	char *address = NULL;

	curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_IP, &address);
	answer->status = out_status(call);
	answer->retry_after_s = retry_after_s(call->retry_after);
	answer->header = trl_arena_strdup(ctx->arena, call->header);
	answer->address = trl_arena_strdup(ctx->arena, address != NULL ? address : "");
}

void
out_give_answer(trl_ctx *ctx, struct out_call *call, struct trl_http_answer *answer)
{
	out_give_head(ctx, call, answer);
	answer->body = keep_body(ctx->arena, &call->body);
	answer->body_len = call->body.len;
	answer->truncated = call->truncated;
}
