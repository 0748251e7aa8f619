/* config_files.c - the files that settings were read from, and whether they still hold
 * what is in use. A kubelet puts new ones in place by swapping a link (..data) beside
 * them, so what counts is the file that the path leads to now. Of what was read a hash
 * is kept under a key of this process's, from which nobody learns a secret. */
#include "config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

struct hash {
	uint8_t bytes[32];
};

static struct file {
	struct file *next;
	char name[128]; /* of the variable, without _FILE */
	struct hash used;
	bool differs;     /* at the last look, from what is used */
	struct stat seen; /* at the last look; st_ino 0: not yet */
} * files;

static struct hash
hash_of(const char *text)
{
	static uint8_t key[crypto_generichash_KEYBYTES];
	struct hash hash;

	if (sodium_is_zero(key, sizeof key))
		randombytes_buf(key, sizeof key);
	crypto_generichash(hash.bytes, sizeof hash.bytes, (const uint8_t *)text,
	    strlen(text), key, sizeof key);
	return hash;
}

static struct file *
find(const char *name)
{
	struct file *file = files;

	while (file != NULL && strcmp(file->name, name) != 0)
		file = file->next;
	return file;
}

void
trl_config_note_file(const char *name, const char *text)
{
	struct file *file = find(name);

	if (file == NULL) {
		file = calloc(1, sizeof *file);
		trl_assert(file != NULL && strlen(name) < sizeof file->name);
		strcpy(file->name, name);
		file->next = files;
		files = file;
	}
	file->used = hash_of(text);
	file->differs = false;
}

/* Whether another file may stand at the path than at the last look. */
static bool
is_new(const struct stat *seen, const struct stat *now)
{
	return seen->st_dev != now->st_dev || seen->st_ino != now->st_ino ||
	       seen->st_size != now->st_size ||
	       seen->st_mtim.tv_sec != now->st_mtim.tv_sec ||
	       seen->st_mtim.tv_nsec != now->st_mtim.tv_nsec;
}

static void
look_at(struct file *file, void (*fn)(void *self, const char *name, bool differs),
    void *self)
{
	char file_name[160];
	const char *path;
	struct stat now;
	struct hash hash;
	char *text;

	snprintf(file_name, sizeof file_name, "%s_FILE", file->name);
	path = getenv(file_name);
	if (path == NULL || stat(path, &now) != 0 || !is_new(&file->seen, &now))
		return;
	text = trl_config_slurp(path);
	if (text == NULL)
		return;
	hash = hash_of(text);
	trl_config_forget(text);
	free(text);
	file->seen = now;
	file->differs = sodium_memcmp(&hash, &file->used, sizeof hash) != 0;
	fn(self, file->name, file->differs);
}

void
trl_config_look(void (*fn)(void *self, const char *name, bool differs), void *self)
{
	for (struct file *file = files; file != NULL; file = file->next)
		look_at(file, fn, self);
}

bool
trl_config_differs(const char *name)
{
	bool differs = false;

	for (const struct file *file = files; file != NULL; file = file->next)
		if (name == NULL || strcmp(file->name, name) == 0)
			differs = differs || file->differs;
	return differs;
}

trl_secret *
trl_config_secret_anew(const char *name)
{
	const char *text;
	trl_secret *secret;

	if (!trl_config_value(name, &text) || text == NULL)
		return NULL;
	if (*text == '\0') {
		trl_config_complain(name, "is empty; set it to a value or unset it");
		return NULL;
	}
	secret = trl_secret_new(text, strlen(text));
	trl_config_forget(text);
	return secret;
}
