/* Connections that tenants share: B's reads travel in the pipelines that A's errors,
 * guards and passed deadlines have just gone through. Each answer must be B's. Several
 * rounds are under way at once, and everybody is A in one of them and B in the next;
 * A in one alone, for two foundings by one person wait for each other's row.
 *
 *   test_isolation_pipeline [ROUNDS]    2,000 by default, as tools/test runs it;
 *                                       tools/test --isolation=ROUNDS more
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <test_ground.h>

enum { AT_ONCE = 4, CALLS = 5, SAY_EACH = 100000 };

static unsigned long rounds = 2000;

struct side {
	const struct world_person *person;
	struct trl_id tenant;
};
static struct side sides[AT_ONCE];

static int
open_world(void **state)
{
	static const char *const names[AT_ONCE] = { "ada", "bob", "eve", "joe" };

	if (ground_open(state) != 0)
		return -1;
	for (int i = 0; i < AT_ONCE; i++) {
		sides[i].person = world_person_new(names[i], true);
		sides[i].tenant = world_tenant_new(sides[i].person);
	}
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

struct round {
	struct side a, b;
	struct trouble trouble;
	Tenants__V1__GetTenantRequest get;
	Tenants__V1__ListMembersRequest list;
	struct world_run run[CALLS];
};

static void
trouble_a(struct round *round, unsigned long number)
{
	struct trouble *trouble = &round->trouble;
	const struct side *a = &round->a;
	struct world_run *runs = round->run;

	tenants__v1__update_member_request__init(&trouble->missing);
	trouble->nobody = trl_id_random();
	trouble->missing.tenant_id = (ProtobufCBinaryData){ 16, round->a.tenant.bytes };
	trouble->missing.account_id =
	    (ProtobufCBinaryData){ 16, trouble->nobody.bytes };
	trouble->missing.has_tenant_id = trouble->missing.has_account_id = true;
	trouble->missing.role = TENANTS__V1__MEMBER__ROLE__viewer;
	trouble->missing.has_role = true;
	runs[0] =
	    (struct world_run){ .who = { .person = a->person, .tenant = a->tenant },
		    .method = &tenants_v1_update_member,
		    .in = &trouble->missing.base };

	tenants__v1__create_tenant_request__init(&trouble->taken);
	trouble->taken.slug = (char *)"tenant-1"; /* somebody's here */
	trouble->taken.display_name = (char *)"Taken";
	runs[1] = (struct world_run){ .who = { .person = a->person },
		.method = &tenants_v1_create_tenant,
		.in = &trouble->taken.base };

	tenants__v1__get_tenant_request__init(&trouble->late);
	trouble->late.tenant_id = (ProtobufCBinaryData){ 16, round->a.tenant.bytes };
	trouble->late.has_tenant_id = true;
	runs[2] = (struct world_run){ .who = { .person = a->person,
					  .tenant = a->tenant,
					  .timeout_ms = 11 + (uint32_t)(number % 3) },
		.method = &tenants_v1_get_tenant,
		.in = &trouble->late.base };
}

static void
read_b(struct round *round)
{
	tenants__v1__get_tenant_request__init(&round->get);
	round->get.tenant_id = (ProtobufCBinaryData){ 16, round->b.tenant.bytes };
	round->get.has_tenant_id = true;
	round->run[3] = (struct world_run){ .who = { .person = round->b.person,
						.tenant = round->b.tenant },
		.method = &tenants_v1_get_tenant,
		.in = &round->get.base };

	tenants__v1__list_members_request__init(&round->list);
	round->list.tenant_id = (ProtobufCBinaryData){ 16, round->b.tenant.bytes };
	round->list.has_tenant_id = true;
	round->run[4] = (struct world_run){ .who = { .person = round->b.person,
						.tenant = round->b.tenant },
		.method = &tenants_v1_list_members,
		.in = &round->list.base };
}

static void
assert_is_tenant(const struct world_run *run, struct trl_id tenant)
{
	assert_true(
	    trl_id_eq(trl_value_id(((const tenants_tenant *)run->out)->id), tenant));
}

static void
assert_is_alone(const struct world_run *run, const struct world_person *person)
{
	const Tenants__V1__ListMembersReply *members =
	    (const Tenants__V1__ListMembersReply *)run->out;

	assert_int_equal(members->n_items, 1);
	assert_true(
	    trl_id_eq(trl_value_id(members->items[0]->account_id), person->account));
}

struct tally {
	unsigned long rounds, late, busy;
};

/* Each call's own end, and none other. BUSY may be anybody's: the lock was not had in
 * 50 ms; long runs meet autovacuum while it cuts what was rolled back from the end of a
 * table, for which it locks all of it. */
static void
assert_each_its_own(const struct round *round, struct tally *tally)
{
	static const enum trl_code ends[CALLS] = { TRL_NOT_FOUND, TRL_EXISTS, TRL_OK,
		TRL_OK, TRL_OK };
	const struct world_run *run = round->run;

	for (size_t i = 0; i < CALLS; i++) {
		if (run[i].rc == TRL_BUSY)
			tally->busy++;
		else if (i == 2 && run[i].rc == TRL_DEADLINE)
			tally->late++;
		else
			assert_int_equal(run[i].rc, ends[i]);
	}
	if (run[2].rc == TRL_OK)
		assert_is_tenant(&run[2], round->a.tenant);
	if (run[3].rc == TRL_OK)
		assert_is_tenant(&run[3], round->b.tenant);
	if (run[4].rc == TRL_OK)
		assert_is_alone(&run[4], round->b.person);
	tally->rounds++;
}

/* Reliability, case 53. */
static void
after_a_tenants_errors_a_pipeline_serves_b_alone(void **state)
{
	static struct round wave[AT_ONCE];
	struct world_run *order[AT_ONCE * CALLS];
	struct tally tally = { 0 };

	(void)state;
	while (tally.rounds < rounds) {
		const unsigned long done = tally.rounds;
		const size_t n = rounds - done < AT_ONCE ? rounds - done : AT_ONCE;

		for (size_t k = 0; k < n; k++) {
			struct round *round = &wave[k];

			round->a = sides[(done + k) % AT_ONCE];
			round->b = sides[(done + k + 1) % AT_ONCE];
			trouble_a(round, done + k);
			read_b(round);
			for (size_t i = 0; i < CALLS; i++) {
				order[k * CALLS + i] =
				    &round->run[(i + done + k) % CALLS];
				world_start(order[k * CALLS + i]);
			}
		}
		world_wait(order, n * CALLS);
		for (size_t k = 0; k < n; k++)
			assert_each_its_own(&wave[k], &tally);
		world_forget(NULL);
		if (tally.rounds % SAY_EACH == 0)
			print_message("%lu rounds so far\n", tally.rounds);
	}
	print_message("%lu rounds, %lu passed deadlines, %lu answered busy\n",
	    tally.rounds, tally.late, tally.busy);
	/* More would be no load but a lock that something holds. */
	assert_true(tally.busy * 100 <= tally.rounds * CALLS);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_tenants_errors_a_pipeline_serves_b_alone),
	};

	if (argc > 1) {
		char *end;

		rounds = strtoul(argv[1], &end, 10);
		if (*argv[1] == '-' || rounds == 0 || *end != '\0') {
			fprintf(stderr, "ROUNDS is a whole number above 0, not '%s'.\n",
			    argv[1]);
			return 2;
		}
	}
	return cmocka_run_group_tests(tests, open_world, world_close);
}
