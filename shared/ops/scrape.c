/* scrape.c - /metrics, without holding the loop.
 *
 * Some hundred lines are rendered in a turn, and some kilobytes sent, and then the
 * others have theirs. One renders at a time: who comes meanwhile and wants the same
 * format waits for the next text and shares it with all that wait, so that a hundred
 * scrapers cost little more than one. A text is shared only with those that came before
 * it was begun, so nobody gets figures from before the scrape; none is kept when nobody
 * scrapes.
 *
 * Whoever takes ten seconds and has not read all is cut off, without the end that would
 * let half the metrics look like all. */
#include "scrape.h"

#include <stdlib.h>
#include <string.h>

#include <trl/metrics.h>
#include <trl/process.h>

enum {
	SCRAPES_MAX = 200,
	PIECE_LINES = 300,
	PIECE_BYTES = 16384,
	NOW_EVERY_US = 100000 /* where there is no actor */
};

static const char *const types[] = { "text/plain; version=0.0.4; charset=utf-8",
	"application/openmetrics-text; version=1.0.0; charset=utf-8" };

static void
let_go(struct ops_text **text_at)
{
	struct ops_text *text = TRL_TAKE(*text_at);

	if (text == NULL || --text->holders > 0)
		return;
	trl_buf_fini(&text->text);
	free(text);
}

/* Errors: TRL_DEADLINE. */
static enum trl_code
render(trl_ctx *ctx, bool open, struct ops_text *text)
{
	struct trl_metrics_place place = { 0 };
	enum trl_code rc = TRL_OK;

	while (rc == TRL_OK && trl_process_look())
		rc = trl_sleep(ctx, 1);
	while (rc == TRL_OK &&
	       trl_metrics_render_some(&text->text, open, &place, PIECE_LINES))
		rc = trl_sleep(ctx, 1);
	return rc;
}

/* A text that was begun after this call; hold it until let_go().
 * Errors: TRL_DEADLINE, TRL_BUSY. */
static enum trl_code
take_text(trl_ctx *ctx, struct ops_scraper *scraper, bool open, struct ops_text **out)
{
	const char *key = open ? "ops openmetrics" : "ops metrics";
	const uint64_t came_us = trl_mono_us();
	struct ops_text *text;
	enum trl_code rc = trl_key_enter(ctx, key, strlen(key));

	if (rc != TRL_OK)
		return rc;
	text = scraper->latest[open];
	if (text == NULL || text->began_us < came_us) {
		text = calloc(1, sizeof *text);
		trl_assert(text != NULL);
		text->holders = 1;
		text->began_us = trl_mono_us();
		rc = render(ctx, open, text);
		if (rc == TRL_OK) {
			let_go(&scraper->latest[open]);
			scraper->latest[open] = text;
		} else {
			let_go(&text);
		}
	}
	if (rc == TRL_OK) {
		text->holders++;
		*out = text;
	}
	trl_key_leave(ctx, key, strlen(key));
	return rc;
}

static void
gone(void *self)
{
	*(bool *)self = true;
}

static void
send_text(trl_ctx *ctx, struct trl_http_request *request, bool open,
    const struct trl_buf *text)
{
	struct trl_http_response head = { .status = 200 };
	trl_http_stream *stream;
	bool left = false;
	size_t done = 0;

	trl_http_add_header(&head, "Content-Type", types[open]);
	trl_http_add_header(&head, "Cache-Control", "no-store");
	stream = trl_http_stream_open(ctx, request, &head, gone, &left);
	if (stream == NULL)
		return;
	while (done < text->len) {
		const size_t rest = text->len - done,
			     n = rest < PIECE_BYTES ? rest : PIECE_BYTES;

		if (!trl_http_stream_write(stream, text->data + done, n) ||
		    trl_http_stream_wait(ctx, stream) != TRL_OK)
			break;
		done += n;
	}
	if (left)
		return;
	if (done < text->len)
		trl_http_stream_break(&stream);
	else
		trl_http_stream_close(&stream);
}

static void
answer_busy(struct trl_http_response *out)
{
	static const char text[] = "too many scrape at once\n";

	ops_answer(out, 503, "text/plain; charset=utf-8", text, sizeof text - 1);
	trl_http_add_header(out, "Retry-After", "1");
}

void
ops_scrape(trl_ctx *ctx, struct ops_scraper *scraper, struct trl_http_request *request)
{
	const bool open = ops_wants_open_metrics(request);
	struct trl_http_response busy = { 0 };
	struct ops_text *text = NULL;

	if (scraper->n >= SCRAPES_MAX) {
		answer_busy(&busy);
		trl_http_reply(ctx, request, &busy);
		return;
	}
	scraper->n++;
	if (take_text(ctx, scraper, open, &text) == TRL_OK) {
		send_text(ctx, request, open, &text->text);
		let_go(&text);
	} else {
		answer_busy(&busy);
		trl_http_reply(ctx, request, &busy);
	}
	if (--scraper->n == 0) {
		let_go(&scraper->latest[0]);
		let_go(&scraper->latest[1]);
	}
}

void
ops_scrape_now(struct ops_scraper *scraper, trl_arena *arena,
    const struct trl_http_request *request, struct trl_http_response *out)
{
	const bool open = ops_wants_open_metrics(request);
	const uint64_t now = trl_mono_us();
	struct trl_buf text = { 0 };

	if (now - scraper->now_us < NOW_EVERY_US) {
		answer_busy(out);
		return;
	}
	scraper->now_us = now;
	trl_metrics_render(&text, open);
	ops_answer(out, 200, types[open], trl_arena_memdup(arena, text.data, text.len),
	    text.len);
	trl_buf_fini(&text);
}
