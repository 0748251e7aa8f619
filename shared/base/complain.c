/* complain.c - see complain.h. One switch a process, set once before it starts to
 * serve: by then it is known who reads stderr, and no caller has to know. */
#include <trl/complain.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/log.h>

static bool in_log;

void
trl_complain_in_log(void)
{
	in_log = true;
}

void
trl_complain(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	trl_assert(n >= 0);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (in_log && isatty(STDERR_FILENO) == 0)
		trl_log_fields(TRL_LOG_ERROR, NULL, text,
		    (const struct trl_log_field[]){ { .name = NULL } });
	else
		fprintf(stderr, "%s\n", text);
	free(text);
}
