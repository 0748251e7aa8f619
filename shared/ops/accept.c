/* accept.c - which of two formats a scraper would rather have (RFC 9110, 12.5.1).
 * OpenMetrics is for whoever names it, in our version or in none, and weighs it no less
 * than plain text. Weights that are none, and all else that is odd, mean text 0.0.4,
 * which every scraper reads. */
#include <string.h>
#include <strings.h>

#include "scrape.h"

struct weights {
	int open_metrics, text; /* thousandths; -1: not named */
	unsigned text_closeness;
	bool odd;
};

/* qvalue: 0 to 1 with at most three decimals. -1: it is none. */
static int
weight_of(const char *at, size_t len)
{
	int weight = 0, place = 1000;

	if (len == 0 || len > 5 || (at[0] != '0' && at[0] != '1') ||
	    (len > 1 && at[1] != '.'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (i == 1)
			continue;
		if (at[i] < '0' || at[i] > '9')
			return -1;
		weight += (at[i] - '0') * place;
		place /= 10;
	}
	return weight <= 1000 ? weight : -1;
}

/* The end of a parameter or range: a quoted text may hold what else would end it.
 * *open: one was not closed. */
static const char *
end_of(const char *at, const char *ends, bool *open)
{
	while (*at != '\0' && strchr(ends, *at) == NULL) {
		if (*at == '"')
			for (at++; *at != '\0' && *at != '"'; at++)
				at += *at == '\\' && at[1] != '\0';
		if (*at == '\0')
			*open = true;
		else
			at++;
	}
	return at;
}

static size_t
trimmed(const char *at, const char *end)
{
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (size_t)(end - at);
}

static bool
is(const char *at, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(at, word, len) == 0;
}

/* One range with its parameters, from at to end. */
static void
weigh(struct weights *weights, const char *at, const char *end)
{
	static const char *const texts[] = { "*/*", "text/*", "text/plain" };
	const char *stop = end_of(at, ";,", &weights->odd), *type = at, *version = NULL;
	const size_t type_len = trimmed(at, stop);
	size_t version_len = 0;
	int weight = 1000;

	while (stop < end) {
		size_t len;

		at = stop + 1;
		at += strspn(at, " \t");
		stop = end_of(at, ";,", &weights->odd);
		len = trimmed(at, stop);
		if (len >= 2 && strncasecmp(at, "q=", 2) == 0) {
			weight = weight_of(at + 2, len - 2);
		} else if (len >= 8 && strncasecmp(at, "version=", 8) == 0) {
			version = at + 8;
			version_len = len - 8;
		}
	}
	weights->odd |= weight < 0;
	if (is(type, type_len, "application/openmetrics-text") &&
	    (version == NULL || is(version, version_len, "1.0.0") ||
		is(version, version_len, "\"1.0.0\"")) &&
	    weight > weights->open_metrics)
		weights->open_metrics = weight;
	for (unsigned i = 0; i < TRL_COUNT(texts); i++)
		if (is(type, type_len, texts[i]) && i + 1 >= weights->text_closeness) {
			weights->text =
			    i + 1 > weights->text_closeness || weight > weights->text
				? weight
				: weights->text;
			weights->text_closeness = i + 1;
		}
}

bool
ops_wants_open_metrics(const struct trl_http_request *request)
{
	struct weights weights = { .open_metrics = -1, .text = -1 };

	for (size_t i = 0; i < request->n_headers; i++) {
		const char *at = request->headers[i].value;

		if (strcmp(request->headers[i].name, "accept") != 0)
			continue;
		while (*(at += strspn(at, " \t,")) != '\0') {
			const char *end = end_of(at, ",", &weights.odd);

			weigh(&weights, at, end);
			at = end;
		}
	}
	return !weights.odd && weights.open_metrics > 0 &&
	       weights.open_metrics >= weights.text;
}
