/* page.c - see <trl/page.h>. The tag is no secret: it keeps a token of one list or
 * tenant from meaning something in another, and typing errors from meaning
 * anything. */
#include <trl/page.h>

#include <string.h>

#include <sodium.h>

#include <trl/utf8.h>
#include <trl/value.h>

enum { VERSION = 1, TAG = 8, SIZE_DEFAULT = 20, SIZE_MAX_ = 100 };
enum { KIND_ID = 'i', KIND_NUMBER = 'n', KIND_TEXT = 't' };
enum { KIND_NUMBER_ID = 'N', KIND_TEXT_ID = 'T' }; /* behind the id */
/* version, kind, tag, key */
enum { HEAD = 2 + TAG, ID = 16, KEY_MAX = ID + TRL_PAGE_TEXT_MAX };
enum { TOKEN_MAX = HEAD + KEY_MAX, TEXT_MAX = TOKEN_MAX * 4 / 3 + 4 };

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
	uint8_t token[TOKEN_MAX] = { VERSION, kind };
	char *text = trl_arena_alloc(ctx->arena, TEXT_MAX);

	tag_of(list, scope, key, len, token + 2);
	memcpy(token + HEAD, key, len);
	sodium_bin2base64(text, TEXT_MAX, token, HEAD + len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return text;
}

char *
trl_page_token_id(
    trl_ctx *ctx, const char *list, struct trl_id scope, struct trl_id last)
{
	return make(ctx, list, scope, KIND_ID, last.bytes, sizeof last.bytes);
}

static void
put_number(uint8_t key[8], int64_t number)
{
	for (int i = 0; i < 8; i++)
		key[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

char *
trl_page_token_number(trl_ctx *ctx, const char *list, struct trl_id scope, int64_t last)
{
	uint8_t key[8];

	put_number(key, last);
	return make(ctx, list, scope, KIND_NUMBER, key, sizeof key);
}

char *
trl_page_token_number_id(
    trl_ctx *ctx, const struct trl_page *page, int64_t last, struct trl_id id)
{
	uint8_t key[ID + 8];

	memcpy(key, id.bytes, ID);
	put_number(key + ID, last);
	return make(ctx, page->list, page->scope, KIND_NUMBER_ID, key, sizeof key);
}

char *
trl_page_token_text_id(
    trl_ctx *ctx, const struct trl_page *page, const char *last, struct trl_id id)
{
	const size_t len = strlen(last);
	uint8_t key[KEY_MAX];

	trl_assert(len > 0 && len <= TRL_PAGE_TEXT_MAX);
	memcpy(key, id.bytes, ID);
	memcpy(key + ID, last, len);
	return make(ctx, page->list, page->scope, KIND_TEXT_ID, key, ID + len);
}

char *
trl_page_token_text(
    trl_ctx *ctx, const char *list, struct trl_id scope, const char *last)
{
	const size_t len = strlen(last);

	trl_assert(len > 0 && len <= TRL_PAGE_TEXT_MAX);
	return make(ctx, list, scope, KIND_TEXT, (const uint8_t *)last, len);
}

static bool
read_key(uint8_t kind, const uint8_t *key, size_t len, struct trl_page *out)
{
	uint64_t number = 0;

	switch (kind) {
	case KIND_ID:
		if (len == sizeof out->after.bytes)
			memcpy(out->after.bytes, key, len);
		return len == sizeof out->after.bytes;
	case KIND_NUMBER:
		for (size_t i = 0; i < len; i++)
			number = number << 8 | key[i];
		out->after_number = (int64_t)number;
		return len == sizeof number;
	case KIND_TEXT:
		if (len > TRL_PAGE_TEXT_MAX)
			return false;
		memcpy(out->after_text, key, len);
		return len > 0 && trl_utf8_valid((const char *)key, len);
	case KIND_NUMBER_ID:
	case KIND_TEXT_ID:
		return len > ID && read_key(KIND_ID, key, ID, out) &&
		       read_key(kind == KIND_TEXT_ID ? KIND_TEXT : KIND_NUMBER,
			   key + ID, len - ID, out);
	default:
		return false;
	}
}

static bool
read_token(
    const char *list, struct trl_id scope, const char *text, struct trl_page *out)
{
	uint8_t token[TOKEN_MAX], tag[TAG];
	size_t len = 0;
	const char *end = NULL;

	if (strnlen(text, TEXT_MAX) == TEXT_MAX ||
	    sodium_base642bin(token, sizeof token, text, strlen(text), NULL, &len, &end,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    *end != '\0' || len < HEAD || token[0] != VERSION)
		return false;
	tag_of(list, scope, token + HEAD, len - HEAD, tag);
	return memcmp(tag, token + 2, TAG) == 0 &&
	       read_key(token[1], token + HEAD, len - HEAD, out);
}

enum trl_code
trl_page_open(trl_ctx *ctx, const char *list, struct trl_id scope, uint32_t page_size,
    const char *page_token, struct trl_page *out)
{
	struct trl_page page = { .list = list,
		.scope = scope,
		.size = page_size ? page_size : SIZE_DEFAULT };

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

struct trl_id
trl_page_before(const struct trl_page *page)
{
	struct trl_id last;

	if (!trl_id_is_nil(page->after))
		return page->after;
	memset(last.bytes, 0xff, sizeof last.bytes);
	return last;
}

static const ProtobufCFieldDescriptor *
field_of(const ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

	trl_assert(field != NULL);
	return field;
}

void
trl_page_cut(trl_ctx *ctx, const struct trl_page *page, size_t most, const char *key,
    ProtobufCMessage *reply)
{
	const ProtobufCFieldDescriptor *items = field_of(reply, "items");
	size_t *n = (size_t *)(void *)((char *)reply + items->quantifier_offset);
	const ProtobufCMessage *last;
	ProtobufCBinaryData id;

	if (most > page->size)
		most = page->size;
	if (*n <= most)
		return;
	*n = most;
	last = *(ProtobufCMessage *const *)trl_member_item(items, reply, most - 1);
	memcpy(&id, trl_member_of(field_of(last, key), last), sizeof id);
	*(char **)trl_member_at(field_of(reply, "next_page_token"), reply) =
	    trl_page_token_id(ctx, page->list, page->scope, trl_value_id(id));
}
