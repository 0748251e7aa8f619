/* crash.c - what a crash finds prepared: the signals taken, texts that are ready to be
 * written, descriptors that are open, and a stack for the handler on each thread, with
 * a page below that nobody may touch. */
#include <trl/crash.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <trl/complain.h>
#include <trl/crash_file.h>

#include "crash_inside.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||             \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { STACK = 64 << 10, GUARD = 4 << 10 };

static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT };
static bool taken;
static pthread_key_t stack_key;
static size_t stack_bytes;

/* The thread ends. */
static void
drop_stack(void *low)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	sigaltstack(&none, NULL);
	munmap(low, GUARD + stack_bytes);
}

static void
give_stack(void)
{
	uint8_t *low = mmap(NULL, GUARD + stack_bytes, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	stack_t stack = { .ss_size = stack_bytes };

	trl_assert(low != MAP_FAILED);
	trl_assert(mprotect(low + GUARD, stack_bytes, PROT_READ | PROT_WRITE) == 0);
	stack.ss_sp = low + GUARD;
	trl_assert(sigaltstack(&stack, NULL) == 0);
	trl_assert(pthread_setspecific(stack_key, low) == 0);
}

void
trl_crash_thread(const char *name)
{
	static _Thread_local bool ready;
	sigset_t set;

	if (!taken || ready)
		return;
	ready = true;
	crash_thread_name = name;
	give_stack();
	sigemptyset(&set);
	for (size_t i = 0; i < TRL_COUNT(fatal); i++)
		sigaddset(&set, fatal[i]);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void
trl_crash_doing(const char *name, const struct trl_ctx *ctx)
{
	crash_doing_name = name;
	crash_doing_ctx = ctx;
}

void
trl_crash_note(const char *text)
{
	crash_says(text);
}

static int
keep(int fd)
{
	trl_assert(fd >= 0);
	return fd;
}

static bool
open_dir(const struct trl_crash_options *options)
{
	struct crash_prepared *p = &crash_prepared;
	const char *why = NULL;
	unsigned next;

	p->path[0] = '\0';
	if (options->dir == NULL)
		return true;
	if (mkdir(options->dir, 0700) != 0 && errno != EEXIST)
		why = strerror(errno);
	else if (access(options->dir, W_OK | X_OK) != 0)
		why = strerror(errno);
	else if (!trl_crash_next(options->dir, options->service, &next))
		why = strerror(errno);
	else if (snprintf(p->path, sizeof p->path, "%s/%s-%06u-", options->dir,
		     options->service, next) >= (int)sizeof p->path)
		why = "its name is too long";
	if (why == NULL)
		return true;
	p->path[0] = '\0';
	trl_complain("%s: %s; a crash will leave only a line here", options->dir, why);
	return false;
}

bool
trl_crash_open(const struct trl_crash_options *options)
{
	struct crash_prepared *p = &crash_prepared;
	struct sigaction action = {
		.sa_sigaction = crash_handle,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};
	long least = sysconf(_SC_MINSIGSTKSZ);
	char build[48];
	bool fine;

	if (SANITIZED || taken)
		return true;
	fine = open_dir(options);
	crash_modules_find(p, build);
	snprintf(p->service, sizeof p->service, "%s", options->service);
	snprintf(p->head, sizeof p->head,
	    "trellis crash 1\nservice %s\nrelease %s\nbuild %s\n", options->service,
	    options->release, build);
	trl_assert(pipe2(p->peek, O_CLOEXEC | O_NONBLOCK) == 0);
	p->maps = keep(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
	p->spare = keep(open("/dev/null", O_RDONLY | O_CLOEXEC));
	/* What the processor saves of itself differs (AVX-512): getauxval(3). */
	stack_bytes = (STACK + (least > 0 ? (size_t)least : 0) + 4095) & ~(size_t)4095;
	trl_assert(pthread_key_create(&stack_key, drop_stack) == 0);
	taken = true;
	trl_crash_thread("main");
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < TRL_COUNT(fatal); i++)
		sigaddset(&action.sa_mask, fatal[i]);
	for (size_t i = 0; i < TRL_COUNT(fatal); i++)
		trl_assert(sigaction(fatal[i], &action, NULL) == 0);
	return fine;
}
