/* child_victim.c - the program that test_child.c starts: the first byte of a question
 * says what it does. It stands for one that a wrong document has taken over. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <trl/compiler.h>
#include <trl/confined.h>

enum { REPLY_MAX = 17 << 20 };

extern char **environ;

static void
say(struct trl_buf *reply, bool done)
{
	trl_buf_printf(reply, "%s", done ? "done" : strerror(errno));
}

static void
tell_environment(struct trl_buf *reply)
{
	for (char **at = environ; *at; at++)
		trl_buf_printf(reply, "%s\n", *at);
}

/* The descriptors that are open. */
static void
tell_descriptors(struct trl_buf *reply)
{
	for (int i = 0; i < 64; i++)
		if (fcntl(i, F_GETFD) >= 0)
			trl_buf_printf(reply, "%d ", i);
}

static bool
starts_a_program(void)
{
	char *const words[] = { (char *)(uintptr_t) "true", NULL };

	return execv("/bin/true", words) == 0;
}

static void
answer(const uint8_t *request, size_t len, struct trl_buf *reply)
{
	void *volatile room;

	switch (len ? request[0] : '\0') {
	case 'e':
		trl_buf_add(reply, request + 1, len - 1);
		return;
	case 'v':
		tell_environment(reply);
		return;
	case 'd':
		tell_descriptors(reply);
		return;
	case 'n':
		say(reply, socket(AF_INET, SOCK_STREAM, 0) >= 0);
		return;
	case 'w':
		say(reply, open("/tmp/victim", O_WRONLY | O_CREAT, 0600) >= 0);
		return;
	case 'r':
		say(reply, open("/proc/self/status", O_RDONLY) >= 0);
		return;
	case 'f':
		say(reply, fork() >= 0);
		return;
	case 'x':
		say(reply, starts_a_program());
		return;
	case 'k':
		say(reply, kill(getppid(), SIGTERM) == 0);
		return;
	case 'o':
		say(reply, fcntl(0, F_SETOWN, getppid()) == 0);
		return;
	case 'p':
		say(reply, prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
		return;
	case 'm':
		room = malloc((size_t)1 << 30); /* which no compiler may leave out */
		say(reply, room != NULL);
		return;
	case 'c':
		__builtin_trap();
		return;
	case 'h':
		for (;;)
			(void)usleep(1000000);
	case 's':
		for (volatile unsigned i = 0;; i++)
			;
	case 'l':
		memset(trl_buf_reserve(reply, REPLY_MAX + 1), 'x', REPLY_MAX + 1);
		reply->len += REPLY_MAX + 1;
		return;
	default:
		exit(3);
	}
}

/* What it says of a file: all of it, or for "i" whether it can be written, for "c" that
 * it is too much. */
static void
answer_file(const uint8_t *request, size_t len, int file, struct trl_buf *reply)
{
	const off_t size = lseek(file, 0, SEEK_END);
	uint8_t *into;

	if (len == 0 || request[0] == 'c')
		__builtin_trap();
	if (request[0] == 'i') {
		say(reply, write(file, "x", 1) == 1);
		return;
	}
	trl_assert(size >= 0);
	into = trl_buf_reserve(reply, (size_t)size);
	trl_assert(pread(file, into, (size_t)size, 0) == size);
	reply->len += (size_t)size;
}

/* A stillborn one is broken, or lacks what it needs. */
static void
prove(void)
{
#ifdef STILLBORN
	exit(7);
#endif
}

int
main(void)
{
	static const char *const reads[] = { "/proc", NULL };
	static const struct trl_confined spec = {
		.request_max = 1 << 20,
		.reply_max = REPLY_MAX,
		.memory_max = (size_t)512 << 20,
		.cpu_s = 1,
		.reads = reads,
		.version = 3,
		.prove = prove,
		.answer = answer,
		.answer_file = answer_file,
	};

	return trl_confined_main(&spec);
}
