/* options.h - how a picture is to be shown, as a text that stands in URLs: "w_400,
 * h_300,fit_cover,f_webp,q_80", without the space. Pure; any thread.
 *
 *   w_N, h_N    pixels, 1 to 4,096; one of the two there must be
 *   fit_F       contain (if it is not there) or cover: picture/picture.h
 *   f_F         jpeg, png, webp, gif, avif; auto: WebP where the client takes it, else
 *               what everybody knows that loses least; if it is not there, as the
 *               picture is
 *   q_N         1 to 100, of what is not png or gif
 *
 * They may be read in any order and are written in this one, without what says nothing,
 * so that of those that mean the same one text is signed and made. */
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
	enum picture_format format; /* PICTURE_ANY: as the picture is */
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

/* The format is decided: of that picture, for a client that sent accept (or NULL). A
 * format that the client cannot be expected to know is never chosen for it. */
struct options options_decided(const struct options *options,
    const struct options_picture *of, const char *accept);
/* The name, in the store and of its row, of what is made so; decided. */
void options_key(const struct options *options, char out[OPTIONS_TEXT_MAX]);

/* "image/webp", of one that comes out. */
const char *options_type(enum picture_format format);
/* What it names as an item of Accept, and not with q=0; wildcards say nothing. */
bool options_accepts(const char *accept, const char *type);
