/* Fields of messages that header fields hold, and what a contract says of header fields
 * beside them. The rules are those of real messages, some of whose fields are bound
 * here. (Over 400 lines: each case binds fields of the same two messages anew.) */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <auth_v1.trl.h>
#include <media_v1.trl.h>
#include <tenants_v1.trl.h>

#include "test_rig.h"

enum { FIELDS_MAX = 16 };

static struct trl_field in_fields[FIELDS_MAX], out_fields[FIELDS_MAX];
static struct trl_message in_rules, out_rules;
static const char *const answers[] = { "Cross-Origin-Resource-Policy", "cross-origin",
	"Tus-Resumable", "1.0.0", NULL };
static const char *const offers[] = { "Tus-Version", "1.0.0", "Tus-Extension",
	"creation", NULL };
static struct trl_method method = { .name = "test.v1.Test.Bound",
	.service = "test",
	.auth = TRL_AUTH_PUBLIC,
	.verb = TRL_PATCH,
	.path = "/api/v1/bound",
	.status = 204,
	.answers = answers,
	.offers = offers,
	.in = &in_rules,
	.out = &out_rules };
static struct edge_route route;

static struct trl_field *
field(struct trl_message *rules, struct trl_field *fields, const char *name)
{
	const ProtobufCFieldDescriptor *found =
	    protobuf_c_message_descriptor_get_field_by_name(rules->descriptor, name);

	assert_non_null(found);
	return &fields[found - rules->descriptor->fields];
}

static void
copy_rules(
    struct trl_message *rules, struct trl_field *fields, const struct trl_message *from)
{
	assert_true(from->descriptor->n_fields <= FIELDS_MAX);
	*rules = *from;
	memcpy(fields, from->fields, from->descriptor->n_fields * sizeof *fields);
	rules->fields = fields;
}

static void
bind(struct trl_message *rules, struct trl_field *fields, const char *name,
    const char *header)
{
	field(rules, fields, name)->header = header;
	field(rules, fields, name)->internal = true;
}

static int
make(void **state)
{
	if (rig_open(state) != 0)
		return -1;
	copy_rules(&in_rules, in_fields, &tenants_v1_list_members_request_rules);
	copy_rules(&out_rules, out_fields, &tenants_v1_tenant_rules);
	bind(&in_rules, in_fields, "page_size", "Upload-Offset");
	bind(&in_rules, in_fields, "page_token", "Upload-Metadata");
	field(&in_rules, in_fields, "page_size")->required = true;
	bind(&out_rules, out_fields, "version", "Upload-Offset");
	bind(&out_rules, out_fields, "slug", "Location");
	bind(&out_rules, out_fields, "status", "Upload-State");
	bind(&out_rules, out_fields, "delete_at", "Upload-Expires");
	bind(&out_rules, out_fields, "id", "Upload-Id");
	route = (struct edge_route){ .method = &method, .binds = true, .tells = true };
	edge_headers_learn(&rig.edge, &route);
	return 0;
}

static int
forget(void **state)
{
	free(route.fixed);
	return rig_close(state);
}

static Tenants__V1__ListMembersRequest *
ask(void)
{
	rig_ask("PATCH", "/api/v1/bound");
	rig.request.route = &route;
	rig.request.in =
	    (ProtobufCMessage *)tenants_v1_list_members_request_new(&rig.ctx);
	return (Tenants__V1__ListMembersRequest *)rig.request.in;
}

static void
a_request_has_what_its_headers_hold(void **state)
{
	Tenants__V1__ListMembersRequest *in = ask();

	(void)state;
	rig_header("upload-offset", "4096");
	rig_header("upload-metadata", "name Zg==");
	assert_int_equal(edge_bound_take(&rig.request), TRL_OK);
	assert_true(in->has_page_size);
	assert_int_equal(in->page_size, 4096);
	assert_string_equal(in->page_token, "name Zg==");
}

static void
a_header_has_its_form_or_is_refused(void **state)
{
	static const struct {
		const char *value, *says;
	} rows[] = { { NULL, "The header Upload-Offset is missing." },
		{ "-1", "The header Upload-Offset is out of range." },
		{ "1e3", "The header Upload-Offset should be a whole number." },
		{ "0x10", "The header Upload-Offset should be a whole number." },
		{ "", "The header Upload-Offset should be a whole number." },
		{ "99999999999999999999",
		    "The header Upload-Offset is out of range." } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		ask();
		if (rows[i].value)
			rig_header("upload-offset", rows[i].value);
		assert_int_equal(edge_bound_take(&rig.request), TRL_MALFORMED);
		assert_string_equal(rig.ctx.err.message, rows[i].says);
	}
	ask();
	rig_header("upload-offset", "1");
	rig_header("upload-offset", "1");
	assert_int_equal(edge_bound_take(&rig.request), TRL_MALFORMED);
	assert_string_equal(
	    rig.ctx.err.message, "The header Upload-Offset was sent twice.");
}

/* It is a matter of the method's, which says that it is too much: 413, 409. */
static void
a_count_that_no_number_holds_is_the_most(void **state)
{
	static const struct edge_route patch = { .method = &media_v1_patch_upload };
	static const struct {
		const char *value;
		uint64_t count; /* 0: 400 */
	} rows[] = { { "9007199254740991", (1ull << 53) - 1 },
		{ "9007199254740992", 1ull << 53 }, { "9007199254740993", 1ull << 53 },
		{ "9223372036854775808", 1ull << 53 },
		{ "18446744073709551616", 1ull << 53 },
		{ "99999999999999999999999999999999999999", 1ull << 53 },
		{ "-9223372036854775808", 0 }, { "+9007199254740993", 0 },
		{ "9007199254740993.0", 0 }, { "09007199254740993", 0 },
		{ "9007199254740993 ", 0 }, { "9,007,199,254,740,993", 0 },
		{ "1e300", 0 } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		Media__V1__PatchUploadRequest *in;

		ask();
		rig.request.route = &patch;
		in = media_v1_patch_upload_request_new(&rig.ctx);
		rig.request.in = &in->base;
		rig_header("upload-length", rows[i].value);
		assert_int_equal(edge_bound_take(&rig.request),
		    rows[i].count ? TRL_OK : TRL_MALFORMED);
		assert_int_equal(in->upload_length, rows[i].count);
	}
}

/* RFC 9110, 14.2: a HEAD that asks for a range is answered as one that does not. */
static void
ranges_are_asked_for_by_get_only(void **state)
{
	static const struct {
		const char *verb, *header, *wanted;
	} rows[] = { { "GET", "Range", "bytes=0-0" }, { "HEAD", "Range", NULL },
		{ "GET", "If-Range", "bytes=0-0" }, { "HEAD", "If-Range", NULL },
		{ "HEAD", "If-Match", "bytes=0-0" } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		Tenants__V1__ListMembersRequest *in = ask();
		char name[16] = "";

		bind(&in_rules, in_fields, "page_token", rows[i].header);
		rig.http.method = rows[i].verb;
		for (size_t k = 0; rows[i].header[k]; k++)
			name[k] = (char)tolower((unsigned char)rows[i].header[k]);
		rig_header("upload-offset", "1");
		rig_header(name, "bytes=0-0");
		assert_int_equal(edge_bound_take(&rig.request), TRL_OK);
		if (rows[i].wanted)
			assert_string_equal(in->page_token, rows[i].wanted);
		else
			assert_true(!in->page_token || !*in->page_token);
	}
	bind(&in_rules, in_fields, "page_token", "Upload-Metadata");
}

static void
lines_of_a_list_are_one(void **state)
{
	Tenants__V1__ListMembersRequest *in = ask();

	(void)state;
	bind(&in_rules, in_fields, "page_token", "If-None-Match");
	rig_header("upload-offset", "1");
	rig_header("if-none-match", "\"a\", \"b\"");
	rig_header("if-none-match", "W/\"c\"");
	assert_int_equal(edge_bound_take(&rig.request), TRL_OK);
	assert_string_equal(in->page_token, "\"a\", \"b\", W/\"c\"");
	in = ask();
	bind(&in_rules, in_fields, "page_token", "Content-Digest");
	rig_header("upload-offset", "1");
	rig_header("content-digest", "sha-256=:YQ==:");
	rig_header("content-digest", "sha-512=:Yg==:");
	assert_int_equal(edge_bound_take(&rig.request), TRL_OK);
	assert_string_equal(in->page_token, "sha-256=:YQ==:, sha-512=:Yg==:");
	bind(&in_rules, in_fields, "page_token", "Upload-Metadata");
}

static void
a_method_may_ask_by_which_verb_it_is_called(void **state)
{
	Tenants__V1__ListMembersRequest *in = ask();

	(void)state;
	bind(&in_rules, in_fields, "page_token", ":method");
	rig_header("upload-offset", "1");
	rig.http.method = "HEAD";
	assert_int_equal(edge_bound_take(&rig.request), TRL_OK);
	assert_string_equal(in->page_token, "HEAD");
	bind(&in_rules, in_fields, "page_token", "Upload-Metadata");
}

static void
a_reply_is_told_in_headers(void **state)
{
	const uint8_t id[16] = { 0x01, 0x99, 0x7d, 0x2e, 0x4c, 0x1a, 0x7b, 0x3f, 0x9a,
		0x52, 0x6f, 0x1e, 0x0c, 0x8d, 0x4b, 0x21 };
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Tenants__V1__Tenant *out;

	(void)state;
	ask();
	out = tenants_v1_tenant_new(&rig.ctx);
	trl_set(out, version, INT64_C(5368709120));
	out->slug = (char *)"/files/1";
	trl_set(out, status, TENANTS__V1__TENANT__STATUS__deleting);
	trl_set(
	    out, id, ((ProtobufCBinaryData){ sizeof id, (uint8_t *)(uintptr_t)id }));
	at.seconds = 784111777;
	out->delete_at = &at;
	rig.request.out = &out->base;
	assert_int_equal(edge_bound_tell(&rig.request), TRL_OK);
	assert_string_equal(rig_told("Upload-Offset"), "5368709120");
	assert_string_equal(rig_told("Location"), "/files/1");
	assert_string_equal(rig_told("Upload-State"), "deleting");
	assert_string_equal(
	    rig_told("Upload-Expires"), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(rig_told("Upload-Id"), RIG_ID);
	assert_string_equal(rig_told("Display-Name"), "");
}

static void
status_and_length_are_the_answers_own(void **state)
{
	static const int64_t no_statuses[] = { 0, 100, 199, 600, 65736, -200 };
	Tenants__V1__Tenant *out;

	(void)state;
	ask();
	bind(&out_rules, out_fields, "version", "Content-Length");
	out = tenants_v1_tenant_new(&rig.ctx);
	trl_set(out, version, INT64_C(4294967297));
	rig.request.out = &out->base;
	assert_int_equal(edge_bound_tell(&rig.request), TRL_OK);
	assert_true(rig.request.length == UINT64_C(4294967297));
	assert_string_equal(rig_told("Content-Length"), "");
	/* A service that errs makes no answer of it. */
	trl_set(out, version, -1);
	assert_int_equal(edge_bound_tell(&rig.request), TRL_INTERNAL);
	bind(&out_rules, out_fields, "version", ":status");
	for (size_t i = 0; i < TRL_COUNT(no_statuses); i++) {
		trl_err_clear(&rig.ctx);
		trl_set(out, version, no_statuses[i]);
		assert_int_equal(edge_bound_tell(&rig.request), TRL_INTERNAL);
	}
	trl_set(out, version, 206);
	assert_int_equal(edge_bound_tell(&rig.request), TRL_OK);
	assert_int_equal(rig.request.response.status, 206);
	bind(&out_rules, out_fields, "version", ":permission");
	assert_int_equal(edge_bound_tell(&rig.request), TRL_OK);
	assert_int_equal(rig.request.permission, 206);
	assert_string_equal(rig_told(":permission"), "");
	bind(&out_rules, out_fields, "version", "Upload-Offset");
}

static void
a_contracts_own_lines_take_the_place_of_the_usual(void **state)
{
	const char *fixed;

	(void)state;
	ask();
	edge_headers(&rig.request);
	fixed = rig.request.response.fixed;
	assert_int_equal(rig.request.response.fixed_len, strlen(fixed));
	assert_non_null(strstr(fixed, "X-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(fixed, "Tus-Resumable: 1.0.0\r\n"));
	assert_non_null(
	    strstr(fixed, "Cross-Origin-Resource-Policy: cross-origin\r\n"));
	assert_null(strstr(fixed, "Cross-Origin-Resource-Policy: same-origin"));
}

/* What a reply depends on is its own to say: a cache would otherwise keep one copy for
 * each encoding of bytes that have none. */
static void
a_reply_that_tells_what_it_varies_by_has_no_other_line(void **state)
{
	struct edge_route varying = { .method = &method };

	(void)state;
	bind(&out_rules, out_fields, "slug", "Vary");
	edge_headers_learn(&rig.edge, &varying);
	bind(&out_rules, out_fields, "slug", "Location");
	ask();
	rig.request.route = &varying;
	edge_headers(&rig.request);
	assert_null(strstr(rig.request.response.fixed, "Vary"));
	assert_non_null(strstr(rig.request.response.fixed, "nosniff"));
	free(varying.fixed);
}

/* What is signed byte for byte has one spelling. */
static void
an_exact_path_has_no_query_and_nothing_encoded(void **state)
{
	static const struct {
		const char *target;
		bool is_there;
	} rows[] = { { "/api/v1/me", true }, { "/api/v1/me?", false },
		{ "/api/v1/me?a=b", false }, { "/api/v1/m%65", false } };
	struct trl_method exact;
	struct edge_route *there;

	(void)state;
	rig_ask("GET", "/api/v1/me");
	rig_route();
	there = &rig.edge.routes[rig.request.route - rig.edge.routes];
	exact = *there->method;
	exact.exact = true;
	there->method = &exact;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		rig_ask("GET", rows[i].target);
		assert_int_equal(edge_route(&rig.request),
		    rows[i].is_there ? TRL_OK : TRL_NOT_FOUND);
		assert_int_equal(rig.request.status, 0);
	}
	there->method = &auth_v1_get_me;
}

static void
pages_of_other_origins_may_send_and_read_what_is_bound(void **state)
{
	const char *sent, *read;

	(void)state;
	ask();
	rig.request.origin = "https://app.example";
	rig_header("access-control-request-method", "PATCH");
	edge_preflight(&rig.request, "PATCH");
	sent = rig_told("Access-Control-Allow-Headers");
	read = rig_told("Access-Control-Expose-Headers");
	assert_non_null(strstr(sent, ", Upload-Offset"));
	assert_non_null(strstr(sent, ", Upload-Metadata"));
	assert_non_null(strstr(sent, "Authorization"));
	assert_non_null(strstr(read, "Upload-Offset"));
	assert_non_null(strstr(read, "Tus-Resumable"));
	assert_non_null(strstr(read, "Tus-Version"));
	assert_non_null(strstr(read, "Tus-Extension"));
	assert_null(strstr(strstr(read, "Location") + 1, "Location")); /* once */
	edge_offer(&rig.request, offers);
	edge_offer(&rig.request, offers);
	assert_string_equal(rig_told("Tus-Version"), "1.0.0");
}

static void
a_post_may_be_meant_as_another_verb(void **state)
{
	static const char me[] = "/api/v1/me";

	(void)state;
	rig_ask("POST", me);
	rig_header("x-http-method-override", "PATCH");
	rig_route();
	assert_string_equal(rig.request.route->method->name, "auth.v1.Auth.UpdateMe");
	assert_string_equal(rig.http.method, "PATCH");
	/* A HEAD that was a POST would be answered with a body. */
	rig_ask("POST", me);
	rig_header("x-http-method-override", "HEAD");
	assert_int_equal(edge_route(&rig.request), TRL_MALFORMED);
	assert_int_equal(rig.request.status, 405);
	rig_ask("POST", me);
	rig_header("x-http-method-override", "HEAD"); /* without its bytes */
	rig.http.path = "/api/v1/files/" RIG_ID "/content";
	rig_route();
	assert_string_equal(
	    rig.request.route->method->name, "media.v1.Media.GetContent");
	rig_ask("POST", me);
	rig_header("x-http-method-override", "GET");
	assert_int_equal(edge_route(&rig.request), TRL_MALFORMED);
	assert_int_equal(rig.request.status, 0);
	rig_ask("POST", me);
	rig_header("x-http-method-override", "patch");
	assert_int_equal(edge_route(&rig.request), TRL_MALFORMED);
	/* Of no other verb. */
	rig_ask("GET", me);
	rig_header("x-http-method-override", "PATCH");
	rig_route();
	assert_string_equal(rig.request.route->method->name, "auth.v1.Auth.GetMe");
}

static void
a_range_that_is_not_there_says_how_much_there_is(void **state)
{
	(void)state;
	ask();
	trl_err_quota(&rig.ctx, "", "", 10, 0);
	edge_problem(
	    &rig.request, trl_fail(&rig.ctx, TRL_RANGE, "The file has 10 bytes."));
	assert_int_equal(rig.request.response.status, 416);
	assert_string_equal(rig_told("Content-Range"), "bytes */10");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_what_its_headers_hold),
		cmocka_unit_test(a_header_has_its_form_or_is_refused),
		cmocka_unit_test(a_count_that_no_number_holds_is_the_most),
		cmocka_unit_test(ranges_are_asked_for_by_get_only),
		cmocka_unit_test(lines_of_a_list_are_one),
		cmocka_unit_test(a_method_may_ask_by_which_verb_it_is_called),
		cmocka_unit_test(
		    a_reply_that_tells_what_it_varies_by_has_no_other_line),
		cmocka_unit_test(an_exact_path_has_no_query_and_nothing_encoded),
		cmocka_unit_test(a_reply_is_told_in_headers),
		cmocka_unit_test(status_and_length_are_the_answers_own),
		cmocka_unit_test(a_contracts_own_lines_take_the_place_of_the_usual),
		cmocka_unit_test(
		    pages_of_other_origins_may_send_and_read_what_is_bound),
		cmocka_unit_test(a_post_may_be_meant_as_another_verb),
		cmocka_unit_test(a_range_that_is_not_there_says_how_much_there_is),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
