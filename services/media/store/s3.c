/* s3.c - the store in a bucket of an S3 server: how it opens. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>
#include <trl/origin.h>

#include "../config.h"
#include "open.h"

static void
close_store(media_store *base)
{
	struct s3_store *store = (struct s3_store *)base;

	trl_assert(store->writers.used == 0 && store->readers.used == 0);
	trl_http_out_close(&store->out);
	trl_offload_fini(&store->disk);
	free(store->url);
	free(store->prefix);
	free(store->host);
	free(store->bucket);
	free(store->key_id);
	free(store->region);
	free(store->spool);
	free(store);
}

static const struct store_way s3_way = {
	.close = close_store,
	.make_sure = s3_make_sure,
	.writer_open = s3_writer_open,
	.writer_write = s3_writer_write,
	.writer_sync = s3_writer_sync,
	.writer_close = s3_writer_close,
	.writer_forget = s3_writer_forget,
	.writer_step = s3_writer_step,
	.writer_copy = s3_writer_copy,
	.finish = s3_finish,
	.abandon = s3_abandon,
	.put = s3_put,
	.size = s3_size,
	.reader_open = s3_reader_open,
	.reader_next = s3_reader_next,
	.reader_close = s3_reader_close,
	.read = s3_read,
	.url = s3_url,
	.fetch = s3_fetch,
	.remove = s3_remove,
	.remove_tenant = s3_remove_tenant,
	.list = s3_list,
	.forget = s3_forget,
	.sweeps = s3_sweeps,
};

static bool
is_set(const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		return true;
	trl_complain("%s is not set; the store s3 needs it.", name);
	return false;
}

static bool
is_bucket(const char *name)
{
	const size_t len = strlen(name);

	return len >= 3 && len <= 63 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-_.") == len &&
	       name[0] != '.';
}

bool
s3_store_check_config(const struct media_config *config)
{
	char origin[TRL_ORIGIN_MAX];
	const char *rest, *wrong;

	if (!is_set("TRELLIS_S3_URL", config->s3_url) ||
	    !is_set("TRELLIS_S3_BUCKET", config->s3_bucket) ||
	    !is_set("TRELLIS_S3_REGION", config->s3_region) ||
	    !is_set("TRELLIS_S3_KEY_ID", config->s3_key_id) ||
	    !is_set("TRELLIS_S3_SECRET", config->s3_secret != NULL ? "set" : NULL))
		return false;
	wrong = trl_http_url_refused(config->s3_url);
	rest = trl_origin_read(config->s3_url, origin);
	if (wrong == NULL &&
	    (rest == NULL || (*rest != '\0' && strcmp(rest, "/") != 0)))
		wrong = "it has to be https://host or http://host:port";
	if (wrong != NULL) {
		trl_complain("TRELLIS_S3_URL is \"%s\": %s.", config->s3_url, wrong);
		return false;
	}
	if (!is_bucket(config->s3_bucket)) {
		trl_complain(
		    "TRELLIS_S3_BUCKET is \"%s\", which is not a bucket's name.",
		    config->s3_bucket);
		return false;
	}
	return true;
}

static char *
copy(const char *text)
{
	char *it = strdup(text);

	trl_assert(it != NULL);
	return it;
}

/* The bucket in the path, or before the host's name. */
static void
name_bucket(struct s3_store *store, const struct media_config *config)
{
	char origin[TRL_ORIGIN_MAX];
	const char *host, *bucket = config->s3_bucket;
	int n;

	trl_assert(trl_origin_read(config->s3_url, origin) != NULL); /* was checked */
	host = strstr(origin, "://") + 3;
	store->bucket = copy(bucket);
	if (config->s3_path_style) {
		store->host = copy(host);
		n = asprintf(&store->prefix, "/%s/", bucket);
	} else {
		n = asprintf(&store->host, "%s.%s", bucket, host);
		store->prefix = copy("/");
	}
	trl_assert(n > 0);
	n = asprintf(&store->url, "%.*s%s%s", (int)(host - origin), origin, store->host,
	    store->prefix);
	trl_assert(n > 0);
}

enum trl_code
s3_store_open(
    const struct trl_host *host, const struct media_config *config, media_store **out)
{
	const struct trl_http_out_options options = { .max_connections = S3_CONNECTIONS,
		.any_address = true,
		.ca_file = config->s3_ca };
	struct s3_store *store = calloc(1, sizeof *store);

	trl_assert(store != NULL);
	store->out = trl_http_out_open(host->loop, &options);
	if (store->out == NULL) {
		free(store);
		return TRL_INTERNAL;
	}
	store->base = (media_store){
		.way = &s3_way, .sure = host->pg == NULL, .keep_bytes = STORE_KEEP_BYTES
	};
	store->pg = host->pg;
	name_bucket(store, config);
	store->key_id = copy(config->s3_key_id);
	store->region = copy(config->s3_region);
	store->secret = config->s3_secret;
	store->part_bytes = S3_PART_BYTES;
	store->pause_ms = S3_PAUSE_MS;
	store->writers.size = S3_WRITERS_BYTES;
	store->readers.size = S3_READERS;
	store->redirect_s = (uint32_t)config->s3_redirect_s;
	store->spool = copy(config->folder != NULL ? config->folder : P_tmpdir);
	store->disk = (struct trl_offload){ .name = "media_disk",
		.slots = 3,
		.queue = 1024,
		.retry_after_ms = S3_AGAIN_MS };
	trl_offload_init(host->loop, &store->disk);
	store->retries =
	    trl_series_at(trl_counter_new("trellis_media_s3_retries_total",
			      "Requests to the S3 server that were made again", NULL),
		NULL);
	store_watch(&store->base, host);
	*out = &store->base;
	return TRL_OK;
}
