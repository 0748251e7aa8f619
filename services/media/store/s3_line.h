/* s3_line.h - a request's texts, signed as of now. For s3_ask.c. */
#pragma once

#include "s3.h"

struct s3_line {
	struct trl_buf url, path;
	char hash[SIGV4_HEX]; /* of the body; comes first */
	struct trl_buf authorization, date, payload, type, range, copies, copied;
	const char *headers[8];
};

void s3_line_write(
    const struct s3_store *store, const struct s3_ask *ask, struct s3_line *line);
void s3_line_fini(struct s3_line *line);
