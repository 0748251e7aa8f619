/* assert.c - the end of a process whose invariants broke. One line on stderr by
 * plain write, because the log itself may be what is broken. */
#include <trl/compiler.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void
trl_assert_failed(const char *condition, const char *file, int line)
{
	char text[512];
	int n;

	n = snprintf(text, sizeof text,
	    "{\"level\":\"error\",\"message\":\"assertion failed\",\"file\":\"%s\","
	    "\"line\":%d}\nassertion failed: %s\n",
	    file, line, condition);
	if (n > (int)sizeof text - 1)
		n = (int)sizeof text - 1;
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(134);
	abort();
}
