/* otlp.h - spans as OpenTelemetry has them. Private to shared/telemetry. */
#pragma once

#include <trl/span.h>

/* What is said of the process. */
struct otlp_resource {
	const char *service, *version, *instance;
};

/* Packs spans as an ExportRequest, in the arena. */
void otlp_encode(trl_arena *arena, const struct otlp_resource *resource,
    const struct trl_span_record *spans, size_t n, const uint8_t **data, size_t *len);

/* What a collector did not take of what it was sent, as it says; *why is in the arena,
 * or
 * "". What is no ExportReply says nothing. */
uint64_t otlp_rejected(
    trl_arena *arena, const void *body, size_t len, const char **why);

/* headers.c: "name=value,name=value" as lines "Name: value". */
enum { OTLP_HEADERS_MAX = 32 };
struct otlp_headers {
	char *storage; /* to be wiped and freed */
	size_t len;
	const char *lines[OTLP_HEADERS_MAX + 1]; /* NULL-ended */
};
/* NULL: fine, and *out is made unless it is NULL. Else why not. */
const char *otlp_headers_read(const char *text, struct otlp_headers *out);
