/* mail.h - the interim way of a letter: written as a file (RFC 5322) into the
 * development mailbox, mail/ in the run folder, by atomic rename. Goes when
 * notify comes. Blocks for a small file write, so it uses the offload pool. */
#pragma once

#include <trl/actor.h>

typedef struct trl_mail trl_mail;

struct trl_mail_letter {
	const char *to;
	const char *subject;
	const char *text;
};

/* folder is made if missing; NULL: letters are dropped with a warning in the log.
 * Errors: TRL_INTERNAL, printed. */
enum trl_code trl_mail_open(trl_loop *loop, const char *folder, const char *from,
    trl_mail **out) TRL_MUST_CHECK;
void trl_mail_close(trl_mail **mail);
/* Errors: TRL_INVALID (CR, LF or NUL in an address or subject), TRL_BUSY,
 * TRL_INTERNAL (disk). */
enum trl_code trl_mail_send(
    trl_ctx *ctx, trl_mail *mail, const struct trl_mail_letter *letter) TRL_MUST_CHECK;
