/* threads.c - nng starts two task threads a core. All of its work for us is short and
 * in a chain (bytes, message, queue), and handing each link to another sleeping thread
 * is most of what a call costs: with few the chain runs where it is. nng 1.8 is told to
 * start the two that it insists on, of which it wakes one.
 *
 * 1.5.2 offers no such setting. So its others are given a callback that never returns.
 * They hold nothing, and one is enough: nothing of nng's own waits inside a task for
 * another. Threads are counted by name, and each takes its name only once it runs: so
 * the count waits, shortly, for as many as nng is known to start.
 *
 * Measured with tests/bench/bus_bench; see the README's figures. With nng 1.10 a call
 * at one in flight takes 43 us of processor and 80 us of time when it is told, 75 us
 * and 100 us when one of the two is made to rest as well. */
#include "threads.h"

#include <nng/nng.h>

#include "socket.h"

#ifdef BUS_NNG_1_8

void
bus_threads_few(void)
{
	nng_init_set_parameter(NNG_INIT_NUM_TASK_THREADS, 2);
	nng_init_set_parameter(NNG_INIT_NUM_EXPIRE_THREADS, 1);
	nng_init_set_parameter(NNG_INIT_NUM_POLLER_THREADS, 1);
	nng_init_set_parameter(NNG_INIT_NUM_RESOLVER_THREADS, 1);
}

#else

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <trl/compiler.h>

enum { TASKS_MAX = 16, A_CORE = 2, COUNTS = 200 }; /* nng's own limits; tries */

/* Task threads alive, by the names nng gives its threads. */
static unsigned
count_tasks(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;
	if (tasks == NULL)
		return 0;
	for (struct dirent *d; (d = readdir(tasks)) != NULL;) {
		char path[300], name[32] = "";
		snprintf(path, sizeof path, "/proc/self/task/%s/comm", d->d_name);
		FILE *comm = d->d_name[0] != '.' ? fopen(path, "r") : NULL;
		if (comm == NULL)
			continue;
		if (fgets(name, sizeof name, comm) != NULL &&
		    strcmp(name, "nng:task\n") == 0)
			n++;
		fclose(comm);
	}
	closedir(tasks);
	return n;
}

/* The same once all have come, or as many as there are after a fifth of a second. */
static unsigned
await_tasks(void)
{
	static const struct timespec a_moment = { .tv_nsec = 1000000 };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned want = cores < 1 ? A_CORE : (unsigned)cores * A_CORE, n = 0;

	if (want > TASKS_MAX)
		want = TASKS_MAX;
	for (unsigned i = 0; i < COUNTS && (n = count_tasks()) < want; i++)
		nanosleep(&a_moment, NULL);
	return n;
}

static void
rest(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

void
bus_threads_few(void)
{
	static atomic_flag done = ATOMIC_FLAG_INIT;
	nng_aio *aio;
	if (atomic_flag_test_and_set(&done))
		return;
	trl_assert(nng_aio_alloc(&aio, rest, NULL) == 0); /* which starts nng */
	for (unsigned n = await_tasks(); n > 1; n--) {
		nng_sleep_aio(0, aio);
		trl_assert(nng_aio_alloc(&aio, rest, NULL) == 0);
	}
	nng_aio_free(aio);
}

#endif
