/* test_page.c - page tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include <trl/page.h>
#include <trl/value.h>

#include "pgtest.pb-c.h"

static int
make_ctx(void **state)
{
	static trl_ctx ctx;

	ctx = (trl_ctx){ .arena = trl_arena_new(0) };
	*state = &ctx;
	return sodium_init() < 0;
}

static int
free_ctx(void **state)
{
	trl_ctx *ctx = *state;

	trl_arena_free(&ctx->arena);
	return 0;
}

/* Of a list by what several rows share. */
static void
a_token_holds_an_id_beside_it(void **state)
{
	trl_ctx *ctx = *state;
	const struct trl_id id = trl_id_new();
	const struct trl_page at = { .list = "files", .scope = trl_id_new() };
	char name[TRL_PAGE_TEXT_MAX + 1];
	struct trl_page page;

	assert_int_equal(
	    trl_page_open(ctx, "files", at.scope, 0,
		trl_page_token_number_id(ctx, &at, INT64_MIN + 5, id), &page),
	    TRL_OK);
	assert_true(trl_id_eq(page.after, id) && page.after_number == INT64_MIN + 5);
	memset(name, 'x', sizeof name);
	name[TRL_PAGE_TEXT_MAX] = '\0';
	assert_int_equal(trl_page_open(ctx, "files", at.scope, 0,
			     trl_page_token_text_id(ctx, &at, name, id), &page),
	    TRL_OK);
	assert_true(trl_id_eq(page.after, id));
	assert_string_equal(page.after_text, name);
	assert_int_equal(trl_page_open(ctx, "words", at.scope, 0,
			     trl_page_token_text_id(ctx, &at, name, id), &page),
	    TRL_INVALID);
}

static void
a_token_gives_its_key_back(void **state)
{
	trl_ctx *ctx = *state;
	struct trl_id scope = trl_id_new(), last = trl_id_new();
	struct trl_page page;

	assert_int_equal(trl_page_open(ctx, "members", scope, 7,
			     trl_page_token_id(ctx, "members", scope, last), &page),
	    TRL_OK);
	assert_true(trl_id_eq(page.after, last));
	assert_int_equal(page.size, 7);
	assert_int_equal(
	    trl_page_open(ctx, "audit", scope, 0,
		trl_page_token_number(ctx, "audit", scope, INT64_MAX - 1), &page),
	    TRL_OK);
	assert_true(page.after_number == INT64_MAX - 1);
	assert_int_equal(page.size, 20);
	assert_int_equal(
	    trl_page_open(ctx, "words", scope, 0,
		trl_page_token_text(ctx, "words", scope, "m\xc3\xa4rz/de"), &page),
	    TRL_OK);
	assert_string_equal(page.after_text, "m\xc3\xa4rz/de");
	assert_int_equal(trl_page_open(ctx, "audit", scope, 5000, "", &page), TRL_OK);
	assert_int_equal(page.size, 100);
	assert_true(trl_id_is_nil(page.after) && page.after_number == 0);
}

static void
a_foreign_or_changed_token_is_refused(void **state)
{
	trl_ctx *ctx = *state;
	struct trl_id scope = trl_id_new(), other = trl_id_new(), last = trl_id_new();
	char *token = trl_page_token_id(ctx, "members", scope, last);
	const char *tokens[] = { trl_page_token_id(ctx, "members", other, last),
		trl_page_token_id(ctx, "invitations", scope, last),
		trl_page_token_text(ctx, "invitations", scope, "a"),
		trl_page_token_text(ctx, "members", scope, "\xe9"), "x", "AQ", "AQid",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		trl_arena_printf(ctx->arena, "%s=", token),
		trl_arena_printf(ctx->arena, "%sA", token),
		trl_arena_printf(ctx->arena, " %s", token),
		trl_arena_printf(ctx->arena, "%0200d", 1) };
	struct trl_page page = { .size = 99 };

	for (size_t i = 0; i < TRL_COUNT(tokens); i++) {
		assert_int_equal(
		    trl_page_open(ctx, "members", scope, 0, tokens[i], &page),
		    TRL_INVALID);
		assert_string_equal(ctx->err.field, "page_token");
		trl_err_clear(ctx);
	}
	for (size_t i = 0; token[i]; i++) {
		char was = token[i];

		token[i] = was == 'Q' ? 'R' : 'Q';
		assert_int_equal(
		    trl_page_open(ctx, "members", scope, 0, token, &page), TRL_INVALID);
		trl_err_clear(ctx);
		token[i] = was;
	}
	assert_int_equal(page.size, 99); /* nothing was written */
}

static void
a_page_is_cut_where_it_is_full(void **state)
{
	trl_ctx *ctx = *state;
	struct trl_id scope = trl_id_new(), ids[3];
	Pgtest__Thing things[3], *items[3];
	Pgtest__Things reply = PGTEST__THINGS__INIT;
	struct trl_page page, next;

	for (size_t i = 0; i < 3; i++) {
		ids[i] = trl_id_new();
		pgtest__thing__init(&things[i]);
		trl_set(&things[i], id, trl_value_bytes(ctx, ids[i]));
		items[i] = &things[i];
	}
	reply.items = items;
	reply.n_items = 3;
	assert_int_equal(trl_page_open(ctx, "things", scope, 3, "", &page), TRL_OK);
	trl_page_cut(ctx, &page, 9, "id", &reply.base);
	assert_int_equal(reply.n_items, 3);
	assert_null(reply.next_page_token);
	trl_page_cut(ctx, &page, 2, "id", &reply.base);
	assert_int_equal(reply.n_items, 2);
	assert_int_equal(
	    trl_page_open(ctx, "things", scope, 1, reply.next_page_token, &next),
	    TRL_OK);
	assert_true(trl_id_eq(next.after, ids[1]));
	assert_true(trl_id_eq(trl_page_before(&next), ids[1]));
	assert_int_equal(trl_page_before(&page).bytes[0], 0xff);
	trl_page_cut(ctx, &next, next.size, "id", &reply.base);
	assert_int_equal(reply.n_items, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_gives_its_key_back),
		cmocka_unit_test(a_token_holds_an_id_beside_it),
		cmocka_unit_test(a_foreign_or_changed_token_is_refused),
		cmocka_unit_test(a_page_is_cut_where_it_is_full),
	};

	return cmocka_run_group_tests_name("page", tests, make_ctx, free_ctx);
}
