/* size.c - see size.h. */
#include "picture/size.h"

#include <math.h>
#include <stdbool.h>

static int
at_least_one(double value)
{
	return value < 1 ? 1 : (int)floor(value + 0.5);
}

static int
smaller(int a, int b)
{
	return a < b ? a : b;
}

struct size
size_of(int width, int height, const struct picture_request *asked)
{
	/* What is free follows from the other. */
	double across = asked->width ? (double)asked->width / width : HUGE_VAL;
	double down = asked->height ? (double)asked->height / height : HUGE_VAL;
	const bool covers =
	    asked->fit == PICTURE_COVER && asked->width && asked->height;
	double scale = covers ? fmax(across, down) : fmin(across, down);
	double box_width = asked->width, box_height = asked->height;
	struct size out = { 0 };

	if (scale > 1) { /* a cover's box shrinks to what there is */
		const double fits = fmin(1, 1 / fmax(across, down));

		box_width *= fits;
		box_height *= fits;
		scale = 1;
	}
	out.width = at_least_one(width * scale);
	out.height = at_least_one(height * scale);
	out.kept_width =
	    covers ? smaller(out.width, at_least_one(box_width)) : out.width;
	out.kept_height =
	    covers ? smaller(out.height, at_least_one(box_height)) : out.height;
	out.left = (out.width - out.kept_width) / 2;
	out.top = (out.height - out.kept_height) / 2;
	return out;
}
