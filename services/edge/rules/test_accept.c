/* What a client takes: types by weight and closeness, gzip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_rig.h"

struct row {
	const char *lines[3];
	bool taken;
};

static void
check(const char *header, const struct row *rows, size_t n, const char *type)
{
	for (size_t i = 0; i < n; i++) {
		bool taken;

		rig_ask("GET", "/api/v1/me");
		for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
			rig_header(header, rows[i].lines[k]);
		taken = type ? edge_accepts_answer(&rig.http, type)
			     : edge_accepts_gzip(&rig.http);
		if (taken != rows[i].taken)
			fail_msg("%s: %s (row %zu)", header,
			    rows[i].lines[0] ? rows[i].lines[0] : "-", i);
	}
}

static void
json_is_sent_where_the_closest_range_takes_it(void **state)
{
	static const struct row rows[] = { { { 0 }, true }, { { "" }, true },
		{ { "*/*" }, true }, { { "application/*" }, true },
		{ { "APPLICATION/JSON" }, true },
		{ { "application/json;q=0.5" }, true },
		{ { "application/json;charset=utf-8;q=0.001" }, true },
		{ { "text/html, image/png;q=0.9, */*;q=0.1" }, true },
		{ { "image/png", "application/json" }, true },
		{ { "application/problem+json" }, true },
		{ { "*/*;q=0, application/json" }, true },
		{ { "application/*;q=0 , application/json;q=1" }, true },
		{ { "application/json, */*;q=0" }, true }, { { "image/png" }, false },
		{ { "application/json;q=0" }, false },
		{ { "application/json;q=0, */*" }, false },
		{ { "application/json ; Q=0.000" }, false },
		{ { "*/*", "application/json;q=0" }, false },
		{ { "*/*, application/*;q=0" }, false }, { { "*/*;q=0" }, false },
		{ { "application/jso" }, false }, { { "application/jsonx" }, false },
		{ { "applicatio/*" }, false }, { { "text/*" }, false },
		{ { "text/event-stream" }, false },
		{ { "application/problem+json;q=0" }, false } };

	(void)state;
	check("accept", rows, TRL_COUNT(rows), "application/json");
}

static void
a_stream_is_sent_where_its_type_is_taken(void **state)
{
	static const struct row rows[] = { { { 0 }, true }, { { "*/*" }, true },
		{ { "text/event-stream" }, true }, { { "text/*;q=0.2" }, true },
		{ { "application/json" }, true }, { { "text/html" }, false },
		{ { "text/event-stream;q=0" }, false },
		{ { "*/*, text/event-stream;q=0" }, false } };

	(void)state;
	check("accept", rows, TRL_COUNT(rows), "text/event-stream");
}

static void
a_file_is_sent_where_its_type_is_taken(void **state)
{
	static const struct row rows[] = { { { 0 }, true }, { { "*/*" }, true },
		{ { "application/pdf" }, true }, { { "application/*" }, true },
		{ { "application/json" }, true }, { { "text/html" }, false },
		{ { "application/pdf;q=0, text/html" }, false },
		{ { "image/*" }, false } };

	(void)state;
	check("accept", rows, TRL_COUNT(rows), "application/pdf");
}

static void
gzip_is_sent_where_it_is_named_and_not_refused(void **state)
{
	static const struct row rows[] = { { { 0 }, false }, { { "" }, false },
		{ { "gzip" }, true }, { { "GZIP" }, true },
		{ { "br, gzip;q=0.5, *;q=0" }, true }, { { "deflate", "gzip" }, true },
		{ { "gzip;q=1.000" }, true }, { { "br" }, false },
		{ { "identity" }, false }, { { "gzip;q=0" }, false },
		{ { "gzip; q=0.0" }, false }, { { "xgzip" }, false },
		{ { "gzipx" }, false }, { { "x;gzip" }, false } };

	(void)state;
	check("accept-encoding", rows, TRL_COUNT(rows), NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_sent_where_the_closest_range_takes_it),
		cmocka_unit_test(a_stream_is_sent_where_its_type_is_taken),
		cmocka_unit_test(a_file_is_sent_where_its_type_is_taken),
		cmocka_unit_test(gzip_is_sent_where_it_is_named_and_not_refused),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
