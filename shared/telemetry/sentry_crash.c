/* sentry_crash.c - a crash as an event: the stack as addresses, and the images they lie
 * in, by which Sentry finds functions in the debug files that were uploaded
 * (https://develop.sentry.dev/sdk/data-model/event-payloads/debugmeta/). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include <trl/json.h>

#include "sentry_json.h"

#if defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "x86_64"
#endif

/* The build id's first 16 bytes as a UUID whose first three fields are little-endian.
 */
static void
put_debug_id(struct trl_buf *e, const char *build)
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13,
		14, 15 };
	uint8_t code[20] = { 0 };
	size_t n = 0;

	sodium_hex2bin(code, sizeof code, build, strlen(build), NULL, &n, NULL);
	sentry_key(e, "debug_id");
	trl_buf_adds(e, "\"");
	for (size_t i = 0; i < sizeof order; i++)
		trl_buf_printf(e, "%s%02x",
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", code[order[i]]);
	trl_buf_adds(e, "\"");
}

static void
put_images(struct trl_buf *e, const struct trl_crash *crash)
{
	sentry_open(e, "debug_meta", '{');
	sentry_open(e, "images", '[');
	for (size_t i = 0; i < crash->n_modules; i++) {
		const struct trl_crash_module *m = &crash->modules[i];

		if (m->build[0] == '\0') /* no debug_id, no image */
			continue;
		sentry_open(e, NULL, '{');
		sentry_text(e, "type", "elf");
		sentry_text(e, "arch", ARCH);
		sentry_text(e, "code_file", m->path);
		sentry_text(e, "code_id", m->build);
		put_debug_id(e, m->build);
		sentry_address(e, "image_addr", m->at);
		sentry_key(e, "image_size");
		trl_buf_printf(e, "%" PRIu64, m->size);
		if (m->at != m->bias)
			sentry_address(e, "image_vmaddr", m->at - m->bias);
		trl_buf_adds(e, "}");
	}
	trl_buf_adds(e, "]}");
}

/* The others may hold somebody's bytes. */
static bool
is_of_code(const char *name)
{
	static const char *const names[] = { "rip", "rsp", "rbp", "pc", "sp", "x29" };

	for (size_t i = 0; i < TRL_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* The oldest call first. */
static void
put_stack(struct trl_buf *e, const struct trl_crash *crash)
{
	sentry_open(e, "stacktrace", '{');
	sentry_open(e, "frames", '[');
	for (size_t i = crash->n_frames; i-- > 0;) {
		const struct trl_crash_frame *frame = &crash->frames[i];
		const struct trl_crash_module *m =
		    trl_crash_module_at(crash, frame->pc);

		sentry_open(e, NULL, '{');
		sentry_address(e, "instruction_addr", frame->pc);
		if (m != NULL)
			sentry_text(e, "package", m->path);
		sentry_text(e, "trust",
		    !frame->is_return ? "context"
		    : frame->seen     ? "scan"
				      : "cfi");
		trl_buf_printf(
		    e, ",\"in_app\":%s}", m == &crash->modules[0] ? "true" : "false");
	}
	trl_buf_adds(e, "]");
	sentry_open(e, "registers", '{');
	for (size_t i = 0; i < crash->n_registers; i++)
		if (is_of_code(crash->registers[i].name))
			sentry_address(
			    e, crash->registers[i].name, crash->registers[i].value);
	trl_buf_adds(e, "}}");
}

static void
put_tags_of_crash(struct trl_buf *e, const struct sentry_source *source,
    const struct trl_crash *crash)
{
	sentry_open(e, "tags", '{');
	sentry_text(e, "service", source->service);
	sentry_text_if(e, "thread", crash->thread);
	sentry_text_if(e, "actor", crash->actor);
	sentry_tenant(e, crash->tenant);
	sentry_text(e, "cut_off", crash->whole ? "no" : "yes");
	sentry_text(e, "of_another_build",
	    strcmp(crash->build, source->build) == 0 ? "no" : "yes");
	trl_buf_adds(e, "}");
}

/* An assertion has a place that groups, "(../shared/a.c:12)" at the end of its words;
 * other crashes are grouped by Sentry, which knows the functions. */
static void
put_group(struct trl_buf *e, const struct trl_crash *crash)
{
	const char *paren = strrchr(crash->note, '(');
	char place[256];

	if (crash->readable && paren == NULL)
		return;
	sentry_open(e, "fingerprint", '[');
	if (crash->readable) {
		snprintf(place, sizeof place, "%.250s", sentry_place(paren + 1));
		place[strcspn(place, ")")] = '\0';
		sentry_text(e, NULL, "assertion");
		sentry_text(e, NULL, crash->method);
		sentry_text(e, NULL, place);
	} else {
		sentry_text(e, NULL, "a file that is no crash file");
	}
	trl_buf_adds(e, "]");
}

static void
put_exception(struct trl_buf *e, const char *file, const struct trl_crash *crash)
{
	bool asserted = crash->note[0] != '\0';
	char words[128];

	sentry_open(e, "exception", '{');
	sentry_open(e, "values", '[');
	sentry_open(e, NULL, '{');
	if (!crash->readable) {
		snprintf(words, sizeof words, "%.100s", file);
		sentry_text(e, "type", "a file that is no crash file");
		sentry_text(e, "value", words);
		trl_buf_adds(e, "}]}");
		return;
	}
	if (crash->has_address)
		snprintf(words, sizeof words, "%s at address 0x%" PRIx64,
		    crash->signal_name, crash->address);
	else
		snprintf(words, sizeof words, "%s", crash->signal_name);
	sentry_text(e, "type", asserted ? "assertion" : crash->signal_name);
	sentry_text(e, "value", asserted ? crash->note : words);
	sentry_open(e, "mechanism", '{');
	trl_buf_printf(e,
	    "\"type\":\"signalhandler\",\"handled\":false,"
	    "\"synthetic\":%s,\"meta\":{\"signal\":{\"number\":%d,",
	    asserted ? "false" : "true", crash->number);
	trl_buf_adds(e, "\"name\":");
	trl_json_string(e, crash->signal_name, strlen(crash->signal_name));
	trl_buf_adds(e, "}}}");
	if (crash->n_frames > 0)
		put_stack(e, crash);
	trl_buf_adds(e, "}]}");
}

void
sentry_put_crash(struct trl_buf *out, const struct sentry_source *source,
    const char *file, const struct trl_crash *crash)
{
	uint8_t bytes[16];
	char id[SENTRY_ID_HEX], origin[256];
	struct trl_buf e = { 0 };
	int n = snprintf(origin, sizeof origin, "%s %s %.*s %" PRId64, source->host,
	    source->service, (int)strcspn(file, "."), file, crash->at_us);

	trl_assert(n > 0 && (size_t)n < sizeof origin);
	crypto_generichash(
	    bytes, sizeof bytes, (const uint8_t *)origin, (size_t)n, NULL, 0);
	sentry_id(bytes, id);
	trl_buf_adds(&e, "{");
	sentry_put_source(&e, source, id, crash->readable ? "fatal" : "error");
	sentry_put_release(&e,
	    crash->release[0] != '\0' ? crash->release : source->release, crash->build);
	sentry_put_time(&e, crash->at_us != 0 ? crash->at_us : trl_wall_us());
	sentry_text(&e, "platform", "native");
	sentry_text_if(&e, "transaction", crash->method);
	put_tags_of_crash(&e, source, crash);
	if (crash->has_trace)
		sentry_put_trace(&e, crash->trace_id, crash->span_id);
	put_group(&e, crash);
	put_exception(&e, file, crash);
	put_images(&e, crash);
	trl_buf_adds(&e, "}");
	sentry_put_envelope(out, id, source, &e);
	trl_buf_fini(&e);
}
