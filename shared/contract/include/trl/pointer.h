/* pointer.h - a JSON pointer (RFC 6901) that grows and shrinks on the way through
 * a message: "/items/3/name". On the stack; what does not fit is cut off. */
#pragma once

#include <stddef.h>

enum { TRL_POINTER_MAX = 400 };

struct trl_pointer {
	size_t len;
	char text[TRL_POINTER_MAX];
};

/* Adds a segment, escaped; gives the length to go back to. */
size_t trl_pointer_enter(struct trl_pointer *pointer, const char *segment);
size_t trl_pointer_enter_index(struct trl_pointer *pointer, size_t index);
void trl_pointer_leave(struct trl_pointer *pointer, size_t before);
