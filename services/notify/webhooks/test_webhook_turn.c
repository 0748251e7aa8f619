/* test_turn.c - a delivery whose endpoint's name gets no turn to be looked up.
 * getaddrinfo is this file's: never.test keeps its thread until it is let go, and
 * near.test is this machine, which nobody may have called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include "test_ground.h"

static atomic_uint asked;
static atomic_bool let_go;

typedef int resolver(const char *name, const char *port, const struct addrinfo *hints,
    struct addrinfo **out);

int
getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
    struct addrinfo **out)
{
	resolver *real = (resolver *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");

	if (name != NULL && !strcmp(name, "never.test")) {
		atomic_fetch_add(&asked, 1);
		while (!atomic_load(&let_go))
			usleep(1000); /* a resolver that waits for the case */
		return EAI_AGAIN;
	}
	if (name != NULL && !strcmp(name, "near.test"))
		name = "127.0.0.1";
	return real(name, port, hints, out);
}

/* A delivery to a new endpoint of the organisation, as a job that is due; its id. */
static const char *
deliver(struct trl_id tenant, const char *url)
{
	const struct world_caller who = { .account = trl_id_new(), .tenant = tenant };
	Notify__V1__CreateWebhookEndpointRequest ask =
	    NOTIFY__V1__CREATE_WEBHOOK_ENDPOINT_REQUEST__INIT;
	Notify__V1__WebhookEndpoint *made;
	const char *id = world_id_text(trl_id_new());

	ask.url = (char *)(uintptr_t)url;
	assert_int_equal(
	    world_call(&who, &notify_v1_create_webhook_endpoint, &ask.base, &made),
	    TRL_OK);
	world_sql("insert into webhook_delivery (tenant_id, id, endpoint_id, event_id, "
		  "event_type, webhook_id, body, bytes, status, created_at) values "
		  "('%s', '%s', '%s', gen_random_uuid(), 'x.y', 'msg_1', '{}', 2, "
		  "'waiting', now())",
	    world_id_text(tenant), id, world_id_text(trl_value_id(made->id)));
	world_sql("insert into job (id, tenant_id, kind, state, priority, run_at, "
		  "attempt, attempts, payload, trace, made_at) values ('%s', '%s', "
		  "'webhook', 'ready', 0, now(), 0, 10, "
		  "decode('0a10' || replace('%s', '-', ''), 'hex'), '', now())",
	    id, world_id_text(tenant), id);
	return id;
}

static bool
is_asked(void *self)
{
	(void)self;
	return atomic_load(&asked) > 0;
}

static bool
is_put_off(void *id)
{
	return !strcmp(world_sql("select count(*) from job where id = '%s' and run_at "
				 "> made_at + interval '3 seconds'",
			   (const char *)id),
	    "1");
}

static bool
was_tried(void *id)
{
	return !strcmp(
	    world_sql("select count(*) from webhook_attempt where delivery_id = '%s'",
		(const char *)id),
	    "1");
}

static void
a_delivery_whose_name_gets_no_turn_comes_again_and_is_no_failure(void **state)
{
	const struct trl_id tenant = world_tenant("One");
	const char *dead = deliver(tenant, "https://never.test/"), *other;

	(void)state;
	world_until(is_asked, NULL);
	other = deliver(tenant, "https://near.test/");
	world_until(is_put_off, (void *)(uintptr_t)other);
	assert_false(was_tried((void *)(uintptr_t)other));
	assert_string_equal(world_sql("select sum(failures) from webhook_endpoint "
				      "where url like '%%near.test%%'"),
	    "0");
	atomic_store(&let_go, true);
	world_until(was_tried, (void *)(uintptr_t)other);
	assert_string_equal(
	    world_sql("select number || error from webhook_attempt where "
		      "delivery_id = '%s'",
		other),
	    "1the host's address is not a public one");
	world_until(was_tried, (void *)(uintptr_t)dead);
	ground_forget(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_delivery_whose_name_gets_no_turn_comes_again_and_is_no_failure),
	};

	return cmocka_run_group_tests(tests, ground_open, ground_close);
}
