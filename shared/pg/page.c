/* page.c - see <trl/page.h>. The tag is no secret: it keeps a token of one list or
 * tenant from meaning something in another, and typing errors from meaning
 * anything. */
#include <trl/page.h>

#include <string.h>

#include <sodium.h>

enum { VERSION = 1, TAG = 8, SIZE_DEFAULT = 20, SIZE_MAX_ = 100 };
enum { KIND_ID = 'i', KIND_NUMBER = 'n' };
/* version, kind, tag, key */
enum { TOKEN_ID = 2 + TAG + 16, TOKEN_NUMBER = 2 + TAG + 8, TEXT_MAX = 64 };

static void
tag_of(const char *list, struct trl_id scope, const uint8_t *key, size_t len,
    uint8_t tag[TAG])
{
	crypto_generichash_state state;
	uint8_t sum[16];

	crypto_generichash_init(&state, NULL, 0, sizeof sum);
	crypto_generichash_update(&state, (const uint8_t *)list, strlen(list) + 1);
	crypto_generichash_update(&state, scope.bytes, sizeof scope.bytes);
	crypto_generichash_update(&state, key, len);
	crypto_generichash_final(&state, sum, sizeof sum);
	memcpy(tag, sum, TAG);
}

static char *
make(trl_ctx *ctx, const char *list, struct trl_id scope, uint8_t kind,
    const uint8_t *key, size_t len)
{
	uint8_t token[TOKEN_ID] = { VERSION, kind };
	char *text = trl_arena_alloc(ctx->arena, TEXT_MAX);

	tag_of(list, scope, key, len, token + 2);
	memcpy(token + 2 + TAG, key, len);
	sodium_bin2base64(text, TEXT_MAX, token, 2 + TAG + len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return text;
}

char *
trl_page_token_id(
    trl_ctx *ctx, const char *list, struct trl_id scope, struct trl_id last)
{
	return make(ctx, list, scope, KIND_ID, last.bytes, sizeof last.bytes);
}

char *
trl_page_token_number(trl_ctx *ctx, const char *list, struct trl_id scope, int64_t last)
{
	uint8_t key[8];

	for (int i = 0; i < 8; i++)
		key[i] = (uint8_t)((uint64_t)last >> (56 - 8 * i));
	return make(ctx, list, scope, KIND_NUMBER, key, sizeof key);
}

static bool
read_token(
    const char *list, struct trl_id scope, const char *text, struct trl_page *out)
{
	uint8_t token[TOKEN_ID], tag[TAG];
	size_t len = 0;
	const char *end = NULL;
	uint64_t number = 0;

	if (strnlen(text, TEXT_MAX) == TEXT_MAX ||
	    sodium_base642bin(token, sizeof token, text, strlen(text), NULL, &len, &end,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    *end != '\0' || len < 2 || token[0] != VERSION)
		return false;
	if (len != (token[1] == KIND_ID ? TOKEN_ID : TOKEN_NUMBER) ||
	    (token[1] != KIND_ID && token[1] != KIND_NUMBER))
		return false;
	tag_of(list, scope, token + 2 + TAG, len - 2 - TAG, tag);
	if (memcmp(tag, token + 2, TAG) != 0)
		return false;
	if (token[1] == KIND_ID) {
		memcpy(out->after.bytes, token + 2 + TAG, 16);
		return true;
	}
	for (int i = 0; i < 8; i++)
		number = number << 8 | token[2 + TAG + i];
	out->after_number = (int64_t)number;
	return true;
}

enum trl_code
trl_page_open(trl_ctx *ctx, const char *list, struct trl_id scope, uint32_t page_size,
    const char *page_token, struct trl_page *out)
{
	struct trl_page page = { .size = page_size ? page_size : SIZE_DEFAULT };

	if (page.size > SIZE_MAX_)
		page.size = SIZE_MAX_;
	if (page_token && page_token[0] &&
	    !read_token(list, scope, page_token, &page)) {
		trl_err_violation(ctx, "/page_token", "is not a token of this list");
		return trl_fail_field(ctx, TRL_INVALID, "page_token",
		    "This page_token is not one of this list.");
	}
	*out = page;
	return TRL_OK;
}
