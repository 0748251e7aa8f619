/* options.h - how to render a picture, as text for URLs: "w_400,h_300,fit_cover,f_webp,
 * q_80", without the space. Pure; any thread.
 *
 *   w_N, h_N    pixels, 1 to 4,096; at least one of the two
 *   fit_F       contain (the default) or cover: picture/picture.h
 *   f_F         jpeg, png, webp, gif, avif; auto: WebP if the client accepts it, else
 *               the format that every client knows and that loses least; by default
 *               the picture's own format
 *   q_N         1 to 100, not for png and gif
 *
 * They are read in any order and written in this one, without defaults, so that options
 * that mean the same are signed and made as one text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <trl/compiler.h>

#include "picture/picture.h"

enum { OPTIONS_TEXT_MAX = 64 };

struct options {
	uint32_t width, height; /* 0: free */
	uint32_t quality;       /* 0: that of the format */
	enum picture_fit fit;
	enum picture_format format; /* PICTURE_ANY: the picture's own */
	bool automatic; /* the client's Accept decides between that and WebP */
};

/* What decides the format, of the picture that is shown. What it has beside its type is
 * known once it was looked at. */
struct options_picture {
	const char *type; /* its media type */
	bool moves;
	bool has_alpha; /* something of it is transparent */
};

/* NULL, or what is wrong with the text. */
const char *options_read(const char *text, struct options *out) TRL_MUST_CHECK;
void options_write(const struct options *options, char out[OPTIONS_TEXT_MAX]);

/* Decides the format, for that picture and a client that sent accept (or NULL). Never
 * chooses a format that the client may not know. */
struct options options_decided(const struct options *options,
    const struct options_picture *of, const char *accept);
/* The key of the rendition, in the store and its row; options are decided. */
void options_key(const struct options *options, char out[OPTIONS_TEXT_MAX]);

/* The media type of an output format: "image/webp". */
const char *options_type(enum picture_format format);
/* Whether Accept lists the type, and not with q=0; wildcards do not count. */
bool options_accepts(const char *accept, const char *type);
