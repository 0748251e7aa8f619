/* events_in.c - what is heard of other services. In the transaction that applies an
 * event, notify keeps its copy of the person, organisation or membership, and adds the
 * work that the event causes: a job finds out who to tell, so that
 * nobody is heard later because somebody else's mail is written. What a snapshot shows
 * is kept, and causes nothing: it happened before. */
#include <string.h>

#include <auth_v1.trl.h>
#include <tenants_v1.trl.h>

#include "analytics/analytics.h"
#include "telling/telling.h"

static const char *
role_name(int role)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
	    &tenants__v1__member__role__descriptor, role);

	return value ? value->name : "viewer";
}

static void
keep_account(trl_tx *tx, const Auth__V1__Account *account)
{
	if (!account)
		return;
	trl_tx_add(tx, &notify_sql_account_copy_put, NULL,
	    TRL_ARG_ID("account_id", trl_value_id(account->id)),
	    TRL_ARG_TEXT("email", account->email ? account->email : ""),
	    TRL_ARG_TEXT(
		"display_name", account->display_name ? account->display_name : ""),
	    TRL_ARG_TEXT("locale", account->locale),
	    TRL_ARG_BOOL("verified", account->email_verified),
	    TRL_ARG_INT("version", account->version));
}

static void
keep_tenant(trl_tx *tx, const Tenants__V1__Tenant *tenant)
{
	if (!tenant)
		return;
	trl_tx_add(tx, &notify_sql_tenant_copy_put, NULL,
	    TRL_ARG_ID("tenant_id", trl_value_id(tenant->id)),
	    TRL_ARG_TEXT("slug", tenant->slug ? tenant->slug : ""),
	    TRL_ARG_TEXT(
		"display_name", tenant->display_name ? tenant->display_name : ""),
	    TRL_ARG_TEXT("status",
		tenant->status == TENANTS__V1__TENANT__STATUS__deleting ? "deleting"
									: "active"),
	    TRL_ARG_INT("version", tenant->version));
}

static void
keep_member(trl_tx *tx, const struct trl_event *event)
{
	const Tenants__V1__MemberEvent *told = (const void *)event->payload;
	const Tenants__V1__Member *member = told->member;

	if (!member)
		return;
	if (strcmp(event->type_name, "tenants.member.removed") == 0)
		trl_tx_add(tx, &notify_sql_membership_copy_drop, NULL,
		    TRL_ARG_ID("tenant_id", event->tenant),
		    TRL_ARG_ID("account_id", trl_value_id(member->account_id)));
	else
		trl_tx_add(tx, &notify_sql_membership_copy_put, NULL,
		    TRL_ARG_ID("tenant_id", event->tenant),
		    TRL_ARG_ID("account_id", trl_value_id(member->account_id)),
		    TRL_ARG_TEXT("role", role_name((int)member->role)),
		    TRL_ARG_INT("version", member->version));
}

/* By the payload's message, which several types share. */
static void
keep_copy(trl_tx *tx, const struct trl_event *event)
{
	const ProtobufCMessageDescriptor *message =
	    event->payload ? event->payload->descriptor : NULL;

	if (message == &auth__v1__account_event__descriptor)
		keep_account(
		    tx, ((const Auth__V1__AccountEvent *)event->payload)->account);
	else if (message == &tenants__v1__tenant_event__descriptor)
		keep_tenant(
		    tx, ((const Tenants__V1__TenantEvent *)event->payload)->tenant);
	else if (message == &tenants__v1__member_event__descriptor)
		keep_member(tx, event);
}

static bool
is_told(const struct trl_event_type *type)
{
	for (size_t i = 0; i < trl_told_kinds_count; i++)
		if (trl_told_kind_is_of(&trl_told_kinds[i], type))
			return true;
	return false;
}

static enum trl_code
apply(void *state, trl_ctx *ctx, trl_tx *tx, const struct trl_event *events, size_t n)
{
	Notify__V1__Fact *fact;
	enum trl_code rc = notify_analytics_hear(state, ctx, tx, events, n);

	if (rc != TRL_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		keep_copy(tx, &events[i]);
		if (events[i].seq == 0 || !events[i].type || !is_told(events[i].type))
			continue;
		fact = trl_arena_alloc(ctx->arena, sizeof *fact);
		notify_fact_write(ctx, &events[i], fact);
		trl_tx_job(tx, &notify_dispatch_job, NULL, &fact->base);
	}
	return TRL_OK;
}

/* Its cursors are named after the tellers. */
const struct trl_subscription notify_hears_facts = {
	.producer = TRL_EVERY_TELLER,
	.start = TRL_FROM_SNAPSHOT,
	.apply = apply,
};
