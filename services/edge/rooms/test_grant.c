/* What tenants says of a caller, and what it may not say: a reply is another process's
 * word, and no reason to end this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <auth_v1.trl.h>
#include <tenants_v1.trl.h>

#include "test_rig.h"

const struct trl_config_table *const trl_config_known[] = { NULL };

static Tenants__V1__Grant reply;

/* Instead of those that come down to the bus. */
enum trl_code
tenants_call_get_grant_with(trl_ctx *ctx, trl_bus *bus,
    const Tenants__V1__GetGrantRequest *in, const struct trl_call_terms *terms,
    Tenants__V1__Grant **out)
{
	(void)ctx;
	(void)bus;
	(void)in;
	assert_true(terms->as_service);
	*out = &reply;
	return TRL_OK;
}

enum trl_code
auth_call_resolve_session_with(trl_ctx *ctx, trl_bus *bus,
    const Auth__V1__ResolveSessionRequest *in, const struct trl_call_terms *terms,
    Auth__V1__ResolvedSession **out)
{
	(void)bus;
	(void)in;
	(void)terms;
	(void)out;
	return trl_fail(ctx, TRL_INTERNAL, "nobody was to be asked");
}

enum trl_code
auth_call_resolve_key_with(trl_ctx *ctx, trl_bus *bus,
    const Auth__V1__ResolveKeyRequest *in, const struct trl_call_terms *terms,
    Auth__V1__ResolvedKey **out)
{
	(void)bus;
	(void)in;
	(void)terms;
	(void)out;
	return trl_fail(ctx, TRL_INTERNAL, "nobody was to be asked");
}

/* Instead of Redis, which has no copy of a grant here. */
enum trl_code __wrap_trl_access_arrive(trl_ctx *ctx, trl_access *access,
    const struct trl_access_who *who, struct trl_id tenant, const char *rate,
    struct trl_access_visit *visit, struct trl_access_states *states);

enum trl_code
__wrap_trl_access_arrive(trl_ctx *ctx, trl_access *access,
    const struct trl_access_who *who, struct trl_id tenant, const char *rate,
    struct trl_access_visit *visit, struct trl_access_states *states)
{
	(void)ctx;
	(void)access;
	(void)who;
	(void)tenant;
	(void)rate;
	(void)states;
	*visit = (struct trl_access_visit){ .tenant_counted = true };
	return TRL_OK;
}

static void
a_grant_of_no_tenant_is_an_error_of_tenants(void **state)
{
	static uint8_t bytes[32];
	static const size_t lens[] = { 0, 1, 15, 17, 32 };
	const struct trl_access_who who = { .kind = TRL_PERSON };
	const struct trl_host host = { .bus = NULL };

	(void)state;
	tenants__v1__grant__init(&reply);
	for (size_t i = 0; i < TRL_COUNT(lens); i++) {
		rig_ask("GET", "/api/v1/webhook-endpoints");
		rig_route();
		rig.edge.host = &host;
		rig.request.who = &who;
		reply.tenant_id = (ProtobufCBinaryData){ lens[i], bytes };
		assert_int_equal(edge_grant(&rig.request), TRL_INTERNAL);
		assert_null(rig.request.grant);
	}
}

/* Of what tenants and auth say of a key, what may the request? Both lists rise. */
static void
a_key_has_its_permissions_and_the_features_of_the_plan(void **state)
{
	static uint8_t tenant[16] = { 7 };
	static uint32_t some[] = { 3, 9, 20 };
	static const uint32_t own[] = { 1, 9, 15 };
	static const struct {
		size_t n_own, n_features;
		uint32_t both[6];
	} wanted[] = {
		{ 3, 3, { 1, 3, 9, 9, 15, 20 } },
		{ 3, 0, { 1, 9, 15 } },
		{ 0, 3, { 3, 9, 20 } },
		{ 1, 2, { 1, 3, 9 } },
		{ 0, 0, { 0 } },
	};
	const struct trl_host host = { .bus = NULL };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wanted); i++) {
		const struct trl_access_who who = { .kind = TRL_KEY,
			.tenant = { { 7 } },
			.permissions = own,
			.n_permissions = wanted[i].n_own };
		const size_t n = wanted[i].n_own + wanted[i].n_features;

		for (int deleting = 0; deleting < 2; deleting++) {
			rig_ask("GET", "/api/v1/webhook-endpoints");
			rig_route();
			rig.edge.host = &host;
			rig.request.who = &who;
			tenants__v1__grant__init(&reply);
			trl_set(&reply, tenant_id,
			    ((ProtobufCBinaryData){ sizeof tenant, tenant }));
			trl_set(&reply, status,
			    deleting ? TENANTS__V1__TENANT__STATUS__deleting
				     : TENANTS__V1__TENANT__STATUS__active);
			reply.permissions = some;
			reply.n_permissions = wanted[i].n_features;
			assert_int_equal(edge_grant(&rig.request), TRL_OK);
			assert_int_equal(
			    rig.ctx.principal.n_permissions, deleting ? 0 : n);
			for (size_t j = 0; !deleting && j < n; j++) {
				assert_int_equal(rig.ctx.principal.permissions[j],
				    wanted[i].both[j]);
				assert_true(trl_may(&rig.ctx, wanted[i].both[j]));
			}
			assert_false(trl_may(&rig.ctx, 4));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_of_no_tenant_is_an_error_of_tenants),
		cmocka_unit_test(
		    a_key_has_its_permissions_and_the_features_of_the_plan),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
