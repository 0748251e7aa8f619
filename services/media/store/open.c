/* open.c - which store it is, as the settings say. */
#include "open.h"

#include <stdio.h>
#include <string.h>

#include <trl/complain.h>

#include "../config.h"

bool
store_check_config(const struct media_config *config)
{
	if (strcmp(config->store, "s3") == 0)
		return s3_store_check_config(config);
	if (strcmp(config->store, "local") == 0)
		return true;
	trl_complain(
	    "TRELLIS_MEDIA_STORE is \"%s\"; it has to be local or s3.", config->store);
	return false;
}

static enum trl_code
open_local(
    const struct trl_host *host, const struct media_config *config, media_store **out)
{
	char folder[4096];

	if (config->folder == NULL && host->run_dir == NULL) {
		trl_complain("TRELLIS_MEDIA_FOLDER is not set; it names the folder for "
			     "the bytes of files.");
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
	return strcmp(config->store, "s3") == 0 ? s3_store_open(host, config, out)
						: open_local(host, config, out);
}
