/* config.h - what media can be told; apart, because every process of the build knows
 * all names. */
#pragma once

#include <trl/config.h>

struct media_config {
	const char *store, *folder;
	const char *s3_url, *s3_bucket, *s3_region, *s3_key_id, *s3_ca;
	trl_secret *s3_secret;
	bool s3_path_style;
	int64_t s3_redirect_s;
	const char *collections;
	int64_t upload_hours, trash_days, storage_bytes;
	trl_secret *link_keys;
	const char *clamd, *unscanned;
	int64_t scan_bytes;
	int64_t renderers;
	bool heif;
};

extern const struct trl_config_table media_config_table;
