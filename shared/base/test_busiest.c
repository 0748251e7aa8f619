/* test_busiest.c - whoever makes much of the load is found, among however many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/busiest.h>

static const uint64_t minute_us = UINT64_C(60000000);
static uint64_t now_us = UINT64_C(1000) * 60000000;

static struct trl_id
tenant(uint32_t n)
{
	struct trl_id id = { { 1 } };

	n = n * 2654435761u + 1;
	memcpy(id.bytes + 12, &n, sizeof n);
	return id;
}

/* A fresh sketch: both windows have gone by. */
static int
later(void **state)
{
	(void)state;
	now_us += 60 * minute_us;
	return 0;
}

static void
calls(uint32_t n, unsigned times)
{
	while (times-- > 0)
		trl_busiest_count(tenant(n), TRL_BUSY_CALL, false, 1000, now_us);
}

static void
figures_of_a_few_tenants_are_exact(void **state)
{
	struct trl_busy_tenant top[TRL_BUSIEST];

	(void)state;
	calls(1, 3);
	calls(2, 7);
	trl_busiest_count(tenant(2), TRL_BUSY_CALL, true, 500, now_us);
	trl_busiest_count(tenant(1), TRL_BUSY_REQUEST, true, 9000, now_us);
	trl_busiest_count(trl_id_nil, TRL_BUSY_REQUEST, true, 1, now_us);
	assert_int_equal(trl_busiest_top(top, TRL_BUSIEST, now_us), 2);
	assert_true(trl_id_eq(top[0].tenant, tenant(2)));
	assert_int_equal(top[0].count, 8);
	assert_int_equal(top[0].over, 0);
	assert_int_equal(top[0].n[TRL_BUSY_CALL], 8);
	assert_int_equal(top[0].failed[TRL_BUSY_CALL], 1);
	assert_int_equal(top[0].call_us, 7500);
	assert_int_equal(top[1].n[TRL_BUSY_REQUEST], 1);
	assert_int_equal(top[1].failed[TRL_BUSY_REQUEST], 1);
	/* What a request takes is in its calls already. */
	assert_int_equal(top[1].call_us, 3000);
	assert_int_equal(trl_busiest_top(top, 1, now_us), 1);
}

static void
the_busy_ones_are_found_among_ten_thousand(void **state)
{
	struct trl_busy_tenant top[TRL_BUSIEST];
	unsigned found = 0;

	(void)state;
	/* 20 of 100 each among 10,000 of one: 12,000 in all, a 256th is 47. */
	for (uint32_t i = 0; i < 10000; i++) {
		calls(1000 + i, 1);
		if (i % 100 == 0)
			for (uint32_t big = 0; big < 20; big++)
				calls(big, 1);
	}
	assert_int_equal(trl_busiest_top(top, TRL_BUSIEST, now_us), TRL_BUSIEST);
	for (unsigned i = 0; i < TRL_BUSIEST; i++) {
		for (uint32_t big = 0; big < 20; big++)
			if (trl_id_eq(top[i].tenant, tenant(big))) {
				found++;
				/* Space-Saving's promise: never too few, and too many
				 * by no more than it says. */
				assert_true(top[i].count >= 100);
				assert_true(top[i].count - top[i].over <= 100);
			}
		assert_true(top[i].n[TRL_BUSY_CALL] <= 100);
	}
	assert_int_equal(found, 20);
}

static void
what_is_long_ago_is_forgotten(void **state)
{
	struct trl_busy_tenant top[TRL_BUSIEST];

	(void)state;
	calls(1, 5);
	now_us += 9 * minute_us;
	calls(1, 2);
	calls(2, 1);
	now_us += 2 * minute_us; /* of the window before, and the one that runs */
	calls(1, 1);
	assert_int_equal(trl_busiest_top(top, TRL_BUSIEST, now_us), 2);
	assert_int_equal(top[0].n[TRL_BUSY_CALL], 8);
	now_us += 9 * minute_us;
	assert_int_equal(trl_busiest_top(top, TRL_BUSIEST, now_us), 1);
	assert_int_equal(top[0].n[TRL_BUSY_CALL], 1);
	now_us += 10 * minute_us;
	assert_int_equal(trl_busiest_top(top, TRL_BUSIEST, now_us), 0);
}

static void
the_page_names_them_with_each_figure(void **state)
{
	struct trl_buf text = { 0 };
	char id[TRL_ID_TEXT], line[100] = "\ntrellis_tenant_calls{tenant=\"";

	(void)state;
	calls(7, 4);
	trl_busiest_render(&text, now_us);
	trl_buf_add(&text, "", 1);
	trl_id_format(tenant(7), id);
	strcat(strcat(line, id), "\"} 4\n");
	assert_non_null(strstr((char *)text.data, line));
	assert_non_null(strstr((char *)text.data, "trellis_tenant_seconds{"));
	assert_non_null(strstr((char *)text.data, "\"} 0.004\n"));
	trl_buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(figures_of_a_few_tenants_are_exact, later),
		cmocka_unit_test_setup(
		    the_busy_ones_are_found_among_ten_thousand, later),
		cmocka_unit_test_setup(what_is_long_ago_is_forgotten, later),
		cmocka_unit_test_setup(the_page_names_them_with_each_figure, later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
