/* sniff.h - what trellis-sniff does (main.c): from how a file begins to what it is. */
#pragma once

#include <trl/buf.h>

enum {
	SNIFF_HEAD_MAX = 64 << 10, /* as kinds/kinds.h has it */
	SNIFF_TYPE_MAX = 127
};

/* Before the first question; says on stderr why it cannot, and ends the process. */
void sniff_open(void);
/* Once it is confined: ends the process where it does not know a PDF. */
void sniff_prove(void);
void sniff_close(void);
/* Appends a media type in lower case, without parameters: of what begins with head, or
 * is no longer than it. "application/octet-stream" where nothing is known. */
void sniff_answer(const uint8_t *head, size_t len, struct trl_buf *reply);
