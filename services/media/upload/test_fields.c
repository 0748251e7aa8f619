/* What header fields of tus say, in tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/buf.h>

#include "upload/digest.h"
#include "upload/tus.h"

#define ID1 "01890a5d-ac96-774b-bcce-b302099a8057"
#define ID2 "01890a5d-ac96-774b-bcce-b302099a8058"

static trl_arena *arena;

static int
make_arena(void **state)
{
	(void)state;
	arena = trl_arena_new(1u << 20);
	return sodium_init() < 0;
}

static int
drop_arena(void **state)
{
	(void)state;
	trl_arena_free(&arena);
	return 0;
}

static void
a_length_is_deferred_by_1_only(void **state)
{
	(void)state;
	assert_null(tus_defer("1"));
	assert_non_null(tus_defer("0"));
	assert_non_null(tus_defer("2"));
	assert_non_null(tus_defer(""));
	assert_non_null(tus_defer("true"));
}

struct metadata_case {
	const char *text;
	const char *why; /* a part of it; NULL: it is fine */
	const char *name;
	size_t name_len, n;
};
static const struct metadata_case metadata_cases[] = {
	{ NULL, NULL, NULL, 0, 0 },
	{ "", NULL, NULL, 0, 0 },
	{ "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential", NULL,
	    "world_domination_plan.pdf", 25, 2 },
	{ "filename", NULL, "", 0, 1 },
	{ "filename ", NULL, "", 0, 1 },
	{ "filename YQ==, filetype aW1hZ2UvcG5n", NULL, "a", 1, 2 },
	{ "name Yg==", NULL, "b", 1, 1 },
	{ "name Yg==,filename YQ==", NULL, "a", 1, 2 },
	{ "filename YQBi", NULL, "a\0b", 3, 1 },
	{ "filename 0J7RgtGH0ZHRgiDmnbHkuqwg8J+OiSDDqS5wZGY=", NULL,
	    "Отчёт 東京 🎉 é.pdf", 29, 1 },
	{ "filename YQ==,filename Yg==", "twice", NULL, 0, 0 },
	{ "filename YQ", "not base64", NULL, 0, 0 },
	{ "filename YQ==YQ==", "not base64", NULL, 0, 0 },
	{ "filename !!!!", "not base64", NULL, 0, 0 },
	{ "filename _-_-", "not base64", NULL, 0, 0 },
	{ "filename YQ== Yg==", "not base64", NULL, 0, 0 },
	{ ",filename YQ==", "is empty", NULL, 0, 0 },
	{ "filename YQ==,", "is empty", NULL, 0, 0 },
	{ " YQ==", "is empty", NULL, 0, 0 },
	{ "fil\xc3\xa9 YQ==", "visible ASCII", NULL, 0, 0 },
};

static void
reads_metadata(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(metadata_cases); i++) {
		const struct metadata_case *c = &metadata_cases[i];
		struct tus_metadata found;
		const struct tus_value *name;
		const char *why = tus_metadata(arena, c->text, &found);

		if (c->why) {
			assert_non_null(why);
			assert_non_null(strstr(why, c->why));
			continue;
		}
		assert_null(why);
		assert_int_equal(found.n, c->n);
		name = tus_value(&found, "filename", "name");
		if (!c->name) {
			assert_null(name);
			continue;
		}
		assert_int_equal(name->len, c->name_len);
		assert_memory_equal(name->data, c->name, c->name_len + 1);
	}
}

static void
bounds_metadata(void **state)
{
	struct trl_buf text = { 0 };
	struct tus_metadata found;

	(void)state;
	for (int n = 0; n < 1000; n++) {
		trl_buf_printf(&text, "%sk%d", n ? "," : "", n);
		trl_buf_add(&text, "", 1);
		if (n < TUS_METADATA_KEYS)
			assert_null(
			    tus_metadata(arena, (const char *)text.data, &found));
		else if (n == TUS_METADATA_KEYS)
			assert_non_null(
			    strstr(tus_metadata(arena, (const char *)text.data, &found),
				"32 keys"));
		text.len--;
	}
	trl_buf_add(&text, "", 1);
	assert_true(text.len > TUS_METADATA_BYTES);
	assert_non_null(
	    strstr(tus_metadata(arena, (const char *)text.data, &found), "4096 bytes"));
	trl_buf_fini(&text);
}

struct concat_case {
	const char *text;
	const char *why;
	int kind;
	size_t n;
};
static const struct concat_case concat_cases[] = {
	{ NULL, NULL, TUS_WHOLE, 0 },
	{ "partial", NULL, TUS_PARTIAL, 0 },
	{ "final;" TUS_PATH ID1, NULL, TUS_FINAL, 1 },
	{ "final;" TUS_PATH ID1 " " TUS_PATH ID2 " " TUS_PATH ID1, NULL, TUS_FINAL, 3 },
	{ "final;https://files.example" TUS_PATH ID1 " http://h:1" TUS_PATH ID2, NULL,
	    TUS_FINAL, 2 },
	{ "", "must be partial", 0, 0 },
	{ "Partial", "must be partial", 0, 0 },
	{ "partial;", "must be partial", 0, 0 },
	{ "final", "must be partial", 0, 0 },
	{ "final;", "not an upload", 0, 0 },
	{ "final; " TUS_PATH ID1, "not an upload", 0, 0 },
	{ "final;" TUS_PATH ID1 " ", "not an upload", 0, 0 },
	{ "final;" ID1, "not an upload", 0, 0 },
	{ "final;/api/v1/files/" ID1, "not an upload", 0, 0 },
	{ "final;/other" TUS_PATH ID1, "not an upload", 0, 0 },
	{ "final;" TUS_PATH "../uploads/" ID1, "not an upload", 0, 0 },
	{ "final;" TUS_PATH "../" ID1, "not an upload", 0, 0 },
	{ "final;" TUS_PATH ID1 "/..", "not an upload", 0, 0 },
	{ "final;" TUS_PATH ID1 "?x=1", "not an upload", 0, 0 },
	{ "final;" TUS_PATH "01890a5d-ac96-774b-bcce-b302099a805g", "not an upload", 0,
	    0 },
	{ "final;file://h" TUS_PATH ID1, "not an upload", 0, 0 },
	{ "final;//h" TUS_PATH ID1, "not an upload", 0, 0 },
	{ "final;https://h", "not an upload", 0, 0 },
	{ "final;https://", "not an upload", 0, 0 },
};

static void
reads_what_a_final_upload_is_made_of(void **state)
{
	struct tus_concat found;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(concat_cases); i++) {
		const struct concat_case *c = &concat_cases[i];
		const char *why = tus_concat(arena, c->text, &found);

		if (c->why) {
			assert_non_null(why);
			assert_non_null(strstr(why, c->why));
			continue;
		}
		assert_null(why);
		assert_int_equal(found.kind, c->kind);
		assert_int_equal(found.n_parts, c->n);
	}
}

static void
bounds_what_a_final_upload_is_made_of(void **state)
{
	struct trl_buf text = { 0 };
	struct tus_concat found;

	(void)state;
	trl_buf_adds(&text, "final;" TUS_PATH ID1);
	for (int n = 1; n < TUS_PARTS; n++)
		trl_buf_adds(&text, " " TUS_PATH ID1);
	trl_buf_add(&text, "", 1);
	assert_null(tus_concat(arena, (const char *)text.data, &found));
	assert_int_equal(found.n_parts, TUS_PARTS);
	text.len--;
	trl_buf_add(&text, " " TUS_PATH ID1, sizeof " " TUS_PATH ID1);
	assert_non_null(
	    strstr(tus_concat(arena, (const char *)text.data, &found), "256 parts"));
	trl_buf_fini(&text);
}

#define SHA1_OF_ABC "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="
#define SHA256_OF_ABC "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define SHA512_OF_ABC                                                                  \
	"3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4q" \
	"mslPpUyknw=="

#define SHA256_OF_NONE "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

struct digest_case {
	const char *text;
	const char *why;       /* a part of it; NULL: it is read */
	const char *algorithm; /* that is found */
};
static const struct digest_case checksum_cases[] = {
	{ "sha1 " SHA1_OF_ABC, NULL, "SHA1" },
	{ "sha256 " SHA256_OF_ABC, NULL, "SHA256" },
	{ "sha512 " SHA512_OF_ABC, "takes sha1", NULL },
	{ "md5 kAFQmDzST7DWlj99KOF/cg==", "takes sha1", NULL },
	{ "crc32 AAAAAA==", "takes sha1", NULL },
	{ "", "takes sha1", NULL },
	{ "sha1", "not base64", NULL },
	{ "sha1 ", "not base64", NULL },
	{ "sha1 !", "not base64", NULL },
	{ "sha1 " SHA256_OF_ABC, "not base64", NULL },
	{ "sha256 " SHA1_OF_ABC, "not base64", NULL },
	{ "sha1  " SHA1_OF_ABC, "not base64", NULL },
	{ "SHA1 " SHA1_OF_ABC, "takes sha1", NULL },
};
static const struct digest_case content_cases[] = {
	{ "sha-256=:" SHA256_OF_ABC ":", NULL, "SHA256" },
	{ "sha-512=:" SHA512_OF_ABC ":", NULL, "SHA512" },
	{ "md5=:kAFQmDzST7DWlj99KOF/cg==:, sha-256=:" SHA256_OF_ABC ":", NULL,
	    "SHA256" },
	{ "sha-256=:" SHA256_OF_ABC ":,unixsum=:AAA=:", NULL, "SHA256" },
	{ "sha-256=:" SHA256_OF_ABC ":;a=1;b", NULL, "SHA256" },
	{ "sha-256=:" SHA256_OF_ABC ":; a=\"x, \\\"y\" , unixsum=:AAA=:", NULL,
	    "SHA256" },
	{ "sha-256=:" SHA256_OF_ABC ":;a=\"x", "not a list", NULL },
	{ "sha-256=:" SHA256_OF_ABC ":x", "not a list", NULL },
	{ "md5=:kAFQmDzST7DWlj99KOF/cg==:", "takes sha-256", NULL },
	{ "", "not a list", NULL },
	{ "sha-256", "not a list", NULL },
	{ "sha-256=" SHA256_OF_ABC, "not a list", NULL },
	{ "sha-256=:", "not a list", NULL },
	{ "sha-256=::", "not base64", NULL },
	{ "sha-256=:AAAA:", "not base64", NULL },
	{ "sha-256=:" SHA256_OF_ABC ":,", "not a list", NULL },
};

static void
check_digests(const struct digest_case *cases, size_t n,
    const char *(*read)(const char *text, struct digest_wish *out))
{
	for (size_t i = 0; i < n; i++) {
		struct digest_wish found[DIGEST_CONTENTS] = { 0 };
		const char *why = read(cases[i].text, found);

		if (cases[i].why) {
			assert_non_null(why);
			assert_non_null(strstr(why, cases[i].why));
			continue;
		}
		assert_null(why);
		assert_string_equal(
		    found[found[0].algorithm ? 0 : 1].algorithm, cases[i].algorithm);
	}
}

static void
reads_checksums(void **state)
{
	(void)state;
	check_digests(checksum_cases, TRL_COUNT(checksum_cases), digest_read_checksum);
	check_digests(content_cases, TRL_COUNT(content_cases), digest_read_content);
}

static enum digest_match
match(const char *checksum, const char *content, const char *body)
{
	struct digest_wish wishes[DIGESTS_MAX] = { 0 };
	enum digest_match match;
	digests *self;

	if (checksum)
		assert_null(digest_read_checksum(checksum, &wishes[0]));
	if (content)
		assert_null(digest_read_content(content, &wishes[1]));
	self = digests_new(&wishes[0], &wishes[1]);
	for (size_t i = 0; i < strlen(body); i++)
		digests_add(self, body + i, 1);
	match = digests_end(self);
	digests_free(&self);
	assert_null(self);
	return match;
}

static void
tells_which_checksum_differs(void **state)
{
	(void)state;
	assert_int_equal(match(NULL, NULL, "abc"), DIGEST_FITS);
	/* Of two algorithms each counts, in whatever order. */
	assert_int_equal(
	    match(NULL, "sha-256=:" SHA256_OF_ABC ":, sha-512=:" SHA512_OF_ABC ":",
		"abc"),
	    DIGEST_FITS);
	assert_int_equal(
	    match(NULL, "sha-256=:" SHA256_OF_NONE ":, sha-512=:" SHA512_OF_ABC ":",
		"abc"),
	    DIGEST_CONTENT_DIFFERS);
	assert_int_equal(
	    match(NULL, "sha-512=:" SHA512_OF_ABC ":, sha-256=:" SHA256_OF_NONE ":",
		"abc"),
	    DIGEST_CONTENT_DIFFERS);
	assert_int_equal(match("sha1 " SHA1_OF_ABC, NULL, "abc"), DIGEST_FITS);
	assert_int_equal(
	    match("sha256 " SHA256_OF_ABC, "sha-512=:" SHA512_OF_ABC ":", "abc"),
	    DIGEST_FITS);
	assert_int_equal(
	    match("sha1 " SHA1_OF_ABC, NULL, "abd"), DIGEST_CHECKSUM_DIFFERS);
	assert_int_equal(match("sha1 " SHA1_OF_ABC, NULL, ""), DIGEST_CHECKSUM_DIFFERS);
	assert_int_equal(
	    match(NULL, "sha-256=:" SHA256_OF_ABC ":", "abcd"), DIGEST_CONTENT_DIFFERS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_length_is_deferred_by_1_only),
		cmocka_unit_test(reads_metadata),
		cmocka_unit_test(bounds_metadata),
		cmocka_unit_test(reads_what_a_final_upload_is_made_of),
		cmocka_unit_test(bounds_what_a_final_upload_is_made_of),
		cmocka_unit_test(reads_checksums),
		cmocka_unit_test(tells_which_checksum_differs),
	};

	return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
