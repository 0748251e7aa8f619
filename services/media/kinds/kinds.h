/* kinds.h - a file's media type, and what follows from it: whether a browser may show
 * it in place, and whether it is a picture that can be rendered.
 *
 * A file's bytes say what it is (sniff/). The declared type is believed if it is the
 * more specific of the two, or if bytes cannot tell: a .docx is a ZIP archive, a table
 * with commas is text. Systems declare by the name's extension only, and differ in
 * that, so a name that agrees with the bytes is believed before the declared type;
 * among pictures (or audio, or fonts) the detected type counts. Otherwise the declared
 * type is false, and nothing is stored. table.c says which type is a special case of
 * which.
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
	bool in_place; /* may be shown in place (Content-Disposition: inline): nothing
			  in it can run */
	bool picture;  /* trellis-picture reads it */
	bool heif;     /* but only if the installation says so (TRELLIS_MEDIA_HEIF) */
};

/* trellis-sniff, for trl_child_open. */
extern const struct trl_child_kind kinds_child;

/* Finds a file's type by its beginning: head has len bytes, KINDS_HEAD_MAX or all of a
 * shorter file, and is used until the call returns. declared: the Content-Type that
 * came with it, parameters and all, or NULL. name: the file's, or NULL; it never
 * overrules the bytes, nor a type with a fixed beginning. out->type is static or in
 * ctx's arena. A file that trellis-sniff fails on is application/octet-stream. Errors:
 * TRL_UNSUPPORTED_MEDIA_TYPE (the declared type is false, or not a media type), and
 * those of trl_child_ask. */
enum trl_code kinds_look(trl_ctx *ctx, trl_child *sniff, const void *head, size_t len,
    const char *declared, const char *name, struct kind *out) TRL_MUST_CHECK;

/* The same when the detected type is known; found NULL: the file is empty, and so of no
 * type with a fixed beginning. */
enum trl_code kinds_judge(trl_ctx *ctx, const char *found, const char *declared,
    const char *name, struct kind *out) TRL_MUST_CHECK;

/* Whether declared is what clients send that do not know the type; NULL and "" are. */
bool kinds_says_nothing(const char *declared);
/* Whether it is a media type, parameters and all, or says nothing as above. */
bool kinds_is_type(const char *declared);
/* Whether a file may turn out to be of a type in the list, before its bytes are known.
 * declared, name: NULL if there is none. */
bool kinds_may_be_listed(
    const char *const *list, const char *declared, const char *name);

/* What is known of a stored type; .type is the same text. All is false for an unknown
 * one. */
struct kind kinds_of(const char *type);

/* Whether text may be in a list of types: "image/png", "image/ *" and "* / *" (without
 * the spaces). */
bool kinds_listable(const char *text);
/* Whether a stored type is in a NULL-ended list; NULL: any is. Aliases of a type count
 * as the same type. */
bool kinds_listed(const char *const *list, const char *type);
