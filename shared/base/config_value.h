/* config_value.h - one variable of the environment, as the files of config see it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <trl/config.h>

/* The value of NAME, or of the file that NAME_FILE names (its last line ending is
 * dropped). *value is NULL when neither is set; it lives until exit. False: said by
 * trl_complain. */
bool trl_config_value(const char *name, const char **value);
/* All of a small file, without its last line ending; NULL with errno set. */
char *trl_config_slurp(const char *path);
/* config_files.c: what was read for use from a variable's file. */
void trl_config_note_file(const char *name, const char *text);
/* One complaint: "trellis: NAME ..." */
void trl_config_complain(const char *name, const char *fmt, ...) TRL_PRINTF(2, 3);
/* Keeps a heap pointer reachable until exit. */
void *trl_config_keep(void *p);
/* Wipes a value that was kept, where it was a secret and lies in a better place. */
void trl_config_forget(const char *value);
