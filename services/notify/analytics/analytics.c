/* analytics.c - a process's way to PostHog: opening and closing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

#include "analytics/analytics.h"

enum { CONNECTIONS = 16 };

static const char *const names[NOTIFY_ANALYTICS_OUTCOMES] = {
	[NOTIFY_ANALYTICS_TAKEN] = "taken",
	[NOTIFY_ANALYTICS_OVER_QUOTA] = "over_quota",
	[NOTIFY_ANALYTICS_TOO_LARGE] = "too_large",
	[NOTIFY_ANALYTICS_UNFIT] = "unfit",
	[NOTIFY_ANALYTICS_REFUSED] = "refused",
	[NOTIFY_ANALYTICS_FAILED] = "failed",
};

/* They stand there with 0 from the start. */
static void
count(struct notify_analytics *self)
{
	trl_metric *events = trl_counter_new("trellis_product_events_total",
	    "Product events by what became of them", "outcome", NULL);
	trl_metric *posts = trl_counter_new("trellis_product_posts_total",
	    "Posts of product events by what became of them", "outcome", NULL);

	for (size_t i = 0; i < NOTIFY_ANALYTICS_OUTCOMES; i++) {
		self->posts[i] = trl_series_at(posts, names[i]);
		/* Those that are refused or fail are posted again. */
		if (i < NOTIFY_ANALYTICS_REFUSED)
			self->events[i] = trl_series_at(events, names[i]);
	}
	self->overflow = trl_series_at(events, "overflow");
}

struct notify_analytics *
notify_analytics_open(trl_loop *loop, const struct notify_config *config)
{
	/* PostHog may stand beside us: the operator named it, and nobody else can. */
	const struct trl_http_out_options options = { .any_address = true,
		.max_connections = CONNECTIONS };
	struct notify_analytics *self;
	size_t len;

	if (!config->posthog_url)
		return NULL;
	len = strlen(config->posthog_url);
	while (len > 0 && config->posthog_url[len - 1] == '/')
		len--;
	self = calloc(1, sizeof *self);
	trl_assert(self);
	self->key = config->posthog_key;
	self->most = NOTIFY_ANALYTICS_EVENTS;
	trl_assert(
	    asprintf(&self->url, "%.*s/batch/", (int)len, config->posthog_url) > 0);
	self->out = trl_http_out_open(loop, &options);
	trl_assert(self->out); /* no option of it can be wrong */
	count(self);
	return self;
}

void
notify_analytics_close(struct notify_analytics **at)
{
	struct notify_analytics *self = TRL_TAKE(*at);

	if (!self)
		return;
	trl_http_out_close(&self->out);
	trl_secret_free(&self->renewed);
	free(self->url);
	free(self);
}

bool
notify_analytics_check_key(const trl_secret *key)
{
	const uint8_t *text = trl_secret_bytes(key);
	const size_t len = trl_secret_len(key);
	bool fine = len <= 200;

	for (size_t i = 0; i < len; i++)
		fine = fine && text[i] > ' ' && text[i] <= '~';
	if (!fine)
		trl_complain("TRELLIS_POSTHOG_KEY is not a project's key, such as "
			     "phc_...: it has spaces, or what is no ASCII.");
	return fine;
}

bool
notify_analytics_renew(struct notify_analytics *self, trl_secret *key)
{
	if (!notify_analytics_check_key(key)) {
		trl_secret_free(&key);
		return false;
	}
	trl_secret_free(&self->renewed);
	self->key = self->renewed = key;
	self->rests_until_us = 0;
	return true;
}
