/* answer.h - what trellis-picture does (main.c): from a picture_request and a file to a
 * picture_reply and a picture. */
#pragma once

#include <trl/buf.h>

#include "picture/picture.h"

/* Once, before the first question. */
void answer_warm(void);
/* Makes a picture that is known, once it is confined, and ends the process where it
 * cannot. It is written to a file before that one has limits. */
void answer_keep_known(void);
void answer_prove(void);
/* Appends the reply. Whatever the file is, there is one. */
void answer(const uint8_t *data, size_t len, int file, struct trl_buf *reply);
