/* kinds.c - see kinds.h. */
#include "kinds/kinds.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kinds/table.h"

static const char unknown[] = "application/octet-stream";

/* A media type as it was written, without its parameters. */
struct written {
	const char *text;
	size_t len;
	const struct kind_row *row; /* NULL: none is known */
};

static bool
is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* False: it is no media type (RFC 9110, 8.3.1). */
static bool
read_type(const char *text, struct written *out)
{
	size_t slash, end;

	text += strspn(text, " \t");
	for (slash = 0; is_token(text[slash]); slash++)
		;
	if (slash == 0 || text[slash] != '/')
		return false;
	for (end = slash + 1; is_token(text[end]); end++)
		;
	if (end == slash + 1 || end > KINDS_TYPE_MAX)
		return false;
	if (!strchr(";", text[end + strspn(text + end, " \t")]))
		return false; /* strchr finds the end, too */
	*out = (struct written){ text, end, kind_row_of(text, end) };
	return true;
}

static bool
is_same(const struct written *type, const char *text)
{
	return type->len == strlen(text) &&
	       strncasecmp(type->text, text, type->len) == 0;
}

/* Whether it is what clients send that do not know, or do not care (curl -d). */
static bool
is_nothing(const struct written *declared)
{
	static const char *const words[] = { unknown, "binary/octet-stream",
		"application/unknown", "application/x-unknown", "application/binary",
		"application/x-binary", "application/download",
		"application/x-download", "application/force-download",
		"application/x-www-form-urlencoded", "content/unknown", "*/*" };

	for (size_t i = 0; i < TRL_COUNT(words); i++)
		if (is_same(declared, words[i]))
			return true;
	return false;
}

static struct kind
kind_of_row(const struct kind_row *row)
{
	return (struct kind){ .type = row->type,
		.in_place = row->flags & KIND_IN_PLACE,
		.picture = row->flags & KIND_PICTURE,
		.heif = row->flags & KIND_HEIF };
}

static struct kind
kind_of(trl_ctx *ctx, const struct written *type)
{
	char *copy;

	if (type->row)
		return kind_of_row(type->row);
	copy = trl_arena_strndup(ctx->arena, type->text, type->len);
	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return (struct kind){ .type = copy };
}

static bool
begins(const struct written *type, const char *with)
{
	return type->len > strlen(with) &&
	       strncasecmp(type->text, with, strlen(with)) == 0;
}

static bool
ends(const struct written *type, const char *with)
{
	const size_t len = strlen(with);

	return type->len > len &&
	       strncasecmp(type->text + type->len - len, with, len) == 0;
}

static const struct kind_row *
text_row(void)
{
	return kind_row_of("text/plain", strlen("text/plain"));
}

/* A type that has no row: what its files may look like. */
static bool
may_look_like(const struct written *declared, const struct kind_row *found)
{
	const struct kind_row *root = kind_row_root(found);

	/* RFC 6839: what it is made in is a part of its name. */
	if (ends(declared, "+xml") || ends(declared, "+json") ||
	    begins(declared, "text/"))
		return root == text_row();
	if (ends(declared, "+zip"))
		return strcmp(root->type, "application/zip") == 0;
	if (begins(declared, "image/"))
		return strcmp(root->type, "image/tiff") == 0;
	return (root->flags & KIND_COMMON) && !begins(declared, "audio/") &&
	       !begins(declared, "video/") && !begins(declared, "font/");
}

/* Two of one family of which libmagic cannot tell one from the other; but a picture is
 * no film. */
static bool
are_alike(const struct kind_row *a, const struct kind_row *b)
{
	const struct kind_row *root = kind_row_root(a);

	return root == kind_row_root(b) && (root->flags & KIND_GUESSED) &&
	       (strncmp(root->type, "text/", 5) == 0 ||
		   !strncmp(a->type, "image/", 6) == !strncmp(b->type, "image/", 6));
}

/* Which of the two it is; NULL: they exclude each other. Found without a row is a guess
 * of libmagic's that says no more than nothing found. */
static const struct written *
more_special(const struct written *found, const struct written *declared)
{
	const struct kind_row *f = found->row, *d = declared->row;

	if (!f)
		return d && (d->flags & KIND_SIGNED) ? NULL : declared;
	if (!d)
		return may_look_like(declared, f) ? declared : NULL;
	if (d == f || kind_row_beneath(d, f))
		return declared;
	if (kind_row_beneath(f, d))
		return found;
	return are_alike(f, d) ? declared : NULL;
}

/* Where nothing was declared, a file's name may say which of those it is that are
 * beneath what was found. */
static const struct kind_row *
row_by_name(const struct kind_row *found, const char *name)
{
	const char *dot = name ? strrchr(name, '.') : NULL;
	const struct kind_row *row = dot && dot[1] ? kind_row_ending(dot + 1) : NULL;

	return row && (row == found || kind_row_beneath(row, found)) ? row : NULL;
}

static enum trl_code
refuse(trl_ctx *ctx, const struct written *found, const struct written *declared)
{
	return trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
	    "The file was declared to be %.*s and looks like %.*s.", (int)declared->len,
	    declared->text, (int)found->len, found->text);
}

/* Of no bytes nothing can be said but that they may be a text: what begins in a certain
 * way they are not. */
static enum trl_code
judge_nothing(
    trl_ctx *ctx, const struct written *declared, const char *name, struct kind *out)
{
	const struct kind_row *row = declared->row;

	if (row && (row->flags & KIND_SIGNED))
		return trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
		    "The file was declared to be %.*s and is empty.",
		    (int)declared->len, declared->text);
	*out = (struct kind){ .type = unknown };
	if (is_nothing(declared) && (row = row_by_name(text_row(), name)))
		*out = kind_of_row(row);
	else if (begins(declared, "text/") || (row && kind_row_root(row) == text_row()))
		*out = kind_of(ctx, declared);
	return TRL_OK;
}

enum trl_code
kinds_judge(trl_ctx *ctx, const char *found, const char *declared, const char *name,
    struct kind *out)
{
	struct written f = { .text = unknown, .len = strlen(unknown) };
	struct written d = f;
	const struct written *which;

	if (declared && declared[strspn(declared, " \t")] && !read_type(declared, &d))
		return trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
		    "What the file was declared to be is no media type, such as "
		    "image/png.");
	if (!found)
		return judge_nothing(ctx, &d, name, out);
	if (!read_type(found, &f))
		return trl_fail(ctx, TRL_INTERNAL, "libmagic found \"%.100s\"", found);
	/* In which language a text is, it guesses too badly for anything. */
	if (!f.row && begins(&f, "text/"))
		f = (struct written){ "text/plain", strlen("text/plain"), text_row() };
	if (is_nothing(&d)) {
		const struct kind_row *row = f.row ? row_by_name(f.row, name) : NULL;

		*out = row ? kind_of_row(row) : kind_of(ctx, &f);
		return TRL_OK;
	}
	which = more_special(&f, &d);
	if (!which)
		return refuse(ctx, &f, &d);
	*out = kind_of(ctx, which);
	return TRL_OK;
}

struct kind
kinds_of(const char *type)
{
	const struct kind_row *row = kind_row_of(type, strlen(type));
	struct kind kind = { 0 };

	if (row)
		kind = kind_of_row(row);
	kind.type = type;
	return kind;
}

bool
kinds_listable(const char *text)
{
	const char *slash = strchr(text, '/'), *star = strchr(text, '*');
	struct written type;

	if (!read_type(text, &type) || type.len != strlen(text))
		return false;
	return !star || strcmp(text, "*/*") == 0 || (star == slash + 1 && !star[1]);
}

static bool
matches(const char *listed, const char *type)
{
	const struct kind_row *row = kind_row_of(listed, strlen(listed));
	const char *slash = strchr(listed, '/');

	if (strcmp(listed, "*/*") == 0 ||
	    strcasecmp(row ? row->type : listed, type) == 0)
		return true;
	return slash && strcmp(slash, "/*") == 0 &&
	       strncasecmp(listed, type, (size_t)(slash + 1 - listed)) == 0;
}

bool
kinds_listed(const char *const *list, const char *type)
{
	if (!list)
		return true;
	for (; *list; list++)
		if (matches(*list, type))
			return true;
	return false;
}

bool
kinds_says_nothing(const char *declared)
{
	struct written type;

	return !declared || !declared[strspn(declared, " \t")] ||
	       (read_type(declared, &type) && is_nothing(&type));
}

bool
kinds_is_type(const char *declared)
{
	struct written type;

	return kinds_says_nothing(declared) || read_type(declared, &type);
}

bool
kinds_may_be_listed(const char *const *list, const char *declared)
{
	char type[KINDS_TYPE_MAX + 1];
	struct written d;

	if (!list || kinds_says_nothing(declared))
		return true;
	if (!read_type(declared, &d))
		return false;
	(void)snprintf(type, sizeof type, "%.*s", (int)d.len, d.text);
	if (kinds_listed(list, d.row ? d.row->type : type))
		return true;
	/* What is found may be more special. */
	for (; d.row && *list; list++) {
		const struct kind_row *row = kind_row_of(*list, strlen(*list));

		if (row && kind_row_beneath(row, d.row))
			return true;
	}
	return false;
}
