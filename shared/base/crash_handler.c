/* crash_handler.c - the last thing a process does.
 *
 * Only what signal-safety(7) lists is called, which tests/contract/test_crash.py holds
 * this file, crash_walk.c and crash_cfi.c to; all memory is static. One thread comes
 * through: others that crash beside it wait for the end. The signals are blocked
 * meanwhile, so a fault in here ends the process at once (the kernel lets no fault
 * wait), with a file that lacks its end. And a handler that hangs, on a disk that does
 * not answer, is ended by an alarm. (Over 400 lines: what the handler does, but for the
 * walk, can be read in one go.) */
#include "crash_inside.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <trl/ctx.h>
#include <trl/method.h>

enum { PATIENCE_S = 10, MAPS_MAX = 512 << 10, NEAR = 1 << 20, NAME_MAX_LEN = 100 };

struct crash_prepared crash_prepared = { .peek = { -1, -1 }, .maps = -1, .spare = -1 };
CRASH_OF_THREAD const char *crash_thread_name, *crash_doing_name;
CRASH_OF_THREAD const struct trl_ctx *crash_doing_ctx;

static CRASH_OF_THREAD volatile sig_atomic_t inside;
static int entered;
static char note[CRASH_NOTE];

/* Of the one thread that came through. */
static struct {
	int fd;
	size_t len;
	bool lost; /* it took no more */
	char text[4096];
} out;
static char path[CRASH_PATH + 32];
static volatile int fatal; /* the signal */

void
crash_says(const char *text)
{
	size_t i = 0;

	for (; i + 1 < sizeof note && text[i] != '\0'; i++)
		note[i] = (char)(text[i] >= ' ' ? text[i] : ' ');
	note[i] = '\0';
}

static void
flush(void)
{
	for (size_t at = 0; at < out.len && !out.lost;) {
		ssize_t n = write(out.fd, out.text + at, out.len - at);

		if (n <= 0)
			out.lost = true;
		else
			at += (size_t)n;
	}
	out.len = 0;
}

static void
put_char(char c)
{
	if (out.len == sizeof out.text)
		flush();
	out.text[out.len++] = c;
}

static void
put(const char *text)
{
	while (*text != '\0')
		put_char(*text++);
}

static void
put_number(uint64_t n, unsigned base)
{
	char digits[24];
	size_t len = 0;

	do
		digits[len++] = "0123456789abcdef"[n % base];
	while ((n /= base) != 0);
	while (len > 0)
		put_char(digits[--len]);
}

static void
put_hex(uint64_t n)
{
	put("0x");
	put_number(n, 16);
}

static void
put_bytes(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put_char("0123456789abcdef"[bytes[i] >> 4]);
		put_char("0123456789abcdef"[bytes[i] & 15]);
	}
}

/* A line of a text that may not be there any more. */
static void
put_name(const char *key, uint64_t at)
{
	char name[NAME_MAX_LEN + 1] = "";
	size_t n = 0;

	while (n < NAME_MAX_LEN && crash_peek(&name[n], at + n, 1) && name[n] > ' ' &&
	       name[n] <= '~')
		n++;
	if (n == 0)
		return;
	name[n] = '\0';
	put(key);
	put(name);
	put("\n");
}

static const char *
signal_name(int number)
{
	switch (number) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGILL:
		return "SIGILL";
	case SIGTRAP:
		return "SIGTRAP";
	case SIGABRT:
		return "SIGABRT";
	default:
		return "signal";
	}
}

/* From here the signal itself ends the process. What is the first one of its namespace
 * (a container's) is not ended by a signal that it sends to itself: it exits as if. */
static _Noreturn void
end_by(int number)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t set;

	sigaction(number, &usual, NULL);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + number);
}

static void
on_late(int number)
{
	(void)number;
	_exit(128 + fatal);
}

static void
watch_the_time(void)
{
	const struct sigaction late = { .sa_handler = on_late };
	sigset_t set;

	sigaction(SIGALRM, &late, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	alarm(PATIENCE_S);
}

static void
put_what_it_did(void)
{
	static struct trl_ctx ctx;
	static struct trl_method method;

	if (crash_thread_name != NULL)
		put_name("thread ", (uintptr_t)crash_thread_name);
	if (crash_doing_name != NULL)
		put_name("actor ", (uintptr_t)crash_doing_name);
	if (crash_doing_ctx == NULL ||
	    !crash_peek(&ctx, (uintptr_t)crash_doing_ctx, sizeof ctx))
		return;
	if (ctx.method != NULL &&
	    crash_peek(&method, (uintptr_t)ctx.method, sizeof method))
		put_name("method ", (uintptr_t)method.name);
	if (ctx.service != NULL)
		put_name("code_of ", (uintptr_t)ctx.service);
	put("trace ");
	put_bytes(ctx.trace.trace_id, sizeof ctx.trace.trace_id);
	put(" ");
	put_bytes(ctx.trace.span_id, sizeof ctx.trace.span_id);
	put("\ntenant ");
	put_bytes((const uint8_t *)&ctx.tenant, sizeof ctx.tenant);
	put("\n");
}

static void
put_frame(const struct crash_frame *frame, size_t skipped)
{
	static const char *const how[] = {
		[CRASH_AT] = " at\n",
		[CRASH_LINKED] = " linked\n",
		[CRASH_SEEN] = " seen\n",
	};

	if (skipped > 0) {
		put("skipped ");
		put_number(skipped, 10);
		put("\n");
	}
	put("frame ");
	put_hex(frame->pc);
	put(how[frame->how]);
}

static uint64_t
from_hex(const char *text, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			n = n << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	return n;
}

/* A line of the maps is copied if it names something, or lies where it crashed: each
 * actor's stack has two lines of its own. */
static bool
is_wanted(const char *line, size_t len, const uint64_t near[2])
{
	uint64_t from = from_hex(line, len), to = 0;

	for (size_t i = 0; i < len; i++)
		if (line[i] == '/' || line[i] == '[')
			return true;
	for (size_t i = 0; i < len && to == 0; i++)
		if (line[i] == '-')
			to = from_hex(line + i + 1, len - i - 1);
	for (int i = 0; i < 2; i++)
		if (near[i] + NEAR > from && near[i] < to + NEAR)
			return true;
	return false;
}

static void
put_maps(const uint64_t near[2])
{
	static char text[8192];
	size_t len = 0, copied = 0;
	ssize_t n;

	put("maps\n");
	if (lseek(crash_prepared.maps, 0, SEEK_SET) != 0)
		return;
	while ((n = read(crash_prepared.maps, text + len, sizeof text - len)) > 0) {
		size_t from = 0;

		len += (size_t)n;
		for (size_t i = 0; i < len; i++) {
			if (text[i] != '\n')
				continue;
			if (copied < MAPS_MAX &&
			    is_wanted(text + from, i - from, near)) {
				for (size_t j = from; j <= i; j++)
					put_char(text[j]);
				copied += i - from + 1;
			}
			from = i + 1;
		}
		if (from == 0)
			from = len; /* longer than a path can be */
		for (size_t i = from; i < len; i++)
			text[i - from] = text[i];
		len -= from;
	}
}

static void
put_cause(int number, const siginfo_t *info)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	put("pid ");
	put_number((uint64_t)getpid(), 10);
	put("\ntime ");
	put_number((uint64_t)now.tv_sec, 10);
	put("\nsignal ");
	put_number((uint64_t)number, 10);
	put(" ");
	put(signal_name(number));
	put("\ncode ");
	if (info->si_code < 0)
		put("-");
	put_number(
	    (uint64_t)(info->si_code < 0 ? -(int64_t)info->si_code : info->si_code),
	    10);
	if (info->si_code > 0) { /* a fault, and not sent by somebody */
		put("\naddress ");
		put_hex((uint64_t)(uintptr_t)info->si_addr);
	}
	if (note[0] != '\0') {
		put("\nnote ");
		put(note);
	}
	put("\n");
}

static bool
open_file(void)
{
	if (crash_prepared.path[0] == '\0')
		return false;
	out.fd = STDERR_FILENO; /* until there is one */
	put(crash_prepared.path);
	put_number((uint64_t)getpid(), 10);
	put(".crash");
	for (size_t i = 0; i < out.len; i++)
		path[i] = out.text[i];
	path[out.len] = '\0';
	out.len = 0;
	close(crash_prepared.spare);
	out.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return out.fd >= 0;
}

static void
write_file(int number, const siginfo_t *info, const struct crash_regs *regs,
    const struct crash_walk *walk)
{
	uint64_t near[2] = { regs->sp, (uint64_t)(uintptr_t)info->si_addr };

	put(crash_prepared.head);
	put_cause(number, info);
	put_what_it_did();
	for (size_t i = 0; i < regs->n; i++) {
		put("register ");
		put(regs->all[i].name);
		put(" ");
		put_hex(regs->all[i].value);
		put("\n");
	}
	crash_walk_each(walk, put_frame);
	put(crash_prepared.modules);
	flush(); /* most is there, whatever happens now */
	put_maps(near);
	put("end\n");
	flush();
	close(out.fd);
}

static void
put_quoted_frame(const struct crash_frame *frame, size_t skipped)
{
	put(skipped > 0 ? ",\"...\",\"" : out.text[out.len - 1] == '[' ? "\"" : ",\"");
	put_hex(frame->pc);
	put("\"");
}

static void
write_line(int number, const struct crash_walk *walk)
{
	out.fd = STDERR_FILENO;
	out.lost = false;
	put("{\"severity_text\":\"ERROR\",\"severity_number\":17,\"service.name\":\"");
	put(crash_prepared.service);
	put("\",\"body\":\"crashed\",\"signal\":\"");
	put(signal_name(number));
	if (path[0] != '\0') {
		put("\",\"file\":\"");
		put(path);
	}
	put("\",\"frames\":[");
	crash_walk_each(walk, put_quoted_frame);
	put("]}\n");
	flush();
}

void
crash_handle(int number, siginfo_t *info, void *context)
{
	static struct crash_regs regs;
	static struct crash_walk walk;

	if (inside)
		end_by(number);
	if (__atomic_exchange_n(&entered, 1, __ATOMIC_SEQ_CST) != 0)
		for (;;)
			pause();
	inside = 1;
	fatal = number;
	watch_the_time();
	crash_regs_read(&regs, context);
	crash_walk(&walk, &regs);
	if (open_file())
		write_file(number, info, &regs, &walk);
	else
		path[0] = '\0';
	write_line(number, &walk);
	end_by(number);
}
