/* fuzz_page.c - page tokens from outside: any bytes give a page or TRL_INVALID, and
 * a token that is taken is one that we would make. */
#include <string.h>

#include <trl/page.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trl_id scope = { { 1, 2, 3 } };
	trl_ctx ctx = { .arena = trl_arena_new(0) };
	char *text = trl_arena_strndup(ctx.arena, (const char *)data, size);
	struct trl_page page;
	enum trl_code rc = trl_page_open(&ctx, "list", scope, 0, text, &page);

	trl_assert(rc == TRL_OK || rc == TRL_INVALID);
	if (rc == TRL_OK && text[0])
		trl_assert(strcmp(text, trl_page_token_id(
					    &ctx, "list", scope, page.after)) == 0 ||
			   strcmp(text, trl_page_token_number(&ctx, "list", scope,
					    page.after_number)) == 0 ||
			   strcmp(text, trl_page_token_text(&ctx, "list", scope,
					    page.after_text)) == 0);
	trl_arena_free(&ctx.arena);
	return 0;
}
