/* See s3_xml.h. */
#include "s3_xml.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool
starts(const struct s3_xml *xml, const char *what)
{
	const size_t len = strlen(what);

	return (size_t)(xml->end - xml->at) >= len && !memcmp(xml->at, what, len);
}

/* To behind the next such text; false: there is none. */
static bool
skip_to(struct s3_xml *xml, const char *what)
{
	const size_t len = strlen(what);
	const char *found = memmem(xml->at, (size_t)(xml->end - xml->at), what, len);

	if (found == NULL)
		return false;
	xml->at = found + len;
	return true;
}

static void
keep(struct s3_xml *xml, const char *bytes, size_t len)
{
	const size_t room = sizeof xml->text - 1 - xml->text_len;
	const size_t n = len < room ? len : room;

	memcpy(xml->text + xml->text_len, bytes, n);
	xml->text_len += n;
}

/* A character's number as UTF-8; false: it has none. */
static bool
keep_number(struct s3_xml *xml, uint32_t c)
{
	char utf8[4];
	size_t n = 0;

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return false;
	if (c < 0x80) {
		utf8[n++] = (char)c;
	} else if (c < 0x800) {
		utf8[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		utf8[n++] = (char)(0xe0 | c >> 12);
		utf8[n++] = (char)(0x80 | (c >> 6 & 63));
	} else {
		utf8[n++] = (char)(0xf0 | c >> 18);
		utf8[n++] = (char)(0x80 | (c >> 12 & 63));
		utf8[n++] = (char)(0x80 | (c >> 6 & 63));
	}
	if (c >= 0x80)
		utf8[n++] = (char)(0x80 | (c & 63));
	keep(xml, utf8, n);
	return true;
}

/* &#38; or &#x26; between & and ; */
static bool
read_number(struct s3_xml *xml, const char *digits, size_t len)
{
	const bool hex = len > 0 && digits[0] == 'x';
	uint32_t c = 0;

	for (size_t i = hex; i < len; i++) {
		const char d = digits[i];
		unsigned value = 99;

		if (d >= '0' && d <= '9')
			value = (unsigned)(d - '0');
		else if (hex && (d | 32) >= 'a' && (d | 32) <= 'f')
			value = (unsigned)((d | 32) - 'a' + 10);
		if (value == 99 || c > 0x10ffff)
			return false;
		c = c * (hex ? 16 : 10) + value;
	}
	return len > hex && keep_number(xml, c);
}

static bool
read_entity(struct s3_xml *xml)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' },
		{ "&quot;", '"' }, { "&apos;", '\'' } };
	const char *from = xml->at, *end;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (starts(xml, known[i].name)) {
			keep(xml, &known[i].c, 1);
			xml->at += strlen(known[i].name);
			return true;
		}
	end = memchr(from, ';', (size_t)(xml->end - from));
	if (end == NULL || end - from > 10 || from[1] != '#')
		return false;
	xml->at = end + 1;
	return read_number(xml, from + 2, (size_t)(end - from) - 2);
}

/* Text up to the next tag. */
static bool
read_text(struct s3_xml *xml)
{
	while (xml->at < xml->end && *xml->at != '<') {
		const char *from = xml->at;

		if (*from == '&') {
			if (!read_entity(xml))
				return false;
			continue;
		}
		while (xml->at < xml->end && *xml->at != '<' && *xml->at != '&')
			xml->at++;
		keep(xml, from, (size_t)(xml->at - from));
	}
	return true;
}

static bool
read_cdata(struct s3_xml *xml)
{
	const char *from = xml->at + 9;

	xml->at = from;
	if (!skip_to(xml, "]]>"))
		return false;
	keep(xml, from, (size_t)(xml->at - 3 - from));
	return true;
}

/* A tag's name without its prefix; at is behind it. */
static bool
read_name(struct s3_xml *xml, char name[S3_XML_NAME])
{
	const char *from = xml->at, *colon;
	size_t len;

	while (xml->at < xml->end && strchr(" \t\r\n/><&='\"", *xml->at) == NULL &&
	       *xml->at != '\0')
		xml->at++;
	len = (size_t)(xml->at - from);
	colon = memchr(from, ':', len);
	if (colon != NULL) {
		len -= (size_t)(colon + 1 - from);
		from = colon + 1;
	}
	if (len == 0 || len >= S3_XML_NAME)
		return false;
	memcpy(name, from, len);
	name[len] = '\0';
	return true;
}

/* Behind the > of a tag that begins; attributes may hold any but their quote. */
static bool
skip_attributes(struct s3_xml *xml)
{
	char quote = '\0';

	for (; xml->at < xml->end; xml->at++) {
		const char c = *xml->at;

		if (quote != '\0') {
			quote = c == quote ? '\0' : quote;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '<') {
			return false;
		} else if (c == '>') {
			xml->empty = xml->at[-1] == '/';
			xml->at++;
			return true;
		}
	}
	return false;
}

static enum s3_xml_event
begin(struct s3_xml *xml)
{
	xml->at++;
	if (xml->depth == S3_XML_DEPTH || !read_name(xml, xml->names[xml->depth]) ||
	    !skip_attributes(xml))
		return S3_XML_WRONG;
	xml->depth++;
	xml->text_len = 0;
	return S3_XML_BEGIN;
}

static enum s3_xml_event
leave(struct s3_xml *xml)
{
	char name[S3_XML_NAME];

	if (!xml->empty) {
		xml->at += 2;
		if (xml->depth == 0 || !read_name(xml, name) ||
		    strcmp(name, xml->names[xml->depth - 1]) != 0 || !skip_to(xml, ">"))
			return S3_XML_WRONG;
	}
	xml->empty = false;
	xml->text[xml->text_len] = '\0';
	xml->text_len = 0;
	xml->depth--;
	return S3_XML_LEAVE;
}

void
s3_xml_init(struct s3_xml *xml, const char *text, size_t len)
{
	xml->at = text;
	xml->end = text + len;
	xml->depth = 0;
	xml->text_len = 0;
	xml->empty = false;
}

static enum s3_xml_event
next(struct s3_xml *xml)
{
	if (xml->empty)
		return leave(xml);
	for (;;) {
		if (!read_text(xml))
			return S3_XML_WRONG;
		if (xml->at == xml->end)
			return S3_XML_WRONG;
		if (starts(xml, "<![CDATA[") && xml->depth > 0) {
			if (!read_cdata(xml))
				return S3_XML_WRONG;
		} else if (starts(xml, "<!--")) {
			if (!skip_to(xml, "-->"))
				return S3_XML_WRONG;
		} else if (starts(xml, "<?")) {
			if (!skip_to(xml, "?>"))
				return S3_XML_WRONG;
		} else {
			break;
		}
	}
	if (starts(xml, "<!"))
		return S3_XML_WRONG;
	return starts(xml, "</") ? leave(xml) : begin(xml);
}

enum s3_xml_event
s3_xml_next(struct s3_xml *xml, const char **name, unsigned *depth)
{
	const bool was_in = xml->depth > 0;
	enum s3_xml_event event = next(xml);

	if (event == S3_XML_WRONG)
		return event;
	if (event == S3_XML_LEAVE && xml->depth == 0)
		return was_in ? S3_XML_OVER : S3_XML_WRONG;
	*depth = xml->depth + (event == S3_XML_LEAVE);
	*name = xml->names[*depth - 1];
	return event;
}

bool
s3_xml_find(const char *text, size_t len, const char *root, const char *name, char *out,
    size_t size)
{
	struct s3_xml xml;
	enum s3_xml_event event;
	const char *found;
	unsigned depth;

	s3_xml_init(&xml, text, len);
	while ((event = s3_xml_next(&xml, &found, &depth)) <= S3_XML_LEAVE) {
		if (depth == 1 && root != NULL && strcmp(found, root) != 0)
			return false;
		if (event != S3_XML_LEAVE || depth != 2 || strcmp(found, name) != 0)
			continue;
		if (strlen(xml.text) >= size)
			return false;
		strcpy(out, xml.text);
		return true;
	}
	return false;
}
