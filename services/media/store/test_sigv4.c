/* Signatures as Amazon has published them: the examples of the S3 API reference
 * ("Signature Calculations for the Authorization Header", "Authenticating Requests:
 * Using Query Parameters") and of its test suite for version 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/sigv4.h"

static const char
    secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    suite_secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const struct sigv4_key s3_key = { .id = "AKIAIOSFODNN7EXAMPLE",
	.region = "us-east-1",
	.service = "s3",
	.secret = (const uint8_t *)secret,
	.secret_len = sizeof secret - 1 };
static const struct sigv4_key suite_key = { .id = "AKIDEXAMPLE",
	.region = "us-east-1",
	.service = "service",
	.secret = (const uint8_t *)suite_secret,
	.secret_len = sizeof suite_secret - 1 };

#define S3_HOST                                                                        \
	{                                                                              \
		"host", "examplebucket.s3.amazonaws.com"                               \
	}
#define S3_DATE                                                                        \
	{                                                                              \
		"x-amz-date", "20130524T000000Z"                                       \
	}
#define S3_EMPTY                                                                       \
	{                                                                              \
		"x-amz-content-sha256", nothing                                        \
	}
#define SUITE_HOST                                                                     \
	{                                                                              \
		"host", "example.amazonaws.com"                                        \
	}
#define SUITE_DATE                                                                     \
	{                                                                              \
		"x-amz-date", "20150830T123600Z"                                       \
	}

static void
requests_are_signed_as_amazon_signs_them(void **state)
{
	static const char welcome[] =
	    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	static const struct {
		const struct sigv4_key *key;
		const char *method, *path, *query, *payload, *time, *signature;
		struct sigv4_header headers[5];
		size_t n;
	} rows[] = {
		{ &s3_key, "GET", "/test.txt", "", nothing, "20130524T000000Z",
		    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		    { S3_HOST, { "range", "bytes=0-9" }, S3_EMPTY, S3_DATE }, 4 },
		{ &s3_key, "PUT", "/test%24file.text", "", welcome, "20130524T000000Z",
		    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		    { { "date", "Fri, 24 May 2013 00:00:00 GMT" }, S3_HOST,
			{ "x-amz-content-sha256", welcome }, S3_DATE,
			{ "x-amz-storage-class", "REDUCED_REDUNDANCY" } },
		    5 },
		{ &s3_key, "GET", "/", "lifecycle=", nothing, "20130524T000000Z",
		    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		    { S3_HOST, S3_EMPTY, S3_DATE }, 3 },
		{ &s3_key, "GET", "/", "max-keys=2&prefix=J", nothing,
		    "20130524T000000Z",
		    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		    { S3_HOST, S3_EMPTY, S3_DATE }, 3 },
		{ &suite_key, "GET", "/", "", nothing, "20150830T123600Z",
		    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		    { SUITE_HOST, SUITE_DATE }, 2 },
		{ &suite_key, "GET", "/%E1%88%B4", "", nothing, "20150830T123600Z",
		    "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
		    { SUITE_HOST, SUITE_DATE }, 2 },
		{ &suite_key, "POST", "/", "", nothing, "20150830T123600Z",
		    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		    { SUITE_HOST, SUITE_DATE }, 2 },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };
		struct sigv4_request request = { .method = rows[i].method,
			.path = rows[i].path,
			.query = rows[i].query,
			.headers = rows[i].headers,
			.n_headers = rows[i].n,
			.payload = rows[i].payload };
		const char *signature;

		strcpy(request.time, rows[i].time);
		sigv4_authorize(&out, rows[i].key, &request);
		trl_buf_add(&out, "", 1);
		signature = strstr((const char *)out.data, "Signature=");
		assert_non_null(signature);
		assert_string_equal(signature + 10, rows[i].signature);
	}
}

static void
the_header_names_key_scope_and_fields(void **state)
{
	static const struct sigv4_header headers[] = { S3_HOST, S3_EMPTY, S3_DATE };
	const struct sigv4_request request = { .method = "GET",
		.path = "/",
		.query = "lifecycle=",
		.headers = headers,
		.n_headers = TRL_COUNT(headers),
		.payload = nothing,
		.time = "20130524T000000Z" };
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };

	(void)state;
	sigv4_authorize(&out, &s3_key, &request);
	trl_buf_add(&out, "", 1);
	assert_string_equal((const char *)out.data,
	    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
	    "aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
	    "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a01367835"
	    "43");
}

static void
a_url_is_signed_for_a_while(void **state)
{
	static const struct sigv4_header headers[] = { S3_HOST };
	const struct sigv4_request request = { .method = "GET",
		.path = "/test.txt",
		.query = "",
		.headers = headers,
		.n_headers = 1,
		.payload = "UNSIGNED-PAYLOAD",
		.time = "20130524T000000Z" };
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };

	(void)state;
	sigv4_presign(&out, &s3_key, &request, 86400);
	trl_buf_add(&out, "", 1);
	assert_string_equal((const char *)out.data,
	    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"
	    "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&"
	    "X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
	    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static void
any_key_is_encoded_once(void **state)
{
	static const struct {
		const char *bytes;
		bool path;
		const char *want;
	} rows[] = {
		{ "a/b c+d~e.f_g-h", true, "a/b%20c%2Bd~e.f_g-h" },
		{ "a/b", false, "a%2Fb" },
		{ "50%/%2F", true, "50%25/%252F" },
		{ "\xd0\x9e\xe6\x9d\xb1\xf0\x9f\x8e\x89", true,
		    "%D0%9E%E6%9D%B1%F0%9F%8E%89" },
		{ "\x01\x7f\xff\"'*(),;:@&=$?#[]!", true,
		    "%01%7F%FF%22%27%2A%28%29%2C%3B%3A%40%26%3D%24%3F%23%5B%5D%21" },
		{ "a//../b", true, "a//../b" },
	};
	TRL_AUTO(trl_buf_fini) struct trl_buf zero = { .len = 0 };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };

		sigv4_encode(&out, rows[i].bytes, strlen(rows[i].bytes), rows[i].path);
		trl_buf_add(&out, "", 1);
		assert_string_equal((const char *)out.data, rows[i].want);
	}
	sigv4_encode(&zero, "\0", 1, true);
	assert_memory_equal(zero.data, "%00", 3);
}

static void
times_are_utc(void **state)
{
	char time[SIGV4_TIME];

	(void)state;
	sigv4_time(INT64_C(1440938160) * 1000000 + 999999, time);
	assert_string_equal(time, "20150830T123600Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_signed_as_amazon_signs_them),
		cmocka_unit_test(the_header_names_key_scope_and_fields),
		cmocka_unit_test(a_url_is_signed_for_a_while),
		cmocka_unit_test(any_key_is_encoded_once),
		cmocka_unit_test(times_are_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
