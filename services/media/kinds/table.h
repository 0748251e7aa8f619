/* table.h - the types that are known by name. Private to kinds/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
	KIND_IN_PLACE = 1, /* see kinds.h */
	KIND_PICTURE = 2,
	KIND_HEIF = 4,
	/* A file of this type always begins as one, and libmagic knows it. */
	KIND_SIGNED = 8,
	/* Which of those beneath it a file is, libmagic only guesses. */
	KIND_GUESSED = 16,
	/* Formats of all the world are made in it. */
	KIND_COMMON = 32
};

struct kind_row {
	const char *type;
	/* What its files may be found to be instead: types of other rows, or NULL. The
	 * first is what it is: the family's first row has none. */
	const char *beneath, *also, *third;
	const char *names; /* others of the type, a space between and around; or NULL */
	const char *endings; /* of file names, the same; or NULL */
	unsigned flags;
};

/* NULL: there is none of that name. */
const struct kind_row *kind_row_of(const char *type, size_t len);
/* By the ending of a file's name, without the dot. */
const struct kind_row *kind_row_ending(const char *ending);
/* Whether row's files may be found to be what above is, however far that is. */
bool kind_row_beneath(const struct kind_row *row, const struct kind_row *above);
/* The family's first row. */
const struct kind_row *kind_row_root(const struct kind_row *row);
/* That of all text. */
const struct kind_row *kind_row_text(void);
