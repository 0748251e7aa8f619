/* test_child.c - a worker in a process of its own, to be frozen and killed: this
 * program again, told so by its arguments. See test_rig.h. */
#include "test_rig.h"

#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>

#include <trl/log.h>

void
rig_is_child(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "worker") != 0)
		return;
	world.loop = trl_loop_new(NULL);
	static const uint8_t seal_key[32] = { 7, 7, 7 }; /* as world_open's */
	struct trl_pg_options app = {
		.url = argv[2], .sql = &pgtest_sql, .seal_key = seal_key
	};
	struct trl_pg_options sys = { .url = argv[3], .sql = &pgtest_sql };
	trl_log_init("child", TRL_LOG_INFO);
	if (trl_pg_open(world.loop, &app, &world.pg) != TRL_OK ||
	    trl_pg_open(world.loop, &sys, &rig.sys[0]) != TRL_OK)
		_exit(1);
	rig_work(1, NULL);
	trl_loop_run(world.loop);
	_exit(0);
}

void
rig_child(void)
{
	char self[256], app[512], sys[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	trl_assert(n > 0 && rig.child == 0);
	self[n] = '\0';
	snprintf(app, sizeof app, "%s", test_db_as(&world.db, "pgtest_app"));
	snprintf(sys, sizeof sys, "%s", test_db_as(&world.db, "pgtest_sys"));
	snprintf(rig.child_log, sizeof rig.child_log, "/tmp/trl-jobs-XXXXXX");
	int log = mkstemp(rig.child_log);
	trl_assert(log >= 0);
	rig.child = fork();
	trl_assert(rig.child >= 0);
	if (rig.child == 0) {
		dup2(log, 2);
		execl(self, self, "worker", app, sys, (char *)NULL);
		_exit(127);
	}
	close(log);
}

void
rig_signal(int signum)
{
	trl_assert(rig.child > 0);
	kill(rig.child, signum);
}

bool
rig_child_said(void *text)
{
	char log[65536];
	FILE *file = fopen(rig.child_log, "r");
	size_t n = file ? fread(log, 1, sizeof log - 1, file) : 0;

	if (file)
		fclose(file);
	log[n] = '\0';
	return strstr(log, text) != NULL;
}

void
rig_child_end(void)
{
	if (rig.child == 0)
		return;
	kill(rig.child, SIGKILL);
	waitpid(rig.child, NULL, 0);
	unlink(rig.child_log);
	rig.child = 0;
}
