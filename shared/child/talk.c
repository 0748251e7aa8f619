/* talk.c - see talk.h. */
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <trl/clock.h>
#include <trl/compiler.h>

void
child_program(const char *name, char out[CHILD_PATH_MAX])
{
	const ssize_t n = readlink("/proc/self/exe", out, CHILD_PATH_MAX - 64);
	char *slash;

	trl_assert(n > 0 && strlen(name) < 32);
	out[n] = '\0';
	slash = strrchr(out, '/');
	trl_assert(slash);
	(void)snprintf(slash, 64, "/trellis-%s", name);
}

/* Of the child: its socket as 0, no output, and only stderr of ours, until it is
 * confined: whoever starts it wants to read why it does not. */
static void
fill_actions(posix_spawn_file_actions_t *actions, int socket)
{
	trl_assert(posix_spawn_file_actions_init(actions) == 0);
	trl_assert(posix_spawn_file_actions_adddup2(actions, socket, 0) == 0);
	trl_assert(posix_spawn_file_actions_addopen(
		       actions, 1, "/dev/null", O_WRONLY, 0) == 0);
	trl_assert(posix_spawn_file_actions_addclosefrom_np(actions, 3) == 0);
}

/* Signals as a new program expects them, and a group of its own: what a terminal sends
 * is for the service. */
static void
fill_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	trl_assert(posix_spawnattr_init(attributes) == 0);
	trl_assert(posix_spawnattr_setsigdefault(attributes, &all) == 0);
	trl_assert(posix_spawnattr_setsigmask(attributes, &none) == 0);
	trl_assert(posix_spawnattr_setpgroup(attributes, 0) == 0);
	trl_assert(posix_spawnattr_setflags(
		       attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
				       POSIX_SPAWN_SETPGROUP) == 0);
}

int
child_start(const char *program, struct child_end *out)
{
	char *const words[] = { (char *)(uintptr_t)program, NULL };
	char *const environment[] = { (char *)(uintptr_t) "LC_ALL=C.UTF-8",
		(char *)(uintptr_t) "MALLOC_ARENA_MAX=1", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return errno;
	fill_actions(&actions, ends[1]);
	fill_attributes(&attributes);
	error =
	    posix_spawn(&out->pid, program, &actions, &attributes, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(ends[1]);
	out->socket = ends[0];
	if (error) {
		close(ends[0]);
		*out = (struct child_end){ 0 };
	}
	return error;
}

/* Waits until the socket is ready for events. */
static bool
is_ready(int socket, short events, uint64_t until_us)
{
	struct pollfd one = { .fd = socket, .events = events };

	for (;;) {
		const uint64_t now = trl_mono_us();
		const uint64_t left = now < until_us ? (until_us - now) / 1000 + 1 : 0;
		int n = poll(&one, 1, left > INT_MAX ? INT_MAX : (int)left);

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* As send; file goes along unless it is -1. */
static ssize_t
send_with(int socket, const void *bytes, size_t len, int file)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
			  .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS } };
	struct iovec piece = { (void *)(uintptr_t)bytes, len };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (file >= 0) {
		memcpy(CMSG_DATA(&control.head), &file, sizeof file);
		message.msg_control = control.room;
		message.msg_controllen = sizeof control.room;
	}
	return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Moves len bytes one way, and out a file with the first of them. */
static enum child_outcome
move(int socket, void *bytes, size_t len, bool out, int file, uint64_t until_us)
{
	uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = out ? send_with(socket, at, len, file)
				: recv(socket, at, len, MSG_DONTWAIT);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
			file = -1;
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (!is_ready(socket, out ? POLLOUT : POLLIN, until_us))
				return CHILD_LATE;
		} else {
			return CHILD_ENDED;
		}
	}
	return CHILD_ANSWERED;
}

enum child_outcome
child_meet(const struct child_end *end, uint8_t version, uint64_t until_us)
{
	uint8_t said;
	enum child_outcome outcome =
	    move(end->socket, &said, sizeof said, false, -1, until_us);

	return outcome == CHILD_ANSWERED && said != version ? CHILD_OTHER : outcome;
}

uint64_t
child_cpu_us(const struct child_end *end)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(end->pid, &clock) != 0 ||
	    clock_gettime(clock, &used) != 0)
		return 0; /* it has ended */
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

enum child_outcome
child_talk(const struct child_end *end, const struct child_question *question,
    struct trl_buf *reply, size_t max, uint64_t until_us)
{
	const size_t len = question->len;
	uint8_t head[4] = { (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
		(uint8_t)(len >> 24) };
	enum child_outcome outcome;
	size_t n;

	outcome = move(end->socket, head, sizeof head, true, question->file, until_us);
	if (outcome == CHILD_ANSWERED)
		outcome = move(end->socket, (void *)(uintptr_t)question->request, len,
		    true, -1, until_us);
	if (outcome == CHILD_ANSWERED)
		outcome = move(end->socket, head, sizeof head, false, -1, until_us);
	if (outcome != CHILD_ANSWERED)
		return outcome;
	n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
	    (size_t)head[3] << 24;
	if (n > max)
		return CHILD_TOO_MUCH;
	outcome = move(end->socket, trl_buf_reserve(reply, n), n, false, -1, until_us);
	reply->len += outcome == CHILD_ANSWERED ? n : 0;
	return outcome;
}
