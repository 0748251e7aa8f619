/* confined.c - see confined.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <trl/compiler.h>
#include <trl/confined.h>

#include "confine.h"

/* False: the other end was closed. */
static bool
read_all(void *into, size_t len)
{
	uint8_t *at = into;

	while (len > 0) {
		ssize_t n = read(0, at, len);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool
write_all(const void *from, size_t len)
{
	const uint8_t *at = from;

	while (len > 0) {
		ssize_t n = write(0, at, len);

		if (n <= 0 && errno != EINTR)
			return false;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* As read_all of the socket; *file is a descriptor that came along, or -1. */
static bool
read_with(void *into, size_t len, int *file)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = { into, len };
	struct msghdr message = { .msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room };
	const struct cmsghdr *first;
	ssize_t n;

	*file = -1;
	do
		n = recvmsg(0, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	first = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (first && first->cmsg_level == SOL_SOCKET &&
	    first->cmsg_type == SCM_RIGHTS && first->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(file, CMSG_DATA(first), sizeof *file);
	return n > 0 && read_all((uint8_t *)into + n, len - (size_t)n);
}

/* From now on so many seconds of a processor. */
static void
allow_cpu(unsigned seconds)
{
	struct rusage used;
	struct rlimit limit;

	trl_assert(getrusage(RUSAGE_SELF, &used) == 0);
	trl_assert(getrlimit(RLIMIT_CPU, &limit) == 0);
	limit.rlim_cur =
	    (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1) + seconds;
	trl_assert(setrlimit(RLIMIT_CPU, &limit) == 0);
}

static bool
answer(const struct trl_confined *spec, const struct trl_buf *in, size_t len, int file,
    struct trl_buf *out)
{
	if (file < 0 ? !spec->answer : !spec->answer_file)
		return false;
	allow_cpu(spec->cpu_s);
	if (file < 0)
		spec->answer(in->data, len, out);
	else
		spec->answer_file(in->data, len, file, out);
	return out->len <= spec->reply_max;
}

static bool
serve_one(const struct trl_confined *spec, struct trl_buf *in, struct trl_buf *out)
{
	uint8_t head[4];
	bool ok;
	int file;
	size_t len;

	trl_buf_clear(in);
	trl_buf_clear(out);
	if (!read_with(head, sizeof head, &file))
		return false;
	len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
	      (size_t)head[3] << 24;
	ok = len <= spec->request_max && read_all(trl_buf_reserve(in, len), len) &&
	     answer(spec, in, len, file, out);
	if (file >= 0)
		close(file);
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(out->len >> (8 * i));
	return ok && write_all(head, sizeof head) && write_all(out->data, out->len);
}

int
trl_confined_main(const struct trl_confined *spec)
{
	struct trl_buf in = { 0 }, out = { 0 };

	confine_limits(spec->memory_max);
	if (spec->warm)
		spec->warm();
	/* Whoever started it has read by now what the loader had to say. Libraries'
	 * own words are no lines of a log. */
	trl_assert(dup2(1, 2) == 2);
	confine_life();
	confine_files(spec->reads);
	confine_calls();
	if (spec->prove)
		spec->prove();
	if (!write_all(&spec->version, sizeof spec->version))
		return 0;
	while (serve_one(spec, &in, &out))
		;
	trl_buf_fini(&in);
	trl_buf_fini(&out);
	return 0;
}
