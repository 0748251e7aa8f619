/* disposition.h - Content-Disposition (RFC 6266): under which name an answer is kept.
 * Any thread. */
#pragma once

#include <stdbool.h>

#include <trl/arena.h>

/* In the arena: attachment, or inline where it may be shown as a page, with the name in
 * plain ASCII for every client and, where that is not all of it, the whole one in UTF-8
 * (RFC 8187). A name may come from anybody and be any bytes: what could lead elsewhere,
 * end the line or show it in another order stands as "_" in both, and it is cut to 255
 * bytes. NULL or "": without a name. */
const char *trl_disposition(trl_arena *arena, const char *name, bool is_inline);
