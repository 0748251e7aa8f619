/* kinds.h - what a file's media type is, and what follows from it: whether a browser
 * may show it in place, and whether it is a picture that is rendered.
 *
 * A file is what its bytes say (sniff/). What was declared with it is believed where
 * that is the more special of the two, or where bytes cannot tell: a .docx is a ZIP
 * archive, a table with commas a text. Systems declare by the name's ending alone, and
 * not all alike, so a name that agrees with the bytes is believed before what was
 * declared, and of pictures (or sound, or fonts) the one that was found is it. Else
 * what was declared is a lie, and nothing is stored. table.c has what is beneath what.
 *
 * For actors; all but kinds_look are pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/child.h>

enum {
	KINDS_HEAD_MAX = 64 << 10, /* of a file, to look at; as sniff/sniff.h has it */
	KINDS_TYPE_MAX = 127       /* bytes of a media type */
};

struct kind {
	const char
	    *type;     /* lower case, without parameters; the usual one of its names */
	bool in_place; /* may be shown in place (Content-Disposition: inline): it can do
			  nothing, whatever is in it */
	bool picture;  /* trellis-picture reads it */
	bool heif; /* but only where the installation says so (TRELLIS_MEDIA_HEIF) */
};

/* trellis-sniff, for trl_child_open. */
extern const struct trl_child_kind kinds_child;

/* Looks at how a file begins: at all of head (len bytes, KINDS_HEAD_MAX at most; all of
 * them where it is no longer), which the call needs until it returns. declared: the
 * Content-Type that came with it, parameters and all, or NULL; name: the file's, or
 * NULL; it says nothing against the bytes, or a type that has to begin in its own way.
 * out->type is static or of ctx's arena. One that trellis-sniff does not get over is
 * application/octet-stream. Errors: TRL_UNSUPPORTED_MEDIA_TYPE (what was declared is a
 * lie, or no media type), and those of trl_child_ask. */
enum trl_code kinds_look(trl_ctx *ctx, trl_child *sniff, const void *head, size_t len,
    const char *declared, const char *name, struct kind *out) TRL_MUST_CHECK;

/* The same where it is known what was found; found NULL: the file is empty, and so is
 * nothing that begins in a way of its own. */
enum trl_code kinds_judge(trl_ctx *ctx, const char *found, const char *declared,
    const char *name, struct kind *out) TRL_MUST_CHECK;

/* Whether what was declared is what clients send that do not know. NULL and "": it
 * is. */
bool kinds_says_nothing(const char *declared);
/* Whether it is a media type, parameters and all, or says nothing. */
bool kinds_is_type(const char *declared);
/* Whether a file of which that was declared may turn out to be one of a list, before it
 * is looked at. NULL: nothing was declared, or it has no name. */
bool kinds_may_be_listed(
    const char *const *list, const char *declared, const char *name);

/* What is known of a type that is stored; .type is the same text. Of an unknown one:
 * nothing. */
struct kind kinds_of(const char *type);

/* Whether text can stand in a list of types: "image/png", "image/ *" (without the
 * space), "* / *". */
bool kinds_listable(const char *text);
/* Whether a type, as stored, is one of a NULL-ended list; NULL: any is. Other names of
 * a type are the same type. */
bool kinds_listed(const char *const *list, const char *type);
