/* sentry_json.h - JSON with its commas, and the parts that all events have. Private to
 * shared/telemetry. */
#pragma once

#include "sentry_inside.h"

enum { SENTRY_ID_HEX = 33 };

/* A comma goes before whatever is not the first. Without a name it is an item. */
void sentry_key(struct trl_buf *out, const char *name);
void sentry_open(struct trl_buf *out, const char *name, char brace);
void sentry_text(struct trl_buf *out, const char *name, const char *value);
void sentry_text_if(struct trl_buf *out, const char *name, const char *value);
void sentry_address(struct trl_buf *out, const char *name, uint64_t value);
void sentry_hex(struct trl_buf *out, const char *name, const uint8_t *bytes, size_t n);

/* Makes 16 bytes a UUID of version 4. */
void sentry_id(uint8_t bytes[16], char out[SENTRY_ID_HEX]);
/* 64 bits of BLAKE2b of its id: the same tenant is the same, and nobody is told who. */
void sentry_tenant(struct trl_buf *out, struct trl_id id);
void sentry_put_source(struct trl_buf *out, const struct sentry_source *source,
    const char *id, const char *level);
void sentry_put_release(struct trl_buf *out, const char *release, const char *build);
void sentry_put_time(struct trl_buf *out, int64_t at_us);
void sentry_put_trace(
    struct trl_buf *out, const uint8_t trace_id[16], const uint8_t span_id[8]);
/* The envelope around an event. */
void sentry_put_envelope(struct trl_buf *out, const char *id,
    const struct sentry_source *source, const struct trl_buf *event);
