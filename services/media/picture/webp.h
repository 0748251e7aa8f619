/* webp.h - a WebP without what is beside its picture. Pure. */
#pragma once

#include <stdbool.h>

#include <trl/buf.h>

/* Of a whole WebP in buf, from its byte at on, in place. False: it is no WebP. */
bool webp_strip(struct trl_buf *buf, size_t at);
