/* head.c - a request's first line and fields (RFC 9112, sections 2, 3 and 5).
 * Strict: what two readers could understand in two ways is refused, since the
 * other reader may be a proxy in front of us. */
#include "head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { METHOD_MAX = 32, LINE_SLACK = 64 };

/* Of ASCII, whatever the locale. */
static bool
is_alnum(char c)
{
	const unsigned digit = (unsigned char)c - (unsigned)'0';
	const unsigned letter = ((unsigned char)c | 0x20u) - (unsigned)'a';

	return digit < 10 || letter < 26;
}

/* RFC 9110, section 5.6.2 */
bool
trl_http_is_token(const char *s, size_t len)
{
	static const char more[] = "!#$%&'*+.^_`|~";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (!is_alnum(s[i]) && c != '-' && (!c || !strchr(more, c)))
			return false;
	}
	return len > 0;
}

/* Whether there may be a control in eight bytes, tab being one; never false where there
 * is one. (Bit Twiddling Hacks, "Determine if a word has a byte less than n".) */
static bool
may_have_control(uint64_t bytes)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;
	const uint64_t del = bytes ^ ones * 0x7f;

	return (((bytes - ones * 0x20) & ~bytes) | ((del - ones) & ~del)) & tops;
}

static bool
has_no_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* RFC 9110, section 5.5 */
bool
trl_http_is_value(const char *s, size_t len)
{
	uint64_t bytes;

	for (; len >= sizeof bytes; s += sizeof bytes, len -= sizeof bytes) {
		memcpy(&bytes, s, sizeof bytes);
		if (may_have_control(bytes) && !has_no_control(s, sizeof bytes))
			return false;
	}
	return has_no_control(s, len);
}

uint16_t
trl_http_head_scan(const struct trl_http_limits *limits, const uint8_t *data,
    size_t len, size_t *seen, size_t *end)
{
	size_t most = len < limits->head_bytes ? len : limits->head_bytes;
	size_t line_max = limits->uri_bytes + LINE_SLACK;
	const uint8_t *lf;
	size_t i;

	while (*seen < most && (lf = memchr(data + *seen, '\n', most - *seen))) {
		i = (size_t)(lf - data);
		/* Only the first search can start within the first line. */
		if (i > line_max && !memchr(data + 2, '\n', i - 2))
			return 414;
		if (i == 0 || data[i - 1] != '\r')
			return 400;
		*seen = i + 1;
		if (i >= 3 && data[i - 2] == '\n') {
			*end = i + 1;
			return 200;
		}
	}
	*seen = most;
	if (most > line_max && !memchr(data + 2, '\n', most - 2))
		return 414;
	return len > limits->head_bytes ? 431 : 0;
}

static uint16_t
refuse(struct trl_http_head *head, uint16_t status, const char *detail)
{
	head->detail = detail;
	return status;
}

static uint16_t
read_first_line(const struct trl_http_limits *limits, struct trl_http_head *head,
    char *line, char **target)
{
	char *space = strchr(line, ' '), *version;

	if (!space || space - line > METHOD_MAX ||
	    !trl_http_is_token(line, (size_t)(space - line)))
		return refuse(head, 400, "The method is not one.");
	*space = '\0';
	head->request.method = line;
	*target = space + 1;
	version = strchr(*target, ' ');
	if (!version || version == *target)
		return refuse(
		    head, 400, "The first line should be: method, target, version.");
	*version++ = '\0';
	if ((size_t)(version - *target) > limits->uri_bytes + 1)
		return refuse(head, 414, "The address is too long.");
	if (strncmp(version, "HTTP/", 5) != 0 || !isdigit((unsigned char)version[5]) ||
	    version[6] != '.' || !isdigit((unsigned char)version[7]) || version[8])
		return refuse(head, 400, "The version is not one.");
	if (version[5] != '1')
		return refuse(head, 505, "This server speaks HTTP/1.1.");
	head->old = version[7] == '0';
	return 200;
}

/* A field line without its CRLF, in place. */
static bool
read_field(char *line, size_t len, struct trl_http_header *out)
{
	char *colon = memchr(line, ':', len), *value, *end = line + len;

	/* A line that begins with a blank would be a folded one. */
	if (!colon || !trl_http_is_token(line, (size_t)(colon - line)))
		return false;
	for (char *p = line; p < colon; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	}
	value = colon + 1;
	if (!trl_http_is_value(value, (size_t)(end - value)))
		return false;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*colon = '\0';
	*end = '\0';
	*out = (struct trl_http_header){ line, value, (size_t)(end - value) };
	return true;
}

static bool
has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, ",")) {
		p += strspn(p, ", \t");
		if (!strncasecmp(p, word, n) && p[n + strspn(p + n, " \t")] == '\0')
			return true;
		if (!strncasecmp(p, word, n) && p[n + strspn(p + n, " \t")] == ',')
			return true;
	}
	return false;
}

static bool
read_length(const char *text, uint64_t *out)
{
	uint64_t n = 0;
	size_t len = strlen(text);

	if (len == 0 || len > 18)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*out = n;
	return true;
}

/* RFC 9110, section 7.2; user information has no place here. */
static bool
host_ok(const char *host)
{
	const char *p = host;

	while (is_alnum(*p) || (*p && strchr(".:-_~%!$&'()*+;=[]", *p)))
		p++;
	return *p == '\0' && p > host && p - host <= 255;
}

/* Fields of one value that decide who asks, where and for what: of two lines, a proxy
 * in front of us may have judged the other. Lists may stand in several lines, and so
 * may Cookie, which HTTP/2 has in pieces. */
static const char *const once[] = { "authorization", "content-type", "idempotency-key",
	"last-event-id", "origin", "x-csrf-token", "x-http-method-override",
	"x-tenant-id" };

struct fields {
	const char *host, *length, *coding, *expect;
	unsigned seen; /* of once, a bit each */
	bool twice, close, keep;
};

static void
note_once(struct fields *f, const char *name)
{
	for (unsigned i = 0; i < TRL_COUNT(once); i++) {
		if (once[i][0] != name[0] || strcmp(once[i], name) != 0)
			continue;
		f->twice |= (f->seen >> i & 1) != 0;
		f->seen |= 1U << i;
	}
}

static void
note(struct fields *f, const struct trl_http_header *h)
{
	const char **slot = NULL;

	if (!strcmp(h->name, "host"))
		slot = &f->host;
	else if (!strcmp(h->name, "content-length"))
		slot = &f->length;
	else if (!strcmp(h->name, "transfer-encoding"))
		slot = &f->coding;
	else if (!strcmp(h->name, "expect"))
		slot = &f->expect;
	else if (!strcmp(h->name, "connection")) {
		f->close |= has_word(h->value, "close");
		f->keep |= has_word(h->value, "keep-alive");
	}
	if (!slot) {
		note_once(f, h->name);
		return;
	}
	f->twice |= *slot != NULL;
	*slot = h->value;
}

/* Whether the codings end with chunked, and have it once: else nobody can tell where
 * the body ends (RFC 9112, section 6.3). */
static bool
ends_chunked(const char *codings)
{
	const char *last = strrchr(codings, ',');

	last = last ? last + 1 + strspn(last + 1, " \t") : codings;
	return !strcasecmp(last, "chunked") && strcasestr(codings, "chunked") == last;
}

/* RFC 9112, section 6: how long the body is, without a doubt or not at all. */
static uint16_t
frame(struct trl_http_head *head, const struct fields *f, const char *authority)
{
	struct trl_http_request *request = &head->request;

	if (f->twice)
		return refuse(head, 400, "A field that may stand once stands twice.");
	if ((!f->host && !head->old) || (f->host && !host_ok(f->host)) ||
	    (authority && !host_ok(authority)))
		return refuse(head, 400, "The Host field should name one host.");
	request->host = authority ? authority : f->host ? f->host : "";
	if (f->coding) {
		if (f->length || head->old)
			return refuse(head, 400, "The length of the body is in doubt.");
		if (!ends_chunked(f->coding))
			return refuse(head, 400, "The length of the body is in doubt.");
		if (strcasecmp(f->coding, "chunked") != 0)
			return refuse(
			    head, 501, "The transfer coding is not known here.");
		request->content_length = UINT64_MAX;
	} else if (f->length && !read_length(f->length, &request->content_length)) {
		return refuse(head, 400, "The Content-Length is not a number.");
	}
	request->has_body = request->content_length > 0;
	request->keep_alive = head->old ? f->keep && !f->close : !f->close;
	if (f->expect && !head->old) {
		if (strcasecmp(f->expect, "100-continue") != 0)
			return refuse(head, 417, "That expectation is not known here.");
		head->expect_continue = request->has_body;
	}
	return 200;
}

uint16_t
trl_http_head_parse(const struct trl_http_limits *limits, trl_arena *arena,
    const uint8_t *data, size_t len, struct trl_http_head *head)
{
	char *text, *line, *end, *cr, *target = NULL;
	struct trl_http_header *headers;
	struct fields fields = { 0 };
	const char *authority = NULL;
	uint16_t status, target_status = 200;
	size_t n = 0;

	memset(head, 0, sizeof *head);
	head->request.method = head->request.path = head->request.query = "";
	head->request.host = "";
	if (len >= 2 && !memcmp(data, "\r\n", 2)) { /* section 2.2: one is ignored */
		data += 2;
		len -= 2;
	}
	if (len < 4 || memchr(data, '\0', len))
		return refuse(head, 400, "The request cannot be read.");
	text = trl_arena_strndup(
	    arena, (const char *)data, len - 2); /* less the empty line */
	end = text + len - 2;
	headers = trl_arena_alloc(arena, TRL_HTTP_HEADERS_MAX * sizeof *headers);
	head->request.headers = headers; /* what is refused is known so far */
	for (line = text; line < end; line = cr + 2) {
		cr = memchr(line, '\r', (size_t)(end - line));
		if (!cr || cr[1] != '\n')
			return refuse(
			    head, 400, "A line ends otherwise than by CR LF.");
		*cr = '\0';
		if (line == text) {
			if ((status = read_first_line(limits, head, line, &target)) !=
			    200)
				return status;
			target_status =
			    trl_http_target(arena, head, target, &authority);
			continue;
		}
		if (n == TRL_HTTP_HEADERS_MAX)
			return refuse(head, 431, "There are too many fields.");
		if (!read_field(line, (size_t)(cr - line), &headers[n])) {
			/* Two readers could take the rest for another thing. */
			head->request.path = head->request.query = "";
			head->request.n_headers = 0;
			return refuse(head, 400, "A field cannot be read.");
		}
		note(&fields, &headers[n++]);
		head->request.n_headers = n;
	}
	if (!target)
		return refuse(head, 400, "There is no first line.");
	if (target_status != 200)
		return target_status; /* its detail stands there */
	return frame(head, &fields, authority);
}
