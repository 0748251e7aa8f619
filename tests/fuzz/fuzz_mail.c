/* A mail from outside: name, subject and text, a line feed between them. Whatever they
 * are, the head holds our headers and no other, and no line is longer than RFC 5322
 * allows. */
#include <stdint.h>
#include <string.h>

#include <trl/arena.h>

#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "\r\n", "\r", "Bcc: x@example.com", "\r\n\r\n",
	"=?UTF-8?B?", "?=", "--=_", "\"", "\\", "<", ">", "\xc3\xbc", "\xff",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aa",
	"        ", NULL };

static bool
is_ours(const char *line)
{
	static const char *const names[] = { "Date: ", "From: ", "To: ", "Subject: ",
		"Message-ID: ", "Auto-Submitted: ", "MIME-Version: ", "Content-Type: ",
		" " };

	for (size_t i = 0; i < TRL_COUNT(names); i++)
		if (strncmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void
check(const char *mail, const char *end)
{
	bool in_head = true;

	while (mail < end) {
		const char *line_end = memchr(mail, '\n', (size_t)(end - mail));

		trl_assert(line_end && line_end > mail && line_end[-1] == '\r');
		trl_assert(line_end - mail <= 999);
		if (in_head && line_end == mail + 1)
			in_head = false;
		trl_assert(!in_head || is_ours(mail));
		mail = line_end + 1;
	}
	trl_assert(!in_head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	trl_arena *arena = trl_arena_new(0);
	char *name = trl_arena_strndup(arena, (const char *)data, len);
	char *subject = name + strcspn(name, "\n"), *text;
	struct trl_buf out = { 0 };
	struct notify_mail mail = { .from = "a@b.example", .to = "c@d.example" };

	subject += *subject != '\0';
	text = subject + strcspn(subject, "\n");
	text += *text != '\0';
	mail.from_name = trl_arena_strndup(arena, name, strcspn(name, "\n"));
	mail.subject = trl_arena_strndup(arena, subject, strcspn(subject, "\n"));
	mail.text = mail.html = text;
	for (int bits = 0; bits < 2; bits++) {
		mail.eight_bit = bits != 0;
		trl_buf_clear(&out);
		notify_mime_write(&mail, &out);
		check((const char *)out.data, (const char *)out.data + out.len);
	}
	trl_buf_fini(&out);
	trl_arena_free(&arena);
	return 0;
}
