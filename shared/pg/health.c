/* health.c - whether PostgreSQL takes writes. A server that is read-only, in recovery
 * or out of disk answers reads and refuses the rest: whoever asks /readyz shall hear of
 * it.
 *
 * Errors of writes tell it at once. That it is over no write would find out, where the
 * orchestrator sends no more of them, so it is asked once a second; without an
 * error that is one small statement. Where that is not answered, nor anything else, the
 * way there is cut (pg_give_up_silent). Where a server is read-only, another may have
 * become the primary, and connections made anew find it. */
#include "pool.h"

#include <endian.h>
#include <string.h>

#include <trl/loop_uv.h>

#include "framework_sql.h"

enum { ASK_EVERY_MS = 1000, RENEW_EVERY_MS = 2000, CLOCK_PATIENCE_US = 100000 };

static const char is_read_only[] = "PostgreSQL takes no writes: it is read-only";
static const char is_full[] = "PostgreSQL takes no writes: its disk is full";

void
pg_note_refusal(trl_pg *pg, const struct pg_op *op)
{
	const char *state = PQresultErrorField(op->error, PG_DIAG_SQLSTATE);

	if (op->write && strcmp(state, "25006") == 0)
		pg->refusal = is_read_only;
	if (op->write && strcmp(state, "53100") == 0)
		pg->refusal = is_full;
}

/* Half the way there and back is the best guess of when it was asked; an answer that
 * was long on its way tells nothing. */
static void
compare_clocks(trl_pg *pg, const struct pg_op *op)
{
	static const int64_t epoch_2000_us = INT64_C(946684800000000);
	const int64_t took = (int64_t)(trl_mono_us() - op->queued_us);
	uint64_t theirs;

	if (took > CLOCK_PATIENCE_US ||
	    PQgetlength(op->results[0], 0, 1) != sizeof theirs)
		return;
	memcpy(&theirs, PQgetvalue(op->results[0], 0, 1), sizeof theirs);
	trl_series_set(
	    pg->m.clock_offset, (double)(trl_wall_us() - took / 2 -
					 (int64_t)be64toh(theirs) - epoch_2000_us) /
				    1e6);
}

static void
heard(void *self, const struct pg_op *op)
{
	trl_pg *pg = self;
	uint64_t now = trl_loop_now_us(pg->loop);

	pg->asked = NULL;
	if (op->outcome != PG_FINE) /* an error was noted as anybody's */
		return;
	compare_clocks(pg, op);
	if (!PQgetvalue(op->results[0], 0, 0)[0]) {
		if (pg->refusal == is_read_only || op->n_calls > 1)
			pg->refusal = NULL;
		return;
	}
	pg->refusal = is_read_only;
	if (now < pg->sought_us + RENEW_EVERY_MS * 1000)
		return;
	pg->sought_us = now;
	pg_renew(pg, NULL);
}

static void
ask(uv_timer_t *timer)
{
	static const struct pg_call calls[] = { { .sql = &trl_sql_writes_ask },
		{ .sql = &trl_sql_room_narrow }, { .sql = &trl_sql_room_ask } };
	trl_pg *pg = timer->data;
	struct pg_op *op;

	if (pg->asked)
		pg_give_up_silent(pg);
	if (pg->asked || !pg_are_up(pg))
		return;
	op = pg_op_new(pg->refusal == is_full ? TRL_COUNT(calls) : 1);
	op->write = true;
	op->calls = calls;
	op->heard = heard;
	op->self = pg;
	pg->asked = op;
	pg_submit_heard(pg, op);
	pg_op_unref(&op);
}

void
pg_health_start(trl_pg *pg)
{
	uv_timer_start(pg->asking, ask, ASK_EVERY_MS, ASK_EVERY_MS);
	uv_unref((uv_handle_t *)pg->asking);
}

const char *
trl_pg_unready(const trl_pg *pg)
{
	if (trl_pg_ready(pg))
		return pg->refusal;
	return pg->unfit ? "the schema in PostgreSQL does not fit this release"
			 : "PostgreSQL is not reachable";
}
