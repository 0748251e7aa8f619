/* A form from outside, by services/media/form: its first byte says in pieces of which
 * size it comes, and its first line is the Content-Type. In one piece it says the same
 * as in many, what it says is bounded, and all bytes of a file are the body's. */
#include <stdint.h>
#include <string.h>

#include <trl/buf.h>

#include "form/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "\r\n--XX", "--XX--", "--XX", "\r\n", "\r\n\r\n",
	"\r", "-", "\n", "Content-Disposition: form-data; name=\"file\"",
	"; filename=\"", "; filename*=UTF-8''", "%", "\\\"", "\\", "\"", ";",
	"name=", "Content-Type: ", "Content-Transfer-Encoding: binary\r\n",
	"multipart/form-data; boundary=XX\n", NULL };

static void
tell(struct trl_buf *told, enum form_step step, const struct form_part *part)
{
	if (step == FORM_FIELD) {
		trl_assert(part->len <= FORM_VALUE_MAX && !part->value[part->len]);
		trl_buf_printf(told, "[%s=", part->name);
		trl_buf_add(told, part->value, part->len);
	} else if (step == FORM_FILE) {
		trl_buf_printf(told, "[%s %s %s:", part->name,
		    part->filename ? part->filename : "-",
		    part->type ? part->type : "-");
	} else if (step == FORM_BYTES) {
		trl_assert(part->len > 0);
		trl_buf_add(told, part->data, part->len);
	} else if (step == FORM_WRONG) {
		trl_buf_printf(told, "!%s", part->wrong);
	} else if (step != FORM_MORE) {
		trl_buf_printf(told, "(%d)", step);
	}
}

static void
read_form(const char *type, const uint8_t *body, size_t len, size_t piece,
    struct trl_buf *told)
{
	trl_arena *arena = trl_arena_new(0);
	const char *why;
	form *self = form_new(arena, type, &why);
	enum form_step step = FORM_MORE;
	unsigned ends = 0, files = 0;

	for (size_t at = 0; self && at < len && step != FORM_WRONG; at += piece) {
		const uint8_t *data = body + at;
		size_t left = len - at < piece ? len - at : piece;

		do {
			struct form_part part = { 0 };

			step = form_next(self, &data, &left, &part);
			trl_assert(left <= piece && data <= body + len);
			tell(told, step, &part);
			files += step == FORM_FILE;
			ends += step == FORM_END;
		} while (step != FORM_MORE && step != FORM_WRONG);
		trl_assert(step == FORM_WRONG || left == 0);
	}
	trl_assert(files <= 1 && ends <= files);
	if (self && step != FORM_WRONG)
		trl_assert(!form_finish(self) == (ends == 1));
	/* However many parameters a head has. */
	trl_assert(trl_arena_used(arena) <= (2 << 20));
	trl_arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct trl_buf whole = { 0 }, pieces = { 0 };
	const uint8_t *line_end = len > 1 ? memchr(data + 1, '\n', len - 1) : NULL;
	char type[256] = "";

	if (!line_end || (size_t)(line_end - data) >= sizeof type)
		return 0;
	memcpy(type, data + 1, (size_t)(line_end - data) - 1);
	len -= (size_t)(line_end + 1 - data);
	read_form(type, line_end + 1, len, len + 1, &whole);
	read_form(type, line_end + 1, len, (data[0] & 31) + 1U, &pieces);
	trl_assert(whole.len == pieces.len);
	trl_assert(!whole.len || memcmp(whole.data, pieces.data, whole.len) == 0);
	trl_buf_fini(&whole);
	trl_buf_fini(&pieces);
	return 0;
}
