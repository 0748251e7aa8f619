/* disposition.h - what Content-Disposition says (RFC 6266, RFC 7578): of a request, and
 * of each part of a form. Pure; any thread. */
#pragma once

#include <stddef.h>

#include <trl/arena.h>
#include <trl/compiler.h>

struct disposition {
	const char *type;     /* "attachment", "form-data"; in lower case */
	const char *name;     /* of a form's part, or NULL */
	const char *filename; /* or NULL: byte for byte, whatever a path it is */
};

/* NULL, or what is wrong with it. What out has lies in arena. filename*, which says its
 * character set (RFC 8187: UTF-8 only), goes before filename. A backslash stands for
 * itself but before a quote and another one. */
const char *disposition_read(trl_arena *arena, const char *text, size_t len,
    struct disposition *out) TRL_MUST_CHECK;

/* One parameter of a field that has a value and then some: "; name=value", the value a
 * token or in quotes. *at moves behind it. 1: it was read; 0: there is none left; -1:
 * what comes is none. */
struct parameter {
	const char *name, *value; /* the name in lower case; both of the arena */
};
int parameter_next(
    trl_arena *arena, const char *text, size_t len, size_t *at, struct parameter *out);
/* A token (RFC 9110, 5.6.2) at *at, in lower case and of the arena; NULL: there is
 * none. */
const char *token_next(trl_arena *arena, const char *text, size_t len, size_t *at);
