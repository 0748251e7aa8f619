/* json_line.h - one line of JSON in a fixed buffer, for the log only: it takes
 * fields while they fit, cuts the text that does not, and says so at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRL_LINE_MAX = 8192 };

struct trl_line {
	char text[TRL_LINE_MAX];
	size_t len;
	bool cut;
};

void trl_line_begin(struct trl_line *line);
/* name is a word of ours; text is anybody's, of any bytes. */
void trl_line_str(struct trl_line *line, const char *name, const char *text);
void trl_line_int(struct trl_line *line, const char *name, int64_t value);
/* Closes the object and ends the line. */
void trl_line_end(struct trl_line *line);
