/* See s3_state.h. Numbers are big-endian:
 *
 *   1 version  8 part_bytes  8 bytes  8 tail_bytes  8 tail_generation  1 tails
 *   2 length of id, id  4 n_parts, and each part's ETag: its length and text, or 0 and
 *   the 16 bytes that the text in quotes is of
 */
#include "s3_state.h"

#include <stdio.h>
#include <string.h>

#include <trl/compiler.h>

enum { VERSION = 1, MIB = 1 << 20, MD5_BYTES = 16 };
static const uint64_t longest = UINT64_C(5) << 40; /* of an object */

uint64_t
s3_part_bytes(uint64_t least, uint64_t length)
{
	uint64_t part;

	if (length == UINT64_MAX)
		return 2 * least;
	if (length > longest)
		return 0;
	part = (length + S3_PARTS - 1) / S3_PARTS;
	part = (part + MIB - 1) / MIB * MIB;
	return part < least ? least : part;
}

void
s3_state_fini(struct s3_state *state)
{
	trl_buf_fini(&state->etags);
}

static int
digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* "9b2cf535f27731c974343645a3985328" with its quotes. */
static bool
read_md5(const char *etag, uint8_t md5[MD5_BYTES])
{
	if (strlen(etag) != 2 * MD5_BYTES + 2 || etag[0] != '"' ||
	    etag[2 * MD5_BYTES + 1] != '"')
		return false;
	for (size_t i = 0; i < MD5_BYTES; i++) {
		const int high = digit(etag[1 + 2 * i]), low = digit(etag[2 + 2 * i]);

		if (high < 0 || low < 0)
			return false;
		md5[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool
s3_state_add_part(struct s3_state *state, const char *etag, uint64_t bytes)
{
	const size_t len = strlen(etag);
	uint8_t kept[1 + MD5_BYTES] = { 0 };

	if (len == 0 || len > S3_ETAG_BYTES || state->n_parts == S3_PARTS ||
	    state->etags.len > S3_ETAGS_BYTES)
		return false;
	if (read_md5(etag, kept + 1)) {
		trl_buf_add(&state->etags, kept, sizeof kept);
	} else {
		kept[0] = (uint8_t)len;
		trl_buf_add(&state->etags, kept, 1);
		trl_buf_add(&state->etags, etag, len);
	}
	state->n_parts++;
	state->bytes += bytes;
	return true;
}

/* One at *at, which moves on; false: it ends before. */
static bool
read_etag(const uint8_t **at, const uint8_t *end, char etag[S3_ETAG_BYTES + 1])
{
	const size_t left = (size_t)(end - *at);
	const size_t len = left > 0 ? (*at)[0] : 0;

	if (left == 0 || left - 1 < (len > 0 ? len : MD5_BYTES) || len > S3_ETAG_BYTES)
		return false;
	if (len > 0) {
		memcpy(etag, *at + 1, len);
		etag[len] = '\0';
		*at += 1 + len;
		return strlen(etag) == len;
	}
	for (size_t i = 0; i < MD5_BYTES; i++)
		snprintf(etag + 1 + 2 * i, 3, "%02x", (unsigned)(*at)[1 + i]);
	etag[0] = etag[1 + 2 * MD5_BYTES] = '"';
	etag[2 + 2 * MD5_BYTES] = '\0';
	*at += 1 + MD5_BYTES;
	return true;
}

void
s3_state_each(const struct s3_state *state,
    void (*fn)(void *self, uint32_t number, const char *etag), void *self)
{
	const uint8_t *at = state->etags.data, *end = at + state->etags.len;
	char etag[S3_ETAG_BYTES + 1];

	for (uint32_t i = 1; i <= state->n_parts; i++) {
		trl_assert(read_etag(&at, end, etag));
		fn(self, i, etag);
	}
}

static void
add_number(struct trl_buf *out, uint64_t number, unsigned bytes)
{
	uint8_t kept[8];

	for (unsigned i = 0; i < bytes; i++)
		kept[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
	trl_buf_add(out, kept, bytes);
}

void
s3_state_write(const struct s3_state *state, struct trl_buf *out)
{
	const size_t len = strlen(state->id);

	add_number(out, VERSION, 1);
	add_number(out, state->part_bytes, 8);
	add_number(out, state->bytes, 8);
	add_number(out, state->tail_bytes, 8);
	add_number(out, (uint64_t)state->tail_generation, 8);
	add_number(out, state->tails, 1);
	add_number(out, len, 2);
	trl_buf_add(out, state->id, len);
	add_number(out, state->n_parts, 4);
	trl_buf_add(out, state->etags.data, state->etags.len);
}

struct reading {
	const uint8_t *at, *end;
	bool wrong;
};

static uint64_t
number(struct reading *in, unsigned bytes)
{
	uint64_t value = 0;

	in->wrong = in->wrong || (size_t)(in->end - in->at) < bytes;
	for (; !in->wrong && bytes > 0; bytes--)
		value = value << 8 | *in->at++;
	return value;
}

static bool
read_parts(struct s3_state *state, struct reading *in)
{
	const uint8_t *from;
	char etag[S3_ETAG_BYTES + 1];

	state->n_parts = (uint32_t)number(in, 4);
	if (in->wrong || state->n_parts > S3_PARTS)
		return false;
	from = in->at;
	for (uint32_t i = 0; i < state->n_parts; i++)
		if (!read_etag(&in->at, in->end, etag))
			return false;
	if (state->n_parts > 0)
		trl_buf_add(&state->etags, from, (size_t)(in->at - from));
	return in->at == in->end;
}

/* Equal parts but the last. */
static bool
fits(const struct s3_state *state)
{
	const uint64_t all = state->part_bytes * state->n_parts;

	return state->part_bytes >= 1 && state->part_bytes <= longest &&
	       state->bytes <= all &&
	       (state->n_parts == 0 || state->bytes > all - state->part_bytes) &&
	       state->tail_bytes <= state->part_bytes &&
	       (state->n_parts == 0 || state->id[0] != '\0');
}

bool
s3_state_read(struct s3_state *state, const void *bytes, size_t len)
{
	struct reading in = { bytes, (const uint8_t *)bytes + len, false };
	uint64_t version, id_len;

	*state = (struct s3_state){ .n_parts = 0 };
	version = number(&in, 1);
	state->part_bytes = number(&in, 8);
	state->bytes = number(&in, 8);
	state->tail_bytes = number(&in, 8);
	state->tail_generation = (int64_t)number(&in, 8);
	state->tails = number(&in, 1) != 0;
	id_len = number(&in, 2);
	if (!in.wrong && version == VERSION && id_len <= S3_ID_BYTES &&
	    id_len <= (uint64_t)(in.end - in.at)) {
		memcpy(state->id, in.at, (size_t)id_len);
		in.at += id_len;
		if (strlen(state->id) == id_len && read_parts(state, &in) &&
		    fits(state))
			return true;
	}
	s3_state_fini(state);
	*state = (struct s3_state){ .n_parts = 0 };
	return false;
}
