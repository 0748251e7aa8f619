/* account.h - an organisation as billing has it: its row, its profile, the catalogue
 * and the life of its subscription, read in one round trip and written behind the
 * version that was read. */
#pragma once

#include "catalogue/catalogue.h"

/* What a batch fills; account_read makes an account of it. */
struct account_rows {
	Billing__V1__SubscriptionRow subscription;
	billing_profile profile;
	Billing__V1__OpenInvoices open;
	Billing__V1__Overrides overrides;
};

struct account {
	struct trl_id tenant;
	int64_t now; /* seconds: the test clock's time, or the clock's */
	const billing_catalogue *catalogue;
	int64_t catalogue_version;
	const Billing__V1__OpenInvoices *open;   /* invoices that are not settled */
	const Billing__V1__Overrides *overrides; /* what the operator gave it */
	const billing_profile *profile;    /* its version is 0 where it was never set */
	Billing__V1__SubscriptionRow *row; /* version 0: there is none yet */
	struct life_rules rules;
	struct life life;
	Billing__V1__CouponCover *cover; /* NULL: no coupon was used up */
	trl_zone *zone;
	size_t n_offers;
	const struct offer **offers; /* each price once: life.h compares pointers */
};

/* Adds what is to be known of ctx's tenant, its version first: that guards what is read
 * after it, and nothing before. */
void account_get(trl_ctx *ctx, trl_batch *work, struct account_rows *rows);
/* Errors: TRL_INTERNAL (a state that names a price that is none). */
enum trl_code account_read(struct billing *self, trl_ctx *ctx,
    struct account_rows *rows, struct account *out) TRL_MUST_CHECK;
/* Both, as a read of its own. */
enum trl_code account_load(
    struct billing *self, trl_ctx *ctx, struct account *out) TRL_MUST_CHECK;
/* Gives back the zone. */
void account_fini(struct account *account);

/* NULL: there is no such price. */
const struct offer *account_offer(
    trl_ctx *ctx, struct account *account, const char *price);

/* When something happens by itself next: of the subscription, or that its card is about
 * to expire. INT64_MAX: never. */
int64_t account_next(const struct account *account);
/* When it has to be told that the card expires; INT64_MAX: not at all. */
int64_t account_expiring_at(const struct account *account);

/* Whether there is a subscription that is not over; and whether it asks for money. */
bool account_is_subscribed(const struct account *account);
bool account_is_billed(const struct account *account);

/* currency.c */

/* Whether money of a currency may become balance; whether there is some in another. */
bool account_takes(const struct account *account, const char *currency);
bool account_has_other(const struct account *account, const char *currency);
/* Adds to the balance, which takes the currency. Below 0: takes from it. */
void account_give(struct account *account, const char *currency, int64_t amount);
/* NULL, or why it cannot pay in a currency from now on, in a sentence. */
const char *account_why_not(const struct account *account, const char *currency);

/* An account that is new gets its numbers' prefix; any other stays. */
void account_begin_row(trl_ctx *ctx, struct account *account);
/* Adds the row as the account has it, behind the version that was read (PRECONDITION),
 * which it raises. */
void account_put(trl_ctx *ctx, trl_batch *work, struct account *account);

/* Of the price that it has; a month where it has none. */
Billing__V1__Price__Interval account_interval(const struct account *account);

/* The subscription as it is shown. */
void account_show(
    trl_ctx *ctx, const struct account *account, billing_subscription *out);
/* Then, of one more invoice: it is the newest, and what a pending change waits for. */
void account_show_invoice(trl_ctx *ctx, const struct account *account, uint64_t place,
    const billing_invoice *invoice, const char *action_url, billing_subscription *out);

/* 0: absent. */
Google__Protobuf__Timestamp *billing_time(trl_ctx *ctx, int64_t seconds);
