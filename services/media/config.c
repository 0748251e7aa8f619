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
	    "the bucket is in the path (most self-hosted servers) and not in the host "
	    "name"),
	TRL_CONFIG_STR(struct media_config, s3_ca, "TRELLIS_S3_CA", NULL,
	    "PEM file with the authorities that the S3 server's certificate must chain "
	    "to; unset: the system's"),
	TRL_CONFIG_INT(struct media_config, s3_redirect_s,
	    "TRELLIS_S3_REDIRECT_SECONDS", "0", 0, 604800,
	    "links to files redirect to the S3 server, by a URL that is valid for this "
	    "long even if the link is revoked meanwhile; 0: they do not"),
	TRL_CONFIG_STR(struct media_config, collections, "TRELLIS_MEDIA_COLLECTIONS",
	    NULL,
	    "the collections of files, as JSON (services/media/README.md); usually as "
	    "a _FILE; unset: the built-in ones"),
	TRL_CONFIG_INT(struct media_config, upload_hours, "TRELLIS_MEDIA_UPLOAD_HOURS",
	    "24", 1, 720, "an upload expires this long after its last byte"),
	TRL_CONFIG_INT(struct media_config, trash_days, "TRELLIS_MEDIA_TRASH_DAYS",
	    "30", 0, 3650,
	    "days in which a deleted file can be restored; its bytes count meanwhile"),
	TRL_CONFIG_INT(struct media_config, storage_bytes,
	    "TRELLIS_MEDIA_STORAGE_BYTES", "0", 0, 9e18,
	    "how much an organisation may store if its plan does not say "
	    "(storage-bytes); 0: no limit"),
	TRL_CONFIG_SECRET(struct media_config, link_keys, "TRELLIS_MEDIA_LINK_KEYS",
	    "kid:hex[,kid:hex] of 64 digits, newest first: sign links to files; a key "
	    "derived from TRELLIS_SEAL_KEY is accepted, too, and signs if this is "
	    "unset"),
	TRL_CONFIG_STR(struct media_config, clamd, "TRELLIS_MEDIA_CLAMD", NULL,
	    "clamd that scans files: unix:/path or tcp://host:port; unset: no scanner; "
	    "none: no scanner is left for files that wait"),
	TRL_CONFIG_STR(struct media_config, unscanned, "TRELLIS_MEDIA_UNSCANNED",
	    "refuse", "files that are too large for clamd: serve or refuse"),
	TRL_CONFIG_INT(struct media_config, scan_bytes, "TRELLIS_MEDIA_SCAN_BYTES",
	    "104857600", 1, CLAMD_READS_MAX,
	    "the largest file that clamd scans; at most its MaxFileSize and "
	    "MaxScanSize, because it calls larger files clean unread"),
	TRL_CONFIG_INT(struct media_config, renderers, "TRELLIS_MEDIA_RENDERERS", "1",
	    1, 16, "pictures rendered at once, each in a process of its own"),
	TRL_CONFIG_BOOL(struct media_config, heif, "TRELLIS_MEDIA_HEIF", "false",
	    "also render HEIC and AVIF pictures"),
};

const struct trl_config_table media_config_table =
    TRL_CONFIG_SERVICE_TABLE("media", vars);
