/* Connections that tenants share: B's reads travel in the pipelines that A's errors,
 * guards and passed deadlines have just gone through. Each answer must be B's. From
 * round to round the two change places.
 *
 *   test_isolation_pipeline [rounds]    2,000 by default; tools/test runs that many
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <test_world.h>

static int rounds = 2000;
static const struct world_person *ada, *eve;
static struct trl_id a, b;

static int
open_world(void **state)
{
	if (world_open(state) != 0)
		return -1;
	ada = world_person_new("ada", true);
	eve = world_person_new("eve", true);
	a = world_tenant_new(ada);
	b = world_tenant_new(eve);
	return 0;
}

/* Under A: a guard that fails in a read pipeline, one that PostgreSQL's own
 * constraint stops in a write, one whose deadline passes under way. */
struct trouble {
	Tenants__V1__UpdateMemberRequest missing;
	Tenants__V1__CreateTenantRequest taken;
	Tenants__V1__GetTenantRequest late;
	struct trl_id nobody;
};

static void
prepare(struct trouble *trouble, struct world_run runs[3], int round)
{
	tenants__v1__update_member_request__init(&trouble->missing);
	trouble->nobody = trl_id_random();
	trouble->missing.tenant_id = (ProtobufCBinaryData){ 16, a.bytes };
	trouble->missing.account_id =
	    (ProtobufCBinaryData){ 16, trouble->nobody.bytes };
	trouble->missing.has_tenant_id = trouble->missing.has_account_id = true;
	trouble->missing.role = TENANTS__V1__MEMBER__ROLE__viewer;
	trouble->missing.has_role = true;
	runs[0] = (struct world_run){ .who = { .person = ada, .tenant = a },
		.method = &tenants_v1_update_member,
		.in = &trouble->missing.base };

	tenants__v1__create_tenant_request__init(&trouble->taken);
	trouble->taken.slug = (char *)"tenant-1"; /* one of the two */
	trouble->taken.display_name = (char *)"Taken";
	runs[1] = (struct world_run){ .who = { .person = ada },
		.method = &tenants_v1_create_tenant,
		.in = &trouble->taken.base };

	tenants__v1__get_tenant_request__init(&trouble->late);
	trouble->late.tenant_id = (ProtobufCBinaryData){ 16, a.bytes };
	trouble->late.has_tenant_id = true;
	runs[2] = (struct world_run){ .who = { .person = ada, .tenant = a },
		.method = &tenants_v1_get_tenant,
		.in = &trouble->late.base,
		.timeout_ms = 1 + (uint32_t)round % 3 };
}

static void
read_b(struct world_run *run, Tenants__V1__GetTenantRequest *ask)
{
	tenants__v1__get_tenant_request__init(ask);
	ask->tenant_id = (ProtobufCBinaryData){ 16, b.bytes };
	ask->has_tenant_id = true;
	*run = (struct world_run){ .who = { .person = eve, .tenant = b },
		.method = &tenants_v1_get_tenant,
		.in = &ask->base };
}

static void
list_b(struct world_run *run, Tenants__V1__ListMembersRequest *ask)
{
	tenants__v1__list_members_request__init(ask);
	ask->tenant_id = (ProtobufCBinaryData){ 16, b.bytes };
	ask->has_tenant_id = true;
	*run = (struct world_run){ .who = { .person = eve, .tenant = b },
		.method = &tenants_v1_list_members,
		.in = &ask->base };
}

static void
assert_is_b(const struct world_run *one, const struct world_run *list)
{
	const tenants_tenant *tenant = (const tenants_tenant *)one->out;
	const Tenants__V1__ListMembersReply *members =
	    (const Tenants__V1__ListMembersReply *)list->out;

	assert_int_equal(one->rc, TRL_OK);
	assert_true(trl_id_eq(trl_value_id(tenant->id), b));
	assert_int_equal(list->rc, TRL_OK);
	assert_int_equal(members->n_items, 1);
	assert_true(
	    trl_id_eq(trl_value_id(members->items[0]->account_id), eve->account));
}

static void
change_places(void)
{
	const struct world_person *person = ada;
	const struct trl_id tenant = a;

	ada = eve;
	eve = person;
	a = b;
	b = tenant;
}

/* Reliability, case 53. */
static void
after_a_tenants_errors_a_pipeline_serves_b_alone(void **state)
{
	size_t late = 0;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		Tenants__V1__GetTenantRequest get;
		Tenants__V1__ListMembersRequest list;
		struct trouble trouble;
		struct world_run run[5];
		struct world_run *order[5];

		change_places();
		prepare(&trouble, run, round);
		read_b(&run[3], &get);
		list_b(&run[4], &list);
		for (int i = 0; i < 5; i++) {
			order[i] = &run[(i + round) % 5];
			world_start(order[i]);
		}
		world_wait(order, 5);
		assert_int_equal(run[0].rc, TRL_NOT_FOUND);
		assert_int_equal(run[1].rc, TRL_EXISTS);
		assert_true(run[2].rc == TRL_OK || run[2].rc == TRL_DEADLINE);
		late += run[2].rc == TRL_DEADLINE;
		assert_is_b(&run[3], &run[4]);
		world_forget();
	}
	print_message("%d rounds, %zu passed deadlines\n", rounds, late);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_tenants_errors_a_pipeline_serves_b_alone),
	};

	if (argc > 1)
		rounds = atoi(argv[1]);
	return cmocka_run_group_tests(tests, open_world, world_close);
}
