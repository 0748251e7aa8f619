/* One text against one format (options.proto, Format). Each check says, in a
 * static sentence that follows "should be", what it wanted. */
#include <string.h>

#include <trl/id.h>
#include <trl/utf8.h>
#include <trl/validate.h>

enum { EMAIL_MAX = 254, LOCAL_MAX = 64, LABEL_MAX = 63, PERMISSION_MAX = 100 };

static bool
lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
letter(char c)
{
	return lower(c) || (c >= 'A' && c <= 'Z');
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_slug(const char *text, size_t len)
{
	if (len < 2 || !lower(text[0]) || text[len - 1] == '-')
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!lower(text[i]) && !digit(text[i]) && text[i] != '-')
			return false;
		if (text[i] == '-' && text[i - 1] == '-')
			return false;
	}
	return true;
}

/* Labels of letters, digits and inner hyphens (RFC 1123), dots between. */
static bool
is_host(const char *text, size_t len, size_t least_labels)
{
	size_t labels = 0, start = 0;
	bool numeric = true;

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '.') {
			if (!letter(text[i]) && !digit(text[i]) && text[i] != '-')
				return false;
			numeric = numeric && digit(text[i]);
			continue;
		}
		if (i == start || i - start > LABEL_MAX || text[start] == '-' ||
		    text[i - 1] == '-')
			return false;
		labels++;
		start = i + 1;
		if (i < len)
			numeric = true;
	}
	return labels >= least_labels && (least_labels < 2 || !numeric);
}

/* The dot-atom form of RFC 5321 section 4.1.2, with the bounds of 4.5.3.1; no
 * quoted local part, no address literal. */
static bool
is_email(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t local;

	if (!at || len > EMAIL_MAX)
		return false;
	local = (size_t)(at - text);
	if (local == 0 || local > LOCAL_MAX || text[0] == '.' || text[local - 1] == '.')
		return false;
	for (size_t i = 0; i < local; i++) {
		if (text[i] == '.' && text[i + 1] == '.')
			return false;
		if (!letter(text[i]) && !digit(text[i]) &&
		    (text[i] == '\0' || !strchr("!#$%&'*+-/=?^_`{|}~.", text[i])))
			return false;
	}
	return is_host(at + 1, len - local - 1, 2);
}

/* A port after the host, or nothing. */
static bool
is_port(const char *text, size_t len)
{
	unsigned port = 0;

	if (len == 0)
		return true;
	if (text[0] != ':' || len < 2 || len > 6)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!digit(text[i]))
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

static bool
is_visible_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x21 || text[i] > 0x7e)
			return false;
	}
	return len > 0;
}

/* http or https, an authority without user and password, no spaces (RFC 3986). */
static bool
is_url(const char *text, size_t len)
{
	size_t start, end, host;

	if (!is_visible_ascii(text, len) || memchr(text, '\\', len))
		return false;
	if (len > 8 && memcmp(text, "https://", 8) == 0)
		start = 8;
	else if (len > 7 && memcmp(text, "http://", 7) == 0)
		start = 7;
	else
		return false;
	for (end = start; end < len && !strchr("/?#", text[end]); end++)
		;
	if (text[start] == '[') {
		const char *close = memchr(text + start, ']', end - start);

		if (!close)
			return false;
		host = (size_t)(close - text) + 1;
		for (size_t i = start + 1; i < host - 1; i++) {
			if (!digit(text[i]) && !strchr("abcdefABCDEF:.", text[i]))
				return false;
		}
		return host - start > 3 && is_port(text + host, end - host);
	}
	for (host = start; host < end && text[host] != ':'; host++)
		;
	return is_host(text + start, host - start, 1) &&
	       is_port(text + host, end - host);
}

/* The shape of BCP 47: subtags of 1 to 8 letters and digits, the first of letters. */
static bool
is_locale(const char *text, size_t len)
{
	size_t start = 0;

	if (len < 2 || len > 35)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i == len || text[i] == '-') {
			if (i == start || i - start > 8 || (start == 0 && i < 2))
				return false;
			start = i + 1;
		} else if (!letter(text[i]) && (start == 0 || !digit(text[i]))) {
			return false;
		}
	}
	return true;
}

/* What shows nothing but shapes the character before it: joiners (in Persian, in the
 * scripts of India, in emoji) and selectors of variants (of emoji, of Chinese
 * characters in Japanese names). */
static bool
is_joiner(uint32_t code)
{
	return code == 0x200c || code == 0x200d;
}

static bool
is_selector(uint32_t code)
{
	return (code >= 0xfe00 && code <= 0xfe0f) ||
	       (code >= 0x180b && code <= 0x180d) || code == 0x180f ||
	       (code >= 0xe0100 && code <= 0xe01ef);
}

static bool
ends_a_line(uint32_t code)
{
	return code < 0x20 || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* Nothing may stand there that cannot be seen, or two names would look like one, or a
 * name like none: a joiner stands between two characters and a selector behind one, and
 * that one is beyond ASCII. before is 0 at the beginning. */
static bool
may_follow(uint32_t before, uint32_t code)
{
	const bool blank = trl_utf8_blank(before), hidden = trl_utf8_hidden(before);

	if (is_joiner(code))
		return before >= 0x80 && !blank && (!hidden || is_selector(before));
	if (is_selector(code))
		return before >= 0x80 && !blank && !hidden;
	if (trl_utf8_blank(code))
		return before != 0 && !ends_a_line(code) && !is_joiner(before);
	return !trl_utf8_hidden(code);
}

static bool
is_name(const char *text, size_t len)
{
	uint32_t code = 0, before;
	size_t at = 0;

	if (len == 0 || !trl_utf8_valid(text, len))
		return false;
	while (at < len) {
		before = code;
		code = trl_utf8_next(text, len, &at);
		if (!may_follow(before, code))
			return false;
	}
	return !trl_utf8_blank(code) && !is_joiner(code);
}

/* The shape of an IANA name: "UTC", "Europe/Berlin", "Etc/GMT+5". */
static bool
is_time_zone(const char *text, size_t len)
{
	if (len == 0 || len > 64 || !letter(text[0]) || text[len - 1] == '/')
		return false;
	for (size_t i = 1; i < len; i++) {
		if (text[i] == '/' && !letter(text[i + 1]))
			return false;
		if (!letter(text[i]) && !digit(text[i]) &&
		    (text[i] == '\0' || !strchr("/_+-", text[i])))
			return false;
	}
	return true;
}

static bool
is_permission(const char *text, size_t len)
{
	char name[PERMISSION_MAX + 1];

	if (len > PERMISSION_MAX || memchr(text, '\0', len))
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	return trl_permission_by_name(name) != NULL;
}

const char *
trl_format_check(enum trl_format format, const char *text, size_t len)
{
	struct trl_id id;

	switch (format) {
	case TRL_FORMAT_NONE:
		return NULL;
	case TRL_FORMAT_ID:
		return trl_id_parse(text, len, &id) ? NULL : "an id of 36 characters";
	case TRL_FORMAT_SLUG:
		return is_slug(text, len) ? NULL
					  : "letters a-z, digits and single inner "
					    "hyphens, beginning with a letter";
	case TRL_FORMAT_EMAIL:
		return is_email(text, len) ? NULL : "one e-mail address";
	case TRL_FORMAT_URL:
		return is_url(text, len) ? NULL : "an absolute http or https address";
	case TRL_FORMAT_LOCALE:
		return is_locale(text, len) ? NULL : "a language tag like en or de-CH";
	case TRL_FORMAT_TOKEN:
		return is_visible_ascii(text, len) ? NULL
						   : "printable ASCII without spaces";
	case TRL_FORMAT_NAME:
		return is_name(text, len)
			   ? NULL
			   : "one line of visible text without spaces at its ends";
	case TRL_FORMAT_TIME_ZONE:
		return is_time_zone(text, len) ? NULL
					       : "an IANA time zone like Europe/Berlin";
	case TRL_FORMAT_PERMISSION:
		return is_permission(text, len) ? NULL
						: "a permission of the catalogue";
	}
	return "of a known format";
}
