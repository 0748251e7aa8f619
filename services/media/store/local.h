/* local.h - what the files of the local store share.
 *
 *   FOLDER/trellis-media        which installation's it is (local_guard.c)
 *   FOLDER/TENANT/XX/FILE       a file's own bytes; XX is the last byte of its id
 *   FOLDER/TENANT/XX/FILE.part  an upload's, so far
 *   FOLDER/TENANT/XX/FILE.made/KEY      what was made of it
 *   FOLDER/TENANT/XX/FILE.made/KEY.ID   the same, while it is written
 *
 * No name of a user's is part of a path. */
#pragma once

#include "inside.h"

enum { LOCAL_DIR_BYTES = 128, LOCAL_NAME_BYTES = 128 };

struct local_store {
	media_store base;
	trl_pg *pg; /* NULL, in tests: nobody else has a say in whose folder it is */
	char *folder;
	uint64_t step_bytes; /* of a join; fixed, but in tests */
	int root;
	struct trl_offload disk, sync;
};

/* One piece of work on a thread, the first member of what fn is given, and how it
 * ended: 0, or an errno. */
struct local_work {
	const struct local_store *store;
	int error;
};
/* Runs it on a thread for reads, writes and names, or on one for what waits for the
 * disk. Errors: TRL_BUSY, TRL_DEADLINE: it did not run. */
enum trl_code local_do(trl_ctx *ctx, struct local_store *store, bool waits,
    void (*fn)(void *work), void *work) TRL_MUST_CHECK;
/* The error of ctx for an errno. */
enum trl_code local_fail(
    trl_ctx *ctx, struct local_store *store, int error, const char *doing);

/* local_dirs.c: on threads. Each gives -1 and sets errno, or 0 or a descriptor. */

/* "TENANT/XX", where everything of a file lies. */
void local_dir_of(const struct store_object *object, char dir[LOCAL_DIR_BYTES]);
/* "TENANT/XX/FILE.made" for a part, else as local_dir_of. */
void local_dir_of_part(const struct store_object *object, char dir[LOCAL_DIR_BYTES]);
/* "FILE" or the part's key. */
void local_name_of(const struct store_object *object, char name[LOCAL_NAME_BYTES]);
/* "FILE.part" */
void local_upload_of(const struct store_object *object, char name[LOCAL_NAME_BYTES]);
int local_dir_open(const struct local_store *store, const char *dir);
/* The same; makes it, and what it lies in, where it is not there. */
int local_dir_make(const struct local_store *store, const char *dir);
/* Makes durable which names are in dir, and that it is there itself. */
int local_dir_sync(const struct local_store *store, const char *dir, int fd);
/* Removes dir and what it lies in, as far as they are empty. */
void local_dir_prune(const struct local_store *store, const char *dir);
/* All that is in it goes, and it as well. ENOENT is none. */
int local_dir_remove(int at, const char *name);

/* local_write.c */
enum trl_code local_writer_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *from,
    store_writer **out);
enum trl_code local_writer_write(
    trl_ctx *ctx, store_writer *writer, struct store_pieces *pieces);
enum trl_code local_writer_sync(
    trl_ctx *ctx, store_writer *writer, struct store_place *now);
uint64_t local_writer_step(const store_writer *writer, bool *between);
enum trl_code local_writer_copy(trl_ctx *ctx, store_writer *writer,
    const struct store_object *from, uint64_t at, uint64_t n, bool *copied);
void local_writer_close(store_writer *writer);
/* 0 or an errno. */
int local_write_all(int fd, const void *data, size_t len, uint64_t offset);

/* local_finish.c */
/* Locks an upload's file, which is the one that has the name now. Gives the descriptor,
 * or -1 with errno EWOULDBLOCK: somebody else has. */
int local_upload_open(int dir, const char *name, bool make);
enum trl_code local_finish(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const struct store_place *whole);
enum trl_code local_put(trl_ctx *ctx, media_store *store,
    const struct store_object *object, const void *data, size_t len);

/* local_read.c */
enum trl_code local_size(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t *size);
enum trl_code local_reader_open(trl_ctx *ctx, media_store *store,
    const struct store_object *object, uint64_t offset, uint64_t len,
    store_reader **out);
enum trl_code local_reader_next(
    trl_ctx *ctx, store_reader *reader, const uint8_t **data, size_t *len);
void local_reader_close(store_reader *reader);
enum trl_code local_give(trl_ctx *ctx, media_store *store,
    const struct store_object *object, trl_stream *stream, uint64_t offset,
    uint64_t len);
enum trl_code local_fetch(
    trl_ctx *ctx, media_store *store, const struct store_object *object, int *fd);

/* local_remove.c */
enum trl_code local_abandon(
    trl_ctx *ctx, media_store *store, const struct store_object *object);
enum trl_code local_remove(
    trl_ctx *ctx, media_store *store, const struct store_object *object);
enum trl_code local_remove_tenant(
    trl_ctx *ctx, media_store *store, struct trl_id tenant, bool *more);
enum trl_code local_forget(
    trl_ctx *ctx, media_store *store, const struct store_found *found);

/* local_list.c */
enum trl_code local_list(trl_ctx *ctx, media_store *store, struct store_listing *at);

/* local_guard.c */
enum trl_code local_make_sure(trl_ctx *ctx, media_store *store);
enum trl_code local_sweeps(
    trl_ctx *ctx, media_store *store, uint64_t *sweeps, const uint64_t *set);
