/* head.h - the head of a form's part. Private to form/. */
#pragma once

#include "form/form.h"

/* Reads lines, each with CRLF at its end, into out's name, filename and type, which lie
 * in arena. NULL, or what is wrong. */
const char *form_head_read(trl_arena *arena, const char *head, size_t len,
    struct form_part *out) TRL_MUST_CHECK;
