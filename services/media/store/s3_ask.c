/* s3_ask.c - one request to the S3 server: signed, sent, judged, and made again where
 * the server was busy or the line broke. Every request that is made here may be made
 * twice. What a server says about a failure is for the operator's log only. */
#include "s3.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include <trl/log.h>

#include "s3_line.h"
#include "s3_xml.h"

enum {
	TRIES = 5,
	LONGEST_MS = 5000, /* also where the server asks for more */
	IDLE_MS = 30000,
	CODE_BYTES = 64
};

void
s3_answer_fini(struct s3_answer *answer)
{
	trl_buf_fini(&answer->body);
}

struct hashing {
	const struct s3_ask *ask;
	struct s3_line *line;
};

static void
hash_body(void *arg)
{
	struct hashing *hashing = arg;

	sigv4_hash(hashing->ask->body, hashing->ask->body_len, hashing->line->hash);
}

static enum trl_code
hash(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask,
    struct s3_line *line)
{
	struct hashing hashing = { ask, line };

	if (ask->body_len > S3_SMALL_BYTES)
		return trl_offload(ctx, &store->disk, hash_body, &hashing);
	hash_body(&hashing);
	return TRL_OK;
}

static enum trl_code
read_answer(trl_ctx *ctx, trl_http_exchange *exchange, struct s3_answer *answer)
{
	const uint8_t *data;
	enum trl_code rc;
	size_t len;

	while (
	    (rc = trl_http_out_read(ctx, exchange, &data, &len)) == TRL_OK && len > 0) {
		if (answer->body.len + len > S3_ANSWER_BYTES)
			return trl_fail(ctx, TRL_UNAVAILABLE,
			    "the S3 server's answer is too large");
		trl_buf_add(&answer->body, data, len);
	}
	return rc;
}

/* Sends it; the head has come where it is TRL_OK. */
static enum trl_code
send(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask,
    struct trl_http_answer *head, trl_http_exchange **out)
{
	TRL_AUTO(s3_line_fini) struct s3_line line = { .headers = { NULL } };
	enum trl_code rc = hash(ctx, store, ask, &line);
	struct trl_http_call call = { .method = ask->method,
		.headers = line.headers,
		.timeout_ms = IDLE_MS,
		.header = ask->header };

	if (rc != TRL_OK)
		return rc;
	s3_line_write(store, ask, &line);
	call.url = (const char *)line.url.data;
	rc = trl_http_out_begin(ctx, store->out, &call, ask->body_len, out);
	if (rc == TRL_OK && ask->body_len > 0)
		rc = trl_http_out_write(ctx, *out, ask->body, ask->body_len);
	if (rc == TRL_OK)
		rc = trl_http_out_head(ctx, *out, head);
	return rc;
}

static bool
is_busy(unsigned status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 ||
	       status == 503 || status == 504;
}

/* We were too slow for it, or the line was. */
static bool
was_late(unsigned status, const struct s3_answer *answer)
{
	char code[CODE_BYTES];

	return status == 400 &&
	       s3_xml_find((const char *)answer->body.data, answer->body.len, "Error",
		   "Code", code, sizeof code) &&
	       strcmp(code, "RequestTimeout") == 0;
}

/* A 404 that is not the server's own (a proxy's, whose server is away) says nothing of
 * an object; only of a HEAD it cannot be told apart. */
static bool
is_missing(const char *method, const char *code)
{
	return strcmp(method, "HEAD") == 0 ||
	       (code[0] != '\0' && strcmp(code, "NoSuchBucket") != 0);
}

/* Of Swift, whose objects are lists of their parts: these were removed, and the list is
 * about to be. */
static bool
is_half_removed(unsigned status, const char *code)
{
	return status == 409 && strcmp(code, "BrokenMPU") == 0;
}

enum trl_code
s3_ended(trl_ctx *ctx)
{
	return trl_fail(
	    ctx, TRL_GONE, "The store has ended this upload, perhaps by a rule.");
}

enum trl_code
s3_refused(trl_ctx *ctx, const char *method, const char *key, unsigned status,
    const char *body, size_t len)
{
	char code[CODE_BYTES] = "", message[512] = "";
	enum trl_code rc;

	(void)s3_xml_find(body, len, "Error", "Code", code, sizeof code);
	(void)s3_xml_find(body, len, "Error", "Message", message, sizeof message);
	if (status == 404 && strcmp(code, "NoSuchUpload") == 0)
		return s3_ended(ctx);
	if ((status == 404 && is_missing(method, code)) ||
	    is_half_removed(status, code))
		return trl_fail(ctx, TRL_NOT_FOUND, "These bytes are missing.");
	trl_log(TRL_LOG_WARN, ctx, "the S3 server refused a request",
	    TRL_LOG_STR("method", method), TRL_LOG_STR("key", key),
	    TRL_LOG_INT("status", status), TRL_LOG_STR("code", code),
	    TRL_LOG_STR("said", message));
	if (status == 507 || !strcmp(code, "QuotaExceeded") ||
	    !strcmp(code, "XMinioStorageFull") || !strcmp(code, "StorageFull"))
		return trl_fail(
		    ctx, TRL_STORAGE, "There is no space left in the store for this.");
	rc = trl_fail(
	    ctx, TRL_UNAVAILABLE, "the S3 server answered %u %s", status, code);
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

enum trl_code
s3_there(trl_ctx *ctx, enum trl_code rc)
{
	if (rc != TRL_NOT_FOUND)
		return rc;
	trl_err_clear(ctx);
	rc = trl_fail(ctx, TRL_UNAVAILABLE, "the S3 server has no such bucket");
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

static bool
may_try_again(trl_ctx *ctx, struct s3_store *store, unsigned tries, uint32_t asked_s)
{
	const uint32_t most = store->pause_ms << (tries < 6 ? tries : 6);
	uint32_t ms = most / 2 + randombytes_uniform(most / 2 + 1);

	if (asked_s > 0 && ms < asked_s * 1000)
		ms = asked_s < LONGEST_MS / 1000 ? asked_s * 1000 : LONGEST_MS;
	if (tries >= TRIES || ctx->cancelled || trl_time_left_ms(ctx) <= ms ||
	    trl_sleep(ctx, ms) != TRL_OK)
		return false;
	trl_err_clear(ctx);
	trl_series_add(store->retries, 1);
	return true;
}

bool
s3_again(trl_ctx *ctx, struct s3_store *store, unsigned tries)
{
	return may_try_again(ctx, store, tries, 0);
}

/* A request that nobody answered. */
static enum trl_code
broken(trl_ctx *ctx, enum trl_code rc, bool *again)
{
	char why[200];

	*again = rc == TRL_UNAVAILABLE || rc == TRL_DEADLINE || rc == TRL_BUSY;
	if (ctx->cancelled || rc == TRL_BUSY)
		return rc;
	snprintf(why, sizeof why, "%.199s", ctx->err.message);
	trl_err_clear(ctx);
	rc = trl_fail(ctx, TRL_UNAVAILABLE, "the S3 server: %s", why);
	trl_err_retry_after(ctx, S3_AGAIN_MS);
	return rc;
}

static enum trl_code
ask_once(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask,
    struct s3_answer *answer, bool last, bool *again, uint32_t *asked_s)
{
	TRL_AUTO(trl_http_out_end) trl_http_exchange *exchange = NULL;
	struct trl_http_answer head = { .status = 0 };
	enum trl_code rc = send(ctx, store, ask, &head, &exchange);

	trl_buf_clear(&answer->body);
	if (rc == TRL_OK)
		rc = read_answer(ctx, exchange, answer);
	if (rc != TRL_OK)
		return broken(ctx, rc, again);
	answer->status = head.status;
	*asked_s = head.retry_after_s;
	snprintf(answer->header, sizeof answer->header, "%s", head.header);
	*again = is_busy(head.status) || was_late(head.status, answer);
	if (head.status >= 200 && head.status < 300)
		return TRL_OK;
	if (ask->keeps_errors && !*again &&
	    ((head.status >= 400 && head.status < 500) || head.status == 501))
		return TRL_OK;
	if (*again && !last) { /* not worth a line of the log */
		rc = trl_fail(ctx, TRL_UNAVAILABLE, "the S3 server is busy");
		trl_err_retry_after(ctx, S3_AGAIN_MS);
		return rc;
	}
	return s3_refused(ctx, ask->method, ask->key, head.status,
	    (const char *)answer->body.data, answer->body.len);
}

enum trl_code
s3_ask(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask,
    struct s3_answer *answer)
{
	enum trl_code rc;

	for (unsigned tries = 1;; tries++) {
		bool again = false;
		uint32_t asked_s = 0;

		rc =
		    ask_once(ctx, store, ask, answer, tries == TRIES, &again, &asked_s);
		if (rc == TRL_OK || !again ||
		    !may_try_again(ctx, store, tries, asked_s))
			return rc;
	}
}

enum trl_code
s3_do(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };

	return s3_ask(ctx, store, ask, &answer);
}

enum trl_code
s3_get_once(trl_ctx *ctx, struct s3_store *store, const char *key, uint64_t offset,
    uint64_t len, trl_http_exchange **out, bool *again)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	struct trl_http_answer head = { .status = 0 };
	char range[64];
	const struct s3_ask ask = { .method = "GET", .key = key, .range = range };
	enum trl_code rc;

	snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)offset,
	    (unsigned long long)(offset + len - 1));
	*again = false;
	rc = send(ctx, store, &ask, &head, out);
	if (rc != TRL_OK)
		rc = broken(ctx, rc, again);
	else if (head.status != 206 && !(head.status == 200 && offset == 0)) {
		*again = is_busy(head.status);
		rc = read_answer(ctx, *out, &answer);
		rc = rc != TRL_OK
			 ? broken(ctx, rc, again)
			 : s3_refused(ctx, ask.method, key, head.status,
			       (const char *)answer.body.data, answer.body.len);
	}
	if (rc != TRL_OK)
		trl_http_out_end(out);
	return rc;
}
