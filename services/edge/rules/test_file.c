/* How a file is named: for every client, and as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_rig.h"

static void
a_file_has_a_name_that_harms_nobody(void **state)
{
	static const struct {
		const char *name, *wanted;
	} rows[] = {
		{ "INV-000042.pdf", "attachment; filename=\"INV-000042.pdf\"" },
		{ "2026/7.pdf", "attachment; filename=\"2026_7.pdf\"; "
				"filename*=UTF-8''2026%2F7.pdf" },
		{ "../x\"\r\ny.pdf", "attachment; filename=\"_._x___y.pdf\"; "
				     "filename*=UTF-8''..%2Fx%22%0D%0Ay.pdf" },
		{ ".pdf", "attachment; filename=\"_pdf\"; filename*=UTF-8''.pdf" },
		{ "\xc3\x96.pdf",
		    "attachment; filename=\"__.pdf\"; filename*=UTF-8''%C3%96.pdf" },
	};

	(void)state;
	rig_ask("GET", "/api/v1/me");
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		assert_string_equal(
		    edge_disposition(rig.ctx.arena, rows[i].name), rows[i].wanted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_a_name_that_harms_nobody),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
