/* What becomes of files that the real clamd is shown: they are processing until it has
 * seen them, whatever it takes; and of those that it says nothing about. (Over 400
 * lines: its cases share one clamd.) */
#include "scan/test_clamd.h"
#include "test_files.h"

#include <poll.h>
#include <pthread.h>

#include <trl/metrics.h>

#include "file/file.h"
#include "scan/scan.h"

static char address[96];

/* A file of which all bytes have come. */
struct come {
	const char *bytes; /* len of them, and zeroes to size */
	size_t len, size;
	struct trl_id id;
};

static void
come(trl_ctx *ctx, void *arg)
{
	const struct come *file = arg;
	const struct store_object object = { home, file->id, "" };
	struct media *self = world.self;
	media_file row = MEDIA__V1__FILE__INIT;
	uint8_t *bytes = calloc(1, file->size + 1);
	trl_batch *work;

	memcpy(bytes, file->bytes, file->len);
	ctx->tenant = home;
	assert_int_equal(
	    store_put(ctx, self->store, &object, bytes, file->size), TRL_OK);
	free(bytes);
	trl_set(&row, id, trl_value_bytes(ctx, file->id));
	work = trl_batch_new(ctx, self->pg, TRL_SCOPE_TENANT(home));
	scan_mark(self, &row);
	assert_true(scan_add(self, ctx, &row, work));
	assert_int_equal(row.scan, MEDIA__V1__FILE__SCAN__pending);
	assert_int_equal(trl_batch_write_unrecorded(work), TRL_OK);
}

static struct trl_id
make(const char *bytes, size_t size)
{
	struct come file = { bytes, strlen(bytes), size,
		files_make((struct files_new){ .state = "processing", .size = size }) };

	world_sql("update media.file set scan = 'pending' where id = '%s'",
	    world_id_text(file.id));
	world_act(come, &file);
	return file.id;
}

/* "state scan reason" */
static const char *
is(struct trl_id id)
{
	return world_sql("select state || ' ' || coalesce(scan, '-') || ' ' || "
			 "coalesce(reason, '-') from media.file where id = '%s'",
	    world_id_text(id));
}

static uint64_t
counted(const char *result)
{
	struct trl_buf text = { 0 };
	char line[96], *at;
	uint64_t n = 0;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	(void)snprintf(
	    line, sizeof line, "trellis_media_scans_total{result=\"%s\"} ", result);
	at = strstr((const char *)text.data, line);
	if (at)
		n = strtoull(at + strlen(line), NULL, 10);
	trl_buf_fini(&text);
	return n;
}

static unsigned
told(struct trl_id id, const char *type)
{
	return (unsigned)atoi(world_sql("select count(*) from media.outbox where "
					"type = '%s' and subject_id = '%s'",
	    type, world_id_text(id)));
}

static void
the_clean_are_ready_and_the_infected_in_quarantine(void **state)
{
	struct trl_id clean = make("hello", 100000), empty = make("", 0);
	struct trl_id bad = make(EICAR, 1000);

	(void)state;
	files_wait("scan");
	assert_string_equal(is(clean), "ready clean -");
	assert_string_equal(is(empty), "ready clean -");
	assert_string_equal(is(bad), "quarantined infected A scan found "
				     "Test.Eicar.UNOFFICIAL in it.");
	assert_int_equal(told(clean, "media.file.ready"), 1);
	assert_int_equal(told(bad, "media.file.ready"), 0);
	assert_int_equal(told(bad, "media.file.rejected"), 1);
	/* It lies there still, and counts. */
	assert_int_equal(files_used(), 101000);
	assert_int_equal(files_in_folder(), 3);
	assert_int_equal(counted("infected"), 1);
}

/* From the request on. */
static void
what_is_uploaded_waits_for_the_scan(void **state)
{
	static const char *const bodies[] = { "hello", EICAR };
	static const char *const becomes[] = { "ready clean -",
		"quarantined infected A scan found Test.Eicar.UNOFFICIAL in it." };
	media_file *file;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(bodies); i++) {
		Media__V1__CreateFileRequest in = MEDIA__V1__CREATE_FILE_REQUEST__INIT;
		struct world_caller who = as(ann, TRL_OWNER);

		who.body = bodies[i];
		who.body_len = strlen(bodies[i]);
		trl_set(&in, content_length, who.body_len);
		assert_int_equal(
		    world_call(&who, &media_v1_create_file, &in.base, &file), TRL_OK);
		assert_int_equal(file->state, MEDIA__V1__FILE__STATE__processing);
		assert_int_equal(file->scan, MEDIA__V1__FILE__SCAN__pending);
		files_wait("scan");
		assert_string_equal(is(trl_value_id(file->id)), becomes[i]);
		assert_int_equal(
		    told(trl_value_id(file->id), "media.file.ready"), i == 0);
	}
}

static struct trl_id
make_picture(const char *collection)
{
	static const char png[] =
	    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0\x1f\x15"
	    "\xc4\x89\0\0\0\rIDAT\x78\xda\x63\x64\xe4\xef\x67\0\0\1\xaa\0\xd8";
	struct come file = { png, sizeof png - 1, sizeof png - 1,
		files_make((struct files_new){ .state = "processing",
		    .type = "image/png",
		    .collection = collection,
		    .size = sizeof png - 1 }) };

	world_sql("update media.file set scan = 'pending' where id = '%s'",
	    world_id_text(file.id));
	world_act(come, &file);
	return file.id;
}

/* In a collection that takes only pictures it is ready once it was looked at, too. */
static void
a_picture_is_looked_at_once_it_is_clean(void **state)
{
	struct trl_id beside = make_picture("files"), first = make_picture("pictures");

	(void)state;
	files_wait("scan");
	files_wait("variants");
	assert_memory_equal(is(beside), "ready clean The picture is broken", 33);
	assert_memory_equal(is(first), "rejected clean The picture is broken", 36);
	assert_int_equal(told(first, "media.file.ready"), 0);
	assert_int_equal(told(first, "media.file.rejected"), 1);
}

static void
set_policy(const char *unscanned)
{
	struct media *self = world.self;

	((struct media_config *)(uintptr_t)self->config)->unscanned = unscanned;
}

static void
what_is_too_large_is_unscanned_and_never_clean(void **state)
{
	/* For what clamd reads; for what it takes; for what it is shown. */
	static const size_t sizes[] = { LIMIT / 2 + 1, LIMIT + 1, 4 * LIMIT };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(sizes); i++) {
		struct trl_id id;

		set_policy("serve");
		id = make(EICAR, sizes[i]);
		files_wait("scan");
		assert_string_equal(is(id), "ready unscanned -");
		set_policy("refuse");
		id = make(EICAR, sizes[i]);
		files_wait("scan");
		assert_string_equal(is(id),
		    "rejected unscanned It is too large to be scanned, and "
		    "unscanned files are not served here.");
		assert_int_equal(told(id, "media.file.rejected"), 1);
	}
	files_wait("purge_file");
	assert_int_equal(files_in_folder(), 3);
	assert_int_equal(files_used(), sizes[0] + sizes[1] + sizes[2]);
}

/* One that was deleted meanwhile is what it would be once it is restored. */
static void
a_deleted_file_goes_on(void **state)
{
	struct trl_id id;

	(void)state;
	clamd_stop();
	id = make(EICAR, 100);
	world_sql("update media.file set state = 'deleted', kept_state = 'processing' "
		  "where id = '%s'",
	    world_id_text(id));
	clamd_start(address);
	world_sql("update media.job set run_at = now() where kind = 'scan'");
	files_wait("scan");
	assert_string_equal(
	    world_sql("select state || ' ' || kept_state from media.file "
		      "where id = '%s'",
		world_id_text(id)),
	    "deleted quarantined");
}

static bool
was_away(void *arg)
{
	return counted("away") > *(const uint64_t *)arg;
}

static void
while_clamd_is_away_files_wait(void **state)
{
	uint64_t before = counted("away");
	struct trl_id id;

	(void)state;
	clamd_stop();
	id = make("hello", 1000);
	for (int i = 0; i < 8; i++) { /* more often than a failure may come */
		world_until(was_away, &before);
		assert_string_equal(is(id), "processing pending -");
		before = counted("away");
		files_wait("scan");
		world_sql("update media.job set run_at = now() where kind = 'scan'");
	}
	clamd_start(address);
	world_sql("update media.job set run_at = now() where kind = 'scan'");
	files_wait("scan");
	assert_string_equal(is(id), "ready clean -");
}

/* More often than a failure of clamd may come. */
static void
stays(struct trl_id id)
{
	for (int i = 0; i < 8; i++) {
		files_wait("scan");
		assert_string_equal(is(id), "processing pending -");
		world_sql("update media.job set run_at = now(), attempt = 40 "
			  "where kind = 'scan'");
	}
}

static void
what_the_store_fails_with_is_not_held_against_a_file(void **state)
{
	struct come file = { "hello", 5, 1000, { { 0 } } };
	char command[512];

	(void)state;
	set_policy("refuse");
	file.id =
	    files_make((struct files_new){ .state = "processing", .size = file.size });
	world_sql("update media.file set scan = 'pending' where id = '%s'",
	    world_id_text(file.id));
	snprintf(command, sizeof command, "find %s -path '*%s*' -type f -delete",
	    getenv("TRELLIS_MEDIA_FOLDER"), world_id_text(home));
	world_act(come, &file);
	assert_int_equal(system(command), 0);
	stays(file.id);
	world_act(come, &file);
	files_wait("scan");
	assert_string_equal(is(file.id), "ready clean -");
}

static void
set_clamd(const char *clamd, struct scan *scan)
{
	struct media *self = world.self;

	((struct media_config *)(uintptr_t)self->config)->clamd = clamd;
	self->scan = scan;
}

/* Another replica may have it: the setting goes from pod to pod. */
static void
a_process_without_clamd_judges_nothing(void **state)
{
	static const char *const policies[] = { "serve", "refuse" };
	struct media *self = world.self;
	struct scan *scan = self->scan;

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(policies); i++) {
		struct trl_id id;

		clamd_stop();
		set_policy(policies[i]);
		id = make("hello", 1000);
		set_clamd(NULL, NULL);
		stays(id);
		set_clamd(address, scan);
		clamd_start(address);
		world_sql("update media.job set run_at = now() where kind = 'scan'");
		files_wait("scan");
		assert_string_equal(is(id), "ready clean -");
	}
	assert_int_equal(files_in_folder(), 2);
}

/* TRELLIS_MEDIA_CLAMD=none: the operator says that none is left to wait for. */
static void
files_that_wait_are_let_go_only_where_that_is_said(void **state)
{
	struct media *self = world.self;
	struct scan *scan = self->scan;
	struct trl_id id;

	(void)state;
	clamd_stop();
	set_policy("refuse");
	id = make("hello", 1000);
	set_clamd("none", NULL);
	stays(id);
	set_policy("serve");
	files_wait("scan");
	assert_string_equal(is(id), "ready unscanned -");
	assert_int_equal(files_in_folder(), 1);
	set_clamd(address, scan);
	set_policy("refuse");
	clamd_start(address);
}

/* It would be refused for its size, so it is before it is sent. */
static void
what_is_too_large_for_the_scanner_is_not_begun(void **state)
{
	struct world_caller who = as(ann, TRL_OWNER);
	Media__V1__CreateUploadRequest in = MEDIA__V1__CREATE_UPLOAD_REQUEST__INIT;
	Media__V1__CreatedUpload *out = NULL;

	(void)state;
	in.tus_resumable = (char *)(uintptr_t) "1.0.0";
	trl_set(&in, upload_length, 3000001);
	assert_int_equal(
	    world_call(&who, &media_v1_create_upload, &in.base, &out), TRL_TOO_LARGE);
	assert_non_null(strstr(world.err.message, "3000000 bytes"));
	trl_set(&in, upload_length, 3000000);
	assert_int_equal(
	    world_call(&who, &media_v1_create_upload, &in.base, &out), TRL_OK);
}

/* In clamd's place: there for a PING, and gone with each file. */
static void *
breaks_off(void *arg)
{
	const int listener = *(const int *)arg;
	int end;

	while ((end = accept(listener, NULL, NULL)) >= 0) {
		char word[16] = "";
		const ssize_t n = recv(end, word, sizeof word - 1, 0);

		if (n > 0 && strcmp(word, "zPING") == 0)
			(void)send(end, "PONG", 5, MSG_NOSIGNAL);
		close(end);
		if (n > 0 && strcmp(word, "stop") == 0)
			break;
	}
	return NULL;
}

static void
connect_and_stop(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s/real", clamd_folder);
	assert_int_equal(connect(end, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(send(end, "stop", 4, MSG_NOSIGNAL), 4);
	close(end);
}

static bool
is_settled(void *id)
{
	return strncmp(is(*(struct trl_id *)id), "processing", 10) != 0;
}

static void
a_file_that_it_comes_to_no_end_with_is_unscanned(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const uint64_t before = counted("failed"), away = counted("away");
	pthread_t thread;
	struct trl_id id;
	int listener;

	(void)state;
	clamd_stop();
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s/real", clamd_folder);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(pthread_create(&thread, NULL, breaks_off, &listener), 0);
	set_policy("refuse");
	id = make("hello", 300000);
	world_sql("update media.job set attempt = 40 where kind = 'scan'");
	for (uint64_t until = trl_mono_us() + 60000000; !is_settled(&id);) {
		assert_true(trl_mono_us() < until);
		files_wait("scan");
		world_sql("update media.job set run_at = now() where kind = 'scan'");
	}
	assert_string_equal(is(id),
	    "quarantined unscanned The scanner could not finish it, and "
	    "unscanned files are not served here.");
	/* What its process died of does not count. */
	assert_int_equal(counted("failed") - before, 6);
	files_wait("purge_file");
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(counted("away"), away);
	connect_and_stop();
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(listener);
	clamd_stop(); /* its socket */
	clamd_start(address);
}

static void
what_cannot_be_is_said_at_the_start(void **state)
{
	struct media_config config = { .unscanned = "serve", .clamd = "unix:/x" };

	(void)state;
	assert_true(scan_check_config(&config));
	config.clamd = NULL;
	assert_true(scan_check_config(&config));
	config.clamd = "none";
	assert_true(scan_check_config(&config));
	config.clamd = "/run/clamd.ctl";
	assert_false(scan_check_config(&config));
	config = (struct media_config){ .unscanned = "perhaps" };
	assert_false(scan_check_config(&config));
}

static int
open_all(void **state)
{
	clamd_make_folder();
	clamd_start(address);
	setenv("TRELLIS_MEDIA_CLAMD", address, 1);
	setenv("TRELLIS_MEDIA_SCAN_BYTES", "3000000", 1);
	return files_open(state);
}

static int
close_all(void **state)
{
	const int rc = world_close(state);

	clamd_stop();
	return clamd_remove_folder() == 0 ? rc : -1;
}

#define FILES(test) cmocka_unit_test_setup_teardown(test, files_found, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FILES(the_clean_are_ready_and_the_infected_in_quarantine),
		FILES(what_is_uploaded_waits_for_the_scan),
		FILES(a_picture_is_looked_at_once_it_is_clean),
		FILES(what_is_too_large_is_unscanned_and_never_clean),
		FILES(a_deleted_file_goes_on),
		FILES(while_clamd_is_away_files_wait),
		FILES(what_the_store_fails_with_is_not_held_against_a_file),
		FILES(a_process_without_clamd_judges_nothing),
		FILES(files_that_wait_are_let_go_only_where_that_is_said),
		FILES(what_is_too_large_for_the_scanner_is_not_begun),
		FILES(a_file_that_it_comes_to_no_end_with_is_unscanned),
		FILES(what_cannot_be_is_said_at_the_start),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
