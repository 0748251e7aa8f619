/* tenant.c - trellis tenant show: what every service knows of one tenant, gathered. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include <trl/json.h>
#include <trl/value.h>

#include <operator_v1.trl.h>

/* The tenant of a short name, at whichever service knows it. */
static bool
find(struct ctl *ctl, trl_ctx *ctx, const char *slug, struct trl_id *tenant)
{
	Operator__V1__FindTenantRequest in = OPERATOR__V1__FIND_TENANT_REQUEST__INIT;
	ProtobufCMessage *out;
	enum trl_code worst = TRL_OK;

	in.slug = (char *)(uintptr_t)slug;
	for (unsigned i = 0; i < ctl->n_services; i++) {
		const struct ctl_service *service = &ctl->services[i];
		if (service->wanted && ctl_ask(ctl, ctx, service,
					   &operator_v1_find_tenant, &in.base, &out)) {
			ctl->n_errors = 0;
			*tenant = trl_value_id(
			    ((Operator__V1__FindTenantReply *)(void *)out)->tenant_id);
			return true;
		}
		/* That one service does not know it is no failure. */
		if (service->wanted && ctl->errors[ctl->n_errors - 1].code > worst)
			worst = ctl->errors[ctl->n_errors - 1].code;
	}
	if (worst <= TRL_NOT_FOUND)
		ctl->n_errors = 0;
	return false;
}

static void
show_facts(struct ctl_table *table, const char *service,
    const Operator__V1__DescribeTenantReply *reply)
{
	for (size_t i = 0; i < reply->n_facts; i++) {
		const Operator__V1__Fact *fact = reply->facts[i];
		ctl_table_add(table, "%s", service);
		ctl_table_add(table, "%s", fact->name ? fact->name : "");
		ctl_table_add(table, "%s", fact->value ? fact->value : "");
	}
}

/* Where a service is with erasing the tenant. */
static void
show_erasure(
    struct ctl_table *table, const char *service, const Operator__V1__Erasure *erasure)
{
	const bool over = erasure->state == OPERATOR__V1__ERASURE__STATE__erased;
	const bool begun =
	    over || erasure->state == OPERATOR__V1__ERASURE__STATE__erasing;
	char at[32];

	ctl_table_add(table, "%s", service);
	ctl_table_add(table, "erasure");
	if (begun)
		ctl_table_add(table, "%s %s, %llu rows",
		    over ? "erased at" : "goes on since",
		    ctl_time_text(at, over ? erasure->finished_at : erasure->began_at),
		    (unsigned long long)erasure->rows);
	else
		ctl_table_add(table, "not heard of yet");
}

/* Behind the facts, where any service has begun. */
static void
show_erasures(struct ctl *ctl, struct ctl_table *table,
    const Operator__V1__Erasure *const *erasures)
{
	bool begun = false;

	for (unsigned i = 0; i < ctl->n_services; i++)
		begun |= erasures[i] &&
			 erasures[i]->state != OPERATOR__V1__ERASURE__STATE__none;
	for (unsigned i = 0; begun && i < ctl->n_services; i++)
		if (erasures[i])
			show_erasure(table, ctl->services[i].name, erasures[i]);
}

/* Gives how many facts there are, an erasure being one. */
static size_t
gather(struct ctl *ctl, trl_ctx *ctx, struct trl_id tenant, struct ctl_table *table)
{
	Operator__V1__DescribeTenantRequest in =
	    OPERATOR__V1__DESCRIBE_TENANT_REQUEST__INIT;
	const Operator__V1__Erasure **erasures =
	    trl_arena_zalloc(ctx->arena, ctl->n_services * sizeof *erasures);
	size_t facts = 0;

	in.has_tenant_id = true;
	in.tenant_id = trl_value_bytes(ctx, tenant);
	ctx->tenant = tenant;
	for (unsigned i = 0; i < ctl->n_services; i++) {
		const struct ctl_service *service = &ctl->services[i];
		const Operator__V1__DescribeTenantReply *reply;
		ProtobufCMessage *out;
		if (!service->wanted ||
		    !ctl_ask(ctl, ctx, service, &operator_v1_describe_tenant, &in.base,
			&out))
			continue;
		reply = (const void *)out;
		facts += reply->n_facts;
		erasures[i] = reply->erasure;
		facts += reply->erasure &&
			 reply->erasure->state != OPERATOR__V1__ERASURE__STATE__none;
		if ((ctl->args.given & CTL_JSON) != 0)
			ctl_json_item(ctl, service->name,
			    &operator_v1_describe_tenant_reply_rules, out);
		else
			show_facts(table, service->name, reply);
	}
	if ((ctl->args.given & CTL_JSON) == 0)
		show_erasures(ctl, table, erasures);
	return facts;
}

enum ctl_exit
ctl_tenant_show(struct ctl *ctl, trl_ctx *ctx)
{
	static const char *const heads[] = { "SERVICE", "WHAT", "VALUE" };
	struct ctl_table table = { .heads = heads, .n_columns = TRL_COUNT(heads) };
	const char *name = ctl->args.words[0];
	bool json = (ctl->args.given & CTL_JSON) != 0;
	struct trl_id tenant = trl_id_nil;
	char text[TRL_ID_TEXT];
	size_t facts = 0;

	bool known =
	    trl_id_parse(name, strlen(name), &tenant) || find(ctl, ctx, name, &tenant);
	trl_id_format(tenant, text);
	if (json && known)
		trl_buf_printf(&ctl->out, "{\"tenant_id\":\"%s\",\"items\":[", text);
	else if (json)
		ctl_json_open(ctl);
	else if (known)
		trl_buf_printf(&ctl->out, "tenant %s\n\n", text);
	if (known)
		facts = gather(ctl, ctx, tenant, &table);
	if (json)
		ctl_json_close(ctl);
	ctl_table_put(&table, &ctl->out, ctl_is_terminal());
	if (facts > 0 || ctl->n_errors > 0)
		return CTL_FINE;
	ctl->out.len = json ? ctl->out.len : 0;
	fprintf(stderr, "trellis: no service knows a tenant '%.60s'\n", name);
	return CTL_FAILED;
}
