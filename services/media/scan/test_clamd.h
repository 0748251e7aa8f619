/* test_clamd.h - the real clamd with one signature of our own, for tests. Include it
 * once in a test's program. */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scan/clamd.h"

/* The largest body that it takes, and the largest file that it reads. */
enum { LIMIT = 1 << 20, START_MS = 60000 };

#define EICAR "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

static char clamd_folder[64];
static pid_t clamd_pid;

static inline void
clamd_write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", clamd_folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void
clamd_write_config(void)
{
	char path[128], text[512], *at = text;

	(void)snprintf(path, sizeof path, "%s/db", clamd_folder);
	assert_int_equal(mkdir(path, 0700), 0);
	at += sprintf(at, "Test.Eicar:0:*:");
	for (const char *c = EICAR; *c; c++)
		at += sprintf(at, "%02x", (unsigned char)*c);
	(void)sprintf(at, "\n");
	clamd_write_file("db/test.ndb", text);
	(void)snprintf(text, sizeof text,
	    "LocalSocket %s/real\nDatabaseDirectory %s/db\nForeground yes\n"
	    "StreamMaxLength %d\nAlertExceedsMax yes\nMaxFileSize %d\n",
	    clamd_folder, clamd_folder, LIMIT, LIMIT / 2);
	clamd_write_file("clamd.conf", text);
}

/* Whether it is there: it takes connections once it has read its signatures. */
static inline bool
clamd_is_there(const struct sockaddr_un *at)
{
	const int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char reply[8] = "";
	const bool is = connect(end, (const struct sockaddr *)at, sizeof *at) == 0 &&
			send(end, "zPING", 6, MSG_NOSIGNAL) == 6 &&
			recv(end, reply, sizeof reply, MSG_WAITALL) == 5 &&
			strcmp(reply, "PONG") == 0;

	close(end);
	return is;
}

/* Starts it; address is what TRELLIS_MEDIA_CLAMD would be. */
static inline void
clamd_start(char address[96])
{
	char config[160];
	char *const words[] = { (char *)(uintptr_t) "clamd", config, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int left = START_MS / 20;

	(void)snprintf(
	    config, sizeof config, "--config-file=%s/clamd.conf", clamd_folder);
	(void)snprintf(address, 96, "unix:%s/real", clamd_folder);
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s/real", clamd_folder);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	for (int fd = 1; fd < 3; fd++)
		assert_int_equal(
		    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", 1, 0),
		    0);
	assert_int_equal(posix_spawn(&clamd_pid, "/usr/sbin/clamd", &actions, NULL,
			     words, environment),
	    0);
	posix_spawn_file_actions_destroy(&actions);
	while (!clamd_is_there(&at)) {
		assert_true(left-- > 0);
		(void)usleep(20000);
	}
}

static inline void
clamd_stop(void)
{
	char path[128];

	if (clamd_pid > 0) {
		(void)kill(clamd_pid, SIGKILL);
		(void)waitpid(clamd_pid, NULL, 0);
		clamd_pid = 0;
	}
	(void)snprintf(path, sizeof path, "%s/real", clamd_folder);
	(void)unlink(path);
}

static inline void
clamd_make_folder(void)
{
	(void)strcpy(clamd_folder, "/tmp/trellis-clamd.XXXXXX");
	assert_non_null(mkdtemp(clamd_folder));
	clamd_write_config();
}

static inline int
clamd_remove_folder(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -r '%s'", clamd_folder);
	return system(command);
}
