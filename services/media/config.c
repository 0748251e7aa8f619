/* config.c - what media can be told. */
#include "config.h"

/* It holds lengths in 31 bits. */
enum { CLAMD_READS_MAX = 2147483647 };

static const struct trl_config_var vars[] = {
	TRL_CONFIG_STR(struct media_config, store, "TRELLIS_MEDIA_STORE", "local",
	    "where the bytes of files lie: local (a folder) or s3"),
	TRL_CONFIG_STR(struct media_config, folder, "TRELLIS_MEDIA_FOLDER", NULL,
	    "the folder of the local store; default media/ in TRELLIS_RUN_DIR"),
	TRL_CONFIG_STR(struct media_config, s3_url, "TRELLIS_S3_URL", NULL,
	    "an S3 server: https://host or http://host:port"),
	TRL_CONFIG_STR(struct media_config, s3_bucket, "TRELLIS_S3_BUCKET", NULL,
	    "the bucket there, which must exist"),
	TRL_CONFIG_STR(struct media_config, s3_region, "TRELLIS_S3_REGION", "us-east-1",
	    "the server's region, which its signatures name"),
	TRL_CONFIG_STR(struct media_config, s3_key_id, "TRELLIS_S3_KEY_ID", NULL,
	    "the access key's id"),
	TRL_CONFIG_SECRET(struct media_config, s3_secret, "TRELLIS_S3_SECRET",
	    "the access key's secret"),
	TRL_CONFIG_BOOL(struct media_config, s3_path_style, "TRELLIS_S3_PATH_STYLE",
	    "true",
	    "the bucket stands in the path (most servers of one's own) and not in the "
	    "host's name"),
	TRL_CONFIG_STR(struct media_config, s3_ca, "TRELLIS_S3_CA", NULL,
	    "path of the PEM file with the authorities that the S3 server is believed "
	    "by; unset: the system's"),
	TRL_CONFIG_INT(struct media_config, s3_redirect_s,
	    "TRELLIS_S3_REDIRECT_SECONDS", "0", 0, 604800,
	    "links to files lead to the S3 server itself, by a URL that is valid for "
	    "so "
	    "many seconds, also where the link is revoked meanwhile; 0: they do not"),
	TRL_CONFIG_STR(struct media_config, collections, "TRELLIS_MEDIA_COLLECTIONS",
	    NULL,
	    "the collections of files, as JSON (services/media/README.md); usually as "
	    "a _FILE; unset: those that are built in"),
	TRL_CONFIG_INT(struct media_config, upload_hours, "TRELLIS_MEDIA_UPLOAD_HOURS",
	    "24", 1, 720, "an upload to which nothing was added for so long is gone"),
	TRL_CONFIG_INT(struct media_config, trash_days, "TRELLIS_MEDIA_TRASH_DAYS",
	    "30", 0, 3650,
	    "days in which a deleted file can be restored; its bytes count meanwhile"),
	TRL_CONFIG_INT(struct media_config, storage_bytes,
	    "TRELLIS_MEDIA_STORAGE_BYTES", "0", 0, 9e18,
	    "how much an organisation may store where its plan does not say it "
	    "(storage-bytes); 0: without limit"),
	TRL_CONFIG_SECRET(struct media_config, link_keys, "TRELLIS_MEDIA_LINK_KEYS",
	    "kid:hex[,kid:hex] of 64 digits, newest first: signs links to files; "
	    "one made of TRELLIS_SEAL_KEY is believed, too, and signs where this is "
	    "unset"),
	TRL_CONFIG_STR(struct media_config, clamd, "TRELLIS_MEDIA_CLAMD", NULL,
	    "clamd that scans files: unix:/path or tcp://host:port; unset: none does; "
	    "none: none is left for those that wait"),
	TRL_CONFIG_STR(struct media_config, unscanned, "TRELLIS_MEDIA_UNSCANNED",
	    "refuse", "files that are too large for clamd: serve or refuse"),
	TRL_CONFIG_INT(struct media_config, scan_bytes, "TRELLIS_MEDIA_SCAN_BYTES",
	    "104857600", 1, CLAMD_READS_MAX,
	    "the largest file that clamd is shown: its MaxFileSize and MaxScanSize or "
	    "less, for what is larger it calls clean unread"),
	TRL_CONFIG_INT(struct media_config, renderers, "TRELLIS_MEDIA_RENDERERS", "1",
	    1, 16, "pictures that are rendered at once, each in a process of its own"),
	TRL_CONFIG_BOOL(struct media_config, heif, "TRELLIS_MEDIA_HEIF", "false",
	    "HEIC and AVIF pictures are rendered, too"),
};

const struct trl_config_table media_config_table =
    TRL_CONFIG_SERVICE_TABLE("media", vars);
