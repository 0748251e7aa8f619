/* document.h - an invoice or credit note as texts: what stands where, already in its
 * language. It knows nothing of pages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trl/arena.h>
#include <trl/ctx.h>

#include "billing_v1.trl.h"

enum { DOCUMENT_PARTY_MAX = 8, DOCUMENT_FACTS_MAX = 8, DOCUMENT_SUMS_MAX = 48 };

struct document_fact {
	const char *label, *value;
};

struct document_party {
	const char *label;
	size_t n;
	const char *lines[DOCUMENT_PARTY_MAX]; /* the first is the name */
};

/* A row of the table. */
enum document_column {
	COLUMN_TEXT,
	COLUMN_QUANTITY,
	COLUMN_PRICE,
	COLUMN_TAX,
	COLUMN_AMOUNT,
	COLUMNS
};
struct document_line {
	const char *cells[COLUMNS]; /* NULL: empty */
	const char *below;          /* under its text, smaller; or NULL */
	const char
	    *forward; /* the sum of the amounts before it, for the top of a page */
};

enum document_weight { SUM_PLAIN, SUM_BOLD, SUM_STRONG /* what it is all about */ };
struct document_sum {
	const char *label, *value;
	enum document_weight weight;
};

struct document {
	const char *locale; /* BCP 47, or NULL */
	bool rtl;
	const char *language; /* "de", for fonts */
	const char *title, *subtitle;
	const char *name;   /* its title and number */
	const char *stamp;  /* beside the title: it holds no more; or NULL */
	const char *issued; /* RFC 3339, for the file's own dates */
	struct document_party seller, buyer;
	size_t n_facts;
	struct document_fact facts[DOCUMENT_FACTS_MAX];
	const char *columns[COLUMNS]; /* their names */
	const char *forward_label;
	size_t n_lines;
	struct document_line *lines;
	size_t n_sums;
	struct document_sum sums[DOCUMENT_SUMS_MAX];
	size_t n_notes;
	const char **notes; /* paragraphs */
	const char *footer; /* or NULL */
};

/* Of what is asked for, in arena. NULL, or what is wrong with it. */
const char *document_of(
    trl_arena *arena, const Billing__V1__PdfRequest *asked, struct document *out);
