/* test_finals.h - uploads that are made of others, whose jobs may be held back. Include
 * it once in a test's program. */
#pragma once

#include "upload/test_tus.h"

#include "store/local.h"
#include "upload/become.h"
#include "upload/methods.h"

enum { PART = 300000 };

static inline struct trl_id
part_of(const void *data, size_t len)
{
	return tus_begin(&(struct tus_post){
	    .length = len, .concat = "partial", .body = data, .body_len = len });
}

static inline const char *
final_of(const struct trl_id *parts, size_t n)
{
	const char *text = "final;";

	for (size_t i = 0; i < n; i++)
		text = trl_arena_printf(world.arena, "%s%shttps://any.example%s%s",
		    text, i ? " " : "", TUS_PATH, world_id_text(parts[i]));
	return text;
}

static inline enum trl_code
join(const struct world_caller *who, const char *concat, const char *metadata,
    struct trl_id *out)
{
	Media__V1__CreatedUpload *created;
	enum trl_code rc = tus_post(who,
	    &(struct tus_post){
		.no_length = true, .concat = concat, .metadata = metadata },
	    &created);

	if (rc == TRL_OK && out)
		*out = id_of(created->location);
	return rc;
}

static inline bool
is_ready(void *arg)
{
	return strcmp(world_sql("select state from file where id = '%s'",
			  world_id_text(*(struct trl_id *)arg)),
		   "ready") == 0;
}

static inline void
await_file(struct trl_id id)
{
	assert_true(trl_loop_run_until(world.loop, is_ready, &id, 20000));
}

/* The store takes nothing new, so that jobs wait. */
static struct store_way held;
static const struct store_way *usual;

static inline media_store *
store_of_media(void)
{
	return ((struct media *)world.self)->store;
}

static inline enum trl_code
open_fails(trl_ctx *ctx, media_store *store, const struct store_object *object,
    const struct store_place *from, store_writer **out)
{
	(void)store, (void)object, (void)from, (void)out;
	return trl_fail(ctx, TRL_UNAVAILABLE, "the store is away");
}

static inline void
hold(void)
{
	if (!usual)
		usual = store_of_media()->way;
	held = *usual;
	held.writer_open = open_fails;
	store_of_media()->way = &held;
}

static inline bool
waits(void *n)
{
	return atoi(world_sql("select count(*) from job where kind = 'join_upload' and "
			      "state = 'scheduled' and tenant_id = '%s'",
		   world_id_text(ann.tenant))) == *(int *)n;
}

static inline void
await_waiting(int n)
{
	assert_true(trl_loop_run_until(world.loop, waits, &n, 20000));
}

/* Those that wait run, as if their time had come. */
static inline void
let_go(void)
{
	store_of_media()->way = usual;
	world_sql("update job set run_at = now() where kind = 'join_upload' and "
		  "tenant_id = '%s'",
	    world_id_text(ann.tenant));
}

static inline bool
is_over(void *arg)
{
	(void)arg;
	return strcmp(world_sql("select count(*) from job where kind = 'join_upload' "
				"and tenant_id = '%s'",
			  world_id_text(ann.tenant)),
		   "0") == 0;
}

static inline void
await_jobs(void)
{
	assert_true(trl_loop_run_until(world.loop, is_over, NULL, 20000));
}
