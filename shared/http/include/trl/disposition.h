/* disposition.h - Content-Disposition (RFC 6266): the name that an answer is saved
 * under. Any thread. */
#pragma once

#include <stdbool.h>

#include <trl/arena.h>

/* In the arena: attachment, or inline if a browser may show it, with the name in plain
 * ASCII for every client and, if that loses anything, in UTF-8 as well (RFC 8187). The
 * name may come from anybody and be any bytes: characters that could change the path,
 * end the line or reorder the text become "_" in both, and it is cut to 255 bytes. NULL
 * or "": no name. */
const char *trl_disposition(trl_arena *arena, const char *name, bool is_inline);
