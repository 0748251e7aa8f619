/* out_resolve.c - names to addresses, by getaddrinfo on a thread. libcurl's own
 * resolver is never used: it would connect to what nobody looked at, and giving a
 * transfer up waits for its thread, which holds the loop up. Every address is looked
 * at, and the connection is made to these and no others, so a name that answers
 * differently the next time changes nothing.
 *
 * Many names are strangers' choice, and one whose servers never answer keeps its thread
 * for seconds; libuv has four for lookups. So a client has three places, an
 * organisation at most one of them at a time, and one that had a turn goes behind the
 * others: nobody waits for more than the dead names of their own and a turn of each of
 * the others. A fourth is for names that were quick the last time: what is called every
 * day does not wait for many organisations' dead names. A name that gets no turn in
 * time is BUSY, which is nobody's failure. It is asked for once, whoever else wants it
 * meanwhile, and where that took long for nothing it fails at once for a minute. What
 * nobody waits for any more is taken back, unless a thread has begun it: then it ends
 * by itself. */
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <trl/clock.h>

enum {
	PLACES = 4,        /* as many as libuv's threads for it */
	OTHERS = 3,        /* of them for names that were not quick the last time */
	TURN_MS = 5000,    /* to wait for one */
	SLOW_US = 2000000, /* a server was not there (RES_OPTIONS, actor/loop.c) */
	BUSY_AGAIN_MS = 1000
};

/* One wait; lives on its actor's stack. */
struct wait {
	struct trl_ticket ticket;
	struct trl_id tenant;
	struct wait *next;
};

struct out_name {
	uv_getaddrinfo_t request;
	trl_http_out *out; /* NULL: the client is gone */
	struct out_name *next;
	enum { QUEUED, ASKED, DONE } state; /* DONE: no longer in the client's list */
	uint64_t turn;                      /* the smallest is next */
	struct trl_id tenant;               /* whose place it takes */
	uint64_t asked_us;
	bool taken_back; /* it ends as cancelled, in a moment */
	bool quick;      /* it was, the last time */
	struct wait *waits;
	int status;
	struct addrinfo *found;
	char host[OUT_HOST_MAX + 1];
};

static void
free_name(struct out_name *name)
{
	if (name->found != NULL)
		uv_freeaddrinfo(name->found);
	free(name);
}

static void
unlink_name(struct out_name *name)
{
	struct out_name **at = &name->out->names;

	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
	name->out->n_names--;
	name->out->n_asked -= name->state == ASKED;
}

static void
wake_all(const struct out_name *name)
{
	for (const struct wait *w = name->waits; w != NULL; w = w->next)
		trl_wake(w->ticket);
}

static bool
has_place(const trl_http_out *out, struct trl_id tenant)
{
	for (const struct out_name *n = out->names; n != NULL; n = n->next)
		if (n->state == ASKED && trl_id_eq(n->tenant, tenant))
			return true;
	return false;
}

/* One of those who want it, who may have a place. */
static const struct wait *
asker_of(const struct out_name *name)
{
	const struct wait *w = name->waits;

	while (w != NULL && has_place(name->out, w->tenant))
		w = w->next;
	return w;
}

static struct out_name *
next_of(trl_http_out *out)
{
	struct out_name *best = NULL;
	size_t others = 0;

	for (struct out_name *n = out->names; n != NULL; n = n->next)
		others += n->state == ASKED && !n->quick;
	for (struct out_name *n = out->names; n != NULL; n = n->next)
		if (n->state == QUEUED && (n->quick || others < OTHERS) &&
		    (best == NULL || n->turn < best->turn) && asker_of(n) != NULL)
			best = n;
	return best;
}

/* What else an organisation wants goes behind all others' after its turn. */
static void
step_back(trl_http_out *out, struct trl_id tenant)
{
	for (struct out_name *n = out->names; n != NULL; n = n->next)
		if (n->state == QUEUED && trl_id_eq(n->tenant, tenant))
			n->turn = ++out->turns;
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found);

static void
give_turns(trl_http_out *out)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct out_name *name;
	int rc;

	while (out->n_asked < PLACES && (name = next_of(out)) != NULL) {
		name->tenant = asker_of(name)->tenant;
		name->state = ASKED;
		name->asked_us = trl_mono_us();
		name->request.data = name;
		out->n_asked++;
		rc = uv_getaddrinfo(trl_loop_uv(out->loop), &name->request, on_found,
		    name->host, NULL, &hints);
		if (rc == 0) {
			wake_all(name); /* they wait for the answer now */
			continue;
		}
		unlink_name(name);
		name->state = DONE;
		name->status = rc;
		wake_all(name);
	}
}

static void
on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct out_name *name = request->data;
	trl_http_out *out = name->out;

	name->status = status;
	name->found = found;
	if (out != NULL) {
		unlink_name(name);
		step_back(out, name->tenant);
		out_name_note_quick(out, name->host,
		    status == 0 && trl_mono_us() - name->asked_us < SLOW_US);
		if (status != 0 && status != UV_ECANCELED &&
		    trl_mono_us() - name->asked_us >= SLOW_US)
			out_name_leave_alone(out, name->host);
	}
	name->state = DONE;
	wake_all(name);
	if (name->waits == NULL)
		free_name(name);
	if (out != NULL)
		give_turns(out);
}

/* NULL: there is none, and no room. */
static struct out_name *
find_or_add(trl_http_out *out, const char *host, struct trl_id tenant)
{
	struct out_name *name;

	for (name = out->names; name != NULL; name = name->next)
		if (!name->taken_back && !strcasecmp(name->host, host))
			return name;
	if (out->n_names >= OUT_NAMES_MAX)
		return NULL;
	name = calloc(1, sizeof *name);
	trl_assert(name != NULL);
	snprintf(name->host, sizeof name->host, "%s", host);
	name->out = out;
	name->tenant = tenant;
	name->quick = out_name_was_quick(out, host);
	name->turn = ++out->turns;
	name->next = out->names;
	out->names = name;
	out->n_names++;
	return name;
}

/* True: nobody has asked for it, and nobody will because of the waiter. */
static bool
leave(struct out_name *name, const struct wait *wait)
{
	struct wait **at = &name->waits;
	bool last, never = name->state == QUEUED;

	while (*at != wait)
		at = &(*at)->next;
	*at = wait->next;
	last = name->waits == NULL;
	if (last && name->state == ASKED)
		never = name->taken_back = uv_cancel((uv_req_t *)&name->request) == 0;
	if (last && name->state == QUEUED)
		unlink_name(name);
	if (last && name->state != ASKED)
		free_name(name);
	return never;
}

static enum trl_code
park_for(trl_ctx *ctx, struct wait *wait, const char *what, uint64_t until_us)
{
	const uint64_t now = trl_loop_now_us(ctx->loop);

	wait->ticket = trl_park_begin(ctx);
	return trl_park_for(ctx, wait->ticket, what,
	    until_us > now ? (uint32_t)((until_us - now + 999) / 1000) : 0);
}

/* Until the answer is there. What a turn takes is added to *end_us. */
static enum trl_code
wait_for(trl_ctx *ctx, const struct out_name *name, struct wait *wait, uint64_t *end_us)
{
	const uint64_t began = trl_loop_now_us(ctx->loop);
	enum trl_code rc = TRL_OK;

	if (name->state == QUEUED) {
		rc = park_for(
		    ctx, wait, "a name's turn", began + UINT64_C(1000) * TURN_MS);
		*end_us += trl_loop_now_us(ctx->loop) - began;
	}
	if (rc == TRL_OK && name->state == ASKED)
		rc = park_for(ctx, wait, "a name's address", *end_us);
	return rc;
}

static enum trl_code
fail_busy(trl_ctx *ctx)
{
	enum trl_code rc = trl_fail(ctx, TRL_BUSY, "too many names are being resolved");

	trl_err_retry_after(ctx, BUSY_AGAIN_MS);
	return rc;
}

/* "+host:port:address,address" of all that were found; each is looked at. */
static enum trl_code
write_list(trl_ctx *ctx, const trl_http_out *out, const struct out_url *url,
    const struct addrinfo *found, const char **list)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf text = { .len = 0 };
	char address_text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	const char *wrong;
	size_t n = 0;

	trl_buf_printf(&text, "+%s:%u:", url->host, url->port);
	for (; found != NULL && n < OUT_ADDRESSES_MAX; found = found->ai_next) {
		if (!out_address_of(found->ai_addr, &address))
			continue;
		wrong = out_url_refused_at(&out->guard, url, &address);
		/* Which address is not said: names of a private network are not to be
		 * learnt from here. */
		if (wrong != NULL)
			return trl_fail(ctx, TRL_DENIED, "%s", wrong);
		out_address_text(&address, address_text);
		trl_buf_printf(&text, strchr(address_text, ':') ? "%s[%s]" : "%s%s",
		    n++ > 0 ? "," : "", address_text);
	}
	if (n == 0)
		return trl_fail(
		    ctx, TRL_UNAVAILABLE, "the name %.150s has no address", url->host);
	*list = trl_arena_strndup(ctx->arena, (const char *)text.data, text.len);
	return TRL_OK;
}

static enum trl_code
look_up(trl_ctx *ctx, struct out_name *name, const struct out_url *url,
    uint64_t *end_us, const char **list)
{
	const trl_http_out *out = name->out;
	struct wait wait = { .tenant = ctx->tenant, .next = name->waits };
	enum trl_code rc;

	name->waits = &wait;
	give_turns(name->out);
	rc = wait_for(ctx, name, &wait, end_us);
	if (rc != TRL_OK) {
		const bool never = leave(name, &wait);

		if (ctx->err.code != TRL_OK)
			return rc; /* the actor's own time is over */
		return never
			   ? fail_busy(ctx)
			   : trl_fail(ctx, TRL_DEADLINE,
				 "the name %.150s was not resolved in time", url->host);
	}
	if (name->status != 0)
		rc = trl_fail(ctx, TRL_UNAVAILABLE,
		    "the name %.150s cannot be resolved: %s", url->host,
		    uv_strerror(name->status));
	else
		rc = write_list(ctx, out, url, name->found, list);
	(void)leave(name, &wait);
	return rc;
}

void
out_resolve_leave(trl_http_out *out)
{
	struct out_name *next;

	for (struct out_name *name = out->names; name != NULL; name = next) {
		next = name->next;
		trl_assert(name->state == ASKED && name->waits == NULL);
		name->out = NULL;
		uv_cancel((uv_req_t *)&name->request);
	}
	out->names = NULL;
}

enum trl_code
out_resolve(trl_ctx *ctx, trl_http_out *out, const struct out_url *url,
    uint64_t *end_us, const char **list)
{
	struct out_name *name;
	const char *wrong;

	*list = NULL;
	if (url->literal) {
		wrong = out_url_refused_at(&out->guard, url, &url->address);
		return wrong == NULL ? TRL_OK : trl_fail(ctx, TRL_DENIED, "%s", wrong);
	}
	if (out_name_is_left_alone(out, url->host))
		return trl_fail(ctx, TRL_UNAVAILABLE,
		    "the name %.150s was asked for in vain a moment ago", url->host);
	name = find_or_add(out, url->host, ctx->tenant);
	return name == NULL ? fail_busy(ctx) : look_up(ctx, name, url, end_us, list);
}
