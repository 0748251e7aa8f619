/* The folder: who writes, a disk that is full, files beyond 4 GiB, and what strangers
 * leave in it. Over 400 lines: its cases share one small world. */
#include "test_folder.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 64 << 10 };

/* Another process has the upload, until it is killed. */
static pid_t
writer_elsewhere(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		const int fd = open(upload_path, O_RDWR);

		if (fd < 0 || fcntl(fd, F_OFD_SETLK, &whole) != 0 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
one_writer(trl_ctx *ctx, void *arg)
{
	struct store_place place = { .length = 10, .generation = 1 }, now;
	store_writer *writer, *second;
	pid_t pid;

	(void)arg;
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
	assert_int_equal(store_writer_write(ctx, writer, "12345", 5), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &now), TRL_OK);
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &now, &second), TRL_LOCKED);
	assert_int_equal(ctx->err.retry_after_ms, 1000);
	trl_err_clear(ctx);
	store_writer_close(&writer);
	pid = writer_elsewhere();
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &now, &second), TRL_LOCKED);
	trl_err_clear(ctx);
	place = now;
	place.offset = place.length = 5;
	assert_int_equal(store_finish(ctx, store, &object, &place), TRL_LOCKED);
	trl_err_clear(ctx);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(store_writer_open(ctx, store, &object, &now, &writer), TRL_OK);
	assert_int_equal(store_writer_write(ctx, writer, "67890", 5), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &now), TRL_OK);
	store_writer_close(&writer);
	assert_int_equal(store_finish(ctx, store, &object, &now), TRL_OK);
}

static void
one_process_writes_an_upload_and_a_killed_one_does_not_hold_it(void **state)
{
	(void)state;
	world_act(one_writer, NULL);
}

static void
count(void *self, const void *data, size_t len)
{
	(void)data;
	*(uint64_t *)self += len;
}

/* Writes until there is no room; gives how much was taken, which is what was seen. */
static uint64_t
write_till_full(trl_ctx *ctx, store_writer *writer)
{
	uint8_t *piece = calloc(1, PIECE);
	const struct iovec at[] = { { piece, PIECE }, { piece, PIECE },
		{ piece, PIECE } };
	uint64_t taken = 0, seen = 0;
	struct store_pieces pieces = {
		.at = at, .n = TRL_COUNT(at), .seen = count, .self = &seen
	};
	enum trl_code rc;

	do {
		rc = store_writer_write_all(ctx, writer, &pieces);
		taken += pieces.written * PIECE;
		assert_in_range(taken, 0, 64 << 20);
	} while (rc == TRL_OK);
	free(piece);
	assert_int_equal(rc, TRL_STORAGE);
	assert_true(pieces.written < pieces.n);
	assert_int_equal(seen, taken);
	trl_err_clear(ctx);
	return taken;
}

static void
full(trl_ctx *ctx, void *arg)
{
	const struct store_object made = { object.tenant, object.file, "thumb" };
	struct store_place place = { .length = 64 << 20, .generation = 1 }, now;
	uint8_t *piece = calloc(1, 1 << 20);
	store_writer *writer;
	uint64_t taken;
	void (*make_room)(void) = *(void (**)(void))arg;

	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
	taken = write_till_full(ctx, writer);
	assert_in_range(taken, PIECE, 8 << 20);
	assert_int_equal(store_writer_sync(ctx, writer, &now), TRL_OK);
	assert_int_equal(now.offset, taken);
	assert_int_equal(store_put(ctx, store, &made, piece, 1 << 20), TRL_STORAGE);
	trl_err_clear(ctx);
	make_room();
	assert_int_equal(store_writer_write(ctx, writer, piece, PIECE), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &now), TRL_OK);
	assert_int_equal(now.offset, taken + PIECE);
	store_writer_close(&writer);
	assert_int_equal(store_abandon(ctx, store, &object), TRL_OK);
	free(piece);
}

static void
raise_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
the_process_limit_of_a_file_is_as_a_full_disk(void **state)
{
	struct rlimit limit;
	void (*make_room)(void) = raise_limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 512 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	world_act(full, &make_room);
}

static void
remove_ballast(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/ballast", folder);
	assert_int_equal(unlink(path), 0);
}

/* On a file system of 3 MiB, of which 1 is taken. Needs root, as the mount does. */
static void
a_full_disk_stops_a_writer_and_what_it_had_written_stands(void **state)
{
	const struct trl_host host = { .loop = world.loop };
	void (*make_room)(void) = remove_ballast;
	uint8_t *bytes = calloc(1, 1 << 20);
	char path[128];
	int fd;

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		free(bytes);
		return; /* the test above has the same course */
	}
	store_close(&store);
	assert_int_equal(mount("none", folder, "tmpfs", 0, "size=3m"), 0);
	snprintf(path, sizeof path, "%s/ballast", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, bytes, 1 << 20), 1 << 20);
	close(fd);
	free(bytes);
	open_store(&host);
	world_act(full, &make_room);
	store_close(&store);
	assert_int_equal(umount(folder), 0);
	open_store(&host);
}

static void
beyond(trl_ctx *ctx, void *arg)
{
	static const uint64_t offsets[] = { UINT64_C(0xffffffff), UINT64_C(0x100000000),
		UINT64_C(0x100000001) };
	struct store_place place = { .generation = 1 }, now;
	store_writer *writer;
	uint64_t size;
	size_t got;
	char text[4];

	(void)arg;
	for (size_t i = 0; i < TRL_COUNT(offsets); i++) {
		place.offset = 0;
		place.length = offsets[i] + 2;
		assert_int_equal(
		    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
		store_writer_close(&writer);
		assert_int_equal(truncate(upload_path, (off_t)offsets[i]), 0);
		place.offset = offsets[i];
		assert_int_equal(
		    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
		assert_int_equal(store_writer_write(ctx, writer, "ab", 2), TRL_OK);
		assert_int_equal(store_writer_sync(ctx, writer, &now), TRL_OK);
		assert_int_equal(now.offset, offsets[i] + 2);
		store_writer_close(&writer);
		assert_int_equal(store_finish(ctx, store, &object, &now), TRL_OK);
		assert_int_equal(store_size(ctx, store, &object, &size), TRL_OK);
		assert_int_equal(size, offsets[i] + 2);
		assert_int_equal(store_head(ctx, store, &object, UINT64_C(0xffffffff),
				     4, text, &got),
		    TRL_OK);
		assert_int_equal(got, i + 2);
		assert_memory_equal(text + i, "ab", 2);
		assert_int_equal(store_remove(ctx, store, &object), TRL_OK);
	}
}

static void
files_beyond_4_gib_are_as_others(void **state)
{
	(void)state;
	world_act(beyond, NULL);
}

static void
longer(trl_ctx *ctx, void *arg)
{
	struct store_place place = { .length = 10, .generation = 1 }, now;
	store_writer *writer;
	uint64_t size;

	(void)arg;
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
	assert_int_equal(store_writer_write(ctx, writer, "12345", 5), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &now), TRL_OK);
	assert_int_equal(store_writer_write(ctx, writer, "678", 3), TRL_OK);
	store_writer_close(&writer);
	now.length = 5; /* told by a request to another process */
	assert_int_equal(store_finish(ctx, store, &object, &now), TRL_OK);
	assert_int_equal(store_size(ctx, store, &object, &size), TRL_OK);
	assert_int_equal(size, 5);
}

static void
a_finish_cuts_off_what_a_dead_writer_left_behind_the_end(void **state)
{
	(void)state;
	world_act(longer, NULL);
}

static void
removed(trl_ctx *ctx, void *arg)
{
	struct store_place place = { .length = 5, .generation = 1 }, now;
	store_writer *writer;

	(void)arg;
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_OK);
	assert_int_equal(store_writer_write(ctx, writer, "12345", 5), TRL_OK);
	assert_int_equal(store_abandon(ctx, store, &object), TRL_OK);
	assert_int_equal(store_writer_sync(ctx, writer, &now), TRL_NOT_FOUND);
	store_writer_close(&writer);
}

/* With its folders, which were empty then. */
static void
what_was_removed_under_its_writer_is_no_fault_of_the_disk(void **state)
{
	(void)state;
	world_act(removed, NULL);
}

static void
gone(trl_ctx *ctx, void *arg)
{
	struct store_place place = { .length = 10, .generation = 1 };
	store_writer *writer;
	char command[64];

	(void)arg;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(
	    store_writer_open(ctx, store, &object, &place, &writer), TRL_UNAVAILABLE);
	assert_int_not_equal(ctx->err.retry_after_ms, 0);
	trl_err_clear(ctx);
	assert_int_equal(
	    store_put(ctx, store,
		&(struct store_object){ object.tenant, object.file, "a" }, "x", 1),
	    TRL_UNAVAILABLE);
	trl_err_clear(ctx);
}

static void
a_folder_that_is_gone_is_unavailable_and_not_full(void **state)
{
	(void)state;
	world_act(gone, NULL);
}

static void
touch(const char *path)
{
	char all[512];
	int fd;

	snprintf(all, sizeof all, "%s/%s", folder, path);
	for (char *slash = all + strlen(folder) + 1;
	     (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)mkdir(all, 0700);
		*slash = '/';
	}
	fd = open(all, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void
listed(trl_ctx *ctx, void *arg)
{
#define TENANT "01000000-0000-0000-0000-000000000000"
#define FILE_ID "02000000-0000-0000-0000-0000000000ab"
	static const char *const names[] = { TENANT "/ab/" FILE_ID,
		TENANT "/ab/" FILE_ID "-", TENANT "/ab/" FILE_ID ".made/A",
		TENANT "/ab/" FILE_ID ".made/a", TENANT "/ab/" FILE_ID ".made/a.b",
		TENANT "/ab/" FILE_ID ".part", TENANT "/ab/short", TENANT "/x", "lost",
		"a/b/c/not-entered", "trellis-media" };
	static const enum store_kind kinds[] = { STORE_SCRAP, STORE_WHOLE, STORE_SCRAP,
		STORE_SCRAP, STORE_MADE, STORE_SCRAP, STORE_UPLOAD, STORE_SCRAP,
		STORE_SCRAP };
	struct store_listing at = { .ended = false };

	(void)arg;
	for (size_t i = 0; i < TRL_COUNT(names); i++)
		touch(names[i]);
	assert_int_equal(store_list(ctx, store, &at), TRL_OK);
	assert_true(at.ended);
	for (size_t i = 0; i < at.n; i++) {
		const struct store_found *found = &at.found[i];
		size_t k = 0;

		while (k < TRL_COUNT(names) && strcmp(names[k], found->name) != 0)
			k++;
		assert_in_range(k, 0, TRL_COUNT(names) - 3);
		assert_int_equal(found->kind, kinds[k == 8 ? 0 : k + 1]);
		if (found->kind == STORE_SCRAP && k != 4)
			assert_true(trl_id_is_nil(found->tenant));
		else
			assert_true(trl_id_eq(found->file, object.file));
		assert_int_equal(store_forget(ctx, store, found), TRL_OK);
	}
	assert_int_equal(at.n, 9);
	assert_int_equal(at.passed, 0);
	at = (struct store_listing){ .ended = false };
	assert_int_equal(store_list(ctx, store, &at), TRL_OK);
	assert_int_equal(at.n, 0);
}

static void
what_strangers_left_is_told_from_files(void **state)
{
	(void)state;
	world_act(listed, NULL);
}

static void
list_others(trl_ctx *ctx, void *arg)
{
	struct store_listing at = { .ended = false };

	(void)arg;
	assert_int_equal(store_list(ctx, store, &at), TRL_OK);
	assert_true(at.ended);
	assert_int_equal(at.n, 2);
	assert_int_equal(at.passed, 2);
}

/* Root's own folders among those of media's user. Needs root, for whom no folder is
 * closed, so it steps down. */
static void
a_folder_that_cannot_be_read_stops_no_listing(void **state)
{
	static const char *const closed[] = { "lost+found", TENANT "/ab",
		"03000000-0000-0000-0000-000000000000" };
	char command[128], path[128];

	(void)state;
	if (geteuid() != 0)
		return;
	touch(TENANT "/aa/" FILE_ID);
	touch(TENANT "/ab/" FILE_ID);
	touch(TENANT "/ac/" FILE_ID);
	touch("03000000-0000-0000-0000-000000000000/ab/x");
	touch("lost+found/x");
	snprintf(command, sizeof command, "chown -R 65534 %s", folder);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < TRL_COUNT(closed); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, closed[i]);
		assert_int_equal(chown(path, 0, 0), 0);
		assert_int_equal(chmod(path, 0700), 0);
	}
	assert_int_equal(seteuid(65534), 0);
	world_act(list_others, NULL);
	assert_int_equal(seteuid(0), 0);
}

static void
list_without_room(trl_ctx *ctx, void *arg)
{
	struct rlimit limit, less;
	struct store_listing at = { .ended = false };

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	less = limit;
	less.rlim_cur = *(rlim_t *)arg;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	assert_int_equal(store_list(ctx, store, &at), TRL_BUSY);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	trl_err_clear(ctx);
}

/* With so many that are free as none, one, two. */
static void
a_process_without_descriptors_lists_later(void **state)
{
	const int lowest = dup(0);
	rlim_t most;

	(void)state;
	assert_true(lowest >= 0);
	close(lowest);
	touch(TENANT "/aa/" FILE_ID);
	for (most = (rlim_t)lowest; most < (rlim_t)lowest + 3; most++)
		world_act(list_without_room, &most);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_process_writes_an_upload_and_a_killed_one_does_not_hold_it),
		CASE(the_process_limit_of_a_file_is_as_a_full_disk),
		CASE(a_full_disk_stops_a_writer_and_what_it_had_written_stands),
		CASE(files_beyond_4_gib_are_as_others),
		CASE(a_finish_cuts_off_what_a_dead_writer_left_behind_the_end),
		CASE(what_was_removed_under_its_writer_is_no_fault_of_the_disk),
		CASE(a_folder_that_is_gone_is_unavailable_and_not_full),
		CASE(what_strangers_left_is_told_from_files),
		CASE(a_folder_that_cannot_be_read_stops_no_listing),
		CASE(a_process_without_descriptors_lists_later),
	};

	return cmocka_run_group_tests(tests, make_world, world_close);
}
