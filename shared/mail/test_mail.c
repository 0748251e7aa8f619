/* Letters as text, and as files in the mailbox. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "letter.h"

static void
refuses_what_would_write_headers_of_its_own(void **state)
{
	static const struct {
		const char *to, *subject;
	} hostile[] = {
		{ "a@example.com\r\nBcc: b@example.com", "Hello" },
		{ "a@example.com\nBcc: b@example.com", "Hello" },
		{ "a@example.com", "Hello\r\nBcc: b@example.com" },
		{ "a@example.com", "Hello\n\nbody" },
		{ "a@example.com", "Hello\x7f" },
		{ "a@example.com,b@example.com", "Hello" },
		{ "A <a@example.com>", "Hello" },
		{ "\"a b\"@example.com", "Hello" },
		{ "", "Hello" },
		{ "nobody", "Hello" },
		{ "@example.com", "Hello" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < TRL_COUNT(hostile); i++) {
		struct trl_mail_letter letter = { hostile[i].to, hostile[i].subject,
			"text" };

		assert_non_null(letter_check(&letter));
	}
}

static void
write_text(struct trl_buf *out, const char *subject, const char *text)
{
	struct trl_mail_letter letter = { "ada@example.com", subject, text };

	assert_null(letter_check(&letter));
	letter_write(out, "Trellis <noreply@localhost>", &letter, trl_id_new(),
	    1700000000000000);
	trl_buf_add(out, "", 1);
}

static void
writes_headers_and_lines_as_rfc_5322_has_them(void **state)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };
	const char *text;

	(void)state;
	write_text(&out, "Welcome", "one\ntwo\r\nthree");
	text = (const char *)out.data;
	assert_non_null(strstr(text, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"));
	assert_non_null(
	    strstr(text, "\r\nTo: ada@example.com\r\nSubject: Welcome\r\n"));
	assert_non_null(strstr(text, "\r\n\r\none\r\ntwo\r\nthree\r\n"));
}

static void
encodes_a_subject_that_is_not_ascii(void **state)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };
	const char *text;

	(void)state;
	write_text(&out,
	    "Gr\xc3\xbc\xc3\x9f"
	    "e aus der Stra\xc3\x9f"
	    "e der langen, langen Worte",
	    "x");
	text = (const char *)out.data;
	assert_non_null(strstr(text, "\r\nSubject: =?UTF-8?B?R3LDvMOfZSB"));
	assert_non_null(strstr(text, "?=\r\n =?UTF-8?B?"));
}

static void
cuts_a_line_that_is_too_long_between_characters(void **state)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { .len = 0 };
	char line[3001];
	const char *body;
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i += 2)
		memcpy(line + i, "\xc3\xbc", 2);
	line[3000] = '\0';
	write_text(&out, "long", line);
	body = strstr((const char *)out.data, "\r\n\r\n") + 4;
	while (*body) {
		size_t len = strcspn(body, "\r");

		assert_true(len <= LETTER_LINE_MAX && len % 2 == 0);
		body += len + 2;
	}
}

struct sent {
	trl_loop *loop;
	trl_mail *mail;
	enum trl_code good, bad;
	bool done;
};

static void
send_two(trl_ctx *ctx, void *arg)
{
	struct sent *sent = arg;
	struct trl_mail_letter good = { "ada@example.com", "Hello", "text\n" };
	struct trl_mail_letter bad = { "ada@example.com\r\nBcc: x@y", "Hello",
		"text\n" };

	sent->good = trl_mail_send(ctx, sent->mail, &good);
	sent->bad = trl_mail_send(ctx, sent->mail, &bad);
	sent->done = true;
}

static bool
is_done(void *self)
{
	return ((struct sent *)self)->done;
}

static void
puts_a_whole_file_into_the_mailbox_and_nothing_for_a_refused_letter(void **state)
{
	char folder[] = "/tmp/trl_mail_XXXXXX", path[600];
	struct sent sent = { .loop = trl_loop_new(NULL) };
	struct trl_spawn spawn = { .name = "mail", .run = send_two, .arg = &sent };
	struct dirent *entry;
	struct stat about;
	int files = 0;
	DIR *dir;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(
	    trl_mail_open(sent.loop, folder, "Trellis <t@localhost>", &sent.mail),
	    TRL_OK);
	assert_int_equal(trl_spawn(sent.loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(sent.loop, is_done, &sent, 5000));
	assert_int_equal(sent.good, TRL_OK);
	assert_int_equal(sent.bad, TRL_INVALID);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' && strlen(entry->d_name) <= 2)
			continue;
		files++;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		assert_string_equal(path + strlen(path) - 4, ".eml");
		assert_int_equal(stat(path, &about), 0);
		assert_int_equal(about.st_mode & 0777, 0600);
		assert_int_equal(unlink(path), 0);
	}
	closedir(dir);
	assert_int_equal(files, 1);
	assert_int_equal(rmdir(folder), 0);
	trl_mail_close(&sent.mail);
	trl_loop_free(&sent.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_would_write_headers_of_its_own),
		cmocka_unit_test(writes_headers_and_lines_as_rfc_5322_has_them),
		cmocka_unit_test(encodes_a_subject_that_is_not_ascii),
		cmocka_unit_test(cuts_a_line_that_is_too_long_between_characters),
		cmocka_unit_test(
		    puts_a_whole_file_into_the_mailbox_and_nothing_for_a_refused_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
