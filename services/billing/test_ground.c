/* test_ground.c - see test_ground.h. */
#include "test_ground.h"

#include "subscription/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tenants_v1.trl.h>
#include <trl/json.h>
#include <trl/wire.h>

const struct world_caller ground_operator = { .operator= true };

static const char usual[] =
    "{\"features\":[{\"key\":\"seats\",\"type\":\"number\",\"name\":\"Seats\"},"
    "{\"key\":\"sso\",\"type\":\"boolean\",\"name\":\"Single sign-on\"}],"
    "\"plans\":["
    "{\"key\":\"free\",\"name\":\"Free\",\"rank\":0,"
    "\"features\":[{\"feature\":\"seats\",\"number\":3},"
    "{\"feature\":\"sso\",\"boolean\":false}]},"
    "{\"key\":\"team\",\"name\":\"Team\",\"rank\":10,"
    "\"features\":[{\"feature\":\"seats\",\"number\":20},"
    "{\"feature\":\"sso\",\"boolean\":false}],"
    "\"prices\":[{\"key\":\"team-month\",\"currency\":\"EUR\",\"interval\":\"month\","
    "\"model\":\"per_seat\",\"unit_amount\":\"900\"},"
    "{\"key\":\"team-year\",\"currency\":\"EUR\",\"interval\":\"year\","
    "\"model\":\"per_seat\",\"unit_amount\":\"9000\"}]},"
    "{\"key\":\"big\",\"name\":\"Big\",\"rank\":20,"
    "\"features\":[{\"feature\":\"seats\"},{\"feature\":\"sso\",\"boolean\":true}],"
    "\"prices\":[{\"key\":\"big-month\",\"currency\":\"EUR\",\"interval\":\"month\","
    "\"model\":\"fixed\",\"unit_amount\":\"5000\"},"
    "{\"key\":\"big-usd\",\"currency\":\"USD\",\"interval\":\"month\","
    "\"model\":\"fixed\",\"unit_amount\":\"6000\"}]}],"
    "\"tax_rates\":[{\"country\":\"AT\",\"name\":\"VAT\",\"rate\":\"20\"}],"
    "\"seller\":{\"party\":{\"name\":\"Acme\",\"country\":\"AT\","
    "\"vat_id\":\"ATU12345678\"},\"prefix\":\"INV-\"},"
    "\"fallback_plan\":\"free\"}";

struct decoding {
	const struct trl_message *message;
	const char *json;
	ProtobufCMessage *in;
};

static void
decode(trl_ctx *ctx, void *arg)
{
	struct decoding *decoding = arg;
	trl_arena *own = ctx->arena;
	enum trl_code rc;

	ctx->arena = world.arena; /* the message outlives this actor */
	decoding->in = trl_message_new(world.arena, decoding->message->descriptor);
	rc = trl_json_decode(ctx, decoding->message, decoding->json,
	    strlen(decoding->json), decoding->in);
	ctx->arena = own;
	if (rc != TRL_OK)
		fail_msg("%s: %.500s", ctx->err.message, decoding->json);
}

const ProtobufCMessage *
ground_message(const struct trl_method *method, const char *json)
{
	struct decoding decoding = { .message = method->in, .json = json };

	world_act(decode, &decoding);
	return decoding.in;
}

enum trl_code
ask(const struct world_caller *who, const struct trl_method *method, const char *json,
    void *out)
{
	return world_call(who, method, ground_message(method, json), out);
}

void
must(const struct world_caller *who, const struct trl_method *method, const char *json,
    void *out)
{
	enum trl_code rc = ask(who, method, json, out);

	if (rc != TRL_OK)
		fail_msg("%s: %s: %s (%s) %.500s", method->name, trl_code_name(rc),
		    world.err.message, world.err.field, json);
}

void
ground_catalogue(const char *json)
{
	must(&ground_operator, &billing_v1_apply_catalogue,
	    trl_arena_printf(world.arena, "{\"catalogue\":%s,\"apply\":true}", json),
	    NULL);
}

void
ground_usual(void)
{
	ground_catalogue(usual);
}

int
ground_open(void **state)
{
	(void)state;
	setenv("TRELLIS_BILLING_PROVIDER", "test", 1);
	if (world_open_one(&billing_service) != 0)
		return -1;
	ground_usual();
	return 0;
}

struct world_caller
ground_owner(void)
{
	return (struct world_caller){ .person = world_person_new("ann", true),
		.tenant = trl_id_new() };
}

void
ground_card(const struct world_caller *who, const char *number)
{
	const char *tenant = world_id_text(who->tenant);

	world_sql("update billing.payment_method set is_default = false "
		  "where tenant_id = '%s'",
	    tenant);
	world_sql(
	    "insert into billing.payment_method values ('%s', gen_random_uuid(), 1, "
	    "'test', 'card', 'usable', 'visa', '4242', 12, 2099, true, null, "
	    "'test_%s', "
	    "false, now(), now())",
	    tenant, number + strlen(number) - 4);
}

Billing__V1__PaymentMethod *
ground_set_up(const struct world_caller *who, const char *number)
{
	Billing__V1__PaymentMethod *out;

	must(who, &billing_v1_create_payment_method,
	    trl_arena_printf(world.arena,
		"{\"card_number\":\"%s\",\"expiry_month\":12,\"expiry_year\":2099,"
		"\"cvc\":\"123\"}",
		number),
	    &out);
	return out;
}

const char *
ground_id(const char *field, ProtobufCBinaryData id)
{
	return trl_arena_printf(
	    world.arena, "{\"%s\":\"%s\"}", field, world_id_text(trl_value_id(id)));
}

enum trl_code
ground_answer(const struct world_caller *who, ProtobufCBinaryData id, bool pass)
{
	return ask(who, &billing_v1_answer_challenge,
	    trl_arena_printf(world.arena, "{\"challenge_id\":\"%s\",\"pass\":%s}",
		world_id_text(trl_value_id(id)), pass ? "true" : "false"),
	    NULL);
}

const char *
ground_pay_with(const struct world_caller *who, const char *number)
{
	Billing__V1__PaymentMethod *made = ground_set_up(who, number);
	const char *id = ground_id("method_id", made->id);

	if (made->next_action_url)
		assert_int_equal(ground_answer(who, made->id, true), TRL_OK);
	must(who, &billing_v1_choose_default_method, id, NULL);
	return id;
}

void
ground_pass(const struct world_caller *who, int64_t seconds)
{
	const char *tenant = world_id_text(who->tenant);
	const char *to;

	must(&ground_operator, &billing_v1_advance_clock,
	    trl_arena_printf(world.arena, "{\"tenant_id\":\"%s\"}", tenant), NULL);
	to = world_sql(
	    "select to_char((clock_at + interval '%lld s') at time zone 'UTC', "
	    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
	    "from billing.subscription where tenant_id = '%s'",
	    (long long)seconds, tenant);
	must(&ground_operator, &billing_v1_advance_clock,
	    trl_arena_printf(
		world.arena, "{\"tenant_id\":\"%s\",\"to\":\"%s\"}", tenant, to),
	    NULL);
}

int64_t
ground_sum(const struct world_caller *who, const char *account)
{
	return strtoll(
	    world_sql("select coalesce(sum(amount), 0) from billing.ledger_entry "
		      "where tenant_id = '%s' and account = '%s'",
		world_id_text(who->tenant), account),
	    NULL, 10);
}

/* Of one organisation, or all. */
static const char *
faults_of(const char *which)
{
	Billing__V1__CheckLedgerReply *reply;
	const char *text = "";

	must(&ground_operator, &billing_v1_check_ledger, which, &reply);
	for (size_t i = 0; i < reply->n_faults; i++)
		text = trl_arena_printf(world.arena, "%s%s\n", text, reply->faults[i]);
	return text;
}

const char *
ground_faults(const struct world_caller *who)
{
	return faults_of(ground_id("tenant_id", world_bytes(&who->tenant)));
}

/* cmocka passes a program whose group teardown failed, so this one ends itself. */
int
ground_close(void **state)
{
	const char *faults = faults_of("{}");
	bool fine = *faults == '\0';

	print_error("%s", faults);
	if (world_close(state) != 0 || !fine)
		exit(1);
	return 0;
}

void
ground_trial(const char *trial)
{
	ground_catalogue(trl_arena_printf(world.arena,
	    "{\"features\":[{\"key\":\"seats\",\"type\":\"number\",\"name\":\"Seats\"}]"
	    ","
	    "\"plans\":[{\"key\":\"free\",\"name\":\"Free\",\"rank\":0,"
	    "\"features\":[{\"feature\":\"seats\",\"number\":3}]},"
	    "{\"key\":\"team\",\"name\":\"Team\",\"rank\":10,"
	    "\"features\":[{\"feature\":\"seats\",\"number\":20}],"
	    "\"prices\":[{\"key\":\"team-month\",\"currency\":\"EUR\","
	    "\"interval\":\"month\",\"model\":\"per_seat\",\"unit_amount\":\"900\"}]}],"
	    "\"fallback_plan\":\"free\",\"trial\":{\"price\":\"team-month\",%s}}",
	    trial));
}

struct hearing {
	struct trl_event event;
	enum trl_code rc;
};

static void
apply(trl_ctx *ctx, void *arg)
{
	struct hearing *it = arg;
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;

	ctx->service = "billing";
	ctx->tenant = it->event.tenant;
	it->rc =
	    trl_tx_begin(ctx, world.host.sys, TRL_SCOPE_TENANT(it->event.tenant), &tx);
	if (it->rc == TRL_OK)
		it->rc =
		    billing_hears_tenants.apply(world.self, ctx, tx, &it->event, 1);
	if (it->rc == TRL_OK)
		it->rc = trl_tx_commit(&tx, NULL);
}

void
ground_hear(const struct world_caller *who, const struct trl_event_type *type,
    int64_t version, bool deleting, int64_t at)
{
	Tenants__V1__TenantEvent told = TENANTS__V1__TENANT_EVENT__INIT;
	Tenants__V1__Tenant tenant = TENANTS__V1__TENANT__INIT;
	struct hearing it = { .event = { .id = trl_id_new(),
				  .seq = (uint64_t)version,
				  .type_name = type->name,
				  .type = type,
				  .tenant = who->tenant,
				  .subject = who->tenant,
				  .at_us = at * 1000000,
				  .payload = &told.base } };

	trl_set(&tenant, id, world_bytes(&who->tenant));
	trl_set(&tenant, version, version);
	trl_set(&tenant, status,
	    deleting ? TENANTS__V1__TENANT__STATUS__deleting
		     : TENANTS__V1__TENANT__STATUS__active);
	told.tenant = &tenant;
	trl_set(&told, by, world_bytes(&who->person->account));
	world_act(apply, &it);
	assert_int_equal(it.rc, TRL_OK);
}

void
ground_settle(void)
{
	world_until_sql("select not exists (select from billing.job where state in "
			"('ready', 'running') or kind = 'trial')");
}

void
ground_found(const struct world_caller *who, int64_t at)
{
	ground_hear(who, &tenants_event_tenant_created, 1, false, at);
	ground_settle();
}

int64_t
ground_now(void)
{
	return trl_wall_us() / 1000000;
}

const char *
ground_of(const struct world_caller *who, const char *what)
{
	return world_sql("select %s from billing.subscription where tenant_id = '%s'",
	    what, world_id_text(who->tenant));
}

const char *
ground_told(const struct world_caller *who)
{
	return world_sql(
	    "select string_agg(substr(type, 9), ' ' order by id) from billing.outbox "
	    "where tenant_id = '%s' and type not like '%%audit%%'",
	    world_id_text(who->tenant));
}
