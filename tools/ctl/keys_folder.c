/* keys_folder.c - keys as files: a new folder, in it one for each process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <sodium.h>

#include "keys.h"

static bool
say(const char *what, const char *path)
{
	fprintf(stderr, "trellis: %s %s: %s\n", what, path, strerror(errno));
	return false;
}

static bool
write_file(int folder, ctl_keyring *keys, const struct ctl_secret *secret)
{
	int fd = openat(folder, secret->file,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char line[CTL_KEY_TEXT];
	bool fine;

	if (fd < 0)
		return false;
	ctl_key_line(keys, secret, line);
	fine = write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fsync(fd) == 0;
	sodium_memzero(line, sizeof line);
	return close(fd) == 0 && fine;
}

static bool
write_all(int top, ctl_keyring *keys, const struct ctl_secret *secrets)
{
	int folder;
	bool fine;

	for (size_t i = 0; secrets[i].owner != NULL; i++) {
		if (mkdirat(top, secrets[i].owner, 0700) != 0 && errno != EEXIST)
			return false;
		folder = openat(top, secrets[i].owner,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder < 0)
			return false;
		fine = write_file(folder, keys, &secrets[i]);
		close(folder);
		if (!fine)
			return false;
	}
	return fsync(top) == 0;
}

/* What was begun and cannot be ended. */
static void
take_back(int top, const char *folder, const struct ctl_secret *secrets)
{
	char path[256];

	for (size_t i = 0; secrets[i].owner != NULL; i++) {
		snprintf(path, sizeof path, "%s/%s", secrets[i].owner, secrets[i].file);
		unlinkat(top, path, 0);
	}
	for (size_t i = 0; secrets[i].owner != NULL; i++)
		unlinkat(top, secrets[i].owner, AT_REMOVEDIR);
	rmdir(folder);
}

bool
ctl_keys_folder(const char *folder, ctl_keyring *keys, const struct ctl_secret *secrets)
{
	int top;
	bool fine;

	if (mkdir(folder, 0700) != 0) {
		if (errno != EEXIST)
			return say("cannot make", folder);
		fprintf(stderr,
		    "trellis: %s is there already; nothing is written over. Name a new "
		    "folder, or remove that one if no mesh has used its keys\n",
		    folder);
		return false;
	}
	top = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0)
		return say("cannot open", folder);
	fine = write_all(top, keys, secrets);
	if (!fine) {
		say("cannot write the keys into", folder);
		take_back(top, folder, secrets);
	}
	close(top);
	return fine;
}
