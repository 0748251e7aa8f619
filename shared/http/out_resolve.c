/* out_resolve.c - names to addresses, by getaddrinfo on a thread. libcurl's own
 * resolver is never used: it would connect to what nobody looked at, and giving a
 * transfer up waits for its thread, which holds the loop up. Every address is looked
 * at, and the connection is made to these and no others, so a name that answers
 * differently the next time changes nothing. A lookup cannot be stopped: one that is
 * late ends by itself, detached. */
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out_lookup {
	uv_getaddrinfo_t request;
	trl_http_out *out; /* NULL: the client is gone */
	struct out_lookup *prev, *next;
	struct trl_ticket ticket;
	bool detached, done;
	int status;
	struct addrinfo *found;
};

static void
free_lookup(struct out_lookup *lookup)
{
	if (lookup->out != NULL) {
		if (lookup->prev != NULL)
			lookup->prev->next = lookup->next;
		else
			lookup->out->lookups = lookup->next;
		if (lookup->next != NULL)
			lookup->next->prev = lookup->prev;
		lookup->out->n_lookups--;
	}
	if (lookup->found != NULL)
		uv_freeaddrinfo(lookup->found);
	free(lookup);
}

static void
on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct out_lookup *lookup = request->data;

	lookup->done = true;
	lookup->status = status;
	lookup->found = found;
	if (lookup->detached)
		free_lookup(lookup);
	else
		trl_wake(lookup->ticket);
}

void
out_resolve_leave(trl_http_out *out)
{
	struct out_lookup *next;

	for (struct out_lookup *l = out->lookups; l != NULL; l = next) {
		next = l->next;
		l->out = NULL;
		uv_cancel((uv_req_t *)&l->request);
	}
	out->lookups = NULL;
}

static struct out_lookup *
begin(trl_ctx *ctx, trl_http_out *out, const char *host)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct out_lookup *lookup = calloc(1, sizeof *lookup);

	trl_assert(lookup != NULL);
	lookup->request.data = lookup;
	lookup->out = out;
	lookup->ticket = trl_park_begin(ctx);
	lookup->next = out->lookups;
	if (out->lookups != NULL)
		out->lookups->prev = lookup;
	out->lookups = lookup;
	out->n_lookups++;
	if (uv_getaddrinfo(trl_loop_uv(out->loop), &lookup->request, on_found, host,
		NULL, &hints) != 0) {
		lookup->done = true;
		lookup->status = UV_EAI_FAIL;
		trl_wake(lookup->ticket);
	}
	return lookup;
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
look_up(trl_ctx *ctx, trl_http_out *out, const struct out_url *url, uint32_t timeout_ms,
    const char **list)
{
	struct out_lookup *lookup = begin(ctx, out, url->host);
	enum trl_code rc =
	    trl_park_for(ctx, lookup->ticket, "a name's address", timeout_ms);

	if (rc != TRL_OK) {
		lookup->detached = true;
		if (lookup->done)
			free_lookup(lookup);
		return ctx->err.code != TRL_OK
			   ? rc
			   : trl_fail(ctx, TRL_DEADLINE,
				 "the name %.150s was not resolved in time", url->host);
	}
	if (lookup->status != 0)
		rc = trl_fail(ctx, TRL_UNAVAILABLE,
		    "the name %.150s cannot be resolved: %s", url->host,
		    uv_strerror(lookup->status));
	else
		rc = write_list(ctx, out, url, lookup->found, list);
	free_lookup(lookup);
	return rc;
}

enum trl_code
out_resolve(trl_ctx *ctx, trl_http_out *out, const struct out_url *url,
    uint32_t timeout_ms, const char **list)
{
	const char *wrong;

	*list = NULL;
	if (url->literal) {
		wrong = out_url_refused_at(&out->guard, url, &url->address);
		return wrong == NULL ? TRL_OK : trl_fail(ctx, TRL_DENIED, "%s", wrong);
	}
	if (out->n_lookups >= OUT_LOOKUPS_MAX)
		return trl_fail(ctx, TRL_BUSY, "too many names are being resolved");
	return look_up(ctx, out, url, timeout_ms, list);
}
