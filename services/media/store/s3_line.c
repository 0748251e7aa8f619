/* s3_line.c - what things are called in the bucket, and how a request for one is
 * written and signed. */
#include "s3_line.h"

#include <stdio.h>
#include <string.h>

void
s3_key_of(const struct store_object *object, char key[S3_KEY_BYTES])
{
	char tenant[TRL_ID_TEXT], file[TRL_ID_TEXT];
	const bool made = object->part[0] != '\0';

	trl_assert(strlen(object->part) < STORE_PART_BYTES);
	trl_id_format(object->tenant, tenant);
	trl_id_format(object->file, file);
	snprintf(key, S3_KEY_BYTES, "%s/%s%s%s", tenant, file, made ? ".made/" : "",
	    object->part);
}

void
s3_tail_of(const struct store_object *object, int64_t generation, uint64_t begin,
    char key[S3_KEY_BYTES])
{
	const struct store_object own = { object->tenant, object->file, "" };
	size_t len;

	s3_key_of(&own, key);
	len = strlen(key);
	snprintf(key + len, S3_KEY_BYTES - len, ".tail/%lld-%llu",
	    (long long)generation, (unsigned long long)begin);
}

static const char *
ended(struct trl_buf *text)
{
	trl_buf_add(text, "", 1);
	return (const char *)text->data;
}

struct sigv4_key
s3_signing_key(const struct s3_store *store)
{
	return (struct sigv4_key){ .id = store->key_id,
		.region = store->region,
		.service = "s3",
		.secret = trl_secret_bytes(store->secret),
		.secret_len = trl_secret_len(store->secret) };
}

void
s3_line_fini(struct s3_line *line)
{
	trl_buf_fini(&line->url);
	trl_buf_fini(&line->path);
	trl_buf_fini(&line->authorization);
	trl_buf_fini(&line->date);
	trl_buf_fini(&line->payload);
	trl_buf_fini(&line->type);
	trl_buf_fini(&line->range);
	trl_buf_fini(&line->copies);
	trl_buf_fini(&line->copied);
}

/* "Name: value"; gives the value. */
static const char *
add_header(
    struct s3_line *line, struct trl_buf *text, const char *name, const char *value)
{
	size_t n = 0;

	while (line->headers[n] != NULL)
		n++;
	trl_assert(n + 1 < TRL_COUNT(line->headers));
	trl_buf_printf(text, "%s: %s", name, value);
	line->headers[n] = ended(text);
	return line->headers[n] + strlen(name) + 2;
}

static void
write_url(const struct s3_store *store, const struct s3_ask *ask, struct s3_line *line)
{
	trl_buf_adds(&line->url, store->url);
	sigv4_encode(&line->url, ask->key, strlen(ask->key), true);
	if (ask->query != NULL && ask->query[0] != '\0')
		trl_buf_printf(&line->url, "?%s", ask->query);
	(void)ended(&line->url);
	trl_buf_adds(&line->path, store->prefix);
	sigv4_encode(&line->path, ask->key, strlen(ask->key), true);
}

/* "/bucket/key" */
static const char *
add_source(const struct s3_store *store, const char *key, struct s3_line *line)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf source = { .len = 0 };

	trl_buf_printf(&source, "/%s/", store->bucket);
	sigv4_encode(&source, key, strlen(key), true);
	return add_header(line, &line->copies, "x-amz-copy-source", ended(&source));
}

static void
sign(const struct s3_store *store, struct sigv4_request *request, struct s3_line *line)
{
	const struct sigv4_key key = s3_signing_key(store);
	TRL_AUTO(trl_buf_fini) struct trl_buf value = { .len = 0 };

	sigv4_authorize(&value, &key, request);
	(void)add_header(line, &line->authorization, "Authorization", ended(&value));
}

/* Those that are signed in the order of their names. */
void
s3_line_write(
    const struct s3_store *store, const struct s3_ask *ask, struct s3_line *line)
{
	struct sigv4_header headers[5] = { { "host", store->host },
		{ "x-amz-content-sha256", line->hash } };
	struct sigv4_request request = { .method = ask->method,
		.query = ask->query != NULL ? ask->query : "",
		.headers = headers,
		.payload = line->hash };
	size_t n = 2;

	write_url(store, ask, line);
	request.path = ended(&line->path);
	sigv4_time(trl_wall_us(), request.time);
	(void)add_header(line, &line->payload, headers[1].name, line->hash);
	if (ask->copies != NULL)
		headers[n++] = (struct sigv4_header){ "x-amz-copy-source",
			add_source(store, ask->copies, line) };
	if (ask->copied_range != NULL)
		headers[n++] = (struct sigv4_header){ "x-amz-copy-source-range",
			add_header(line, &line->copied, "x-amz-copy-source-range",
			    ask->copied_range) };
	headers[n++] = (struct sigv4_header){ "x-amz-date",
		add_header(line, &line->date, "x-amz-date", request.time) };
	request.n_headers = n;
	sign(store, &request, line);
	(void)add_header(line, &line->type, "Content-Type",
	    ask->type != NULL ? ask->type : "application/octet-stream");
	if (ask->range != NULL)
		(void)add_header(line, &line->range, "Range", ask->range);
}
