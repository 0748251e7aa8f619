/* test_sweep.h - a world with files in which sweeps find things. Include it once in a
 * test's program. */
#pragma once

#include "store/inside.h"
#include "sweep/sweep.h"
#include "test_files.h"
#include "variant/options.h"

static struct sweep_sum sums[SWEEP_WHATS];
static bool force, held;
static uint64_t passed;
static uint32_t time_ms; /* of a call; 0: as always */

/* All of it, call by call, as the operator's command does. */
static inline void
sweep(bool dry_run)
{
	Media__V1__SweepRequest ask = MEDIA__V1__SWEEP_REQUEST__INIT;
	struct world_caller operator= { .operator= true, .timeout_ms = time_ms };
	Media__V1__SweepReply *out;

	memset(sums, 0, sizeof sums);
	trl_set(&ask, dry_run, dry_run);
	trl_set(&ask, force, force);
	held = false;
	passed = 0;
	do {
		assert_int_equal(
		    world_call(&operator, & media_v1_sweep, &ask.base, &out), TRL_OK);
		for (size_t i = 0; i < out->n_items; i++) {
			sums[out->items[i]->what - 1].count += out->items[i]->count;
			sums[out->items[i]->what - 1].bytes += out->items[i]->bytes;
		}
		held |= out->held;
		passed += out->passed;
		ask.place = out->next;
	} while (ask.place);
}

#define FOUND(what_) (sums[MEDIA__V1__SWEPT__WHAT__##what_ - 1].count)
#define BYTES(what_) (sums[MEDIA__V1__SWEPT__WHAT__##what_ - 1].bytes)

static inline uint64_t
found_in_all(void)
{
	uint64_t all = 0;

	for (size_t i = 0; i < SWEEP_WHATS; i++)
		all += sums[i].count;
	return all;
}

/* Has all that lies there be of the day before yesterday. */
static inline void
age(void)
{
	char command[192];

	snprintf(command, sizeof command,
	    "find %s -type f -exec touch -d '2 days ago' {} +",
	    getenv("TRELLIS_MEDIA_FOLDER"));
	assert_int_equal(system(command), 0);
}

static inline int
begin(void **state)
{
	char command[128];

	snprintf(command, sizeof command, "find %s -mindepth 2 -type f -delete",
	    getenv("TRELLIS_MEDIA_FOLDER"));
	assert_int_equal(system(command), 0);
	world_sql("delete from media.file");
	world_sql("delete from media.upload");
	time_ms = 0;
	force = false;
	return files_found(state);
}

struct made {
	struct trl_id file;
	const char *part;
};

static inline void
put_made(trl_ctx *ctx, void *arg)
{
	const struct made *made = arg;
	const struct store_object object = { home, made->file, made->part };
	struct media *self = world.self;

	assert_int_equal(store_put(ctx, self->store, &object, "abc", 3), TRL_OK);
}

static inline void
make_rendition(struct trl_id file, const char *key, bool row)
{
	struct made made = { file, key };

	world_act(put_made, &made);
	if (row)
		world_sql("insert into media.rendition (tenant_id, file_id, key, type, "
			  "size, width, height, etag, created_at) values ('%s', '%s', "
			  "'%s', 'image/png', 3, 1, 1, 'x', now())",
		    world_id_text(home), world_id_text(file), key);
}
