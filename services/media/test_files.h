/* test_files.h - a world with files, for tests of media: the service, an organisation
 * with people, and files that are there at once. Include it once in a test's program.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media.h"
#include "store/store.h"
#include "test_plan.h"
#include "test_service.h"

static struct trl_id home;
static const struct world_person *ann, *ben;

static inline int
files_open(void **state)
{
	(void)state;
	return world_open_one(&media_service);
}

/* An organisation of its own for a test. */
static inline int
files_found(void **state)
{
	(void)state;
	world.n_people = 0;
	memset(&plan_says, 0, sizeof plan_says);
	home = trl_id_new();
	ann = world_person_new("ann", true);
	ben = world_person_new("ben", true);
	return 0;
}

static inline struct world_caller
as(const struct world_person *who, enum trl_role role)
{
	return (struct world_caller){ .person = who, .tenant = home, .role = role };
}

struct files_new {
	const char *collection, *name, *type; /* "files", "a", "text/plain" */
	const char *state;                    /* "ready" */
	uint64_t size;
	struct trl_id maker; /* Ann */
	struct trl_id tenant;
	unsigned age_s;
	struct trl_id id; /* set */
};

static inline void
put_bytes(trl_ctx *ctx, void *arg)
{
	const struct files_new *file = arg;
	const struct store_object object = { file->tenant, file->id, "" };
	struct media *self = world.self;
	uint8_t *bytes = calloc(1, file->size + 1);

	assert_int_equal(
	    store_put(ctx, self->store, &object, bytes, file->size), TRL_OK);
	free(bytes);
}

/* As after an upload: its bytes, its row, its room. */
static inline struct trl_id
files_make(struct files_new file)
{
	file.id = trl_id_new();
	if (trl_id_is_nil(file.tenant))
		file.tenant = home;
	if (trl_id_is_nil(file.maker))
		file.maker = ann->account;
	world_act(put_bytes, &file);
	world_sql(
	    "insert into media.file (tenant_id, id, version, collection, name, type, "
	    "size, sha256, state, maker, created_by, created_at, updated_at) values "
	    "('%s', '%s', 1, '%s', $name$%s$name$, '%s', %llu, '00', '%s', '%s', "
	    "'%s', now() - interval '%u s', now())",
	    world_id_text(file.tenant), world_id_text(file.id),
	    file.collection ? file.collection : "files", file.name ? file.name : "a",
	    file.type ? file.type : "text/plain", (unsigned long long)file.size,
	    file.state ? file.state : "ready", world_id_text(file.maker),
	    world_id_text(file.maker), file.age_s);
	world_sql("insert into media.storage values ('%s', %llu, 0) on conflict "
		  "(tenant_id) do update set used = storage.used + excluded.used",
	    world_id_text(file.tenant), (unsigned long long)file.size);
	return file.id;
}

static inline int64_t
files_rows(const char *table)
{
	return strtoll(world_sql("select count(*) from media.%s where tenant_id = '%s'",
			   table, world_id_text(home)),
	    NULL, 10);
}

static inline uint64_t
files_used(void)
{
	return strtoull(
	    world_sql("select coalesce((select used from media.storage where "
		      "tenant_id = '%s'), 0)",
		world_id_text(home)),
	    NULL, 10);
}

/* How many lie in the folder, of whatever kind. */
static inline int64_t
files_in_folder(void)
{
	char command[192], text[32] = "";
	FILE *found;

	snprintf(command, sizeof command,
	    "find %s -path '*%s*' -type f 2>/dev/null | wc -l",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(home));
	found = popen(command, "r");
	assert_non_null(found);
	assert_non_null(fgets(text, sizeof text, found));
	pclose(found);
	return strtoll(text, NULL, 10);
}

static inline void
files_wait(const char *kind)
{
	world_until_sql(
	    "select not exists (select from media.job where kind = '%s' and "
	    "run_at <= now() and ended_at is null)",
	    kind);
}
