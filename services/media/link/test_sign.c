/* Signed paths: what was altered, cut, or signed for another opens nothing, and keys
 * change while links live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/compiler.h>

#include "link/sign.h"

#define OLD "0101010101010101010101010101010101010101010101010101010101010101"
#define NEW "0202020202020202020202020202020202020202020202020202020202020202"
#define TENANT "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21"
#define FILE_ID "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b22"
#define LINK_ID "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b23"

static const uint8_t seal_key[32] = { 7 };

static struct trl_id
id(const char *text)
{
	struct trl_id out;

	assert_true(trl_id_parse(text, strlen(text), &out));
	return out;
}

static bool
try_keys(const char *text, link_keys **out)
{
	trl_secret *setting = text ? trl_secret_new(text, strlen(text)) : NULL;
	const bool fine = link_keys_read(setting, seal_key, out);

	trl_secret_free(&setting);
	return fine;
}

static link_keys *
keys_of(const char *text)
{
	link_keys *keys = NULL;

	assert_true(try_keys(text, &keys));
	return keys;
}

/* The path's segments; text is cut to pieces. */
static struct link_path
split(char *text)
{
	const char *parts[8] = { 0 };
	char *save = NULL, *part = strtok_r(text, "/", &save);

	for (size_t i = 0; part && i < TRL_COUNT(parts); i++) {
		parts[i] = part;
		part = strtok_r(NULL, "/", &save);
	}
	assert_string_equal(parts[0], "m");
	assert_non_null(parts[7]);
	return (struct link_path){ parts[1], parts[2], parts[3], parts[4], parts[5],
		parts[6], parts[7] };
}

static bool
opens(const link_keys *keys, const char *url, struct link_claim *claim)
{
	char text[512];
	struct link_path path;

	assert_true(strlen(url) < sizeof text);
	strcpy(text, url);
	path = split(text);
	return link_read(keys, &path, claim);
}

static struct link_claim
claim_of(uint64_t expires, const char *link)
{
	return (struct link_claim){ expires, id(TENANT), id(FILE_ID), LINK_WHOLE,
		link ? id(link) : trl_id_nil };
}

static void
a_path_opens_what_it_was_signed_for(void **state)
{
	trl_arena *arena = trl_arena_new(0);
	link_keys *keys = keys_of("b:" NEW ",a:" OLD);
	const struct link_claim claim = claim_of(1790000000, LINK_ID);
	const char *url = link_sign(arena, keys, &claim);
	struct link_claim found;

	(void)state;
	assert_string_equal(
	    url + 3 + 43, "/b/1790000000/" TENANT "/" FILE_ID "/-/" LINK_ID);
	assert_true(opens(keys, url, &found));
	assert_true(found.expires == 1790000000);
	assert_true(trl_id_eq(found.tenant, id(TENANT)));
	assert_true(trl_id_eq(found.file, id(FILE_ID)));
	assert_true(trl_id_eq(found.link, id(LINK_ID)));
	/* The same for all who ask, so that caches hit. */
	assert_string_equal(url, link_sign(arena, keys, &claim));
	url = link_sign(arena, keys,
	    &(const struct link_claim){
		0, id(TENANT), id(FILE_ID), "w_320,h_320", trl_id_nil });
	assert_string_equal(url + 3 + 43, "/b/0/" TENANT "/" FILE_ID "/w_320,h_320/-");
	assert_true(opens(keys, url, &found));
	assert_true(trl_id_is_nil(found.link));
	link_keys_free(&keys);
	trl_arena_free(&arena);
}

/* Computed apart, by Python's hmac and hashlib. */
static void
the_signature_is_the_documented_one(void **state)
{
	trl_arena *arena = trl_arena_new(0);
	link_keys *keys = keys_of("a:" OLD);
	const struct link_claim claim = claim_of(1790000000, LINK_ID);

	(void)state;
	assert_string_equal(link_sign(arena, keys, &claim),
	    "/m/uFXDRuYAZnPESIJLUn-GjT5ZHwMBy4Nv0HumjBrDVQk/a/1790000000/" TENANT
	    "/" FILE_ID "/-/" LINK_ID);
	link_keys_free(&keys);
	trl_arena_free(&arena);
}

/* Each character of it, one after the other. */
static void
an_altered_path_opens_nothing(void **state)
{
	trl_arena *arena = trl_arena_new(0);
	link_keys *keys = keys_of("a:" OLD ",b:" NEW);
	const struct link_claim claim = claim_of(1790000000, LINK_ID);
	char *url = trl_arena_strdup(arena, link_sign(arena, keys, &claim));
	struct link_claim found;

	(void)state;
	assert_true(opens(keys, url, &found));
	for (size_t i = 3; url[i]; i++) {
		const char was = url[i];

		if (was == '/')
			continue;
		url[i] = was == 'b' ? 'c' : 'b';
		if (opens(keys, url, &found))
			fail_msg("%s is open", url);
		url[i] = was;
	}
	assert_true(opens(keys, url, &found));
	link_keys_free(&keys);
	trl_arena_free(&arena);
}

static void
another_spelling_of_the_same_opens_nothing(void **state)
{
	trl_arena *arena = trl_arena_new(0);
	link_keys *keys = keys_of("a:" OLD);
	const struct link_claim claim = claim_of(17, NULL);
	char *text = trl_arena_strdup(arena, link_sign(arena, keys, &claim));
	const struct link_path good = split(text);
	struct link_claim found;
	struct link_path path;

	(void)state;
	assert_true(link_read(keys, &good, &found));
#define WITH(member, value)                                                            \
	path = good, path.member = (value);                                            \
	assert_false(link_read(keys, &path, &found))
	WITH(tenant, "01997D2E-4C1A-7B3F-9A52-6F1E0C8D4B21");
	WITH(file, "01997D2E-4C1A-7B3F-9A52-6F1E0C8D4B22");
	WITH(expires, "017");
	WITH(expires, "+17");
	WITH(expires, "");
	WITH(options, "");
	WITH(link, "");
	WITH(signature, "");
	WITH(signature, trl_arena_printf(arena, "%s=", good.signature));
	WITH(signature, trl_arena_strndup(arena, good.signature, 42));
	WITH(key, "A");
	WITH(key, "");
	/* A slash that moved. */
	WITH(options, "-/-");
	WITH(tenant, "");
	WITH(tenant, "00000000-0000-0000-0000-000000000000");
	path = good, path.expires = "17/" TENANT, path.tenant = FILE_ID;
	assert_false(link_read(keys, &path, &found));
	path = good, path.options = memset(trl_arena_zalloc(arena, 9000), 'a', 8999);
	assert_false(link_read(keys, &path, &found));
	link_keys_free(&keys);
	trl_arena_free(&arena);
}

static void
a_tenants_key_opens_nothing_of_another(void **state)
{
	trl_arena *arena = trl_arena_new(0);
	link_keys *keys = keys_of("a:" OLD);
	struct link_claim claim = claim_of(0, NULL), found;
	char *mine = trl_arena_strdup(arena, link_sign(arena, keys, &claim)), *theirs;
	struct link_path path;

	(void)state;
	claim.tenant = id(LINK_ID);
	theirs = trl_arena_strdup(arena, link_sign(arena, keys, &claim));
	assert_true(memcmp(mine, theirs, 46) != 0);
	path = split(theirs);
	path.signature = split(mine).signature;
	assert_false(link_read(keys, &path, &found));
	link_keys_free(&keys);
	trl_arena_free(&arena);
}

static void
keys_change_while_links_live(void **state)
{
	trl_arena *arena = trl_arena_new(0);
	link_keys
	    *before = keys_of("a:" OLD),
	    *between = keys_of("b:" NEW ",a:" OLD), *after = keys_of("b:" NEW),
	    *swapped = keys_of("a:" NEW), *made = keys_of(NULL),
	    *taken = keys_of("b:" NEW ",0:" OLD),
	    *kept = keys_of(
		"0:10e5a8f4edea35245fba74f9c9a4e9f50593b599b471dc6b0ef94bf763998b4d");
	const struct link_claim claim = claim_of(0, NULL);
	const char *old = link_sign(arena, before, &claim),
		   *new = link_sign(arena, between, &claim),
		   *own = link_sign(arena, made, &claim);
	struct link_claim found;

	(void)state;
	assert_true(opens(between, old, &found));
	assert_true(opens(between, new, &found));
	assert_true(opens(after, new, &found));
	assert_false(opens(after, old, &found));
	assert_false(opens(swapped, old, &found));
	/* One that the seal key makes is believed until another takes its name. */
	assert_true(opens(made, own, &found));
	assert_true(opens(between, own, &found));
	assert_false(opens(taken, own, &found));
	/* BLAKE2b-256("media links"), keyed by it: so it outlives another seal key. */
	assert_true(opens(kept, own, &found));
	assert_string_equal(link_sign(arena, kept, &claim), own);
	link_keys_free(&taken);
	link_keys_free(&kept);
	link_keys_free(&before);
	link_keys_free(&between);
	link_keys_free(&after);
	link_keys_free(&swapped);
	link_keys_free(&made);
	trl_arena_free(&arena);
}

static void
keys_that_make_no_sense_are_refused(void **state)
{
	static const char *const wrong[] = { "", "a", ":", "a:", OLD, "a:" OLD "0",
		"a:0" OLD, "A:" OLD, "a b:" OLD, "a:" OLD ",", ",a:" OLD,
		"a:" OLD ",a:" NEW, "a:" OLD ";b:" NEW, "a:zz" OLD,
		"abcdefghijklmnopq:" OLD, "a/b:" OLD,
		"a:" OLD ",b:" OLD ",c:" OLD ",d:" OLD ",e:" OLD };
	link_keys *keys = NULL;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wrong); i++)
		if (try_keys(wrong[i], &keys))
			fail_msg("\"%s\" was taken", wrong[i]);
}

static int
begin(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_opens_what_it_was_signed_for),
		cmocka_unit_test(the_signature_is_the_documented_one),
		cmocka_unit_test(an_altered_path_opens_nothing),
		cmocka_unit_test(another_spelling_of_the_same_opens_nothing),
		cmocka_unit_test(a_tenants_key_opens_nothing_of_another),
		cmocka_unit_test(keys_change_while_links_live),
		cmocka_unit_test(keys_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
