/* settings.c - where the services are and what proves that it is the operator who
 * asks: TRELLIS_PEER_<SERVICE>, TRELLIS_BUS_KEY_<SERVICE>_FILE and the certificates,
 * from the environment, or from the file that tools/up writes beside the executable's
 * folder (../env/ctl, lines of NAME=value). */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/config.h>

enum { PATH_MAX_LEN = 1024, LINE_MAX_LEN = 4096 };

static const struct trl_config_var vars[] = {
	TRL_CONFIG_STR(struct ctl, tls_ca, "TRELLIS_BUS_TLS_CA", NULL, "as services"),
	TRL_CONFIG_STR(
	    struct ctl, tls_cert, "TRELLIS_BUS_TLS_CERT", NULL, "as services"),
	TRL_CONFIG_SECRET(struct ctl, tls_key, "TRELLIS_BUS_TLS_KEY", "as services"),
};
static const struct trl_config_table table = TRL_CONFIG_TABLE("ctl", vars);

/* The file's path, or false: the executable's own is not known. */
static bool
settings_path(char path[PATH_MAX_LEN])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX_LEN - 16);
	if (n <= 0)
		return false;
	path[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');
		if (slash == NULL)
			return false;
		*slash = '\0';
	}
	strcat(path, "/env/ctl");
	return true;
}

static void
load_line(char *line)
{
	char *equals = strchr(line, '=');
	line[strcspn(line, "\n")] = '\0';
	if (equals == NULL || strncmp(line, "TRELLIS_", 8) != 0)
		return;
	*equals = '\0';
	setenv(line, equals + 1, 0);
}

void
ctl_settings_load(void)
{
	char path[PATH_MAX_LEN], line[LINE_MAX_LEN];
	FILE *file;

	if (!settings_path(path))
		return;
	file = fopen(path, "re");
	if (file == NULL) {
		if (errno == EACCES)
			fprintf(stderr,
			    "trellis: %s cannot be read; only root and the user "
			    "who ran tools/up may (sudo tools/trellis ...)\n",
			    path);
		return;
	}
	while (fgets(line, sizeof line, file) != NULL)
		load_line(line);
	fclose(file);
}

static void
add_service(void *self, const char *rest, const char *value)
{
	struct ctl *ctl = self;
	struct ctl_service *service = &ctl->services[ctl->n_services];
	size_t n = strlen(rest);

	if (ctl->n_services == CTL_SERVICES_MAX || n == 0 ||
	    n >= sizeof service->name || *value == '\0')
		return;
	for (size_t i = 0; i <= n; i++)
		service->name[i] = (char)tolower((unsigned char)rest[i]);
	service->address = value;
	ctl->n_services++;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct ctl_service *)a)->name,
	    ((const struct ctl_service *)b)->name);
}

bool
ctl_settings(struct ctl *ctl)
{
	ctl_settings_load();
	if (!trl_config_family("TRELLIS_PEER_", add_service, ctl))
		return false;
	qsort(ctl->services, ctl->n_services, sizeof ctl->services[0], by_name);
	if (ctl->n_services == 0) {
		fprintf(stderr,
		    "trellis: no service is known; start the mesh with tools/up and "
		    "call tools/trellis, or set TRELLIS_PEER_<SERVICE> and "
		    "TRELLIS_BUS_KEY_<SERVICE>_FILE\n");
		return false;
	}
	return trl_config_read(&table, ctl);
}
