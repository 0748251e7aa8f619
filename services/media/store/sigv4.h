/* sigv4.h - requests signed for S3 (AWS Signature Version 4, "Authenticating Requests"
 * of the Amazon S3 API reference). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/buf.h>

enum { SIGV4_HEX = 65, SIGV4_TIME = 17, SIGV4_EXPIRES_MAX = 604800 };

struct sigv4_key {
	const char *id, *region;
	const char *service; /* "s3" */
	const uint8_t *secret;
	size_t secret_len;
};

struct sigv4_header {
	const char *name; /* in lower case */
	const char *value;
};

struct sigv4_request {
	const char *method;
	const char *path;  /* as it is sent: each byte encoded once */
	const char *query; /* the same, by names in their order; or "" */
	const struct sigv4_header *headers; /* by names in their order */
	size_t n_headers;
	const char *payload;   /* SHA-256 in hexadecimal, or UNSIGNED-PAYLOAD */
	char time[SIGV4_TIME]; /* "20130524T000000Z" */
};

/* Wall microseconds as requests have them. */
void sigv4_time(int64_t wall_us, char time[SIGV4_TIME]);
/* Appends bytes as paths and queries have them: all but A-Z a-z 0-9 - . _ ~ as %XX;
 * of a path the slashes stay. */
void sigv4_encode(struct trl_buf *out, const void *bytes, size_t len, bool path);
/* SHA-256 in hexadecimal. */
void sigv4_hash(const void *bytes, size_t len, char hex[SIGV4_HEX]);
/* Appends the value of the header field Authorization. */
void sigv4_authorize(struct trl_buf *out, const struct sigv4_key *key,
    const struct sigv4_request *request);
/* Appends the query that lets whoever has it do the request for so many seconds, 1 to
 * SIGV4_EXPIRES_MAX. Names of request->query begin with small letters. */
void sigv4_presign(struct trl_buf *out, const struct sigv4_key *key,
    const struct sigv4_request *request, uint32_t expires_s);
