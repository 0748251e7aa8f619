/* What lies in tables and store and belongs to nothing is found, and what belongs to
 * something, or may be on its way, is left alone. Over 400 lines: a case for each kind
 * of thing that a sweep looks at. */
#include "store/inside.h"
#include "sweep/sweep.h"
#include "test_files.h"
#include "variant/options.h"

static struct sweep_sum sums[SWEEP_WHATS];
static bool force, held;
static uint32_t time_ms; /* of a call; 0: as always */

/* All of it, call by call, as the operator's command does. */
static void
sweep(bool dry_run)
{
	Media__V1__SweepRequest ask = MEDIA__V1__SWEEP_REQUEST__INIT;
	struct world_caller operator= { .operator= true, .timeout_ms = time_ms };
	Media__V1__SweepReply *out;

	memset(sums, 0, sizeof sums);
	trl_set(&ask, dry_run, dry_run);
	trl_set(&ask, force, force);
	held = false;
	do {
		assert_int_equal(
		    world_call(&operator, & media_v1_sweep, &ask.base, &out), TRL_OK);
		for (size_t i = 0; i < out->n_items; i++) {
			sums[out->items[i]->what - 1].count += out->items[i]->count;
			sums[out->items[i]->what - 1].bytes += out->items[i]->bytes;
		}
		held |= out->held;
		ask.place = out->next;
	} while (ask.place);
}

#define FOUND(what_) (sums[MEDIA__V1__SWEPT__WHAT__##what_ - 1].count)
#define BYTES(what_) (sums[MEDIA__V1__SWEPT__WHAT__##what_ - 1].bytes)

static uint64_t
found_in_all(void)
{
	uint64_t all = 0;

	for (size_t i = 0; i < SWEEP_WHATS; i++)
		all += sums[i].count;
	return all;
}

/* Has all that lies there be of the day before yesterday. */
static void
age(void)
{
	char command[192];

	snprintf(command, sizeof command,
	    "find %s -type f -exec touch -d '2 days ago' {} +",
	    getenv("TRELLIS_MEDIA_FOLDER"));
	assert_int_equal(system(command), 0);
}

static int
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

static void
put_made(trl_ctx *ctx, void *arg)
{
	const struct made *made = arg;
	const struct store_object object = { home, made->file, made->part };
	struct media *self = world.self;

	assert_int_equal(store_put(ctx, self->store, &object, "abc", 3), TRL_OK);
}

static void
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

static void
bytes_without_rows_go_once_they_are_older_than_a_day(void **state)
{
	struct trl_id kept, lost;

	(void)state;
	kept = files_make((struct files_new){ .size = 5 });
	lost = files_make((struct files_new){ .size = 7 });
	make_rendition(kept, "w_1", true);
	make_rendition(kept, "w_2", false);
	make_rendition(lost, "w_1", false);
	world_sql("delete from media.file where id = '%s'", world_id_text(lost));
	sweep(false);
	assert_int_equal(found_in_all(), 0); /* they may be on their way */
	assert_int_equal(files_in_folder(), 5);
	age();
	sweep(true);
	assert_int_equal(files_in_folder(), 5);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(BYTES(orphan), 7);
	assert_int_equal(FOUND(rendition), 2);
	assert_int_equal(BYTES(rendition), 6);
	sweep(false);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(FOUND(rendition), 2);
	assert_int_equal(found_in_all(), 3);
	assert_int_equal(files_in_folder(), 2);
	sweep(false);
	assert_int_equal(found_in_all(), 0);
}

static void
what_a_file_refers_to_stays_in_each_state(void **state)
{
	static const char *const states[] = { "ready", "processing", "quarantined" };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(states); i++)
		files_make((struct files_new){ .size = 1, .state = states[i] });
	files_make((struct files_new){ .size = 1 });
	world_sql("update media.file set kept_state = 'ready', state = 'deleted', "
		  "deleted_at = now(), purge_at = now() + interval '1 day' where id = "
		  "(select id from media.file where state = 'ready' limit 1)");
	files_make((struct files_new){ .size = 9, .state = "rejected" });
	age();
	sweep(false);
	assert_int_equal(FOUND(orphan), 1); /* the rejected one's */
	assert_int_equal(BYTES(orphan), 9);
	assert_int_equal(found_in_all(), 1);
	assert_int_equal(files_in_folder(), TRL_COUNT(states) + 1);
}

/* Its own upload is gone; the job of a final one is still to read it. */
static void
a_part_stays_until_the_whole_is_made(void **state)
{
	struct trl_id part = files_make((struct files_new){ .size = 5 }),
		      whole = files_make(
			  (struct files_new){ .size = 3, .state = "processing" });

	(void)state;
	world_sql("delete from media.file where id = '%s'", world_id_text(part));
	world_sql("update media.file set sha256 = null where id = '%s'",
	    world_id_text(whole));
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, concat, parts, uploader, "
		  "created_at, expires_at, finished_at) values ('%s', '%s', 'files', "
		  "'a', 5, 5, 0, 0, 'final;', array['%s'::uuid], '%s', now(), now() + "
		  "interval '1 hour', now())",
	    world_id_text(home), world_id_text(whole), world_id_text(part),
	    world_id_text(ann->account));
	age();
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	assert_int_equal(files_in_folder(), 2);
	world_sql("update media.file set state = 'ready', sha256 = 'x'");
	sweep(false);
	assert_int_equal(FOUND(orphan), 1);
	assert_int_equal(files_in_folder(), 1);
}

static void
rows_without_bytes_are_said_and_nothing_else(void **state)
{
	char command[160];
	struct trl_id gone = files_make((struct files_new){ .size = 11 });

	(void)state;
	files_make((struct files_new){ .size = 5 });
	snprintf(command, sizeof command, "find %s -name '*%s*' -delete",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(gone));
	assert_int_equal(system(command), 0);
	sweep(false);
	assert_int_equal(FOUND(missing), 1);
	assert_int_equal(BYTES(missing), 11);
	assert_int_equal(found_in_all(), 1);
	assert_int_equal(files_rows("file"), 2);
	sweep(false);
	assert_int_equal(FOUND(missing), 1); /* until somebody does something */
}

/* The folder may be in others' hands, too. */
static void
what_is_not_ours_is_left_alone(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof command,
	    "mkdir -p %s/photos && echo x >%s/photos/a.jpg",
	    getenv("TRELLIS_MEDIA_FOLDER"), getenv("TRELLIS_MEDIA_FOLDER"));
	assert_int_equal(system(command), 0);
	age();
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	snprintf(command, sizeof command, "test -e %s/photos/a.jpg && rm -r %s/photos",
	    getenv("TRELLIS_MEDIA_FOLDER"), getenv("TRELLIS_MEDIA_FOLDER"));
	assert_int_equal(system(command), 0);
}

/* A call that has little time does one page. */
static void
a_long_sweep_goes_on_from_call_to_call(void **state)
{
	enum { MANY = SWEEP_PAGE + 5 };

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		files_make((struct files_new){ .size = 1 });
	world_sql(
	    "delete from media.file where id in (select id from media.file order by "
	    "id limit 15)");
	age();
	time_ms = 2000;
	sweep(false);
	assert_int_equal(FOUND(orphan), 15);
	assert_int_equal(found_in_all(), 15);
	assert_int_equal(files_in_folder(), MANY - 15);
}

/* "files" has the variant thumb. */
static void
what_somebody_wished_for_goes_after_a_month_and_what_is_named_stays(void **state)
{
	struct trl_id file =
	    files_make((struct files_new){ .size = 1, .type = "image/png" });
	struct options named;
	char key[OPTIONS_TEXT_MAX];

	(void)state;
	assert_null(options_read(
	    collections_find(((struct media *)world.self)->collections, "files")
		->variants[0]
		.options,
	    &named));
	named = options_decided(&named, "image/png", "image/webp");
	options_key(&named, key);
	make_rendition(file, key, true);
	make_rendition(file, "w-7-f-png", true);
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	world_sql("update media.rendition set created_at = now() - interval '31 days'");
	make_rendition(file, "w-8-f-png", true);
	sweep(true);
	assert_int_equal(FOUND(old_rendition), 1);
	assert_int_equal(files_in_folder(), 4);
	sweep(false);
	assert_int_equal(FOUND(old_rendition), 1);
	assert_int_equal(found_in_all(), 1);
	assert_int_equal(files_in_folder(), 3);
	assert_int_equal(files_rows("rendition"), 2);
}

/* It is rather the database that is another. */
static void
many_files_without_rows_are_left_alone(void **state)
{
	enum { MANY = 25 };

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		files_make((struct files_new){ .size = 1 });
	world_sql("delete from media.file");
	age();
	sweep(false);
	assert_true(held);
	assert_int_equal(found_in_all(), 0);
	assert_int_equal(files_in_folder(), MANY);
	force = true;
	sweep(false);
	assert_false(held);
	assert_int_equal(FOUND(orphan), MANY);
	assert_int_equal(files_in_folder(), 0);
}

/* The store, with some of its ways changed until the test's end. */
static struct store_way ways;
static const struct store_way *true_ways;

static int
begin_changed(void **state)
{
	media_store *store = ((struct media *)world.self)->store;

	true_ways = store->way;
	ways = *true_ways;
	store->way = &ways;
	return begin(state);
}

static int
end_changed(void **state)
{
	(void)state;
	((struct media *)world.self)->store->way = true_ways;
	return 0;
}

static struct trl_id locked;

static enum trl_code
forget_unless_locked(trl_ctx *ctx, media_store *store, const struct store_found *found)
{
	return trl_id_eq(found->file, locked)
		   ? trl_fail(ctx, TRL_UNAVAILABLE, "AccessDenied")
		   : true_ways->forget(ctx, store, found);
}

static enum trl_code
size_unless_locked(
    trl_ctx *ctx, media_store *store, const struct store_object *object, uint64_t *size)
{
	return trl_id_eq(object->file, locked)
		   ? trl_fail(ctx, TRL_UNAVAILABLE, "AccessDenied")
		   : true_ways->size(ctx, store, object, size);
}

static void
what_cannot_be_removed_or_read_is_passed_over(void **state)
{
	struct trl_id ids[3], gone;
	char command[160];

	(void)state;
	ways.forget = forget_unless_locked;
	ways.size = size_unless_locked;
	for (size_t i = 0; i < TRL_COUNT(ids); i++)
		ids[i] = files_make((struct files_new){ .size = 1 });
	locked = ids[0];
	world_sql("delete from media.file");
	age();
	sweep(false);
	assert_int_equal(FOUND(orphan), 2);
	assert_int_equal(found_in_all(), 2);
	assert_int_equal(files_in_folder(), 1);

	locked = files_make((struct files_new){ .size = 1 });
	gone = files_make((struct files_new){ .size = 5 });
	snprintf(command, sizeof command, "find %s -name '*%s*' -delete",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(gone));
	assert_int_equal(system(command), 0);
	sweep(false);
	assert_int_equal(FOUND(missing), 1);
	assert_int_equal(BYTES(missing), 5);
}

static enum store_kind their_kind;
static unsigned forgotten;

/* As another installation's bucket: a page of one kind only. */
static enum trl_code
list_others(trl_ctx *ctx, media_store *store, struct store_listing *at)
{
	enum { MANY = 25 };

	(void)store;
	at->found = trl_arena_zalloc(ctx->arena, MANY * sizeof at->found[0]);
	for (; at->n < MANY; at->n++)
		at->found[at->n] = (struct store_found){ .kind = their_kind,
			.tenant = home,
			.file = trl_id_new(),
			.part = "w_1",
			.name = "x",
			.changed_us = 1 };
	at->ended = true;
	return TRL_OK;
}

static enum trl_code
count_forgotten(trl_ctx *ctx, media_store *store, const struct store_found *found)
{
	(void)ctx;
	(void)store;
	(void)found;
	forgotten++;
	return TRL_OK;
}

static void
many_uploads_or_renditions_without_rows_are_left_alone_too(void **state)
{
	static const enum store_kind kinds[] = { STORE_UPLOAD, STORE_MADE,
		STORE_SCRAP };

	(void)state;
	ways.list = list_others;
	ways.forget = count_forgotten;
	for (size_t i = 0; i < TRL_COUNT(kinds); i++) {
		their_kind = kinds[i];
		force = false;
		forgotten = 0;
		sweep(false);
		assert_true(held);
		assert_int_equal(forgotten, 0);
		force = true;
		sweep(false);
		assert_false(held);
		assert_int_equal(forgotten, 25);
	}
}

static void
make_upload(int hours, bool finished)
{
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, uploader, created_at, expires_at, "
		  "finished_at) values ('%s', '%s', 'files', 'a', 50, %d, %d, 1, '%s', "
		  "now(), now() + interval '%d hours', %s)",
	    world_id_text(home), world_id_text(trl_id_new()), finished ? 50 : 20,
	    finished ? 0 : 50, world_id_text(ann->account), hours,
	    finished ? "now()" : "null");
}

static void
uploads_past_their_time_go_and_their_room_is_free(void **state)
{
	(void)state;
	make_upload(-1, false);
	make_upload(-2, false);
	make_upload(-2, true);
	make_upload(1, false);
	make_upload(1, true);
	world_sql(
	    "insert into media.storage values ('%s', 100, 150)", world_id_text(home));
	sweep(true);
	assert_int_equal(FOUND(upload), 2);
	assert_int_equal(BYTES(upload), 40);
	assert_int_equal(files_rows("upload"), 5);
	sweep(false);
	assert_int_equal(FOUND(upload), 2);
	assert_int_equal(found_in_all(), 2);
	assert_int_equal(files_rows("upload"), 2);
	assert_string_equal(
	    world_sql("select used || ' ' || reserved from media.storage where "
		      "tenant_id = '%s'",
		world_id_text(home)),
	    "100 50");
}

/* Every byte was acknowledged; whoever should have finished it has died. */
static void
an_upload_of_which_all_has_come_becomes_a_file(void **state)
{
	struct trl_id id = trl_id_new();

	(void)state;
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, uploader, created_at, expires_at) "
		  "values ('%s', '%s', 'files', 'empty', 0, 0, 0, 1, '%s', now(), "
		  "now() - interval '1 hour')",
	    world_id_text(home), world_id_text(id), world_id_text(ann->account));
	sweep(true);
	assert_int_equal(found_in_all(), 0);
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	assert_string_equal(
	    world_sql("select state || ' ' || name from media.file where id = '%s'",
		world_id_text(id)),
	    "ready empty");
	sweep(false);
	assert_int_equal(found_in_all(), 0);
	assert_int_equal(files_rows("file"), 1);
}

static void
make_stuck(const char *collection, int bytes, int days)
{
	world_sql("insert into media.upload (tenant_id, id, collection, name, length, "
		  "received, reserved, generation, uploader, created_at, expires_at) "
		  "values ('%s', '%s', '%s', 'a', %d, %d, 50, 1, '%s', now(), now() - "
		  "interval '%d days')",
	    world_id_text(home), world_id_text(trl_id_new()), collection, bytes, bytes,
	    world_id_text(ann->account), days);
}

/* Its bytes are not there, or nobody knows its collection any more. */
static void
an_upload_that_cannot_be_finished_goes_after_a_month(void **state)
{
	(void)state;
	world_sql(
	    "insert into media.storage values ('%s', 0, 200)", world_id_text(home));
	for (int days = 29; days <= 31; days += 2) {
		make_stuck("files", 50, days);
		make_stuck("renamed", 0, days);
	}
	sweep(false);
	assert_int_equal(FOUND(upload), 2);
	assert_int_equal(found_in_all(), 2);
	assert_string_equal(
	    world_sql("select count(*) from media.upload where expires_at > now() - "
		      "interval '30 days'"),
	    "2");
	assert_int_equal(files_rows("upload"), 2);
	assert_string_equal(
	    world_sql("select reserved from media.storage where tenant_id = '%s'",
		world_id_text(home)),
	    "100");
}

static void
make_link(struct trl_id file, int days)
{
	world_sql(
	    "insert into media.link (tenant_id, id, version, file_id, options, "
	    "download, created_at, updated_at, expires_at) values ('%s', '%s', 1, "
	    "'%s', '-', false, now(), now(), now() + interval '%d days')",
	    world_id_text(home), world_id_text(trl_id_new()), world_id_text(file),
	    days);
}

static void
links_past_their_time_go(void **state)
{
	struct trl_id file = files_make((struct files_new){ .size = 1 });

	(void)state;
	make_link(file, 1);
	make_link(file, 0); /* for whoever asks what became of it */
	make_link(file, -2);
	make_link(file, -3);
	sweep(true);
	assert_int_equal(FOUND(link), 2);
	assert_int_equal(files_rows("link"), 4);
	sweep(false);
	assert_int_equal(FOUND(link), 2);
	assert_int_equal(files_rows("link"), 2);
}

static void
erase(trl_ctx *ctx, void *arg)
{
	*(enum trl_code *)arg = media_service.erase_tenant(world.self, ctx, home);
}

static void
an_erased_organisation_leaves_no_bytes(void **state)
{
	struct trl_id others = trl_id_new(), mine = home;
	enum trl_code rc;

	(void)state;
	make_rendition(files_make((struct files_new){ .size = 5 }), "w_1", true);
	files_make((struct files_new){ .size = 5, .tenant = others });
	for (unsigned i = 0; i < 2; i++) { /* it may be called again */
		world_act(erase, &rc);
		assert_int_equal(rc, TRL_OK);
	}
	assert_int_equal(files_in_folder(), 0);
	home = others;
	assert_int_equal(files_in_folder(), 1);
	home = mine;
}

static enum trl_code
remove_file(struct trl_id id, bool purge)
{
	struct world_caller who = as(ann, TRL_ADMIN);
	Media__V1__DeleteFileRequest to_trash = MEDIA__V1__DELETE_FILE_REQUEST__INIT;
	Media__V1__PurgeFileRequest for_good = MEDIA__V1__PURGE_FILE_REQUEST__INIT;

	trl_set(&to_trash, file_id, world_bytes(&id));
	trl_set(&for_good, file_id, world_bytes(&id));
	return purge ? world_call(&who, &media_v1_purge_file, &for_good.base, NULL)
		     : world_call(&who, &media_v1_delete_file, &to_trash.base, NULL);
}

static bool
folder_is_empty(void *arg)
{
	(void)arg;
	return files_in_folder() == 0;
}

/* Nothing else would look for it. */
static void
a_deleted_file_whose_job_is_gone_is_purged(void **state)
{
	struct trl_id id = files_make((struct files_new){ .size = 5 });

	(void)state;
	files_make((struct files_new){ .size = 7 });
	assert_int_equal(remove_file(id, false), TRL_OK);
	world_sql("update media.file set purge_at = now() - interval '2 hours' where "
		  "id = '%s'",
	    world_id_text(id));
	world_sql("delete from media.job where kind = 'purge_file'");
	sweep(true);
	files_wait("purge_file");
	assert_int_equal(files_rows("file"), 2);
	sweep(false);
	files_wait("purge_file");
	assert_int_equal(files_rows("file"), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(files_used(), 7);
}

static uint64_t
sum_of_files(void)
{
	return strtoull(world_sql("select coalesce(sum(size), 0) from media.file where "
				  "tenant_id = '%s'",
			    world_id_text(home)),
	    NULL, 10);
}

/* 10,000 of them with TRELLIS_TEST_FILES=10000. */
static void
files_that_come_and_go_leave_nothing(void **state)
{
	const char *wanted = getenv("TRELLIS_TEST_FILES");
	const unsigned many = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 60;

	(void)state;
	for (unsigned i = 0; i < many; i++) {
		struct trl_id id = files_make((struct files_new){ .size = i % 97 });

		assert_int_equal(remove_file(id, false), TRL_OK);
		if (i % 10 == 0)
			assert_int_equal(files_used(), sum_of_files());
		assert_int_equal(remove_file(id, true), TRL_OK);
		world_forget(NULL);
	}
	assert_true(trl_loop_run_until(world.loop, folder_is_empty, NULL, 60000));
	assert_int_equal(files_used(), 0);
	assert_int_equal(files_rows("file"), 0);
	age();
	sweep(false);
	assert_int_equal(found_in_all(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    bytes_without_rows_go_once_they_are_older_than_a_day, begin),
		cmocka_unit_test_setup(
		    what_a_file_refers_to_stays_in_each_state, begin),
		cmocka_unit_test_setup(a_part_stays_until_the_whole_is_made, begin),
		cmocka_unit_test_setup(
		    rows_without_bytes_are_said_and_nothing_else, begin),
		cmocka_unit_test_setup(what_is_not_ours_is_left_alone, begin),
		cmocka_unit_test_setup(a_long_sweep_goes_on_from_call_to_call, begin),
		cmocka_unit_test_setup(
		    what_somebody_wished_for_goes_after_a_month_and_what_is_named_stays,
		    begin),
		cmocka_unit_test_setup(many_files_without_rows_are_left_alone, begin),
		cmocka_unit_test_setup_teardown(
		    what_cannot_be_removed_or_read_is_passed_over, begin_changed,
		    end_changed),
		cmocka_unit_test_setup_teardown(
		    many_uploads_or_renditions_without_rows_are_left_alone_too,
		    begin_changed, end_changed),
		cmocka_unit_test_setup(
		    uploads_past_their_time_go_and_their_room_is_free, begin),
		cmocka_unit_test_setup(
		    an_upload_of_which_all_has_come_becomes_a_file, begin),
		cmocka_unit_test_setup(
		    an_upload_that_cannot_be_finished_goes_after_a_month, begin),
		cmocka_unit_test_setup(links_past_their_time_go, begin),
		cmocka_unit_test_setup(an_erased_organisation_leaves_no_bytes, begin),
		cmocka_unit_test_setup(
		    a_deleted_file_whose_job_is_gone_is_purged, begin),
		cmocka_unit_test_setup(files_that_come_and_go_leave_nothing, begin),
	};

	return cmocka_run_group_tests(tests, files_open, world_close);
}
