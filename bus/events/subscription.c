/* subscription.c - when a subscription pulls. A pull runs until there is nothing new;
 * then somebody waits at the producer (at most a second: that is the floor under lost
 * notices), and a notice starts the next pull before that answer comes. */
#include "subscription.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <trl/log.h>

#include "pull.h"

enum { RUN_MS = 20000, WAIT_MS = 1000, WATCH_MS = 4000, BUSY_MS = 50, EARLY_MS = 20 };

struct subscription *
sub_find(const struct events *events, const char *name)
{
	struct subscription *sub = events->subscriptions;

	while (sub && strcmp(sub->name, name) != 0)
		sub = sub->next;
	return sub;
}

static void
on_timer(uv_timer_t *timer)
{
	sub_pull(timer->data);
}

void
sub_pull_at(struct subscription *sub, uint64_t until_us)
{
	uint64_t now = trl_mono_us();
	uint64_t ms = until_us > now ? (until_us - now + 999) / 1000 : 0;

	if (uv_is_active((uv_handle_t *)sub->timer) &&
	    uv_timer_get_due_in(sub->timer) <= ms)
		return;
	uv_timer_start(sub->timer, on_timer, ms, 0);
}

static void
pull(trl_ctx *ctx, void *arg)
{
	struct subscription *sub = arg;
	struct events *events = sub->events;
	enum sub_state state = sub_pull_all(ctx, sub);

	sub->pulling = false;
	events_ends(events);
	if (events->draining)
		return;
	if (state == SUB_MORE || sub->again)
		sub_pull(sub);
	else
		sub_watch(sub);
}

void
sub_pull(struct subscription *sub)
{
	struct events *events = sub->events;

	if (events->draining)
		return;
	if (sub->pulling) {
		sub->again = true;
		return;
	}
	if (trl_mono_us() < sub->until_us) { /* it failed a moment ago */
		sub_pull_at(sub, sub->until_us);
		return;
	}
	sub->again = false;
	sub->pulling = events_spawn(events, "applying events", pull, sub, RUN_MS);
	if (!sub->pulling)
		sub_pull_at(sub, trl_mono_us() + BUSY_MS * 1000);
}

/* Until the clock's next second: all who wait on a host, and those that they wait at,
 * are awake at once and asleep between. What ended a little early has not ended twice.
 */
static uint32_t
wait_ms(void)
{
	const uint32_t ms = (uint32_t)(trl_wall_us() / 1000 % WAIT_MS);

	return ms < WAIT_MS - EARLY_MS ? WAIT_MS - ms : WAIT_MS;
}

static void
watch(trl_ctx *ctx, void *arg)
{
	struct subscription *sub = arg;
	struct events *events = sub->events;
	bool news = false;
	enum trl_code rc = sub_await(ctx, sub, wait_ms(), &news);

	sub->watching = false;
	events_ends(events);
	trl_err_clear(ctx);
	if (rc != TRL_OK)
		sub_pull_at(sub, trl_mono_us() + WAIT_MS * 1000);
	else if (news)
		sub_pull(sub);
	else if (!sub->pulling)
		sub_watch(sub);
}

void
sub_watch(struct subscription *sub)
{
	if (sub->events->draining)
		return;
	if (sub_retries(sub)) /* a lane whose turn comes before that */
		sub_pull_at(sub, sub_next_us(sub));
	if (sub->watching)
		return;
	if (!sub_may_wait(sub)) { /* no lane is ours for now, or it has not begun */
		sub_pull_at(sub, sub_next_us(sub));
		return;
	}
	sub->watching =
	    events_spawn(sub->events, "waiting for events", watch, sub, WATCH_MS);
	if (!sub->watching)
		sub_pull_at(sub, trl_mono_us() + WAIT_MS * 1000);
}

/* The producer told something: total is the sum of its numbers. */
static void
heard(struct subscription *sub, uint64_t total)
{
	if (total <= sub->hint || total > INT64_MAX)
		return;
	sub->hint = total;
	sub_pull(sub);
}

/* A notice of the producer: the sum of its numbers stands in the id. */
static void
on_notice(void *self, struct trl_id tenant, struct trl_id total)
{
	uint64_t sum;

	(void)tenant;
	memcpy(&sum, total.bytes + 8, sizeof sum);
	heard(self, be64toh(sum));
}

void
sub_hear_own(struct events *events)
{
	for (struct subscription *sub = events->subscriptions; sub; sub = sub->next)
		if (sub->is_own)
			heard(sub, events->total);
}

/* "*.audit.written" is the producer's. */
static char *
type_of(const char *type, const char *producer)
{
	char *own = NULL;

	if (*type == '*')
		trl_assert(asprintf(&own, "%s%s", producer, type + 1) > 0);
	else
		trl_assert((own = strdup(type)) != NULL);
	return own;
}

static void
choose_types(struct subscription *sub, const char *const *types)
{
	size_t n = 0;

	while (types && types[n])
		n++;
	if (n == 0)
		return;
	sub->types = calloc(n, sizeof *sub->types);
	trl_assert(sub->types != NULL);
	while (sub->n_types < n) {
		sub->types[sub->n_types] = type_of(types[sub->n_types], sub->producer);
		sub->n_types++;
	}
}

/* By lane it is told where it is asked for (trellis events lag): sixteen series a
 * subscription would be a good part of all that a process has. */
static double
seconds_behind(void *self)
{
	const struct subscription *sub = self;

	return sub->behind_us ? (double)(trl_mono_us() - sub->behind_us) / 1e6 : 0;
}

static void
open_metrics(struct subscription *sub)
{
	const char *service = sub->events->service, *name = sub->name;

	sub->m.applied = trl_series_at(
	    trl_counter_new("trellis_events_applied_total", "Events that were applied",
		"service", "subscription", NULL),
	    service, name);
	sub->m.repeated = trl_series_at(
	    trl_counter_new("trellis_events_repeated_total",
		"Events that the inbox knew already", "service", "subscription", NULL),
	    service, name);
	sub->m.parked = trl_series_at(
	    trl_counter_new("trellis_events_parked_total", "Events that were parked",
		"service", "subscription", NULL),
	    service, name);
	sub->m.late =
	    trl_series_at(trl_counter_new("trellis_events_late_total",
			      "Events that were left out: their tenant is erased here",
			      "service", "subscription", NULL),
		service, name);
	sub->m.failed = trl_series_at(trl_counter_new("trellis_events_failed_total",
					  "Batches of events whose handler failed",
					  "service", "subscription", NULL),
	    service, name);
	sub->m.gaps = trl_series_at(trl_counter_new("trellis_events_gap_total",
					"Numbers that were missing in a lane; always 0",
					"service", "subscription", NULL),
	    service, name);
	sub->m.lag = trl_series_at(trl_gauge_new("trellis_events_lag_seconds",
				       "Age of the last event when it was applied",
				       "service", "subscription", NULL),
	    service, name);
	sub->m.parked_now = trl_series_at(trl_gauge_new("trellis_events_parked",
					      "Events that are parked, as of the last "
					      "half minute",
					      "service", "subscription", NULL),
	    service, name);
	sub->m.pull_failures = trl_series_at(
	    trl_counter_new("trellis_events_pull_failures_total",
		"Pulls that failed: the producer or the database was away", "service",
		"subscription", NULL),
	    service, name);
	trl_series_ask(
	    trl_series_at(
		trl_gauge_new("trellis_events_behind_seconds",
		    "Since when there are events that it could not apply yet; 0: it "
		    "has come to the end",
		    "service", "subscription", NULL),
		service, name),
	    seconds_behind, sub);
}

static void
sub_open(struct events *events, const struct trl_subscription *spec, const char *name,
    const char *producer)
{
	struct subscription *sub = calloc(1, sizeof *sub);

	trl_assert(sub != NULL && strlen(name) <= SUB_NAME_MAX && spec->apply != NULL);
	sub->events = events;
	sub->spec = spec;
	strcpy(sub->name, name);
	sub->producer = producer;
	sub->is_own = strcmp(producer, events->service) == 0;
	choose_types(sub, spec->types);
	open_metrics(sub);
	sub->next = events->subscriptions;
	events->subscriptions = sub;
}

void
sub_open_all(struct events *events, const struct trl_subscription *spec,
    const char *const *tellers)
{
	const bool is_every = strcmp(spec->producer, TRL_EVERY_TELLER) == 0;
	char name[2 * SUB_NAME_MAX];

	if (!is_every)
		sub_open(events, spec, spec->name, spec->producer);
	for (size_t i = 0; is_every && tellers && tellers[i]; i++) {
		if (strcmp(tellers[i], events->service) == 0)
			continue;
		snprintf(name, sizeof name, "%s%s%s", spec->name ? spec->name : "",
		    spec->name ? "_" : "", tellers[i]);
		sub_open(events, spec, name, tellers[i]);
	}
}

void
sub_start(struct subscription *sub)
{
	char topic[41];

	snprintf(topic, sizeof topic, "%s.events", sub->producer);
	sub->timer = events_timer(sub->events, sub);
	if (!sub->is_own) /* else the sequencer says so itself */
		trl_bus_watch(sub->events->bus, topic, on_notice, sub);
	sub_pull_at(sub, 0);
}

void
sub_close_all(struct events *events)
{
	while (events->subscriptions) {
		struct subscription *sub = events->subscriptions;

		events->subscriptions = sub->next;
		trl_metric_callback_drop(sub);
		events_timer_close(&sub->timer);
		for (size_t i = 0; i < sub->n_types; i++)
			free(sub->types[i]);
		free(sub->types);
		free(sub);
	}
}
