/* crash_victim.c - a process that crashes as it is told: crash_victim HOW FOLDER. What
 * it was doing is an actor's or a thread's work, as in a service. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <trl/actor.h>
#include <trl/crash.h>
#include <trl/log.h>
#include <trl/method.h>

static const struct trl_method method = { .name = "victim.v1.Victims.Crash" };
static volatile bool break_handler;
static int *volatile nothing; /* so that no compiler sees what comes */
static size_t *volatile block;
static trl_loop *loop;
static struct trl_offload pool = { .name = "victims", .slots = 1, .queue = 1 };
static struct trl_offload apart = {
	.name = "guests", .slots = 1, .queue = 1, .waits = true
};

/* In place of the C library's: the handler's own call of it crashes. */
off_t
lseek(int fd, off_t offset, int whence)
{
	volatile int *nowhere = nothing;

	if (break_handler)
		*nowhere = 1;
	return syscall(SYS_lseek, fd, offset, whence);
}

static __attribute__((noinline)) void
touch(volatile int *at)
{
	*at = 1;
	__asm__ volatile("" ::: "memory"); /* a call, and no jump */
}

static __attribute__((noinline)) void
crash_null(void *arg)
{
	touch(arg);
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) int
dig(volatile char *above, int depth)
{
	volatile char here[512];

	here[0] = (char)depth;
	if (depth == 0)
		return above[0];
	return dig(here, depth - 1) + here[0];
}

static void
crash_overflow(void *arg)
{
	volatile char top[1] = { 0 };

	(void)arg;
	break_handler = dig(top, 1000000) == 77;
}

/* The C library notices that a block's header was written over, and aborts. */
static __attribute__((noinline)) void
crash_heap(void *arg)
{
	size_t *next;

	(void)arg;
	block = malloc(2000);
	next = malloc(2000);
	for (int i = 250; i < 256; i++)
		block[i] = 0x4141414141414141;
	free(next);
	free(block);
	__asm__ volatile("" ::: "memory");
}

/* A list of free blocks leads nowhere: it crashes inside of malloc(3), which holds what
 * it holds. The link is mangled by its own place (glibc's safe linking). */
static __attribute__((noinline)) void
crash_malloc(void *arg)
{
	size_t *volatile first = malloc(40), *volatile second = malloc(40);

	(void)arg;
	free(first);
	free(second);
	block = second;
	*block = (size_t)block >> 12 ^ 0x10;
	for (int i = 0; i < 3; i++)
		block = malloc(40);
	__asm__ volatile("" ::: "memory");
}

static void
crash_assert(void *arg)
{
	trl_assert(arg != NULL && "it \"never\" happens");
}

static void
crash_call(void *arg)
{
	void (*volatile fn)(void) = NULL;

	(void)arg;
	fn();
	__asm__ volatile("" ::: "memory");
}

static void
crash_divide(void *arg)
{
	volatile int zero = arg != NULL;

	zero = getpid() / zero;
}

/* Somebody else has the loop's thread crash, deep in a library, when it sleeps there.
 */
static void
crash_sleeper(void *arg)
{
	char stat[256], *state = stat;

	(void)arg;
	do {
		FILE *file = fopen("/proc/self/stat", "re"); /* of the first thread */

		state = file != NULL && fgets(stat, sizeof stat, file) != NULL
			    ? strrchr(stat, ')')
			    : NULL;
		if (file != NULL)
			fclose(file);
	} while (state == NULL || state[2] != 'S');
	syscall(SYS_tgkill, getpid(), getpid(), SIGSEGV);
	for (;;)
		pause();
}

static void
crash_in_handler(void *arg)
{
	break_handler = true;
	crash_null(arg);
}

static void
crash_without_stack(void *arg)
{
	stack_t stack;

	sigaltstack(NULL, &stack);
	mprotect(stack.ss_sp, stack.ss_size, PROT_NONE);
	crash_null(arg);
}

static void
crash_without_descriptors(void *arg)
{
	struct rlimit few = { 16, 16 };

	setrlimit(RLIMIT_NOFILE, &few);
	while (dup(0) >= 0)
		;
	crash_null(arg);
}

static void *
crash_beside(void *arg)
{
	trl_crash_thread("beside");
	crash_null(arg);
	return NULL;
}

static void
crash_many(void *arg)
{
	pthread_t threads[8];

	for (size_t i = 0; i < TRL_COUNT(threads); i++)
		pthread_create(&threads[i], NULL, crash_beside, arg);
	crash_null(arg);
}

static const struct way {
	const char *name;
	void (*crash)(void *arg);
	struct trl_offload *on;
} ways[] = {
	{ "null", crash_null, NULL },
	{ "overflow", crash_overflow, NULL },
	{ "heap", crash_heap, NULL },
	{ "malloc", crash_malloc, NULL },
	{ "assert", crash_assert, NULL },
	{ "call", crash_call, NULL },
	{ "divide", crash_divide, NULL },
	{ "handler", crash_in_handler, NULL },
	{ "nostack", crash_without_stack, NULL },
	{ "nofiles", crash_without_descriptors, NULL },
	{ "many", crash_many, NULL },
	{ "sleeper", crash_sleeper, &apart },
	{ "offload", crash_null, &pool },
	{ "overflow_offload", crash_overflow, &pool },
	{ "overflow_apart", crash_overflow, &apart },
};

static void
act(trl_ctx *ctx, void *arg)
{
	const struct way *way = arg;

	ctx->method = &method;
	trl_trace_new(&ctx->trace);
	memset(&ctx->tenant, 0xab, sizeof ctx->tenant);
	if (way->on == NULL)
		way->crash(NULL);
	else if (trl_offload(ctx, way->on, way->crash, NULL) != TRL_OK)
		_exit(7);
	_exit(6);
}

int
main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	const struct way *way = NULL;

	setrlimit(RLIMIT_CORE, &no_core);
	for (size_t i = 0; argc == 3 && i < TRL_COUNT(ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			way = &ways[i];
	if (way == NULL)
		return 2;
	trl_log_init("victim", TRL_LOG_INFO);
	if (!trl_crash_open(&(struct trl_crash_options){ "victim", "1.2.3", argv[2] }))
		return 3;
	loop = trl_loop_new(NULL);
	trl_offload_init(loop, &pool);
	trl_offload_init(loop, &apart);
	if (trl_spawn(loop, &(struct trl_spawn){ "victim", act, (void *)way, 0 }) !=
	    TRL_OK)
		return 4;
	trl_loop_run(loop);
	return 5;
}
