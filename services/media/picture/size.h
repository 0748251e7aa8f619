/* size.h - how large a picture is shown. Pure. */
#pragma once

#include "picture/picture.h"

struct size {
	int width, height; /* it is scaled to that */
	int left, top;     /* of what is kept of it */
	int kept_width, kept_height;
};

/* Of one of width x height, as displayed; of the request width, height and fit. */
struct size size_of(int width, int height, const struct picture_request *asked);
