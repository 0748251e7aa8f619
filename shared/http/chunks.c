/* chunks.c - a chunked body, byte by byte where it is framing and in runs where
 * it is data. */
#include "head.h"

enum { OVERHEAD_MAX = 8192, DIGITS_MAX = 15 };

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a trailer, which is forgotten, and yet has to be a field: a name of token
 * characters, a colon right behind it, a value. */
static bool
trailer(struct trl_http_chunks *chunks, uint8_t c)
{
	const bool begins = chunks->line++ == 0;

	if (chunks->named)
		return (c >= 0x20 || c == '\t') && c != 0x7f;
	if (c != ':')
		return trl_http_is_token((const char *)&c, 1);
	chunks->named = true;
	return !begins;
}

/* One byte of framing. False: malformed. */
static bool
step(struct trl_http_chunks *chunks, uint8_t c)
{
	switch (chunks->state) {
	case TRL_CHUNK_SIZE:
		if (hex(c) >= 0) {
			chunks->left = chunks->left << 4 | (uint64_t)hex(c);
			return ++chunks->digits <= DIGITS_MAX;
		}
		chunks->state = c == '\r'  ? TRL_CHUNK_SIZE_LF
				: c == ';' ? TRL_CHUNK_EXTENSION
					   : TRL_CHUNK_BLANK;
		return chunks->digits > 0 &&
		       (c == '\r' || c == ';' || c == ' ' || c == '\t');
	case TRL_CHUNK_BLANK:
		if (c == ';')
			chunks->state = TRL_CHUNK_EXTENSION;
		else if (c != ' ' && c != '\t')
			return false;
		return ++chunks->overhead <= OVERHEAD_MAX;
	case TRL_CHUNK_EXTENSION:
		if (c == '\r')
			chunks->state = TRL_CHUNK_SIZE_LF;
		else if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
		return ++chunks->overhead <= OVERHEAD_MAX;
	case TRL_CHUNK_SIZE_LF:
		chunks->last = chunks->left == 0;
		chunks->line = 0;
		chunks->digits = 0;
		chunks->state = chunks->last ? TRL_CHUNK_TRAILER : TRL_CHUNK_DATA;
		return c == '\n';
	case TRL_CHUNK_DATA_CR:
		chunks->state = TRL_CHUNK_DATA_LF;
		return c == '\r';
	case TRL_CHUNK_DATA_LF:
		chunks->state = TRL_CHUNK_SIZE;
		return c == '\n';
	case TRL_CHUNK_TRAILER:
		if (c == '\r')
			chunks->state = TRL_CHUNK_TRAILER_LF;
		else if (!trailer(chunks, c))
			return false;
		return ++chunks->overhead <= OVERHEAD_MAX;
	case TRL_CHUNK_TRAILER_LF:
		if (chunks->line && !chunks->named)
			return false;
		chunks->state = chunks->line ? TRL_CHUNK_TRAILER : TRL_CHUNK_DONE;
		chunks->line = 0;
		chunks->named = false;
		return c == '\n';
	default:
		return false;
	}
}

enum trl_code
trl_http_chunks_next(struct trl_http_chunks *chunks, const uint8_t *data, size_t len,
    size_t *used, size_t *run)
{
	size_t i = 0;

	*run = 0;
	while (i < len && chunks->state != TRL_CHUNK_DATA &&
	       chunks->state != TRL_CHUNK_DONE) {
		if (!step(chunks, data[i++]))
			return TRL_MALFORMED;
		if (chunks->state != TRL_CHUNK_DATA)
			continue;
		if (chunks->left > chunks->max ||
		    chunks->total > chunks->max - chunks->left)
			return TRL_QUOTA; /* before reading it */
		chunks->total += chunks->left;
	}
	if (chunks->state == TRL_CHUNK_DATA) {
		*run = len - i < chunks->left ? len - i : (size_t)chunks->left;
		i += *run;
		chunks->left -= *run;
		if (chunks->left == 0)
			chunks->state = TRL_CHUNK_DATA_CR;
	}
	*used = i;
	return TRL_OK;
}

enum trl_code
trl_http_chunks_feed(struct trl_http_chunks *chunks, const uint8_t *data, size_t len,
    size_t *used, struct trl_buf *out)
{
	size_t at = 0, n, run;
	enum trl_code rc;

	do {
		rc = trl_http_chunks_next(chunks, data + at, len - at, &n, &run);
		if (rc != TRL_OK)
			return rc;
		at += n;
		if (run)
			trl_buf_add(out, data + at - run, run);
	} while (n > 0);
	*used = at;
	return TRL_OK;
}
