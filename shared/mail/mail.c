/* mail.c - the development mailbox: each letter a file of its own, written whole
 * under another name and then renamed, so that a reader never sees half of one.
 * The name begins with the time (an id of version 7): ls lists them in order.
 *
 * Files are for the service's user alone, for they hold links that sign people in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trl/log.h>

#include "letter.h"

struct trl_mail {
	int folder; /* -1: letters are dropped */
	char *from;
	struct trl_offload writing;
};

enum { SLOTS = 1, QUEUE = 256, RETRY_AFTER_MS = 500 };

static int
open_folder(const char *path)
{
	int fd;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

enum trl_code
trl_mail_open(trl_loop *loop, const char *folder, const char *from, trl_mail **out)
{
	int fd = -1;
	trl_mail *mail;

	if (folder != NULL) {
		fd = open_folder(folder);
		if (fd < 0) {
			fprintf(stderr,
			    "The mailbox %s cannot be opened: %s. Make the folder "
			    "writable or set TRELLIS_MAIL_FOLDER.\n",
			    folder, strerror(errno));
			return TRL_INTERNAL;
		}
	}
	mail = calloc(1, sizeof *mail);
	trl_assert(mail != NULL);
	mail->folder = fd;
	mail->from = strdup(from);
	trl_assert(mail->from != NULL);
	mail->writing = (struct trl_offload){ .name = "mail",
		.slots = SLOTS,
		.queue = QUEUE,
		.retry_after_ms = RETRY_AFTER_MS };
	trl_offload_init(loop, &mail->writing);
	*out = mail;
	return TRL_OK;
}

void
trl_mail_close(trl_mail **mail)
{
	if (*mail == NULL)
		return;
	trl_offload_fini(&(*mail)->writing);
	if ((*mail)->folder >= 0)
		close((*mail)->folder);
	free((*mail)->from);
	free(TRL_TAKE(*mail));
}

struct job {
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
	struct job *job = arg;
	char draft[sizeof job->name + 8];
	int fd;

	snprintf(draft, sizeof draft, ".%s.new", job->name);
	fd = openat(job->folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		job->error = errno;
		return;
	}
	job->error = write_all(fd, job->text->data, job->text->len);
	if (close(fd) != 0 && job->error == 0)
		job->error = errno;
	if (job->error == 0 &&
	    renameat(job->folder, draft, job->folder, job->name) != 0)
		job->error = errno;
	if (job->error != 0)
		unlinkat(job->folder, draft, 0);
}

enum trl_code
trl_mail_send(trl_ctx *ctx, trl_mail *mail, const struct trl_mail_letter *letter)
{
	const char *wrong = letter_check(letter);
	TRL_AUTO(trl_buf_fini) struct trl_buf text = { .len = 0 };
	struct job job = { .folder = mail->folder, .text = &text };
	struct trl_id id = trl_new_id(ctx);
	char name[TRL_ID_TEXT];
	enum trl_code rc;

	if (wrong != NULL)
		return trl_fail(ctx, TRL_INVALID, "A letter is refused: %s.", wrong);
	if (mail->folder < 0) {
		trl_log(TRL_LOG_WARN, ctx, "a letter was dropped: there is no mailbox",
		    TRL_LOG_STR("subject", letter->subject));
		return TRL_OK;
	}
	trl_id_format(id, name);
	snprintf(job.name, sizeof job.name, "%s.eml", name);
	letter_write(&text, mail->from, letter, id, trl_now(ctx));
	rc = trl_offload(ctx, &mail->writing, write_file, &job);
	if (rc == TRL_OK && job.error != 0)
		rc = trl_fail(ctx, TRL_INTERNAL, "the mailbox cannot be written: %s",
		    strerror(job.error));
	return rc;
}
