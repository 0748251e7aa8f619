/* mime.c - see mime.h. No line is longer than 998 bytes (RFC 5322, 2.1.1); text is
 * broken at 76 where words allow it. */
#include "mail/mime.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

enum {
	ADDRESS_MAX = 254, /* RFC 5321, 4.5.3.1.3, without the angle brackets */
	HEADER_MAX = 400,  /* of a subject or a name; the rest is cut */
	LINE_MAX_BYTES = 998,
	WRAP = 76,
	WORD_BYTES = 45 /* of text in an encoded word of at most 75 (RFC 2047, 2) */
};

const char *
notify_address_wrong(const char *address)
{
	const char *at = strchr(address, '@');
	const size_t len = strlen(address);

	for (const char *c = address; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return "it holds a character that no address has";
	if (len == 0 || len > ADDRESS_MAX || !at || at == address || !at[1])
		return "it is no address";
	if (strpbrk(address, ",;:<>()[]\"\\") || strchr(at + 1, '@'))
		return "it holds a character that would make it several";
	return NULL;
}

bool
notify_is_full_name(const char *name)
{
	const char *top = strrchr(name, '.');
	char before = '.';

	if (!top || strlen(name) > 253 || (top[1] >= '0' && top[1] <= '9'))
		return false;
	for (; *name; before = *name++) {
		const bool inner = *name == '.' || *name == '-';

		if (!inner && !(*name >= 'a' && *name <= 'z') &&
		    !(*name >= 'A' && *name <= 'Z') && !(*name >= '0' && *name <= '9'))
			return false;
		if (inner && (before == '.' || (*name == '.' && before == '-')))
			return false;
	}
	return before != '.' && before != '-';
}

bool
notify_address_split(const char *from, char name[256], char address[256])
{
	const char *open = strrchr(from, '<');
	size_t len;

	name[0] = '\0';
	if (!open) {
		snprintf(address, 256, "%s", from);
		return notify_address_wrong(address) == NULL;
	}
	len = strcspn(open + 1, ">");
	if (len >= 256 || open[1 + len] != '>' || open[2 + len] != '\0' ||
	    open - from >= 256)
		return false;
	snprintf(address, 256, "%.*s", (int)len, open + 1);
	len = (size_t)(open - from);
	while (len > 0 && from[len - 1] == ' ')
		len--;
	if (len >= 2 && from[0] == '"' && from[len - 1] == '"') {
		from++;
		len -= 2;
	}
	snprintf(name, 256, "%.*s", (int)len, from);
	return notify_address_wrong(address) == NULL;
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	len = max;
	while (len > 0 && is_continuation(text[len]))
		len--;
	return len;
}

static bool
wants_encoding(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
			return true;
	return memmem(text, len, "=?", 2) != NULL;
}

/* Encoded words, cut between characters; controls become spaces. */
static void
write_encoded(struct trl_buf *out, const char *text, size_t len)
{
	char word[WORD_BYTES / 3 * 4 + 1], clean[WORD_BYTES];
	bool first = true;

	while (len > 0) {
		size_t n = cut(text, len, WORD_BYTES);

		if (n == 0) /* no UTF-8; any cut is as good */
			n = len < WORD_BYTES ? len : WORD_BYTES;
		for (size_t i = 0; i < n; i++)
			clean[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f
				       ? ' '
				       : text[i];
		sodium_bin2base64(word, sizeof word, (const unsigned char *)clean, n,
		    sodium_base64_VARIANT_ORIGINAL);
		trl_buf_printf(out, "%s=?UTF-8?B?%s?=", first ? "" : "\r\n ", word);
		first = false;
		text += n;
		len -= n;
	}
}

/* Words of ASCII, folded before the line grows long (RFC 5322, 2.2.3). */
static void
write_folded(struct trl_buf *out, const char *text, size_t len, size_t column)
{
	size_t at = 0;

	while (at < len) {
		size_t n = 0;

		while (at + n < len && text[at + n] == ' ')
			n++;
		while (at + n < len && text[at + n] != ' ')
			n++;
		if (column + n > WRAP && at > 0 && text[at] == ' ' &&
		    at + n > at + strspn(text + at, " ")) {
			trl_buf_adds(out, "\r\n");
			column = 0;
		}
		trl_buf_add(out, text + at, n);
		column += n;
		at += n;
	}
}

static void
write_subject(struct trl_buf *out, const char *subject)
{
	const size_t len = cut(subject, strlen(subject), HEADER_MAX);

	trl_buf_adds(out, "Subject: ");
	if (wants_encoding(subject, len))
		write_encoded(out, subject, len);
	else
		write_folded(out, subject, len, 9);
	trl_buf_adds(out, "\r\n");
}

static void
write_from(struct trl_buf *out, const char *name, const char *address)
{
	const size_t len = name ? cut(name, strlen(name), HEADER_MAX / 4) : 0;

	trl_buf_adds(out, "From: ");
	if (len > 0 && wants_encoding(name, len)) {
		write_encoded(out, name, len);
		trl_buf_adds(out, "\r\n ");
	} else if (len > 0) {
		trl_buf_adds(out, "\"");
		for (size_t i = 0; i < len; i++) {
			if (name[i] == '"' || name[i] == '\\')
				trl_buf_adds(out, "\\");
			trl_buf_add(out, name + i, 1);
		}
		trl_buf_adds(out, "\" ");
	}
	trl_buf_printf(out, "<%s>\r\n", address);
}

static void
write_headers(struct trl_buf *out, const struct notify_mail *mail, const char *boundary)
{
	const time_t seconds = (time_t)(mail->at_us / 1000000);
	const char *domain = strrchr(mail->from, '@');
	char date[64], id[TRL_ID_TEXT];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
	trl_id_format(mail->id, id);
	trl_buf_printf(out, "Date: %s\r\n", date);
	write_from(out, mail->from_name, mail->from);
	trl_buf_printf(out, "To: %s\r\n", mail->to);
	if (mail->reply_to)
		trl_buf_printf(out, "Reply-To: <%s>\r\n", mail->reply_to);
	write_subject(out, mail->subject);
	trl_buf_printf(out, "Message-ID: <%s%s>\r\n", id, domain ? domain : "@trellis");
	if (mail->unsubscribe)
		trl_buf_printf(out,
		    "List-Unsubscribe: <%s>\r\n"
		    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
		    mail->unsubscribe);
	trl_buf_printf(out,
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/alternative;\r\n"
	    " boundary=\"%s\"\r\n\r\n",
	    boundary);
}

/* Quoted-printable (RFC 2045, 6.7); line breaks become CRLF. */
static void
write_quoted(struct trl_buf *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool ends = text[1] == '\n' || text[1] == '\r' || !text[1];
		char code[3] = { '=', hex[c >> 4], hex[c & 15] };
		const bool plain = (c >= 0x21 && c <= 0x7e && c != '=') ||
				   ((c == ' ' || c == '\t') && !ends);

		if (c == '\r' && text[1] == '\n')
			continue;
		if (c == '\n') {
			trl_buf_adds(out, "\r\n");
			column = 0;
			continue;
		}
		if (column + (plain ? 1 : 3) > WRAP - 1) {
			trl_buf_adds(out, "=\r\n");
			column = 0;
		}
		trl_buf_add(out, plain ? text : code, plain ? 1 : 3);
		column += plain ? 1 : 3;
	}
	if (column > 0)
		trl_buf_adds(out, "\r\n");
}

/* Where to break a line of len bytes: a space at most WRAP characters on, or the first
 * one behind; len: nowhere. */
static size_t
break_at(const char *line, size_t len)
{
	size_t columns = 0, best = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == ' ' && i > 0 && line[i - 1] != ' ') {
			if (columns > WRAP)
				return best ? best : i;
			best = i;
		}
		columns += !is_continuation(line[i]);
	}
	return columns > WRAP && best ? best : len;
}

/* Long lines are broken between words, as a person would. */
static void
wrap(struct trl_buf *out, const char *text)
{
	while (*text) {
		const char *end = text + strcspn(text, "\r\n");

		do {
			const size_t n = break_at(text, (size_t)(end - text));

			trl_buf_add(out, text, n);
			trl_buf_adds(out, "\n");
			text += n;
			if (text < end)
				text += strspn(text, " ");
		} while (text < end);
		text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
	}
	trl_buf_add(out, "", 1);
}

static bool
fits_as_it_is(const char *text, bool eight_bit)
{
	size_t line = 0;

	for (; *text; text++) {
		line = *text == '\n' ? 0 : line + 1;
		if (line > LINE_MAX_BYTES - 2 || (unsigned char)*text == 0x7f ||
		    ((unsigned char)*text >= 0x80 && !eight_bit))
			return false;
	}
	return true;
}

static bool
is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static void
write_text(struct trl_buf *out, const char *text, bool eight_bit)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf wrapped = { 0 };
	const char *lines;

	wrap(&wrapped, text);
	lines = (const char *)wrapped.data;
	trl_buf_adds(out, "Content-Type: text/plain; charset=utf-8\r\n");
	if (!fits_as_it_is(lines, eight_bit)) {
		trl_buf_adds(
		    out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		write_quoted(out, lines);
		return;
	}
	trl_buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
	    is_ascii(lines) ? "7bit" : "8bit");
	for (; *lines; lines++) {
		if (*lines == '\n')
			trl_buf_adds(out, "\r");
		trl_buf_add(out, lines, 1);
	}
}

void
notify_mime_write(const struct notify_mail *mail, struct trl_buf *out)
{
	char boundary[80], id[TRL_ID_TEXT];

	trl_id_format(mail->id, id);
	/* "=_" stands in no quoted-printable text, and no text knows the id. */
	snprintf(boundary, sizeof boundary, "=_%s", id);
	write_headers(out, mail, boundary);
	trl_buf_printf(out, "--%s\r\n", boundary);
	write_text(out, mail->text, mail->eight_bit);
	trl_buf_printf(out,
	    "\r\n--%s\r\nContent-Type: text/html; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	    boundary);
	write_quoted(out, mail->html);
	trl_buf_printf(out, "\r\n--%s--\r\n", boundary);
}
