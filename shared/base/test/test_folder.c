/* test_folder.c - paths in it are made here only. */
#include "test_folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[] = "/tmp/trellis-test-XXXXXX";

static void
path_of(const char *name, size_t len, char path[300])
{
	assert_in_range(snprintf(path, 300, "%s/%.*s", folder, (int)len, name), 1, 299);
}

const char *
test_folder_open(void)
{
	strcpy(folder, "/tmp/trellis-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return folder;
}

void
test_folder_close(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

void
test_folder_put(const char *name, const char *text)
{
	char path[300];
	FILE *file;

	for (const char *at = strchr(name, '/'); at; at = strchr(at + 1, '/')) {
		path_of(name, (size_t)(at - name), path);
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	path_of(name, strlen(name), path);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

bool
test_folder_has(const char *name)
{
	char path[300];

	path_of(name, strlen(name), path);
	return access(path, F_OK) == 0;
}
