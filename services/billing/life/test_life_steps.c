/* Small steps of the clock end where large ones do, whatever happened in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/compiler.h>

#include "life/test_life_ground.h"

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void
happen(uint64_t *random, int64_t now, struct offer *const *all)
{
	struct life_request request = {
		.offer = next_random(random) % 2 ? all[next_random(random) % 8] : NULL,
		.seats = next_random(random) % 2
			     ? 1 + (unsigned)(next_random(random) % 9)
			     : 0,
		.when = next_random(random) % 3,
	};
	static struct life before;
	unsigned what = next_random(random) % 12;
	bool at_once = next_random(random) % 2;
	const char *why = NULL;

	w.payer = next_random(random) % 5;
	w.life.can_pay = w.payer != HAS_NO_WAY;
	before = w.life;
	if (what < 7)
		why = life_change(&w.life, &w.rules, now, &request, &w.out);
	else if (what == 7)
		why = life_cancel(&w.life, now, at_once, &w.out);
	else if (what == 8)
		why = life_resume(&w.life, &w.rules, now, &w.out);
	else if (what == 9)
		why = life_drop_change(&w.life, now, &w.out);
	else if (what == 10 && w.life.n_invoices > 0)
		life_paid(&w.life, now, w.life.invoices[0].id, &w.out);
	else
		life_can_pay(&w.life, now, &w.out);
	if (why)
		w.life = before;
	else
		do_acts(now);
}

static void
history(uint64_t seed, int64_t step)
{
	static struct offer *const all[] = { &basic, &team, &team_year, &big, &seats,
		&seats_year, &seats_week, &free_plan };
	int64_t now = 1767225600, happens = now;
	uint64_t random = seed;

	begin_world();
	w.rules.spent = next_random(&random) % 3;
	w.rules.trial_cancels = next_random(&random) % 2;
	w.rules.due_s = next_random(&random) % 2 ? 3 * DAY : 0;
	if (next_random(&random) % 3 == 0 &&
	    !life_trial(&w.life, now, all[next_random(&random) % 8],
		(unsigned)(1 + next_random(&random) % 20), &w.out))
		do_acts(now);
	for (int i = 0; i < 16; i++) {
		happens += (int64_t)(next_random(&random) % (40 * DAY));
		while (now < happens) {
			now = now + step < happens ? now + step : happens;
			until(now);
		}
		happen(&random, happens, all);
	}
}

static void
small_steps_end_where_large_ones_do(void **state)
{
	static char large[NOTES];
	int64_t billed, credited;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		history(seed, 1000 * DAY);
		memcpy(large, w.notes, sizeof large);
		billed = w.billed;
		credited = w.credited;
		history(seed, 5 * HOUR);
		assert_string_equal(w.notes, large);
		assert_int_equal(w.billed, billed);
		assert_int_equal(w.credited, credited);
	}
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_steps_end_where_large_ones_do),
	};

	return cmocka_run_group_tests(tests, offers, NULL);
}
