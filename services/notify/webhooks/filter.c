/* filter.c - which events an endpoint asked for: a type, a prefix that ends in
 * ".*", or "*" for all. What takes in nothing that is published is a mistake of its
 * writer's, and is refused with the field's place. */
#include "webhooks/webhooks.h"

#include <string.h>

bool
notify_webhook_takes(const char *filter, const char *type)
{
	const size_t len = strlen(filter);

	if (!strcmp(filter, "*"))
		return true;
	if (len > 2 && !strcmp(filter + len - 2, ".*"))
		return !strncmp(filter, type, len - 1);
	return !strcmp(filter, type);
}

bool
notify_webhook_wants(const Notify__V1__WebhookEndpoint *endpoint, const char *type)
{
	for (size_t i = 0; i < endpoint->n_event_types; i++)
		if (notify_webhook_takes(endpoint->event_types[i], type))
			return true;
	return false;
}

static bool
takes_any(const char *filter)
{
	const char *star = strchr(filter, '*');

	if (star && star[1] != '\0')
		return false;
	for (size_t i = 0; i < trl_event_types_count; i++)
		if (trl_event_types[i]->published &&
		    notify_webhook_takes(filter, trl_event_types[i]->name))
			return true;
	return false;
}

enum trl_code
notify_webhook_check_filters(trl_ctx *ctx, char *const *filters, size_t n)
{
	bool fine = true;

	for (size_t i = 0; i < n; i++) {
		if (takes_any(filters[i]))
			continue;
		fine = false;
		trl_err_violation(ctx,
		    trl_arena_printf(ctx->arena, "/event_types/%zu", i),
		    "It matches no event: it is neither a published type, nor the "
		    "beginning of some, such as tenants.*, nor *.");
	}
	return fine ? TRL_OK
		    : trl_fail_field(ctx, TRL_INVALID, "event_types",
			  "An entry of event_types matches no event.");
}
