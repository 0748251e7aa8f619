/* sniff.c - see sniff.h. Nothing is unpacked, and of programs no more is read than that
 * they are some: each further look is one more parser for hostile bytes. */
#include "sniff/sniff.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <magic.h>

static const char unknown[] = "application/octet-stream";

static magic_t database;

void
sniff_open(void)
{
	database = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
			      MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TOKENS);
	if (!database || magic_load(database, NULL) != 0) {
		(void)fprintf(stderr,
		    "trellis-sniff: libmagic's database (Debian: libmagic-mgc) cannot "
		    "be read: %s\n",
		    database ? magic_error(database) : "out of memory");
		exit(1);
	}
}

void
sniff_prove(void)
{
	static const char known[] = "%PDF-1.4\n", type[] = "application/pdf";
	struct trl_buf said = { 0 };

	sniff_answer((const uint8_t *)known, sizeof known - 1, &said);
	trl_assert(
	    said.len == sizeof type - 1 && memcmp(said.data, type, said.len) == 0);
	trl_buf_fini(&said);
}

void
sniff_close(void)
{
	magic_close(database);
	database = NULL;
}

/* libmagic has no type for some archives that it does know (Office's, written by others
 * than Office), nor for one without files. */
static bool
is_zip(const uint8_t *head, size_t len)
{
	return len >= 4 && (memcmp(head, "PK\003\004", 4) == 0 ||
			       memcmp(head, "PK\005\006", 4) == 0);
}

/* ISO 14496-12 and QuickTime: of the brands that cameras write it knows some. */
static bool
is_boxes(const uint8_t *head, size_t len)
{
	return len >= 16 && head[0] == 0 &&
	       (memcmp(head + 4, "ftyp", 4) == 0 || memcmp(head + 4, "wide", 4) == 0 ||
		   memcmp(head + 4, "skip", 4) == 0 ||
		   memcmp(head + 4, "free", 4) == 0);
}

/* Of a type its length, else 0: whatever libmagic's database says for want of a type is
 * none. */
static size_t
type_length(const char *text)
{
	size_t slashes = 0, i = 0;

	for (; text[i] && text[i] != ';' && text[i] != ' '; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("/.+-_", text[i]))
			return 0;
		slashes += text[i] == '/';
	}
	return slashes == 1 && i <= SNIFF_TYPE_MAX ? i : 0;
}

void
sniff_answer(const uint8_t *head, size_t len, struct trl_buf *reply)
{
	const char *found = magic_buffer(database, head, len);
	size_t found_len = found ? type_length(found) : 0;

	if (found_len == 0) {
		found = unknown;
		found_len = strlen(unknown);
	}
	if (strncasecmp(found, unknown, found_len) == 0 &&
	    (is_zip(head, len) || is_boxes(head, len))) {
		found = is_zip(head, len) ? "application/zip" : "video/mp4";
		found_len = strlen(found);
	}
	for (size_t i = 0; i < found_len; i++) {
		const uint8_t small = (uint8_t)tolower((unsigned char)found[i]);

		trl_buf_add(reply, &small, 1);
	}
}
