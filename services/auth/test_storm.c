/* A storm of logins: the hash pool is bounded, so memory is, and who finds it full is
 * told so at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_ground.h"

enum { STORM = 1000 };

/* Memory the process has mapped and touched at its peak, since it was reset. */
static long
peak_kib(void)
{
	char line[200];
	long kib = 0;
	FILE *file = fopen("/proc/self/status", "r");

	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/* Reliability, case 47. */
static void
answers_busy_beyond_the_queue_and_stays_small(void **state)
{
	const char *email = world_email("ada");
	Auth__V1__LogInRequest in = AUTH__V1__LOG_IN_REQUEST__INIT;
	struct world_run *runs = calloc(STORM, sizeof *runs);
	struct world_run **all = calloc(STORM, sizeof *all);
	unsigned slots = world_auth()->passwords.work.slots;
	unsigned queue = world_auth()->passwords.work.queue;
	int in_count = 0, busy = 0, other = 0;
	uint64_t hashes;
	long before;

	(void)state;
	assert_int_equal(world_sign_up(email, "correct horse battery", NULL), TRL_OK);
	in.email = (char *)email;
	in.password = "correct horse battery";
	hashes = world_auth()->passwords.hashes;
	before = peak_kib();
	for (int i = 0; i < STORM; i++) {
		runs[i].method = &auth_v1_log_in;
		runs[i].in = &in.base;
		all[i] = &runs[i];
		world_start(&runs[i]);
	}
	world_wait(all, STORM);
	for (int i = 0; i < STORM; i++) {
		if (runs[i].rc == TRL_OK)
			in_count++;
		else if (runs[i].rc == TRL_BUSY)
			busy++;
		else
			other++;
		if (runs[i].rc == TRL_BUSY && runs[i].err.file &&
		    strstr(runs[i].err.message, "argon2"))
			assert_true(runs[i].err.retry_after_ms > 0);
	}
	print_message(
	    "%d in, %d busy, %d otherwise; %u slots, queue %u; peak %ld KiB more\n",
	    in_count, busy, other, slots, queue, peak_kib() - before);
	assert_int_equal(other, 0);
	assert_true(in_count > 0 && busy > STORM / 2);
	assert_true(world_auth()->passwords.hashes - hashes < STORM / 2);
#ifndef __SANITIZE_ADDRESS__
	/* Slots times the cost, and what a thousand actors take. */
	assert_true(peak_kib() - before < (long)slots * 19456 + 256 * 1024);
#endif
	/* Afterwards it works as before. */
	assert_int_equal(world_log_in(email, "correct horse battery", NULL), TRL_OK);
	free(all);
	free(runs);
}

#define TEST(f) cmocka_unit_test_teardown(f, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_busy_beyond_the_queue_and_stays_small),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
