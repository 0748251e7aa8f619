/* s3_part.c - multipart uploads: begun, given parts one by one, made one object. */
#include "s3.h"

#include <stdio.h>
#include <string.h>

#include <trl/log.h>

#include "s3_xml.h"

enum trl_code
s3_begin_parts(
    trl_ctx *ctx, struct s3_store *store, const char *key, struct s3_state *state)
{
	const struct s3_ask ask = { .method = "POST", .key = key, .query = "uploads=" };
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	enum trl_code rc;

	if (state->id[0] != '\0')
		return TRL_OK;
	rc = s3_ask(ctx, store, &ask, &answer);
	if (rc != TRL_OK)
		return s3_there(ctx, rc);
	if (!s3_xml_find((const char *)answer.body.data, answer.body.len,
		"InitiateMultipartUploadResult", "UploadId", state->id,
		sizeof state->id) ||
	    state->id[0] == '\0') {
		state->id[0] = '\0';
		return s3_refused(ctx, ask.method, key, answer.status, "", 0);
	}
	return TRL_OK;
}

static void
add_id(struct trl_buf *query, const char *id)
{
	trl_buf_adds(query, "uploadId=");
	sigv4_encode(query, id, strlen(id), false);
	trl_buf_add(query, "", 1);
}

/* The query of the next part; its upload has begun. */
static enum trl_code
add_number(trl_ctx *ctx, struct s3_store *store, const char *key,
    struct s3_state *state, struct trl_buf *query)
{
	enum trl_code rc;

	if (state->n_parts == S3_PARTS)
		return trl_fail(ctx, TRL_TOO_LARGE,
		    "The store takes at most %d parts of this size.", S3_PARTS);
	rc = s3_begin_parts(ctx, store, key, state);
	if (rc != TRL_OK)
		return rc;
	trl_buf_printf(query, "partNumber=%u&", state->n_parts + 1);
	add_id(query, state->id);
	return TRL_OK;
}

enum trl_code
s3_add_part(trl_ctx *ctx, struct s3_store *store, const char *key,
    struct s3_state *state, const void *data, size_t len)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	TRL_AUTO(trl_buf_fini) struct trl_buf query = { .len = 0 };
	struct s3_ask ask = { .method = "PUT",
		.key = key,
		.body = data,
		.body_len = len,
		.header = "ETag" };
	enum trl_code rc = add_number(ctx, store, key, state, &query);

	if (rc != TRL_OK)
		return rc;
	ask.query = (const char *)query.data;
	rc = s3_ask(ctx, store, &ask, &answer);
	if (rc != TRL_OK)
		return rc;
	/* Without it no part can be named when they are made one. */
	return s3_state_add_part(state, answer.header, len)
		   ? TRL_OK
		   : s3_refused(ctx, ask.method, key, answer.status, "", 0);
}

/* The part's ETag, or that it was not copied. Servers are known that do not know the
 * header field, and take the request for a part without bytes. */
static enum trl_code
judge_copy(trl_ctx *ctx, const struct s3_ask *ask, const struct s3_answer *answer,
    char *etag, size_t size, bool *copied)
{
	const char *text = (const char *)answer->body.data;
	const size_t len = answer->body.len;
	char code[64] = "";

	*copied = answer->status < 300 &&
		  s3_xml_find(text, len, "CopyPartResult", "ETag", etag, size);
	if (*copied)
		return TRL_OK;
	(void)s3_xml_find(text, len, "Error", "Code", code, sizeof code);
	if (!strcmp(code, "NoSuchUpload"))
		return s3_ended(ctx);
	if (answer->status < 300 && code[0] != '\0')
		return s3_refused(
		    ctx, ask->method, ask->key, answer->status, text, len);
	trl_log(TRL_LOG_INFO, ctx,
	    "the S3 server did not copy a part: it is written instead",
	    TRL_LOG_INT("status", answer->status), TRL_LOG_STR("code", code));
	return TRL_OK;
}

static enum trl_code
ask_copy(trl_ctx *ctx, struct s3_store *store, const struct s3_ask *ask, char *etag,
    size_t size, bool *copied)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };

	for (unsigned tries = 3;; tries++) {
		enum trl_code rc = s3_ask(ctx, store, ask, &answer);

		if (rc != TRL_OK)
			return rc;
		rc = judge_copy(ctx, ask, &answer, etag, size, copied);
		if (rc != TRL_UNAVAILABLE || !s3_again(ctx, store, tries))
			return rc;
	}
}

enum trl_code
s3_copy_part(trl_ctx *ctx, struct s3_store *store, const char *key,
    struct s3_state *state, const struct s3_range *from, bool *copied)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf query = { .len = 0 };
	struct s3_ask ask = {
		.method = "PUT", .key = key, .copies = from->key, .keeps_errors = true
	};
	char range[64], etag[S3_ETAG_BYTES + 1];
	enum trl_code rc = add_number(ctx, store, key, state, &query);

	if (rc != TRL_OK)
		return rc;
	ask.query = (const char *)query.data;
	snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)from->at,
	    (unsigned long long)(from->at + from->len - 1));
	ask.copied_range = range;
	rc = ask_copy(ctx, store, &ask, etag, sizeof etag, copied);
	if (rc == TRL_OK && *copied)
		*copied = s3_state_add_part(state, etag, from->len);
	return rc;
}

static void
write_part(void *self, uint32_t number, const char *etag)
{
	struct trl_buf *body = self;

	trl_buf_printf(body, "<Part><PartNumber>%u</PartNumber><ETag>", number);
	for (; *etag != '\0'; etag++)
		switch (*etag) {
		case '"':
			trl_buf_adds(body, "&quot;");
			break;
		case '&':
			trl_buf_adds(body, "&amp;");
			break;
		case '<':
			trl_buf_adds(body, "&lt;");
			break;
		default:
			trl_buf_add(body, etag, 1);
			break;
		}
	trl_buf_adds(body, "</ETag></Part>");
}

/* Of a 4xx, or of a 200 with an error in it, which a server sends that had begun to
 * answer before it knew. */
static enum trl_code
judge(trl_ctx *ctx, const char *key, const struct s3_answer *answer)
{
	const char *text = (const char *)answer->body.data;
	const size_t len = answer->body.len;
	char found[256] = "";

	if (answer->status < 300 &&
	    s3_xml_find(text, len, "CompleteMultipartUploadResult", "ETag", found,
		sizeof found))
		return TRL_OK;
	(void)s3_xml_find(text, len, "Error", "Code", found, sizeof found);
	if (!strcmp(found, "NoSuchUpload") || !strcmp(found, "InvalidPart"))
		return s3_ended(ctx);
	return s3_refused(ctx, "POST", key, answer->status, text, len);
}

enum trl_code
s3_complete(
    trl_ctx *ctx, struct s3_store *store, const char *key, const struct s3_state *state)
{
	TRL_AUTO(s3_answer_fini) struct s3_answer answer = { .status = 0 };
	TRL_AUTO(trl_buf_fini) struct trl_buf query = { .len = 0 }, body = { .len = 0 };
	struct s3_ask ask = { .method = "POST",
		.key = key,
		.type = "application/xml",
		.keeps_errors = true };
	enum trl_code rc;

	add_id(&query, state->id);
	trl_buf_adds(&body, "<CompleteMultipartUpload "
			    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	s3_state_each(state, write_part, &body);
	trl_buf_adds(&body, "</CompleteMultipartUpload>");
	ask.query = (const char *)query.data;
	ask.body = body.data;
	ask.body_len = body.len;
	for (unsigned tries = 3;; tries++) {
		rc = s3_ask(ctx, store, &ask, &answer);
		if (rc != TRL_OK)
			return rc;
		rc = judge(ctx, key, &answer);
		/* What is told with 200 may pass, as any 500 may. */
		if (rc != TRL_UNAVAILABLE || answer.status >= 300 ||
		    !s3_again(ctx, store, tries))
			return rc;
	}
}
