/* letter.h - a letter as the text of RFC 5322. For this folder alone. */
#pragma once

#include <stdbool.h>

#include <trl/buf.h>
#include <trl/id.h>
#include <trl/mail.h>

enum { LETTER_LINE_MAX = 998 }; /* RFC 5322, 2.1.1 */

/* NULL when it may be sent, else what is wrong with it (static text): a line break
 * or NUL in a header would let its author write headers of his own. */
const char *letter_check(const struct trl_mail_letter *letter);
/* Appends head and body. The letter has passed letter_check. */
void letter_write(struct trl_buf *out, const char *from,
    const struct trl_mail_letter *letter, struct trl_id id, int64_t wall_us);
