/* open.h - the kinds of store, by what the settings say. */
#pragma once

#include "inside.h"

enum trl_code local_store_open(
    const struct trl_host *host, const char *folder, media_store **out) TRL_MUST_CHECK;

/* False: complained. */
bool s3_store_check_config(const struct media_config *config);
enum trl_code s3_store_open(const struct trl_host *host,
    const struct media_config *config, media_store **out) TRL_MUST_CHECK;
