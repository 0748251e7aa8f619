/* test_folder.h - a folder of a test program's own, and text in it. One at a time. */
#pragma once

#include <stdbool.h>

/* Makes it, below /tmp, and gives its path, which stays until the next one's. */
const char *test_folder_open(void);
/* Removes it with all that is in it. */
void test_folder_close(void);
/* Writes a file; a name with slashes makes the folders on its way. */
void test_folder_put(const char *name, const char *text);
bool test_folder_has(const char *name);
