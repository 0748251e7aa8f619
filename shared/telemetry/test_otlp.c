/* Spans in OpenTelemetry's words, read back as a collector would, and what a collector
 * says. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <trl/buf.h>

#include "otlp.h"
#include "otlp.pb-c.h"
#include "test_arena.h"

static const struct otlp_resource process = { "trellis", "1.2.3", "an-instance" };

static Otlp__ExportRequest *
encode(const struct trl_span_record *spans, size_t n)
{
	const uint8_t *data;
	size_t len;
	Otlp__ExportRequest *got;

	otlp_encode(arena, &process, spans, n, &data, &len);
	got = otlp__export_request__unpack(trl_arena_protobuf(arena), len, data);
	assert_non_null(got);
	return got;
}

static Otlp__Span *
encode_one(struct trl_span_record span)
{
	Otlp__ExportRequest *got;

	memset(span.trace_id, 0xab, sizeof span.trace_id);
	memset(span.span_id, 0xcd, sizeof span.span_id);
	span.service = "auth";
	span.began_us = 1000000;
	span.took_us = 250;
	got = encode(&span, 1);
	assert_int_equal(got->n_resource_spans, 1);
	assert_int_equal(got->resource_spans[0]->n_scope_spans, 1);
	assert_int_equal(got->resource_spans[0]->scope_spans[0]->n_spans, 1);
	return got->resource_spans[0]->scope_spans[0]->spans[0];
}

/* "key=value key=value", in order. */
static const char *
attributes_of(Otlp__KeyValue *const *attributes, size_t n)
{
	char *text = trl_arena_strdup(arena, "");

	for (size_t i = 0; i < n; i++) {
		const Otlp__Value *value = attributes[i]->value;

		text = value->text != NULL
			   ? trl_arena_printf(arena, "%s%s%s=%s", text, i ? " " : "",
				 attributes[i]->key, value->text)
			   : trl_arena_printf(arena, "%s%s%s=%lld", text, i ? " " : "",
				 attributes[i]->key, (long long)value->number);
	}
	return text;
}

/* Over 60 lines: a row a kind. */
static void
each_kind_of_span_has_its_names(void **state)
{
	enum { INTERNAL = 1, SERVER, CLIENT, PRODUCER, CONSUMER };
	static const struct {
		struct trl_span_record span;
		int kind;
		bool failed;
		const char *name, *attributes;
	} rows[] = {
		{ { .what = TRL_SPAN_REQUEST,
		      .name = "GET",
		      .of = "/api/v1/t/{id}",
		      .text = "/api/v1/t/1",
		      .number = 200 },
		    SERVER, false, "GET /api/v1/t/{id}",
		    "http.request.method=GET http.route=/api/v1/t/{id} "
		    "url.path=/api/v1/t/1 http.response.status_code=200" },
		/* The client's mistake is no failure of the server; of no route there
		 * is nothing to say. */
		{ { .what = TRL_SPAN_REQUEST,
		      .name = "_OTHER",
		      .number = 404,
		      .code = TRL_NOT_FOUND },
		    SERVER, false, "_OTHER",
		    "http.request.method=_OTHER http.response.status_code=404" },
		{ { .what = TRL_SPAN_REQUEST,
		      .name = "GET",
		      .number = 503,
		      .code = TRL_BUSY },
		    SERVER, true, "GET",
		    "http.request.method=GET http.response.status_code=503 "
		    "error.type=503" },
		{ { .what = TRL_SPAN_CALL,
		      .name = "auth.v1.Auth.LogIn",
		      .of = "auth",
		      .code = TRL_UNAVAILABLE },
		    CLIENT, true, "auth.v1.Auth/LogIn",
		    "rpc.system.name=trellis rpc.method=auth.v1.Auth/LogIn "
		    "rpc.response.status_code=UNAVAILABLE server.address=auth "
		    "error.type=UNAVAILABLE" },
		{ { .what = TRL_SPAN_SERVED,
		      .name = "auth.v1.Auth.LogIn",
		      .code = TRL_UNAUTHENTICATED },
		    SERVER, false, "auth.v1.Auth/LogIn",
		    "rpc.system.name=trellis rpc.method=auth.v1.Auth/LogIn "
		    "rpc.response.status_code=UNAUTHENTICATED" },
		{ { .what = TRL_SPAN_SQL, .name = "auth_account_insert", .number = 3 },
		    CLIENT, false, "auth_account_insert",
		    "db.system.name=postgresql db.query.summary=auth_account_insert "
		    "db.operation.name=auth_account_insert db.operation.batch.size=3" },
		{ { .what = TRL_SPAN_REDIS,
		      .name = "GET",
		      .number = 1,
		      .code = TRL_UNAVAILABLE },
		    CLIENT, true, "GET",
		    "db.system.name=redis db.query.summary=GET db.operation.name=GET "
		    "error.type=UNAVAILABLE" },
		{ { .what = TRL_SPAN_HTTP,
		      .name = "POST",
		      .text = "hook.example",
		      .number = 410 },
		    CLIENT, true, "POST",
		    "http.request.method=POST server.address=hook.example "
		    "http.response.status_code=410 error.type=410" },
		{ { .what = TRL_SPAN_HTTP,
		      .name = "POST",
		      .text = "hook.example",
		      .code = TRL_DENIED },
		    CLIENT, true, "POST",
		    "http.request.method=POST server.address=hook.example "
		    "error.type=DENIED" },
		{ { .what = TRL_SPAN_MAIL, .text = "mail.example", .number = 250 },
		    CLIENT, false, "send mail",
		    "network.protocol.name=smtp server.address=mail.example "
		    "smtp.response.status_code=250" },
		{ { .what = TRL_SPAN_OFFLOAD, .name = "argon2" }, INTERNAL, false,
		    "argon2", "" },
		{ { .what = TRL_SPAN_JOB,
		      .name = "notify.mail",
		      .text = "an-id",
		      .code = TRL_CONFLICT },
		    CONSUMER, true, "process notify.mail",
		    "messaging.system=trellis messaging.operation.type=process "
		    "messaging.operation.name=process "
		    "messaging.destination.name=notify.mail messaging.message.id=an-id "
		    "error.type=CONFLICT" },
		{ { .what = TRL_SPAN_EVENT,
		      .name = "mails",
		      .text = "auth.account.created" },
		    CONSUMER, false, "process auth.account.created",
		    "messaging.system=trellis messaging.operation.type=process "
		    "messaging.operation.name=process "
		    "messaging.destination.name=auth.account.created "
		    "messaging.consumer.group.name=mails" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const Otlp__Span *got = encode_one(rows[i].span);

		assert_string_equal(got->name, rows[i].name);
		assert_int_equal(got->kind, rows[i].kind);
		assert_string_equal(attributes_of(got->attributes, got->n_attributes),
		    rows[i].attributes);
		assert_int_equal(got->status != NULL, rows[i].failed);
		if (got->status != NULL)
			assert_int_equal(got->status->code, OTLP__STATUS__CODE__ERROR);
	}
}

static void
a_span_has_its_ids_and_times(void **state)
{
	struct trl_span_record span = { .what = TRL_SPAN_OFFLOAD, .name = "x" };
	const Otlp__Span *got = encode_one(span);

	(void)state;
	assert_int_equal(got->trace_id.len, 16);
	assert_int_equal(got->trace_id.data[15], 0xab);
	assert_int_equal(got->span_id.len, 8);
	assert_int_equal(got->span_id.data[7], 0xcd);
	assert_false(got->has_parent_span_id);
	assert_int_equal(got->n_links, 0);
	assert_true(got->start_time_unix_nano == 1000000000);
	assert_true(got->end_time_unix_nano == 1000250000);
	memset(span.parent_id, 1, 8);
	got = encode_one(span);
	assert_int_equal(got->parent_span_id.len, 8);
	memset(span.parent_id, 0, 8);
	memset(span.link_id, 2, 8);
	got = encode_one(span);
	assert_false(got->has_parent_span_id);
	assert_int_equal(got->n_links, 1);
	assert_memory_equal(got->links[0]->trace_id.data, got->trace_id.data, 16);
	assert_int_equal(got->links[0]->span_id.data[0], 2);
}

static void
each_service_of_a_process_is_a_resource(void **state)
{
	struct trl_span_record spans[4] = {
		{ .what = TRL_SPAN_OFFLOAD, .name = "a", .service = "auth" },
		{ .what = TRL_SPAN_OFFLOAD, .name = "b", .service = "edge" },
		{ .what = TRL_SPAN_OFFLOAD, .name = "c", .service = "auth" },
		{ .what = TRL_SPAN_OFFLOAD, .name = "d" },
	};
	static const char *const wants[] = { "auth", "edge", "trellis" };
	const Otlp__ExportRequest *got = encode(spans, 4);

	(void)state;
	assert_int_equal(got->n_resource_spans, 3);
	for (size_t i = 0; i < 3; i++) {
		const Otlp__Resource *one = got->resource_spans[i]->resource;

		assert_string_equal(attributes_of(one->attributes, one->n_attributes),
		    trl_arena_printf(arena,
			"service.namespace=trellis service.name=%s "
			"service.version=1.2.3 service.instance.id=an-instance",
			wants[i]));
	}
	assert_int_equal(got->resource_spans[0]->scope_spans[0]->n_spans, 2);
	assert_string_equal(
	    got->resource_spans[0]->scope_spans[0]->scope->name, "trellis");
}

static void
what_a_collector_rejects_is_read_and_garbage_is_not(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		uint64_t rejected;
		const char *why;
	} rows[] = {
		{ "", 0, 0, "" },
		{ "\x0a\x00", 2, 0, "" },
		{ "\x0a\x02\x08\x05", 4, 5, "" },
		{ "\x0a\x06\x08\x05\x12\x02no", 8, 5, "no" },
		{ "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13, 0, "" },
		{ "\x0a\x04\x12\x02\xff\xff", 6, 0, "" }, /* no UTF-8 */
		{ "\x0a\x7f\x08", 3, 0, "" },             /* cut off */
		{ "<html>", 6, 0, "" },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		const char *why = NULL;

		assert_true(otlp_rejected(arena, rows[i].body, rows[i].len, &why) ==
			    rows[i].rejected);
		assert_string_equal(why, rows[i].why);
	}
}

static void
headers_are_read_as_opentelemetry_writes_them(void **state)
{
	struct otlp_headers got;

	(void)state;
	assert_null(otlp_headers_read(
	    " api-key=a%20b%3D , X-Other= =c=,,Authorization=Basic%20abc\n", &got));
	assert_string_equal(got.lines[0], "api-key: a b=");
	assert_string_equal(got.lines[1], "X-Other: =c=");
	assert_string_equal(got.lines[2], "Authorization: Basic abc");
	assert_null(got.lines[3]);
	free(got.storage);
	assert_null(otlp_headers_read("", &got));
	assert_null(got.lines[0]);
	free(got.storage);
}

static void
headers_that_are_none_are_refused(void **state)
{
	static const char *const rows[] = { "a", "=b", "a b=c", "a=%0d%0aX: y", "a=%",
		"a=%4", "a=%zz", "a=b\nc", "a=\x7f", "a:b=c" };
	struct trl_buf many = { 0 };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (otlp_headers_read(rows[i], NULL) == NULL)
			fail_msg("%s was taken", rows[i]);
	for (int i = 0; i < 33; i++)
		trl_buf_adds(&many, "a=b,");
	trl_buf_add(&many, "", 1);
	assert_non_null(otlp_headers_read((const char *)many.data, NULL));
	trl_buf_fini(&many);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_span_has_its_names),
		cmocka_unit_test(a_span_has_its_ids_and_times),
		cmocka_unit_test(each_service_of_a_process_is_a_resource),
		cmocka_unit_test(what_a_collector_rejects_is_read_and_garbage_is_not),
		cmocka_unit_test(headers_are_read_as_opentelemetry_writes_them),
		cmocka_unit_test(headers_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
