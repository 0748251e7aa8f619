/* routes.h - every method with an http rule, and the OpenAPI document; generated
 * from all contracts. For the edge. */
#pragma once

#include <trl/method.h>

/* Ordered so that the first match wins: segment by segment, a literal stands
 * before a variable. Several methods of one path stand together. */
extern const struct trl_method *const trl_routes[];
extern const size_t trl_routes_count;

/* The document as UTF-8 JSON, without a final NUL. */
extern const unsigned char trl_openapi_json[];
extern const size_t trl_openapi_json_len;
