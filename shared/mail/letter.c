/* letter.c - a letter as the text of RFC 5322, in UTF-8 sent as it is (8bit), so
 * that a person who looks into the mailbox can read it and follow its link. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "letter.h"

enum {
	ADDRESS_MAX = 254, /* RFC 5321, 4.5.3.1.3, without the angle brackets */
	SUBJECT_MAX = 400,
	TEXT_MAX = 64 * 1024,
	WORD_BYTES = 45 /* of text in an encoded word of at most 75 (RFC 2047, 2) */
};

static bool
has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* One address and no more: what would separate, quote or group is refused. */
static const char *
check_address(const char *to)
{
	const char *at = strchr(to, '@');
	size_t len = strlen(to);

	if (has_control(to))
		return "the address holds a line break or another control character";
	if (len == 0 || len > ADDRESS_MAX || at == NULL || at == to || at[1] == '\0')
		return "the address is none";
	if (strpbrk(to, " ,;:<>()[]\"\\") != NULL)
		return "the address holds a character that would make it several";
	return NULL;
}

const char *
letter_check(const struct trl_mail_letter *letter)
{
	const char *wrong;

	if (letter->to == NULL || letter->subject == NULL || letter->text == NULL)
		return "the letter is incomplete";
	wrong = check_address(letter->to);
	if (wrong != NULL)
		return wrong;
	if (has_control(letter->subject))
		return "the subject holds a line break or another control character";
	if (strlen(letter->subject) > SUBJECT_MAX || strlen(letter->text) > TEXT_MAX)
		return "the letter is too long";
	return NULL;
}

static bool
is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* RFC 2047 encoded words, cut between characters. */
static void
write_subject(struct trl_buf *out, const char *subject)
{
	char word[WORD_BYTES / 3 * 4 + 1];
	size_t left = strlen(subject), n;

	trl_buf_adds(out, "Subject:");
	if (is_ascii(subject)) {
		trl_buf_printf(out, " %s\r\n", subject);
		return;
	}
	while (left > 0) {
		n = left < WORD_BYTES ? left : WORD_BYTES;
		while (n < left && ((unsigned char)subject[n] & 0xc0) == 0x80)
			n--;
		sodium_bin2base64(word, sizeof word, (const unsigned char *)subject, n,
		    sodium_base64_VARIANT_ORIGINAL);
		trl_buf_printf(out, " =?UTF-8?B?%s?=\r\n", word);
		subject += n;
		left -= n;
	}
}

/* Line breaks become CRLF; a line is cut where RFC 5322 would refuse it. */
static void
write_body(struct trl_buf *out, const char *text)
{
	size_t len;

	while (*text) {
		len = strcspn(text, "\r\n");
		if (len > LETTER_LINE_MAX) {
			len = LETTER_LINE_MAX;
			while (len > 1 && ((unsigned char)text[len] & 0xc0) == 0x80)
				len--;
			trl_buf_add(out, text, len);
			text += len;
		} else {
			trl_buf_add(out, text, len);
			text += len;
			text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
		}
		trl_buf_adds(out, "\r\n");
	}
}

void
letter_write(struct trl_buf *out, const char *from,
    const struct trl_mail_letter *letter, struct trl_id id, int64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	char date[64], name[TRL_ID_TEXT];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
	trl_id_format(id, name);
	trl_buf_printf(
	    out, "Date: %s\r\nFrom: %s\r\nTo: %s\r\n", date, from, letter->to);
	write_subject(out, letter->subject);
	trl_buf_printf(out,
	    "Message-ID: <%s@trellis>\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "\r\n",
	    name);
	write_body(out, letter->text);
}
