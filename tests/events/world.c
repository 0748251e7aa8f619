/* world.c - see world.h. */
#include "world.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <trl/clock.h>
#include <trl/log.h>
#include <trl/migrate.h>

#include "test_rig.h"
#include "fact_sql.h"
#include "seen_sql.h"

struct world world;

const char all_applied[] =
    "select (select count(*) from fact.outbox) = 0 and (select count(*) from "
    "fact.event_log) = (select count(*) from seen.seen)";

int
world_open(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	test_db_make(&world.db, "events");
	if (trl_migrate(world.db.admin, &fact_sql, NULL, NULL) != TRL_OK ||
	    trl_migrate(world.db.admin, &seen_sql, NULL, NULL) != TRL_OK)
		return -1;
	snprintf(world.fact_app, 512, "%s", test_db_as(&world.db, "fact_app"));
	snprintf(world.fact_sys, 512, "%s", test_db_as(&world.db, "fact_sys"));
	snprintf(world.seen_app, 512, "%s", test_db_as(&world.db, "seen_app"));
	snprintf(world.seen_sys, 512, "%s", test_db_as(&world.db, "seen_sys"));
	world.shared = mmap(NULL, sizeof *world.shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	world.shared->subjects = 5;
	for (size_t i = 0; i < TRL_COUNT(world.ports); i++)
		world.ports[i] = rig_port();
	return world.shared == MAP_FAILED ? -1 : 0;
}

void
world_open_zoo(void)
{
	test_db_make(&world.zoo, "zoo");
	assert_int_equal(trl_migrate(world.zoo.admin, &fact_sql, NULL, NULL), TRL_OK);
}

int
world_close(void **state)
{
	(void)state;
	for (size_t i = 0; i < REPLICAS; i++) {
		end(&world.producers[i]);
		end(&world.subscribers[i]);
	}
	munmap(world.shared, sizeof *world.shared);
	test_db_drop(&world.db);
	if (world.zoo.name[0] != '\0')
		test_db_drop(&world.zoo);
	return 0;
}

void
end(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

void
look_again(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

void
await_sql(unsigned seconds, const char *sql)
{
	await_in(&world.db, seconds, sql);
}

void
await_in(const struct test_db *db, unsigned seconds, const char *sql)
{
	uint64_t until = trl_mono_us() + seconds * 1000000ull;

	while (test_db_sql(db, "%s", sql)[0] != 't') {
		if (trl_mono_us() > until)
			fail_msg("not so after %u s: %s", seconds, sql);
		look_again();
	}
}

int64_t
number(const char *sql)
{
	return strtoll(test_db_sql(&world.db, "%s", sql), NULL, 10);
}

static bool
have_written(unsigned producers, unsigned want)
{
	for (unsigned i = 0; i < producers; i++)
		if (world.shared->written[i] < want)
			return false;
	return true;
}

void
write_events(unsigned producers, unsigned each)
{
	uint64_t until = trl_mono_us() + 60000000;

	world.shared->to_write += each;
	while (!have_written(producers, world.shared->to_write)) {
		if (trl_mono_us() > until)
			fail_msg("the producers do not write");
		look_again();
	}
}

void
stop_writing(unsigned producers)
{
	uint64_t until = trl_mono_us() + 60000000;

	world.shared->to_write = 0;
	for (unsigned i = 0; i < producers; i++)
		world.shared->idle[i] = false;
	for (unsigned i = 0; i < producers; i++)
		while (!world.shared->idle[i]) {
			if (trl_mono_us() > until)
				fail_msg("a producer does not stop writing");
			look_again();
		}
}

static int
order_once(enum order what)
{
	unsigned nth = world.shared->command / 10 + 1;
	uint64_t until = trl_mono_us() + 20000000;

	world.shared->command = nth * 10 + what;
	while (world.shared->done != world.shared->command) {
		if (trl_mono_us() > until)
			fail_msg("nobody takes the order %d", what);
		look_again();
	}
	return world.shared->result;
}

int
order(enum order what)
{
	uint64_t until = trl_mono_us() + 20000000;
	int rc;

	while ((rc = order_once(what)) == TRL_BUSY && trl_mono_us() < until)
		look_again();
	return rc;
}

void
assert_all_applied(void)
{
	/* Each once. */
	assert_int_equal(number("select count(*) from fact.event_log l where (select "
				"count(*) from seen.seen s where s.event_id = "
				"l.event_id) <> 1"),
	    0);
	assert_int_equal(
	    number("select count(*) from seen.seen"), number("select count(*) from "
							     "fact.event_log"));
	/* Lanes are dense, and end at their heads. */
	assert_int_equal(
	    number("select count(*) from fact.event_head h left join (select lane, "
		   "count(*) n, max(seq) m from fact.event_log group by lane) l using "
		   "(lane) where coalesce(l.n, 0) <> h.last_seq or coalesce(l.m, 0) "
		   "<> h.last_seq"),
	    0);
	/* A subject's numbers rise one by one, in the log and where they were applied.
	 */
	assert_int_equal(
	    number("select count(*) from (select n, row_number() over (partition by "
		   "subject_id order by seq) want, row_number() over (partition by "
		   "subject_id order by nth) was from seen.seen where seq > 0) x where "
		   "n <> want or n <> was"),
	    0);
}

/* ---- in the processes */

struct trl_id
world_id(unsigned kind, unsigned n)
{
	struct trl_id id = { .bytes = { 1, 2, 3, 4, 5, 6, 0x70, 8, 0x80 } };

	id.bytes[10] = (uint8_t)kind;
	id.bytes[14] = (uint8_t)(n >> 8);
	id.bytes[15] = (uint8_t)n;
	return id;
}
