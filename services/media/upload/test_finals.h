/* test_finals.h - uploads that are made of others, whose jobs may be held back. Include
 * it once in a test's program. */
#pragma once

#include "store/local.h"
#include "upload/test_tus.h"

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

static inline void
await_file(struct trl_id id)
{
	world_until_sql(
	    "select state = 'ready' from file where id = '%s'", world_id_text(id));
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
	world_until(waits, &n);
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

static inline void
await_jobs(void)
{
	world_until_sql("select not exists (select from job where kind = 'join_upload' "
			"and tenant_id = '%s')",
	    world_id_text(ann.tenant));
}

/* One of these parts, whose job is held back. */
static inline struct trl_id
join_held(const struct trl_id *parts, size_t n)
{
	struct trl_id id;

	hold();
	assert_int_equal(join(&ann, final_of(parts, n), NULL, &id), TRL_OK);
	await_waiting(1);
	return id;
}

static inline bool
is_set(void *flag)
{
	return *(bool *)flag;
}
