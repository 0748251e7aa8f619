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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_of_no_tenant_is_an_error_of_tenants),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
