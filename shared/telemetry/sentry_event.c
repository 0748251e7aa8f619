/* sentry_event.c - an INTERNAL answer as an event
 * (https://develop.sentry.dev/sdk/data-model/event-payloads/). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include <trl/method.h>
#include <trl/utf8.h>

#include "sentry_json.h"

enum { DIGITS_MAX = 6 };

const char *
sentry_place(const char *file)
{
	while (strncmp(file, "../", 3) == 0)
		file += 3;
	return file;
}

/* Whether a word may be somebody's: an address, an id, a number of many digits. */
static bool
is_private(const char *word, size_t len)
{
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		if (word[i] == '@')
			return true;
		digits += isdigit((unsigned char)word[i]) != 0;
	}
	return digits >= DIGITS_MAX;
}

/* What ends something that began with this, or 0. */
static char
closing(char opening, char before)
{
	switch (opening) {
	case '"':
		return '"';
	case '\'': /* and not an apostrophe */
		return isalnum((unsigned char)before) ? '\0' : '\'';
	case '(':
		return before == '=' ? ')' : '\0';
	default:
		return '\0';
	}
}

void
sentry_scrub(char *out, size_t room, const char *from)
{
	size_t n = 0;

	while (*from != '\0' && n + 4 < room) {
		char before = n > 0 ? out[n - 1] : ' ';
		char close = closing(*from, before);
		size_t word;

		if (close != '\0') {
			const char *end = strrchr(from + 1, close);

			/* Up to the last such mark: what is quoted may hold one. */
			out[n++] = *from;
			out[n++] = '*';
			out[n++] = close;
			from = end != NULL ? end + 1 : from + strlen(from);
			continue;
		}
		word = strcspn(from, " \"(=");
		word = word > 0 ? word : 1;
		if (is_private(from, word)) {
			out[n++] = '*';
			from += word;
			continue;
		}
		for (; word > 0 && n + 4 < room; word--)
			out[n++] = *from++;
	}
	out[n] = '\0';
}

static void
put_tags_of_internal(
    struct trl_buf *e, const struct sentry_source *s, const trl_ctx *ctx)
{
	sentry_open(e, "tags", '{');
	sentry_text(e, "service", ctx->service != NULL ? ctx->service : s->service);
	sentry_text_if(e, "caller", ctx->caller);
	if (!trl_id_is_nil(ctx->job))
		sentry_text(e, "in_job", "yes");
	sentry_tenant(e, ctx->tenant);
	trl_buf_adds(e, "}");
}

/* All that PostgreSQL refuses has one place in the code; its words begin with the
 * statement. */
static void
put_statement(struct trl_buf *e, const char *words)
{
	const char *end = strstr(words, ".sql: ");
	char statement[128];

	if (end == NULL)
		return;
	snprintf(statement, sizeof statement, "%.*s", (int)(end + 4 - words), words);
	sentry_text(e, NULL, statement);
}

void
sentry_put_internal(
    struct trl_buf *out, const struct sentry_source *source, const trl_ctx *ctx)
{
	const char *method = ctx->method != NULL ? ctx->method->name : "";
	const char *file = sentry_place(ctx->err.file);
	char id[SENTRY_ID_HEX], line[16], words[sizeof ctx->err.message];
	struct trl_buf e = { 0 };
	uint8_t bytes[16];

	randombytes_buf(bytes, sizeof bytes);
	sentry_id(bytes, id);
	snprintf(line, sizeof line, "%d", ctx->err.line);
	sentry_scrub(words, sizeof words, ctx->err.message);
	trl_utf8_clean(words, strlen(words), ""); /* it may be cut inside of one */
	trl_buf_adds(&e, "{");
	sentry_put_source(&e, source, id, "error");
	sentry_put_release(&e, source->release, source->build);
	sentry_put_time(&e, trl_wall_us());
	sentry_text(&e, "platform", "c");
	sentry_text_if(&e, "transaction", method);
	put_tags_of_internal(&e, source, ctx);
	sentry_put_trace(&e, ctx->trace.trace_id, ctx->trace.span_id);
	sentry_open(&e, "fingerprint", '[');
	sentry_text(&e, NULL, "internal");
	sentry_text(&e, NULL, method);
	sentry_text(&e, NULL, file);
	sentry_text(&e, NULL, line);
	put_statement(&e, words);
	trl_buf_adds(&e, "]");
	sentry_open(&e, "exception", '{');
	sentry_open(&e, "values", '[');
	sentry_open(&e, NULL, '{');
	sentry_text(&e, "type", "INTERNAL");
	sentry_text(&e, "value", words);
	trl_buf_adds(&e, ",\"mechanism\":{\"type\":\"answer\",\"handled\":true},"
			 "\"stacktrace\":{\"frames\":[{");
	sentry_text(&e, "filename", file);
	sentry_key(&e, "lineno");
	trl_buf_adds(&e, line);
	trl_buf_adds(&e, ",\"in_app\":true}]}}]}}");
	sentry_put_envelope(out, id, source, &e);
	trl_buf_fini(&e);
}
