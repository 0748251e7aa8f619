/* form.h - multipart/form-data (RFC 7578) as it comes, piece by piece: fields, then one
 * file, which is the last part. Nothing of the file is kept; all else is bounded. Pure;
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
	FORM_BESIDE_MAX = 4096, /* what may stand before the first and after the last */
};

typedef struct form form;

/* Reads the boundary from a Content-Type. NULL: *wrong says why there is none. The form
 * lies in arena. */
form *form_new(trl_arena *arena, const char *content_type, const char **wrong);

enum form_step {
	FORM_MORE,     /* all of the piece was read; goes on with the next */
	FORM_FIELD,    /* part.name, part.value */
	FORM_FILE,     /* it begins: part.name, part.filename and part.type, or NULL */
	FORM_BYTES,    /* of the file: part.data, until the next step */
	FORM_FILE_END, /* and it was whole */
	FORM_END,      /* the form's; what still comes means nothing */
	FORM_WRONG     /* part.wrong; there is nothing after that */
};
struct form_part {
	const char *name, *filename, *type, *value; /* of the arena */
	const uint8_t *data;
	size_t len; /* of value or data */
	const char *wrong;
};

/* The next thing of a piece, of which *data and *len become what was not read. */
enum form_step form_next(
    form *self, const uint8_t **data, size_t *len, struct form_part *out);
/* Nothing comes any more: NULL, or what is missing. */
const char *form_finish(const form *self);
