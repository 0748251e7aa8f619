/* options.c - see options.h. */
#include "variant/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name, *type;
} formats[] = {
	[PICTURE_JPEG] = { "jpeg", "image/jpeg" },
	[PICTURE_PNG] = { "png", "image/png" },
	[PICTURE_WEBP] = { "webp", "image/webp" },
	[PICTURE_GIF] = { "gif", "image/gif" },
	[PICTURE_AVIF] = { "avif", "image/avif" },
};

/* A number without sign, spaces and leading zeros, or 0. */
static uint32_t
number(const char *text, size_t len, uint32_t max)
{
	uint32_t value = 0;

	if (len == 0 || len > 5 || text[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	return value <= max ? value : 0;
}

static bool
is_text(const char *at, size_t len, const char *text)
{
	return strlen(text) == len && memcmp(at, text, len) == 0;
}

static const char *
read_format(const char *at, size_t len, struct options *out)
{
	out->automatic = is_text(at, len, "auto");
	if (out->automatic)
		return NULL;
	for (size_t i = PICTURE_JPEG; i < TRL_COUNT(formats); i++)
		if (is_text(at, len, formats[i].name)) {
			out->format = (enum picture_format)i;
			return NULL;
		}
	return "f_ is one of jpeg, png, webp, gif, avif and auto";
}

static const char *
read_fit(const char *at, size_t len, struct options *out)
{
	if (is_text(at, len, "cover"))
		out->fit = PICTURE_COVER;
	else if (!is_text(at, len, "contain"))
		return "fit_ is contain or cover";
	return NULL;
}

/* One of them, which begins at. seen has a bit of each that came before. */
static const char *
read_one(const char *at, size_t len, unsigned *seen, struct options *out)
{
	static const char *const names[] = { "w_", "h_", "fit_", "f_", "q_" };
	size_t which = 0, skip;

	while (which < TRL_COUNT(names) &&
	       strncmp(at, names[which], strlen(names[which])) != 0)
		which++;
	if (which == TRL_COUNT(names))
		return "an option is one of w_, h_, fit_, f_ and q_";
	if (*seen & 1u << which)
		return "an option is given twice";
	*seen |= 1u << which;
	skip = strlen(names[which]);
	if (len < skip)
		return "an option has no value";
	at += skip;
	len -= skip;
	switch (which) {
	case 0:
		out->width = number(at, len, PICTURE_WANTED_MAX);
		return out->width ? NULL : "w_ is from 1 to 4096";
	case 1:
		out->height = number(at, len, PICTURE_WANTED_MAX);
		return out->height ? NULL : "h_ is from 1 to 4096";
	case 2:
		return read_fit(at, len, out);
	case 3:
		return read_format(at, len, out);
	default:
		out->quality = number(at, len, PICTURE_QUALITY_MAX);
		return out->quality ? NULL : "q_ is from 1 to 100";
	}
}

const char *
options_read(const char *text, struct options *out)
{
	const char *wrong = NULL;
	unsigned seen = 0;

	*out = (struct options){ 0 };
	for (const char *at = text; !wrong; at++) {
		const size_t len = strcspn(at, ",");

		wrong = read_one(at, len, &seen, out);
		at += len;
		if (!*at)
			break;
	}
	if (!wrong && !out->width && !out->height)
		wrong = "w_ or h_ is missing";
	if (!wrong && out->quality &&
	    (out->format == PICTURE_PNG || out->format == PICTURE_GIF))
		wrong = "q_ is not of png and gif";
	return wrong;
}

static void
append(char out[OPTIONS_TEXT_MAX], char between, const char *name, const char *value)
{
	const size_t len = strlen(out);

	(void)snprintf(out + len, OPTIONS_TEXT_MAX - len, "%.1s%s%s",
	    len ? (char[]){ between, '\0' } : "", name, value);
}

static void
append_number(
    char out[OPTIONS_TEXT_MAX], char between, const char *name, uint32_t value)
{
	char text[12];

	(void)snprintf(text, sizeof text, "%u", value);
	if (value)
		append(out, between, name, text);
}

static void
write_with(const struct options *options, char between, char out[OPTIONS_TEXT_MAX])
{
	out[0] = '\0';
	append_number(out, between, "w_", options->width);
	append_number(out, between, "h_", options->height);
	/* With one side free both fits are the same. */
	if (options->fit == PICTURE_COVER && options->width && options->height)
		append(out, between, "fit_", "cover");
	if (options->automatic)
		append(out, between, "f_", "auto");
	else if (options->format != PICTURE_ANY)
		append(out, between, "f_", formats[options->format].name);
	append_number(out, between, "q_", options->quality);
}

void
options_write(const struct options *options, char out[OPTIONS_TEXT_MAX])
{
	write_with(options, ',', out);
}

void
options_key(const struct options *options, char out[OPTIONS_TEXT_MAX])
{
	write_with(options, '-', out);
}

const char *
options_type(enum picture_format format)
{
	return formats[format].type;
}

static enum picture_format
format_of(const char *type)
{
	for (size_t i = PICTURE_JPEG; i < TRL_COUNT(formats); i++)
		if (strcmp(type, formats[i].type) == 0)
			return (enum picture_format)i;
	return PICTURE_ANY;
}

/* The picture's own where every client knows it; else one that shows as much of it. */
static enum picture_format
for_everybody(enum picture_format own, const struct options_picture *of)
{
	if (own == PICTURE_JPEG || own == PICTURE_PNG || own == PICTURE_GIF)
		return own;
	if (of->moves)
		return PICTURE_GIF;
	return of->has_alpha ? PICTURE_PNG : PICTURE_JPEG;
}

struct options
options_decided(
    const struct options *options, const struct options_picture *of, const char *accept)
{
	struct options out = *options;

	if (out.format == PICTURE_ANY)
		out.format = format_of(of->type);
	if (out.automatic)
		out.format = options_accepts(accept, "image/webp")
				 ? PICTURE_WEBP
				 : for_everybody(out.format, of);
	else if (out.format == PICTURE_AVIF && options->format == PICTURE_ANY)
		out.format = PICTURE_WEBP;
	else if (out.format == PICTURE_ANY)
		out.format = PICTURE_WEBP;
	out.automatic = false;
	if (out.format == PICTURE_PNG || out.format == PICTURE_GIF)
		out.quality = 0; /* which they do not have */
	return out;
}

/* Of the parameters of an item: ";q=0", "; q=0.000". */
static bool
is_refused(const char *at, const char *end)
{
	while (at < end) {
		while (at < end && (*at == ';' || *at == ' ' || *at == '\t'))
			at++;
		if (end - at >= 3 && (*at == 'q' || *at == 'Q') && at[1] == '=')
			return strtod(at + 2, NULL) <= 0;
		while (at < end && *at != ';')
			at++;
	}
	return false;
}

bool
options_accepts(const char *accept, const char *type)
{
	const size_t n = strlen(type);

	for (const char *at = accept; at && *at;) {
		const char *end = at + strcspn(at, ",");

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if ((size_t)(end - at) >= n && strncasecmp(at, type, n) == 0 &&
		    (at + n == end || strchr("; \t", at[n])))
			return !is_refused(at + n, end);
		at = *end ? end + 1 : end;
	}
	return false;
}
