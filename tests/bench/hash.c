/* hash.c - prints how many Argon2id hashes a second all cores make at the cost
 * the auth service uses by default: what sign-ups and logins are held against. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

enum { PASSES = 2, MEMORY_BYTES = 64 << 20, CORES_MAX = 64 };

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct core {
	pthread_t thread;
	double until;
	long hashes;
};

static void *
hash_until(void *arg)
{
	struct core *core = arg;
	char out[crypto_pwhash_STRBYTES];

	while (now() < core->until) {
		if (crypto_pwhash_str(
			out, "correct horse battery", 21, PASSES, MEMORY_BYTES) != 0)
			abort();
		core->hashes++;
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct core cores[CORES_MAX] = { 0 };
	double seconds = argc > 1 ? atof(argv[1]) : 4, started;
	long n = sysconf(_SC_NPROCESSORS_ONLN), total = 0;

	if (sodium_init() < 0 || seconds <= 0)
		return 1;
	n = n < 1 ? 1 : n > CORES_MAX ? CORES_MAX : n;
	started = now();
	for (long i = 0; i < n; i++) {
		cores[i].until = started + seconds;
		if (pthread_create(&cores[i].thread, NULL, hash_until, &cores[i]) != 0)
			return 1;
	}
	for (long i = 0; i < n; i++) {
		pthread_join(cores[i].thread, NULL);
		total += cores[i].hashes;
	}
	printf("%.2f\n", (double)total / (now() - started));
	return 0;
}
