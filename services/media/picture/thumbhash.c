/* thumbhash.c - see thumbhash.h. The picture is taken apart into lightness (L), yellow
 * against blue (P), red against green (Q) and alpha, laid upon its mean colour. Of each
 * the lowest frequencies of a cosine transform are kept, those of a triangle: the
 * constant in 4 to 6 bits, the others in 4 bits each, scaled by the largest. */
#include "picture/thumbhash.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { PIXELS = THUMBHASH_SIDE_MAX * THUMBHASH_SIDE_MAX, TERMS_MAX = 28 };

struct plane {
	double at[PIXELS];
};

struct spectrum {
	double constant, scale;
	size_t n;
	double terms[TERMS_MAX]; /* from 0 to 1 */
};

struct planes {
	int width, height;
	bool has_alpha;
	struct plane l, p, q, a;
};

static unsigned
rounded(double value)
{
	return value > 0 ? (unsigned)floor(value + 0.5) : 0;
}

/* The mean of what can be seen, from 0 to 1; its weight, in pixels, is given. */
static double
mean_of(const uint8_t *rgba, int n, double mean[3])
{
	double weight = 0, sum[3] = { 0 };

	for (int i = 0; i < n; i++, rgba += 4) {
		const double alpha = rgba[3] / 255.0;

		for (int c = 0; c < 3; c++)
			sum[c] += alpha / 255 * rgba[c];
		weight += alpha;
	}
	for (int c = 0; c < 3; c++)
		mean[c] = weight > 0 ? sum[c] / weight : 0;
	return weight;
}

static void
take_apart(struct planes *planes, const uint8_t *rgba)
{
	const int n = planes->width * planes->height;
	double mean[3];
	long opaque = 0;

	(void)mean_of(rgba, n, mean);
	for (int i = 0; i < n; i++, rgba += 4) {
		const double alpha = rgba[3] / 255.0;
		double c[3];

		for (int k = 0; k < 3; k++)
			c[k] = mean[k] * (1 - alpha) + alpha / 255 * rgba[k];
		planes->l.at[i] = (c[0] + c[1] + c[2]) / 3;
		planes->p.at[i] = (c[0] + c[1]) / 2 - c[2];
		planes->q.at[i] = c[0] - c[1];
		planes->a.at[i] = alpha;
		opaque += rgba[3] == 255;
	}
	planes->has_alpha = opaque < n;
}

/* One frequency of a plane. */
static double
term(const struct planes *planes, const struct plane *plane, int cx, int cy)
{
	const int width = planes->width, height = planes->height;
	double across[THUMBHASH_SIDE_MAX], sum = 0;

	for (int x = 0; x < width; x++)
		across[x] = cos(M_PI / width * cx * (x + 0.5));
	for (int y = 0; y < height; y++) {
		const double down = cos(M_PI / height * cy * (y + 0.5));

		for (int x = 0; x < width; x++)
			sum += plane->at[x + y * width] * across[x] * down;
	}
	return sum / (width * height);
}

static void
transform(const struct planes *planes, const struct plane *plane, int nx, int ny,
    struct spectrum *out)
{
	*out = (struct spectrum){ 0 };
	for (int cy = 0; cy < ny; cy++)
		for (int cx = 0; cx * ny < nx * (ny - cy); cx++) {
			const double value = term(planes, plane, cx, cy);

			if (cx == 0 && cy == 0) {
				out->constant = value;
				continue;
			}
			out->terms[out->n++] = value;
			out->scale = fmax(out->scale, fabs(value));
		}
	for (size_t i = 0; i < out->n && out->scale > 0; i++)
		out->terms[i] = 0.5 + 0.5 / out->scale * out->terms[i];
}

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

/* Appends the terms to the half bytes that are there. */
static void
put(const struct spectrum *spectrum, uint8_t *out, size_t *halves)
{
	for (size_t i = 0; i < spectrum->n; i++, ++*halves)
		out[*halves / 2] |=
		    (uint8_t)(rounded(15 * spectrum->terms[i]) << (*halves & 1) * 4);
}

size_t
thumbhash(int width, int height, const uint8_t *rgba, uint8_t out[THUMBHASH_MAX])
{
	static struct planes planes; /* 320 KB, and one at a time */
	struct spectrum l, p, q, a = { 0 };
	const int most = larger(width, height);
	const bool wide = width > height;
	size_t halves;
	int lx, ly, limit;
	uint32_t head;

	planes.width = width;
	planes.height = height;
	take_apart(&planes, rgba);
	limit = planes.has_alpha ? 5 : 7;
	lx = larger(1, (int)rounded((double)limit * width / most));
	ly = larger(1, (int)rounded((double)limit * height / most));
	transform(&planes, &planes.l, larger(3, lx), larger(3, ly), &l);
	transform(&planes, &planes.p, 3, 3, &p);
	transform(&planes, &planes.q, 3, 3, &q);
	memset(out, 0, THUMBHASH_MAX);
	head = rounded(63 * l.constant) | rounded(31.5 + 31.5 * p.constant) << 6 |
	       rounded(31.5 + 31.5 * q.constant) << 12 | rounded(31 * l.scale) << 18 |
	       (uint32_t)planes.has_alpha << 23;
	for (int i = 0; i < 3; i++)
		out[i] = (uint8_t)(head >> (8 * i));
	head = (uint32_t)(wide ? ly : lx) | rounded(63 * p.scale) << 3 |
	       rounded(63 * q.scale) << 9 | (uint32_t)wide << 15;
	out[3] = (uint8_t)head;
	out[4] = (uint8_t)(head >> 8);
	halves = 2 * 5;
	if (planes.has_alpha) {
		transform(&planes, &planes.a, 5, 5, &a);
		out[5] =
		    (uint8_t)(rounded(15 * a.constant) | rounded(15 * a.scale) << 4);
		halves += 2;
	}
	put(&l, out, &halves);
	put(&p, out, &halves);
	put(&q, out, &halves);
	put(&a, out, &halves);
	return (halves + 1) / 2;
}
