/* process.c - process_* by the names and meanings of Prometheus's own clients, out of
 * proc(5). Descriptors are counted by asking of each number whether it is one, a few
 * thousand at a time: reading the folder /proc/self/fd makes an inode for each, which
 * holds the loop for tens of milliseconds where there are tens of thousands. */
#include <trl/process.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include <trl/metrics.h>

enum { FDS_AT_ONCE = 2048 };

static struct {
	trl_series *cpu, *resident, *virtual_bytes, *started, *fds, *fds_max, *threads;
	int next_fd, end_fd; /* of a count under way; next 0: none is */
	unsigned counted;
} process;

static trl_series *
gauge(const char *name, const char *help)
{
	return trl_series_at(trl_gauge_new(name, help, NULL), NULL);
}

/* The number behind a word of a small file, or -1. */
static long long
number_in(const char *path, const char *word)
{
	const size_t len = strlen(word);
	FILE *file = fopen(path, "re");
	long long found = -1;
	char line[256];

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, word, len) == 0) {
			found = strtoll(line + len, NULL, 10);
			break;
		}
	if (file != NULL)
		fclose(file);
	return found;
}

/* proc(5), /proc/pid/stat: the name, in parentheses, may hold anything; what follows
 * its last one begins with field 3. */
static bool
read_stat(double fields[25])
{
	FILE *file = fopen("/proc/self/stat", "re");
	char text[1024], *at;
	size_t n;

	if (file == NULL)
		return false;
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	at = strrchr(text, ')');
	if (at == NULL || at[1] == '\0' || at[2] == '\0')
		return false;
	at += 3; /* the state, field 3, is a letter */
	for (int i = 4; i < 25; i++)
		fields[i] = strtod(at, &at);
	return true;
}

static void
look_at_stat(void)
{
	const double tick = (double)sysconf(_SC_CLK_TCK);
	double fields[25];
	struct rlimit files;

	if (read_stat(fields)) {
		trl_series_set(process.cpu, (fields[14] + fields[15]) / tick);
		trl_series_set(process.threads, fields[20]);
		trl_series_set(process.virtual_bytes, fields[23]);
		trl_series_set(
		    process.resident, fields[24] * (double)sysconf(_SC_PAGESIZE));
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		trl_series_set(process.fds_max, (double)files.rlim_cur);
}

bool
trl_process_look(void)
{
	if (process.cpu == NULL)
		return false;
	if (process.next_fd == 0) {
		const long long size = number_in("/proc/self/status", "FDSize:");

		look_at_stat();
		process.end_fd = size > 0 ? (int)size : 0;
		process.counted = 0;
	}
	for (int i = 0; i < FDS_AT_ONCE && process.next_fd < process.end_fd; i++)
		process.counted += fcntl(process.next_fd++, F_GETFD) >= 0;
	if (process.next_fd < process.end_fd)
		return true;
	trl_series_set(process.fds, process.counted);
	process.next_fd = 0;
	return false;
}

static double
count_lines(void *self)
{
	(void)self;
	return (double)trl_metrics_lines();
}

static double
count_others(void *self)
{
	(void)self;
	return (double)trl_metrics_others();
}

/* When it began: in ticks since the machine did. */
static double
started(void)
{
	double fields[25];
	const long long boot = number_in("/proc/stat", "btime ");

	return boot > 0 && read_stat(fields)
		   ? (double)boot + fields[22] / (double)sysconf(_SC_CLK_TCK)
		   : 0;
}

void
trl_process_metrics(
    const char *version, const char *const *services, unsigned n_services)
{
	trl_metric *build = trl_gauge_new("trellis_build_info",
	    "1; which version each service of this process is", "version", "service",
	    NULL);

	for (unsigned i = 0; i < n_services; i++)
		trl_series_set(trl_series_at(build, version, services[i]), 1);
	process.cpu =
	    trl_series_at(trl_counter_new("process_cpu_seconds_total",
			      "Total user and system CPU time spent in seconds.", NULL),
		NULL);
	process.resident =
	    gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
	process.virtual_bytes =
	    gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
	process.started = gauge("process_start_time_seconds",
	    "Start time of the process since unix epoch in seconds.");
	process.fds = gauge("process_open_fds", "Number of open file descriptors.");
	process.fds_max =
	    gauge("process_max_fds", "Maximum number of open file descriptors.");
	process.threads =
	    gauge("process_threads", "Number of OS threads in the process.");
	trl_series_set(process.started, started());
	trl_metric_callback("trellis_metrics_series",
	    "Lines that a scrape of this process has", false, count_lines, &process);
	trl_metric_callback("trellis_metrics_other_total",
	    "How often labels were counted as other: too many, too long, or no UTF-8",
	    true, count_others, &process);
	while (trl_process_look())
		continue;
}
