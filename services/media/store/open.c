/* open.c - which store it is, as the settings say. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

#include <trl/complain.h>

#include "../config.h"

static bool
is_local(const struct media_config *config)
{
	return strcmp(config->store, "local") == 0;
}

bool
store_check_config(const struct media_config *config)
{
	if (is_local(config))
		return true;
	trl_complain(
	    "TRELLIS_MEDIA_STORE is \"%s\"; there is only \"local\".", config->store);
	return false;
}

static enum trl_code
open_local(
    const struct trl_host *host, const struct media_config *config, media_store **out)
{
	char folder[4096];

	if (config->folder == NULL && host->run_dir == NULL) {
		trl_complain("TRELLIS_MEDIA_FOLDER is not set: the folder in which the "
			     "bytes of files lie.");
		return TRL_INTERNAL;
	}
	if (config->folder != NULL)
		return local_store_open(host, config->folder, out);
	snprintf(folder, sizeof folder, "%s/media", host->run_dir);
	return local_store_open(host, folder, out);
}

enum trl_code
store_open(
    const struct trl_host *host, const struct media_config *config, media_store **out)
{
	return open_local(host, config, out);
}
