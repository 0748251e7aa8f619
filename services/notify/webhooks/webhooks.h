/* webhook.h - an organisation's webhooks: endpoints, deliveries, signatures by Standard
 * Webhooks 1.0.0. Known only within notify. */
#pragma once

#include <trl/events.h>
#include <trl/http_out.h>
#include <trl/jobs.h>

#include "notify.h"

enum {
	NOTIFY_WEBHOOK_ANSWER_BYTES = 64 << 10, /* read of an answer */
	NOTIFY_WEBHOOK_SHOWN_BYTES = 2048,      /* kept of it */
	NOTIFY_WEBHOOK_TIMEOUT_MS = 10000,
	NOTIFY_WEBHOOK_SLOTS = 512,        /* posts on their way, of one process */
	NOTIFY_WEBHOOK_OVERLAP_HOURS = 24, /* a rotated secret signs on */
	NOTIFY_WEBHOOK_KEPT_DAYS = 30,
	/* "whsec_" and base64 of 32 bytes */
	NOTIFY_WEBHOOK_SECRET_BYTES = 32,
	NOTIFY_WEBHOOK_SECRET_TEXT = 6 + 44 + 1,
	/* "v1," and base64 of 32 bytes */
	NOTIFY_WEBHOOK_SIGNATURE_TEXT = 3 + 44 + 1
};

/* sign.c */

void notify_webhook_secret(char text[NOTIFY_WEBHOOK_SECRET_TEXT]);

struct notify_webhook_signed {
	const char *id; /* webhook-id */
	int64_t at_s;   /* webhook-timestamp, seconds since 1970 */
	const void *body;
	size_t len;
};
/* One signature, "v1,...". False: the secret is none. */
bool notify_webhook_sign(const char *secret, const struct notify_webhook_signed *what,
    char out[NOTIFY_WEBHOOK_SIGNATURE_TEXT]) TRL_MUST_CHECK;

/* filter.c */

/* Whether a filter ("tenants.member.added", "tenants.*", "*") takes in a type. */
bool notify_webhook_takes(const char *filter, const char *type);
/* Whether one of an endpoint's filters does. */
bool notify_webhook_wants(
    const Notify__V1__WebhookEndpoint *endpoint, const char *type);
/* Refuses filters that take in no published type. Errors: TRL_INVALID. */
enum trl_code notify_webhook_check_filters(
    trl_ctx *ctx, char *const *filters, size_t n) TRL_MUST_CHECK;

/* endpoint.c */

/* The row, with its sealed secrets. Errors: TRL_NOT_FOUND. */
enum trl_code notify_endpoint_read(struct notify *self, trl_ctx *ctx,
    ProtobufCBinaryData id, Notify__V1__WebhookEndpoint *out) TRL_MUST_CHECK;
/* Leaves what may be shown. */
void notify_endpoint_show(Notify__V1__WebhookEndpoint *endpoint);

/* queue.c, send.c */

/* What is published goes to the endpoints that asked for it. */
extern const struct trl_subscription notify_hears_for_webhooks;
/* Adds to work what tells an event about one endpoint to the organisation's others: of
 * notify's own events there is no subscription. Errors: faults. */
enum trl_code notify_webhooks_tell_own(struct notify *self, trl_ctx *ctx,
    trl_batch *work, const struct trl_event *event) TRL_MUST_CHECK;
/* One delivery; a WebhookDue says which. */
extern const struct trl_job_kind notify_webhook_job;

/* post.c */

/* What one attempt works on. */
struct notify_webhook_attempt {
	struct notify *self;
	const struct trl_job *job;
	const Notify__V1__WebhookDelivery *delivery;
	Notify__V1__WebhookEndpoint endpoint;
	int64_t began_us; /* wall */
	uint32_t took_ms;
	struct trl_http_answer answer; /* status 0: there was none */
	const char *shown;             /* the beginning of its body, as text */
	char error[256];               /* "": success */
};
/* Posts and judges. Errors: what is not the endpoint's doing: TRL_BUSY, TRL_INTERNAL
 * (the secret cannot be opened), TRL_DEADLINE (the job was cut off). */
enum trl_code notify_webhook_post(
    trl_ctx *ctx, struct notify_webhook_attempt *attempt) TRL_MUST_CHECK;
