/* random.h - unguessable bytes without a system call each: the kernel's, through a
 * buffer. For ids and traces; keys and tokens ask libsodium. */
#pragma once

#include <stddef.h>

/* Any thread. */
void trl_random(void *out, size_t len);
