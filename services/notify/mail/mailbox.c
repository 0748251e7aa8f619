/* mailbox.c - the development mailbox: each mail a file of its own, written whole under
 * another name and then renamed, so that a reader never sees half of one. The name is
 * the delivery's id, which begins with the time: ls lists them in order, and a mail
 * that is sent again after a crash is the same file.
 *
 * Files are for the service's user only, for they hold links that sign people in. */
#include "mail/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trl/complain.h>

struct notify_mailbox {
	int folder;
	struct trl_offload writing;
};

enum { SLOTS = 1, QUEUE = 256, RETRY_AFTER_MS = 500 };

enum trl_code
notify_mailbox_open(trl_loop *loop, const char *folder, notify_mailbox **out)
{
	notify_mailbox *mailbox;
	int fd = -1;

	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		trl_complain(
		    "The mailbox %s cannot be opened: %s. Make the folder writable or "
		    "set TRELLIS_MAIL_FOLDER.",
		    folder, strerror(errno));
		return TRL_INTERNAL;
	}
	mailbox = calloc(1, sizeof *mailbox);
	trl_assert(mailbox);
	mailbox->folder = fd;
	mailbox->writing = (struct trl_offload){ .name = "mailbox",
		.slots = SLOTS,
		.queue = QUEUE,
		.retry_after_ms = RETRY_AFTER_MS };
	trl_offload_init(loop, &mailbox->writing);
	*out = mailbox;
	return TRL_OK;
}

void
notify_mailbox_close(notify_mailbox **mailbox)
{
	if (!*mailbox)
		return;
	trl_offload_fini(&(*mailbox)->writing);
	close((*mailbox)->folder);
	free(TRL_TAKE(*mailbox));
}

struct errand {
	int folder;
	char name[TRL_ID_TEXT + 8];
	const struct trl_buf *text;
	int error; /* errno, or 0 */
};

static int
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* On a thread of the pool. */
static void
write_file(void *arg)
{
	struct errand *errand = arg;
	char draft[sizeof errand->name + 8];
	int fd;

	snprintf(draft, sizeof draft, ".%s.new", errand->name);
	fd = openat(
	    errand->folder, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		errand->error = errno;
		return;
	}
	errand->error = write_all(fd, errand->text->data, errand->text->len);
	if (close(fd) != 0 && errand->error == 0)
		errand->error = errno;
	if (errand->error == 0 &&
	    renameat(errand->folder, draft, errand->folder, errand->name) != 0)
		errand->error = errno;
	if (errand->error != 0)
		unlinkat(errand->folder, draft, 0);
}

enum trl_code
notify_mailbox_put(
    trl_ctx *ctx, notify_mailbox *mailbox, struct trl_id id, const struct trl_buf *mail)
{
	struct errand errand = { .folder = mailbox->folder, .text = mail };
	char name[TRL_ID_TEXT];
	enum trl_code rc;

	trl_id_format(id, name);
	snprintf(errand.name, sizeof errand.name, "%s.eml", name);
	rc = trl_offload(ctx, &mailbox->writing, write_file, &errand);
	if (rc == TRL_OK && errand.error != 0)
		rc = trl_fail(ctx, TRL_INTERNAL, "the mailbox cannot be written: %s",
		    strerror(errand.error));
	return rc;
}
