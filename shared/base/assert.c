/* assert.c - the end of a process whose invariants broke. One line of JSON on stderr by
 * plain write, because the log itself may be what is broken. */
#include <trl/compiler.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <trl/crash.h>

enum { CONDITION_MAX = 256 };

/* The source's text with what JSON wants escaped, cut where it is long. */
static void
escape(const char *text, char out[CONDITION_MAX])
{
	size_t len = 0;

	for (; *text != '\0' && len < CONDITION_MAX - 3; text++) {
		if (*text == '"' || *text == '\\')
			out[len++] = '\\';
		out[len++] = *text >= ' ' ? *text : ' ';
	}
	out[len] = '\0';
}

_Noreturn void
trl_assert_failed(const char *condition, const char *file, int line)
{
	char escaped[CONDITION_MAX], text[CONDITION_MAX + 512];
	char note[CONDITION_MAX + 256];
	int n;

	escape(condition, escaped);
	n = snprintf(text, sizeof text,
	    "{\"severity_text\":\"ERROR\",\"severity_number\":17,\"body\":"
	    "\"assertion failed\",\"condition\":\"%s\",\"code.file.path\":\"%s\","
	    "\"code.line.number\":%d}\n",
	    escaped, file, line);
	if (n > (int)sizeof text - 1)
		n = (int)sizeof text - 1;
	snprintf(
	    note, sizeof note, "assertion failed: %s (%s:%d)", condition, file, line);
	trl_crash_note(note);
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(134);
	abort();
}
