/* kinds.c - see kinds.h. */
#include "kinds/kinds.h"

#include <ctype.h>
#include <string.h>

#include "kinds/written.h"

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

/* A type that has no row: what its files may look like. */
static bool
may_look_like(const struct written *declared, const struct kind_row *found)
{
	const struct kind_row *root = kind_row_root(found);

	/* RFC 6839: what it is made in is a part of its name. */
	if (written_ends(declared, "+xml") || written_ends(declared, "+json") ||
	    written_begins(declared, "text/"))
		return root == kind_row_text();
	if (written_ends(declared, "+zip"))
		return strcmp(root->type, "application/zip") == 0;
	if (written_begins(declared, "image/"))
		return strcmp(root->type, "image/tiff") == 0;
	return (root->flags & KIND_COMMON) && !written_begins(declared, "audio/") &&
	       !written_begins(declared, "video/") &&
	       !written_begins(declared, "font/");
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
 * of libmagic's that says no more than nothing found; but what is XML does. */
static const struct written *
more_special(const struct written *found, const struct written *declared)
{
	const struct kind_row *f = found->row, *d = declared->row;

	if (!f && written_ends(found, "+xml"))
		f = kind_row_of("application/xml", strlen("application/xml"));
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

static bool
are_kin(const struct written *a, const struct written *b)
{
	return a->row && b->row && kind_row_root(a->row) == kind_row_root(b->row);
}

/* Of what was found and the name alone. */
static const struct written *
judge_found(const struct written *found, const struct written *name)
{
	const struct written *which =
	    found->row && name->row ? more_special(found, name) : NULL;

	return which ? which : found;
}

static bool
fits_star(const struct written *which, const struct written *star)
{
	return written_is(which, WRITTEN_UNKNOWN) ||
	       (written_begins(star, "text/") && which->row &&
		   kind_row_root(which->row) == kind_row_text()) ||
	       written_of_one_class(which, star);
}

/* What a system declares of itself it knows from the name's ending only, and there are
 * systems where an ending means another thing: of .csv Windows says Excel, of .ts a
 * film. So where bytes and name agree, they are believed before a type whose files
 * need not begin in a way of their own, and lie in another family. And a picture whose
 * name says that it is one of another format is a picture. NULL: it is a lie. */
static const struct written *
judge_all(const struct written *found, const struct written *declared,
    const struct written *name)
{
	const struct written *which = more_special(found, declared);
	const bool may_err =
	    which ? declared->row && !are_kin(found, declared)
		  : !(declared->row && declared->row->flags & KIND_SIGNED);

	if (may_err && are_kin(found, name) && more_special(found, name))
		return more_special(found, name);
	if (which)
		return which;
	return found->row && kind_row_root(found->row) != kind_row_text() &&
		       written_of_one_class(found, declared)
		   ? found
		   : NULL;
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
	const struct written by_name = written_by_name(name);

	if (row && (row->flags & KIND_SIGNED))
		return trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
		    "The file was declared to be %.*s and is empty.",
		    (int)declared->len, declared->text);
	*out = (struct kind){ .type = WRITTEN_UNKNOWN };
	if ((written_says_nothing(declared) || written_is_star(declared)) &&
	    by_name.row && kind_row_root(by_name.row) == kind_row_text())
		*out = kind_of_row(by_name.row);
	else if (written_begins(declared, "text/") ||
		 (row && kind_row_root(row) == kind_row_text()))
		*out = written_is_star(declared) ? kind_of_row(kind_row_text())
						 : kind_of(ctx, declared);
	return TRL_OK;
}

enum trl_code
kinds_judge(trl_ctx *ctx, const char *found, const char *declared, const char *name,
    struct kind *out)
{
	struct written f = { .text = WRITTEN_UNKNOWN, .len = strlen(WRITTEN_UNKNOWN) };
	struct written d = f;
	const struct written n = written_by_name(name), *which;

	if (declared && declared[strspn(declared, " \t")] &&
	    !written_read(declared, &d))
		return trl_fail(ctx, TRL_UNSUPPORTED_MEDIA_TYPE,
		    "The declared type is not a media type such as image/png.");
	if (!found)
		return judge_nothing(ctx, &d, name, out);
	if (!written_read(found, &f))
		return trl_fail(ctx, TRL_INTERNAL, "libmagic found \"%.100s\"", found);
	/* In which language a text is, it guesses too badly for anything. */
	if (!f.row && written_begins(&f, "text/"))
		f = (struct written){ "text/plain", strlen("text/plain"),
			kind_row_text() };
	if (written_says_nothing(&d) || written_is_star(&d)) {
		which = judge_found(&f, &n);
		if (written_is_star(&d) && !fits_star(which, &d))
			which = NULL;
	} else
		which = judge_all(&f, &d, &n);
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
kinds_says_nothing(const char *declared)
{
	struct written type;

	return !declared || !declared[strspn(declared, " \t")] ||
	       (written_read(declared, &type) && written_says_nothing(&type));
}

bool
kinds_is_type(const char *declared)
{
	struct written type;

	return kinds_says_nothing(declared) || written_read(declared, &type);
}
