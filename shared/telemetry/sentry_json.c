/* sentry_json.c - what the events of both kinds are put together of. */
#include "sentry_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include <trl/json.h>

static void
next(struct trl_buf *out)
{
	uint8_t last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		trl_buf_adds(out, ",");
}

void
sentry_key(struct trl_buf *out, const char *name)
{
	next(out);
	trl_buf_printf(out, "\"%s\":", name);
}

void
sentry_open(struct trl_buf *out, const char *name, char brace)
{
	if (name != NULL)
		sentry_key(out, name);
	else
		next(out);
	trl_buf_add(out, &brace, 1);
}

void
sentry_text(struct trl_buf *out, const char *name, const char *value)
{
	if (name != NULL)
		sentry_key(out, name);
	else
		next(out);
	trl_json_string(out, value, strlen(value));
}

void
sentry_text_if(struct trl_buf *out, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		sentry_text(out, name, value);
}

void
sentry_address(struct trl_buf *out, const char *name, uint64_t value)
{
	sentry_key(out, name);
	trl_buf_printf(out, "\"0x%" PRIx64 "\"", value);
}

void
sentry_hex(struct trl_buf *out, const char *name, const uint8_t *bytes, size_t n)
{
	char digits[65];

	sodium_bin2hex(digits, sizeof digits, bytes, n);
	sentry_text(out, name, digits);
}

void
sentry_id(uint8_t bytes[16], char out[SENTRY_ID_HEX])
{
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	sodium_bin2hex(out, SENTRY_ID_HEX, bytes, 16);
}

void
sentry_tenant(struct trl_buf *out, struct trl_id id)
{
	uint8_t hash[16];

	if (trl_id_is_nil(id))
		return;
	crypto_generichash(hash, sizeof hash, (const uint8_t *)&id, sizeof id, NULL, 0);
	sentry_hex(out, "tenant", hash, 8);
}

void
sentry_put_source(struct trl_buf *out, const struct sentry_source *source,
    const char *id, const char *level)
{
	sentry_text(out, "event_id", id);
	sentry_text(out, "level", level);
	sentry_text(out, "logger", source->service);
	sentry_text(out, "server_name", source->host);
	sentry_text(out, "environment", source->environment);
	sentry_open(out, "sdk", '{');
	sentry_text(out, "name", "trellis");
	sentry_text(out, "version", source->release);
	trl_buf_adds(out, "}");
}

void
sentry_put_release(struct trl_buf *out, const char *release, const char *build)
{
	sentry_key(out, "release");
	trl_buf_adds(out, "\"trellis@");
	trl_buf_adds(out, release);
	trl_buf_adds(out, "\"");
	sentry_text_if(out, "dist", build);
}

void
sentry_put_time(struct trl_buf *out, int64_t at_us)
{
	sentry_key(out, "timestamp");
	trl_buf_printf(out, "%" PRId64 ".%06" PRId64, at_us / 1000000, at_us % 1000000);
}

void
sentry_put_trace(
    struct trl_buf *out, const uint8_t trace_id[16], const uint8_t span_id[8])
{
	if (sodium_is_zero(trace_id, 16) || sodium_is_zero(span_id, 8))
		return;
	sentry_open(out, "contexts", '{');
	sentry_open(out, "trace", '{');
	sentry_hex(out, "trace_id", trace_id, 16);
	sentry_hex(out, "span_id", span_id, 8);
	trl_buf_adds(out, "}}");
}

void
sentry_put_envelope(struct trl_buf *out, const char *id,
    const struct sentry_source *source, const struct trl_buf *event)
{
	char now[TRL_TIME_TEXT];

	trl_time_format(trl_wall_us(), now);
	trl_buf_printf(out,
	    "{\"event_id\":\"%s\",\"sent_at\":\"%s\",\"sdk\":{\"name\":\"trellis\","
	    "\"version\":\"%s\"}}\n",
	    id, now, source->release);
	trl_buf_printf(out,
	    "{\"type\":\"event\",\"length\":%zu,\"content_type\":\"application/json\"}"
	    "\n",
	    event->len);
	trl_buf_add(out, event->data, event->len);
	trl_buf_adds(out, "\n");
}
