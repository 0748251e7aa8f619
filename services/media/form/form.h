/* form.h - parses multipart/form-data (RFC 7578) piece by piece: fields, then one file,
 * which is the last part. None of the file is kept; everything else is bounded. Pure;
 * one user at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <trl/arena.h>
#include <trl/compiler.h>

enum {
	FORM_VALUE_MAX = 4096, /* of a field, bytes */
	FORM_FIELDS_MAX = 16,
	FORM_HEAD_MAX = 8192,   /* of a part, bytes */
	FORM_BESIDE_MAX = 4096, /* before the first part and after the last */
};

typedef struct form form;

/* Reads the boundary from a Content-Type. NULL: *wrong says what is wrong. The form
 * lies in arena. */
form *form_new(trl_arena *arena, const char *content_type, const char **wrong);

enum form_step {
	FORM_MORE,     /* all of the piece was read; continue with the next */
	FORM_FIELD,    /* part.name, part.value */
	FORM_FILE,     /* it begins: part.name, part.filename and part.type, or NULL */
	FORM_BYTES,    /* of the file: part.data, good until the next step */
	FORM_FILE_END, /* the file was complete */
	FORM_END,      /* the form has ended; ignore what still comes */
	FORM_WRONG     /* part.wrong says how; no further steps */
};
struct form_part {
	const char *name, *filename, *type, *value; /* in the arena */
	const uint8_t *data;
	size_t len; /* of value or data */
	const char *wrong;
};

/* The next step of a piece; *data and *len become what is left of it. */
enum form_step form_next(
    form *self, const uint8_t **data, size_t *len, struct form_part *out);
/* After the last piece: NULL, or what is missing. */
const char *form_finish(const form *self);
