/* The bytes that messages of auth and tenants have on the wire. Replicas of another
 * age and stored replies (the idempotency records) hold the same: a field may be
 * added, these bytes may not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <trl/event_type.h>
#include <trl/json.h>
#include <trl/wire.h>

#include <auth_v1.trl.h>
#include <tenants_v1.trl.h>

#define ID "01997d2e-4c1a-7b3f-9a52-6f1e0c8d4b21"
#define ID_HEX "01997d2e4c1a7b3f9a526f1e0c8d4b21"
#define TIME "2026-01-31T12:00:00.5Z"
#define TIME_HEX "08c0ddf7cb061080cab5ee01"

struct golden {
	const struct trl_message *rules;
	const char *json, *hex;
};

static const struct golden golden[] = {
	{ &auth_v1_sign_up_request_rules,
	    "{\"email\":\"a@b.example\",\"password\":\"pass "
	    "word\",\"display_name\":\"A\","
	    "\"locale\":\"en\"}",
	    "0a0b6140622e6578616d706c6512097061737320776f72641a01412202656e" },
	{ &auth_v1_signed_in_rules,
	    "{\"account\":{\"id\":\"" ID "\",\"version\":3,\"email\":\"a@b.example\","
	    "\"email_verified\":true,\"display_name\":\"A\",\"locale\":\"en\","
	    "\"created_at\":\"" TIME "\",\"updated_at\":\"" TIME "\"},"
	    "\"session\":{\"id\":\"" ID "\",\"token\":\"trs_x\",\"expires_at\":\"" TIME
	    "\"}}",
	    "0a460a10" ID_HEX
	    "10031a0b6140622e6578616d706c6520012a01413202656e3a0c" TIME_HEX
	    "420c" TIME_HEX "12270a10" ID_HEX "12057472735f781a0c" TIME_HEX },
	{ &auth_v1_resolved_session_rules,
	    "{\"account_id\":\"" ID "\",\"session_id\":\"" ID "\",\"verified\":true,"
	    "\"expires_at\":\"" TIME "\"}",
	    "0a10" ID_HEX "1210" ID_HEX "1801220c" TIME_HEX },
	{ &auth_v1_resolved_key_rules,
	    "{\"key_id\":\"" ID "\",\"tenant_id\":\"" ID "\",\"account_id\":\"" ID "\","
	    "\"permissions\":[1,4294967295],\"expires_at\":\"" TIME "\"}",
	    "0a10" ID_HEX "1210" ID_HEX "1a10" ID_HEX
	    "220801000000ffffffff2a0c" TIME_HEX },
	{ &auth_v1_created_api_key_rules,
	    "{\"id\":\"" ID "\",\"name\":\"n\",\"permissions\":[\"a.b.c\",\"d.e.f\"],"
	    "\"created_by\":\"" ID "\",\"created_at\":\"" TIME
	    "\",\"expires_at\":\"" TIME "\",\"key\":\"trl_x\"}",
	    "0a10" ID_HEX "12016e1a05612e622e631a05642e652e662210" ID_HEX
	    "2a0c" TIME_HEX "320c" TIME_HEX "3a0574726c5f78" },
	{ &tenants_v1_tenant_rules,
	    "{\"id\":\"" ID
	    "\",\"version\":300,\"slug\":\"acme\",\"display_name\":\"A\","
	    "\"status\":\"deleting\",\"created_at\":\"" TIME "\",\"updated_at\":\"" TIME
	    "\",\"delete_at\":\"" TIME "\"}",
	    "0a10" ID_HEX "10ac021a0461636d652201412802320c" TIME_HEX "3a0c" TIME_HEX
	    "420c" TIME_HEX },
	{ &tenants_v1_list_members_reply_rules,
	    "{\"items\":[{\"account_id\":\"" ID "\",\"version\":1,\"role\":\"owner\","
	    "\"email\":\"a@b.example\",\"display_name\":\"A\",\"created_at\":\"" TIME
	    "\",\"updated_at\":\"" TIME "\"}],\"next_page_token\":\"t\"}",
	    "0a420a10" ID_HEX "10011804220b6140622e6578616d706c652a0141320c" TIME_HEX
	    "3a0c" TIME_HEX "120174" },
	{ &tenants_v1_invitation_rules,
	    "{\"id\":\"" ID
	    "\",\"version\":1,\"email\":\"a@b.example\",\"role\":\"admin\","
	    "\"status\":\"expired\",\"invited_by\":\"" ID "\",\"expires_at\":\"" TIME
	    "\",\"created_at\":\"" TIME "\",\"updated_at\":\"" TIME "\"}",
	    "0a10" ID_HEX "10011a0b6140622e6578616d706c65200328043210" ID_HEX
	    "3a0c" TIME_HEX "420c" TIME_HEX "4a0c" TIME_HEX },
	{ &tenants_v1_grant_rules,
	    "{\"tenant_id\":\"" ID
	    "\",\"role\":\"viewer\",\"permissions\":[7,4294967295],"
	    "\"status\":\"active\"}",
	    "0a10" ID_HEX "10011a0807000000ffffffff2001" },
	{ &tenants_v1_audit_entry_rules,
	    "{\"id\":\"" ID "\",\"created_at\":\"" TIME "\",\"chain\":\"tenants\","
	    "\"number\":7,\"action\":\"a.b.c\",\"actor_kind\":\"service\",\"actor_id\":"
	    "\"" ID "\",\"subject_kind\":\"member\",\"subject_id\":\"" ID
	    "\",\"hash\":\"AAEC\",\"detail\":\"{}\",\"address\":\"::1\"}",
	    "0a10" ID_HEX "120c" TIME_HEX
	    "1a0774656e616e747320072a05612e622e6330033a10" ID_HEX
	    "42066d656d6265724a10" ID_HEX "52030001025a027b7d62033a3a31" },
};

static void
messages_keep_their_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRL_COUNT(golden); i++) {
		const struct golden *want = &golden[i];
		trl_ctx ctx = { .arena = trl_arena_new(0) };
		ProtobufCMessage *message =
		    trl_message_new(ctx.arena, want->rules->descriptor);
		struct trl_buf hex = { 0 };
		const uint8_t *data;
		size_t len;

		if (trl_json_decode(&ctx, want->rules, want->json, strlen(want->json),
			message) != TRL_OK)
			fail_msg(
			    "%s: %s", want->rules->descriptor->name, ctx.err.message);
		trl_wire_encode(ctx.arena, message, &data, &len);
		for (size_t at = 0; at < len; at++)
			trl_buf_printf(&hex, "%02x", data[at]);
		trl_buf_add(&hex, "", 1);
		assert_string_equal((const char *)hex.data, want->hex);
		trl_buf_fini(&hex);
		trl_arena_free(&ctx.arena);
	}
}

static void
what_every_service_tells_is_found_by_its_name(void **state)
{
	const struct trl_event_type *every = trl_event_type_by_name("*.audit.written");

	(void)state;
	assert_non_null(every);
	assert_string_equal(every->service, "*");
	assert_false(every->published);
	assert_ptr_equal(trl_event_type_by_name("auth.audit.written"), every);
	assert_ptr_equal(trl_event_type_by_name("zoo.audit.written"), every);
	assert_null(trl_event_type_by_name("zoo.audit.read"));
	assert_null(trl_event_type_by_name("audit"));
	assert_ptr_equal(trl_event_type_by_name("auth.account.created"),
	    &auth_event_account_created);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_every_service_tells_is_found_by_its_name),
		cmocka_unit_test(messages_keep_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
