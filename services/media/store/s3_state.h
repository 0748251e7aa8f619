/* s3_state.h - how far an upload into a bucket came: its multipart upload and the parts
 * that it has, as kept in the upload's row. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/buf.h>

enum {
	S3_ID_BYTES = 1024,
	S3_PARTS = 10000,
	S3_ETAG_BYTES = 80,
	S3_ETAGS_BYTES = 250000 /* of all; where no more are taken */
};

struct s3_state {
	uint64_t part_bytes;      /* of each part but the last */
	uint64_t bytes;           /* of all parts */
	char id[S3_ID_BYTES + 1]; /* of the multipart upload; "": not begun */
	uint32_t n_parts;
	struct trl_buf etags; /* of the parts, as kept */
	/* What comes behind the parts: the first tail_bytes of an object of its own,
	 * whose name holds the generation of who wrote it. */
	uint64_t tail_bytes;
	int64_t tail_generation;
	bool tails; /* one was written once */
};

/* The size of parts, at least `least`, for a whole of length; UINT64_MAX: it is not
 * known. 0: it is too long. */
uint64_t s3_part_bytes(uint64_t least, uint64_t length);
void s3_state_fini(struct s3_state *state);
/* ETags of 32 hexadecimal digits in quotes, as nearly all are, take 17 bytes. False:
 * it is longer than S3_ETAG_BYTES, or there is no room for more. */
bool s3_state_add_part(struct s3_state *state, const char *etag, uint64_t bytes);
/* Calls fn for each part, from 1 on. */
void s3_state_each(const struct s3_state *state,
    void (*fn)(void *self, uint32_t number, const char *etag), void *self);
/* Appends it as the row has it. */
void s3_state_write(const struct s3_state *state, struct trl_buf *out);
/* False: it is none; state is empty then. */
bool s3_state_read(struct s3_state *state, const void *bytes, size_t len);
