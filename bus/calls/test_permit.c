/* Caller x principal x method, and contracts that several services serve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server.h"
#include "test_rig.h"

static struct rig rig;

struct row {
	const char *caller;
	enum trl_principal_kind kind;
	bool tenant, account;
	enum sample_method method;
	enum trl_code code;
};

static const struct row rows[] = {
	/* The operator by the command: every method, naming the one it is for. */
	{ "ctl", TRL_OPERATOR, false, false, SAMPLE_ECHO, TRL_OK },
	{ "ctl", TRL_OPERATOR, false, false, SAMPLE_MESH, TRL_OK },
	{ "ctl", TRL_OPERATOR, false, false, SAMPLE_OPERATOR, TRL_OK },
	{ "ctl", TRL_OPERATOR, false, false, SAMPLE_WRITE, TRL_OK },
	{ "ctl", TRL_OPERATOR, true, false, SAMPLE_TENANT, TRL_OK },
	{ "ctl", TRL_OPERATOR, false, false, SAMPLE_TENANT, TRL_MALFORMED },
	{ "ctl", TRL_OPERATOR, false, true, SAMPLE_SESSION, TRL_OK },
	{ "ctl", TRL_OPERATOR, false, false, SAMPLE_SESSION, TRL_MALFORMED },
	/* The operator's command as anybody else. */
	{ "ctl", TRL_NOBODY, false, false, SAMPLE_ECHO, TRL_DENIED },
	{ "ctl", TRL_PERSON, true, true, SAMPLE_SESSION, TRL_DENIED },
	{ "ctl", TRL_SERVICE, false, false, SAMPLE_MESH, TRL_DENIED },
	{ "ctl", TRL_PERSON, false, true, SAMPLE_OPERATOR, TRL_DENIED },
	/* The operator by anybody else: only from a service that the method lists. */
	{ "edge", TRL_OPERATOR, true, true, SAMPLE_ECHO, TRL_DENIED },
	{ "edge", TRL_OPERATOR, true, true, SAMPLE_TENANT, TRL_DENIED },
	{ "edge", TRL_OPERATOR, true, true, SAMPLE_SESSION, TRL_DENIED },
	{ "edge", TRL_OPERATOR, true, true, SAMPLE_OPERATOR, TRL_DENIED },
	{ "tenants", TRL_OPERATOR, true, true, SAMPLE_OPERATOR, TRL_DENIED },
	{ "tenants", TRL_OPERATOR, true, true, SAMPLE_ECHO, TRL_DENIED },
	{ "tenants", TRL_OPERATOR, false, false, SAMPLE_MESH, TRL_OK },
	/* Everybody else, as before. */
	{ "edge", TRL_NOBODY, false, false, SAMPLE_ECHO, TRL_OK },
	{ "edge", TRL_PERSON, false, true, SAMPLE_SESSION, TRL_OK },
	{ "edge", TRL_KEY, true, true, SAMPLE_SESSION, TRL_DENIED },
	{ "edge", TRL_NOBODY, false, false, SAMPLE_SESSION, TRL_UNAUTHENTICATED },
	{ "edge", TRL_PERSON, true, true, SAMPLE_TENANT, TRL_DENIED },
	{ "edge", TRL_PERSON, true, true, SAMPLE_OPERATOR, TRL_DENIED },
	{ "edge", TRL_SERVICE, false, false, SAMPLE_MESH, TRL_DENIED },
	{ "tenants", TRL_SERVICE, false, false, SAMPLE_MESH, TRL_OK },
	{ "tenants", TRL_SERVICE, false, false, SAMPLE_ECHO, TRL_DENIED },
	{ "tenants", TRL_SERVICE, false, false, SAMPLE_OPERATOR, TRL_DENIED },
};

static void
call_row(trl_ctx *ctx, void *arg)
{
	const struct row *row = arg;
	sample_note *out;
	ctx->principal.kind = row->kind;
	if (row->tenant)
		memset(&ctx->tenant, 6, sizeof ctx->tenant);
	if (row->account)
		memset(&ctx->principal.account, 4, sizeof ctx->principal.account);
	enum trl_code rc =
	    sample_call(ctx, rig.bus, sample_methods[row->method], "x", 1, &out);
	if (rc != row->code)
		fprintf(stderr, "%s as %d, method %d: %s\n", row->caller, row->kind,
		    row->method, trl_code_name(rc));
	MUST(rc == row->code);
}

static void
each_row(void)
{
	const char *caller = "";
	for (size_t i = 0; i < TRL_COUNT(rows); i++) {
		if (strcmp(caller, rows[i].caller) != 0) {
			char inproc[40];
			static unsigned nth;
			caller = rows[i].caller;
			snprintf(inproc, sizeof inproc, "inproc://permit-%u", nth++);
			rig_open(&rig, caller, inproc, rig_shared());
			rig_await_peers(&rig, 1);
		}
		rig_run(&rig, call_row, (void *)(uintptr_t)&rows[i]);
	}
}

static void
the_operator_calls_all_and_nobody_else_is_him(void **state)
{
	(void)state;
	rig_test(each_row);
}

/* Contracts that several services serve. */

static struct sample *own, *other;

static void
call_shared(trl_ctx *ctx, void *arg)
{
	static const struct trl_call_terms there = { .to = "sample" };
	static const struct trl_call_terms nowhere = { .to = "notify" };
	static const struct trl_call_terms at = { .to = "sample",
		.at = "inproc://both" };
	static const struct trl_call_terms not_at = { .to = "sample",
		.at = "inproc://none" };
	const char *addresses[2];
	ProtobufCMessage *out;
	(void)arg;
	sample_note in = TRELLIS__BUS__INFO_REPLY__INIT;
	ctx->principal.kind = TRL_PERSON;
	const struct trl_method *method = inner_methods[SAMPLE_ECHO];
	/* "inner" is no service of this mesh: the contract's own address is nobody's.
	 */
	MUST(trl_bus_call(ctx, rig.bus, method, &in.base, &out) == TRL_UNAVAILABLE);
	trl_err_clear(ctx);
	MUST(trl_bus_call_with(ctx, rig.bus, method, &in.base, &there, &out) == TRL_OK);
	MUST(trl_bus_call_with(ctx, rig.bus, method, &in.base, &nowhere, &out) ==
	     TRL_UNAVAILABLE);
	trl_err_clear(ctx);
	MUST(own->runs == 0 && other->runs == 1);
	MUST(trl_bus_addresses(rig.bus, "sample", addresses, 2) == 1);
	MUST(strcmp(addresses[0], "inproc://both") == 0);
	MUST(trl_bus_call_with(ctx, rig.bus, method, &in.base, &at, &out) == TRL_OK);
	MUST(trl_bus_call_with(ctx, rig.bus, method, &in.base, &not_at, &out) ==
	     TRL_UNAVAILABLE);
	trl_err_clear(ctx);
	MUST(own->runs == 0 && other->runs == 2);
	MUST(trl_bus_call(ctx, rig.bus, sample_methods[SAMPLE_ECHO], &in.base, &out) ==
	     TRL_OK);
	MUST(own->runs == 1 && other->runs == 2);
}

static void
two_contracts(void)
{
	const char *why;
	struct trl_bus_options options = { .service = "sample",
		.listen = "inproc://both" };
	own = rig_shared();
	other = rig_shared();
	rig.loop = trl_loop_new(NULL);
	rig.net = trl_bus_net_open(rig.loop, &(struct trl_bus_net_options){ 0 });
	rig.here = trl_bus_open(rig.net, &options);
	trl_bus_serve_also(rig.here, inner_contracts, other);
	MUST(trl_bus_serve(rig.here, sample_contracts, own) == TRL_OK);
	rig.bus = trl_bus_open(rig.net, &(struct trl_bus_options){ .service = "edge" });
	MUST(trl_bus_peer(rig.bus, "sample", "inproc://both", &why));
	rig_await_peers(&rig, 1);
	rig_run(&rig, call_shared, NULL);
}

static void
a_service_serves_another_contract_with_another_state(void **state)
{
	(void)state;
	rig_test(two_contracts);
}

static void
every_service_but_the_edge_calls_what_is_for_every_one(void **state)
{
	static const char *const every[] = { "*", NULL };
	const struct trl_method method = { .auth = TRL_AUTH_MESH, .callers = every };

	(void)state;
	assert_true(bus_may_call(&method, "zoo"));
	assert_true(bus_may_call(&method, "ctl"));
	assert_false(bus_may_call(&method, "edge"));
}

/* A contract that names a feature of plans: whoever calls it as somebody needs both it,
 * which a plan gives like a permission, and the permission. */
static void
a_method_that_names_a_feature_needs_it_beside_the_permission(void **state)
{
	enum { PERMISSION = 10, FEATURE = 20, OTHER = 30 };
	static const char *const callers[] = { "tenants", NULL };
	static const struct trl_method method = { .auth = TRL_AUTH_TENANT,
		.permission = PERMISSION,
		.permission_name = "zoo.animal.read",
		.feature = "sso",
		.feature_id = FEATURE,
		.callers = callers };
	static const struct {
		const char *caller;
		enum trl_principal_kind kind;
		uint32_t may[2];
		enum trl_code code;
	} wanted[] = {
		{ "edge", TRL_PERSON, { PERMISSION, FEATURE }, TRL_OK },
		{ "edge", TRL_KEY, { PERMISSION, FEATURE }, TRL_OK },
		{ "edge", TRL_PERSON, { PERMISSION, OTHER }, TRL_QUOTA },
		{ "edge", TRL_KEY, { PERMISSION, OTHER }, TRL_QUOTA },
		{ "edge", TRL_PERSON, { FEATURE, OTHER }, TRL_DENIED },
		{ "edge", TRL_KEY, { FEATURE, OTHER }, TRL_DENIED },
		/* No plan is theirs. */
		{ "edge", TRL_NOBODY, { 0, 0 }, TRL_UNAUTHENTICATED },
		{ "tenants", TRL_SERVICE, { 0, 0 }, TRL_OK },
		{ "ctl", TRL_OPERATOR, { 0, 0 }, TRL_OK },
	};
	trl_arena *arena = trl_arena_new(0);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wanted); i++) {
		trl_ctx ctx = { .arena = arena,
			.caller = wanted[i].caller,
			.tenant = { { 6 } },
			.principal = { .kind = wanted[i].kind,
			    .permissions = wanted[i].may,
			    .n_permissions = 2 } };

		assert_int_equal(bus_check_principal(&ctx, &method), wanted[i].code);
		if (wanted[i].code != TRL_QUOTA)
			continue;
		assert_string_equal(ctx.err.quota.feature, "sso");
		assert_string_equal(ctx.err.message, "The plan does not have sso.");
	}
	trl_arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_service_but_the_edge_calls_what_is_for_every_one),
		cmocka_unit_test(
		    a_method_that_names_a_feature_needs_it_beside_the_permission),
		cmocka_unit_test(the_operator_calls_all_and_nobody_else_is_him),
		cmocka_unit_test(a_service_serves_another_contract_with_another_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
