/* Path, query and the head of a body become a message, or are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <notify_v1.trl.h>
#include <tenants_v1.trl.h>

#include "test_rig.h"

#define NIL "00000000-0000-0000-0000-000000000000"
#define MEMBERS "/api/v1/tenants/" RIG_ID "/members"

static enum trl_code
decode(const char *method, const char *target)
{
	rig_ask(method, target);
	rig_route();
	return edge_decode(&rig.request);
}

static void
path_and_query_become_the_message(void **state)
{
	const Tenants__V1__ListMembersRequest *in;
	char id[TRL_ID_TEXT];
	struct trl_id tenant;

	(void)state;
	assert_int_equal(
	    decode("GET", MEMBERS "?page_size=7&&page_token=a%2Db_%63&"), TRL_OK);
	in = (const void *)rig.request.in;
	assert_ptr_equal(
	    in->base.descriptor, &tenants__v1__list_members_request__descriptor);
	assert_int_equal(in->tenant_id.len, sizeof tenant.bytes);
	memcpy(tenant.bytes, in->tenant_id.data, sizeof tenant.bytes);
	trl_id_format(tenant, id);
	assert_string_equal(id, RIG_ID);
	assert_true(in->has_page_size && in->page_size == 7);
	assert_string_equal(in->page_token, "a-b_c");
}

static void
what_is_no_id_is_no_resource(void **state)
{
	(void)state;
	assert_int_equal(decode("GET", "/api/v1/tenants/7"), TRL_NOT_FOUND);
	assert_int_equal(
	    decode("DELETE", MEMBERS "/01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b2"),
	    TRL_NOT_FOUND);
	assert_string_equal(rig.ctx.err.message, "There is nothing at this path.");
	assert_int_equal(decode("GET", "/api/v1/tenants/" NIL), TRL_NOT_FOUND);
	assert_int_equal(
	    decode("GET", "/api/v1/notifications?tenant_id=" NIL), TRL_INVALID);
	assert_string_equal(rig.ctx.err.violations[0].pointer, "/tenant_id");
}

static void
a_query_beyond_the_contract_is_refused(void **state)
{
	static const struct {
		const char *query;
		enum trl_code rc;
	} rows[] = { { "?page_size=0", TRL_INVALID }, { "?page_size=101", TRL_INVALID },
		{ "?page_size=x", TRL_INVALID }, { "?page_size=", TRL_INVALID },
		{ "?page_size=-1", TRL_INVALID }, { "?page_size=1.0", TRL_INVALID },
		{ "?page_size=4294967296", TRL_INVALID },
		{ "?page_size=5&page_size=5", TRL_MALFORMED },
		{ "?page%5Fsize=5&page_size=5", TRL_MALFORMED },
		{ "?Page_size=5", TRL_MALFORMED }, { "?sort=name", TRL_MALFORMED },
		{ "?tenant_id=" RIG_ID, TRL_MALFORMED }, { "?=5", TRL_MALFORMED },
		{ "?page_token=%ff", TRL_MALFORMED },
		{ "?page_token=%", TRL_MALFORMED }, { "?page_token=a+b", TRL_INVALID },
		{ "?%", TRL_MALFORMED } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		char target[160] = MEMBERS;
		enum trl_code rc;

		strcat(target, rows[i].query);
		rc = decode("GET", target);
		if (rc != rows[i].rc)
			fail_msg("%s: %s", rows[i].query, trl_code_name(rc));
	}
	assert_int_equal(decode("GET", MEMBERS "?sort=name"), TRL_MALFORMED);
	assert_int_equal(rig.ctx.err.n_violations, 1);
	assert_string_equal(rig.ctx.err.violations[0].pointer, "/sort");
	assert_int_equal(decode("GET", MEMBERS "?tenant_id=" RIG_ID), TRL_MALFORMED);
	assert_string_equal(rig.ctx.err.violations[0].detail, "is given twice");
	assert_int_equal(decode("POST", "/api/v1/tenants?slug=acme"), TRL_MALFORMED);
	assert_string_equal(rig.ctx.err.violations[0].pointer, "/slug");
	/* All of it, and escaped, as of a body. */
	assert_int_equal(
	    decode("GET", MEMBERS "?a%2Fb~=1&page_size=x&c"), TRL_MALFORMED);
	assert_int_equal(rig.ctx.err.n_violations, 3);
	assert_string_equal(rig.ctx.err.violations[0].pointer, "/a~1b~0");
	assert_string_equal(rig.ctx.err.violations[1].pointer, "/page_size");
	assert_string_equal(rig.ctx.err.violations[2].pointer, "/c");
	assert_string_equal(rig.ctx.err.message, "3 fields are not acceptable.");
}

struct row {
	const char *method, *path, *type, *coding;
	int64_t length; /* -1: none, -2: chunks */
	enum trl_code rc;
	uint16_t status;
};

static void
a_body_that_cannot_be_read_is_refused_by_its_head(void **state)
{
	static const char json[] = "application/json", me[] = "/api/v1/me";
	static const struct row rows[] = {
		{ "PATCH", me, json, NULL, -1, TRL_MALFORMED, 411 },
		{ "PATCH", me, json, NULL, 0, TRL_MALFORMED, 0 },
		{ "PATCH", me, NULL, NULL, 2, TRL_MALFORMED, 415 },
		{ "PATCH", me, "text/plain", NULL, 2, TRL_MALFORMED, 415 },
		{ "PATCH", me, "application/jsonx", NULL, 2, TRL_MALFORMED, 415 },
		{ "PATCH", me, "application/json; charset=latin1", NULL, 2,
		    TRL_MALFORMED, 415 },
		{ "PATCH", me, json, "gzip", 2, TRL_MALFORMED, 415 },
		{ "PATCH", me, json, "gzip", -2, TRL_MALFORMED, 415 },
		{ "POST", "/api/v1/tenants", "application/merge-patch+json", NULL, 2,
		    TRL_MALFORMED, 415 },
		{ "POST", "/api/v1/tenants", "application/x-www-form-urlencoded", NULL,
		    2, TRL_MALFORMED, 415 },
		{ "GET", me, json, NULL, 2, TRL_MALFORMED, 400 },
		{ "DELETE", "/api/v1/tenants/" RIG_ID, json, NULL, -2, TRL_MALFORMED,
		    400 },
		/* none is wanted and none is there */
		{ "GET", me, NULL, NULL, 0, TRL_OK, 0 },
		{ "DELETE", "/api/v1/tenants/" RIG_ID, NULL, NULL, -1, TRL_OK, 0 },
		{ "POST", "/api/v1/tenants/" RIG_ID "/restore", NULL, NULL, -1, TRL_OK,
		    0 },
		{ "POST", "/api/v1/tenants/" RIG_ID "/restore", "text/plain", NULL, 0,
		    TRL_OK, 0 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		enum trl_code rc;

		rig_ask(rows[i].method, rows[i].path);
		if (rows[i].type)
			rig_header("content-type", rows[i].type);
		if (rows[i].coding)
			rig_header("content-encoding", rows[i].coding);
		if (rows[i].length >= 0)
			rig_header("content-length", "as said");
		rig.http.has_body = rows[i].length > 0 || rows[i].length == -2;
		rig.http.content_length =
		    rows[i].length == -2
			? UINT64_MAX
			: (uint64_t)(rows[i].length > 0 ? rows[i].length : 0);
		rig_route();
		rc = edge_decode(&rig.request);
		if (rc != rows[i].rc || rig.request.status != rows[i].status)
			fail_msg("row %zu: %s, %u (%s)", i, trl_code_name(rc),
			    rig.request.status, rig.ctx.err.message);
	}
}

/* Of a body that may be absent, what clients say of none means nothing: the type that
 * their library puts everywhere, a length of 0, or none. */
static void
a_body_that_may_be_absent_may_be_of_any_type_then(void **state)
{
	static const char *const types[] = { NULL, "application/json",
		"application/offset+octet-stream", "text/plain" };

	(void)state;
	for (size_t i = 0; i < 3 * TRL_COUNT(types); i++) {
		const bool has_bytes = i / TRL_COUNT(types) == 2;
		const char *type = types[i % TRL_COUNT(types)];
		enum trl_code rc;

		rig_ask("POST", "/api/v1/uploads");
		rig_header("tus-resumable", "1.0.0");
		if (type)
			rig_header("content-type", type);
		if (i / TRL_COUNT(types) > 0)
			rig_header("content-length", has_bytes ? "4" : "0");
		rig.http.has_body = has_bytes;
		rig.http.content_length = has_bytes ? 4 : 0;
		rig_route();
		rc = edge_decode(&rig.request);
		if ((rc == TRL_OK) != (!has_bytes || i % TRL_COUNT(types) == 2))
			fail_msg("row %zu: %s, %u", i, trl_code_name(rc),
			    rig.request.status);
	}
}

/* No body, a body of another type, a field that is none, a path that is none: nothing
 * of it is looked at. */
static void
another_version_of_a_protocol_is_refused_before_all_else(void **state)
{
	static const char *const methods[] = { "HEAD", "PATCH", "DELETE" };
	static const char *const versions[] = { NULL, "0.2.2", "1.0.0 ", "1.0", "" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(methods) * TRL_COUNT(versions); i++) {
		const char *version = versions[i / TRL_COUNT(methods)];

		rig_ask(methods[i % TRL_COUNT(methods)], "/api/v1/uploads/7");
		rig_header("content-type", "text/plain");
		rig_header("upload-offset", "-1");
		if (version)
			rig_header("tus-resumable", version);
		rig_route();
		assert_int_equal(edge_decode(&rig.request), TRL_MALFORMED);
		assert_int_equal(rig.request.status, 412);
		assert_string_equal(rig.ctx.err.message,
		    "No other version is supported: send Tus-Resumable: 1.0.0.");
	}
	rig_ask("PATCH", "/api/v1/uploads/" RIG_ID);
	rig_header("tus-resumable", "1.0.0");
	rig_header("upload-offset", "0");
	rig_route();
	assert_int_equal(edge_decode(&rig.request), TRL_MALFORMED);
	assert_int_equal(rig.request.status, 411);
}

/* Browsers' libraries that cut a file into requests say so; kept as it comes, each of
 * them would be a file. */
static void
a_part_of_a_body_is_not_taken_for_all_of_it(void **state)
{
	static const struct {
		const char *method, *path, *type;
	} rows[] = {
		{ "POST", "/api/v1/files", "text/plain" },
		{ "POST", "/api/v1/files", "multipart/form-data; boundary=a" },
		{ "POST", "/api/v1/uploads", "application/offset+octet-stream" },
		{ "PATCH", "/api/v1/uploads/" RIG_ID,
		    "application/offset+octet-stream" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * TRL_COUNT(rows); i++) {
		const bool is_part = i % 2;

		rig_ask(rows[i / 2].method, rows[i / 2].path);
		rig_header("tus-resumable", "1.0.0");
		rig_header("upload-offset", "0");
		rig_header("content-type", rows[i / 2].type);
		rig_header("content-length", "4");
		if (is_part)
			rig_header("content-range", "bytes 0-3/9");
		rig.http.has_body = true;
		rig.http.content_length = 4;
		rig_route();
		assert_int_equal(
		    edge_decode(&rig.request), is_part ? TRL_MALFORMED : TRL_OK);
		assert_int_equal(rig.request.status, 0); /* that of the code: 400 */
		if (is_part)
			assert_string_equal(rig.ctx.err.message,
			    "A body is taken as a whole: send none with a "
			    "Content-Range.");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_and_query_become_the_message),
		cmocka_unit_test(what_is_no_id_is_no_resource),
		cmocka_unit_test(a_query_beyond_the_contract_is_refused),
		cmocka_unit_test(a_body_that_cannot_be_read_is_refused_by_its_head),
		cmocka_unit_test(a_body_that_may_be_absent_may_be_of_any_type_then),
		cmocka_unit_test(a_part_of_a_body_is_not_taken_for_all_of_it),
		cmocka_unit_test(
		    another_version_of_a_protocol_is_refused_before_all_else),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
