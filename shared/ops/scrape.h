/* scrape.h - what the files of this module share. */
#pragma once

#include <trl/actor.h>
#include <trl/buf.h>
#include <trl/http.h>

/* The metrics as text, for those that scrape at the same time. */
struct ops_text {
	unsigned holders;
	uint64_t began_us;
	struct trl_buf text;
};

struct ops_scraper {
	struct ops_text *latest[2]; /* by format: [1] is OpenMetrics */
	unsigned n;                 /* scrapes under way */
	uint64_t now_us; /* of the last one that was answered without an actor */
};

/* accept.c: whether the request would rather have OpenMetrics than text 0.0.4. */
bool ops_wants_open_metrics(const struct trl_http_request *request);

/* scrape.c: answers, in an actor. */
void ops_scrape(
    trl_ctx *ctx, struct ops_scraper *scraper, struct trl_http_request *request);
/* Answers at once, and all of it: where no actor is free. */
void ops_scrape_now(struct ops_scraper *scraper, trl_arena *arena,
    const struct trl_http_request *request, struct trl_http_response *out);

/* ops.c */
void ops_answer(struct trl_http_response *out, uint16_t status, const char *type,
    const void *body, size_t len);
