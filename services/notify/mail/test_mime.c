/* A mail as text: headers that nobody can add to, parts that arrive as they left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mime.h"

static char text[512 * 1024];

static const char *
written(const struct notify_mail *mail)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf out = { 0 };

	notify_mime_write(mail, &out);
	assert_true(out.len < sizeof text);
	memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	for (const char *line = text; *line;) { /* RFC 5322, 2.1.1 */
		const size_t len = strcspn(line, "\n");

		assert_true(len > 0 && len <= 999 && line[len - 1] == '\r');
		line += len + 1;
	}
	return text;
}

static struct notify_mail
a_mail(void)
{
	return (struct notify_mail){ .from_name = "Acme",
		.from = "noreply@acme.example",
		.to = "ada@example.com",
		.subject = "Welcome",
		.text = "one\ntwo\n",
		.html = "<p>one</p>\n",
		.at_us = 1700000000000000,
		.eight_bit = true };
}

static void
writes_headers_and_two_parts(void **state)
{
	struct notify_mail mail = a_mail();
	const char *all = written(&mail);

	(void)state;
	assert_non_null(strstr(all, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"));
	assert_non_null(strstr(all, "\r\nFrom: \"Acme\" <noreply@acme.example>\r\n"));
	assert_non_null(strstr(all, "\r\nTo: ada@example.com\r\n"));
	assert_non_null(strstr(all, "\r\nSubject: Welcome\r\n"));
	assert_non_null(strstr(all,
	    "\r\nMessage-ID: <00000000-0000-0000-0000-000000000000@acme.example>\r\n"));
	assert_non_null(strstr(all, "Content-Transfer-Encoding: 7bit\r\n\r\none\r\n"));
	assert_non_null(strstr(all, "quoted-printable\r\n\r\n<p>one</p>\r\n\r\n--=_"));
	assert_null(strstr(all, "List-Unsubscribe"));
}

static void
offers_to_unsubscribe_by_one_click(void **state)
{
	struct notify_mail mail = a_mail();
	const char *all;

	(void)state;
	mail.unsubscribe = "https://acme.example/api/v1/unsubscribe/tru_x";
	mail.reply_to = "help@acme.example";
	all = written(&mail);
	assert_non_null(strstr(all, "\r\nReply-To: <help@acme.example>\r\n"));
	assert_non_null(strstr(all,
	    "\r\nList-Unsubscribe: <https://acme.example/api/v1/unsubscribe/tru_x>\r\n"
	    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
}

static void
no_name_and_no_subject_adds_a_header(void **state)
{
	static const char *const hostile[] = { "a\r\nBcc: b@example.com",
		"a\nBcc: b@example.com", "\" <x@y>\r\nBcc: b@example.com",
		"=?UTF-8?Q?a=0D=0ABcc:_b?=" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(hostile); i++) {
		struct notify_mail mail = a_mail();
		const char *all;

		mail.from_name = mail.subject = hostile[i];
		all = written(&mail);
		assert_null(strstr(all, "\nBcc"));
		assert_null(strstr(all, "=?UTF-8?Q?a"));
	}
}

static void
quotes_what_ends_a_name(void **state)
{
	struct notify_mail mail = a_mail();

	(void)state;
	mail.from_name = "A \"B\" \\ <c@d>";
	assert_non_null(strstr(written(&mail),
	    "\r\nFrom: \"A \\\"B\\\" \\\\ <c@d>\" <noreply@acme.example>\r\n"));
}

static void
encodes_headers_that_are_not_ascii(void **state)
{
	struct notify_mail mail = a_mail();
	const char *all;

	(void)state;
	mail.subject = "Gr\xc3\xbc\xc3\x9f"
		       "e aus der Stra\xc3\x9f"
		       "e der langen, langen Worte";
	mail.from_name = "\xc3\x9c"
			 "bersee";
	all = written(&mail);
	assert_non_null(strstr(all, "\r\nSubject: =?UTF-8?B?R3LDvMOfZSB"));
	assert_non_null(strstr(all, "?=\r\n =?UTF-8?B?"));
	assert_non_null(
	    strstr(all, "\r\nFrom: =?UTF-8?B?w5xiZXJzZWU=?=\r\n <noreply@"));
}

static void
folds_a_long_subject_and_cuts_an_endless_one(void **state)
{
	struct notify_mail mail = a_mail();
	static char words[2000];
	const char *all, *subject;

	(void)state;
	for (size_t i = 0; i + 10 < sizeof words; i += 5)
		memcpy(words + i, "word ", 5);
	mail.subject = words;
	all = written(&mail);
	subject = strstr(all, "\r\nSubject: ") + 2;
	assert_true(strcspn(subject, "\r") <= 80);
	assert_true(strstr(subject, "\r\nMessage-ID") - subject < 450);
}

/* A reader of the mailbox finds the link's token in one piece. */
static void
breaks_text_between_words_and_leaves_links_whole(void **state)
{
	struct notify_mail mail = a_mail();
	char long_text[700], url[400];
	const char *all;

	(void)state;
	memset(url, 'u', sizeof url - 1);
	url[sizeof url - 1] = '\0';
	snprintf(long_text, sizeof long_text,
	    "Words that go on and on and on, for longer than a line of a letter "
	    "should be, and then some more of them.\n\nhttps://x/#token=%s\n",
	    url);
	mail.text = long_text;
	all = written(&mail);
	assert_non_null(strstr(all, url));
	assert_non_null(strstr(all, " of a letter should\r\nbe, and then"));
}

static void
sends_other_letters_as_they_are_or_encoded(void **state)
{
	struct notify_mail mail = a_mail();

	(void)state;
	mail.text = "Gr\xc3\xbc\xc3\x9f"
		    "e = \n";
	assert_non_null(strstr(written(&mail), "8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
					       "e"));
	mail.eight_bit = false;
	assert_non_null(strstr(written(&mail), "Gr=C3=BC=C3=9Fe =3D=20\r\n"));
}

static void
addresses_are_one_or_none(void **state)
{
	static const struct {
		const char *address;
		bool fine;
	} cases[] = {
		{ "a@example.com", true },
		{ "a+b.c@example.com", true },
		{ "a@example.com\r\nBcc: b@example.com", false },
		{ "a@example.com,b@example.com", false },
		{ "A <a@example.com>", false },
		{ "\"a b\"@example.com", false },
		{ "", false },
		{ "nobody", false },
		{ "@example.com", false },
		{ "a@", false },
		{ "a@b@c", false },
		{ "a\xc3\xbc@example.com", false },
	};
	char name[256], address[256];

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++)
		assert_int_equal(
		    notify_address_wrong(cases[i].address) == NULL, cases[i].fine);
	assert_true(notify_address_split("\"Acme\" <a@b.c>", name, address));
	assert_string_equal(name, "Acme");
	assert_string_equal(address, "a@b.c");
	assert_true(notify_address_split("a@b.c", name, address));
	assert_false(notify_address_split("Acme <a@b.c", name, address));
	assert_false(notify_address_split("Acme", name, address));
}

static void
a_full_name_of_a_host_is_told_from_others(void **state)
{
	static const struct {
		const char *name;
		bool full;
	} cases[] = {
		{ "mail.acme.example", true },
		{ "xn--bcher-kva.example", true },
		{ "ACME.EXAMPLE", true },
		{ "localhost", false },
		{ "127.0.0.1", false },
		{ "[::1]", false },
		{ "acme.", false },
		{ ".example", false },
		{ "a..example", false },
		{ "-a.example", false },
		{ "a-.example", false },
		{ "a b.example", false },
		{ "a.example/x", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(cases); i++)
		if (notify_is_full_name(cases[i].name) != cases[i].full)
			fail_msg("%s", cases[i].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_headers_and_two_parts),
		cmocka_unit_test(offers_to_unsubscribe_by_one_click),
		cmocka_unit_test(no_name_and_no_subject_adds_a_header),
		cmocka_unit_test(quotes_what_ends_a_name),
		cmocka_unit_test(encodes_headers_that_are_not_ascii),
		cmocka_unit_test(folds_a_long_subject_and_cuts_an_endless_one),
		cmocka_unit_test(breaks_text_between_words_and_leaves_links_whole),
		cmocka_unit_test(sends_other_letters_as_they_are_or_encoded),
		cmocka_unit_test(addresses_are_one_or_none),
		cmocka_unit_test(a_full_name_of_a_host_is_told_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
