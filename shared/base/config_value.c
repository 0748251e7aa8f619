/* config_value.c - a variable's text, from the environment or from a file. */
#include "config_value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include <trl/complain.h>

enum { FILE_MAX = 64 << 10 };

/* Values live until exit; the list is what says so to a leak checker. */
static struct kept {
	struct kept *next;
	void *p;
} * kept;

void *
trl_config_keep(void *p)
{
	struct kept *one = malloc(sizeof *one);

	trl_assert(p != NULL && one != NULL);
	*one = (struct kept){ kept, p };
	kept = one;
	return p;
}

void
trl_config_forget(const char *value)
{
	sodium_memzero((char *)(uintptr_t)value, strlen(value));
}

void
trl_config_complain(const char *name, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	trl_assert(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	trl_complain("trellis: %s %s", name, text);
	free(text);
}

char *
trl_config_slurp(const char *path)
{
	char *text = malloc(FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 0;
	int fd;

	trl_assert(text != NULL);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (
	    fd >= 0 && len < FILE_MAX && (n = read(fd, text + len, FILE_MAX - len)) > 0)
		len += (size_t)n;
	if (fd < 0 || n < 0 || len == FILE_MAX) {
		int why = fd < 0 || n < 0 ? errno : EFBIG;

		free(text);
		if (fd >= 0)
			close(fd);
		errno = why;
		return NULL;
	}
	close(fd);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	text[len] = '\0';
	return text;
}

bool
trl_config_value(const char *name, const char **value)
{
	char file_name[128];
	const char *direct = getenv(name);
	const char *path;
	char *text;

	*value = NULL;
	snprintf(file_name, sizeof file_name, "%s_FILE", name);
	path = getenv(file_name);
	if (path == NULL) {
		if (direct != NULL)
			*value = trl_config_keep(strdup(direct));
		return true;
	}
	if (direct != NULL) {
		trl_config_complain(
		    name, "and %s are both set; unset one of them", file_name);
		return false;
	}
	text = trl_config_slurp(path);
	if (text == NULL) {
		trl_config_complain(file_name, "names %s, which cannot be read: %s",
		    path, strerror(errno));
		return false;
	}
	trl_config_note_file(name, text);
	*value = trl_config_keep(text);
	return true;
}
