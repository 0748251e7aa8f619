/* post.c - one post of events to PostHog (POST /batch/), and what its answer means.
 * Nothing but its own {"status": 1} or {"status": "Ok"} is success: a captive page also
 * answers 200, and what it is given is lost. There is no "sent_at", by which PostHog
 * would move the events' times, and then not know a repeat. */
#include <string.h>

#include <jansson.h>

#include <trl/json.h>

#include "analytics/analytics.h"

enum { TIMEOUT_MS = 10000, ANSWER_BYTES = 16 << 10 };

size_t
notify_analytics_fit(const struct notify_analytics *to,
    Notify__V1__ProductEvent *const *events, size_t n, size_t most)
{
	/* What stands around them. */
	size_t bytes = trl_secret_len(to->key) + 64, i = 0;

	while (i < n && i < most &&
	       (bytes += strlen(events[i]->body) + 1) <= NOTIFY_ANALYTICS_BYTES)
		i++;
	return i > 0 ? i : 1;
}

static bool
has_events(const json_t *limited)
{
	size_t i;
	json_t *one;

	json_array_foreach(
	    limited, i, one) if (json_is_string(one) &&
				 !strcmp(json_string_value(one), "events")) return true;
	return false;
}

static enum notify_analytics_outcome
judge_body(const char *body, size_t len)
{
	json_t *root = json_loadb(body, len, 0, NULL);
	const json_t *status = json_object_get(root, "status");
	const bool fine =
	    (json_is_integer(status) && json_integer_value(status) == 1) ||
	    (json_is_string(status) && !strcmp(json_string_value(status), "Ok"));
	const bool limited = has_events(json_object_get(root, "quota_limited"));

	json_decref(root);
	return !fine     ? NOTIFY_ANALYTICS_FAILED
	       : limited ? NOTIFY_ANALYTICS_OVER_QUOTA
			 : NOTIFY_ANALYTICS_TAKEN;
}

enum notify_analytics_outcome
notify_analytics_judge(const struct trl_http_answer *answer)
{
	const unsigned status = answer->status;

	if (status == 200 && !answer->truncated)
		return judge_body(answer->body, answer->body_len);
	if (status == 413)
		return NOTIFY_ANALYTICS_TOO_LARGE;
	if (status == 400 || status == 422)
		return NOTIFY_ANALYTICS_UNFIT;
	if (status < 300 || status >= 500 || status == 408 || status == 429)
		return NOTIFY_ANALYTICS_FAILED;
	return NOTIFY_ANALYTICS_REFUSED;
}

static void
write_body(struct trl_buf *out, const struct notify_analytics *to,
    Notify__V1__ProductEvent *const *events, size_t n)
{
	trl_buf_adds(out, "{\"api_key\":");
	trl_json_string(
	    out, (const char *)trl_secret_bytes(to->key), trl_secret_len(to->key));
	trl_buf_adds(out, ",\"batch\":[");
	for (size_t i = 0; i < n; i++) {
		trl_buf_adds(out, i ? "," : "");
		trl_buf_adds(out, events[i]->body);
	}
	trl_buf_adds(out, "]}");
}

enum trl_code
notify_analytics_post(trl_ctx *ctx, const struct notify_analytics *to,
    Notify__V1__ProductEvent *const *events, size_t n, struct trl_http_answer *answer,
    enum notify_analytics_outcome *outcome)
{
	static const char *const headers[] = { "content-type: application/json",
		"user-agent: Trellis/1", NULL };
	TRL_AUTO(trl_buf_fini) struct trl_buf body = { 0 };
	enum trl_code rc;

	write_body(&body, to, events, n);
	*answer = (struct trl_http_answer){ 0 };
	rc = trl_http_out_call(ctx, to->out,
	    &(const struct trl_http_call){ .method = "POST",
		.url = to->url,
		.headers = headers,
		.body = body.data,
		.body_len = body.len,
		.timeout_ms = TIMEOUT_MS,
		.max_reply = ANSWER_BYTES },
	    answer);
	explicit_bzero(body.data, body.len);
	if (rc == TRL_BUSY || ctx->cancelled)
		return rc;
	if (rc != TRL_OK) {
		*answer = (struct trl_http_answer){ 0 };
		*outcome = NOTIFY_ANALYTICS_FAILED;
	} else {
		*outcome = notify_analytics_judge(answer);
	}
	trl_series_add(to->posts[*outcome], 1);
	return TRL_OK;
}
