/* Every method of every service that is a tenant's or a person's, from the catalogue:
 * Eve's people, keys and forged ids against Ada's tenant A. What is not there and what
 * is not yours is one answer; nothing of A is changed, and no reply holds anything of
 * A.
 *
 * Behind the checks of edge and dispatch, too: with every permission in hand, a handler
 * under B's context, or under none, still does not reach A. A new service's methods are
 * among them without a line here.
 *
 * Over 400 lines: what no request makes of a service is put there by hand, column by
 * column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trl/value.h>

#include <auth_v1.trl.h>
#include <tenants_v1.trl.h>

#include <services.h>
#include <test_service.h>

#include "request.h"

enum { KNOWN_MAX = 64 };

static const char mark[] = "alpha-secret"; /* in every text of A's */

/* Somebody who has signed in. */
struct guest {
	struct world_person person;
	struct trl_id session;
};

static struct guest ada, eve;
static struct trl_id a;
static struct request_id
    known[KNOWN_MAX]; /* of A's things, by what requests call them */
static size_t n_known;
/* The services, without workers: their jobs would change A's rows meanwhile. */
static struct trl_service idle[WORLD_SERVICES_MAX];
static const struct trl_service *served[WORLD_SERVICES_MAX];
static size_t n_served;

static void
know(const char *field, struct trl_id id)
{
	assert_true(n_known < KNOWN_MAX - 1);
	known[n_known++] = (struct request_id){ field, id };
}

/* A reply of type WebhookEndpoint has the id that requests call endpoint_id. */
static void
learn(const ProtobufCMessage *reply)
{
	const ProtobufCMessageDescriptor *type = reply->descriptor;
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(type, "id");
	const char *word = type->short_name + strlen(type->short_name);
	char *name;

	if (!field || field->type != PROTOBUF_C_TYPE_BYTES)
		return;
	while (word > type->short_name && (*word < 'A' || *word > 'Z'))
		word--;
	name = trl_arena_printf(world.arena, "%s_id", word);
	name[0] = (char)(name[0] | 0x20);
	know(strdup(name),
	    trl_value_id(
		*(const ProtobufCBinaryData *)(const void *)((const char *)reply +
							     field->offset)));
}

static bool
is_served(const struct trl_method *method)
{
	for (size_t i = 0; i < n_served; i++)
		if (strcmp(served[i]->name, method->service) == 0)
			return true;
	return false;
}

static void
sign_up(struct guest *guest, const char *name)
{
	static unsigned made;
	Auth__V1__SignUpRequest in = AUTH__V1__SIGN_UP_REQUEST__INIT;
	Auth__V1__SignedIn *out;

	in.email = trl_arena_printf(world.arena, "%s.%u@example.test", name, ++made);
	in.password = (char *)(uintptr_t) "correct horse battery";
	in.display_name = trl_arena_strdup(world.arena, name);
	assert_int_equal(world_call(NULL, &auth_v1_sign_up, &in.base, &out), TRL_OK);
	guest->person =
	    (struct world_person){ .account = trl_value_id(out->account->id),
		    .verified = true };
	guest->session = trl_value_id(out->session->id);
}

/* Makes an organisation of somebody. */
static struct trl_id
found(const struct guest *guest, const char *text)
{
	const struct world_caller who = { .person = &guest->person,
		.session = guest->session };
	Tenants__V1__Tenant *made;

	assert_int_equal(
	    world_call(&who, &tenants_v1_create_tenant,
		request_new(world.arena, &tenants_v1_create_tenant, NULL, text), &made),
	    TRL_OK);
	return trl_value_id(made->id);
}

static void
fill_billing(void)
{
	const char *tenant = world_id_text(a);
	struct trl_id invoice = trl_id_new(), card = trl_id_new(), note = trl_id_new(),
		      payment = trl_id_new();

	know("invoice_id", invoice);
	know("method_id", card);
	know("credit_note_id", note);
	know("challenge_id", payment);
	world_sql(
	    "insert into billing.profile (tenant_id, version, legal_name, country, "
	    "updated_at) values ('%s', 1, '%s', 'AT', now())",
	    tenant, mark);
	world_sql(
	    "insert into billing.payment_method (tenant_id, id, version, provider, "
	    "kind, status, brand, is_default, reference, created_at, updated_at) "
	    "values ('%s', '%s', 1, 'test', 'card', 'usable', '%s', true, 'x', "
	    "now(), now())",
	    tenant, world_id_text(card), mark);
	/* Its document is a billing.v1.Invoice with the field number. */
	world_sql(
	    "insert into billing.invoice (tenant_id, id, version, place, number, "
	    "status, currency, net, tax, total, from_balance, carried, carried_on, "
	    "amount_paid, amount_credited, amount_due, attempts, document, "
	    "created_at, updated_at) values ('%s', '%s', 1, 1, '%s', 'open', "
	    "'EUR', 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, '\\x1a0c'::bytea || "
	    "'%s'::bytea, now(), now())",
	    tenant, world_id_text(invoice), mark, mark);
	/* Of a billing.v1.CreditNote the field number. */
	world_sql("insert into billing.credit_note (tenant_id, id, number, invoice_id, "
		  "currency, net, tax, total, refunded, document, issued_at) values "
		  "('%s', '%s', '%s', '%s', 'EUR', 1, 0, 1, 0, '\\x120c'::bytea || "
		  "'%s'::bytea, now())",
	    tenant, world_id_text(note), mark, world_id_text(invoice), mark);
	/* One that its payer is asked about. */
	world_sql("insert into billing.payment (tenant_id, id, invoice_id, method_id, "
		  "kind, status, provider, reference, currency, amount, refunded, "
		  "action_url, created_at) values ('%s', '%s', '%s', '%s', 'payment', "
		  "'requires_action', 'test', '%s', 'EUR', 1, 0, '%s', now())",
	    tenant, world_id_text(payment), world_id_text(invoice), world_id_text(card),
	    mark, mark);
}

/* Bytes are none of a request's here, so that nothing is uploaded. */
static void
fill_media(void)
{
	const char *tenant = world_id_text(a), *by = world_id_text(ada.person.account);
	struct trl_id file = trl_id_new(), upload = trl_id_new(), link = trl_id_new();

	know("file_id", file);
	know("upload_id", upload);
	know("link_id", link);
	world_sql("insert into media.file (tenant_id, id, version, collection, name, "
		  "type, size, state, created_by, created_at, updated_at) values "
		  "('%s', '%s', 1, 'files', '%s', 'text/plain', 1, 'ready', '%s', "
		  "now(), now())",
	    tenant, world_id_text(file), mark, by);
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, uploader, created_by, created_at, "
		  "expires_at) values ('%s', '%s', 'files', '%s', 9, 0, 9, 0, '%s', "
		  "'%s', now(), now() + interval '1 day')",
	    tenant, world_id_text(upload), mark, by, by);
	world_sql("insert into media.rendition (tenant_id, file_id, key, type, size, "
		  "width, height, etag, created_at) values ('%s', '%s', '%s', "
		  "'image/png', 1, 1, 1, '\"e\"', now())",
	    tenant, world_id_text(file), mark);
	world_sql("insert into media.link (tenant_id, id, version, file_id, options, "
		  "download, created_by, created_at, updated_at, expires_at) values "
		  "('%s', '%s', 1, '%s', '%s', false, '%s', now(), now(), now() + "
		  "interval '1 day')",
	    tenant, world_id_text(link), world_id_text(file), mark, by);
	world_sql("insert into media.storage (tenant_id, used, reserved) values "
		  "('%s', 1, 9)",
	    tenant);
}

/* What no request out of rules makes: names of templates, what came by events. */
static void
fill_by_hand(void)
{
	const char *tenant = world_id_text(a);
	const char *account = world_id_text(ada.person.account);
	struct trl_id notification = trl_id_new(), event;

	know("notification_id", notification);
	know("account_id", ada.person.account);
	know("created_by", ada.person.account);
	assert_true(trl_id_parse(world_sql("select event_id from tenants.outbox where "
					   "tenant_id = '%s' limit 1",
				     tenant),
	    36, &event));
	know("last_event_id", event);
	world_sql(
	    "insert into notify.template values ('%s', 'member_updated', 'en', 1, "
	    "false, '%s', '%s', '%s', '%s', '%s', now())",
	    tenant, mark, mark, mark, mark, mark);
	world_sql(
	    "insert into notify.notification (account_id, id, about_tenant, kind, "
	    "title, body, event_id, created_at) values ('%s', '%s', '%s', "
	    "'member_updated', '%s', '%s', gen_random_uuid(), now())",
	    account, world_id_text(notification), tenant, mark, mark);
	world_sql("insert into notify.preference (account_id, version, digest, "
		  "time_zone, updated_at) values ('%s', 7, 'daily', "
		  "'Asia/Kathmandu', now())",
	    account);
}

/* As its owner makes things in A; what one makes another may name. */
static void
fill(void)
{
	const struct world_caller who = {
		.person = &ada.person, .session = ada.session, .tenant = a
	};

	know("tenant_id", a);
	for (size_t i = 0; i < 2 * trl_methods_count; i++) {
		const struct trl_method *method = trl_methods[i % trl_methods_count];
		ProtobufCMessage *made;

		if (method->auth == TRL_AUTH_TENANT && is_served(method) &&
		    (method->verb == TRL_POST || method->verb == TRL_PATCH) &&
		    world_call(&who, method,
			request_new(world.arena, method, known, mark), &made) == TRL_OK)
			learn(made);
	}
	fill_billing();
	fill_media();
	fill_by_hand();
}

static int
open_world(void **state)
{
	(void)state;
	setenv("TRELLIS_ARGON2_MEMORY_KIB", "19456", 1);
	setenv("TRELLIS_RATE_SCALE", "1000", 1);
	setenv("TRELLIS_BILLING_PROVIDER", "test", 1);
	for (const struct trl_service *const *s = trl_services; *s; s++)
		if ((*s)->sql && (*s)->contracts) {
			idle[n_served] = **s;
			idle[n_served].jobs = NULL;
			served[n_served] = &idle[n_served];
			n_served++;
		}
	if (world_open_all(served, n_served) != 0)
		return -1;
	sign_up(&ada, mark);
	a = found(&ada, mark);
	fill();
	return 0;
}

/* ---- looking ---------------------------------------------------------------- */

/* All rows of A's and of Ada's in all schemas, or only those with the mark. */
static const char *
rows_of_a(const char *schema, const char *what)
{
	return world_sql(
	    "select %s from (select n.nspname, query_to_xml(format('select t::text "
	    "from %%I.%%I t where %%I = %%L order by 1', n.nspname, c.relname, "
	    "k.attname, case k.attname when 'tenant_id' then '%s' else '%s' end), "
	    "true, false, '')::text as rows from pg_class c join pg_namespace n on "
	    "n.oid = c.relnamespace join pg_attribute k on k.attrelid = c.oid and "
	    "k.attname in ('tenant_id', 'account_id') where c.relkind = 'r' and "
	    "n.nspname like '%s' and n.nspname not like 'pg%%' and c.relname <> "
	    "'idempotency' order by 1, c.relname, k.attname) all_rows",
	    what, world_id_text(a), world_id_text(ada.person.account), schema);
}

static const char *
fingerprint(void)
{
	return rows_of_a("%", "md5(string_agg(rows, ''))");
}

static bool
holds(const uint8_t *data, size_t len, const void *what, size_t what_len)
{
	return memmem(data, len, what, what_len) != NULL;
}

static void
assert_nothing_of_a(const struct trl_method *method, const ProtobufCMessage *out)
{
	size_t len = protobuf_c_message_get_packed_size(out);
	uint8_t *data = trl_arena_alloc(world.arena, len);
	bool tells;

	protobuf_c_message_pack(out, data);
	tells = holds(data, len, mark, strlen(mark)) ||
		holds(data, len, "Kathmandu", 9) ||
		holds(data, len, ada.person.account.bytes, 16);
	for (size_t i = 0; i < n_known; i++)
		tells |= strcmp(known[i].field, "tenant_id") != 0 &&
			 holds(data, len, known[i].id.bytes, 16);
	if (tells)
		fail_msg("%s tells something of A", method->name);
}

/* ---- attacks ---------------------------------------------------------------- */

static enum trl_code
attack(const struct trl_method *method, const struct world_caller *who,
    struct trl_id tenant, bool forged)
{
	struct request_id ids[KNOWN_MAX] = { { "tenant_id", tenant } };
	ProtobufCMessage *out = NULL;
	enum trl_code rc;

	if (forged) {
		memcpy(ids, known, sizeof known);
		for (size_t i = 0; i < n_known; i++)
			if (strcmp(ids[i].field, "tenant_id") == 0)
				ids[i].id = tenant;
	}
	rc = world_call(
	    who, method, request_new(world.arena, method, ids, "attack"), &out);
	if (rc == TRL_OK)
		assert_nothing_of_a(method, out);
	return rc;
}

/* Two refusals must not be told apart. */
static void
forged_is_as_random(const struct trl_method *method, const struct world_caller *who,
    struct trl_id tenant)
{
	enum trl_code rc = attack(method, who, tenant, true);
	struct trl_err err = world.err;

	if (rc == TRL_OK || !request_has_object(method))
		return;
	if (attack(method, who, tenant, false) != rc)
		fail_msg("%s answers %s, and of nobody's %s", method->name,
		    trl_code_name(rc), trl_code_name(world.err.code));
	assert_string_equal(err.message, world.err.message);
	assert_string_equal(err.field, world.err.field);
}

/* Eve in an organisation of her own. What auth does may end her session, so that it
 * is another Eve each time; and nobody may found as many as there are methods. */
static struct world_caller
eve_of_b(const struct trl_method *method)
{
	static unsigned founded;

	if (founded++ % 60 == 0 || strcmp(method->service, "auth") == 0)
		sign_up(&eve, "attack");
	return (struct world_caller){ .person = &eve.person,
		.session = eve.session,
		.tenant = found(&eve, "attack") };
}

static void
each(void (*fn)(const struct trl_method *method))
{
	const char *before = strdup(fingerprint());
	size_t n = 0;

	for (size_t i = 0; i < trl_methods_count; i++) {
		const struct trl_method *method = trl_methods[i];

		if (!is_served(method) || (method->auth != TRL_AUTH_TENANT &&
					      method->auth != TRL_AUTH_SESSION))
			continue;
		fn(method);
		if (strcmp(before, fingerprint()) != 0)
			fail_msg("%s changed something of A", method->name);
		n++;
		world_forget(NULL);
	}
	free((char *)(uintptr_t)before);
	assert_true(n >= 50);
}

static void
through_dispatch(const struct trl_method *method)
{
	struct world_caller who = eve_of_b(method);

	forged_is_as_random(method, &who, who.tenant);
	if (method->auth != TRL_AUTH_TENANT)
		return;
	who = eve_of_b(method);
	who.key = true;
	forged_is_as_random(method, &who, who.tenant);
	/* The key's tenant is B; the request names A. */
	(void)attack(method, &who, a, true);
}

static void
behind_it_under_b(const struct trl_method *method)
{
	struct world_caller who = eve_of_b(method);

	who.behind = true;
	forged_is_as_random(method, &who, a);
}

static void
behind_it_under_none(const struct trl_method *method)
{
	struct world_caller who = eve_of_b(method);
	enum trl_code rc;

	who.behind = true;
	who.tenant = trl_id_nil;
	rc = attack(method, &who, a, true);

	/* What ends all of something may answer that there is none. */
	if (method->effect == TRL_WRITE && method->auth == TRL_AUTH_TENANT &&
	    method->out->descriptor->n_fields > 0 && rc == TRL_OK)
		fail_msg("%s changes something in no tenant", method->name);
}

/* The suite would see it: each service has rows of A's with the mark. */
static void
what_is_looked_for_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_served; i++)
		if (strcmp(rows_of_a(served[i]->name,
			       "bool_or(position('alpha-secret' in rows) > 0)"),
			"t") != 0)
			fail_msg("%s has nothing of A", served[i]->name);
}

/* Else the id that is forged would be one of nobody's, too. */
static void
each_id_that_a_request_names_is_of_something_of_a(void **state)
{
	(void)state;
	for (size_t i = 0; i < trl_methods_count; i++) {
		const struct trl_method *method = trl_methods[i];
		const ProtobufCMessageDescriptor *type = method->in->descriptor;

		if (!is_served(method) || method->auth != TRL_AUTH_TENANT)
			continue;
		for (unsigned j = 0; j < type->n_fields; j++) {
			bool is_known = false;

			if (method->in->fields[j].format != TRL_FORMAT_ID ||
			    method->in->fields[j].internal)
				continue;
			for (size_t k = 0; k < n_known; k++)
				is_known |=
				    strcmp(known[k].field, type->fields[j].name) == 0;
			if (!is_known)
				fail_msg("%s: %s is of nothing that A has",
				    method->name, type->fields[j].name);
		}
	}
}

/* Reliability, case 50. */
static void
forged_ids_are_what_random_ids_are(void **state)
{
	(void)state;
	each(through_dispatch);
}

/* Reliability, case 51. */
static void
a_request_that_names_a_under_bs_context_reaches_nothing(void **state)
{
	(void)state;
	each(behind_it_under_b);
}

/* Reliability, case 29. */
static void
without_a_tenant_there_are_no_rows(void **state)
{
	(void)state;
	each(behind_it_under_none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_looked_for_is_there),
		cmocka_unit_test(each_id_that_a_request_names_is_of_something_of_a),
		cmocka_unit_test(forged_ids_are_what_random_ids_are),
		cmocka_unit_test(
		    a_request_that_names_a_under_bs_context_reaches_nothing),
		cmocka_unit_test(without_a_tenant_there_are_no_rows),
	};

	return cmocka_run_group_tests(tests, open_world, world_close);
}
