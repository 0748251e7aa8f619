/* busiest.c - two sketches, of the ten minutes that run and of those before. Counters
 * only rise, so the least there was is looked for on and on in a circle, and only after
 * a whole round without it is there a new least: two steps a count, where each tenant
 * comes but once. */
#include <trl/busiest.h>

#include <stdlib.h>
#include <string.h>

enum { COUNTERS = 256, HEADS = 512, NONE = COUNTERS };

static const uint64_t window_us = UINT64_C(600000000);

struct sketch {
	uint64_t counts[COUNTERS];
	struct trl_busy_tenant tenants[COUNTERS]; /* their count is in counts */
	uint16_t heads[HEADS], next[COUNTERS];    /* by the id's hash; one more than */
	unsigned n, round;                        /* where the least was found last */
	uint64_t least;
};

static struct {
	struct sketch sketches[2];
	unsigned at; /* the one that runs */
	uint64_t since_us;
	struct trl_id process;
} busiest;

/* An id's end is random. */
static uint16_t *
head_of(struct sketch *sketch, const struct trl_id *tenant)
{
	uint32_t hash;

	memcpy(&hash, tenant->bytes + sizeof tenant->bytes - sizeof hash, sizeof hash);
	return &sketch->heads[hash % HEADS];
}

static unsigned
find(struct sketch *sketch, const struct trl_id *tenant)
{
	for (unsigned at = *head_of(sketch, tenant); at != 0; at = sketch->next[at - 1])
		if (trl_id_eq(sketch->tenants[at - 1].tenant, *tenant))
			return at - 1;
	return NONE;
}

static void
take_out(struct sketch *sketch, unsigned counter)
{
	uint16_t *at = head_of(sketch, &sketch->tenants[counter].tenant);

	while (*at != counter + 1)
		at = &sketch->next[*at - 1];
	*at = sketch->next[counter];
}

/* One of the counters that are the least; all are given. */
static unsigned
find_least(struct sketch *sketch)
{
	uint64_t least = UINT64_MAX;

	for (unsigned steps = 0; steps < COUNTERS; steps++) {
		sketch->round = (sketch->round + 1) % COUNTERS;
		if (sketch->counts[sketch->round] == sketch->least)
			return sketch->round;
	}
	for (unsigned i = 0; i < COUNTERS; i++)
		if (sketch->counts[i] < least) {
			least = sketch->counts[i];
			sketch->round = i;
		}
	sketch->least = least;
	return sketch->round;
}

/* A counter for a tenant that has none. */
static unsigned
give(struct sketch *sketch, const struct trl_id *tenant)
{
	uint16_t *head = head_of(sketch, tenant);
	unsigned counter = sketch->n;

	if (counter < COUNTERS) {
		sketch->n++;
	} else {
		counter = find_least(sketch);
		take_out(sketch, counter);
	}
	sketch->tenants[counter] = (struct trl_busy_tenant){ .tenant = *tenant,
		.over = sketch->counts[counter] };
	sketch->next[counter] = *head;
	*head = (uint16_t)(counter + 1);
	return counter;
}

static void
turn(uint64_t now_us)
{
	for (int i = 0; i < 2 && now_us - busiest.since_us >= window_us; i++) {
		busiest.since_us += window_us;
		busiest.at ^= 1;
		memset(&busiest.sketches[busiest.at], 0,
		    sizeof busiest.sketches[busiest.at]);
	}
	if (now_us - busiest.since_us >= window_us)
		busiest.since_us = now_us;
}

void
trl_busiest_count(struct trl_id tenant, enum trl_busy kind, bool failed,
    uint64_t took_us, uint64_t now_us)
{
	struct sketch *sketch;
	struct trl_busy_tenant *of;
	unsigned counter;

	if (trl_id_is_nil(tenant))
		return;
	turn(now_us);
	sketch = &busiest.sketches[busiest.at];
	counter = find(sketch, &tenant);
	if (counter == NONE)
		counter = give(sketch, &tenant);
	sketch->counts[counter]++;
	of = &sketch->tenants[counter];
	of->n[kind]++;
	of->failed[kind] += failed;
	if (kind == TRL_BUSY_CALL)
		of->call_us += took_us;
}

static int
by_count(const void *a, const void *b)
{
	const struct trl_busy_tenant *x = a, *y = b;

	return x->count < y->count   ? 1
	       : x->count > y->count ? -1
				     : memcmp(&x->tenant, &y->tenant, sizeof x->tenant);
}

/* What the window before knew of the same. */
static void
add(struct trl_busy_tenant *to, const struct trl_busy_tenant *from, uint64_t count)
{
	to->count += count;
	to->over += from->over;
	to->call_us += from->call_us;
	for (int kind = 0; kind < 2; kind++) {
		to->n[kind] += from->n[kind];
		to->failed[kind] += from->failed[kind];
	}
}

size_t
trl_busiest_top(struct trl_busy_tenant *out, size_t max, uint64_t now_us)
{
	struct trl_busy_tenant *all = calloc(2 * COUNTERS, sizeof *all);
	struct sketch *now, *before;
	size_t n;

	trl_assert(all != NULL);
	turn(now_us);
	now = &busiest.sketches[busiest.at];
	before = &busiest.sketches[busiest.at ^ 1];
	for (n = 0; n < now->n; n++) {
		all[n] = now->tenants[n];
		all[n].count = now->counts[n];
	}
	for (unsigned i = 0; i < before->n; i++) {
		unsigned at = find(now, &before->tenants[i].tenant);

		if (at == NONE) {
			at = (unsigned)n++;
			all[at].tenant = before->tenants[i].tenant;
		}
		add(&all[at], &before->tenants[i], before->counts[i]);
	}
	qsort(all, n, sizeof *all, by_count);
	if (n > max)
		n = max;
	memcpy(out, all, n * sizeof *out);
	free(all);
	return n;
}

static void
put(struct trl_buf *out, const char *name, const char *help, const char *type,
    const struct trl_busy_tenant *all, size_t n,
    double (*value)(const struct trl_busy_tenant *of))
{
	char text[TRL_ID_TEXT];

	trl_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
	for (size_t i = 0; i < n; i++) {
		trl_id_format(all[i].tenant, text);
		trl_buf_printf(
		    out, "%s{tenant=\"%s\"} %.15g\n", name, text, value(&all[i]));
	}
}

static double
requests(const struct trl_busy_tenant *of)
{
	return (double)of->n[TRL_BUSY_REQUEST];
}

static double
failed_requests(const struct trl_busy_tenant *of)
{
	return (double)of->failed[TRL_BUSY_REQUEST];
}

static double
calls(const struct trl_busy_tenant *of)
{
	return (double)of->n[TRL_BUSY_CALL];
}

static double
failed_calls(const struct trl_busy_tenant *of)
{
	return (double)of->failed[TRL_BUSY_CALL];
}

static double
seconds(const struct trl_busy_tenant *of)
{
	return (double)of->call_us / 1e6;
}

static double
over(const struct trl_busy_tenant *of)
{
	return (double)of->over;
}

void
trl_busiest_render(struct trl_buf *out, uint64_t now_us)
{
	static const struct {
		const char *name, *help;
		double (*value)(const struct trl_busy_tenant *of);
	} rows[] = {
		{ "trellis_tenant_requests", "Requests over HTTP", requests },
		{ "trellis_tenant_failed_requests", "Those answered 5xx",
		    failed_requests },
		{ "trellis_tenant_calls", "Calls and jobs", calls },
		{ "trellis_tenant_failed_calls", "Those that ended in a fault",
		    failed_calls },
		{ "trellis_tenant_seconds", "Time that calls and jobs took", seconds },
		{ "trellis_tenant_rank_error",
		    "Requests and calls by which its rank may be too high", over },
	};
	struct trl_busy_tenant all[TRL_BUSIEST];
	const size_t n = trl_busiest_top(all, TRL_BUSIEST, now_us);

	trl_buf_adds(out, "# The busiest tenants of this process in the last ten to "
			  "twenty minutes; not for scraping.\n");
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		put(out, rows[i].name, rows[i].help, "gauge", all, n, rows[i].value);
}

struct trl_id
trl_busiest_process(void)
{
	if (trl_id_is_nil(busiest.process))
		busiest.process = trl_id_random();
	return busiest.process;
}
