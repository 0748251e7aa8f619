/* head.h - reading a request's head and body, as pure functions over bytes: what
 * the connection uses and the fuzzer feeds. */
#pragma once

#include <trl/http.h>

struct trl_http_limits {
	size_t head_bytes;
	size_t uri_bytes;
};

struct trl_http_head {
	struct trl_http_request request; /* all but peer_address and conn */
	bool old;                        /* HTTP/1.0 */
	bool expect_continue;
	const char *detail; /* of a refusal */
};

/* Looks for the end of a head in data; *seen is kept between calls and starts at
 * 0. Returns 0: more bytes are needed; 200: *end is behind the empty line; else
 * the status to refuse with. Tells the same however the bytes come in pieces. */
uint16_t trl_http_head_scan(const struct trl_http_limits *limits, const uint8_t *data,
    size_t len, size_t *seen, size_t *end);
/* Reads a whole head (as found by scan) into the arena. Returns 200, or the status
 * to refuse with: then the request has what had been read, its headers all or none,
 * and its texts are "" where they had not been. */
uint16_t trl_http_head_parse(const struct trl_http_limits *limits, trl_arena *arena,
    const uint8_t *data, size_t len, struct trl_http_head *out);

/* Checks and splits the target (in place): origin, absolute or '*' form. Returns
 * 200 or the status; authority is set by the absolute form. */
uint16_t trl_http_target(
    trl_arena *arena, struct trl_http_head *head, char *target, const char **authority);
/* Whether a path is harmless: no NUL or control, no '..' encoded once or twice,
 * proper UTF-8 once decoded. */
bool trl_http_path_ok(const char *path, size_t len);
bool trl_http_is_token(const char *s, size_t len);
/* Whether a field's value has no control but tab. */
bool trl_http_is_value(const char *s, size_t len);

/* A chunked body (RFC 9112, section 7.1), strict: only CRLF ends a line; chunk
 * extensions and trailers are read, bounded and forgotten. */
struct trl_http_chunks {
	enum {
		TRL_CHUNK_SIZE,
		TRL_CHUNK_BLANK, /* before an extension */
		TRL_CHUNK_EXTENSION,
		TRL_CHUNK_SIZE_LF,
		TRL_CHUNK_DATA,
		TRL_CHUNK_DATA_CR,
		TRL_CHUNK_DATA_LF,
		TRL_CHUNK_TRAILER,
		TRL_CHUNK_TRAILER_LF,
		TRL_CHUNK_DONE
	} state;
	bool last; /* the chunk of size 0 was read */
	unsigned digits;
	uint64_t left;   /* of this chunk */
	size_t line;     /* bytes of this trailer line */
	bool named;      /* its name is complete */
	size_t overhead; /* extension and trailer bytes of this body */
	uint64_t total;  /* of all chunks that were announced */
	uint64_t max;
};

/* Goes over framing up to the end of the next run of data, as far as it is there: the
 * last *run of the *used bytes are data. Both are 0 at the end (see state).
 * Returns TRL_OK, TRL_QUOTA (more than max data, told before it is read) or
 * TRL_MALFORMED. */
enum trl_code trl_http_chunks_next(struct trl_http_chunks *chunks, const uint8_t *data,
    size_t len, size_t *used, size_t *run);

/* Feeds len bytes; *used of them belonged to the body. Data is appended to out.
 * Returns the same. */
enum trl_code trl_http_chunks_feed(struct trl_http_chunks *chunks, const uint8_t *data,
    size_t len, size_t *used, struct trl_buf *out);
