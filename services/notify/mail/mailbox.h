/* mailbox.h - the development mailbox: mails as files in a folder, so that nothing
 * leaves the machine. Known within this folder. */
#pragma once

#include <trl/actor.h>

typedef struct notify_mailbox notify_mailbox;

/* folder is made if missing. Errors: TRL_INTERNAL, printed. */
enum trl_code notify_mailbox_open(
    trl_loop *loop, const char *folder, notify_mailbox **out) TRL_MUST_CHECK;
void notify_mailbox_close(notify_mailbox **mailbox);
/* Writes ID.eml, in place of one of that name. Errors: TRL_BUSY, TRL_INTERNAL (disk).
 */
enum trl_code notify_mailbox_put(trl_ctx *ctx, notify_mailbox *mailbox,
    struct trl_id id, const struct trl_buf *mail) TRL_MUST_CHECK;
