/* form.c - see form.h. Between parts stands CRLF, two hyphens and the boundary (RFC
 * 2046, 5.1.1), which has no CR: so what was begun of it and does not go on is a part's
 * bytes, and another may begin with the byte that it ended at. */
#include "form/form.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "form/disposition.h"
#include "form/head.h"

enum { BOUNDARY_MAX = 70, LINE_HEADS = 4 /* CRLF and two hyphens */ };

enum state {
	BEFORE,  /* what may stand before the first part */
	EDGE,    /* behind a boundary: hyphens, or the end of its line */
	CLOSING, /* behind a hyphen there */
	PADDING, /* blanks behind a boundary */
	EDGE_LF,
	HEAD,
	VALUE,
	BYTES,
	AFTER,
	BROKEN
};

struct form {
	trl_arena *arena;
	enum state state;
	char delimiter[LINE_HEADS + BOUNDARY_MAX];
	size_t delimiter_len;
	size_t matched;  /* of the delimiter, so far; of which the first imagined */
	size_t imagined; /* were not sent: a line ended before them anyhow */
	const char *why;
	size_t beside; /* bytes before the first or after the last part */
	char head[FORM_HEAD_MAX];
	size_t head_len;
	char *value; /* NUL-ended */
	size_t value_len;
	struct form_part part;
	unsigned n_fields;
	bool had_file, file_ended;
};

static enum form_step
wrong(form *self, struct form_part *out, const char *why)
{
	self->state = BROKEN;
	self->why = why;
	*out = (struct form_part){ .wrong = why };
	return FORM_WRONG;
}

static bool
is_boundary(const char *text)
{
	const size_t len = strlen(text);

	return len > 0 && len <= BOUNDARY_MAX && text[len - 1] != ' ' &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789'()+_,-./:=? ") == len;
}

/* So what comes next may be a boundary, but is no part of anything. */
static void
line_has_ended(form *self)
{
	self->matched = self->imagined = 2;
}

/* Of a Content-Type that begins with multipart/form-data; NULL: it is another, or has
 * none. */
static const char *
boundary_of(trl_arena *arena, const char *content_type)
{
	const size_t len = strlen(content_type);
	const char *boundary = NULL, *token;
	struct parameter parameter;
	size_t at = 0;
	int found;

	token = token_next(arena, content_type, len, &at);
	if (!token || strcmp(token, "multipart") != 0 || content_type[at] != '/')
		return NULL;
	at++;
	token = token_next(arena, content_type, len, &at);
	if (!token || strcmp(token, "form-data") != 0)
		return NULL;
	while ((found = parameter_next(arena, content_type, len, &at, &parameter)) > 0)
		if (strcmp(parameter.name, "boundary") == 0) {
			if (boundary)
				return NULL;
			boundary = parameter.value;
		}
	return found == 0 ? boundary : NULL;
}

form *
form_new(trl_arena *arena, const char *content_type, const char **why)
{
	const char *boundary = boundary_of(arena, content_type);
	form *self;

	if (!boundary || !is_boundary(boundary)) {
		*why = "The Content-Type is no multipart/form-data with a boundary.";
		return NULL;
	}
	self = trl_arena_zalloc(arena, sizeof *self);
	self->arena = arena;
	self->delimiter_len = LINE_HEADS + strlen(boundary);
	memcpy(self->delimiter, "\r\n--", LINE_HEADS);
	memcpy(self->delimiter + LINE_HEADS, boundary, strlen(boundary));
	line_has_ended(self);
	return self;
}

/* Part bytes up to a delimiter, or to where one may begin. True: it is whole, and was
 * read too. */
static bool
until_delimiter(
    form *self, const uint8_t **data, size_t *len, const uint8_t **part, size_t *n)
{
	const uint8_t *at, *found;
	size_t tail;

	*n = 0;
	while (self->matched > 0 && *len > 0) {
		if (**data != (uint8_t)self->delimiter[self->matched]) {
			*part = (const uint8_t *)self->delimiter + self->imagined;
			*n = self->matched - self->imagined;
			self->matched = self->imagined = 0;
			return false;
		}
		(*data)++;
		(*len)--;
		if (++self->matched == self->delimiter_len) {
			self->matched = self->imagined = 0;
			return true;
		}
	}
	if (*len == 0)
		return false;
	at = *part = *data;
	found = memmem(at, *len, self->delimiter, self->delimiter_len);
	if (found) {
		*n = (size_t)(found - at);
		*len -= *n + self->delimiter_len;
		*data = found + self->delimiter_len;
		return true;
	}
	/* What the piece ends with may be how one begins. */
	tail = *len < self->delimiter_len ? *len : self->delimiter_len - 1;
	while (memcmp(at + *len - tail, self->delimiter, tail) != 0)
		tail--;
	self->matched = tail;
	*n = *len - tail;
	*data += *len;
	*len = 0;
	return false;
}

/* The head is whole: a field begins, or the file. */
static enum form_step
begin_part(form *self, struct form_part *out)
{
	const char *why =
	    form_head_read(self->arena, self->head, self->head_len, &self->part);

	if (why)
		return wrong(self, out, why);
	if (self->had_file)
		return wrong(self, out,
		    "The form has more after its file: it takes one file, as its last "
		    "part.");
	line_has_ended(self);
	if (self->part.filename || strcmp(self->part.name, "file") == 0) {
		self->had_file = true;
		self->state = BYTES;
		*out = self->part;
		return FORM_FILE;
	}
	if (++self->n_fields > FORM_FIELDS_MAX)
		return wrong(self, out, "The form has more than 16 fields.");
	self->value = trl_arena_alloc(self->arena, FORM_VALUE_MAX + 1);
	self->value_len = 0;
	self->state = VALUE;
	return FORM_MORE;
}

/* Bytes up to the empty line. */
static enum form_step
step_head(form *self, const uint8_t **data, size_t *len, struct form_part *out)
{
	while (*len > 0) {
		const uint8_t byte = **data;

		(*data)++;
		(*len)--;
		if (self->head_len == FORM_HEAD_MAX)
			return wrong(self, out,
			    "A part of the form has a head of more than 8 KiB.");
		self->head[self->head_len++] = (char)byte;
		if (byte != '\n')
			continue;
		if (self->head_len == 2 && self->head[0] == '\r') {
			self->head_len = 0;
			return begin_part(self, out);
		}
		if (self->head_len >= 4 &&
		    memcmp(self->head + self->head_len - 4, "\r\n\r\n", 4) == 0) {
			self->head_len -= 2;
			return begin_part(self, out);
		}
	}
	return FORM_MORE;
}

/* Behind a boundary. */
static enum form_step
step_edge(form *self, const uint8_t **data, size_t *len, struct form_part *out)
{
	const uint8_t byte = **data;

	(*data)++;
	(*len)--;
	if (self->state == CLOSING && byte == '-') {
		self->state = AFTER;
		self->beside = 0;
		return self->had_file ? FORM_END
				      : wrong(self, out, "The form has no file.");
	}
	if (self->state == EDGE && byte == '-')
		self->state = CLOSING;
	else if (self->state == EDGE_LF && byte == '\n')
		self->state = HEAD;
	else if ((self->state == EDGE || self->state == PADDING) && byte == '\r')
		self->state = EDGE_LF;
	else if ((self->state == EDGE || self->state == PADDING) &&
		 (byte == ' ' || byte == '\t') && self->beside++ < FORM_BESIDE_MAX)
		self->state = PADDING;
	else
		return wrong(
		    self, out, "A boundary of the form is not at the end of its line.");
	self->head_len = 0;
	return FORM_MORE;
}

/* What a field says; whole is its end. */
static enum form_step
step_value(form *self, const uint8_t *part, size_t n, bool whole, struct form_part *out)
{
	if (self->value_len + n > FORM_VALUE_MAX)
		return wrong(
		    self, out, "A field of the form has more than 4096 bytes.");
	if (n > 0)
		memcpy(self->value + self->value_len, part, n);
	self->value_len += n;
	if (!whole)
		return FORM_MORE;
	self->value[self->value_len] = '\0';
	*out = self->part;
	out->value = self->value;
	out->len = self->value_len;
	return FORM_FIELD;
}

/* What stands before the first boundary; the line before it has ended. */
static enum form_step
step_before(form *self, size_t n, struct form_part *out)
{
	self->beside += n;
	if (self->beside > FORM_BESIDE_MAX)
		return wrong(self, out, "The body does not begin with a boundary.");
	return FORM_MORE;
}

/* A piece of what stands between two boundaries. */
static enum form_step
step_part(form *self, const uint8_t **data, size_t *len, struct form_part *out)
{
	const enum state state = self->state;
	const uint8_t *part = NULL;
	size_t n;
	const bool whole = until_delimiter(self, data, len, &part, &n);

	if (whole) {
		self->state = EDGE;
		self->beside = 0;
	}
	if (state == BEFORE)
		return step_before(self, n, out);
	if (state == VALUE)
		return step_value(self, part, n, whole, out);
	self->file_ended = whole;
	if (n == 0)
		return FORM_MORE;
	*out = (struct form_part){ .data = part, .len = n };
	return FORM_BYTES;
}

static enum form_step
step(form *self, const uint8_t **data, size_t *len, struct form_part *out)
{
	switch (self->state) {
	case HEAD:
		return step_head(self, data, len, out);
	case BEFORE:
	case VALUE:
	case BYTES:
		return step_part(self, data, len, out);
	case EDGE:
	case CLOSING:
	case PADDING:
	case EDGE_LF:
		return step_edge(self, data, len, out);
	case AFTER:
		*data += *len;
		self->beside += *len;
		*len = 0;
		return self->beside > FORM_BESIDE_MAX
			   ? wrong(self, out, "There are bytes after the form's end.")
			   : FORM_MORE;
	default:
		return wrong(self, out, self->why);
	}
}

enum form_step
form_next(form *self, const uint8_t **data, size_t *len, struct form_part *out)
{
	enum form_step done = FORM_MORE;

	while (done == FORM_MORE) {
		if (self->file_ended) {
			self->file_ended = false;
			return FORM_FILE_END;
		}
		if (*len == 0)
			return FORM_MORE;
		done = step(self, data, len, out);
	}
	return done;
}

const char *
form_finish(const form *self)
{
	return self->state == AFTER ? NULL : "The form is cut off before its end.";
}
